//! One conversation: what happened goes in, what to do comes out.
//!
//! No socket, no task, no clock: time is a `Duration` since any origin that the caller chooses and keeps. So a whole conversation
//! is a unit test, and every order of events can be tried. [`Session::poll`] gives what to do next; [`Session::deadline`] says
//! when to call it again although nothing happened.

mod answers;
mod calls;
mod commands;
mod event;
mod history;
mod incoming;
mod options;
mod playback;
mod reconnect;
mod timers;
mod usage;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::protocol::server_event::ResponseStatus;
use crate::protocol::{ClientEvent, NewItem, SessionKind, Tree};
use crate::{Error, ErrorKind};

use answers::Answers;
use calls::Calls;
use history::History;
use playback::{Flow, Ledger, Remedy};

pub use calls::ToolOutput;
pub use event::{Action, Event, Posture, State};
pub use history::{Entry, What};
pub use options::{Capabilities, Options};
pub use usage::{Prices, Usage};

/// Client events whose names are remembered, to say what an error is about.
const MOST_SENT: usize = 128;

/// One conversation, over as many connections as it takes.
#[derive(Debug)]
pub struct Session {
    options: Options,
    /// The session as it should be: told to every new connection.
    config: Tree,
    phase: Phase,
    now: Duration,
    actions: VecDeque<Action>,
    ledger: Ledger,
    history: History,
    calls: Calls,
    answers: Answers,
    usage: Usage,
    turn: Turn,
    link: Link,
    posture: Posture,
    sent: VecDeque<(String, &'static str)>,
    /// Makes names that no other session makes.
    nonce: u64,
    names: u64,
    /// Approval requests that the host was asked, and whether it has answered.
    asked: VecDeque<(String, bool)>,
    /// Remote servers that are being asked for their tools.
    listing: Vec<String>,
    listing_since: Duration,
    /// The settings that a server took last.
    accepted: Option<Tree>,
    /// The instructions of the host, without a hint.
    instructions: String,
}

/// A connection is not replaced before it is so old, and does not count as one that served.
const LEAST_LIFE: Duration = Duration::from_secs(30);

/// Time goes no further, so that anything may be added to it: a thousand years.
const LAST_DAY: Duration = Duration::from_secs(1000 * 366 * 24 * 3600);

/// How far the connection has come.
#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// Until the transport is open.
    Connecting,
    /// Until `session.created`.
    Greeting {
        since: Duration,
    },
    /// Until the server has taken the session's configuration.
    Configuring {
        since: Duration,
        event_id: String,
        stripped: u32,
    },
    Ready,
    Closed,
}

/// What belongs to one connection.
#[derive(Debug, Default)]
struct Link {
    /// Failed attempts in a row.
    attempt: u32,
    /// When it was opened.
    since: Duration,
    /// Settings changed while they were being agreed on.
    unsent: bool,
    /// When the server will end it.
    expires: Option<Duration>,
    /// Unix seconds at `now == 0`.
    epoch: u64,
    /// A new connection was asked for while this one works.
    replacing: bool,
    /// Not before this time.
    replace_after: Duration,
    /// The host wants what only a new connection can have.
    stale: bool,
    /// The model has spoken: its voice is fixed.
    spoke: bool,
    /// What the server said went wrong, for when it closes.
    last_error: Option<Error>,
}

/// The person's side.
#[derive(Debug, Default)]
struct Turn {
    speaking: bool,
    pressed: bool,
    /// Samples sent since the last clear or commit.
    uncommitted: u64,
    /// The server will answer by itself; since when.
    awaiting: Option<Duration>,
}

impl Session {
    /// A session that wants its first connection. `nonce` is any number, different for every session.
    pub fn new(options: Options, nonce: u64) -> Self {
        let config = options.session.to_tree().into();
        let instructions = options.session.instructions.clone().unwrap_or_default();
        let ledger = Ledger::new(options.output_rate);
        let mut session = Self {
            options,
            config,
            phase: Phase::Connecting,
            now: Duration::ZERO,
            actions: VecDeque::new(),
            ledger,
            history: History::default(),
            calls: Calls::default(),
            answers: Answers::default(),
            usage: Usage::default(),
            turn: Turn::default(),
            link: Link::default(),
            posture: Posture::Idle,
            sent: VecDeque::new(),
            nonce,
            names: 0,
            asked: VecDeque::new(),
            listing: Vec::new(),
            listing_since: Duration::ZERO,
            accepted: None,
            instructions,
        };
        session.tell(Event::State(State::Connecting));
        session.actions.push_back(Action::Connect { after: Duration::ZERO });
        session
    }

    /// A session as it was recorded, its settings as a tree.
    pub(crate) fn recorded(options: Options, config: Value, nonce: u64) -> Self {
        Self { config: config.into(), ..Self::new(options, nonce) }
    }

