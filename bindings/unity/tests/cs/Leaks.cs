using System;
using System.IO;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Leaks
    {
        /// PACK AVATAR VOICE [ROUNDS]: no growth of memory, threads or handles.
        internal static void AThousandAvatars(string[] a)
        {
            var voice = Given.Voice(a[2]);
            using (var engine = Given.Engine(a[0]))
            {
                // The allocators fill their arenas first.
                for (var round = 0; round < 200; round++) Live(engine, a[1], voice, round);
                var before = Now();
                var rounds = a.Length > 3 ? int.Parse(a[3]) : 1000;
                for (var round = 0; round < rounds; round++) Live(engine, a[1], voice, round);
                var after = Now();
                Console.WriteLine("before " + before + ", after " + rounds + " more " + after);
                Check.That(after.Threads <= before.Threads + 2, "no thread is left");
                Check.That(after.Handles <= before.Handles + 2, "no handle is left");
                // An avatar has about half a megabyte of its own here: a thousand would be seen.
                Check.That(after.Kilobytes <= before.Kilobytes + 24 * 1024, "no memory is left");
            }
        }

        private static void Live(Engine engine, string asset, float[] voice, int round)
        {
            var avatar = engine.OpenAvatar(asset);
            avatar.Push(new ReadOnlySpan<float>(voice, 0, 4800));
            avatar.Finish();
            Frame frame;
            if (round % 2 == 0) foreach (var one in avatar.Frames()) Check.That(one.Width > 0, "a frame");
            else avatar.Latest(default(Heard), out frame);
            // Every third is forgotten, with its frame.
            if (round % 3 != 0) avatar.Dispose();
            if (round % 50 == 49) Misuse.Collect();
        }

        private static Size Now()
        {
            Misuse.Collect();
            // Threads end a moment after they are told to.
            Thread.Sleep(500);
            var size = new Size { Handles = Directory.GetFileSystemEntries("/proc/self/fd").Length };
            foreach (var line in File.ReadAllLines("/proc/self/status"))
            {
                var words = line.Split(new[] { '\t', ' ' }, StringSplitOptions.RemoveEmptyEntries);
                if (words[0] == "Threads:") size.Threads = int.Parse(words[1]);
                if (words[0] == "VmRSS:") size.Kilobytes = long.Parse(words[1]);
            }
            return size;
        }

        private struct Size
        {
            internal int Threads, Handles;
            internal long Kilobytes;

            public override string ToString()
            {
                return Kilobytes + " kB, " + Threads + " threads, " + Handles + " handles";
            }
        }
    }
}
