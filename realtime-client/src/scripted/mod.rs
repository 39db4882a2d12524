//! A server that speaks the protocol from a script: for tests, and for trying a conversation without a key or a network.
//!
//! It listens, finds turns by loudness (where meaning should decide, it waits for as long as the eagerness allows), answers with a
//! synthetic voice in a burst, is interrupted, calls functions and remote tools, and misbehaves in every way that a [`Fault`] names. The official Python client holds a conversation with it.

mod answer;
mod ear;
mod remote;
mod script;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::connection::listener::{self, Stop};
use crate::{Provider, Result};

pub(crate) use script::Script;

/// What a scripted server does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scenario {
    /// What it says, turn by turn, from the start again after the last. When empty it repeats what it was told.
    pub answers: Vec<String>,
    /// How long an answer is; by its text when `None`.
    pub answer_seconds: Option<f64>,
    /// The time from one piece of an answer to the next. Zero: everything in one burst.
    pub pace: Duration,
    /// Answers in this many items, all with sound.
    pub items: u32,
    /// Calls every declared function before it answers.
    pub calls_functions: bool,
    /// Calls a tool of the first remote server before it answers, and asks for approval first unless that is never wanted.
    pub calls_remote: bool,
    /// What it was understood to have heard.
    pub transcript: String,
    /// Its voice, 24 kHz, played from the start for every answer; synthetic when empty.
    pub voice: Arc<[i16]>,
    /// Texts that sound as these samples do, 24 kHz, and not as `voice`.
    pub voices: BTreeMap<String, Arc<[i16]>>,
    /// Sends events that nobody knows in between.
    pub chatters: bool,
    /// What goes wrong.
    pub fault: Option<Fault>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            answers: Vec::new(),
            answer_seconds: None,
            pace: Duration::ZERO,
            items: 1,
            calls_functions: false,
            calls_remote: false,
            transcript: "Something was said.".to_owned(),
            voice: Arc::from([]),
            voices: BTreeMap::new(),
            chatters: false,
            fault: None,
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The upgrade is answered with this status.
    Status(u16),
    /// The upgrade is answered with a redirect to another host.
    Redirect,
    /// 101, then an error of this code, then close 4000: how a beta client or a bad key is turned away.
    RejectedAfterUpgrade(String),
    /// 101, then nothing.
    NeverGreets,
    /// Never acknowledges `session.update`.
    NeverAcknowledges,
    /// Everything comes this late.
    Slow(Duration),
    /// TCP is dropped after this many events, on the first connection.
    DropAfter(usize),
    /// TCP is dropped in the middle of the frame after this many events, on the first connection.
    DropInside(usize),
    /// The first session expires when this many events were sent: an error, then close 1001.
    ExpireAfter(usize),
    /// Sessions say that they end after this many seconds.
    ShortLife(u64),
    /// An interrupted answer is over before it is said that the person speaks.
    CancelsBeforeSpeech,
    /// The sound of an item is said to be complete after pieces of the next one, and what the person said after the answer to it.
    WrongOrder,
    /// A frame of this many bytes.
    GiantFrame(usize),
    /// Sound that is no base64.
    BadBase64,
    /// Pieces of sound that end in the middle of a sample.
    OddBytes,
    /// Never reads again after the greeting.
    StopsReading,
    /// Every answer fails with this code.
    AnswersFail(String),
    /// Remote servers do not tell their tools.
    RemoteServersFail,
    /// Remote tools fail.
    RemoteToolsFail,
}

/// A scripted server on a port of this machine; dropped, it stops.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    seen: Seen,
    _stop: Stop,
}

/// What clients have sent, and what they came with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) record: Arc<Mutex<Record>>,
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) events: Vec<Value>,
    pub(crate) sent: Vec<Value>,
    /// Pieces of voice among them.
    pub(crate) voiced: usize,
    /// When each event was given to its socket, by its name.
    pub(crate) times: Vec<(String, Instant)>,
    pub(crate) connections: usize,
    pub(crate) closed: usize,
    pub(crate) pings: usize,
    pub(crate) samples: u64,
    /// The key of the last client.
    pub(crate) bearer: Option<String>,
    pub(crate) address: String,
}

/// Pieces of voice that are remembered.
pub(crate) const MOST_VOICED: usize = 8;
/// Events that are remembered.
pub(crate) const MOST_SEEN: usize = 20_000;

impl ScriptedServer {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Network`](crate::ErrorKind::Network): no port is free.
    pub fn start(scenario: Scenario) -> Result<Self> {
        let seen = Seen::default();
        let (address, stop) = listener::listen(scenario, seen.clone())?;
        Ok(Self { address, seen, _stop: stop })
    }

    /// The profile of this server.
    pub fn provider(&self) -> Provider {
        let mut provider = Provider::openai();
        provider.name = "scripted".to_owned();
        provider.url = format!("ws://{}/v1/realtime", self.address);
        provider.key_variable = "REALTIME_API_KEY".to_owned();
        provider.model = Some("scripted".to_owned());
        provider
    }

    /// What clients have sent, without their sound; the first twenty thousand.
    pub fn seen(&self) -> Vec<Value> {
        self.lock().events.clone()
    }

    /// What it has sent itself, and of the pieces of its voice a few; the first twenty thousand.
    pub fn sent(&self) -> Vec<Value> {
        self.lock().sent.clone()
    }

    /// When events of this kind were given to their sockets; of the first twenty thousand of all kinds.
    pub fn sent_at(&self, kind: &str) -> Vec<Instant> {
        let record = self.lock();
        record.times.iter().filter(|(name, _)| name == kind).map(|(_, time)| *time).collect()
    }

    /// Connections that clients have opened.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// Connections that clients have closed in an orderly way.
    pub fn closed(&self) -> usize {
        self.lock().closed
    }

    /// Pings of clients.
    pub fn pings(&self) -> usize {
        self.lock().pings
    }

    /// Samples of the person's voice that have come.
    pub fn samples(&self) -> u64 {
        self.lock().samples
    }

    /// The bearer token of the last client.
    pub fn bearer(&self) -> Option<String> {
        self.lock().bearer.clone()
    }

    /// Path and query that the last client asked for.
    pub fn asked_for(&self) -> String {
        self.lock().address.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Record> {
        self.seen.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
