using System;
using System.IO;
using System.Threading.Tasks;
using UnityEngine;
using UnityEngine.Events;
using UnityEngine.Profiling;

namespace MuseTalk.Unity
{
    /// <summary>A talking face on a texture. Give it speech with <see cref="Speak(ReadOnlySpan{float})"/>, by a <see cref="MuseTalkAudioInput"/> or
    /// by a <see cref="MuseTalkConversation"/>; it plays the sound itself, because sound must wait for its pictures. All its methods are for
    /// the main thread, except where they say otherwise.</summary>
    [AddComponentMenu("MuseTalk/MuseTalk Avatar")]
    [RequireComponent(typeof(MuseTalkVoice))]
    public sealed partial class MuseTalkAvatar : MonoBehaviour
    {
        private static readonly CustomSampler Reading = CustomSampler.Create("MuseTalk.Latest");
        private static readonly CustomSampler Uploading = CustomSampler.Create("MuseTalk.Upload");

        /// One thread at a time may push: the main one, or that of an audio input.
        private readonly object _pushing = new object();

        private MuseTalkVoice _voice;
        private SharedEngine _shared;
        private Task<Avatar> _opening;
        private Avatar _avatar;
        private FaceTexture _face;
        private Material _material;
        private ulong _speaking;
        private ulong _ended;

        /// <summary>It is loaded, and can speak.</summary>
        public bool IsReady { get { return _avatar != null; } }

        /// <summary>The picture, upright; null until the first one.</summary>
        public Texture Texture { get { return _face == null ? null : _face.Target; } }

        /// <summary>The face of the core package: for statistics, and for what this component does not do. Its ends are in use. Null until
        /// <see cref="IsReady"/>.</summary>
        public Avatar Avatar { get { return _avatar; } }

        /// <summary>What has left the loudspeaker.</summary>
        public Heard Heard { get { return _voice == null ? default(Heard) : _voice.Heard; } }

        /// <summary>The rate of the sound it is given, in Hz.</summary>
        public int SampleRate { get { return _sampleRate > 0 ? _sampleRate : 24000; } }

        /// <summary>Bytes that were uploaded to the GPU so far.</summary>
        public long UploadedBytes { get { return _face == null ? 0 : _face.Uploaded; } }

        internal MuseTalkVoice Voice { get { return _voice; } }

        /// <summary>Begins to say something else; what is being said is finished first. Implied by the first sound after an end.</summary>
        /// <returns>The number of the utterance; 0 while it cannot speak.</returns>
        public ulong Begin()
        {
            lock (_pushing)
            {
                if (!CanSpeak) return 0;
                _speaking = _avatar.Begin();
                _voice.Queue.Begin(_speaking, _speaking);
                return _speaking;
            }
        }

        /// <summary>Says this after what was said before: mono, −1…1, at <see cref="SampleRate"/>. Any thread, one at a time.</summary>
        /// <param name="pcm">It is copied.</param>
        /// <returns>False: it cannot speak now, there is no room, or what was being said was cut; nothing was taken.</returns>
        /// <exception cref="InvalidInputException">There is a sample that is no finite number; nothing was taken, and it can speak on.</exception>
        public bool Speak(ReadOnlySpan<float> pcm)
        {
            lock (_pushing)
            {
                if (!CanSpeak) return false;
                if (_speaking == 0) Begin();
                Status status;
                if (!_avatar.TryPush(pcm, out status)) return false;
                _voice.Queue.Write(_speaking, pcm);
                return true;
            }
        }

        /// <summary>Says a whole recording.</summary>
        /// <param name="clip">Loaded and decompressed; its channels are mixed, its rate is converted.</param>
        /// <returns>False: as <see cref="Speak(ReadOnlySpan{float})"/>.</returns>
        /// <exception cref="InvalidInputException">There is a sample that is no finite number; an utterance without a sound has begun and ended.</exception>
        public bool Speak(AudioClip clip)
        {
            if (clip == null) throw new ArgumentNullException("clip");
            if (!CanSpeak) return false;
            var data = new float[clip.samples * clip.channels];
            if (!clip.GetData(data, 0)) return false;
            var mono = RateConverter.Whole(Mixed(data, clip.channels), clip.frequency, SampleRate);
            Begin();
            try
            {
                return Speak(new ReadOnlySpan<float>(mono)) & Finish();
            }
            catch (InvalidInputException)
            {
                // The next recording must not wait behind one that never ends.
                Finish();
                throw;
            }
        }

        /// <summary>Nothing more is coming: the last pictures are made.</summary>
        /// <returns>False: it cannot speak now, or it was cut.</returns>
        public bool Finish()
        {
            lock (_pushing)
            {
                if (!CanSpeak) return false;
                var finished = _avatar.Finish();
                _voice.Queue.End(_speaking);
                _speaking = 0;
                return finished;
            }
        }

