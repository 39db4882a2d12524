//! What the person at the terminal is told: both transcripts, what the face does, and what goes wrong; or the same as JSON lines.

use realtime_client::Error;
use realtime_client::session::{Event, Posture, State};
use serde_json::{Value, json};

use super::words::HELP;
use crate::report;

/// Words on the terminal.
#[derive(Debug)]
pub(super) struct Teller {
    json: bool,
    /// Standard output belongs to the pictures.
    aside: bool,
    /// The answer whose line is open.
    open: Option<String>,
    /// Remarks that do not break that line.
    later: Vec<String>,
}

impl Teller {
    pub(super) fn new(json: bool, aside: bool) -> Self {
        Self { json, aside, open: None, later: Vec::new() }
    }

    /// An event of the session. `heard` is what was heard of the utterance that sounded last, in seconds.
    pub(super) fn event(&mut self, event: &Event, heard: f64) {
        if self.json {
            if let Some(line) = in_json(event, heard) {
                self.line(&line.to_string());
            }
            return;
        }
        match event {
            Event::Transcript { item_id, delta } | Event::Text { item_id, delta } => {
                self.piece(item_id, delta)
            }
            Event::Said { item_id, text } | Event::Wrote { item_id, text } => {
                if self.open.as_deref() != Some(item_id) {
                    self.piece(item_id, text);
                }
                self.close();
            }
            Event::UserSaid { text, .. } => self.line(&format!("you:  {text}")),
            Event::Posture(now) if self.open.is_some() => self.later.push(format!("[{}]", posture(*now))),
            _ => {
                if let Some(remark) = in_words(event, heard) {
                    self.remark(&remark);
                }
            }
        }
    }

    /// What the person wrote, where the terminal does not show it already.
    pub(super) fn wrote(&mut self, text: &str) {
        let line = match self.json {
            true => json!({"event": "user_wrote", "text": text}).to_string(),
            false => format!("you:  {text}"),
        };
        self.line(&line);
    }

    /// What became of a command, or of one that was mistyped.
    pub(super) fn problem(&mut self, why: &str) {
        match self.json {
            true => self.line(&json!({"event": "problem", "message": why}).to_string()),
            false => self.remark(&format!("error: {why}")),
        }
    }

    pub(super) fn help(&mut self) {
        match self.json {
            true => self.line(&json!({"event": "help", "text": HELP}).to_string()),
            false => self.remark(HELP),
        }
    }

    /// A remark, between the lines of the conversation; nothing under `--json`.
    pub(super) fn remark(&mut self, text: &str) {
        self.close();
        if !self.json {
            report::note(text);
        }
    }

    /// A line of its own.
    pub(super) fn line(&mut self, text: &str) {
        self.close();
        // A line of JSON is one line, and so is one of a conversation, whatever was said.
        let text = text.replace('\n', " ");
        if self.aside { report::note(&text) } else { report::line(&text) }
    }

    fn piece(&mut self, item_id: &str, delta: &str) {
        let delta = delta.replace('\n', " ");
        if self.open.as_deref() == Some(item_id) {
            self.print(&delta);
        } else {
            self.close();
            self.open = Some(item_id.to_owned());
            self.print(&format!("face: {delta}"));
        }
    }

    fn print(&self, text: &str) {
        if self.aside { report::piece_of_note(text) } else { report::piece(text) }
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.print("\n");
        }
        self.later.drain(..).for_each(|remark| report::note(&remark));
    }
}

fn posture(posture: Posture) -> &'static str {
    match posture {
        Posture::Listening => "listening",
        Posture::Thinking => "thinking",
        Posture::Working => "working",
        Posture::Speaking => "speaking",
        _ => "idle",
    }
}

/// A remark; `None` for what a person need not know.
fn in_words(event: &Event, heard: f64) -> Option<String> {
    Some(match event {
        Event::State(State::Connecting) => "[connecting]".to_owned(),
        Event::State(State::Ready) => "[ready]".to_owned(),
        Event::State(State::Reconnecting { attempt, after, why }) => {
            format!("[attempt {attempt} to connect again in {:.1} s] {why}", after.as_secs_f64())
        }
        Event::Posture(now) => format!("[{}]", posture(*now)),
        Event::Interrupted { .. } => format!("[interrupted after {heard:.2} s]"),
        Event::UserUnwritten { error, .. } => format!("what you said could not be written down: {error}"),
        Event::ToolCall { name, arguments, .. } => format!("[calls {name} with {arguments}]"),
        Event::ApprovalRequested { server_label, name, .. } => {
            format!("[wants to run {name} at {server_label}; refused]")
        }
        Event::Problem { error, .. } => format!("error: {error}"),
        Event::Malformed { kind, reason } => {
            format!("error: the server's {kind:?} does not fit the protocol: {reason}")
        }
        _ => return None,
    })
}