    /// What to do next; `None` until something happens or [`deadline`](Self::deadline) passes.
    pub fn poll(&mut self, now: Duration) -> Option<Action> {
        self.advance_to(now);
        if self.actions.is_empty() {
            self.tick();
            self.settle();
        }
        self.actions.pop_front()
    }

    /// A transport is open. `unix_now` is the time of day in Unix seconds, which the server's deadlines refer to.
    ///
    /// `false`: not now, close it; the connection that is open still serves a turn.
    pub fn opened(&mut self, now: Duration, unix_now: u64) -> bool {
        self.advance_to(now);
        if self.phase == Phase::Closed {
            return false;
        }
        if self.link.replacing && !self.may_replace() {
            self.link.replacing = false;
            self.link.replace_after = self.now + Duration::from_secs(2);
            return false;
        }
        self.forget_connection();
        let epoch = unix_now.saturating_sub(self.now.as_secs());
        self.link = Link { attempt: self.link.attempt, since: self.now, epoch, ..Link::default() };
        self.phase = Phase::Greeting { since: self.now };
        true
    }

    /// The transport could not be opened, or broke, or was closed by the server.
    pub fn lost(&mut self, now: Duration, why: Error, chance: u64) {
        self.advance_to(now);
        if self.phase == Phase::Closed {
            return;
        }
        if self.link.replacing
            && self.phase == Phase::Ready
            && self.link.expires.is_none_or(|at| at > self.now)
        {
            // Only the replacement failed; what we have still works.
            self.link.replacing = false;
            self.link.replace_after = self.now + Duration::from_secs(10);
            return;
        }
        let why = self.link.last_error.take().unwrap_or(why);
        self.give_up_or_retry(why, chance);
    }

    /// The open connection broke while its replacement is on its way, or not.
    pub fn broke(&mut self, now: Duration, why: Error, chance: u64) {
        self.link.replacing = false;
        self.lost(now, why, chance);
    }

    /// Samples of `utterance` that have left the loudspeaker, in all; `u64::MAX` when its sound has ended.
    ///
    /// This is the truth that the model is told when it is cut. Take it from the clock of the audio device, and report often.
    /// Who hears an utterance has heard the ones before it.
    pub fn heard(&mut self, utterance: u64, samples: u64) {
        self.ledger.heard(utterance, samples);
        self.pose();
    }

    /// Samples of the person's voice that were sent.
    pub fn appended(&mut self, samples: u64) {
        self.turn.uncommitted = self.turn.uncommitted.saturating_add(samples);
    }

    /// The rate of the answers, in Hz.
    pub fn output_rate(&self) -> u32 {
        self.options.output_rate
    }

    /// What was said on both sides, in the order of the conversation.
    pub fn history(&self) -> impl Iterator<Item = &Entry> {
        self.history.entries()
    }

    /// What it has cost so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Whether the connection is up and the session agreed on.
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Whether it is over for good.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// What the face should look like it is doing.
    pub fn posture(&self) -> Posture {
        self.posture
    }

    // ── what all parts share ──

    fn advance_to(&mut self, now: Duration) {
        self.now = self.now.max(now.min(LAST_DAY));
    }

    fn tell(&mut self, event: Event) {
        self.actions.push_back(Action::Tell(event));
    }

    fn problem(&mut self, error: Error, about: Option<&'static str>) {
        self.tell(Event::Problem { error, about });
    }

    /// Sends, and returns the name of what was sent. Only on a connection that works.
    fn send(&mut self, event: ClientEvent) -> String {
        let event_id = self.name("evt");
        if self.sent.len() == MOST_SENT {
            self.sent.pop_front();
        }
        self.sent.push_back((event_id.clone(), event.kind()));
        self.actions.push_back(Action::Send { event, event_id: event_id.clone() });
        event_id
    }

