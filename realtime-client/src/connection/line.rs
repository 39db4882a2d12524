//! A session and what carries it out: commands of the host and words of the server meet here, one at a time.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;

use crate::config::Config;
use crate::protocol::{Role, ServerEvent, UserPart};
use crate::session::{Action, Event, Session};
use crate::voice::{Sense, Sound, VoiceSink};
use crate::{Error, ErrorKind, Result};

use super::driver;
use super::mailbox::{Full, Mailbox};
use super::outbox::Outbox;
use super::recorded::{self, Recorder};
use super::secrets::Secrets;
use super::tasks::runtime;

/// Sound that may wait for the host: 43 MB.
const MOST_MINUTES: u64 = 15;

/// Hears of every event before the host does, on the crate's thread.
pub(crate) type Watch = Box<dyn Fn(&Event, &Weak<Shared>) + Send + Sync>;

/// What a host holds: dropped, the session ends.
pub(crate) struct Line {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    inner: Mutex<Inner>,
    sense: Option<Mutex<Box<dyn Sense>>>,
    watch: Watch,
    me: Weak<Self>,
    pub(super) outbox: Outbox,
    mailbox: Mailbox,
    pub(super) wake: Notify,
    started: Instant,
    pub(super) config: Config,
    pub(super) secrets: Arc<Secrets>,
    gone: AtomicBool,
}

struct Inner {
    session: Session,
    recorder: Recorder,
    sink: Option<Box<dyn VoiceSink>>,
    /// When the sink wants to be called.
    tick: Option<Duration>,
    order: Option<Order>,
    /// The number of the connection that serves.
    connection: u64,
}

/// What the driver must do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// When to open a connection, and whether the one that is open serves until then.
    Dial {
        after: Duration,
        keep: bool,
    },
    Close,
}

impl Line {
    /// Starts connecting.
    pub(crate) fn start(
        config: Config,
        sink: Option<Box<dyn VoiceSink>>,
        sense: Option<Box<dyn Sense>>,
        watch: Watch,
        record: Option<Box<dyn std::io::Write + Send>>,
    ) -> Result<Self> {
        config.check()?;
        let nonce = fastrand::u64(..);
        let session = Session::new(config.options.clone(), nonce);
        let secrets = Arc::new(Secrets::new(config.key.clone()));
        let recorder = Recorder::new(record, &config, Arc::clone(&secrets), nonce);
        let shared = Arc::new_cyclic(|me| Shared {
            inner: Mutex::new(Inner { session, recorder, sink, tick: None, order: None, connection: 0 }),
            sense: sense.map(Mutex::new),
            watch,
            me: Weak::clone(me),
            outbox: Outbox::new(config.options.input_rate, config.provider.dialect.clone()),
            mailbox: Mailbox::default(),
            wake: Notify::new(),
            started: Instant::now(),
            config,
            secrets,
            gone: AtomicBool::new(false),
        });
        shared.with(|_| ());
        let (runtime, driven) = (runtime()?, Arc::clone(&shared));
        runtime.spawn(async move {
            let driver = tokio::spawn(driver::drive(Arc::clone(&driven)));
            if driver.await.is_err() {
                // Code of the host's runs here too: a sink, a sense, a tool.
                let why = Error::new(ErrorKind::Internal, "the session's task panicked; the session is over");
                driven.with(|session| session.abandon(why));
                driven.end();
            }
        });
        Ok(Self { shared })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.gone.store(true, Relaxed);
        self.shared.asked(|| ("close", serde_json::Value::Null), Session::close);
    }
}

impl Shared {
    /// Asks something of the session, and carries out what follows. Waits for nothing but another such call.
    pub(crate) fn with<R>(&self, ask: impl FnOnce(&mut Session) -> R) -> R {
        let mut inner = self.lock();
        let answer = ask(&mut inner.session);
        self.carry_out(&mut inner);
        answer
    }

