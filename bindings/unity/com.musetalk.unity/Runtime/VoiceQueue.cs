using System;
using System.Collections.Generic;

namespace MuseTalk.Unity
{
    /// Speech that waits to sound and what of it was heard: written by the main thread, read by the audio thread. Knows no engine. Utterances
    /// sound in the order of their keys' coming, each only when it was opened.
    internal sealed class VoiceQueue
    {
        private const int BlockSamples = 8192;
        private const int Marks = 64;
        /// Samples in which a sound that is cut dies away.
        private const int Fade = 128;

        private sealed class Speech
        {
            internal ulong Key;
            internal readonly List<float[]> Blocks = new List<float[]>();
            internal long Count;
            internal bool Open, Ended;
            internal double Position;
        }

        /// What one block of the device played.
        private struct Mark
        {
            internal double From, Until, Start;
            internal ulong Key;
            internal bool Last;
        }

        private readonly object _lock = new object();
        private readonly List<Speech> _speeches = new List<Speech>();
        private readonly Stack<float[]> _spare = new Stack<float[]>();
        private readonly Dictionary<ulong, ulong> _utterances = new Dictionary<ulong, ulong>();
        private readonly Mark[] _marks = new Mark[Marks];
        private readonly int _rate;
        private readonly int _deviceRate;
        private readonly Sinc _sinc;
        private float[] _around = new float[4096];
        private int _next;
        private float _last;
        private float _dying;
        private int _dyingLeft;

        internal VoiceQueue(int rate, int deviceRate)
        {
            _rate = rate;
            _deviceRate = deviceRate;
            _sinc = new Sinc(rate, deviceRate);
        }

        internal int Rate { get { return _rate; } }

        // ── main thread ──

        internal void Begin(ulong key, ulong utterance)
        {
            lock (_lock)
            {
                foreach (var open in _speeches) open.Ended = true;
                _speeches.Add(new Speech { Key = key });
                // Keys count up; what is long past is forgotten.
                _utterances.Remove(key - 256);
                _utterances[key] = utterance;
            }
        }

        /// The utterance of a key, once it is known.
        internal void Name(ulong key, ulong utterance)
        {
            lock (_lock) if (_utterances.ContainsKey(key)) _utterances[key] = utterance;
        }

        /// A key that waits for its utterance.
        internal bool Nameless(out ulong key)
        {
            lock (_lock)
            {
                foreach (var speech in _speeches)
                {
                    if (_utterances[speech.Key] != 0) continue;
                    key = speech.Key;
                    return true;
                }
                key = 0;
                return false;
            }
        }

        internal void Write(ulong key, ReadOnlySpan<float> samples)
        {
            // In pieces, so that the audio thread never waits for more than one.
            for (var at = 0; at < samples.Length; at += BlockSamples)
            {
                var piece = samples.Slice(at, Math.Min(BlockSamples, samples.Length - at));
                lock (_lock)
                {
                    var speech = Find(key);
                    if (speech == null) return;
                    while (piece.Length > 0)
                    {
                        int room;
                        var block = Room(speech, out room);
                        var count = Math.Min(room, piece.Length);
                        piece.Slice(0, count).CopyTo(new Span<float>(block, BlockSamples - room, count));
                        speech.Count += count;
                        piece = piece.Slice(count);
                    }
                }
            }
        }

        internal void Write(ulong key, ReadOnlySpan<short> samples)
        {
            for (var at = 0; at < samples.Length; at += BlockSamples)
            {
                var piece = samples.Slice(at, Math.Min(BlockSamples, samples.Length - at));
                lock (_lock)
                {
                    var speech = Find(key);
                    if (speech == null) return;
                    foreach (var sample in piece)
                    {
                        int room;
                        Room(speech, out room)[BlockSamples - room] = sample / 32768f;
                        speech.Count++;
                    }
                }
            }
        }

        internal void End(ulong key)
        {
            lock (_lock)
            {
                var speech = Find(key);
                if (speech != null) speech.Ended = true;
            }
        }

        /// The first that may not sound yet.
        internal bool Waiting(out ulong utterance)
        {
            lock (_lock)
            {
                utterance = 0;
                if (_speeches.Count == 0 || _speeches[0].Open) return false;
                utterance = _utterances[_speeches[0].Key];
                return true;
            }
        }

        /// Lets the first one sound.
        internal void Open()
        {
            lock (_lock) if (_speeches.Count > 0) _speeches[0].Open = true;
        }