        /// <summary>Falls silent at once, and closes the mouth. Speech that comes after it is a new utterance. While a
        /// conversation speaks, interrupt that instead: the model is told then what was heard.</summary>
        public void Interrupt()
        {
            lock (_pushing)
            {
                if (_avatar == null) return;
                _avatar.Interrupt();
                _voice.Queue.CutAll();
                _speaking = 0;
            }
        }

        /// Speak, for an audio thread: makes nothing, and takes nothing where it would have to.
        internal bool SpeakFromStock(ReadOnlySpan<float> pcm)
        {
            lock (_pushing)
            {
                return CanSpeak && _voice.Queue.HasStockFor(pcm.Length) && Speak(pcm);
            }
        }

        private void OnEnable()
        {
            _voice = GetComponent<MuseTalkVoice>();
            _voice.SetRate(SampleRate);
            _voice.Silenced += Silenced;
            var options = new EngineOptions { Device = _device, Threads = _threads, RuntimePath = string.IsNullOrEmpty(_runtimePath) ? null : Located(_runtimePath) };
            _shared = SharedEngine.Use(Located(_pack), options);
            var asset = Located(_asset);
            var wanted = new AvatarOptions { SampleRate = SampleRate, Format = PixelFormat.Rgba8 };
            _opening = _shared.Loading.ContinueWith(engine => engine.GetAwaiter().GetResult().OpenAvatar(asset, wanted), TaskScheduler.Default);
        }

        private void OnDisable()
        {
            // It may not be open yet.
            if (_opening != null) _opening.ContinueWith(opened => opened.Result.Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion);
            _opening = null;
            lock (_pushing)
            {
                if (_avatar != null) _avatar.Dispose();
                _avatar = null;
                _returning = false;
                _speaking = 0;
                _ended = 0;
            }
            if (_voice != null)
            {
                _voice.Silenced -= Silenced;
                if (_voice.Queue != null) _voice.Queue.CutAll();
            }
            if (_face != null) _face.Dispose();
            _face = null;
            Unloaded();
            if (_material != null) Destroy(_material);
            _material = null;
            if (_shared != null) _shared.Leave();
            _shared = null;
        }

        private void Update()
        {
            try
            {
                if (_opening != null) Open();
                if (_avatar == null) return;
                Reclaim();
                Show();
            }
            catch (Exception failure)
            {
                Fail(failure);
            }
        }

        private void Open()
        {
            if (!_opening.IsCompleted) return;
            var opened = _opening;
            _opening = null;
            var avatar = opened.GetAwaiter().GetResult();
            lock (_pushing) _avatar = avatar;
            var told = avatar.Description;
            Loaded(told);
            _face = new FaceTexture(avatar, told, _baseFrameMegabytes * 1048576L);
            if (_renderer != null)
            {
                // One of its own, to be destroyed with it.
                _material = _renderer.material;
                _material.SetTexture(_textureProperty, _face.Target);
            }
            _onTexture.Invoke(_face.Target);
            _onReady.Invoke();
        }

        private void Show()
        {
            ulong waiting;
            Heard ready;
            // Its sound starts when its first pictures are there, not before.
            if (_voice.Queue.Waiting(out waiting) && waiting != 0 && _avatar.Ready(out ready) && ready.Utterance >= waiting) _voice.Queue.Open();
            var heard = _voice.Heard;
            Reading.Begin();
            Frame frame;
            // An end is told once. After that nothing is named: on a slow machine the last pictures of an utterance may come after its sound, and
            // the face lets go of them when nobody names it any more.
            var ended = heard.Samples == ulong.MaxValue;
            var any = _avatar.Latest(ended && heard.Utterance == _ended ? default(Heard) : heard, out frame);
            Reading.End();
            if (any)
            {
                using (frame)
                {
                    Uploading.Begin();
                    _face.Show(frame);
                    Uploading.End();
                    Follow(frame.Clip);
                }
            }
            if (!ended || heard.Utterance == _ended) return;
            _ended = heard.Utterance;
            _onUtteranceEnded.Invoke();
        }

        /// The voice was disabled: what waits there will never sound. A conversation hears of it too, and stops by itself.
        private void Silenced()
        {
            if (_avatar == null) return;
            var heard = _voice.Heard;
            var told = heard.Utterance == 0 || (heard.Samples == ulong.MaxValue && heard.Utterance == _ended);
            var spoke = !told || !_voice.Queue.IsEmpty;
            if (!IsLent) Interrupt();
            if (spoke) _onUtteranceEnded.Invoke();
        }

        private void Fail(Exception failure)
        {
            Debug.LogException(failure, this);
            _onFailed.Invoke(failure.Message);
            enabled = false;
        }

        /// Absolute, or below the project's streaming assets.
        private static string Located(string path)
        {
            return Path.Combine(Application.streamingAssetsPath, path);
        }

        internal static float[] Mixed(float[] data, int channels)
        {
            if (channels == 1) return data;
            var mono = new float[data.Length / channels];
            for (var at = 0; at < mono.Length; at++)
            {
                float sum = 0;
                for (var channel = 0; channel < channels; channel++) sum += data[at * channels + channel];
                mono[at] = sum / channels;
            }
            return mono;
        }
    }
}
