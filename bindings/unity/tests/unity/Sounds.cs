using System;

namespace MuseTalk.Unity.Tests
{
    internal static class Sounds
    {
        internal static float[] Tone(int samples, int rate, double hertz)
        {
            var tone = new float[samples];
            for (var at = 0; at < samples; at++) tone[at] = (float)(0.5 * Math.Sin(2 * Math.PI * hertz * at / rate));
            return tone;
        }

        internal static void Rates(string[] arguments)
        {
            foreach (var rates in new[] { new[] { 24000, 48000 }, new[] { 48000, 24000 }, new[] { 44100, 24000 }, new[] { 24000, 44100 }, new[] { 16000, 24000 } })
            {
                var input = Tone(rates[0], rates[0], 440);
                var output = RateConverter.Whole(input, rates[0], rates[1]);
                Program.That(output.Length == rates[1], "a second stays a second: " + output.Length);
                var wanted = Tone(rates[1], rates[1], 440);
                double worst = 0;
                for (var at = 200; at < output.Length - 200; at++) worst = Math.Max(worst, Math.Abs(output[at] - wanted[at]));
                Program.That(worst < 2e-3, rates[0] + " to " + rates[1] + " is off by " + worst);

                // Any split is the same stream.
                var converter = new RateConverter(rates[0], rates[1], 480);
                var piece = new float[480];
                var made = new float[converter.Most(4 * 480)];
                var total = 0;
                for (var at = 0; at < input.Length;)
                {
                    var count = Math.Min(1 + at % 479, input.Length - at);
                    Array.Copy(input, at, piece, 0, count);
                    var out_ = converter.Convert(piece, count, made);
                    for (var k = 0; k < out_; k++) Program.That(Math.Abs(made[k] - output[total + k]) < 1e-6, "sample " + (total + k));
                    total += out_;
                    at += count;
                }
            }
            // What the lower rate cannot carry is gone.
            var high = RateConverter.Whole(Tone(48000, 48000, 15000), 48000, 24000);
            for (var at = 200; at < high.Length - 200; at++) Program.That(Math.Abs(high[at]) < 5e-3, "an alias: " + high[at]);
        }

        internal static void Queue(string[] arguments)
        {
            foreach (var device in new[] { 24000, 48000, 44100 })
            {
                var queue = new VoiceQueue(24000, device);
                var data = new float[512 * 2];
                var block = 512.0 / device;
                ulong waiting;
                Program.That(!queue.Waiting(out waiting) && queue.IsEmpty, "nothing waits");

                queue.Begin(1, 0);
                queue.Write(1, Tone(12000, 24000, 440));
                Program.That(queue.Waiting(out waiting) && waiting == 0, "it has no name yet");
                Program.That(queue.Nameless(out waiting) && waiting == 1, "the key that needs a name");
                queue.Name(1, 7);
                Program.That(queue.Waiting(out waiting) && waiting == 7, "it has a name");
                queue.Read(data, 2, 0);
                Program.That(Loudness(data) == 0, "it is held back");
                queue.Open();
                queue.End(1);
                queue.Begin(2, 8);
                queue.Write(2, new short[2400]);

                // Sounds from 1 s of the device on, and is the tone, in both channels.
                double time = 1;
                var played = 0;
                while (queue.HeardAt(time - 0.05).Utterance != 7 || queue.HeardAt(time - 0.05).Samples != ulong.MaxValue)
                {
                    queue.Read(data, 2, time);
                    for (var at = 0; at < 512; at++)
                    {
                        var instant = (played + at) / (double)device;
                        var wanted = instant < 0.5 ? 0.5 * Math.Sin(2 * Math.PI * 440 * instant) : 0;
                        if (instant > 0.002 && Math.Abs(instant - 0.5) > 0.002) Program.That(Math.Abs(data[2 * at] - wanted) < 3e-3 && data[2 * at] == data[2 * at + 1], "the tone at " + instant + ": " + data[2 * at] + ", not " + wanted);
                    }
                    played += 512;
                    var half = queue.HeardAt(time + block / 2);
                    if (half.Utterance == 7 && half.Samples != ulong.MaxValue && played < device / 2 - 1024)
                        Program.That(Math.Abs((long)half.Samples - (played - 256) * 24000L / device) < 3, "half a block was heard: " + half);
                    time += block;
                    Program.That(time < 3, "it ends");
                }
                Program.That(queue.HeardAt(0.9).Utterance == 0, "before the start");
                Program.That(queue.Waiting(out waiting) && waiting == 8, "the next one waits for its own pictures");
                queue.Open();
                queue.Read(data, 2, time);
                Program.That(queue.HeardAt(time + block / 4).Utterance == 8, "the next one sounds");

                // Starved, it stands still; cut, it is gone.
                for (var reads = 0; reads < 20; reads++) queue.Read(data, 2, time += block);
                var still = queue.HeardAt(time + block);
                queue.Read(data, 2, time += block);
                Program.That(queue.HeardAt(time + block).Equals(still) && still.Samples <= 2400, "it stands still: " + still);
                queue.Cut(2);
                Program.That(queue.IsEmpty && queue.HeardAt(time + block).Utterance == 0, "it is gone");
                queue.Write(2, new short[10]);
                Program.That(queue.IsEmpty, "late pieces of it go nowhere");
            }
            Dies();
        }

        /// A cut in the middle of a tone fades within a few milliseconds instead of a click.
        private static void Dies()
        {
            var queue = new VoiceQueue(48000, 48000);
            queue.Begin(1, 1);
            var loud = new float[4096];
            for (var at = 0; at < loud.Length; at++) loud[at] = 0.5f;
            queue.Write(1, loud);
            queue.Open();
            var data = new float[512];
            queue.Read(data, 1, 0);
            Program.That(data[511] == 0.5f, "it is loud");
            queue.CutAll();
            queue.Read(data, 1, 1);
            Program.That(data[0] > 0.4f && data[200] == 0, "it dies away");
            for (var at = 1; at < 512; at++) Program.That(data[at - 1] - data[at] < 0.01f && data[at] <= data[at - 1], "without a jump");
        }

        internal static double Loudness(float[] data)
        {
            double sum = 0;
            foreach (var value in data) sum += Math.Abs(value);
            return sum;
        }
    }
}
