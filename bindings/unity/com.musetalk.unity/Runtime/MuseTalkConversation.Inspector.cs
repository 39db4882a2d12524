using UnityEngine;
using UnityEngine.Events;

namespace MuseTalk.Unity
{
    // What the inspector shows. There is no field for the key: what a scene holds, everybody reads who has the game.
    public sealed partial class MuseTalkConversation
    {
        [SerializeField, Tooltip("The face that speaks; its rate must be that of the answers, 24000 Hz as a rule. None: only the voice.")]
        private MuseTalkAvatar _avatar = null;

        [SerializeField, Tooltip("Without a face: what plays the answers.")]
        private MuseTalkVoice _voice = null;

        [SerializeField, Tooltip("openai, xai, qwen, stepfun, azure:RESOURCE, or a ws:// or wss:// address.")]
        private string _provider = "openai";

        [SerializeField, Tooltip("Empty: the provider's own.")]
        private string _model = "";

        [SerializeField, Tooltip("Such as marin. Empty: the server's own.")]
        private string _voiceName = "";

        [SerializeField, TextArea(3, 12), Tooltip("Who the model is and how it speaks.")]
        private string _instructions = "";

        [SerializeField, TextArea(1, 12), Tooltip("The functions it may call, as JSON.")]
        private string _toolsJson = "";

        [SerializeField, Tooltip("The model that writes down what the person says. Empty: nobody does.")]
        private string _transcriptionModel = "";

        [SerializeField, Tooltip("ISO 639-1. Empty: it is guessed.")]
        private string _transcriptionLanguage = "";

        [SerializeField, Tooltip("Who decides that the person has finished.")]
        private TurnDetection _turnDetection = TurnDetection.ServersOwn;

        [SerializeField, Tooltip("Listen. With loudspeakers, and not a headset, the model hears itself.")]
        private bool _useMicrophone = true;

        [SerializeField, Tooltip("Empty: the system's.")]
        private string _microphone = "";

        [SerializeField, Tooltip("Begin without being asked.")]
        private bool _connectOnEnable = true;

        [SerializeField] private UnityEvent _onReady = new UnityEvent();
        [SerializeField] private TextEvent _onUserSaid = new TextEvent();
        [SerializeField] private TextEvent _onTranscript = new TextEvent();
        [SerializeField] private TextEvent _onSaid = new TextEvent();
        [SerializeField] private PostureEvent _onPosture = new PostureEvent();
        [SerializeField] private ToolCallEvent _onToolCall = new ToolCallEvent();
        [SerializeField] private TextEvent _onProblem = new TextEvent();
        [SerializeField] private TextEvent _onClosed = new TextEvent();

        /// <summary>Everything works; also after a connection that was lost.</summary>
        public UnityEvent OnReady { get { return _onReady; } }

        /// <summary>All of what the person said.</summary>
        public TextEvent OnUserSaid { get { return _onUserSaid; } }

        /// <summary>A piece of what is being said, usually ahead of the sound.</summary>
        public TextEvent OnTranscript { get { return _onTranscript; } }

        /// <summary>All of an answer.</summary>
        public TextEvent OnSaid { get { return _onSaid; } }

        /// <summary>The face should look like it is doing something else.</summary>
        public PostureEvent OnPosture { get { return _onPosture; } }

        /// <summary>The model asks for a function.</summary>
        public ToolCallEvent OnToolCall { get { return _onToolCall; } }

        /// <summary>Something was refused or went wrong, and the conversation goes on.</summary>
        public TextEvent OnProblem { get { return _onProblem; } }

        /// <summary>It is over; the text says why, and is empty when you ended it: by Disconnect, or by disabling
        /// this component or its face. Told once for each that was open, and for one that could not begin.</summary>
        public TextEvent OnClosed { get { return _onClosed; } }

        /// <summary>Whom it talks to and through what, for a component that is made by a script: before it begins.</summary>
        /// <param name="provider">A name or an address.</param>
        /// <param name="avatar">The face that speaks; null for none.</param>
        /// <param name="voice">Without a face: what plays the answers.</param>
        /// <param name="useMicrophone">Listen.</param>
        public void Configure(string provider, MuseTalkAvatar avatar, MuseTalkVoice voice = null, bool useMicrophone = true)
        {
            _provider = provider;
            _avatar = avatar;
            _voice = voice;
            _useMicrophone = useMicrophone;
        }

        private ConversationOptions Options()
        {
            return new ConversationOptions
            {
                Avatar = _avatar == null ? null : _avatar.Avatar,
                Provider = _provider,
                Key = _key,
                Model = _model,
                Voice = _voiceName,
                Instructions = _instructions,
                ToolsJson = _toolsJson,
                TranscriptionModel = _transcriptionModel,
                TranscriptionLanguage = _transcriptionLanguage,
                TurnDetection = _turnDetection,
            };
        }
    }
}
