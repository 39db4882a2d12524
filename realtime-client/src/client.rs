use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::connection::{Line, within};
use crate::protocol::secret::hidden;
use crate::protocol::{NewItem, ResponseParams, SessionUpdate, UserPart};
use crate::session::{Entry, Event, Posture, Session, State, ToolOutput, Usage};
use crate::voice::{Sense, VoiceSink};
use crate::{Config, Error, ErrorKind, Result, Tools};

/// A live conversation: voice in, voice out, over as many connections as it takes.
///
/// Needs no async runtime of the host: the network lives on two threads that all clients of the process share. Calls take
/// effect at once and wait for nothing but each other; what happens comes out of [`next`](Self::next), or of
/// [`wait`](Self::wait) for threads that may block. Cloning gives another handle; the last one dropped closes the session.
///
/// ```no_run
/// # async fn talk(speaker: &mut Vec<i16>) -> realtime_client::Result<()> {
/// use realtime_client::{Config, RealtimeClient, session::Event};
///
/// let talk = RealtimeClient::connect(Config::from_env()?).await?;
/// talk.say("Who are you?")?;
/// while let Some(event) = talk.next().await {
///     match event {
///         Event::Audio { pcm, .. } => speaker.extend(pcm),
///         Event::Interrupted { .. } => speaker.clear(),
///         Event::Transcript { delta, .. } => print!("{delta}"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RealtimeClient {
    line: Arc<Line>,
}

/// What a client is made of, besides its configuration.
#[derive(Default)]
pub struct Builder {
    tools: Tools,
    sink: Option<Box<dyn VoiceSink>>,
    sense: Option<Box<dyn Sense>>,
    record: Record,
}

/// Where a conversation is written down.
#[derive(Default)]
struct Record(Option<Box<dyn Write + Send>>);

impl Builder {
    /// Functions that the model may call. They run by themselves; the host only sees that they do.
    #[must_use]
    pub fn tools(mut self, tools: Tools) -> Self {
        self.tools = tools;
        self
    }

    /// Where answers sound, without the host in between.
    #[must_use]
    pub fn voice(mut self, sink: impl VoiceSink + 'static) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// Somebody who listens to the person besides the model.
    #[must_use]
    pub fn sense(mut self, sense: impl Sense + 'static) -> Self {
        self.sense = Some(Box::new(sense));
        self
    }

    /// Writes the conversation down as lines of JSON, for a [`Replay`](crate::Replay): everything but the person's voice and the
    /// key. Called on threads of this crate, so give it a buffered file and no slow device; when it fails the recording ends and
    /// the conversation goes on.
    #[must_use]
    pub fn record(mut self, into: impl Write + Send + 'static) -> Self {
        self.record = Record(Some(Box::new(into)));
        self
    }

    /// Begins to connect and returns at once; [`Event::State`] tells how it goes.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the configuration cannot work.
    pub fn start(self, mut config: Config) -> Result<RealtimeClient> {
        if !self.tools.is_empty() {
            config.options.session.tools.get_or_insert_default().extend(self.tools.declared());
        }
        let tools = self.tools;
        let watch = move |event: &Event, shared: &std::sync::Weak<crate::connection::Shared>| {
            let Event::ToolCall { call_id, name, arguments } = event else { return };
            let (id, shared) = (call_id.clone(), shared.clone());
            let answer = move |output: ToolOutput| {
                if let Some(shared) = shared.upgrade() {
                    let what = || ("tool_output", json!([id, output.text, output.reply]));
                    shared.asked(what, |session| session.tool_output(&id, output.clone()));
                }
            };
            tools.call(name, arguments, Box::new(answer));
        };
        let line = Line::start(config, self.sink, self.sense, Box::new(watch), self.record.0)?;
        Ok(RealtimeClient { line: Arc::new(line) })
    }
}

impl RealtimeClient {
    /// A client with functions, a voice of its own, or a sense.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Connects, and waits until the server has taken the session. The events until then are spent.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the configuration cannot work, or the server refused it.
    /// - [`ErrorKind::Unauthorized`], [`ErrorKind::Quota`], [`ErrorKind::NotFound`], [`ErrorKind::Incompatible`],
    ///   [`ErrorKind::Untrusted`]: the server will not talk; the message says what to do.
    /// - [`ErrorKind::Network`], [`ErrorKind::TimedOut`], [`ErrorKind::Busy`], [`ErrorKind::Refused`]: no connection after several
    ///   attempts.
    pub async fn connect(config: Config) -> Result<Self> {
        let client = Self::builder().start(config)?;
        client.ready().await?;
        Ok(client)
    }

