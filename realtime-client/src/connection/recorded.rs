//! A conversation as lines of JSON, and again without a network.
//!
//! Everything that a [`Session`] learns goes into the file, with the time at which it did; what it decided is not needed, because it
//! decides the same again. What was sent is there all the same, for whoever reads.
//!
//! | line | is |
//! |---|---|
//! | `{"recording":1, …}` | the first: how the session was set |
//! | `{"at":…, "opened":…}` | a connection, at this time of day in Unix seconds |
//! | `{"at":…, "server":…}` | what the server said; text where it was no JSON |
//! | `{"at":…, "lost":…}`, `"broke"` | the connection, and the chance that the pause was drawn with |
//! | `{"at":…, "heard":[…]}` | an utterance and its samples |
//! | `{"at":…, "host":…, "with":…}` | what the host asked for |
//! | `{"at":…, "sent":…}` | what the session sent; not read again |
//!
//! Times are microseconds since the start. The key is in no line, and neither is what remote servers of tools are told in secret.

use std::collections::VecDeque;
use std::io::{BufRead, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::secret::hidden;
use crate::protocol::{ClientEvent, Dialect, ServerEvent, SessionKind, UserPart};
use crate::session::{Action, Capabilities, Options, Session, ToolOutput};
use crate::{Config, Error, ErrorKind, Result};

use super::secrets::Secrets;

/// Of the lines that are written and read here.
const FORMAT: u64 = 1;
/// A longer line is no line of a recording: a frame of 64 MiB fits.
const LONGEST: u64 = 80 << 20;

/// Writes a conversation down as it happens.
pub(crate) struct Recorder {
    out: Option<Box<dyn Write + Send>>,
    secrets: Arc<Secrets>,
}

impl Recorder {
    pub(super) fn new(
        out: Option<Box<dyn Write + Send>>,
        config: &Config,
        secrets: Arc<Secrets>,
        nonce: u64,
    ) -> Self {
        let mut recorder = Self { out, secrets };
        let (options, can) = (&config.options, config.options.capabilities);
        recorder.line(|| {
            json!({"recording": FORMAT, "nonce": nonce, "input_rate": options.input_rate, "output_rate": options.output_rate,
                "tool_timeout_ms": options.tool_timeout.as_millis() as u64, "reconnect_attempts": options.reconnect_attempts,
                "roll_over_before_ms": options.roll_over_before.as_millis() as u64,
                "capabilities": [can.truncate, can.update_ack, can.images, can.asides, can.mcp],
                "session": hidden(&options.session.to_tree())})
        });
        recorder
    }

    /// Writes a line of this; nothing is made where nobody records.
    pub(super) fn note(&mut self, now: Duration, kind: &str, what: impl FnOnce() -> Value) {
        self.line(|| json!({"at": now.as_micros() as u64, kind: what()}));
    }

    /// What the host asked for.
    pub(super) fn host(&mut self, now: Duration, asked: impl FnOnce() -> (&'static str, Value)) {
        self.line(|| {
            let (name, with) = asked();
            json!({"at": now.as_micros() as u64, "host": name, "with": with})
        });
    }

    fn line(&mut self, line: impl FnOnce() -> Value) {
        let Some(out) = &mut self.out else { return };
        let mut line = line();
        self.secrets.redact_tree(&mut line, false);
        if let Err(e) = writeln!(out, "{line}") {
            log::error!("the recording ends here: {e}");
            self.out = None;
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(Err(e)) = self.out.as_mut().map(|out| out.flush()) {
            log::error!("the end of the recording was lost: {e}");
        }
    }
}

/// What a recorded server frame was.
pub(super) fn frame(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// What a session sent, without what it told remote servers.
pub(super) fn sent(event: &ClientEvent, event_id: &str) -> Value {
    let mut frame = frame(&event.to_json(Some(event_id), &Dialect::ga()));
    for key in ["session", "response"] {
        if let Some(tree) = frame.get_mut(key) {
            *tree = hidden(tree);
        }
    }
    frame
}

/// A recorded conversation, told again by a session of its own: no network, no clock, no waiting.
///
/// An iterator over what the session does and when, on the clock of the recording. Two things are not repeated: settings of a single
/// answer ([`ResponseParams`](crate::protocol::ResponseParams)), and items that were added as they are; both only change what is sent.
/// An error ends it: a line that is no line of a recording names its number.
#[derive(Debug)]
pub struct Replay<R> {
    input: R,
    number: usize,
    session: Session,
    now: Duration,
    /// What the line that was read last does, at its time.
    next: Option<(Duration, Value)>,
    done: VecDeque<(Duration, Action)>,
    over: bool,
}

impl<R: BufRead> Replay<R> {
    /// Reads the first line.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: it does not begin as a recording does, or cannot be read.
    /// - [`ErrorKind::Unsupported`]: it was written by a later version.
    pub fn open(mut input: R) -> Result<Self> {
        let mut number = 0;
        let head = read(&mut input, &mut number)?.ok_or_else(|| wrong(1, "the recording is empty"))?;
        match head["recording"].as_u64() {
            Some(FORMAT) => {}
            Some(later) => {
                let text = format!("the recording has format {later}; this version reads {FORMAT}");
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            None => return Err(wrong(number, "it does not begin as a recording does")),
        }
        let session =
            Session::recorded(options(&head), head["session"].clone(), head["nonce"].as_u64().unwrap_or(0));
        let mut replay = Self {
            input,
            number,
            session,
            now: Duration::ZERO,
            next: None,
            done: VecDeque::new(),
            over: false,
        };
        replay.look();
        Ok(replay)
    }

    /// The session, with its history and its usage so far.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Everything that happens until something is done; `false` at the end.
    fn advance(&mut self) -> Result<bool> {
        let Some((at, line)) = (match self.next.take() {
            Some(next) => Some(next),
            None => read(&mut self.input, &mut self.number)?
                .map(|line| (Duration::from_micros(line["at"].as_u64().unwrap_or(0)), line)),
        }) else {
            return Ok(false);
        };
        // What time alone brings about comes first.
        if let Some(due) = self.session.deadline().filter(|due| *due < at) {
            self.next = Some((at, line));
            self.now = self.now.max(due);
            self.look();
            return Ok(true);
        }
        self.now = self.now.max(at);
        self.apply(&line)?;
        self.look();
        Ok(true)
    }

    fn look(&mut self) {
        while let Some(action) = self.session.poll(self.now) {
            self.done.push_back((self.now, action));
        }
    }

    fn apply(&mut self, line: &Value) -> Result<()> {
        let (session, now) = (&mut self.session, self.now);
        let has = |key: &str| line.get(key);
        if let Some(server) = has("server") {
            let text = server.as_str().map_or_else(|| server.to_string(), str::to_owned);
            session.handle(ServerEvent::parse(&text), now);
        } else if let Some(unix) = has("opened") {
            session.opened(now, unix.as_u64().unwrap_or(0));
        } else if let Some(why) = has("lost") {
            session.lost(now, failure(why), why["chance"].as_u64().unwrap_or(0));
        } else if let Some(why) = has("broke") {
            session.broke(now, failure(why), why["chance"].as_u64().unwrap_or(0));
        } else if let Some(heard) = has("heard") {
            session.heard(heard[0].as_u64().unwrap_or(0), heard[1].as_u64().unwrap_or(0));
        } else if let Some(asked) = has("host").and_then(Value::as_str) {
            ask(session, asked, &line["with"]);
        } else if has("sent").is_none() {
            return Err(wrong(self.number, "it is none of the lines of a recording"));
        }
        Ok(())
    }
}

impl<R: BufRead> Iterator for Replay<R> {
    type Item = Result<(Duration, Action)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(done) = self.done.pop_front() {
                return Some(Ok(done));
            }
            if self.over {
                return None;
            }
            match self.advance() {
                Ok(more) => self.over = !more,
                Err(e) => {
                    self.over = true;
                    return Some(Err(e));
                }
            }
        }
    }
}

/// What the host asked for once, asked again. That it was refused then is no reason to stop now.
fn ask(session: &mut Session, asked: &str, with: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let refused = match asked {
        "say" => session.say(parts(with), true),
        "interrupt" => {
            session.interrupt();
            Ok(())
        }
        "press" => session.press(),
        "release" => {
            session.appended(with.as_u64().unwrap_or(0));
            session.release()
        }
        "respond" => session.respond(None),
        "aside" => session.aside(&text(with), Default::default()),
        "update" => session.update_tree(with.clone()),
        "hint" => session.hint(&text(with)),
        "retrieve_item" => session.retrieve_item(&text(with)),
        "delete_item" => session.delete_item(&text(with)),
        "approve" => {
            session.approve(&text(&with[0]), with[1] == json!(true), with[2].as_str().map(str::to_owned))
        }
        "tool_output" => {
            let reply = with[2] == json!(true);
            let output =
                if reply { ToolOutput::new(text(&with[1])) } else { ToolOutput::silent(text(&with[1])) };
            session.tool_output(&text(&with[0]), output);
            Ok(())
        }
        "overflow" => {
            session.overflow(&text(with));
            Ok(())
        }
        "close" => {
            session.close();
            Ok(())
        }
        _ => Ok(()),
    };
    if let Err(e) = refused {
        log::debug!("{asked} was refused: {e}");
    }
}

fn parts(content: &Value) -> Vec<UserPart> {
    let text = |part: &Value, key: &str| part[key].as_str().map(str::to_owned);
    let part = |part: &Value| {
        Some(match part["type"].as_str()? {
            "input_text" => UserPart::Text { text: text(part, "text")? },
            "input_audio" => {
                UserPart::Audio { audio: text(part, "audio")?, transcript: text(part, "transcript") }
            }
            "input_image" => UserPart::Image { image_url: text(part, "image_url")?, detail: None },
            _ => return None,
        })
    };
    content.as_array().into_iter().flatten().filter_map(part).collect()
}

fn options(head: &Value) -> Options {
    let mut options = Options::default();
    let can = |index: usize| head["capabilities"][index] != json!(false);
    let millis = |key: &str, usual: Duration| head[key].as_u64().map_or(usual, Duration::from_millis);
    let rate = |key: &str, usual: u32| {
        head[key].as_u64().and_then(|rate| u32::try_from(rate).ok()).filter(|rate| *rate > 0).unwrap_or(usual)
    };
    options.capabilities =
        Capabilities { truncate: can(0), update_ack: can(1), images: can(2), asides: can(3), mcp: can(4) };
    options.input_rate = rate("input_rate", options.input_rate);
    options.output_rate = rate("output_rate", options.output_rate);
    options.tool_timeout = millis("tool_timeout_ms", options.tool_timeout);
    options.roll_over_before = millis("roll_over_before_ms", options.roll_over_before);
    options.reconnect_attempts = head["reconnect_attempts"].as_u64().map_or(5, |n| n as u32);
    if head["session"]["type"] == "transcription" {
        options.session.kind = SessionKind::Transcription;
    }
    options
}

/// Why a connection was lost, as it is written.
pub(super) fn written(why: &Error, chance: u64) -> Value {
    json!({"final": why.kind().is_final(), "closed": why.kind() == ErrorKind::Closed, "message": why.to_string(),
        "chance": chance})
}

/// And as it is read: the kind matters only as far as the session acts on it.
fn failure(why: &Value) -> Error {
    let kind = match (why["final"] == json!(true), why["closed"] == json!(true)) {
        (true, _) => ErrorKind::Incompatible,
        (_, true) => ErrorKind::Closed,
        _ => ErrorKind::Network,
    };
    Error::new(kind, why["message"].as_str().unwrap_or("the connection was lost").to_owned())
}

fn read(input: &mut impl BufRead, number: &mut usize) -> Result<Option<Value>> {
    loop {
        let mut line = Vec::new();
        *number += 1;
        let length = Read::take(&mut *input, LONGEST).read_until(b'\n', &mut line);
        match length {
            Ok(0) => return Ok(None),
            Ok(length) if length as u64 == LONGEST => return Err(wrong(*number, "it is too long")),
            Ok(_) if line.trim_ascii().is_empty() => {}
            Ok(_) => {
                let value =
                    serde_json::from_slice::<Value>(&line).map_err(|e| wrong(*number, &e.to_string()))?;
                return if value.is_object() {
                    Ok(Some(value))
                } else {
                    Err(wrong(*number, "it is no object"))
                };
            }
            Err(e) => return Err(wrong(*number, &format!("it cannot be read: {e}"))),
        }
    }
}

fn wrong(number: usize, why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("line {number} of the recording: {why}"))
}
