using UnityEngine;
using UnityEngine.Events;

namespace MuseTalk.Unity
{
    // What the inspector shows.
    public sealed partial class MuseTalkAvatar
    {
        [SerializeField, Tooltip("Folder of the model pack, below StreamingAssets or absolute.")]
        private string _pack = "MuseTalk/pack";

        [SerializeField, Tooltip("The prepared avatar, below StreamingAssets or absolute.")]
        private string _asset = "MuseTalk/iris.avatar";

        [SerializeField, Tooltip("ONNX Runtime's library or its folder. Empty: the one that comes with the package.")]
        private string _runtimePath = "";

        [SerializeField, Tooltip("Where the networks run.")]
        private Device _device = Device.Auto;

        [SerializeField, Range(0, 64), Tooltip("Cores that share one network call on a CPU. 0: all; a game should give fewer.")]
        private int _threads = 2;

        [SerializeField, Tooltip("Rate of the sound it is given, in Hz. 0: 24000, which conversations need.")]
        private int _sampleRate = 0;

        [SerializeField, Tooltip("Shows the face; may be none.")]
        private Renderer _renderer = null;

        [SerializeField, Tooltip("The texture of the renderer's material: _MainTex, or _BaseMap in URP and _BaseColorMap in HDRP.")]
        private string _textureProperty = "_MainTex";

        [SerializeField, Tooltip("GPU memory for base frames, in megabytes. Where the footage fits, only the region around the mouth is uploaded per picture.")]
        private int _baseFrameMegabytes = 256;

        [SerializeField, Tooltip("The texture exists: for a RawImage, choose RawImage.texture.")]
        private TextureEvent _onTexture = new TextureEvent();

        [SerializeField, Tooltip("It can speak.")]
        private UnityEvent _onReady = new UnityEvent();

        [SerializeField, Tooltip("The sound of an utterance has ended.")]
        private UnityEvent _onUtteranceEnded = new UnityEvent();

        [SerializeField, Tooltip("It could not be loaded, or has failed; it is disabled then.")]
        private TextEvent _onFailed = new TextEvent();

        /// <summary>The texture exists.</summary>
        public TextureEvent OnTexture { get { return _onTexture; } }

        /// <summary>It can speak.</summary>
        public UnityEvent OnReady { get { return _onReady; } }

        /// <summary>The sound of an utterance has ended; also where the voice was disabled while it spoke, once for all that waited. What
        /// <see cref="Interrupt"/> cuts is not told.</summary>
        public UnityEvent OnUtteranceEnded { get { return _onUtteranceEnded; } }

        /// <summary>It could not be loaded, or has failed; it is disabled then.</summary>
        public TextEvent OnFailed { get { return _onFailed; } }

        /// <summary>What it is loaded from and how, for a component that is made by a script: before it is enabled.</summary>
        /// <param name="pack">Folder of the model pack, below StreamingAssets or absolute.</param>
        /// <param name="asset">The prepared avatar, below StreamingAssets or absolute.</param>
        /// <param name="sampleRate">Rate of the sound it is given, in Hz; 0: 24000.</param>
        /// <param name="device">Where the networks run.</param>
        /// <param name="baseFrameMegabytes">GPU memory for base frames.</param>
        public void Configure(string pack, string asset, int sampleRate = 0, Device device = Device.Auto, int baseFrameMegabytes = 256)
        {
            _pack = pack;
            _asset = asset;
            _sampleRate = sampleRate;
            _device = device;
            _baseFrameMegabytes = baseFrameMegabytes;
        }
    }
}
