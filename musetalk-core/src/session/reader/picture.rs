//! Drawing what was decided: a speech frame, or idle with what is left of a closing mouth.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::Reader;
use crate::Result;
use crate::frame::Frame;
use crate::session::control;
use crate::session::footage::Base;
use crate::session::playhead::{CLOSING, Place};

impl Reader {
    /// The patch on screen as a speech frame, as far as it is present; `whole` leaves nothing out.
    pub(super) fn speech(&mut self, now: Duration, whole: bool) -> Result<Frame> {
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
    pub(super) fn idle_picture(&mut self, now: Duration) -> Result<Frame> {
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

/// What is left of a mouth one frame later; `None` when it is closed.
fn closer(left: u8) -> Option<u8> {
    left.checked_sub(CLOSING).filter(|left| *left > 0)
}

/// Presence as the gate wants it, times what the reader shows of it.
pub(super) fn shown_of(presence: u8, level: u8) -> u8 {
    ((u32::from(presence) * u32::from(level) + 127) / 255) as u8
}
