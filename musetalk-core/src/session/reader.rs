//! The reading end: drains the outbox, asks the playhead what to show, and has it drawn.
//!
//! Here is what its three ways to read share: what was taken in, and which utterances are past. Each way has a file.

mod live;
mod paced;
mod picture;
mod recording;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};

use self::paced::Pace;
use self::picture::shown_of;
use super::compositor::Compositor;
use super::control::Control;
use super::footage::{self, Footage};
use super::hold::Hold;
use super::outbox::{Item, Patch};
use super::playhead::{Place, Playhead};
use crate::Result;
use crate::asset::AvatarAsset;
use crate::asset::cycle::Cycle;
use crate::pool::Lent;
use crate::time::FrameRate;

/// Frames that must be ready before the sound of an utterance may start.
const HEAD_START: u64 = 3;

/// An utterance that the worker has planned.
#[derive(Clone, Copy, Debug)]
struct Planned {
    utterance: u64,
    cycle: u32,
    /// Frames and samples, once the last one was made.
    end: Option<(u64, u64)>,
}

/// The rates of a session, and how it listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) fps: FrameRate,
    /// Of the pushed samples.
    pub(crate) rate: u32,
    /// From the start of a frame to the end of what must be pushed before it is made, at most.
    pub(crate) reach: Duration,
}

/// The state behind [`FrameReader`](crate::FrameReader).
#[derive(Debug)]
pub(crate) struct Reader {
    items: Receiver<Item>,
    control: Arc<Control>,
    footage: Footage,
    compositor: Compositor,
    playhead: Playhead,
    fps: FrameRate,
    rate: u32,
    hold: Hold,
    utterances: VecDeque<Planned>,
    queue: VecDeque<Lent<Patch>>,
    /// The patch on screen: what closes when speech ends. Given back once the mouth is closed.
    current: Option<Lent<Patch>>,
    /// The patch of the utterance before, while its mouth closes under the first frames of the next; and how much of it is left.
    leaving: Option<(Lent<Patch>, u8)>,
    /// The utterance and the number of the speech frame shown last.
    spoken: Option<(u64, u64)>,
    /// When the host last named an utterance.
    named: Duration,
    /// Frames from the patch shown before to the one on screen.
    step: u64,
    exhausted: bool,
    index: u64,
    opened: Instant,
    pace: Pace,
}

impl Reader {
    pub(crate) fn new(
        items: Receiver<Item>,
        control: Arc<Control>,
        (footage, compositor): (Footage, Compositor),
        Timing { fps, rate, reach }: Timing,
        frames_ahead: usize,
    ) -> Self {
        let first = footage.asset().clip_cycle(0);
        let period_samples = fps.first_sample(1, rate) as usize + 1;
        Self {
            items,
            control,
            footage,
            compositor,
            playhead: Playhead::new(fps.period(), first),
            fps,
            rate,
            hold: Hold::new(reach),
            utterances: VecDeque::with_capacity(256),
            queue: VecDeque::with_capacity(frames_ahead),
            current: None,
            leaving: None,
            spoken: None,
            named: Duration::ZERO,
            step: 1,
            exhausted: false,
            index: 0,
            opened: Instant::now(),
            pace: Pace::with_room_for(period_samples),
        }
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.control
    }

    pub(crate) fn asset(&self) -> &Arc<AvatarAsset> {
        self.footage.asset()
    }

    pub(crate) fn fps(&self) -> FrameRate {
        self.fps
    }

    /// Takes in what the worker has handed over. Never waits.
    fn drain(&mut self) -> Result<()> {
        if self.control.is_closed() {
            return Err(self.control.gone());
        }
        let mut news = false;
        loop {
            match self.items.try_recv() {
                Ok(item) => self.accept(item),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(self.control.gone()),
            }
            news = true;
        }
        if news {
            // The worker may be waiting for room.
            self.control.wake();
        }
        self.drop_cut();
        // Only a recording reader is told that an utterance ended without a frame.
        let control = Arc::clone(&self.control);
        let over = |planned: &Planned| {
            control.is_cut(planned.utterance)
                || control.is_past(planned.utterance)
                || planned.end.is_some_and(|(frames, _)| frames == 0)
        };
        while self.utterances.front().is_some_and(over) {
            self.retire();
        }
        self.utterances.retain(|planned| planned.end.is_none_or(|(frames, _)| frames > 0));
        Ok(())
    }

    /// Takes one item in. Who calls it wakes the worker, which may be waiting for room.
    fn accept(&mut self, item: Item) {
        match item {
            Item::Begin { utterance, cycle } => {
                self.utterances.push_back(Planned { utterance, cycle, end: None })
            }
            // The listener has moved on: it would only keep the frames of what sounds now from being made.
            Item::Frame(patch) if self.control.is_past(patch.utterance) => {
                self.control.counters.late.fetch_add(1, Relaxed);
            }
            Item::Frame(patch) => self.queue.push_back(patch),
            Item::End { utterance, frames, samples } => {
                match self.utterances.iter_mut().find(|planned| planned.utterance == utterance) {
                    Some(planned) => planned.end = Some((frames, samples)),
                    // It ended before its first frame was planned: empty, or cut.
                    None => self.utterances.push_back(Planned {
                        utterance,
                        cycle: self.playhead.position(),
                        end: Some((frames, samples)),
                    }),
                }
            }
            Item::Exhausted => self.exhausted = true,
        }
    }

    fn drop_cut(&mut self) {
        let control = &self.control;
        let before = self.queue.len();
        self.queue.retain(|patch| !control.is_cut(patch.utterance));
        if self.queue.len() < before {
            control.wake();
        }
    }

    /// The first utterance is past: what is left of it is late.
    fn retire(&mut self) {
        let Some(planned) = self.utterances.pop_front() else { return };
        let before = self.queue.len();
        self.queue.retain(|patch| patch.utterance > planned.utterance);
        self.control.counters.late.fetch_add((before - self.queue.len()) as u64, Relaxed);
        self.control.set_past(planned.utterance);
        self.control.wake();
    }

    fn take_front(&mut self) -> Option<()> {
        let patch = self.queue.pop_front()?;
        self.step = 1;
        if let Some(before) = self.current.take() {
            let left = shown_of(before.presence, self.playhead.level());
            if before.utterance == patch.utterance {
                self.step = patch.frame.saturating_sub(before.frame).max(1);
            } else if left > 0 {
                self.leaving = Some((before, left));
            }
        }
        self.spoken = Some((patch.utterance, patch.frame));
        self.current = Some(patch);
        self.control.wake();
        Some(())
    }

    /// The frame shown last, if it was of this utterance.
    fn spoken_of(&self, utterance: u64) -> Option<u64> {
        self.spoken.filter(|(spoken, _)| *spoken == utterance).map(|(_, frame)| frame)
    }

    fn place(&self, position: u32) -> Place {
        Place { position, cycle: self.asset().cycle_of(position) }
    }

    /// The place of the frame with this number, of an utterance that starts at `start`.
    fn place_after(&self, start: u32, frame: u64) -> Place {
        let cycle = self.asset().cycle_of(start);
        Place { position: cycle.advance(start, frame), cycle }
    }

    /// The clip that the host asked for last.
    fn wanted(&self) -> Cycle {
        self.asset().clip_cycle(self.control.wanted_clip())
    }

    /// Before anything moves on: a picture can be drawn.
    fn check_room(&self) -> Result<()> {
        if self.footage.has_room() { Ok(()) } else { Err(footage::all_lent()) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.control.close();
    }
}
