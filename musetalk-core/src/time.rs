use std::time::Duration;

use crate::{Error, ErrorKind, Result};

/// A frame rate as an exact fraction: 25/1, 30/1, 30000/1001.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// Frames per second as `numerator / denominator`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: not between 1 and 120 frames per second, or a term above 1 000 000.
    pub fn new(numerator: u32, denominator: u32) -> Result<Self> {
        let sane = denominator > 0
            && numerator <= 1_000_000
            && denominator <= 1_000_000
            && numerator >= denominator
            && u64::from(numerator) <= 120 * u64::from(denominator);
        if !sane {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("frame rate {numerator}/{denominator} is not between 1 and 120 frames per second"),
            ));
        }
        Ok(Self { numerator, denominator })
    }

    /// Frames in `denominator` seconds.
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// Seconds that hold `numerator` frames.
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// The length of one frame, rounded down to a nanosecond.
    pub fn period(self) -> Duration {
        self.time_of(1)
    }

    /// When frame `index` starts, rounded down to a nanosecond; never accumulated, so never drifting.
    pub fn time_of(self, index: u64) -> Duration {
        let nanos =
            u128::from(index) * u128::from(self.denominator) * 1_000_000_000 / u128::from(self.numerator);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The first sample of frame `index` at `rate` Hz: ⌊index · rate / fps⌋.
    ///
    /// Consecutive starts tile the audio without gap or overlap, and no frame that is owed is without a sample.
    pub fn first_sample(self, index: u64, rate: u32) -> u64 {
        let product = u128::from(index) * u128::from(rate) * u128::from(self.denominator);
        saturate(product / u128::from(self.numerator))
    }

    /// The frame on screen while sample `position` at `rate` Hz sounds: the last one that starts no later.
    pub fn frame_at(self, position: u64, rate: u32) -> u64 {
        // ⌊i·r⌋ ≤ s means i·r < s + 1: the last such i.
        self.frames_for(position.saturating_add(1), rate).saturating_sub(1)
    }

    /// The frames owed for `samples` at `rate` Hz: ⌈samples · fps / rate⌉. The last may be short.
    pub fn frames_for(self, samples: u64, rate: u32) -> u64 {
        let product = u128::from(samples) * u128::from(self.numerator);
        saturate(product.div_ceil(u128::from(rate) * u128::from(self.denominator)))
    }
}

fn saturate(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// The number of an utterance of one avatar, counted from 1. Ordered as spoken.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UtteranceId(u64);

impl UtteranceId {
    /// The utterance with this number, as another language or a message named it. 0 names none.
    pub const fn new(number: u64) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// The number, from 1.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// How much of an utterance the listener has heard.
///
/// The samples are those that have left the loudspeaker, at the rate at which they were pushed: take them
/// from the clock of the audio device, not from the time of arrival.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the host makes it in every call; a third part would be another concept"
)]
pub struct Heard {
    /// The utterance that is sounding.
    pub utterance: UtteranceId,
    /// Samples of it that have sounded.
    pub samples: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_tile_the_samples_exactly_at_every_rate() {
        for (numerator, denominator) in [(25, 1), (30, 1), (30_000, 1001), (24_000, 1001), (60, 1)] {
            let fps = FrameRate::new(numerator, denominator).unwrap();
            for rate in [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000] {
                for n in (1..=2_000).chain([11_025, 100_003]) {
                    let owed = fps.frames_for(n, rate);
                    assert!(fps.first_sample(owed - 1, rate) < n && fps.first_sample(owed, rate) >= n);
                }
                for index in 0..2_000 {
                    let first = fps.first_sample(index, rate);
                    assert_eq!(fps.frame_at(first, rate), index);
                    assert!(first == 0 || fps.frame_at(first - 1, rate) == index - 1);
                }
            }
        }
    }

    #[test]
    fn absurd_rates_are_refused() {
        for (numerator, denominator) in [(0, 1), (1, 0), (1, 2), (121, 1), (2_000_000, 1_000_000)] {
            assert!(FrameRate::new(numerator, denominator).is_err());
        }
    }
}
