namespace MuseTalk
{
    /// <summary>What happened. Pass over a value that this assembly does not name: later releases tell more.</summary>
    public enum EventKind : uint
    {
        /// <summary>Something this release has no word for; text is its name.</summary>
        Other = 0,
        /// <summary>Reaching the server, and agreeing on the session.</summary>
        Connecting = 1,
        /// <summary>Everything works.</summary>
        Ready = 2,
        /// <summary>The connection was lost, and is made again: status and text say why, Value is the attempt, from 1.</summary>
        Reconnecting = 3,
        /// <summary>Over. status is OK when you closed it; else it and text say why.</summary>
        Closed = 4,
        /// <summary>The face should look like it is doing something else: Value is a <see cref="Posture"/>.</summary>
        Posture = 5,
        /// <summary>The server took a change of the session.</summary>
        Updated = 6,
        /// <summary>The person begins to speak: id names the turn.</summary>
        SpeechStarted = 7,
        /// <summary>The person has stopped: id names the turn.</summary>
        SpeechStopped = 8,
        /// <summary>Less than 100 ms between press and release: nothing was sent.</summary>
        TurnTooShort = 9,
        /// <summary>A piece of what the person says: text, id names the turn.</summary>
        UserText = 10,
        /// <summary>All of what the person said: text, id names the turn. May come after the answer has begun.</summary>
        UserSaid = 11,
        /// <summary>What the person said could not be written down: status and text say why, id names the turn.</summary>
        UserUnwritten = 12,
        /// <summary>A stretch of speech with its speaker: text, label names who, id the turn.</summary>
        UserSegment = 13,
        /// <summary>An answer will sound: answer is its number, its first samples follow.</summary>
        Began = 14,
        /// <summary>Samples of an answer, in order, faster than they sound.</summary>
        Audio = 15,
        /// <summary>All samples of an answer were told. It sounds on.</summary>
        Ended = 16,
        /// <summary>Stop the sound of this answer now: the person speaks, or you interrupted. The avatar knows already.</summary>
        Interrupted = 17,
        /// <summary>A piece of what is being said: text, usually ahead of the sound; id names the item.</summary>
        Transcript = 18,
        /// <summary>All of what is said in a part of an answer: text; id names the item.</summary>
        Said = 19,
        /// <summary>A piece of a written answer: text; id names the item.</summary>
        Text = 20,
        /// <summary>A written answer: text; id names the item.</summary>
        Wrote = 21,
        /// <summary>The model asks for a function: name, and text is the JSON of its arguments as the model wrote it. Answer with <see
        /// cref="Conversation.ToolOutput"/> and this id.</summary>
        ToolCall = 22,
        /// <summary>May a remote tool run? name, label is its server, text its arguments. Answer with <see cref="Conversation.Approve"/> and
        /// this id.</summary>
        ApprovalRequested = 23,
        /// <summary>An answer is over on the server; it may sound on. Value is a <see cref="ResponseStatus"/>, id names it.</summary>
        ResponseDone = 24,
        /// <summary>What may still be asked for, as JSON in text: [{"name": …, "limit": …, "remaining": …, "reset_seconds": …}, …].</summary>
        RateLimits = 25,
        /// <summary>Something was refused or went wrong, and the session goes on: status and text; name is the kind of request it is about,
        /// where known.</summary>
        Problem = 26,
    }

    /// <summary>What the face should look like it is doing.</summary>
    public enum Posture : uint
    {
        /// <summary>Nothing.</summary>
        Idle = 0,
        /// <summary>The person speaks.</summary>
        Listening = 1,
        /// <summary>An answer is on its way.</summary>
        Thinking = 2,
        /// <summary>A function runs.</summary>
        Working = 3,
        /// <summary>An answer sounds.</summary>
        Speaking = 4,
    }

    /// <summary>How an answer went.</summary>
    public enum ResponseStatus : uint
    {
        /// <summary>A status of a later protocol, or none.</summary>
        Other = 0,
        /// <summary>Nothing is missing.</summary>
        Completed = 1,
        /// <summary>It was stopped, by the person's voice or by you.</summary>
        Cancelled = 2,
        /// <summary>It could not be made.</summary>
        Failed = 3,
        /// <summary>It was cut by a limit.</summary>
        Incomplete = 4,
    }
}
