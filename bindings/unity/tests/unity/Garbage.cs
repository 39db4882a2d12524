using System;
using UnityEngine;

namespace MuseTalk.Unity.Tests
{
    /// What the audio thread makes: nothing, or a collection stops the sound of the whole game.
    internal static class Garbage
    {
        private delegate void Filter(float[] data, int channels);

        private static Filter FilterOf(MonoBehaviour component)
        {
            return (Filter)Delegate.CreateDelegate(typeof(Filter), component, "OnAudioFilterRead");
        }

        /// PACK AVATAR VOICE
        internal static void OfTheAudioThread(string[] a)
        {
            Seen();
            Queue();
            Components(a);
        }

        /// That the measure sees the smallest object.
        private static void Seen()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var at = 0; at < 10; at++) GC.KeepAlive(new object());
            Program.That(GC.GetAllocatedBytesForCurrentThread() - before >= 160, "ten objects are seen");
        }

        /// Blocks of many sizes, in many rates, a long utterance, and one that is cut.
        private static void Queue()
        {
            foreach (var device in new[] { 24000, 48000, 22050, 192000 })
            {
                var queue = new VoiceQueue(24000, device);
                var pcm = new float[40 * 24000];
                var blocks = new[] { new float[64], new float[2 * 1024], new float[6 * 4096], new float[2 * 333] };
                var channels = new[] { 1, 2, 6, 2 };
                double time = 0;
                for (ulong key = 1; key < 4; key++)
                {
                    queue.Begin(key, key);
                    queue.Write(key, pcm);
                    if (key != 2) queue.End(key);
                    queue.Open();
                    long made = 0;
                    for (var reads = 0; !queue.IsEmpty && reads < 2000; reads++)
                    {
                        var data = blocks[reads % 4];
                        var before = GC.GetAllocatedBytesForCurrentThread();
                        queue.Read(data, channels[reads % 4], time);
                        made += GC.GetAllocatedBytesForCurrentThread() - before;
                        time += data.Length / channels[reads % 4] / (double)device;
                    }
                    queue.Cut(key);
                    Program.That(made == 0, made + " bytes were made while utterance " + key + " sounded at " + device + " Hz");
                }
            }
        }

        /// An input that hears a recording, and the voice that plays it, block by block; the main thread has a turn now and then.
        private static void Components(string[] a)
        {
            var scene = new Scene();
            var head = new GameObject();
            var face = Scene.Face(scene, head, a);
            var radio = new GameObject();
            var source = radio.AddComponent<AudioSource>();
            var input = scene.Add<MuseTalkAudioInput>(radio);
            input.Avatar = face;
            scene.Enable();
            scene.Until(() => face.IsReady, "it is loaded");
            Filter listen = FilterOf(input), play = FilterOf(head.GetComponent<MuseTalkVoice>());
            var voice = RateConverter.Whole(Pictures.Voice(a[2]), 24000, 48000);
            long made = 0, heard = 0;
            for (var block = 0; block < 1500; block++)
            {
                // From a quiet device to a large one, spoken and paused, and once with what no loudspeaker can play.
                var data = new float[2 * (block < 500 ? 256 : block < 1000 ? 1024 : 2048)];
                source.isPlaying = block % 100 < 60;
                for (var at = 0; source.isPlaying && at < data.Length; at++) data[at] = voice[(block * 1024 + at / 2) % voice.Length];
                if (block == 20) data[7] = float.NaN;
                var output = new float[data.Length];
                if (block % 5 == 0)
                {
                    Scene.Tell(input, "Update");
                    Scene.Tell(face, "Update");
                }
                if (block == 700) face.Interrupt();
                var before = GC.GetAllocatedBytesForCurrentThread();
                listen(data, 2);
                play(output, 2);
                var now = GC.GetAllocatedBytesForCurrentThread() - before;
                // Code that runs for the first time costs the runtime an object or two of its own.
                if (block > 0) made += now;
                else Program.That(now < 100, now + " bytes at first");
                if (Sounds.Loudness(output) > 0) heard++;
                AudioSettings.dspTime += data.Length / 2 / 48000.0;
                Time.unscaledTimeAsDouble += data.Length / 2 / 48000.0;
                if (block % 5 == 0) System.Threading.Thread.Sleep(1);
            }
            scene.Disable();
            Program.That(heard > 20, "it was heard: " + heard + " blocks");
            Program.That(made == 0, made + " bytes were made on the audio thread");
        }
    }
}
