using System;

namespace MuseTalk.Unity
{
    /// Interpolation between samples by a windowed sinc: for playing one rate at another. Pure.
    internal sealed class Sinc
    {
        /// Samples on each side of the point that is asked for.
        internal const int Reach = 16;

        private const int Phases = 512;

        private readonly float[] _taps = new float[(Phases + 1) * 2 * Reach];

        /// From one rate to another; what the lower of the two cannot carry is taken away.
        internal Sinc(int from, int to)
        {
            Step = (double)from / to;
            var cut = Math.Min(1.0, (double)to / from) * (from == to ? 1.0 : 0.94);
            for (var phase = 0; phase <= Phases; phase++)
            {
                double sum = 0;
                for (var tap = 0; tap < 2 * Reach; tap++)
                {
                    var distance = tap - (Reach - 1) - (double)phase / Phases;
                    var x = Math.PI * distance * cut;
                    var sinc = Math.Abs(x) < 1e-9 ? 1 : Math.Sin(x) / x;
                    // Blackman.
                    var w = Math.Abs(distance) >= Reach ? 0 : 0.42 + 0.5 * Math.Cos(Math.PI * distance / Reach) + 0.08 * Math.Cos(2 * Math.PI * distance / Reach);
                    var value = sinc * w;
                    _taps[phase * 2 * Reach + tap] = (float)value;
                    sum += value;
                }
                // A constant stays what it is.
                for (var tap = 0; tap < 2 * Reach; tap++) _taps[phase * 2 * Reach + tap] /= (float)sum;
            }
        }

        /// Samples of the one rate for each of the other.
        internal double Step { get; }

        /// The value at `position` in `samples`, which must have Reach samples around it.
        internal float At(float[] samples, double position)
        {
            var whole = (int)Math.Floor(position);
            var phase = (int)((position - whole) * Phases + 0.5) * 2 * Reach;
            var first = whole - (Reach - 1);
            float sum = 0;
            for (var tap = 0; tap < 2 * Reach; tap++) sum += samples[first + tap] * _taps[phase + tap];
            return sum;
        }
    }

    /// A stream of samples at another rate, in pieces. Makes nothing after it was made.
    internal sealed class RateConverter
    {
        /// What is kept of one piece for the next, at most.
        private const int Kept = 4 * Sinc.Reach;

        private readonly Sinc _sinc;
        private readonly float[] _held;
        private int _count = Sinc.Reach;
        private double _position = Sinc.Reach;

        /// From one rate to another, in pieces of `piece` samples at most.
        internal RateConverter(int from, int to, int piece)
        {
            _sinc = new Sinc(from, to);
            _held = new float[Kept + piece];
        }

        /// The most samples that come out for so many that go in.
        internal int Most(int count)
        {
            return (int)((count + Kept) / _sinc.Step) + 2;
        }

        /// Converts `count` samples, a piece at most, into `output`, which has room for Most(count); returns how many came out.
        internal int Convert(float[] input, int count, float[] output)
        {
            Array.Copy(input, 0, _held, _count, count);
            _count += count;
            var written = 0;
            while (Math.Floor(_position) + Sinc.Reach < _count)
            {
                output[written++] = _sinc.At(_held, _position);
                _position += _sinc.Step;
            }
            var done = Math.Max(0, Math.Min(_count, (int)Math.Floor(_position) - Sinc.Reach));
            Array.Copy(_held, done, _held, 0, _count - done);
            _count -= done;
            _position -= done;
            return written;
        }

        /// A whole recording.
        internal static float[] Whole(float[] input, int from, int to)
        {
            if (from == to) return input;
            var converter = new RateConverter(from, to, input.Length + Sinc.Reach);
            var padded = new float[input.Length + Sinc.Reach];
            Array.Copy(input, padded, input.Length);
            var output = new float[converter.Most(padded.Length)];
            converter.Convert(padded, padded.Length, output);
            Array.Resize(ref output, (int)((long)input.Length * to / from));
            return output;
        }
    }
}
