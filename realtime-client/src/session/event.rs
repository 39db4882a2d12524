//! What a session tells its host, and what it asks of its connection.

use std::time::Duration;

use crate::Error;
use crate::protocol::server_event::{RateLimit, ResponseStatus, ResponseUsage, Segment};
use crate::protocol::{ClientEvent, Item};

/// How the connection stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// Reaching the server, and agreeing on the session.
    Connecting,
    /// Everything works.
    Ready,
    /// The connection was lost; the next attempt comes after this pause.
    Reconnecting {
        /// From 1.
        attempt: u32,
        /// The pause.
        after: Duration,
        /// Why it was lost.
        why: Error,
    },
    /// Over. `None`: the host closed it.
    Closed(Option<Error>),
}

/// What the face should look like it is doing.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Posture {
    /// Nothing.
    #[default]
    Idle,
    /// The person speaks.
    Listening,
    /// An answer is on its way.
    Thinking,
    /// A function runs.
    Working,
    /// An answer sounds.
    Speaking,
}

/// What happened, in the order in which it did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The connection changed.
    State(State),
    /// The face should look different.
    Posture(Posture),
    /// The server took a change of the session.
    Updated,
    /// The person begins to speak.
    SpeechStarted {
        /// The turn.
        item_id: String,
    },
    /// The person has stopped.
    SpeechStopped {
        /// The turn.
        item_id: String,
    },
    /// Less than 100 ms between press and release: nothing was sent.
    TurnTooShort,
    /// A piece of what the person says.
    UserText {
        /// The turn; the history knows its place.
        item_id: String,
        /// The next piece.
        delta: String,
    },
    /// What the person said. May come after the answer has begun.
    UserSaid {
        /// The turn; the history knows its place.
        item_id: String,
        /// All of it.
        text: String,
    },
    /// A stretch of speech with its speaker.
    UserSegment(Segment),
    /// What the person said could not be written down; the turn goes on.
    UserUnwritten {
        /// The turn.
        item_id: String,
        /// Why.
        error: Error,
    },
    /// An answer will sound: its first samples follow.
    Began {
        /// Counted from 1, over all connections.
        utterance: u64,
    },
    /// Samples of an answer, in order, faster than they sound.
    Audio {
        /// Which.
        utterance: u64,
        /// At [`Session::output_rate`](super::Session::output_rate).
        pcm: Vec<i16>,
    },
    /// All samples of an answer were told. It sounds on.
    Ended {
        /// Which.
        utterance: u64,
    },
    /// Stop the sound of this utterance now: the person speaks, or the host interrupted.
    Interrupted {
        /// Which.
        utterance: u64,
    },
    /// A piece of what is being said; usually ahead of the sound.
    Transcript {
        /// The item.
        item_id: String,
        /// The next piece.
        delta: String,
    },
    /// All of what is said in a part of an answer.
    Said {
        /// The item.
        item_id: String,
        /// All of it.
        text: String,
    },
    /// A piece of a written answer.
    Text {
        /// The item.
        item_id: String,
        /// The next piece.
        delta: String,
    },
    /// A written answer.
    Wrote {
        /// The item.
        item_id: String,
        /// All of it.
        text: String,
    },
    /// The model asks for a function; answer with [`Session::tool_output`](super::Session::tool_output).
    ToolCall {
        /// Names the call.
        call_id: String,
        /// The function.
        name: String,
        /// JSON, as the model wrote it: it may be invalid.
        arguments: String,
    },
    /// The model asks whether a remote tool may run; answer with [`Session::approve`](super::Session::approve).
    ApprovalRequested {
        /// Names the request.
        request_id: String,
        /// The remote server.
        server_label: String,
        /// The tool.
        name: String,
        /// JSON, as the model wrote it.
        arguments: String,
    },
    /// An answer beside the conversation.
    Aside {
        /// As given to [`Session::aside`](super::Session::aside).
        tag: String,
        /// What it says.
        text: String,
        /// How it went.
        status: ResponseStatus,
    },
    /// An answer is over on the server. It may sound on.
    ResponseDone {
        /// Which.
        response_id: String,
        /// How it went.
        status: ResponseStatus,
        /// What it cost.
        usage: Option<Box<ResponseUsage>>,
    },
    /// An item that was asked for with [`Session::retrieve_item`](super::Session::retrieve_item), with its sound.
    Retrieved {
        /// The item.
        item: Box<Item>,
    },
    /// What may still be asked for.
    RateLimits(Vec<RateLimit>),
    /// The server refused something, or something went wrong on the way; the session goes on.
    Problem {
        /// What.
        error: Error,
        /// The kind of the client's event that caused it, where known.
        about: Option<&'static str>,
    },
    /// The server said something that this crate does not know.
    Unknown {
        /// Its name.
        kind: String,
    },
    /// The server said something that does not fit its own protocol; it was passed over.
    Malformed {
        /// Its name; empty where there is none.
        kind: String,
        /// What does not fit.
        reason: String,
    },
}

/// What a session asks of its connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Open a connection when this much time has passed. One that is open serves until the new one is taken.
    Connect {
        /// The pause.
        after: Duration,
    },
    /// Send this.
    Send {
        /// What.
        event: ClientEvent,
        /// Its name, which errors refer to.
        event_id: String,
    },
    /// Tell the host.
    Tell(Event),
    /// Close the connection; nothing follows.
    Close,
}
