using System;
using System.Diagnostics;

namespace MuseTalk.Tests
{
    internal static class Cost
    {
        private const int Calls = 60000;

        /// PACK AVATAR VOICE: prints what a call costs, all of it: the door, the library behind it, and the copy of 20 ms of sound. Fails when
        /// calls make garbage; never because of time.
        internal static void OfACall(string[] a)
        {
            using (var engine = Given.Engine(a[0]))
            using (var avatar = engine.OpenAvatar(a[1], new AvatarOptions { BufferSeconds = 3600, Format = PixelFormat.Rgba8 }))
            {
                var chunk = new float[480];
                // Idle, so that no picture is due more than 25 times a second, and the copies of pixels do not count.
                Measure(avatar, chunk, 200);
                GC.Collect();
                var collections = GC.CollectionCount(0);
                var cost = Measure(avatar, chunk, Calls);
                avatar.Interrupt();
                long read = 0;
                for (var call = 0; call < Calls; call++)
                    using (var frame = avatar.Paced()) read += frame.Pixels.Length + frame.Samples.Length;
                Check.That(read > Calls, "pictures were read");
                // The smallest object per call would be four times what young objects have room for: MONO_GC_PARAMS says so.
                Check.Equal(collections, GC.CollectionCount(0), "collections of garbage");
                Console.WriteLine(cost);
            }
        }

        /// PACK AVATAR: prints push, latest without a picture, and a lent and returned picture, half of the calls below, in nanoseconds. For
        /// `cargo xtask check cost`, which compares them with the same calls in Rust.
        internal static void InNanoseconds(string[] a)
        {
            var chunk = new float[480];
            using (var engine = Given.Engine(a[0]))
            using (var ears = engine.OpenAvatar(a[1]))
            using (var face = engine.OpenAvatar(a[1]))
            {
                // Compiled, and warm.
                for (var call = 0; call < 100; call++) ears.Interrupt();
                ears.Begin();
                var told = Median(() => ears.Push(chunk), () => true).ToString();
                Frame frame = default(Frame);
                var any = false;
                told += " " + Median(() => any = face.Latest(default(Heard), out frame), () =>
                {
                    if (any) frame.Dispose();
                    return !any;
                });
                told += " " + Median(() => face.Paced().Dispose(), () => true);
                Console.WriteLine(told);
            }
        }

        private const int Rounds = 4000;

        /// Of the calls that count.
        private static long Median(Action call, Func<bool> counts)
        {
            var taken = new long[Rounds];
            for (var at = 0; at < Rounds;)
            {
                var start = Stopwatch.GetTimestamp();
                call();
                taken[at] = Stopwatch.GetTimestamp() - start;
                if (counts()) at++;
            }
            Array.Sort(taken);
            return taken[Rounds / 2] * 1000000000 / Stopwatch.Frequency;
        }

        private static string Measure(Avatar avatar, float[] chunk, int calls)
        {
            long push = 0, look = 0, pictures = 0, looks = 0;
            for (var call = 0; call < calls; call++)
            {
                var start = Stopwatch.GetTimestamp();
                Status status;
                if (call % 1000 == 0) avatar.Interrupt();
                if (call % 1000 == 0) avatar.Begin();
                avatar.TryPush(chunk, out status);
                var pushed = Stopwatch.GetTimestamp();
                Frame frame;
                var any = avatar.Latest(default(Heard), out frame);
                var looked = Stopwatch.GetTimestamp();
                frame.Dispose();
                push += pushed - start;
                if (any) pictures++;
                else
                {
                    look += looked - pushed;
                    looks++;
                }
            }
            var tick = 1e6 / Stopwatch.Frequency;
            return "push of 480 samples " + (push * tick / calls).ToString("0.00") + " µs, latest with nothing due "
                + (look * tick / Math.Max(1, looks)).ToString("0.00") + " µs (" + looks + " calls), pictures " + pictures;
        }
    }
}
