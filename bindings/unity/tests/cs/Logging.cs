using System;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Logging
    {
        /// PACK
        internal static void All(string[] a)
        {
            int first = 0, second = 0, odd = 0;
            Log.Listen(LogLevel.Trace, (level, target, message) =>
            {
                if (level < LogLevel.Error || level > LogLevel.Trace || target.Length == 0 || message.EndsWith("\n")) Interlocked.Increment(ref odd);
                // It may call back, and hand over to another one; what it throws goes nowhere.
                Check.That(Engine.LibraryVersion.Length > 0, "a call from inside");
                if (Interlocked.Increment(ref first) == 1) Log.Listen(LogLevel.Trace, (l, t, m) => Interlocked.Increment(ref second));
                throw new Exception("thrown by a handler");
            });
            Misuse.Collect();
            // ONNX Runtime says what machine it found.
            Given.Engine(a[0]).Dispose();
            Misuse.Collect();
            // They are fetched by a thread of their own.
            Check.That(SpinWait.SpinUntil(() => Volatile.Read(ref second) > 0, 10000), "lines of the second");
            Check.Equal(0, odd, "odd lines");
            Check.Equal(1, first, "lines of the first");
            Log.Listen(LogLevel.Off, null);
            Thread.Sleep(200);
            var until = Volatile.Read(ref second);
            Given.Engine(a[0]).Dispose();
            Thread.Sleep(200);
            Check.Equal(until, Volatile.Read(ref second), "lines after the end");
            Check.Throws<InvalidInputException>(() => Log.Listen((LogLevel)9, (l, t, m) => { }));
        }
    }
}
