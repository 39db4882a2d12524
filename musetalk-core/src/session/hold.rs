//! PURE. How long the sound of an utterance waits for a slow device.
//!
//! While the sound plays, a frame is made for the moment at which it will be ready. What that frame hears must be in by then,
//! or it could only be made for an earlier moment, and be late. So the sound starts a frame's cost later than its
//! first pictures would allow.

use std::time::Duration;

/// How much longer it may wait, at most. A host that pushes no further ahead than it plays is not kept for ever.
const LONGEST: Duration = Duration::from_millis(150);

/// Sound comes in chunks: this much may be missing between two of them.
const CHUNK: Duration = Duration::from_millis(20);

/// The waiting of one session.
#[derive(Debug)]
pub(crate) struct Hold {
    /// From the start of a frame to the end of what must be pushed before it is made, at most.
    reach: Duration,
    /// The utterance that could start but for a slow device, and since when.
    held: Option<(u64, Duration)>,
}

impl Hold {
    pub(crate) fn new(reach: Duration) -> Self {
        Self { reach, held: None }
    }

    /// The sound that must be in before an utterance may start, on a device that needs `cost` for a frame.
    pub(crate) fn needed(&self, cost: Duration) -> Duration {
        // Calls of a busy device differ by half.
        self.reach + cost * 3 / 2 + CHUNK
    }

    /// Whether an utterance must still wait at `now`, of which not all that is needed is in.
    pub(crate) fn waits(&mut self, utterance: u64, now: Duration) -> bool {
        let since = match self.held {
            Some((held, since)) if held == utterance => since,
            _ => self.held.insert((utterance, now)).1,
        };
        now.saturating_sub(since) < LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sound_of_a_slow_device_starts_later_by_what_its_frames_cost() {
        let hold = Hold::new(Duration::from_millis(200));
        assert_eq!(hold.needed(Duration::from_millis(0)), Duration::from_millis(220));
        assert_eq!(hold.needed(Duration::from_millis(100)), Duration::from_millis(370));
    }

    #[test]
    fn no_utterance_waits_for_ever() {
        let mut hold = Hold::new(Duration::ZERO);
        let at = Duration::from_millis;
        assert!(hold.waits(1, at(1000)));
        assert!(hold.waits(1, at(1149)));
        assert!(!hold.waits(1, at(1150)));
        assert!(hold.waits(2, at(2000)));
    }
}
