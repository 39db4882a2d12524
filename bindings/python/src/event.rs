//! What happens in a conversation, as classes that `match` takes apart.

use std::time::Duration;

use pyo3::prelude::*;
use realtime_client::protocol::Role;
use realtime_client::protocol::server_event::ResponseStatus;
use realtime_client::session::{self, Posture, State, What};

use crate::buffer::{Keep, Memory};
use crate::error::raise_talk;

/// What happened in a conversation, to be taken apart with `match`.
#[pyclass(frozen, skip_from_py_object, module = "musetalk")]
pub(crate) enum Event {
    /// The connection changed: `connecting`, `ready`, `reconnecting` after a pause, `closed`, with why.
    State { state: String, attempt: Option<u32>, after: Option<Duration>, error: Option<Py<PyAny>> },
    /// The face should look different.
    Posture { posture: String },
    /// The server took a change of the session.
    Updated {},
    /// The person begins to speak.
    SpeechStarted { item_id: String },
    /// The person has stopped.
    SpeechStopped { item_id: String },
    /// Less than 100 ms between press and release: nothing was sent.
    TurnTooShort {},
    /// A piece of what the person says.
    UserText { item_id: String, delta: String },
    /// What the person said. May come after the answer has begun.
    UserSaid { item_id: String, text: String },
    /// A stretch of speech with its speaker, in seconds from the start of the turn.
    UserSegment { item_id: String, speaker: String, text: String, start: f64, end: f64 },
    /// What the person said could not be written down; the turn goes on.
    UserUnwritten { item_id: String, error: Py<PyAny> },
    /// An answer will sound: its first samples follow. Counted from 1.
    Began { utterance: u64 },
    /// Samples of an answer at `output_rate`, in order, faster than they sound.
    Audio { utterance: u64, pcm: Py<PyAny> },
    /// All samples of an answer were told. It sounds on.
    Ended { utterance: u64 },
    /// Stop the sound of this utterance now.
    Interrupted { utterance: u64 },
    /// A piece of what is being said; usually ahead of the sound.
    Transcript { item_id: String, delta: String },
    /// All of what is said in a part of an answer.
    Said { item_id: String, text: String },
    /// A piece of a written answer.
    Text { item_id: String, delta: String },
    /// A written answer.
    Wrote { item_id: String, text: String },
    /// The model asks for a function. One that was given as a tool runs by itself; else answer with `tool_output`.
    ToolCall { call_id: String, name: String, arguments: String },
    /// The model asks whether a remote tool may run; answer with `approve`.
    ApprovalRequested { request_id: String, server_label: String, name: String, arguments: String },
    /// An answer beside the conversation.
    Aside { tag: String, text: String, status: String },
    /// An answer is over on the server. It may sound on.
    ResponseDone { response_id: String, status: String },
    /// What may still be asked for.
    RateLimit { name: String, limit: f64, remaining: f64, reset_seconds: f64 },
    /// The server refused something, or something went wrong on the way; the session goes on.
    Problem { error: Py<PyAny>, about: Option<String> },
    /// The server said something that this library does not know.
    Unknown { kind: String },
    /// The server said something that does not fit its own protocol; it was passed over.
    Malformed { kind: String, reason: String },
}

impl Event {
    /// The events that the host sees for one of the session: one, and for limits as many as there are.
    pub(crate) fn of(py: Python<'_>, event: session::Event) -> PyResult<Vec<Self>> {
        use session::Event as E;
        let error = |error: &realtime_client::Error| raise_talk(error).into_value(py).into_any();
        Ok(vec![match event {
            E::State(state) => Self::of_state(py, &state),
            E::Posture(posture) => Self::Posture { posture: posture_name(posture).to_owned() },
            E::Updated => Self::Updated {},
            E::SpeechStarted { item_id } => Self::SpeechStarted { item_id },
            E::SpeechStopped { item_id } => Self::SpeechStopped { item_id },
            E::TurnTooShort => Self::TurnTooShort {},
            E::UserText { item_id, delta } => Self::UserText { item_id, delta },
            E::UserSaid { item_id, text } => Self::UserSaid { item_id, text },
            E::UserSegment(segment) => Self::UserSegment {
                item_id: segment.item_id,
                speaker: segment.speaker,
                text: segment.text,
                start: segment.start,
                end: segment.end,
            },
            E::UserUnwritten { item_id, error: e } => Self::UserUnwritten { item_id, error: error(&e) },
            E::Began { utterance } => Self::Began { utterance },
            E::Audio { utterance, pcm } => {
                Self::Audio { utterance, pcm: Memory::array(py, Keep::Samples(pcm))?.unbind() }
            }
            E::Ended { utterance } => Self::Ended { utterance },
            E::Interrupted { utterance } => Self::Interrupted { utterance },
            E::Transcript { item_id, delta } => Self::Transcript { item_id, delta },
            E::Said { item_id, text } => Self::Said { item_id, text },
            E::Text { item_id, delta } => Self::Text { item_id, delta },
            E::Wrote { item_id, text } => Self::Wrote { item_id, text },
            E::ToolCall { call_id, name, arguments } => Self::ToolCall { call_id, name, arguments },
            E::ApprovalRequested { request_id, server_label, name, arguments } => {
                Self::ApprovalRequested { request_id, server_label, name, arguments }
            }
            E::Aside { tag, text, status } => {
                Self::Aside { tag, text, status: status_name(status).to_owned() }
            }
            E::ResponseDone { response_id, status, .. } => {
                Self::ResponseDone { response_id, status: status_name(status).to_owned() }
            }
            E::RateLimits(limits) => {
                let limit = |limit: realtime_client::protocol::server_event::RateLimit| Self::RateLimit {
                    name: limit.name,
                    limit: limit.limit,
                    remaining: limit.remaining,
                    reset_seconds: limit.reset_seconds,
                };
                return Ok(limits.into_iter().map(limit).collect());
            }
            E::Problem { error: e, about } => {
                Self::Problem { error: error(&e), about: about.map(str::to_owned) }
            }
            E::Unknown { kind } => Self::Unknown { kind },
            E::Malformed { kind, reason } => Self::Malformed { kind, reason },
            // An event of a later client, until it has a class of its own.
            _ => Self::Unknown { kind: "unknown to this module".to_owned() },
        }])
    }

