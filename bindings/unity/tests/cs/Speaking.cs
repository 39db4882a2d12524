using System;
using System.Collections.Generic;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Speaking
    {
        /// PACK AVATAR VOICE: prints a hash for every frame, which equal those of every other language.
        internal static void AWholeUtterance(string[] a)
        {
            var voice = Given.Voice(a[2]);
            using (var engine = Given.Engine(a[0]))
            {
                var told = engine.Description;
                Check.Equal(Device.Cpu, told.Device, "the device");
                Check.That(told.RuntimeVersion.StartsWith("1.") && told.RuntimePath.Contains("onnxruntime"), told.RuntimePath);
                var whole = Hashes(engine, a[1], voice, avatar => avatar.Push(voice));
                foreach (var hash in whole) Console.WriteLine("frame " + hash.ToString("x16"));

                var chunked = Hashes(engine, a[1], voice, avatar =>
                {
                    for (var at = 0; at < voice.Length; at += 441) avatar.Push(new ReadOnlySpan<float>(voice, at, Math.Min(441, voice.Length - at)));
                });
                Same(whole, chunked);

                var shorts = new short[voice.Length];
                for (var at = 0; at < shorts.Length; at++) shorts[at] = (short)(voice[at] * 32767);
                var floats = new float[voice.Length];
                for (var at = 0; at < shorts.Length; at++) floats[at] = shorts[at] / 32768f;
                Same(Hashes(engine, a[1], floats, avatar => avatar.Push(floats)), Hashes(engine, a[1], floats, avatar => avatar.Push(shorts)));
            }
        }

        private static void Same(List<ulong> one, List<ulong> other)
        {
            Check.Equal(one.Count, other.Count, "the number of frames");
            for (var at = 0; at < one.Count; at++) Check.Equal(one[at], other[at], "frame " + at);
        }

        private static List<ulong> Hashes(Engine engine, string asset, float[] voice, Action<Avatar> push)
        {
            var hashes = new List<ulong>();
            using (var avatar = engine.OpenAvatar(asset))
            {
                var told = avatar.Description;
                var samples = 0;
                push(avatar);
                Check.That(avatar.Finish(), "nothing cut it");
                foreach (var frame in avatar.Frames())
                {
                    Check.Equal((ulong)hashes.Count, frame.UtteranceFrame, "the number of a frame");
                    Check.Equal(1UL, frame.Utterance, "the utterance");
                    Check.Equal(TimeSpan.FromTicks(400000L * hashes.Count), frame.Pts, "the time");
                    Check.Equal(told.Width, frame.Width, "the width");
                    Check.Equal(told.Width * 3, frame.Stride, "the stride");
                    Check.Equal(frame.Stride * frame.Height, frame.Pixels.Length, "the bytes");
                    Check.That(frame.CycleIndex < told.CycleLength && frame.Region.X + frame.Region.Width <= frame.Width, "the region is in the picture");
                    foreach (var sample in frame.Samples) Check.Equal(voice[samples++], sample, "a sample");
                    hashes.Add(Given.Hash(frame.Pixels));
                }
                Check.Equal(voice.Length, samples, "the samples of all frames");
                Check.Equal((voice.Length + 959) / 960, hashes.Count, "the number of frames");
                Check.Equal((ulong)hashes.Count, avatar.Stats.Shown, "the frames shown");
            }
            return hashes;
        }

        /// PACK AVATAR VOICE: one thread pushes, one reads by what was heard.
        internal static void LiveReading(string[] a)
        {
            var voice = Given.Voice(a[2]);
            using (var engine = Given.Engine(a[0]))
            using (var avatar = engine.OpenAvatar(a[1], new AvatarOptions { Format = PixelFormat.Rgba8 }))
            {
                Heard ready;
                Check.That(!avatar.Ready(out ready), "nothing is ready at first");
                Frame idle;
                Check.That(avatar.Latest(default(Heard), out idle), "there is always a face");
                Check.Equal(0UL, idle.Utterance, "the first picture is idle");
                Check.That(idle.Region.IsEmpty, "idle is the footage");
                SameAsBase(avatar, idle);
                idle.Dispose();

                var pushing = new Thread(() =>
                {
                    avatar.Begin();
                    for (var at = 0; at < voice.Length; at += 480) avatar.Push(new ReadOnlySpan<float>(voice, at, Math.Min(480, voice.Length - at)));
                    avatar.Finish();
                });
                pushing.Start();
                while (!avatar.Ready(out ready)) Thread.Sleep(1);
                Check.Equal(1UL, ready.Utterance, "the utterance that is ready");
                Check.That(ready.Samples >= 2880, "three frames are ready: " + ready);

                var shown = 0;
                var last = -1L;
                for (ulong heard = 0; heard < (ulong)voice.Length; heard += 400)
                {
                    // A made-up loudspeaker that waits for frames: how fast the machine is does not matter here.
                    Heard limit;
                    for (var tries = 0; tries < 2000 && avatar.Ready(out limit) && limit.Utterance == 1 && limit.Samples < Math.Min(heard + 960, (ulong)voice.Length); tries++) Thread.Sleep(1);
                    Frame frame;
                    if (!avatar.Latest(new Heard(1, heard), out frame)) continue;
                    using (frame)
                    {
                        if (frame.Utterance == 0) continue;
                        Check.That((long)frame.UtteranceFrame > last, "pictures go on");
                        last = (long)frame.UtteranceFrame;
                        Check.That(Math.Abs(last - (long)(heard / 960)) <= 3, "the picture is that of the sound: " + last + " at " + heard);
                        shown++;
                    }
                }
                pushing.Join();
                Check.That(shown > voice.Length / 960 / 2, "most frames were shown: " + shown);

                for (var calls = 0; calls < 400; calls++)
                {
                    Frame frame;
                    var any = avatar.Latest(Heard.All(1), out frame);
                    var over = any && frame.Utterance == 0 && frame.Region.IsEmpty;
                    frame.Dispose();
                    if (over) return;
                    Thread.Sleep(5);
                }
                throw new Exception("it did not go back to idle");
            }
        }

        private static void SameAsBase(Avatar avatar, Frame frame)
        {
            var pixels = new byte[frame.ByteCount];
            avatar.BaseFrame(frame.CycleIndex, pixels);
            Check.Equal(Given.Hash(pixels), Given.Hash(frame.Pixels), "an idle picture");
        }

        /// PACK AVATAR VOICE
        internal static void PacedReading(string[] a)
        {
            var voice = Given.Voice(a[2]);
            using (var engine = Given.Engine(a[0]))
            using (var avatar = engine.OpenAvatar(a[1]))
            {
                avatar.Push(voice);
                avatar.Finish();
                var heard = 0;
                for (var period = 0; heard < voice.Length; period++)
                {
                    Check.That(period < 20000, "it ends");
                    using (var frame = avatar.Paced())
                    {
                        Check.Equal(960, frame.Samples.Length, "the samples of a period");
                        if (frame.Utterance == 0) Thread.Sleep(1);
                        else for (var at = 0; at < 960 && heard < voice.Length; at++) Check.Equal(voice[heard++], frame.Samples[at], "a sample");
                    }
                }
            }
        }

        /// PACK AVATAR VOICE
        internal static void Interrupting(string[] a)
        {
            var voice = Given.Voice(a[2]);
            using (var engine = Given.Engine(a[0]))
            using (var avatar = engine.OpenAvatar(a[1]))
            {
                Check.Equal(0UL, avatar.Interrupt(), "there is nothing to cut");
                avatar.Begin();
                avatar.Push(voice);
                Frame frame;
                Check.That(avatar.Next(out frame), "the first frame");
                frame.Dispose();
                Check.Equal(1UL, avatar.Interrupt(), "what was cut");
                Check.Throws<InterruptedException>(() => avatar.Push(voice));
                Status status;
                Check.That(!avatar.TryPush(voice, out status) && status == Status.Interrupted, "late chunks are refused");
                Check.That(!avatar.Finish(), "a cut utterance cannot be finished");
                Check.That(!avatar.Next(out frame), "it is over");

                Check.Equal(2UL, avatar.Begin(), "the next one");
                avatar.InterruptThrough(1);
                avatar.Push(voice);
                avatar.Finish();
                var count = 0;
                foreach (var next in avatar.Frames())
                {
                    Check.Equal(2UL, next.Utterance, "the utterance");
                    count++;
                }
                Check.Equal((voice.Length + 959) / 960, count, "the frames of the next one");
                Check.Throws<InvalidInputException>(() => avatar.InterruptThrough(0));
            }
        }
    }
}
