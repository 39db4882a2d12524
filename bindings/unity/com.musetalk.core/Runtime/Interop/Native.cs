using System;
using System.Text;

namespace MuseTalk.Interop
{
    /// What every call shares: text, time, failures, and whether the library is the right one.
    internal static unsafe class Native
    {
        /// What no status of the library is: values of 16 and above are failures.
        private const uint FirstFailure = 16;

        private static volatile bool _checked;

        /// UTF-8 with a NUL at its end. `fixed` gives NULL for what this gives for null.
        internal static byte[] Bytes(string text, string name)
        {
            if (text == null) return null;
            if (text.IndexOf('\0') >= 0) throw new ArgumentException("must not hold a NUL", name);
            var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
            Encoding.UTF8.GetBytes(text, 0, text.Length, bytes, 0);
            return bytes;
        }

        internal static byte[] Required(string text, string name)
        {
            if (text == null) throw new ArgumentNullException(name);
            return Bytes(text, name);
        }

        /// By hand: PtrToStringAnsi reads UTF-8 as the code page of Windows.
        internal static string Text(byte* text)
        {
            if (text == null) return "";
            var length = 0;
            while (text[length] != 0) length++;
            return length == 0 ? "" : Encoding.UTF8.GetString(text, length);
        }

        /// Negative waits without limit. More than 292 years is without limit too.
        internal static long Nanos(TimeSpan time)
        {
            if (time < TimeSpan.Zero || time.Ticks > long.MaxValue / 100) return -1;
            return time.Ticks * 100;
        }

        internal static TimeSpan Time(long nanos)
        {
            return TimeSpan.FromTicks(nanos / 100);
        }

        internal static bool Failed(Status status)
        {
            return (uint)status >= FirstFailure;
        }

        internal static void Check(Status status, NativeError* error)
        {
            if (Failed(status)) throw Failure(status, error);
        }

        internal static MuseTalkException Failure(Status status, NativeError* error)
        {
            // A message of another call would be worse than none.
            var message = error->Status == (uint)status ? Text(error->Message) : "";
            return MuseTalkException.Of(status, message.Length == 0 ? "libmusetalk returned " + status : message);
        }

        /// Once per process: that libmusetalk is there and speaks as this assembly does.
        internal static void Ready()
        {
            if (_checked) return;
            uint version;
            try
            {
                version = NativeMethods.musetalk_abi_version();
            }
            catch (DllNotFoundException missing)
            {
                throw new NotFoundException(
                    "libmusetalk was not found; put it beside this assembly or where the system looks for libraries (" + missing.Message + ")", missing);
            }
            if (version != NativeMethods.AbiVersion)
            {
                throw new IncompatibleException(
                    "libmusetalk has interface " + version + " and this assembly needs " + NativeMethods.AbiVersion + "; update the older one");
            }
            _checked = true;
        }
    }
}
