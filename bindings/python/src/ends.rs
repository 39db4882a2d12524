//! The two ends of a session, each for one thread at a time: who comes second waits, without the interpreter.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use musetalk_core::{
    Avatar, AvatarAsset, Director, ErrorKind, FrameRate, FrameReader, Heard, Interrupter, PcmWriter,
    UtteranceId,
};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::error::{closed, invalid, raise, timed_out};
use crate::forked;
use crate::pcm::Pcm;
use crate::waiting::Patience;
use crate::wake::Signal;

/// Longer pushes are copied without the interpreter.
const SHORT: usize = 4096;
/// Samples that a scratch buffer keeps room for.
const KEPT: usize = 65_536;

/// Both ends of a new session. The listening one takes sound at `rate`, and has `room` for that many samples.
pub(crate) fn ends(avatar: Avatar, rate: u32, room: usize) -> (Arc<Ears>, Arc<Face>) {
    let (interrupter, director) = (avatar.interrupter(), avatar.director());
    let (fps, asset) = (avatar.fps(), Arc::clone(avatar.asset()));
    let (writer, reader) = avatar.split();
    let news = Arc::new(Signal::default());
    let ring = Arc::clone(&news);
    // A new reader tells nobody yet.
    let _first = reader.on_news(move || ring.ring());
    let ears = Ears {
        listening: Mutex::new(Listening::Open { writer, scratch: Vec::new() }),
        lent: Arc::default(),
        interrupter: interrupter.clone(),
        rate,
        room,
        by: AtomicU64::new(0),
    };
    (
        Arc::new(ears),
        Arc::new(Face {
            reader: Mutex::new(Some(reader)),
            queued: AtomicUsize::new(0),
            interrupter,
            director,
            news,
            fps,
            asset,
        }),
    )
}

/// Where sound goes in.
pub(crate) struct Ears {
    listening: Mutex<Listening>,
    /// Where a conversation puts the writer back when it is over.
    lent: Arc<Mutex<Lent>>,
    pub(crate) interrupter: Interrupter,
    /// Of the sound that is pushed, in Hz.
    pub(crate) rate: u32,
    /// Samples that fit in at most.
    room: usize,
    /// The thread that pushed last; 0 before.
    by: AtomicU64,
}

enum Listening {
    Open {
        writer: PcmWriter,
        scratch: Vec<f32>,
    },
    /// A conversation has the writer, until it is found in [`Ears::lent`].
    Given,
    Closed,
}

/// The writer between a conversation and its avatar. Its lock is held for no longer than a move takes.
#[derive(Default)]
enum Lent {
    #[default]
    Away,
    Back(PcmWriter),
    /// The avatar was closed meanwhile: nobody waits for it any more.
    Unwanted,
}

impl Lent {
    fn give_back(&mut self, writer: PcmWriter) {
        if !matches!(self, Self::Unwanted) {
            *self = Self::Back(writer);
        }
    }

    fn take(&mut self) -> Option<PcmWriter> {
        match std::mem::take(self) {
            Self::Back(writer) => Some(writer),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl Ears {
    /// The writer is taken home where a conversation has put it back.
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Listening> {
        let mut listening = self.listening.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        if matches!(*listening, Listening::Given)
            && let Some(writer) = self.lent().take()
        {
            *listening = Listening::Open { writer, scratch: Vec::new() };
        }
        listening
    }

    fn lent(&self) -> MutexGuard<'_, Lent> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&mut PcmWriter, &mut Vec<f32>) -> PyResult<R>,
    ) -> PyResult<R> {
        forked::check()?;
        match &mut *self.lock(py) {
            Listening::Open { writer, scratch } => {
                self.by.store(this_thread(), Ordering::Relaxed);
                ask(writer, scratch)
            }
            Listening::Given => {
                Err(closed("a conversation has this writer; only it can push until it is over"))
            }
            Listening::Closed => Err(closed("the avatar is closed; open another one")),
        }
    }

    pub(crate) fn begin(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |writer, _| writer.begin().map(UtteranceId::get).map_err(raise))
    }

    pub(crate) fn push(&self, pcm: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = pcm.py();
        let pcm = Pcm::of(pcm)?;
        self.with(py, |writer, scratch| {
            if pcm.count() > self.room {
                // Before any of it is copied. A closed or a cut one says so first.
                writer.may_push().map_err(raise)?;
                return Err(invalid(format!(
                    "pcm has {} samples, and at most {} are taken at once; push it in parts, or open the avatar with more buffer_seconds",
                    pcm.count(),
                    self.room
                )));
            }
            pcm.floats(py, scratch)?;
            let pushed =
                if scratch.len() > SHORT { py.detach(|| writer.push(scratch)) } else { writer.push(scratch) };
            if scratch.capacity() > KEPT {
                *scratch = Vec::new();
            }
            pushed.map_err(raise)
        })
    }

    pub(crate) fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |writer, _| writer.finish().map_err(raise))
    }

    /// For a conversation, which pushes from now on, and what gives the writer back.
    pub(crate) fn give(
        &self,
        py: Python<'_>,
    ) -> PyResult<(PcmWriter, impl FnOnce(PcmWriter) + Send + use<>)> {
        let mut listening = self.lock(py);
        match std::mem::replace(&mut *listening, Listening::Given) {
            Listening::Open { writer, .. } => {
                let lent = Arc::clone(&self.lent);
                let back = move |writer| {
                    lent.lock().unwrap_or_else(PoisonError::into_inner).give_back(writer);
                };
                Ok((writer, back))
            }
            Listening::Given => {
                Err(closed("another conversation has this writer; it is free once that one is over"))
            }
            Listening::Closed => {
                *listening = Listening::Closed;
                Err(closed("the avatar is closed; open another one"))
            }
        }
    }

    /// What was pushed is all there will be. What a conversation has is closed when it gives it back.
    pub(crate) fn close(&self, py: Python<'_>) {
        let before = std::mem::replace(&mut *self.lock(py), Listening::Closed);
        if matches!(before, Listening::Given) {
            let late = std::mem::replace(&mut *self.lent(), Lent::Unwanted);
            // One that has come back at this very moment.
            drop(late);
        }
    }

    /// This thread pushes the sound.
    fn are_mine(&self) -> bool {
        self.by.load(Ordering::Relaxed) == this_thread()
    }

    fn are_waited_for(&self, py: Python<'_>) -> bool {
        matches!(&*self.lock(py), Listening::Open { writer, .. } if writer.is_waited_for())
    }
}

