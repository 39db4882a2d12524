//! The reading end: drains the outbox, asks the playhead what to show, and has it drawn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::compositor::Compositor;
use super::control::{self, Control};
use super::footage::{self, Base, Footage};
use super::hold::Hold;
use super::outbox::{Item, Patch};
use super::playhead::{CLOSING, Place, Playhead};
use crate::asset::AvatarAsset;
use crate::asset::cycle::Cycle;
use crate::frame::Frame;
use crate::pool::Lent;
use crate::time::{FrameRate, Heard};
use crate::{Error, ErrorKind, Result};

/// Frames that must be ready before the sound of an utterance may start.
const HEAD_START: u64 = 3;

/// How often a waiting reader looks whether it waits in vain.
const WAIT: Duration = Duration::from_millis(20);

/// How far the picture may fall behind the sound, in frames, before the reader gives the utterance up for idle. A slow
/// device widens it to two of its own steps.
const PATIENCE: u64 = 3;

/// A host that names no utterance, when this few frames of the one that sounded are left, has played it to its end.
const NEARLY_OVER: u64 = 5;

/// And one that names none for this long has given it up.
const GIVEN_UP: Duration = Duration::from_secs(1);

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

/// How far [`paced`](Reader::paced) is.
#[derive(Debug, Default)]
struct Pace {
    calls: u64,
    /// The utterance that plays, and its next frame.
    playing: Option<(u64, u64)>,
    /// Samples of shown frames that no period had room for yet: at most one, where rates do not divide.
    audio: VecDeque<f32>,
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
            pace: Pace { audio: VecDeque::with_capacity(4 * period_samples), ..Pace::default() },
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

    // ── recording ──

    /// An utterance was begun whose end `next_frame` has not told yet.
    pub(crate) fn owes(&self) -> bool {
        !self.control.is_past(self.control.begun())
    }