    /// Waits until the session is ready. The events until then are spent.
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect).
    pub async fn ready(&self) -> Result<()> {
        while let Some(event) = self.next().await {
            match event {
                Event::State(State::Ready) => return Ok(()),
                Event::State(State::Closed(Some(why))) => return Err(why),
                _ => {}
            }
        }
        Err(Error::new(ErrorKind::Closed, "the session is over; open another"))
    }

    /// What happened next; `None` when the session is over and everything was told. For one reader; may be dropped and called again.
    pub async fn next(&self) -> Option<Event> {
        self.line.shared.next().await
    }

    /// [`next`](Self::next) within this time.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::TimedOut`]: nothing happened. Call again.
    pub async fn next_within(&self, time: Duration) -> Result<Option<Event>> {
        within(time, self.next()).await.ok_or_else(|| nothing(time))
    }

    /// [`next`](Self::next) for a thread that may block.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::TimedOut`]: nothing happened. Call again.
    pub fn wait(&self, time: Duration) -> Result<Option<Event>> {
        self.line.shared.wait(time).map_err(|()| nothing(time))
    }

    /// Has `told` called whenever there may be something new for [`wait`](Self::wait), which is then called with no time. For hosts that
    /// wait for many things at once. `false` if it was set before.
    ///
    /// Called while the session is locked: it must neither block nor ask this client anything, only wake whoever waits.
    pub fn on_news(&self, told: impl Fn() + Send + Sync + 'static) -> bool {
        self.line.shared.on_news(told)
    }

    /// Adds the person's voice, mono at the provider's input rate; returns how many samples were dropped, because the network
    /// is slower than the voice or there is no connection: the oldest go first.
    ///
    /// Copies, allocates only while its ring grows, never waits for the network. Keep pushing silence between turns: the server finds
    /// their end in it.
    pub fn push_audio(&self, pcm: &[i16]) -> u64 {
        self.line.shared.push_voice(pcm)
    }

    /// Samples of the person's voice that were dropped so far.
    pub fn dropped_audio(&self) -> u64 {
        self.line.shared.dropped()
    }

    /// Samples of `utterance` that have left the loudspeaker, in all; `u64::MAX` when its sound has ended.
    ///
    /// Take it from the clock of the audio device and report it often: when the person interrupts, this is what the model
    /// is told that was heard.
    pub fn heard(&self, utterance: u64, samples: u64) {
        self.line.shared.heard(utterance, samples);
    }

    /// The person writes this; an answer is asked for.
    ///
    /// # Errors
    ///
    /// Those of [`Session::say`](crate::session::Session::say).
    pub fn say(&self, text: &str) -> Result<()> {
        self.show(vec![UserPart::Text { text: text.to_owned() }])
    }

    /// The person says this with pictures or recorded voice; an answer is asked for.
    ///
    /// # Errors
    ///
    /// Those of [`Session::say`](crate::session::Session::say).
    pub fn show(&self, content: Vec<UserPart>) -> Result<()> {
        self.line.shared.wrote(&content);
        self.line.shared.asked(|| ("say", json!(content)), |session| session.say(content.clone(), true))
    }

    /// See [`Session::add_item`](crate::session::Session::add_item).
    ///
    /// # Errors
    ///
    /// Those of [`Session::add_item`](crate::session::Session::add_item).
    pub fn add_item(&self, item: NewItem) -> Result<()> {
        self.line.shared.with(|session| session.add_item(item, None))
    }

    /// See [`Session::delete_item`](crate::session::Session::delete_item).
    ///
    /// # Errors
    ///
    /// Those of [`Session::delete_item`](crate::session::Session::delete_item).
    pub fn delete_item(&self, item_id: &str) -> Result<()> {
        self.line.shared.asked(|| ("delete_item", json!(item_id)), |session| session.delete_item(item_id))
    }

