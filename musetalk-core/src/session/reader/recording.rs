//! Reading every frame, in order: for recorders.

use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;

use super::Reader;
use crate::frame::Frame;
use crate::{Error, ErrorKind, Result};

/// How often a waiting reader looks whether it waits in vain.
const WAIT: Duration = Duration::from_millis(20);

impl Reader {
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
}