fn failure(error: &Error) -> Value {
    json!({"kind": format!("{:?}", error.kind()), "message": error.to_string()})
}

/// `None` for the sound itself.
fn in_json(event: &Event, heard: f64) -> Option<Value> {
    Some(match event {
        Event::State(State::Connecting) => json!({"event": "state", "state": "connecting"}),
        Event::State(State::Ready) => json!({"event": "state", "state": "ready"}),
        Event::State(State::Reconnecting { attempt, after, why }) => {
            json!({"event": "state", "state": "reconnecting",
            "attempt": attempt, "after_ms": after.as_millis() as u64, "why": failure(why)})
        }
        Event::State(State::Closed(why)) => {
            json!({"event": "state", "state": "closed", "why": why.as_ref().map(failure)})
        }
        Event::Posture(now) => json!({"event": "posture", "posture": posture(*now)}),
        Event::Updated => json!({"event": "updated"}),
        Event::SpeechStarted { item_id } => json!({"event": "speech_started", "item_id": item_id}),
        Event::SpeechStopped { item_id } => json!({"event": "speech_stopped", "item_id": item_id}),
        Event::UserText { item_id, delta } => {
            json!({"event": "user_text", "item_id": item_id, "delta": delta})
        }
        Event::UserSaid { item_id, text } => json!({"event": "user_said", "item_id": item_id, "text": text}),
        Event::UserUnwritten { item_id, error } => {
            json!({"event": "user_unwritten", "item_id": item_id, "error": failure(error)})
        }
        Event::Began { utterance } => json!({"event": "began", "utterance": utterance}),
        Event::Ended { utterance } => json!({"event": "ended", "utterance": utterance}),
        Event::Interrupted { utterance } => {
            json!({"event": "interrupted", "utterance": utterance, "heard_seconds": heard})
        }
        Event::Transcript { item_id, delta } => {
            json!({"event": "transcript", "item_id": item_id, "delta": delta})
        }
        Event::Said { item_id, text } => json!({"event": "said", "item_id": item_id, "text": text}),
        Event::Text { item_id, delta } => json!({"event": "text", "item_id": item_id, "delta": delta}),
        Event::Wrote { item_id, text } => json!({"event": "wrote", "item_id": item_id, "text": text}),
        Event::ToolCall { call_id, name, arguments } => {
            json!({"event": "tool_call", "call_id": call_id, "name": name, "arguments": arguments})
        }
        Event::ApprovalRequested { request_id, server_label, name, arguments } => {
            json!({"event": "approval_requested",
            "request_id": request_id, "server_label": server_label, "name": name, "arguments": arguments})
        }
        Event::ResponseDone { response_id, status, usage } => {
            json!({"event": "response_done", "response_id": response_id,
            "status": format!("{status:?}").to_lowercase(),
            "tokens": usage.as_ref().map(|usage| usage.total_tokens)})
        }
        Event::Problem { error, about } => {
            json!({"event": "problem", "error": failure(error), "about": about})
        }
        Event::Unknown { kind } => json!({"event": "unknown", "kind": kind}),
        Event::Malformed { kind, reason } => json!({"event": "malformed", "kind": kind, "reason": reason}),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use realtime_client::ErrorKind;

    use super::*;

    #[test]
    fn calls_and_errors_are_told_in_both_ways() {
        let call = Event::ToolCall { call_id: "c".into(), name: "clock".into(), arguments: "{}".into() };
        assert_eq!(in_words(&call, 0.0).unwrap(), "[calls clock with {}]");
        assert_eq!(in_json(&call, 0.0).unwrap()["name"], "clock");
        let problem = Event::Problem { error: Error::new(ErrorKind::Busy, "Too fast."), about: None };
        assert_eq!(in_words(&problem, 0.0).unwrap(), "error: Too fast.");
        assert_eq!(in_json(&problem, 0.0).unwrap()["error"]["kind"], "Busy");
        let cut = Event::Interrupted { utterance: 2 };
        assert_eq!(in_words(&cut, 1.237).unwrap(), "[interrupted after 1.24 s]");
        assert_eq!(in_json(&cut, 1.5).unwrap()["heard_seconds"], 1.5);
        assert!(in_json(&Event::Audio { utterance: 1, pcm: Vec::new() }, 0.0).is_none());
    }
}
