//! Reading what belongs to the sound that is heard: for screens.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{HEAD_START, Planned, Reader};
use crate::Result;
use crate::frame::Frame;
use crate::pool::Lent;
use crate::session::control;
use crate::session::outbox::Patch;
use crate::session::playhead::Place;
use crate::time::Heard;

/// How far the picture may fall behind the sound, in frames, before the reader gives the utterance up for idle. A slow
/// device widens it to two of its own steps.
const PATIENCE: u64 = 3;

/// A host that names no utterance, when this few frames of the one that sounded are left, has played it to its end.
const NEARLY_OVER: u64 = 5;

/// And one that names none for this long has given it up.
const GIVEN_UP: Duration = Duration::from_secs(1);

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

impl Reader {
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

    /// Where idle waits for speech: at the frame that comes next, of the utterance that plays or is about to.
    fn waiting_place(&self, sounding: Option<Heard>) -> Option<Place> {
        let planned = self.utterances.front()?;
        let frame = match sounding {
            Some(heard) => self.fps.frame_at(heard.samples, self.rate),
            None => self.spoken_of(planned.utterance).map_or(0, |frame| frame + 1),
        };
        Some(self.place_after(planned.cycle, frame))
    }
}
