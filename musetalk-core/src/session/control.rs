//! The few numbers that the three ends of a session share. Every one has one writer, or only grows.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::stats::{Counters, nanos};
use super::sync::{AtomicBool, AtomicU64};
use crate::time::{Heard, UtteranceId};
use crate::{Error, ErrorKind};

/// Samples in the lower bits of a packed [`Heard`]: 2⁴⁰ samples are 65 days at 192 kHz.
const SAMPLE_BITS: u32 = 40;
const SAMPLE_MASK: u64 = (1 << SAMPLE_BITS) - 1;
const UTTERANCE_MASK: u64 = (1 << (64 - SAMPLE_BITS)) - 1;

/// Shared by writer, reader, interrupters and worker of one avatar.
#[derive(Debug)]
pub(crate) struct Control {
    /// The last utterance begun; written by the writer.
    begun: AtomicU64,
    /// Every utterance up to this one is cut; only grows.
    cut: AtomicU64,
    /// Every utterance up to this one has left the screen; written by the reader.
    past: AtomicU64,
    /// The position in the base cycle last shown, plus one; 0 while nothing was. Written by the reader.
    shown: AtomicU64,
    /// The clip that the host asked for last.
    wanted: AtomicU64,
    /// The reader takes every frame, as soon as it is made.
    recording: AtomicBool,
    /// The utterance amid which the worker last ran out of samples, and how many of all it had taken by then; packed.
    starved: AtomicU64,
    /// What was heard last, packed; 0 for nothing. Written by the reader.
    heard: AtomicU64,
    /// How many samples of the utterance begun last were pushed, packed; all bits of the samples once it is complete. Written
    /// by the writer.
    pushed: AtomicU64,
    /// What a frame costs, in nanoseconds; written by the worker.
    cost: AtomicU64,
    /// The writer has gone: what it left is all there will be.
    hung_up: AtomicBool,
    /// The reader has gone: the session is over.
    closed: AtomicBool,
    /// Why the worker gave this session up.
    failure: OnceLock<(ErrorKind, String)>,
    /// Tells the worker that something changed. Holds one; a second says nothing new.
    wake: Sender<()>,
    /// Tells a host that waits for several things at once that the reader has something to read.
    news: OnceLock<News>,
    pub(crate) counters: Counters,
}

impl Control {
    pub(crate) fn new(wake: Sender<()>) -> Self {
        Self {
            begun: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            past: AtomicU64::new(0),
            shown: AtomicU64::new(0),
            wanted: AtomicU64::new(0),
            recording: AtomicBool::new(false),
            starved: AtomicU64::new(u64::MAX),
            heard: AtomicU64::new(0),
            pushed: AtomicU64::new(0),
            cost: AtomicU64::new(0),
            hung_up: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            failure: OnceLock::new(),
            wake,
            news: OnceLock::new(),
            counters: Counters::default(),
        }
    }

    /// Wakes the worker. Never blocks, never allocates.
    pub(crate) fn wake(&self) {
        // Full means that the worker has not yet seen the last one: it will look at everything then.
        let _already_awake = self.wake.try_send(()).is_err();
    }

    /// Sets who is told of news. `false` if somebody was set before.
    pub(crate) fn on_news(&self, told: impl Fn() + Send + Sync + 'static) -> bool {
        self.news.set(News(Box::new(told))).is_ok()
    }

    /// There may be something new to read.
    pub(crate) fn tell_news(&self) {
        if let Some(News(told)) = self.news.get() {
            told();
        }
    }

    pub(crate) fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// Cuts everything begun so far; the last utterance that this cut.
    pub(crate) fn interrupt(&self) -> Option<u64> {
        let begun = self.begun();
        (begun > 0 && self.cut_through(begun)).then_some(begun)
    }

    /// Cuts `utterance` and all before it. One that has not begun cannot be cut in advance: its number may never come.
    pub(crate) fn interrupt_through(&self, utterance: u64) {
        self.cut_through(utterance.min(self.begun()));
    }

    /// Cuts `through` and all before it. `true` if that was news.
    pub(crate) fn cut_through(&self, through: u64) -> bool {
        let news = self.cut.fetch_max(through, Ordering::AcqRel) < through;
        self.wake();
        news
    }

    pub(crate) fn is_cut(&self, utterance: u64) -> bool {
        utterance <= self.cut.load(Ordering::Acquire)
    }

