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
        // Without separators: the compiler of Mono reads 50_000_000 as 5 000 000 000.
        private const long SliceNanos = 50000000;
        private static readonly object Setting = new object();

        private static Thread _reader;
        private static volatile bool _leaving;
        private static bool _watching;

        /// <summary>Has every line given to <paramref name="handler"/>: its level, the part of the library that speaks, the message (at most 943 bytes of it).
        /// No thread of the library calls into .NET for that: a thread of this class fetches the lines, soon after they were said.</summary>
        /// <param name="level">Lines up to this one.</param>
        /// <param name="handler">Called from a thread of its own, one line at a time. A slow one loses the oldest of more than a thousand lines that wait. What it
        /// throws is dropped. Null: nobody listens, as at the start.</param>
        /// <exception cref="UnsupportedException">The program that the library is linked into has another log.</exception>
        /// <exception cref="InvalidInputException">There is no such level.</exception>
        public static unsafe void Listen(LogLevel level, Action<LogLevel, string, string> handler)
        {
            Native.Ready();
            lock (Setting)
            {
                if (!_watching)
                {
                    AppDomain.CurrentDomain.DomainUnload += Leave;
                    AppDomain.CurrentDomain.ProcessExit += Leave;
                    _watching = true;
                }
                NativeError error;
                if (handler == null)
                {
                    Native.Check(NativeMethods.musetalk_log_set((uint)level, IntPtr.Zero, IntPtr.Zero, IntPtr.Zero, &error), &error);
                    _reader = null;
                    return;
                }
                // Nothing is set before it can be read: a reader of what was kept before then ends by itself.
                ulong kept;
                Native.Check(NativeMethods.musetalk_log_keep((uint)level, &kept, &error), &error);
                var log = kept;
                _reader = new Thread(() => Read(log, handler)) { IsBackground = true, Name = "MuseTalk log" };
                _reader.Start();
            }
        }

        /// What is waiting is told before the domain goes, and its thread with it: Unity unloads the domain with every change of a script.
        private static void Leave(object sender, EventArgs e)
        {
            _leaving = true;
            var reader = _reader;
            if (reader != null) reader.Join(1000);
        }

        private static unsafe void Read(ulong log, Action<LogLevel, string, string> handler)
        {
            NativeLogLine line;
            while (true)
            {
                line.StructSize = (UIntPtr)sizeof(NativeLogLine);
                var leaving = _leaving;
                var status = NativeMethods.musetalk_log_read(log, leaving ? 0 : SliceNanos, &line, null);
                if (status == Status.TimedOut && !leaving) continue;
                if (status != Status.Ok) break;
                try
                {
                    handler((LogLevel)line.Level, Native.Text(line.Target), Native.Text(line.Message));
                }
                catch (ThreadAbortException)
                {
                    throw;
                }
                catch (Exception)
                {
                    // There is nobody who could be told.
                }
            }
            // Nobody reads any more, so nothing is to be kept; unless another one has begun.
            NativeError error;
            NativeLogLine none;
            none.StructSize = (UIntPtr)sizeof(NativeLogLine);
            if (NativeMethods.musetalk_log_read(log, 0, &none, &error) != Status.Closed)
                NativeMethods.musetalk_log_set((uint)LogLevel.Off, IntPtr.Zero, IntPtr.Zero, IntPtr.Zero, null);
        }
    }
}
