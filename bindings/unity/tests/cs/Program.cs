using System;
using System.Collections.Generic;
using System.IO;

namespace MuseTalk.Tests
{
    /// Runs one test by its name: `mono Tests.exe NAME [ARGUMENT…]`. Ends with 1 and a sentence when it fails.
    internal static class Program
    {
        private static readonly Dictionary<string, Action<string[]>> Tests = new Dictionary<string, Action<string[]>>
        {
            { "describe", Interface.Describe },
            { "statuses", Interface.EveryFailureHasItsClass },
            { "whole", Speaking.AWholeUtterance },
            { "live", Speaking.LiveReading },
            { "paced", Speaking.PacedReading },
            { "interrupt", Speaking.Interrupting },
            { "errors", Errors.Refusals },
            { "misuse", Misuse.All },
            { "threads", Threads.All },
            { "reload", Reload.ADomainThatGoes },
            { "listened", Reload.ADomainThatListened },
            { "log", Logging.All },
            { "thousand", Leaks.AThousandAvatars },
            { "cost", Cost.OfACall },
            { "nanoseconds", Cost.InNanoseconds },
            { "talk", Talking.AConversation },
            { "tools", Talking.Tools },
            { "spoken", Talking.ThroughAnAvatar },
            { "kept", Keeping.TheAvatarOfAConversation },
            { "ends", Keeping.ThreadsThatAreInside },
        };

        private static int Main(string[] arguments)
        {
            try
            {
                var rest = new string[arguments.Length - 1];
                Array.Copy(arguments, 1, rest, 0, rest.Length);
                Tests[arguments[0]](rest);
                return 0;
            }
            catch (Exception failure)
            {
                Console.Error.WriteLine(failure);
                return 1;
            }
        }
    }

    internal static class Check
    {
        internal static void That(bool holds, string sentence)
        {
            if (!holds) throw new Exception("not so: " + sentence);
        }

        internal static void Equal<T>(T expected, T actual, string what)
        {
            That(EqualityComparer<T>.Default.Equals(expected, actual), what + " is " + actual + ", not " + expected);
        }

        internal static T Throws<T>(Action action) where T : Exception
        {
            try
            {
                action();
            }
            catch (T expected)
            {
                That(expected.GetType() == typeof(T), "the class is " + expected.GetType());
                return expected;
            }
            throw new Exception("no " + typeof(T).Name + " was thrown");
        }
    }

    internal static class Given
    {
        /// Samples as 32-bit floats.
        internal static float[] Voice(string file)
        {
            var bytes = File.ReadAllBytes(file);
            var samples = new float[bytes.Length / 4];
            Buffer.BlockCopy(bytes, 0, samples, 0, bytes.Length);
            return samples;
        }

        internal static Engine Engine(string pack)
        {
            return new Engine(pack, new EngineOptions { Device = Device.Cpu, Threads = 1 });
        }

        /// FNV-1a.
        internal static ulong Hash(ReadOnlySpan<byte> bytes)
        {
            var hash = 14695981039346656037UL;
            foreach (var b in bytes) hash = unchecked((hash ^ b) * 1099511628211UL);
            return hash;
        }
    }
}
