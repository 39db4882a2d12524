using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Leaks
    {
        [DllImport("libc.so.6")]
        private static extern int malloc_trim(IntPtr pad);

        /// PACK AVATAR VOICE [ROUNDS]: no growth of memory, threads or handles.
        internal static void AThousandAvatars(string[] a)
        {
            var voice = Given.Voice(a[2]);
            using (var engine = Given.Engine(a[0]))
            {
                // The allocators fill their arenas first.
                Rounds(200, engine, a[1], voice);
                var before = Now();
                var rounds = a.Length > 3 ? int.Parse(a[3]) : 1000;
                Rounds(rounds, engine, a[1], voice);
                var after = Now();
                Console.WriteLine("before " + before + ", after " + rounds + " more " + after);
                Check.That(after.Threads <= before.Threads, "no thread is left");
                Check.That(after.Handles <= before.Handles, "no handle is left");
                // An avatar has about half a megabyte of its own here: not even two kilobytes of each may stay.
                Check.That(after.Kilobytes <= before.Kilobytes + 2048, "no memory is left");
            }
        }

        /// On a thread that is gone afterwards: Mono takes whatever lies on a stack for a reference.
        private static void Rounds(int rounds, Engine engine, string asset, float[] voice)
        {
            Exception failure = null;
            var thread = new Thread(() =>
            {
                try
                {
                    for (var round = 0; round < rounds; round++) Live(engine, asset, voice, round);
                }
                catch (Exception why)
                {
                    failure = why;
                }
            });
            thread.Start();
            thread.Join();
            if (failure != null) throw new Exception("an avatar failed", failure);
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
            // What was freed goes back to the system, so that what is left is in use.
            malloc_trim(IntPtr.Zero);
            var size = new Size { Handles = Directory.GetFileSystemEntries("/proc/self/fd").Length, Threads = Directory.GetDirectories("/proc/self/task").Length };
            foreach (var line in File.ReadAllLines("/proc/self/status"))
            {
                var words = line.Split(new[] { '\t', ' ' }, StringSplitOptions.RemoveEmptyEntries);
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
