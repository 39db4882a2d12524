//! No devices: time passes by the clock of the machine, and what is played has been heard.

use std::time::{Duration, Instant};

use musetalk_core::Result;

/// Neither microphone nor loudspeaker.
#[derive(Debug)]
pub(in crate::talk) struct Devices;

impl Devices {
    /// Until the next period is due.
    pub(in crate::talk) fn wait(&self, due: Instant, _period: Duration) {
        super::sleep_until(due);
    }

    /// What the microphone has heard; `None` where there is none.
    pub(in crate::talk) fn listen(&mut self) -> Result<Option<Vec<i16>>> {
        Ok(None)
    }

    /// Plays a period; what has been heard.
    pub(in crate::talk) fn play(
        &mut self,
        _sound: &[f32],
        heard: Option<(u64, u64)>,
    ) -> Result<Option<(u64, u64)>> {
        Ok(heard)
    }

    /// Drops what has not sounded.
    pub(in crate::talk) fn silence(&mut self) {}

    /// Whether there is a microphone.
    pub(in crate::talk) fn listens(&self) -> bool {
        false
    }
}