    fn of_state(py: Python<'_>, state: &State) -> Self {
        let error = |error: &realtime_client::Error| raise_talk(error).into_value(py).into_any();
        let (state, attempt, after, error) = match state {
            State::Connecting => ("connecting", None, None, None),
            State::Ready => ("ready", None, None, None),
            State::Reconnecting { attempt, after, why } => {
                ("reconnecting", Some(*attempt), Some(*after), Some(error(why)))
            }
            State::Closed(why) => ("closed", None, None, why.as_ref().map(error)),
            _ => ("unknown", None, None, None),
        };
        Self::State { state: state.to_owned(), attempt, after, error }
    }
}

#[pymethods]
impl Event {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        described(slf.as_any())
    }
}

/// `Event.Began(utterance=1)`, as a data class would say it.
fn described(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let names: Vec<String> = object.getattr("__match_args__")?.extract()?;
    let value = |name: String| Ok(format!("{name}={}", object.getattr(name.as_str())?.repr()?));
    let fields: Vec<String> = names.into_iter().map(value).collect::<PyResult<_>>()?;
    Ok(format!("{}({})", object.get_type().qualname()?, fields.join(", ")))
}

pub(crate) fn posture_name(posture: Posture) -> &'static str {
    match posture {
        Posture::Listening => "listening",
        Posture::Thinking => "thinking",
        Posture::Working => "working",
        Posture::Speaking => "speaking",
        _ => "idle",
    }
}

fn status_name(status: ResponseStatus) -> &'static str {
    match status {
        ResponseStatus::InProgress => "in_progress",
        ResponseStatus::Completed => "completed",
        ResponseStatus::Cancelled => "cancelled",
        ResponseStatus::Failed => "failed",
        ResponseStatus::Incomplete => "incomplete",
        _ => "other",
    }
}

/// One turn, or one step of a tool, of a conversation.
#[pyclass(frozen, skip_from_py_object, module = "musetalk")]
pub(crate) enum Entry {
    /// Somebody said or wrote something; of a cut answer, about what was heard of it.
    Said { item_id: String, role: String, text: String, cut: bool, complete: bool },
    /// The model asked for a function.
    Called { item_id: String, call_id: String, name: String, arguments: String, complete: bool },
    /// A function answered.
    Answered { item_id: String, call_id: String, output: String, complete: bool },
}

impl Entry {
    /// `None` for what a later client tells and this module does not know.
    pub(crate) fn of(entry: session::Entry) -> Option<Self> {
        let session::Entry { item_id, what, complete, .. } = entry;
        Some(match what {
            What::Said { role, text, cut } => {
                Self::Said { item_id, role: role_name(role).to_owned(), text, cut, complete }
            }
            What::Called { call_id, name, arguments } => {
                Self::Called { item_id, call_id, name, arguments, complete }
            }
            What::Answered { call_id, output } => Self::Answered { item_id, call_id, output, complete },
            _ => return None,
        })
    }
}

#[pymethods]
impl Entry {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        described(slf.as_any())
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        _ => "other",
    }
}

/// What a conversation has cost so far, in tokens.
#[pyclass(frozen, get_all, skip_from_py_object, module = "musetalk")]
pub(crate) struct Usage {
    responses: u64,
    text_in: u64,
    audio_in: u64,
    image_in: u64,
    cached_in: u64,
    text_out: u64,
    audio_out: u64,
    transcription_tokens: u64,
    transcription_seconds: f64,
}

impl From<session::Usage> for Usage {
    fn from(usage: session::Usage) -> Self {
        Self {
            responses: usage.responses,
            text_in: usage.text_in,
            audio_in: usage.audio_in,
            image_in: usage.image_in,
            cached_in: usage.cached_in,
            text_out: usage.text_out,
            audio_out: usage.audio_out,
            transcription_tokens: usage.transcription_tokens,
            transcription_seconds: usage.transcription_seconds,
        }
    }
}
