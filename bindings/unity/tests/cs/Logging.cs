using System;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Logging
    {
        /// PACK
        internal static void All(string[] a)
        {
            var lines = 0;
            var odd = 0;
            Log.Listen(LogLevel.Trace, (level, target, message) =>
            {
                Interlocked.Increment(ref lines);
                if (level < LogLevel.Error || level > LogLevel.Trace || target.Length == 0 || message.EndsWith("\n")) Interlocked.Increment(ref odd);
                // It may call back, and what it throws goes nowhere.
                Check.That(Engine.LibraryVersion.Length > 0, "a call from inside");
                throw new Exception("thrown by a handler");
            });
            Misuse.Collect();
            Given.Engine(a[0]).Dispose();
            Misuse.Collect();
            Check.That(lines > 0, "something was told: " + lines);
            Check.Equal(0, odd, "odd lines");

            var second = 0;
            Log.Listen(LogLevel.Trace, (level, target, message) =>
            {
                if (Interlocked.Increment(ref second) == 1) Log.Listen(LogLevel.Trace, (l, t, m) => { });
            });
            Given.Engine(a[0]).Dispose();
            Check.That(second > 0, "another handler hears");
            Log.Listen(LogLevel.Off, null);
            var before = lines + second;
            Given.Engine(a[0]).Dispose();
            Check.Equal(before, lines + second, "lines after the end");
            Check.Throws<InvalidInputException>(() => Log.Listen((LogLevel)9, (l, t, m) => { }));
        }
    }
}
