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

        [SerializeField, Tooltip("Who says it.")]
        private MuseTalkAvatar _avatar = null;

        private AudioSource _source;
        private volatile RateConverter _converter;
        private int _deviceRate;
        private float[] _mono = new float[0];
        private float[] _converted = new float[0];
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
            if (_converter == null || _deviceRate != AudioSettings.outputSampleRate)
            {
                if (_avatar == null) return;
                _deviceRate = AudioSettings.outputSampleRate;
                _converter = new RateConverter(_deviceRate, _avatar.SampleRate);
            }
            _playing = _source.isPlaying;
            if (_playing) _quietSince = Time.unscaledTimeAsDouble;
            if (_speaking && !_playing && Time.unscaledTimeAsDouble - _quietSince > Pause)
            {
                _speaking = false;
                _avatar.Finish();
            }
        }

        /// On the audio thread.
        private void OnAudioFilterRead(float[] data, int channels)
        {
            var converter = _converter;
            var avatar = _avatar;
            if (converter != null && !ReferenceEquals(avatar, null))
            {
                var count = data.Length / channels;
                if (_mono.Length != count)
                {
                    _mono = new float[count];
                    _converted = new float[converter.Most(4 * count)];
                }
                var silent = true;
                for (var at = 0; at < count; at++)
                {
                    float sum = 0;
                    for (var channel = 0; channel < channels; channel++) sum += data[at * channels + channel];
                    _mono[at] = sum / channels;
                    silent &= sum == 0;
                }
                // Sound may come before the main thread has seen that the source plays.
                if (silent && !_playing) return;
                var made = converter.Convert(_mono, count, _converted);
                if (avatar.Speak(new System.ReadOnlySpan<float>(_converted, 0, made))) _speaking = true;
            }
            System.Array.Clear(data, 0, data.Length);
        }
    }
}
