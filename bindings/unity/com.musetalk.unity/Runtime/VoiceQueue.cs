using System;
using System.Collections.Generic;

namespace MuseTalk.Unity
{
    /// Speech that waits to sound and what of it was heard: written by the main thread or by that of an audio input, read by the audio thread. Knows
    /// no engine. Utterances sound in the order of their keys' coming, each only when it was opened.
    internal sealed class VoiceQueue
    {
        private const int Marks = 64;
        /// Keys whose utterance is remembered.
        private const int Names = 256;
        /// Utterances that may wait without the list growing: more than the library takes.
        private const int Waits = 128;
        /// Frames that are played at once.
        private const int Piece = 1024;
        /// Samples in which a sound that is cut dies away.
        private const int Fade = 128;

        /// What one block of the device played.
        private struct Mark
        {
            internal double From, Until, Start;
            internal ulong Key;
            internal bool Last;
        }

        /// The utterance of a key; 0 until it is known.
        private struct Named
        {
            internal ulong Key, Utterance;
        }

        private readonly object _lock = new object();
        private readonly List<Speech> _speeches = new List<Speech>(Waits);
        private readonly Stock _stock = new Stock();
        private readonly Named[] _names = new Named[Names];
        private readonly Mark[] _marks = new Mark[Marks];
        private readonly int _rate;
        private int _deviceRate;
        private Sinc _sinc;
        private float[] _around;
        private int _next;
        private float _last;
        private float _dying;
        private int _dyingLeft;

        internal VoiceQueue(int rate, int deviceRate)
        {
            _rate = rate;
            _deviceRate = deviceRate;
            _sinc = new Sinc(rate, deviceRate);
            _around = Around(_sinc);
        }

        internal int Rate { get { return _rate; } }

        // ── whoever writes, one at a time ──

        internal void Begin(ulong key, ulong utterance)
        {
            lock (_lock)
            {
                foreach (var open in _speeches) open.Ended = true;
                var speech = _stock.TakeSpeech();
                speech.Key = key;
                _speeches.Add(speech);
                _names[key % Names] = new Named { Key = key, Utterance = utterance };
            }
        }

        /// Makes what an audio thread will need, so that Begin and Write make nothing.
        internal void Prepare(double seconds)
        {
            lock (_lock) _stock.Fill((int)(seconds * _rate / Block.Length) + 1, 4);
        }

        /// Whether so many samples can be written, and an utterance begun, without anything being made.
        internal bool HasStockFor(int samples)
        {
            lock (_lock) return _stock.Speeches > 0 && _stock.Blocks > samples / Block.Length && _speeches.Count < Waits;
        }

        /// The utterance of a key, once it is known.
        internal void Name(ulong key, ulong utterance)
        {
            lock (_lock) if (_names[key % Names].Key == key) _names[key % Names].Utterance = utterance;
        }

        /// A key that waits for its utterance.
        internal bool Nameless(out ulong key)
        {
            lock (_lock)
            {
                foreach (var speech in _speeches)
                {
                    if (UtteranceOf(speech.Key) != 0) continue;
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
            for (var at = 0; at < samples.Length; at += Block.Length)
            {
                lock (_lock)
                {
                    var speech = Find(key);
                    if (speech == null) return;
                    speech.Write(samples.Slice(at, Math.Min(Block.Length, samples.Length - at)), _stock);
                }
            }
        }

        internal void Write(ulong key, ReadOnlySpan<short> samples)
        {
            for (var at = 0; at < samples.Length; at += Block.Length)
            {
                lock (_lock)
                {
                    var speech = Find(key);
                    if (speech == null) return;
                    speech.Write(samples.Slice(at, Math.Min(Block.Length, samples.Length - at)), _stock);
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

        // ── main thread ──

        /// The first that may not sound yet.
        internal bool Waiting(out ulong utterance)
        {
            lock (_lock)
            {
                utterance = 0;
                if (_speeches.Count == 0 || _speeches[0].Open) return false;
                utterance = UtteranceOf(_speeches[0].Key);
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

        /// Plays on, on a device of this rate, whose clock may begin anew. What was mixed for the one before counts as heard.
        internal void Retune(int deviceRate)
        {
            var sinc = new Sinc(_rate, deviceRate);
            var around = Around(sinc);
            lock (_lock)
            {
                _deviceRate = deviceRate;
                _sinc = sinc;
                _around = around;
                var newest = _marks[(_next + Marks - 1) % Marks];
                Array.Clear(_marks, 0, Marks);
                newest.From = newest.Until;
                newest.Start = double.MinValue;
                _marks[0] = newest;
                _next = 1;
                // What would die away was cut on the device before.
                _last = 0;
                _dyingLeft = 0;
            }
        }

        internal bool IsEmpty { get { lock (_lock) return _speeches.Count == 0; } }

        /// What has left the loudspeaker at this time of the device; all of an utterance once its end has.
        internal Heard HeardAt(double time)
        {
            lock (_lock)
            {
                var best = default(Mark);
                foreach (var mark in _marks) if (mark.Key != 0 && mark.Start <= time && (best.Key == 0 || mark.Start >= best.Start)) best = mark;
                if (best.Key == 0) return default(Heard);
                var utterance = UtteranceOf(best.Key);
                if (utterance == 0) return default(Heard);
                var position = best.From + (time - best.Start) * _rate;
                if (best.Last && position >= best.Until) return Heard.All(utterance);
                return new Heard(utterance, (ulong)Math.Max(0, Math.Min(position, best.Until)));
            }
        }

        // ── audio thread ──

        /// Fills a block of the device that begins to be mixed at `time`. Makes nothing.
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
            var wanted = most <= speech.Position ? 0 : (int)Math.Min(frames, Math.Ceiling((most - speech.Position) / _sinc.Step));
            for (var done = 0; done < wanted; done += Piece)
            {
                var piece = Math.Min(Piece, wanted - done);
                var first = (long)Math.Floor(speech.Position) - Sinc.Reach;
                speech.Copy(first, _around, (int)Math.Ceiling(piece * _sinc.Step) + 3 * Sinc.Reach);
                for (var frame = done; frame < done + piece; frame++)
                {
                    var value = _rate == _deviceRate
                        ? _around[(int)(speech.Position - first)]
                        : _sinc.At(_around, speech.Position - first);
                    speech.Position += _sinc.Step;
                    _last = value;
                    for (var channel = 0; channel < channels; channel++) data[frame * channels + channel] += value;
                }
            }
            speech.Forget((long)Math.Floor(speech.Position) - Sinc.Reach, _stock);
            return wanted;
        }

        private void Dying(float[] data, int channels, int frames)
        {
            for (var frame = 0; frame < frames && _dyingLeft > 0; frame++, _dyingLeft--)
            {
                var value = _dying * _dyingLeft / Fade;
                for (var channel = 0; channel < channels; channel++) data[frame * channels + channel] += value;
            }
        }

        /// Room for what one piece is made from.
        private static float[] Around(Sinc sinc)
        {
            return new float[(int)Math.Ceiling(Piece * sinc.Step) + 3 * Sinc.Reach];
        }

        private ulong UtteranceOf(ulong key)
        {
            var named = _names[key % Names];
            return named.Key == key ? named.Utterance : 0;
        }

        private Speech Find(ulong key)
        {
            for (var at = _speeches.Count - 1; at >= 0; at--) if (_speeches[at].Key == key) return _speeches[at];
            return null;
        }

        private void Drop()
        {
            var speech = _speeches[0];
            _speeches.RemoveAt(0);
            speech.Clear(_stock);
            _stock.Give(speech);
        }
    }
}
