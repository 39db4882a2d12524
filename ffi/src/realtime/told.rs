//! Events of a conversation as C is told of them.

use realtime_client::Error;
use realtime_client::protocol::server_event::ResponseStatus;
use realtime_client::session::{Event, State};
use serde_json::json;

use super::event::Told;
use super::talk::posture;
use crate::engine::c_text;
use crate::{musetalk_event_kind as Kind, musetalk_response_status, musetalk_status};

/// `utterance` gives an answer's number in `musetalk_heard`.
pub(super) fn told(event: Event, utterance: impl Fn(u64) -> u64) -> Told {
    let sounding = |kind, answer| Told { answer, utterance: utterance(answer), ..plain(kind) };
    match event {
        Event::State(State::Connecting) => plain(Kind::Connecting),
        Event::State(State::Ready) => plain(Kind::Ready),
        Event::State(State::Reconnecting { attempt, why, .. }) => {
            Told { value: attempt, ..failed(Kind::Reconnecting, &why) }
        }
        Event::State(State::Closed(None)) => plain(Kind::Closed),
        Event::State(State::Closed(Some(why))) => failed(Kind::Closed, &why),
        Event::Posture(now) => Told { value: posture(now), ..plain(Kind::Posture) },
        Event::Updated => plain(Kind::Updated),
        Event::SpeechStarted { item_id } => named(Kind::SpeechStarted, &item_id, ""),
        Event::SpeechStopped { item_id } => named(Kind::SpeechStopped, &item_id, ""),
        Event::TurnTooShort => plain(Kind::TurnTooShort),
        Event::UserText { item_id, delta } => named(Kind::UserText, &item_id, &delta),
        Event::UserSaid { item_id, text } => named(Kind::UserSaid, &item_id, &text),
        Event::UserUnwritten { item_id, error } => {
            Told { id: c_text(&item_id), ..failed(Kind::UserUnwritten, &error) }
        }
        Event::UserSegment(segment) => Told {
            label: c_text(&segment.speaker),
            ..named(Kind::UserSegment, &segment.item_id, &segment.text)
        },
        Event::Began { utterance } => sounding(Kind::Began, utterance),
        Event::Audio { utterance, pcm } => Told { samples: pcm, ..sounding(Kind::Audio, utterance) },
        Event::Ended { utterance } => sounding(Kind::Ended, utterance),
        Event::Interrupted { utterance } => sounding(Kind::Interrupted, utterance),
        Event::Transcript { item_id, delta } => named(Kind::Transcript, &item_id, &delta),
        Event::Said { item_id, text } => named(Kind::Said, &item_id, &text),
        Event::Text { item_id, delta } => named(Kind::Text, &item_id, &delta),
        Event::Wrote { item_id, text } => named(Kind::Wrote, &item_id, &text),
        Event::ToolCall { call_id, name, arguments } => {
            Told { name: c_text(&name), ..named(Kind::ToolCall, &call_id, &arguments) }
        }
        Event::ApprovalRequested { request_id, server_label, name, arguments } => Told {
            name: c_text(&name),
            label: c_text(&server_label),
            ..named(Kind::ApprovalRequested, &request_id, &arguments)
        },
        Event::ResponseDone { response_id, status, .. } => {
            Told { value: response_status(status), ..named(Kind::ResponseDone, &response_id, "") }
        }
        Event::RateLimits(limits) => {
            let limit = |limit: &realtime_client::protocol::server_event::RateLimit| json!({"name": limit.name, "limit": limit.limit, "remaining": limit.remaining, "reset_seconds": limit.reset_seconds});
            let list: Vec<_> = limits.iter().map(limit).collect();
            named(Kind::RateLimits, "", &json!(list).to_string())
        }
        Event::Problem { error, about } => {
            Told { name: c_text(about.unwrap_or("")), ..failed(Kind::Problem, &error) }
        }
        Event::Unknown { kind } | Event::Malformed { kind, .. } => named(Kind::Other, "", &kind),
        _ => plain(Kind::Other),
    }
}

fn plain(kind: Kind) -> Told {
    named(kind, "", "")
}

fn named(kind: Kind, id: &str, text: &str) -> Told {
    Told {
        kind,
        status: musetalk_status::Ok,
        value: 0,
        answer: 0,
        utterance: 0,
        samples: Vec::new(),
        text: c_text(text),
        id: c_text(id),
        name: c_text(""),
        label: c_text(""),
    }
}

fn failed(kind: Kind, error: &Error) -> Told {
    Told { status: error.kind().into(), ..named(kind, "", &error.to_string()) }
}

fn response_status(status: ResponseStatus) -> u32 {
    (match status {
        ResponseStatus::Completed => musetalk_response_status::Completed,
        ResponseStatus::Cancelled => musetalk_response_status::Cancelled,
        ResponseStatus::Failed => musetalk_response_status::Failed,
        ResponseStatus::Incomplete => musetalk_response_status::Incomplete,
        _ => musetalk_response_status::Other,
    }) as u32
}
