namespace MuseTalk
{
    /// <summary>Who decides that the person has finished.</summary>
    public enum TurnDetection : uint
    {
        /// <summary>As the server does it by itself: by loudness, mostly.</summary>
        ServersOwn = 0,
        /// <summary>You, by push to talk: <see cref="Conversation.TalkPress"/> and <see cref="Conversation.TalkRelease"/>.</summary>
        Manual = 1,
        /// <summary>The server, by loudness.</summary>
        Loudness = 2,
        /// <summary>The server, by meaning.</summary>
        Meaning = 3,
    }

    /// <summary>How to hold a conversation. Text that is null or empty is the default.</summary>
    public sealed class ConversationOptions
    {
        /// <summary>The avatar that speaks the answers, opened with the server's output rate (24000 Hz as a rule); null for none. Its pushing end
        /// belongs to the conversation until that is disposed of, and for up to a second more.</summary>
        public Avatar Avatar { get; set; }
        /// <summary>"openai", "xai", "qwen", "stepfun", "azure:RESOURCE", or a ws:// or wss:// address. Null: "openai".</summary>
        public string Provider { get; set; }
        /// <summary>The key. Null: from the provider's variable of the environment, such as OPENAI_API_KEY; for an address REALTIME_API_KEY, and none
        /// where that is not set. Copied, and shown nowhere.</summary>
        public string Key { internal get; set; }
        /// <summary>The model. Null: the provider's own.</summary>
        public string Model { get; set; }
        /// <summary>The voice, such as "marin". Null: the server's own.</summary>
        public string Voice { get; set; }
        /// <summary>Who the model is and how it speaks.</summary>
        public string Instructions { get; set; }
        /// <summary>The functions it may call, as JSON: [{"name": …, "description": …, "parameters": JSON Schema}, …].</summary>
        public string ToolsJson { get; set; }
        /// <summary>The model that writes down what the person says. Null: nobody does, and UserText and UserSaid do not come.</summary>
        public string TranscriptionModel { get; set; }
        /// <summary>The language the person speaks, ISO 639-1, for the transcription. Null: it is guessed.</summary>
        public string TranscriptionLanguage { get; set; }
        /// <summary>Who decides that the person has finished.</summary>
        public TurnDetection TurnDetection { get; set; }
        /// <summary>No Audio events; for a host that plays the samples of <see cref="Avatar.Paced"/> instead.</summary>
        public bool WithoutAudio { get; set; }
    }
}
