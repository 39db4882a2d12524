//! Whole conversations, without a socket.

mod barge_in;
mod staying_up;
mod tools;
mod turns;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Action, Event, Options, Session, State};
use crate::protocol::audio::encode;
use crate::protocol::{Dialect, ServerEvent, TurnDetection};
use crate::{Error, ErrorKind};

/// A session with a server that is played by the test.
struct Talk {
    session: Session,
    now: Duration,
    /// What was done since the last look.
    actions: Vec<Action>,
}

impl Talk {
    fn new(options: Options) -> Self {
        let mut talk = Self { session: Session::new(options, 7), now: Duration::ZERO, actions: Vec::new() };
        talk.connect(None);
        talk
    }

    fn ready() -> Self {
        let mut talk = Self::new(Options::default());
        talk.configure();
        talk
    }

    /// Turns are the host's.
    fn manual() -> Self {
        let mut options = Options::default();
        options.session.audio.input.turn_detection = Some(TurnDetection::Manual);
        let mut talk = Self::new(options);
        talk.configure();
        talk
    }

    fn connect(&mut self, expires_at: Option<u64>) {
        assert!(self.session.opened(self.now, 1_000_000 + self.now.as_secs()));
        self.server(
            json!({"type": "session.created", "session": {"type": "realtime", "expires_at": expires_at}}),
        );
    }

    fn configure(&mut self) {
        self.server(json!({"type": "session.updated", "session": {"type": "realtime"}}));
        assert!(self.session.is_ready());
        self.actions.clear();
    }

    fn server(&mut self, event: Value) {
        self.session.handle(ServerEvent::parse(&event.to_string()), self.now);
        self.look();
    }

    fn wait(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.session.deadline().filter(|due| *due < end) {
            self.now = self.now.max(due);
            self.look();
        }
        self.now = end;
        self.look();
    }

    fn look(&mut self) {
        while let Some(action) = self.session.poll(self.now) {
            self.actions.push(action);
        }
    }

    /// What was sent since the last question, without names.
    fn sent(&mut self) -> Vec<Value> {
        self.look();
        let mut sent = Vec::new();
        self.actions.retain(|action| match action {
            Action::Send { event, .. } => {
                sent.push(serde_json::from_str(&event.to_json(None, &Dialect::ga())).unwrap());
                false
            }
            _ => true,
        });
        sent
    }

    fn sent_kinds(&mut self) -> Vec<String> {
        self.sent().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// What the host was told since the last question.
    fn told(&mut self) -> Vec<Event> {
        self.look();
        let mut told = Vec::new();
        self.actions.retain(|action| match action {
            Action::Tell(Event::Posture(_)) => false,
            Action::Tell(event) => {
                told.push(event.clone());
                false
            }
            _ => true,
        });
        told
    }

    fn last_event_id(&self) -> String {
        let id = |action: &Action| match action {
            Action::Send { event_id, .. } => Some(event_id.clone()),
            _ => None,
        };
        self.actions.iter().rev().find_map(id).unwrap()
    }

    fn begin(&mut self, response: &str) {
        self.server(
            json!({"type": "response.created", "response": {"id": response, "status": "in_progress"}}),
        );
    }

    fn part(&mut self, response: &str, item: &str, index: u32) {
        self.server(json!({"type": "response.content_part.added", "response_id": response, "item_id": item,
            "output_index": index, "content_index": 0, "part": {"type": "audio"}}));
    }

    fn audio(&mut self, response: &str, item: &str, index: u32, samples: usize) {
        let pcm: Vec<i16> = (0..samples).map(|n| n as i16).collect();
        self.server(json!({"type": "response.output_audio.delta", "response_id": response, "item_id": item,
            "output_index": index, "content_index": 0, "delta": encode(&pcm)}));
    }

    fn audio_done(&mut self, response: &str, item: &str, index: u32) {
        self.server(json!({"type": "response.output_audio.done", "response_id": response, "item_id": item,
            "output_index": index, "content_index": 0}));
    }

    fn done(&mut self, response: &str, status: &str, output: Value) {
        self.server(json!({"type": "response.done",
            "response": {"id": response, "status": status, "output": output}}));
    }

    fn speech(&mut self, item: &str) {
        self.server(
            json!({"type": "input_audio_buffer.speech_started", "item_id": item, "audio_start_ms": 0}),
        );
    }

    fn history(&self) -> Vec<String> {
        self.session.history().map(|entry| format!("{:?}", entry.what)).collect()
    }
}

/// Samples that the host was given, by utterance.
fn heard_by_host(told: &[Event]) -> Vec<(u64, usize)> {
    let audio = |event: &Event| match event {
        Event::Audio { utterance, pcm } => Some((*utterance, pcm.len())),
        _ => None,
    };
    told.iter().filter_map(audio).collect()
}

/// Runs a property for many seeds; a failure names the one that broke it.
fn for_seeds(count: u64, property: impl Fn(&mut fastrand::Rng) + std::panic::RefUnwindSafe) {
    for seed in 0..count {
        let result = std::panic::catch_unwind(|| property(&mut fastrand::Rng::with_seed(seed)));
        if let Err(why) = result {
            eprintln!("it broke with seed {seed}");
            std::panic::resume_unwind(why);
        }
    }
}
