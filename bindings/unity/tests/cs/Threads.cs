using System;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Threads
    {
        /// PACK AVATAR VOICE
        internal static void All(string[] a)
        {
            var voice = Given.Voice(a[2]);
            using (var engine = Given.Engine(a[0]))
            {
                TwoInOneEnd(engine, a[1]);
                AWaitingReaderIsWoken(engine, a[1], avatar => avatar.Dispose());
                AWaitingReaderIsWoken(engine, a[1], avatar => avatar.Close());
                FramesAreGivenBackByAnotherThread(engine, a[1], voice);
                GarbageIsCollectedAllTheWhile(engine, a[1], voice);
                OneOfManyGivesBack(engine, a[1], voice);
                DisposedOfInTheMiddle(engine, a[1], voice);
            }
        }

        private static void TwoInOneEnd(Engine engine, string asset)
        {
            using (var avatar = engine.OpenAvatar(asset, new AvatarOptions { BufferSeconds = 3600 }))
            {
                var waiting = new Thread(() => { Frame none; Check.Equal(Status.TimedOut, Patiently(() => avatar.Next(TimeSpan.FromSeconds(1), out none)), "a wait in peace"); });
                waiting.Start();
                UntilSomebodyIsInside(avatar);
                Frame frame;
                Check.Throws<InvalidInputException>(() => avatar.Latest(default(Heard), out frame));
                waiting.Join();
                int taken = 0, refused = 0;
                ThreadStart push = () =>
                {
                    for (var calls = 0; calls < 1000; calls++)
                    {
                        try
                        {
                            avatar.Push(new short[12000]);
                            Interlocked.Increment(ref taken);
                        }
                        catch (InvalidInputException two)
                        {
                            Check.That(two.Message.Contains("two threads"), two.Message);
                            Interlocked.Increment(ref refused);
                        }
                    }
                };
                Thread one = new Thread(push), other = new Thread(push);
                one.Start();
                other.Start();
                one.Join();
                other.Join();
                Check.Equal(2000, taken + refused, "every call is answered");
                Console.WriteLine("two threads in one end: " + refused + " of 2000 calls refused");
                avatar.Push(new float[16]);
            }
        }

        /// The reading end refuses a second thread as long as one waits in it.
        private static void UntilSomebodyIsInside(Avatar avatar)
        {
            while (true)
            {
                try
                {
                    Heard ready;
                    avatar.Ready(out ready);
                    Thread.Sleep(5);
                }
                catch (InvalidInputException)
                {
                    return;
                }
            }
        }

        /// Who looks whether somebody is inside may be in the way of him.
        internal static T Patiently<T>(Func<T> wait)
        {
            while (true)
            {
                try
                {
                    return wait();
                }
                catch (InvalidInputException) { }
            }
        }

        private static void AWaitingReaderIsWoken(Engine engine, string asset, Action<Avatar> end)
        {
            var avatar = engine.OpenAvatar(asset);
            Exception seen = null;
            var reader = new Thread(() =>
            {
                try
                {
                    Frame frame;
                    Patiently(() => avatar.Next(out frame));
                }
                catch (Exception why)
                {
                    seen = why;
                }
            });
            reader.Start();
            UntilSomebodyIsInside(avatar);
            end(avatar);
            Check.That(reader.Join(10000), "the reader wakes");
            Check.That(seen is ClosedException, "it is told why: " + seen);
            avatar.Dispose();
        }

        private static void FramesAreGivenBackByAnotherThread(Engine engine, string asset, float[] voice)
        {
            using (var avatar = engine.OpenAvatar(asset))
            {
                avatar.Push(voice);
                avatar.Finish();
                var count = 0;
                Frame frame;
                while (avatar.Next(out frame))
                {
                    var lent = frame;
                    var other = new Thread(() => lent.Dispose());
                    other.Start();
                    other.Join();
                    count++;
                }
                Check.Equal((voice.Length + 959) / 960, count, "the number of frames");
            }
        }

        /// Arrays move while they are pushed from, were they not pinned.
        private static void GarbageIsCollectedAllTheWhile(Engine engine, string asset, float[] voice)
        {
            var stop = false;
            var collector = new Thread(() =>
            {
                while (!Volatile.Read(ref stop))
                {
                    var rubbish = new byte[100000];
                    rubbish[0] = 1;
                    GC.Collect();
                }
            });
            collector.Start();
            using (var avatar = engine.OpenAvatar(asset))
            {
                for (var at = 0; at < voice.Length; at += 240)
                {
                    // A young array each time: those are the ones that move.
                    var chunk = new float[Math.Min(240, voice.Length - at)];
                    Array.Copy(voice, at, chunk, 0, chunk.Length);
                    avatar.Push(chunk);
                }
                avatar.Finish();
                var samples = 0;
                foreach (var frame in avatar.Frames())
                    foreach (var sample in frame.Samples) Check.Equal(voice[samples++], sample, "sample " + samples);
                Check.Equal(voice.Length, samples, "the samples");
            }
            Volatile.Write(ref stop, true);
            collector.Join();
        }

        private static void OneOfManyGivesBack(Engine engine, string asset, float[] voice)
        {
            using (var avatar = engine.OpenAvatar(asset, new AvatarOptions { FramesLent = 1 }))
            {
                avatar.Push(voice);
                avatar.Finish();
                Frame frame;
                while (avatar.Next(out frame))
                {
                    var lent = frame;
                    var racers = new Thread[3];
                    for (var at = 0; at < racers.Length; at++) (racers[at] = new Thread(() => lent.Dispose())).Start();
                    foreach (var racer in racers) racer.Join();
                }
            }
        }

        private static void DisposedOfInTheMiddle(Engine engine, string asset, float[] voice)
        {
            for (var round = 0; round < 30; round++)
            {
                var avatar = engine.OpenAvatar(asset);
                ThreadStart push = () => UntilGone(() => { avatar.Begin(); avatar.Push(voice); avatar.Interrupt(); });
                ThreadStart read = () => UntilGone(() =>
                {
                    Frame frame;
                    if (avatar.Latest(new Heard(1, 0), out frame)) using (frame) Check.That(frame.Pixels.Length > 0, "pixels");
                });
                Thread one = new Thread(push), other = new Thread(read);
                one.Start();
                other.Start();
                Thread.Sleep(round % 7);
                avatar.Dispose();
                one.Join();
                other.Join();
            }
        }

        private static void UntilGone(Action action)
        {
            try
            {
                while (true)
                {
                    try
                    {
                        action();
                    }
                    catch (BufferFullException) { }
                }
            }
            catch (ObjectDisposedException) { }
            catch (ClosedException) { }
        }
    }
}