    /// A name of at most 32 characters that nobody else gives.
    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}_{:08x}{:x}", self.nonce as u32, self.names)
    }

    fn is_transcription(&self) -> bool {
        self.options.session.kind == SessionKind::Transcription
    }

    fn turn_detection(&self) -> Option<&Value> {
        self.config.pointer("/audio/input/turn_detection")
    }

    /// Turns are the host's: push to talk.
    fn is_manual(&self) -> bool {
        self.turn_detection().is_some_and(Value::is_null)
    }

    /// The server does this by itself at the edges of speech.
    fn server_does(&self, what: &str) -> bool {
        match self.turn_detection() {
            Some(Value::Null) => false,
            Some(detection) => detection.get(what) != Some(&Value::Bool(false)),
            None => true,
        }
    }

    /// Ends every answer that is being made or sounds, and tells the model what was heard.
    fn cut(&mut self, cancel: bool) {
        let cuts = self.ledger.cut();
        let cut = |number: &u64| cuts.iter().any(|cut| cut.utterance == *number);
        self.actions.retain(|action| match action {
            Action::Tell(
                Event::Began { utterance } | Event::Audio { utterance, .. } | Event::Ended { utterance },
            ) => !cut(utterance),
            _ => true,
        });
        for number in cuts.iter().rev().map(|cut| cut.utterance).filter(|number| *number > 0) {
            self.actions.push_front(Action::Tell(Event::Interrupted { utterance: number }));
        }
        if let Some(active) = &mut self.answers.active {
            let id = active.id.clone();
            let ask = cancel && !active.cancelled;
            active.cancelled |= cancel;
            self.answers.bury(&id);
            self.calls.response_cut(&id);
            if ask && self.phase == Phase::Ready {
                self.send(ClientEvent::ResponseCancel { response_id: Some(id) });
            }
        }
        self.answers.cut_pending();
        for cut in &cuts {
            self.answers.bury(&cut.response_id);
            for verdict in cut.verdicts.iter().filter(|verdict| verdict.remedy != Remedy::Keep) {
                self.forget(verdict);
            }
        }
        self.pose();
    }

    /// The model believes that everything it said was heard, until it is told otherwise.
    fn forget(&mut self, verdict: &playback::Verdict) {
        let item_id = verdict.item_id.clone();
        self.history.cut(&item_id, &verdict.parts);
        if self.phase != Phase::Ready || !self.options.capabilities.truncate {
            return;
        }
        match verdict.remedy {
            Remedy::Truncate { content_index, audio_end_ms } => {
                self.send(ClientEvent::ItemTruncate { item_id, content_index, audio_end_ms });
            }
            Remedy::Delete => {
                self.send(ClientEvent::ItemDelete { item_id });
            }
            Remedy::Retell => {
                let id = self.name("msg");
                if let Some(text) = self.history.retell(&item_id, &id) {
                    let item = NewItem::Assistant { id: Some(id), text };
                    self.send(ClientEvent::ItemCreate { previous_item_id: Some(item_id.clone()), item });
                }
                self.send(ClientEvent::ItemDelete { item_id });
            }
            Remedy::Keep => {}
        }
    }

    /// Passes on what the ledger lets in.
    fn flow(&mut self) {
        while let Some(flow) = self.ledger.next() {
            self.tell(match flow {
                Flow::Begin(utterance) => Event::Began { utterance },
                Flow::Audio(utterance, pcm) => Event::Audio { utterance, pcm },
                Flow::End(utterance) => Event::Ended { utterance },
            });
        }
    }

    fn pose(&mut self) {
        let posture = if self.turn.speaking || self.turn.pressed {
            Posture::Listening
        } else if self.ledger.sounding() {
            Posture::Speaking
        } else if self.calls.running() {
            Posture::Working
        } else if self.turn.awaiting.is_some() || self.answers.expected() {
            Posture::Thinking
        } else {
            Posture::Idle
        };
        if posture != self.posture {
            self.posture = posture;
            self.tell(Event::Posture(posture));
        }
    }

    /// What does not outlive a connection.
    fn forget_connection(&mut self) {
        self.ledger.disconnect();
        self.flow();
        if let Some(response_id) = self.answers.disconnect() {
            let status = ResponseStatus::Failed;
            self.tell(Event::ResponseDone { response_id, status, usage: None });
        }
        // Functions run on: what they answer is told to the next connection.
        self.calls.disconnect();
        for (request_id, answered) in std::mem::take(&mut self.asked) {
            if !answered {
                let text = format!(
                    "approval request {request_id} was lost with its connection; the model may ask again"
                );
                self.problem(Error::new(ErrorKind::Network, text), None);
            }
        }
        self.turn = Turn { pressed: self.turn.pressed, ..Turn::default() };
        self.listing.clear();
        self.pose();
    }

    fn give_up_or_retry(&mut self, why: Error, chance: u64) {
        // Only a connection that served for a while shows that the trouble before is over.
        if self.phase == Phase::Ready && self.now >= self.link.since + LEAST_LIFE {
            self.link.attempt = 0;
        }
        self.forget_connection();
        if why.kind().is_final() || self.link.attempt >= self.options.reconnect_attempts {
            self.end(Some(why));
            return;
        }
        // A connection that lived to its end is no failure of the network.
        let after = match why.kind() {
            ErrorKind::Closed if self.link.attempt == 0 => Duration::ZERO,
            _ => reconnect::pause(self.link.attempt, chance),
        };
        self.link.attempt += 1;
        self.phase = Phase::Connecting;
        self.tell(Event::State(State::Reconnecting { attempt: self.link.attempt, after, why }));
        self.actions.push_back(Action::Connect { after });
    }

    fn end(&mut self, why: Option<Error>) {
        if self.phase == Phase::Closed {
            return;
        }
        self.calls.clear();
        self.asked.clear();
        self.forget_connection();
        self.phase = Phase::Closed;
        self.tell(Event::State(State::Closed(why)));
        self.actions.push_back(Action::Close);
    }
}
