using System;
using UnityEngine;

namespace MuseTalk.Unity
{
    /// <summary>Has a face say what an AudioSource plays: put it beside that AudioSource. The source itself falls silent, and its sound comes
    /// from the face a moment later, with the pictures.</summary>
    [AddComponentMenu("MuseTalk/MuseTalk Audio Input")]
    [RequireComponent(typeof(AudioSource))]
    public sealed class MuseTalkAudioInput : MonoBehaviour
    {
        /// After so long without a sound the utterance is over.
        private const double Pause = 0.2;
        /// Seconds of sound for which room is made ahead: longer than a level takes to load, as a rule.
        private const double Ahead = 10;

        [SerializeField, Tooltip("Who says it.")]
        private MuseTalkAvatar _avatar = null;

        private AudioSource _source;
        private volatile Ear _ear;
        private int _deviceRate;
        private int _faceRate;
        private volatile bool _playing;
        private volatile bool _speaking;
        private double _quietSince;

        /// <summary>Who says it.</summary>
        public MuseTalkAvatar Avatar
        {
            get { return _avatar; }
            set { _avatar = value; }
        }

        private void OnEnable()
        {
            _source = GetComponent<AudioSource>();
        }

        private void OnDisable()
        {
            _playing = false;
            if (_speaking && _avatar != null) _avatar.Finish();
            _speaking = false;
        }

        private void Update()
        {
            if (_avatar == null) return;
            if (_ear == null || _deviceRate != AudioSettings.outputSampleRate || _faceRate != _avatar.SampleRate)
            {
                _deviceRate = AudioSettings.outputSampleRate;
                _faceRate = _avatar.SampleRate;
                _ear = new Ear(_deviceRate, _faceRate);
            }
            // What the audio thread uses up is made here.
            if (_avatar.IsReady) _avatar.Voice.Queue.Prepare(Ahead);
            _playing = _source.isPlaying;
            if (_playing) _quietSince = Time.unscaledTimeAsDouble;
            if (_speaking && !_playing && Time.unscaledTimeAsDouble - _quietSince > Pause)
            {
                _speaking = false;
                _avatar.Finish();
            }
        }

        /// On the audio thread: makes nothing.
        private void OnAudioFilterRead(float[] data, int channels)
        {
            var ear = _ear;
            var avatar = _avatar;
            if (ear != null && !ReferenceEquals(avatar, null))
            {
                // Sound may come before the main thread has seen that the source plays.
                if (!_playing && IsSilent(data)) return;
                if (ear.Say(data, channels, avatar)) _speaking = true;
            }
            Array.Clear(data, 0, data.Length);
        }

        private static bool IsSilent(float[] data)
        {
            foreach (var value in data) if (value != 0) return false;
            return true;
        }

        /// What the audio thread works with, made for one rate.
        private sealed class Ear
        {
            /// Frames that are converted at once.
            private const int Piece = 1024;

            private readonly RateConverter _converter;
            private readonly float[] _mono = new float[Piece];
            private readonly float[] _converted;

            internal Ear(int from, int to)
            {
                _converter = new RateConverter(from, to, Piece);
                _converted = new float[_converter.Most(Piece)];
            }

            /// Whether any of it was taken.
            internal bool Say(float[] data, int channels, MuseTalkAvatar avatar)
            {
                var taken = false;
                var frames = data.Length / channels;
                for (var first = 0; first < frames; first += Piece)
                {
                    var count = Math.Min(Piece, frames - first);
                    for (var at = 0; at < count; at++)
                    {
                        float sum = 0;
                        for (var channel = 0; channel < channels; channel++) sum += data[(first + at) * channels + channel];
                        // A filter before this one that went wild must not end in an exception here.
                        _mono[at] = float.IsNaN(sum) || float.IsInfinity(sum) ? 0 : sum / channels;
                    }
                    var made = _converter.Convert(_mono, count, _converted);
                    taken |= avatar.SpeakFromStock(new ReadOnlySpan<float>(_converted, 0, made));
                }
                return taken;
            }
        }
    }
}
