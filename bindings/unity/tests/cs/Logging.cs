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
            Check.Equal(0, odd, "odd lines");
            Check.Equal(1, first, "lines of the first");
            Check.That(second > 0, "lines of the second");
            Log.Listen(LogLevel.Off, null);
            Given.Engine(a[0]).Dispose();
            Check.Throws<InvalidInputException>(() => Log.Listen((LogLevel)9, (l, t, m) => { }));
        }
    }
}
