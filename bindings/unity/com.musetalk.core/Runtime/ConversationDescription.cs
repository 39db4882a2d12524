using MuseTalk.Interop;

namespace MuseTalk
{
    /// <summary>What a conversation is doing, and what it has cost so far.</summary>
    public struct ConversationDescription
    {
        private readonly NativeConversationDescription _raw;

        internal ConversationDescription(NativeConversationDescription raw)
        {
            _raw = raw;
        }

        /// <summary>The rate at which the server wants the person's voice, in Hz.</summary>
        public int InputRate { get { return (int)_raw.InputRate; } }
        /// <summary>The rate of the answers, in Hz.</summary>
        public int OutputRate { get { return (int)_raw.OutputRate; } }
        /// <summary>What the face should look like it is doing.</summary>
        public Posture Posture { get { return (Posture)_raw.Posture; } }
        /// <summary>Samples of the person's voice that were dropped so far, because the network is slower than the voice.</summary>
        public ulong DroppedSamples { get { return _raw.DroppedSamples; } }
        /// <summary>Answers that told what they cost.</summary>
        public ulong Responses { get { return _raw.Responses; } }
        /// <summary>Tokens of writing read, without those cached.</summary>
        public ulong TextIn { get { return _raw.TextIn; } }
        /// <summary>Tokens of sound heard, without those cached.</summary>
        public ulong AudioIn { get { return _raw.AudioIn; } }
        /// <summary>Tokens of pictures seen, without those cached.</summary>
        public ulong ImageIn { get { return _raw.ImageIn; } }
        /// <summary>Tokens read again from the cache.</summary>
        public ulong CachedIn { get { return _raw.CachedIn; } }
        /// <summary>Tokens written.</summary>
        public ulong TextOut { get { return _raw.TextOut; } }
        /// <summary>Tokens spoken.</summary>
        public ulong AudioOut { get { return _raw.AudioOut; } }
    }
}