/// A number for the thread that calls, never 0 and never used again.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

/// Where pictures come out.
pub(crate) struct Face {
    reader: Mutex<Option<FrameReader>>,
    /// Calls that wait for the reader. Who looks again and again lets them in between.
    queued: AtomicUsize,
    pub(crate) interrupter: Interrupter,
    pub(crate) director: Director,
    pub(crate) news: Arc<Signal>,
    pub(crate) fps: FrameRate,
    pub(crate) asset: Arc<AvatarAsset>,
}

impl Face {
    fn with<R>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&mut FrameReader) -> musetalk_core::Result<R>,
    ) -> PyResult<R> {
        self.ask(py, ask)?.map_err(raise)
    }

    fn ask<R>(&self, py: Python<'_>, ask: impl FnOnce(&mut FrameReader) -> R) -> PyResult<R> {
        forked::check()?;
        self.queued.fetch_add(1, Ordering::Relaxed);
        let mut reader = self.reader.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        self.queued.fetch_sub(1, Ordering::Relaxed);
        match reader.as_mut() {
            Some(reader) => Ok(ask(reader)),
            None => Err(closed("the avatar is closed; open another one")),
        }
    }

    /// The next frame; `None` at the end of an utterance. `ears` are those that the caller could push into.
    pub(crate) fn next_frame(
        &self,
        py: Python<'_>,
        ears: Option<&Ears>,
        patience: Patience,
    ) -> PyResult<Option<musetalk_core::Frame>> {
        loop {
            // Who pushes and reads on one thread would wait for himself. What others push, he may wait for.
            let ears = ears.filter(|ears| ears.are_mine());
            if ears.is_some() && !self.ask(py, |reader| reader.is_owed())? {
                return Ok(None);
            }
            // Asked before looking: what is made meanwhile must be seen.
            let in_vain = ears.is_some_and(|ears| ears.are_waited_for(py));
            let slice = if in_vain { Duration::ZERO } else { patience.slice() };
            let next = self.ask(py, |reader| py.detach(|| reader.next_frame_within(slice)))?;
            match next {
                Ok(frame) => return Ok(frame),
                Err(e) if e.kind() != ErrorKind::TimedOut => return Err(raise(e)),
                Err(_) if in_vain => {
                    let text = "the next frame needs more sound, and this thread is the one that pushes; push more, finish the \
                                utterance, or read on another thread";
                    return Err(invalid(text));
                }
                Err(_) if patience.is_over() => {
                    return Err(timed_out("no frame was ready in time; call again"));
                }
                Err(_) => py.check_signals()?,
            }
            if self.queued.load(Ordering::Relaxed) > 0 {
                // A lock goes to who asks first, which is who has just had it.
                py.detach(|| std::thread::sleep(Duration::from_millis(1)));
            }
        }
    }

    /// The next frame if there is one: `Some(None)` at the end of an utterance.
    pub(crate) fn poll(&self, py: Python<'_>) -> PyResult<Option<Option<musetalk_core::Frame>>> {
        self.news.hush();
        match self.ask(py, |reader| py.detach(|| reader.next_frame_within(Duration::ZERO)))? {
            Ok(frame) => Ok(Some(frame)),
            Err(e) if e.kind() == ErrorKind::TimedOut => Ok(None),
            Err(e) => Err(raise(e)),
        }
    }

    pub(crate) fn latest_at(
        &self,
        py: Python<'_>,
        heard: Option<Heard>,
    ) -> PyResult<Option<musetalk_core::Frame>> {
        // Drawing takes half a millisecond, in which others may run.
        self.with(py, |reader| py.detach(|| reader.latest_at(heard)))
    }

    pub(crate) fn paced(&self, py: Python<'_>) -> PyResult<musetalk_core::Frame> {
        self.with(py, |reader| py.detach(|| reader.paced()))
    }

    pub(crate) fn ready(&self, py: Python<'_>) -> PyResult<Option<Heard>> {
        self.with(py, FrameReader::ready)
    }

    /// Ends the session, from any thread; who waits for a frame wakes.
    pub(crate) fn close(&self, py: Python<'_>) {
        if forked::is_forked() {
            // What a thread of the parent held when it forked is held for ever.
            return;
        }
        self.interrupter.close();
        let reader = self.reader.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(reader));
    }
}
