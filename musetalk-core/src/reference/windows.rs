//! Which states of the encoder a frame reads, in the official script's own arithmetic: IEEE doubles, in its order.
//!
//! | symbol | formula |
//! |---|---|
//! | fps | the whole part of the rate |
//! | frames | ⌊(n/16000)·fps⌋ |
//! | tokens | ⌊(n/16000)·50⌋; later states are not read |
//! | p | ⌈50/fps⌉ |
//! | first token of frame i | ⌊i·(50/fps)⌋ − p·before/2 |
//!
//! Tokens before the first and after the last are zeros in all layers. The roundings show: at 25 frames a second 18 560 samples
//! are 28 frames, where exact arithmetic would give 29.

use crate::audio::SPEECH_RATE;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// Tokens a second.
const TOKENS: f64 = 50.0;

/// The windows of a clip of `samples` at 16 kHz.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    fps: f64,
    before: i64,
    samples: usize,
}

/// The whole part of the rate, and the tokens that a window begins before its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowRule {
    fps: f64,
    before: i64,
}

/// The whole part of a rate that the official script can render.
///
/// # Errors
/// - [`ErrorKind::InvalidInput`]: 50 frames a second or more, where it ends with an error.
pub(super) fn check_rate(fps: FrameRate) -> Result<u32> {
    let whole = fps.numerator() / fps.denominator();
    if whole < 50 {
        return Ok(whole);
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!(
            "fps is {whole}; the reference reads past the end of the sound from 50 frames a second on: choose a rate below 50, \
             or render without the reference"
        ),
    ))
}

impl WindowRule {
    /// For a pack whose frames read `tokens_before` tokens before their first one at 25 frames a second.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidInput`]: a rate that [`check_rate`] refuses.
    /// - [`ErrorKind::Incompatible`]: `tokens_before` is odd, which the official script cannot express.
    pub(super) fn new(fps: FrameRate, tokens_before: u32) -> Result<Self> {
        let fps = f64::from(check_rate(fps)?);
        if !tokens_before.is_multiple_of(2) {
            return Err(Error::new(
                ErrorKind::Incompatible,
                format!(
                    "the pack's frames read {tokens_before} tokens before their own; the reference knows only even numbers"
                ),
            ));
        }
        let padding = (TOKENS / fps).ceil() as i64;
        Ok(Self { fps, before: padding * i64::from(tokens_before) / 2 })
    }

    pub(super) fn of(self, samples: usize) -> Windows {
        Windows { fps: self.fps, before: self.before, samples }
    }
}

impl Windows {
    /// Frames of the clip.
    pub(super) fn frames(self) -> u64 {
        (self.seconds() * self.fps).floor() as u64
    }

    /// Tokens of the clip.
    pub(super) fn tokens(self) -> u64 {
        (self.seconds() * TOKENS).floor() as u64
    }

    /// The first token that frame `frame` reads; below 0 at the start.
    pub(super) fn first_token(self, frame: u64) -> i64 {
        (frame as f64 * (TOKENS / self.fps)).floor() as i64 - self.before
    }

    fn seconds(self) -> f64 {
        self.samples as f64 / f64::from(SPEECH_RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(numerator: u32, denominator: u32) -> WindowRule {
        WindowRule::new(FrameRate::new(numerator, denominator).unwrap(), 4).unwrap()
    }

    #[test]
    fn frames_are_counted_with_the_reference_s_roundings() {
        for (samples, frames) in [
            (0, 0),
            (639, 0),
            (640, 1),
            (16_000, 25),
            (18_560, 28),
            (36_480, 56),
            (37_120, 57),
            (480_000, 750),
            (480_001, 750),
            (1_440_000, 2250),
        ] {
            assert_eq!(rule(25, 1).of(samples).frames(), frames, "{samples}");
        }
        assert_eq!(rule(25, 1).of(16_000).tokens(), 50);
    }

    #[test]
    fn windows_shift_with_the_rate() {
        // First and last token of frame 0, by rate.
        for (fps, first) in [(49, -4), (25, -4), (24, -6), (17, -6), (16, -8), (13, -8), (12, -10), (10, -10)]
        {
            assert_eq!(rule(fps, 1).of(16_000).first_token(0), first, "{fps}");
        }
        // The rate's whole part counts.
        assert_eq!(rule(30_000, 1001).of(16_000).frames(), 29);
        assert_eq!(rule(24_000, 1001).of(16_000).first_token(0), -6);
    }

    #[test]
    fn indices_round_as_doubles_do_and_only_where_that_is_known() {
        let mut differing = Vec::new();
        for fps in 1..50 {
            let windows = rule(fps, 1).of(16_000);
            let exact = |frame: u64| (frame * 50 / u64::from(fps)) as i64 + windows.first_token(0);
            differing.extend(
                (0..20_000)
                    .filter(|&frame| windows.first_token(frame) != exact(frame))
                    .map(|frame| (fps, frame)),
            );
        }
        assert_eq!(differing[..4], [(29, 145), (29, 290), (29, 551), (29, 580)]);
        assert!(
            differing.contains(&(31, 155))
                && differing.contains(&(31, 310))
                && differing.contains(&(31, 589))
        );
        assert!(differing.iter().all(|(fps, _)| [29, 31].contains(fps)));
    }

    #[test]
    fn refuses_what_the_reference_cannot_do() {
        for rate in [(50, 1), (60, 1), (60_000, 1001)] {
            let error = WindowRule::new(FrameRate::new(rate.0, rate.1).unwrap(), 4).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        let odd = WindowRule::new(FrameRate::new(25, 1).unwrap(), 5).unwrap_err();
        assert_eq!(odd.kind(), ErrorKind::Incompatible);
    }
}
