using System;
using System.Threading;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// <summary>How much is logged.</summary>
    public enum LogLevel : uint
    {
        /// <summary>Nothing.</summary>
        Off = 0,
        /// <summary>Something failed that no caller is told of.</summary>
        Error = 1,
        /// <summary>Something is not as it should be, and work goes on.</summary>
        Warn = 2,
        /// <summary>What a user may want to know.</summary>
        Info = 3,
        /// <summary>What a developer may want to know.</summary>
        Debug = 4,
        /// <summary>Everything.</summary>
        Trace = 5,
    }

    /// <summary>Where the library's log goes. One for the process. Keys and what is said in conversations are never logged.</summary>
    public static class Log
    {
        // Kept for ever: the library holds their addresses.
        private static readonly NativeMethods.LogCallback Line = OnLine;
        private static readonly NativeMethods.Finalizer Done = OnDone;
        private static readonly object Setting = new object();

        private static volatile Action<LogLevel, string, string> _handler;
        private static bool _leaving;
        /// How many callbacks the library may still call.
        private static int _registered;

        /// <summary>Has every line given to <paramref name="handler"/>: its level, the part of the library that speaks, the message.</summary>
        /// <param name="level">Lines up to this one.</param>
        /// <param name="handler">Called from any thread, from several at once; must not wait for a thread that is inside the library. What it
        /// throws is dropped. Null: nobody listens, as at the start.</param>
        /// <exception cref="UnsupportedException">The program that the library is linked into has another log.</exception>
        /// <exception cref="InvalidInputException">There is no such level.</exception>
        public static unsafe void Listen(LogLevel level, Action<LogLevel, string, string> handler)
        {
            Native.Ready();
            lock (Setting)
            {
                if (!_leaving)
                {
                    // The library must not call into a domain that is gone: Unity unloads it with every change of a script.
                    AppDomain.CurrentDomain.DomainUnload += Leave;
                    AppDomain.CurrentDomain.ProcessExit += Leave;
                    _leaving = true;
                }
                NativeError error;
                Status status;
                if (handler == null)
                {
                    status = NativeMethods.musetalk_log_set((uint)level, null, IntPtr.Zero, null, &error);
                }
                else
                {
                    // Counted down by the library, also when the call fails.
                    Interlocked.Increment(ref _registered);
                    status = NativeMethods.musetalk_log_set((uint)level, Line, IntPtr.Zero, Done, &error);
                }
                Native.Check(status, &error);
                _handler = handler;
            }
        }

        private static unsafe void Leave(object sender, EventArgs e)
        {
            _handler = null;
            NativeMethods.musetalk_log_set((uint)LogLevel.Off, null, IntPtr.Zero, null, null);
            // A line that is being told now.
            SpinWait.SpinUntil(() => Volatile.Read(ref _registered) <= 0, 1000);
        }

        /// Nothing may be thrown into the library.
        [MonoPInvokeCallback(typeof(NativeMethods.LogCallback))]
        private static unsafe void OnLine(IntPtr userData, uint level, IntPtr target, IntPtr message)
        {
            try
            {
                var handler = _handler;
                if (handler != null) handler((LogLevel)level, Native.Text((byte*)target), Native.Text((byte*)message));
            }
            catch (Exception)
            {
                // There is nobody who could be told.
            }
        }

        [MonoPInvokeCallback(typeof(NativeMethods.Finalizer))]
        private static void OnDone(IntPtr userData)
        {
            Interlocked.Decrement(ref _registered);
        }
    }
}
