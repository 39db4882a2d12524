using System;
using UnityEngine;

namespace MuseTalk.Unity
{
    /// What a microphone hears, at the rate that is wanted. For the main thread.
    internal sealed class MicrophoneReader : IDisposable
    {
        private const int Seconds = 2;

        private readonly string _device;
        private readonly AudioClip _clip;
        private readonly RateConverter _converter;
        private readonly float[] _interleaved;
        private readonly float[] _mono;
        private readonly float[] _converted;
        private int _position;

        internal MicrophoneReader(string device, int rate)
        {
            _device = string.IsNullOrEmpty(device) ? null : device;
            int least, most;
            Microphone.GetDeviceCaps(_device, out least, out most);
            // Both 0: it takes any.
            var own = most == 0 || (rate >= least && rate <= most) ? rate : most;
            _clip = Microphone.Start(_device, true, Seconds, own);
            if (_clip == null) throw new InvalidOperationException("the microphone " + (_device ?? "of the system") + " did not start; is one there, and is it allowed?");
            _converter = _clip.frequency == rate ? null : new RateConverter(_clip.frequency, rate, _clip.frequency / 100);
            _mono = new float[_clip.frequency / 100];
            _interleaved = new float[_mono.Length * _clip.channels];
            _converted = _converter == null ? null : new float[_converter.Most(_mono.Length)];
        }

        /// The next hundredth of a second, if it is complete. Valid until the next call.
        internal bool Read(out ReadOnlySpan<float> heard)
        {
            heard = default(ReadOnlySpan<float>);
            var frames = _mono.Length;
            if ((Microphone.GetPosition(_device) - _position + _clip.samples) % _clip.samples < frames) return false;
            // Unity fills the array whole, and goes on at the start of the clip beyond its end.
            _clip.GetData(_interleaved, _position);
            _position = (_position + frames) % _clip.samples;
            var channels = _clip.channels;
            for (var at = 0; at < frames; at++)
            {
                float sum = 0;
                for (var channel = 0; channel < channels; channel++) sum += _interleaved[at * channels + channel];
                _mono[at] = sum / channels;
            }
            heard = _converter == null
                ? new ReadOnlySpan<float>(_mono)
                : new ReadOnlySpan<float>(_converted, 0, _converter.Convert(_mono, frames, _converted));
            return true;
        }

        public void Dispose()
        {
            Microphone.End(_device);
            UnityEngine.Object.Destroy(_clip);
        }
    }
}
