using System;

namespace MuseTalk.Unity
{
    /// Some samples, in a chain of such.
    internal sealed class Block
    {
        internal const int Length = 8192;

        internal readonly float[] Samples = new float[Length];
        internal Block Next;
    }

    /// What one utterance still has to sound: a chain of blocks, which go back to the stock as they are played. Whoever calls holds the queue's lock.
    internal sealed class Speech
    {
        internal ulong Key;
        internal bool Open, Ended;
        /// Where it is played, in samples from its start.
        internal double Position;
        /// The next in the stock.
        internal Speech Next;

        private Block _first, _last;
        private long _firstAt;

        /// Samples that were written.
        internal long Count { get; private set; }

        internal void Write(ReadOnlySpan<float> samples, Stock stock)
        {
            while (samples.Length > 0)
            {
                int used;
                var block = Room(stock, out used);
                var count = Math.Min(Block.Length - used, samples.Length);
                samples.Slice(0, count).CopyTo(new Span<float>(block.Samples, used, count));
                Count += count;
                samples = samples.Slice(count);
            }
        }

        internal void Write(ReadOnlySpan<short> samples, Stock stock)
        {
            while (samples.Length > 0)
            {
                int used;
                var block = Room(stock, out used);
                var count = Math.Min(Block.Length - used, samples.Length);
                for (var at = 0; at < count; at++) block.Samples[used + at] = samples[at] / 32768f;
                Count += count;
                samples = samples.Slice(count);
            }
        }

        /// Copies samples from `first` on; beyond both ends is silence.
        internal void Copy(long first, float[] to, int count)
        {
            var block = _first;
            var blockAt = _firstAt;
            for (var at = 0; at < count;)
            {
                var wanted = first + at;
                while (block != null && wanted >= blockAt + Block.Length)
                {
                    block = block.Next;
                    blockAt += Block.Length;
                }
                if (wanted < blockAt || wanted >= Count || block == null)
                {
                    to[at++] = 0;
                    continue;
                }
                var piece = (int)Math.Min(count - at, Math.Min(blockAt + Block.Length, Count) - wanted);
                Array.Copy(block.Samples, (int)(wanted - blockAt), to, at, piece);
                at += piece;
            }
        }

        /// Nothing before this will be asked for again.
        internal void Forget(long before, Stock stock)
        {
            while (_first != null && _firstAt + Block.Length <= before && _first != _last)
            {
                var gone = _first;
                _first = gone.Next;
                _firstAt += Block.Length;
                stock.Give(gone);
            }
        }

        /// Empty again, as new.
        internal void Clear(Stock stock)
        {
            while (_first != null)
            {
                var gone = _first;
                _first = gone.Next;
                stock.Give(gone);
            }
            _last = null;
            _firstAt = 0;
            Count = 0;
            Position = 0;
            Open = Ended = false;
        }

        private Block Room(Stock stock, out int used)
        {
            used = (int)(Count % Block.Length);
            if (used != 0) return _last;
            var block = stock.Take();
            if (_last == null)
            {
                _first = block;
                _firstAt = Count;
            }
            else
            {
                _last.Next = block;
            }
            _last = block;
            return block;
        }
    }

    /// Blocks and speeches that nobody uses now, so that an audio thread finds some and makes none. Whoever calls holds the queue's lock.
    internal sealed class Stock
    {
        /// A minute's worth at 24 kHz is kept.
        private const int Most = 180;

        private Block _blocks;
        private Speech _speeches;

        internal int Blocks { get; private set; }
        internal int Speeches { get; private set; }

        internal void Fill(int blocks, int speeches)
        {
            while (Blocks < Math.Min(blocks, Most)) Give(new Block());
            while (Speeches < speeches) Give(new Speech());
        }

        internal Block Take()
        {
            var block = _blocks;
            if (block == null) return new Block();
            _blocks = block.Next;
            block.Next = null;
            Blocks--;
            return block;
        }

        internal Speech TakeSpeech()
        {
            var speech = _speeches;
            if (speech == null) return new Speech();
            _speeches = speech.Next;
            speech.Next = null;
            Speeches--;
            return speech;
        }

        internal void Give(Block block)
        {
            if (Blocks >= Most) return;
            block.Next = _blocks;
            _blocks = block;
            Blocks++;
        }

        internal void Give(Speech speech)
        {
            speech.Next = _speeches;
            _speeches = speech;
            Speeches++;
        }
    }
}