        /// Drops this and all before it.
        internal void Cut(ulong key)
        {
            lock (_lock)
            {
                while (_speeches.Count > 0 && _speeches[0].Key <= key) Drop();
                for (var at = 0; at < Marks; at++) if (_marks[at].Key <= key) _marks[at] = default(Mark);
                _dying = _last;
                _dyingLeft = _last == 0 ? 0 : Fade;
            }
        }

        internal void CutAll()
        {
            Cut(ulong.MaxValue);
        }

        internal bool IsEmpty { get { lock (_lock) return _speeches.Count == 0; } }

        /// What has left the loudspeaker at this time of the device; all of an utterance once its end has.
        internal Heard HeardAt(double time)
        {
            lock (_lock)
            {
                var best = default(Mark);
                foreach (var mark in _marks) if (mark.Key != 0 && mark.Start <= time && mark.Start >= best.Start) best = mark;
                if (best.Key == 0) return default(Heard);
                ulong utterance;
                _utterances.TryGetValue(best.Key, out utterance);
                if (utterance == 0) return default(Heard);
                var position = best.From + (time - best.Start) * _rate;
                if (best.Last && position >= best.Until) return Heard.All(utterance);
                return new Heard(utterance, (ulong)Math.Max(0, Math.Min(position, best.Until)));
            }
        }

        // ── audio thread ──

        /// Fills a block of the device that begins to be mixed at `time`. Allocates nothing once blocks have had their size.
        internal void Read(float[] data, int channels, double time)
        {
            var frames = data.Length / channels;
            lock (_lock)
            {
                Array.Clear(data, 0, data.Length);
                Dying(data, channels, frames);
                if (_speeches.Count == 0 || !_speeches[0].Open)
                {
                    _last = 0;
                    return;
                }
                var speech = _speeches[0];
                var from = speech.Position;
                var played = Play(speech, data, channels, frames);
                var last = speech.Ended && speech.Position >= speech.Count;
                var until = Math.Min(speech.Position, speech.Count);
                _marks[_next] = new Mark { From = from, Until = until, Start = time, Key = speech.Key, Last = last };
                _next = (_next + 1) % Marks;
                if (played < frames) _last = 0;
                if (last) Drop();
            }
        }

        private int Play(Speech speech, float[] data, int channels, int frames)
        {
            // Before the end is known, as much as has its neighbours; after it, silence is beyond.
            var most = speech.Ended ? speech.Count : speech.Count - Sinc.Reach;
            var wanted = most <= speech.Position ? 0 : (int)Math.Ceiling((most - speech.Position) / _sinc.Step);
            var played = Math.Min(frames, wanted);
            if (played <= 0) return 0;
            var first = (long)Math.Floor(speech.Position) - Sinc.Reach;
            var span = (int)Math.Ceiling(played * _sinc.Step) + 3 * Sinc.Reach;
            if (_around.Length < span) _around = new float[span];
            for (var at = 0; at < span; at++) _around[at] = Sample(speech, first + at);
            for (var frame = 0; frame < played; frame++)
            {
                var value = _rate == _deviceRate
                    ? Sample(speech, (long)speech.Position)
                    : _sinc.At(_around, speech.Position - first);
                speech.Position += _sinc.Step;
                _last = value;
                for (var channel = 0; channel < channels; channel++) data[frame * channels + channel] += value;
            }
            return played;
        }

        private void Dying(float[] data, int channels, int frames)
        {
            for (var frame = 0; frame < frames && _dyingLeft > 0; frame++, _dyingLeft--)
            {
                var value = _dying * _dyingLeft / Fade;
                for (var channel = 0; channel < channels; channel++) data[frame * channels + channel] += value;
            }
        }

        private static float Sample(Speech speech, long at)
        {
            if (at < 0 || at >= speech.Count) return 0;
            return speech.Blocks[(int)(at / BlockSamples)][at % BlockSamples];
        }

        private Speech Find(ulong key)
        {
            for (var at = _speeches.Count - 1; at >= 0; at--) if (_speeches[at].Key == key) return _speeches[at];
            return null;
        }

        private float[] Room(Speech speech, out int room)
        {
            var used = (int)(speech.Count % BlockSamples);
            if (used == 0) speech.Blocks.Add(_spare.Count > 0 ? _spare.Pop() : new float[BlockSamples]);
            room = BlockSamples - used;
            return speech.Blocks[speech.Blocks.Count - 1];
        }

        private void Drop()
        {
            var speech = _speeches[0];
            _speeches.RemoveAt(0);
            // A minute's worth is kept for the next one.
            foreach (var block in speech.Blocks) if (_spare.Count < 180) _spare.Push(block);
        }
    }
}