    /// The same, written down where a conversation is recorded.
    pub(crate) fn asked<R>(
        &self,
        what: impl FnOnce() -> (&'static str, serde_json::Value),
        ask: impl FnOnce(&mut Session) -> R,
    ) -> R {
        let mut inner = self.lock();
        inner.recorder.host(self.now(), what);
        let answer = ask(&mut inner.session);
        self.carry_out(&mut inner);
        answer
    }

    /// What has left the loudspeaker.
    pub(crate) fn heard(&self, utterance: u64, samples: u64) {
        let mut inner = self.lock();
        inner.recorder.note(self.now(), "heard", || serde_json::json!([utterance, samples]));
        inner.session.heard(utterance, samples);
        self.carry_out(&mut inner);
    }

    /// Reads the session.
    pub(crate) fn read<R>(&self, ask: impl FnOnce(&Session) -> R) -> R {
        ask(&self.lock().session)
    }

    /// The person's voice; how many samples were dropped.
    pub(crate) fn push_voice(&self, pcm: &[i16]) -> u64 {
        if let Some(sense) = &self.sense {
            let mut sense = sense.lock().unwrap_or_else(PoisonError::into_inner);
            sense.hear(pcm, self.config.options.input_rate);
        }
        self.outbox.push_voice(pcm)
    }

    /// The person writes this: what it tells of them is told before an answer is asked for.
    pub(crate) fn wrote(&self, content: &[UserPart]) {
        let Some(sense) = &self.sense else { return };
        for part in content {
            if let UserPart::Text { text } = part {
                let mut inner = self.lock();
                let hint = sense.lock().unwrap_or_else(PoisonError::into_inner).said(Role::User, text);
                self.hint(&mut inner, hint);
            }
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.outbox.dropped()
    }

    pub(crate) fn release(&self) -> Result<()> {
        let samples = self.outbox.uncommitted();
        // The turn is complete: what was felt in it is told before the answer to it is asked for.
        self.felt(&mut self.lock());
        self.asked(
            || ("release", samples.into()),
            |session| {
                session.appended(samples);
                session.release()
            },
        )
    }

    pub(crate) async fn next(&self) -> Option<Event> {
        self.mailbox.next().await
    }

    pub(crate) fn wait(&self, time: Duration) -> Result<Option<Event>, ()> {
        self.mailbox.wait(time)
    }

    pub(crate) fn on_news(&self, told: impl Fn() + Send + Sync + 'static) -> bool {
        self.mailbox.on_news(Box::new(told))
    }

    // ── what the driver does ──

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn take_order(&self) -> Option<Order> {
        self.lock().order.take()
    }

    /// A frame of the server.
    pub(super) fn receive(&self, connection: u64, frame: &str) {
        let frame = self.secrets.redact_frame(frame);
        let event = ServerEvent::parse(&frame);
        let mut inner = self.lock();
        let now = self.now();
        if inner.connection == connection {
            inner.recorder.note(now, "server", || recorded::frame(&frame));
            inner.session.handle(event, now);
        }
        self.carry_out(&mut inner);
    }

    /// A socket is open: the number of the connection, or `None` when it is not wanted now.
    pub(super) fn opened(&self) -> Option<u64> {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut inner = self.lock();
        let now = self.now();
        inner.recorder.note(now, "opened", || unix.into());
        let wanted = inner.session.opened(now, unix);
        let connection = wanted.then(|| {
            // Frames for the old connection are void from here on, and its writer closes it.
            inner.connection = self.outbox.restart();
            inner.connection
        });
        self.carry_out(&mut inner);
        connection
    }

    /// No connection could be opened.
    pub(super) fn lost(&self, why: Error) {
        let mut inner = self.lock();
        let (now, chance) = (self.now(), fastrand::u64(..));
        inner.recorder.note(now, "lost", || recorded::written(&why, chance));
        inner.session.lost(now, why, chance);
        self.carry_out(&mut inner);
    }

    /// A connection broke.
    pub(super) fn broke(&self, connection: u64, why: Error) {
        let mut inner = self.lock();
        if inner.connection == connection {
            let (now, chance) = (self.now(), fastrand::u64(..));
            inner.recorder.note(now, "broke", || recorded::written(&why, chance));
            inner.session.broke(now, why, chance);
        }
        self.carry_out(&mut inner);
    }

    /// The connection is closed, and no event follows. Where the answers sounded is given up first: who reads the last event may use it.
    pub(super) fn end(&self) {
        let sink = self.lock().sink.take();
        drop(sink);
        self.mailbox.end();
    }

    /// When something must be done although nothing happens.
    pub(super) fn alarm(&self) -> Option<Duration> {
        let mut inner = self.lock();
        self.carry_out(&mut inner);
        [inner.session.deadline(), inner.tick].into_iter().flatten().min()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out(&self, inner: &mut Inner) {
        let now = self.now();
        let mut news = false;
        while let Some(action) = inner.session.poll(now) {
            news = true;
            match action {
                Action::Send { event, event_id } => {
                    self.secrets.learn(&event);
                    inner.recorder.note(now, "sent", || recorded::sent(&event, &event_id));
                    if !self.outbox.push(&event, &event_id) {
                        let why = Error::new(ErrorKind::TimedOut, "the server does not read what it is sent");
                        let chance = fastrand::u64(..);
                        inner.recorder.note(now, "broke", || recorded::written(&why, chance));
                        inner.session.broke(now, why, chance);
                    }
                }
                Action::Tell(event) => self.tell(inner, event),
                Action::Connect { after } => {
                    let keep = inner.session.is_ready();
                    inner.order = Some(Order::Dial { after: now + after, keep });
                }
                Action::Close => inner.order = Some(Order::Close),
            }
        }
        if inner.tick.is_some_and(|due| due <= now) {
            inner.tick = inner.sink.as_mut().and_then(|sink| sink.tick()).map(|pause| now + pause);
        }
        self.outbox.set_open(inner.session.is_ready(), inner.session.listens());
        if news {
            self.wake.notify_one();
        }
    }

    fn tell(&self, inner: &mut Inner, event: Event) {
        let most = MOST_MINUTES * 60 * u64::from(inner.session.output_rate());
        if let Some(sink) = &mut inner.sink {
            match &event {
                Event::Began { utterance } => sink.take(Sound::Begin(*utterance)),
                Event::Audio { utterance, pcm } => sink.take(Sound::Samples(*utterance, pcm)),
                Event::Ended { utterance } => sink.take(Sound::End(*utterance)),
                Event::Interrupted { utterance } => sink.take(Sound::Cut(*utterance)),
                Event::Posture(posture) => sink.take(Sound::Posture(*posture)),
                _ => {}
            }
            let waiting = sink.waiting();
            // What waits in it is moved on soon, also when nothing else happens.
            inner.tick = inner.tick.or((waiting > 0).then(|| self.now()));
            if waiting > most {
                self.overflow(inner, "fifteen minutes of sound wait for the face");
            }
        }
        self.feel(inner, &event);
        (self.watch)(&event, &self.me);
        if matches!(event, Event::Audio { .. }) && !self.config.audio_events {
            return;
        }
        if self.gone.load(Relaxed) {
            return;
        }
        match self.mailbox.push(event, most) {
            Ok(()) => {}
            Err(Full::Sound) => self.overflow(inner, "fifteen minutes of sound were not read"),
            Err(Full::Events) => {
                let why = Error::new(
                    ErrorKind::BufferFull,
                    "the host has stopped reading events; the session was closed",
                );
                inner.session.abandon(why);
            }
        }
    }

    fn overflow(&self, inner: &mut Inner, what: &str) {
        inner.recorder.host(self.now(), || ("overflow", what.into()));
        inner.session.overflow(what);
    }

    /// Lets the sense know, and the model what it felt.
    fn feel(&self, inner: &mut Inner, event: &Event) {
        let Some(sense) = &self.sense else { return };
        let mut sense = sense.lock().unwrap_or_else(PoisonError::into_inner);
        let hint = match event {
            Event::UserSaid { text, .. } => sense.said(Role::User, text),
            Event::Said { text, .. } | Event::Wrote { text, .. } => sense.said(Role::Assistant, text),
            Event::SpeechStopped { .. } => sense.hint(),
            _ => None,
        };
        drop(sense);
        self.hint(inner, hint);
    }

    /// The person has finished: tells the model what the sense says of it.
    fn felt(&self, inner: &mut Inner) {
        let Some(sense) = &self.sense else { return };
        let hint = sense.lock().unwrap_or_else(PoisonError::into_inner).hint();
        self.hint(inner, hint);
    }

    fn hint(&self, inner: &mut Inner, hint: Option<String>) {
        let Some(hint) = hint else { return };
        inner.recorder.host(self.now(), || ("hint", hint.as_str().into()));
        if let Err(e) = inner.session.hint(&hint) {
            log::debug!("a hint came too late: {e}");
        }
    }
}
