//! PURE. What a frame is expected to cost, from its audio to its picture.

use std::time::Duration;

/// One part in this many of an over-estimate is given back per frame.
const FALL: u32 = 32;

/// A frame that takes longer is believed at once, one that takes less only slowly: a picture is chosen for the moment at
/// which it will be ready, and one that was chosen for too early a moment is late, while one for too late a moment waits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost(Duration);

impl Cost {
    /// What is known of a device before a session's first frame.
    pub(crate) fn new(expected: Duration) -> Self {
        Self(expected)
    }

    pub(crate) fn get(self) -> Duration {
        self.0
    }

    /// A frame took this long. At most twice the expected time and a frame's `period` are believed, so that a single hiccup
    /// of seconds does not give the next seconds up.
    pub(crate) fn add(&mut self, took: Duration, period: Duration) {
        let believed = took.min(self.0 * 2 + period);
        self.0 = if believed >= self.0 { believed } else { self.0 - (self.0 - believed) / FALL };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(40);

    #[test]
    fn a_slower_frame_is_believed_at_once_and_a_faster_one_slowly() {
        let mut cost = Cost::new(Duration::from_millis(90));
        cost.add(Duration::from_millis(150), PERIOD);
        assert_eq!(cost.get(), Duration::from_millis(150));
        cost.add(Duration::from_millis(86), PERIOD);
        assert_eq!(cost.get(), Duration::from_millis(148));
        for _ in 0..500 {
            cost.add(Duration::from_millis(90), PERIOD);
        }
        assert!(cost.get() < Duration::from_millis(91), "{:?}", cost.get());
    }

    #[test]
    fn a_hiccup_of_seconds_is_not_believed() {
        let mut cost = Cost::new(Duration::from_millis(20));
        cost.add(Duration::from_secs(5), PERIOD);
        assert_eq!(cost.get(), Duration::from_millis(80));
    }
}
