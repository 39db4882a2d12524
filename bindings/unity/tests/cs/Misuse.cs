using System;
using System.Collections.Generic;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Misuse
    {
        /// PACK AVATAR VOICE
        internal static void All(string[] a)
        {
            var voice = Given.Voice(a[2]);
            var engine = Given.Engine(a[0]);
            var avatar = engine.OpenAvatar(a[1]);
            engine.Dispose();
            engine.Dispose();
            Check.Throws<ObjectDisposedException>(() => engine.OpenAvatar(a[1]));
            Check.Throws<ObjectDisposedException>(() => engine.Description.ToString());

            // The avatar lives on without its engine.
            avatar.Push(voice);
            avatar.Finish();
            Frame frame;
            Check.That(avatar.Next(out frame), "a frame");
            var copy = frame;
            var hash = Given.Hash(frame.Pixels);
            frame.Dispose();
            frame.Dispose();
            copy.Dispose();
            Check.That(!copy.IsLent, "copies are given back together");
            Check.Throws<ObjectDisposedException>(() => frame.Pixels.ToArray());
            Check.Throws<ObjectDisposedException>(() => frame.Samples.ToArray());
            Check.Throws<ObjectDisposedException>(() => copy.Width.ToString());
            Check.Throws<ObjectDisposedException>(() => copy.PixelsPointer.ToString());
            Check.Throws<ObjectDisposedException>(() => default(Frame).Index.ToString());
            default(Frame).Dispose();

            // An old name does not reach into the slot's next frame, and cannot give it back.
            Frame next;
            Check.That(avatar.Next(out next), "the next frame");
            copy.Dispose();
            Check.That(next.IsLent && !frame.IsLent, "another frame");
            Check.Throws<ObjectDisposedException>(() => frame.Height.ToString());

            // Who keeps everything gets nothing more, and loses nothing.
            var kept = new List<Frame> { next };
            var full = Check.Throws<BufferFullException>(() => { while (true) { Frame one; avatar.Next(out one); kept.Add(one); } });
            Check.That(kept.Count >= 4 && kept.Count < 10, kept.Count + " were lent: " + full.Message);
            Collect();
            kept[1].Dispose();
            Check.That(avatar.Next(out frame), "one was given back");

            // A frame outlives its avatar.
            avatar.Dispose();
            avatar.Dispose();
            avatar.Close();
            Check.That(Given.Hash(frame.Pixels) != 0 && hash != 0, "its pixels are there");
            frame.Dispose();
            foreach (var one in kept) one.Dispose();
            Check.Throws<ObjectDisposedException>(() => avatar.Push(voice));
            Check.Throws<ObjectDisposedException>(() => avatar.Latest(default(Heard), out frame));
            Check.Throws<ObjectDisposedException>(() => avatar.Interrupt());
            Check.Throws<ObjectDisposedException>(() => avatar.Stats.Made.ToString());
            Check.Throws<ObjectDisposedException>(() => { foreach (var one in avatar.Frames()) one.Dispose(); });
            Forgotten(a, voice);
        }

        /// Nobody disposes of anything: the collector does.
        private static void Forgotten(string[] a, float[] voice)
        {
            for (var round = 0; round < 20; round++) Forget(a, voice);
            Collect();
        }

        private static void Forget(string[] a, float[] voice)
        {
            var engine = Given.Engine(a[0]);
            var avatar = engine.OpenAvatar(a[1]);
            avatar.Push(voice);
            Frame frame;
            avatar.Next(out frame);
            avatar.Next(out frame);
        }

        internal static void Collect()
        {
            for (var times = 0; times < 3; times++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
    }
}