    /// See [`Session::retrieve_item`](crate::session::Session::retrieve_item).
    ///
    /// # Errors
    ///
    /// Those of [`Session::retrieve_item`](crate::session::Session::retrieve_item).
    pub fn retrieve_item(&self, item_id: &str) -> Result<()> {
        self.line.shared.asked(|| ("retrieve_item", json!(item_id)), |session| session.retrieve_item(item_id))
    }

    /// See [`Session::respond`](crate::session::Session::respond).
    ///
    /// # Errors
    ///
    /// Those of [`Session::respond`](crate::session::Session::respond).
    pub fn respond(&self, params: Option<ResponseParams>) -> Result<()> {
        self.line.shared.asked(|| ("respond", Value::Null), |session| session.respond(params))
    }

    /// See [`Session::aside`](crate::session::Session::aside).
    ///
    /// # Errors
    ///
    /// Those of [`Session::aside`](crate::session::Session::aside).
    pub fn aside(&self, tag: &str, params: ResponseParams) -> Result<()> {
        self.line.shared.asked(|| ("aside", json!(tag)), |session| session.aside(tag, params))
    }

    /// Cuts what is being made and what sounds.
    pub fn interrupt(&self) {
        self.line.shared.asked(|| ("interrupt", Value::Null), Session::interrupt);
    }

    /// Push to talk, key down. See [`Session::press`](crate::session::Session::press).
    ///
    /// # Errors
    ///
    /// Those of [`Session::press`](crate::session::Session::press).
    pub fn press(&self) -> Result<()> {
        self.line.shared.asked(|| ("press", Value::Null), Session::press)
    }

    /// Push to talk, key up. See [`Session::release`](crate::session::Session::release).
    ///
    /// # Errors
    ///
    /// Those of [`Session::release`](crate::session::Session::release).
    pub fn release(&self) -> Result<()> {
        self.line.shared.release()
    }

    /// See [`Session::update`](crate::session::Session::update).
    ///
    /// # Errors
    ///
    /// Those of [`Session::update`](crate::session::Session::update).
    pub fn update(&self, update: &SessionUpdate) -> Result<()> {
        self.line.shared.asked(|| ("update", hidden(&update.to_tree())), |session| session.update(update))
    }

    /// Answers a function call that no registered function took; `false` if nobody waits for it any more.
    pub fn tool_output(&self, call_id: &str, output: ToolOutput) -> bool {
        let what = || ("tool_output", json!([call_id, output.text, output.reply]));
        self.line.shared.asked(what, |session| session.tool_output(call_id, output.clone()))
    }

    /// Whether a remote tool may run. See [`Session::approve`](crate::session::Session::approve).
    ///
    /// # Errors
    ///
    /// Those of [`Session::approve`](crate::session::Session::approve).
    pub fn approve(&self, request_id: &str, approve: bool, reason: Option<String>) -> Result<()> {
        let what = || ("approve", json!([request_id, approve, reason]));
        self.line.shared.asked(what, |session| session.approve(request_id, approve, reason.clone()))
    }

    /// Ends the session: the connection is closed within a second.
    pub fn close(&self) {
        self.line.shared.asked(|| ("close", Value::Null), Session::close);
    }

    /// What was said on both sides, in the order of the conversation. Copies.
    pub fn history(&self) -> Vec<Entry> {
        self.line.shared.read(|session| session.history().cloned().collect())
    }

    /// What it has cost so far.
    pub fn usage(&self) -> Usage {
        self.line.shared.read(Session::usage)
    }

    /// Whether it is over for good.
    pub fn is_closed(&self) -> bool {
        self.line.shared.read(Session::is_closed)
    }

    /// What the face should look like it is doing.
    pub fn posture(&self) -> Posture {
        self.line.shared.read(Session::posture)
    }

    /// The rate of the answers, in Hz.
    pub fn output_rate(&self) -> u32 {
        self.line.shared.read(Session::output_rate)
    }
}

impl std::fmt::Debug for RealtimeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealtimeClient").field("posture", &self.posture()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("tools", &self.tools).finish_non_exhaustive()
    }
}

fn nothing(time: Duration) -> Error {
    Error::new(ErrorKind::TimedOut, format!("nothing happened within {time:?}"))
}
