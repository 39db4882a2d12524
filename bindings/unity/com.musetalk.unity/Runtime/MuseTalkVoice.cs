using System;
using System.Diagnostics;
using UnityEngine;

namespace MuseTalk.Unity
{
    /// <summary>The loudspeaker of a face: plays speech through the AudioSource beside it, holds it back until it may sound, and knows from the
    /// clock of the audio device what has been heard. <see cref="MuseTalkAvatar"/> and <see cref="MuseTalkConversation"/> use it; a scene
    /// needs nothing from it.</summary>
    [AddComponentMenu("MuseTalk/MuseTalk Voice")]
    [RequireComponent(typeof(AudioSource))]
    public sealed class MuseTalkVoice : MonoBehaviour
    {
        private volatile VoiceQueue _queue;
        private AudioSource _source;
        private AudioClip _carrier;
        private int _rate = 24000;
        private double _dspSeen;
        private long _dspSeenAt;

        /// It will not sound any more what it has: whoever speaks through it must stop, or waits for it for ever. Told on the main thread, before
        /// anything is dropped.
        internal event Action Silenced;

        internal VoiceQueue Queue { get { return _queue; } }

        /// <summary>What has left the loudspeaker. Main thread.</summary>
        public Heard Heard
        {
            get
            {
                var queue = _queue;
                return queue == null ? default(Heard) : queue.HeardAt(Now() - Latency());
            }
        }

        /// <summary>The rate of the speech. Speech that waits is dropped when it changes. Main thread.</summary>
        /// <param name="rate">In Hz.</param>
        internal void SetRate(int rate)
        {
            if (_queue != null && _queue.Rate == rate) return;
            _rate = rate;
            _queue = new VoiceQueue(rate, AudioSettings.outputSampleRate);
        }

        private void OnEnable()
        {
            _source = GetComponent<AudioSource>();
            // The device may have changed while nobody listened.
            if (_queue == null) SetRate(_rate);
            else _queue.Retune(AudioSettings.outputSampleRate);
            Carry();
            AudioSettings.OnAudioConfigurationChanged += Changed;
        }

        private void OnDisable()
        {
            AudioSettings.OnAudioConfigurationChanged -= Changed;
            _source.Stop();
            _source.clip = null;
            Destroy(_carrier);
            try
            {
                if (Silenced != null) Silenced();
            }
            finally
            {
                if (_queue != null) _queue.CutAll();
            }
        }

        /// Another device: another rate, perhaps. What waits goes on waiting, what sounds goes on sounding. Unity has stopped all sources, and has
        /// forgotten the clips that scripts made.
        private void Changed(bool deviceWasChanged)
        {
            _queue.Retune(AudioSettings.outputSampleRate);
            Destroy(_carrier);
            Carry();
        }

        /// Silence that loops keeps the source playing, and with it the filter below.
        private void Carry()
        {
            var rate = AudioSettings.outputSampleRate;
            _carrier = AudioClip.Create("MuseTalk voice", rate, 1, rate, false);
            _source.clip = _carrier;
            _source.loop = true;
            _source.Play();
        }

        /// On the audio thread.
        private void OnAudioFilterRead(float[] data, int channels)
        {
            var queue = _queue;
            if (queue != null) queue.Read(data, channels, AudioSettings.dspTime);
        }

        /// The clock of the device goes in steps of a block: in between, the time since the last step is added, a block at most.
        private double Now()
        {
            var dsp = AudioSettings.dspTime;
            var now = Stopwatch.GetTimestamp();
            if (dsp != _dspSeen)
            {
                _dspSeen = dsp;
                _dspSeenAt = now;
            }
            int length, count;
            AudioSettings.GetDSPBufferSize(out length, out count);
            var since = (double)(now - _dspSeenAt) / Stopwatch.Frequency;
            return dsp + Math.Min(since, (double)length / AudioSettings.outputSampleRate);
        }

        /// Blocks that are mixed and have not sounded yet.
        private static double Latency()
        {
            int length, count;
            AudioSettings.GetDSPBufferSize(out length, out count);
            return (double)length * count / AudioSettings.outputSampleRate;
        }
    }
}