    /// Waits until `deadline`; for ever without one. `in_vain` says that nothing will come, because the caller holds the other end
    /// and it is his turn to push.
    pub(crate) fn next_frame(
        &mut self,
        deadline: Option<Instant>,
        in_vain: impl Fn() -> bool,
    ) -> Result<Option<Frame>> {
        self.control.set_recording();
        loop {
            if self.control.is_closed() {
                return Err(self.control.gone());
            }
            self.drop_cut();
            if let Some(patch) = self.queue.front() {
                // An utterance that ended before this one still has its `None` to give.
                if self.utterances.front().is_none_or(|planned| planned.utterance == patch.utterance) {
                    self.check_room()?;
                    return self.take_front().map(|()| self.speech(Duration::ZERO, true)).transpose();
                }
            }
            if let Some(planned) = self.utterances.front() {
                let ended = planned.end.is_some()
                    && self.queue.front().is_none_or(|p| p.utterance > planned.utterance);
                if ended {
                    self.control.set_past(planned.utterance);
                    self.utterances.pop_front();
                    return Ok(None);
                }
            }
            if self.exhausted {
                return Err(Error::new(
                    ErrorKind::Closed,
                    "the writer has gone and every frame it pushed was read",
                ));
            }
            // Asked before looking: what the worker handed over before it ran out must be seen.
            let last_look = in_vain();
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let wait = if last_look { Duration::ZERO } else { left.map_or(WAIT, |left| left.min(WAIT)) };
            match self.items.recv_timeout(wait) {
                Ok(item) => {
                    self.accept(item);
                    // The worker may be waiting for room.
                    self.control.wake();
                }
                Err(RecvTimeoutError::Timeout) if last_look => {
                    return Err(Error::new(
                        ErrorKind::InvalidInput,
                        "next_frame would wait for sound that nobody can push; push more, finish the utterance, or split the avatar",
                    ));
                }
                Err(RecvTimeoutError::Timeout) if left.is_some_and(|left| left.is_zero()) => {
                    return Err(Error::new(ErrorKind::TimedOut, "no frame was ready in time; call again"));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(error) => return Err(self.control.gone().caused_by(error)),
            }
        }
    }

    // ── live ──

    pub(crate) fn latest_at(&mut self, heard: Option<Heard>) -> Result<Option<Frame>> {
        let now = self.opened.elapsed();
        self.drain()?;
        self.control.set_heard(heard);
        match heard {
            Some(_) => self.named = now,
            None => self.leave_what_sounded(now),
        }
        let sounding = self.playhead.sounding(now, heard).filter(|heard| self.catch_up(*heard));
        if let (Some(heard), None) = (heard, sounding) {
            self.leave_what_was_heard(heard);
        }
        self.check_room()?;
        let due = match sounding {
            Some(heard) => self.advance_to(self.fps.frame_at(heard.samples, self.rate)),
            None => Due::Nothing,
        };
        match due {
            Due::New => self.speech(now, false).map(Some),
            Due::Same => Ok(None),
            Due::Nothing => {
                let place = self.waiting_place(sounding);
                self.playhead.idle(now, place, self.wanted()).then(|| self.idle_picture(now)).transpose()
            }
        }
    }

    /// Up to where the frames of the utterance that plays, or is next to play, exist; `None` until it may start.
    pub(crate) fn ready(&mut self) -> Result<Option<Heard>> {
        self.drain()?;
        let Some(planned) = self.utterances.front().copied() else { return Ok(None) };
        let own = |patch: &&Lent<Patch>| patch.utterance == planned.utterance;
        let last = self.queue.iter().rfind(own).map(|patch| patch.frame);
        let on_screen = self.spoken_of(planned.utterance);
        let Some(last) = last.or(on_screen) else { return Ok(None) };
        let all = planned.end.is_some_and(|(frames, _)| last + 1 == frames);
        // The face must have arrived at the place where the utterance starts, or it would jump there.
        let arrived = on_screen.is_some() || self.playhead.distance(self.place(planned.cycle)) <= 1;
        if !(arrived && (all || last + 1 >= HEAD_START)) {
            return Ok(None);
        }
        if on_screen.is_none() && !all && self.holds_back(planned.utterance) {
            return Ok(None);
        }
        let samples = match planned.end {
            Some((_, samples)) if all => samples,
            _ => self.fps.first_sample(last + 1, self.rate),
        };
        Ok(control::utterance(planned.utterance).map(|utterance| Heard { utterance, samples }))
    }

    /// The sound of an utterance whose first frames are ready must wait all the same.
    fn holds_back(&mut self, utterance: u64) -> bool {
        let needed = self.hold.needed(self.control.cost());
        let samples = needed.as_nanos() * u128::from(self.rate) / 1_000_000_000;
        let samples = u64::try_from(samples).unwrap_or(u64::MAX);
        !self.control.has_pushed(utterance, samples) && self.hold.waits(utterance, self.opened.elapsed())
    }

    // ── paced ──

    pub(crate) fn paced(&mut self) -> Result<Frame> {
        self.drain()?;
        let call = self.pace.calls;
        let now = self.fps.time_of(call);
        if self.pace.playing.is_some_and(|(utterance, _)| self.control.is_cut(utterance)) {
            // What was not shown is not heard either.
            self.pace.playing = None;
            self.pace.audio.clear();
        }
        if let Some(utterance) = self.startable().filter(|_| self.pace.playing.is_none()) {
            self.pace.playing = Some((utterance, 0));
            if self.pace.audio.is_empty() && !self.periods_are_whole() {
                // Where periods differ by a sample, those of the session may ask for one that the next frame brings.
                self.pace.audio.push_back(0.0);
            }
        }
        self.check_room()?;
        let due = match self.pace.playing {
            Some((utterance, frame)) => {
                let front = self.queue.front().is_some_and(|p| p.utterance == utterance && p.frame == frame);
                front.then(|| self.take_front()).flatten()
            }
            None => None,
        };
        let mut frame = if due.is_some() {
            let audio = self.current.as_ref().map(|patch| patch.audio.as_slice()).unwrap_or_default();
            self.pace.audio.extend(audio);
            self.speech(now, false)?
        } else {
            if self.pace.playing.is_some() {
                self.control.counters.under_runs.fetch_add(1, Relaxed);
            }
            let place = self.utterances.front().map(|planned| {
                let frame = self.pace.playing.map_or(0, |(_, frame)| frame);
                self.place_after(planned.cycle, frame)
            });
            self.playhead.idle(now, place, self.wanted());
            self.idle_picture(now)?
        };
        if let Some((_, next)) = self.pace.playing.as_mut().filter(|_| due.is_some()) {
            *next += 1;
        }
        self.end_of_pace();
        self.release_audio(call, &mut frame);
        frame.buffer.pts = now;
        self.pace.calls += 1;
        Ok(frame)
    }

    /// The utterance at the head, if enough of it is ready and the face has arrived where it starts.
    fn startable(&self) -> Option<u64> {
        let planned = self.utterances.front()?;
        let ready = self.queue.iter().filter(|patch| patch.utterance == planned.utterance).count() as u64;
        let enough = ready >= HEAD_START || planned.end.is_some_and(|(frames, _)| frames == ready);
        (enough && self.playhead.distance(self.place(planned.cycle)) <= 1).then_some(planned.utterance)
    }

    /// Every frame period has the same number of samples.
    fn periods_are_whole(&self) -> bool {
        let (numerator, denominator) = (u64::from(self.fps.numerator()), u64::from(self.fps.denominator()));
        u64::from(self.rate) * denominator % numerator == 0
    }

    fn end_of_pace(&mut self) {
        let Some(planned) = self.utterances.front() else { return };
        let shown = self
            .pace
            .playing
            .filter(|(utterance, _)| *utterance == planned.utterance)
            .map_or(0, |(_, next)| next);
        if planned.end.is_some_and(|(frames, _)| shown >= frames) {
            self.control.set_past(planned.utterance);
            self.utterances.pop_front();
            self.pace.playing = None;
        }
    }

    /// Exactly the samples of period `call`: of the speech that was shown, and silence for the rest.
    fn release_audio(&mut self, call: u64, frame: &mut Frame) {
        let count = self.fps.first_sample(call + 1, self.rate) - self.fps.first_sample(call, self.rate);
        let speech = self.pace.audio.len().min(count as usize);
        frame.buffer.audio.clear();
        frame.buffer.audio.extend(self.pace.audio.drain(..speech));
        frame.buffer.audio.resize(count as usize, 0.0);
    }

    // ── what all three share ──

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

    /// Moves to the utterance that sounds: what came before it is past. `false` if it has not been planned, was cut, or
    /// was heard to its end.
    fn catch_up(&mut self, heard: Heard) -> bool {
        let sounding = heard.utterance.get();
        // A number that was never given leaves what is planned alone.
        if self.control.is_cut(sounding) || sounding > self.control.begun() {
            return false;
        }
        while self.utterances.front().is_some_and(|planned| planned.utterance < sounding) {
            self.retire();
        }
        let Some(planned) = self.utterances.front().filter(|planned| planned.utterance == sounding) else {
            return false;
        };
        if planned.end.is_some_and(|(_, samples)| heard.samples >= samples) {
            self.retire();
            return false;
        }
        true
    }

    /// The position stands still in the last frame, or that frame was shown: the utterance is past, though the sound, which may have
    /// ended a few samples short, never reaches its end, or the end became known only after it stood still.
    fn leave_what_was_heard(&mut self, heard: Heard) {
        let over = |planned: &Planned| {
            planned.end.is_some_and(|(frames, _)| {
                let last = frames.saturating_sub(1);
                let shown = self.spoken_of(planned.utterance) == Some(last);
                let sounding = planned.utterance == heard.utterance.get();
                shown || sounding && self.fps.frame_at(heard.samples, self.rate) >= last
            })
        };
        if self.utterances.front().is_some_and(over) {
            self.retire();
        }
    }

    /// The host names no utterance: the one that sounded is over, unless this is a short gap in the middle of it.
    fn leave_what_sounded(&mut self, now: Duration) {
        let Some(planned) = self.utterances.front() else { return };
        let Some(spoken) = self.spoken_of(planned.utterance) else { return };
        let nearly_over = planned.end.is_some_and(|(frames, _)| spoken + NEARLY_OVER >= frames);
        if nearly_over || now.saturating_sub(self.named) >= GIVEN_UP {
            self.retire();
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

    /// Takes the newest frame that is due; those it overtakes are late.
    fn advance_to(&mut self, frame: u64) -> Due {
        let Some(sounding) = self.utterances.front().map(|planned| planned.utterance) else {
            return Due::Nothing;
        };
        let due = |patch: &Lent<Patch>| patch.utterance == sounding && patch.frame <= frame;
        let mut news = false;
        while self.queue.front().is_some_and(due) {
            if news {
                self.control.counters.late.fetch_add(1, Relaxed);
            }
            news = self.take_front().is_some();
        }
        let Some(current) = self.current.as_ref().filter(|patch| patch.utterance == sounding) else {
            return Due::Nothing;
        };
        if news {
            // However late, it is the newest there is.
            return Due::New;
        }
        let patience = PATIENCE.max(2 * self.step);
        if frame.abs_diff(current.frame) > patience { Due::Nothing } else { Due::Same }
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

    /// Where idle waits for speech: at the frame that comes next, of the utterance that plays or is about to.
    fn waiting_place(&self, sounding: Option<Heard>) -> Option<Place> {
        let planned = self.utterances.front()?;
        let frame = match sounding {
            Some(heard) => self.fps.frame_at(heard.samples, self.rate),
            None => self.spoken_of(planned.utterance).map_or(0, |frame| frame + 1),
        };
        Some(self.place_after(planned.cycle, frame))
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

    /// The patch on screen as a speech frame, as far as it is present; `whole` leaves nothing out.
    fn speech(&mut self, now: Duration, whole: bool) -> Result<Frame> {
        let started = Instant::now();
        self.leaving = self.leaving.take().and_then(|(patch, left)| Some((patch, closer(left)?)));
        let Some(patch) = self.current.as_deref() else { return Err(self.control.gone()) };
        let (starts, cycle) = (whole || patch.frame == 0, patch.cycle);
        let place = Place { position: cycle, cycle: self.footage.asset().cycle_of(cycle) };
        let level = self.playhead.speak(now, place, starts);
        let mut base = self.footage.take(cycle)?;
        let arriving = (patch.pixels.as_slice(), shown_of(patch.presence, level));
        let leaving = self.leaving.as_ref().map(|(patch, left)| (patch.pixels.as_slice(), *left));
        if let Some((picture, layer)) = base.parts(self.footage.asset()) {
            self.compositor.draw(picture, layer, leaving.into_iter().chain([arriving]));
            picture.audio.clear();
            picture.audio.extend_from_slice(&patch.audio);
            picture.utterance = control::utterance(patch.utterance);
            picture.utterance_frame = patch.frame;
            picture.pts = self.fps.time_of(patch.frame);
        }
        Ok(self.finish(started, base))
    }

    /// The base frame, with what is left of a closing mouth.
    fn idle_picture(&mut self, now: Duration) -> Result<Frame> {
        let started = Instant::now();
        self.leaving = None;
        if self.playhead.level() == 0 && self.current.take().is_some() {
            self.control.wake();
        }
        let mut base = self.footage.take(self.playhead.position())?;
        let closing = self
            .current
            .as_ref()
            .map(|patch| (patch.pixels.as_slice(), shown_of(patch.presence, self.playhead.level())));
        if let Some((picture, layer)) = base.parts(self.footage.asset()) {
            self.compositor.draw(picture, layer, closing.into_iter());
            picture.audio.clear();
            picture.utterance = None;
            picture.utterance_frame = 0;
            picture.pts = now;
        }
        Ok(self.finish(started, base))
    }

    fn finish(&mut self, started: Instant, mut base: Base) -> Frame {
        self.compositor.fade(&mut base.picture, self.playhead.fade());
        let position = base.picture.cycle_index;
        let mut picture = self.footage.drawn(base, position);
        picture.index = self.index;
        self.index += 1;
        self.control.set_shown(position);
        self.control.counters.shown.fetch_add(1, Relaxed);
        self.control.counters.compose.add(started.elapsed());
        Frame { buffer: picture }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.control.close();
    }
}

/// What is on the way to the screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Due {
    /// A frame that was not shown yet.
    New,
    /// The one on screen is still the newest.
    Same,
    /// None: idle.
    Nothing,
}

/// What is left of a mouth one frame later; `None` when it is closed.
fn closer(left: u8) -> Option<u8> {
    left.checked_sub(CLOSING).filter(|left| *left > 0)
}

/// Presence as the gate wants it, times what the reader shows of it.
fn shown_of(presence: u8, level: u8) -> u8 {
    ((u32::from(presence) * u32::from(level) + 127) / 255) as u8
}