    pub(crate) fn set_past(&self, utterance: u64) {
        self.past.fetch_max(utterance, Ordering::AcqRel);
    }

    pub(crate) fn is_past(&self, utterance: u64) -> bool {
        utterance <= self.past.load(Ordering::Acquire)
    }

    pub(crate) fn set_shown(&self, position: u32) {
        self.shown.store(u64::from(position) + 1, Ordering::Release);
    }

    /// The position in the base cycle last shown.
    pub(crate) fn shown(&self) -> Option<u32> {
        self.shown.load(Ordering::Acquire).checked_sub(1).and_then(|position| u32::try_from(position).ok())
    }

    pub(crate) fn want_clip(&self, clip: usize) {
        self.wanted.store(clip as u64, Ordering::Release);
    }

    /// The clip that the host asked for last; the first one before he did.
    pub(crate) fn wanted_clip(&self) -> usize {
        usize::try_from(self.wanted.load(Ordering::Acquire)).unwrap_or(0)
    }

    pub(crate) fn set_starved(&self, utterance: u64, taken: u64) {
        self.starved.store(pack(utterance, taken), Ordering::Release);
    }

    /// The worker has taken all `pushed` samples, and needs more for the next frame of this utterance.
    pub(crate) fn is_starved(&self, utterance: u64, pushed: u64) -> bool {
        self.starved.load(Ordering::Acquire) == pack(utterance, pushed)
    }

    /// So much of this utterance was pushed; `None` for all of it.
    pub(crate) fn set_pushed(&self, utterance: u64, samples: Option<u64>) {
        self.pushed.store(pack(utterance, samples.unwrap_or(SAMPLE_MASK)), Ordering::Release);
    }

    /// At least so many samples of this utterance were pushed, or all that it has.
    pub(crate) fn has_pushed(&self, utterance: u64, samples: u64) -> bool {
        let packed = self.pushed.load(Ordering::Acquire);
        // One utterance is finished before the next begins.
        packed >> SAMPLE_BITS != utterance & UTTERANCE_MASK
            || packed & SAMPLE_MASK >= samples.min(SAMPLE_MASK)
    }

    pub(crate) fn set_cost(&self, cost: Duration) {
        self.cost.store(nanos(cost), Ordering::Relaxed);
    }

    /// What a frame is expected to cost, from its audio to its picture.
    pub(crate) fn cost(&self) -> Duration {
        Duration::from_nanos(self.cost.load(Ordering::Relaxed))
    }

    pub(crate) fn set_recording(&self) {
        self.recording.store(true, Ordering::Release);
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.recording.load(Ordering::Acquire)
    }

    pub(crate) fn set_heard(&self, heard: Option<Heard>) {
        let packed = heard.map_or(0, |heard| pack(heard.utterance.get(), heard.samples));
        self.heard.store(packed, Ordering::Release);
    }

    /// How much of this utterance was heard, if it is the one that sounds.
    pub(crate) fn heard_of(&self, utterance: u64) -> Option<u64> {
        let packed = self.heard.load(Ordering::Acquire);
        (packed != 0 && packed >> SAMPLE_BITS == utterance & UTTERANCE_MASK).then_some(packed & SAMPLE_MASK)
    }

    /// Says that nothing more will be pushed. The writer's last act: who learns of it also sees all that was pushed, which
    /// asking a ring whether its other end still exists does not promise.
    pub(crate) fn hang_up(&self) {
        self.hung_up.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn has_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Acquire)
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake();
        self.tell_news();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn fail(&self, error: &Error) {
        // The first failure is the cause; later ones follow from it.
        let _first = self.failure.set((error.kind(), error.to_string())).is_ok();
    }

    /// The error for a reader or writer whose worker has gone.
    pub(crate) fn gone(&self) -> Error {
        match self.failure.get() {
            Some((kind, message)) => Error::new(*kind, message.clone()),
            None => Error::new(ErrorKind::Closed, "the avatar is closed; open another one"),
        }
    }
}

/// Who is told that there is something to read.
struct News(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("News")
    }
}

/// An utterance and a number of samples in one word.
fn pack(utterance: u64, samples: u64) -> u64 {
    (utterance & UTTERANCE_MASK) << SAMPLE_BITS | samples.min(SAMPLE_MASK)
}

/// The number as the public type; numbers inside the session start at 1.
pub(crate) fn utterance(number: u64) -> Option<UtteranceId> {
    UtteranceId::new(number)
}
