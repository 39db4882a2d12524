//! Which samples, tokens and encoder windows a frame stands for: integers and exact rationals, no floating point.
//!
//! | thing | position |
//! |---|---|
//! | frame i at rate r | from sample ⌊i·r·den/num⌋ to before that of frame i + 1: see [`FrameRate`] |
//! | owed frames for n samples | ⌈n·num/(r·den)⌉ |
//! | first token of frame i | ⌊i·50·den/num⌋ − before: 20 ms each, negative at the start |
//! | end of a group's window | the end of its last frame at 16 kHz + look-ahead |
//! | start of the window | max(0, end − 320·positions), rounded up to 640 |

use std::ops::Range;

use super::SPEECH_RATE;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// Samples at 16 kHz of one token of the encoder: 20 ms.
pub(crate) const TOKEN: u64 = 320;

/// Windows start at multiples of two tokens, as in training, where they start at frames of 25 a second.
const WINDOW_GRID: u64 = 2 * TOKEN;

/// The first sample of the encoder's window that ends before sample `end`, both at 16 kHz.
pub(crate) fn window_start(end: u64, positions: usize) -> u64 {
    end.saturating_sub(TOKEN * positions as u64).next_multiple_of(WINDOW_GRID)
}

/// How many frames are encoded together, by position in the utterance alone. The last number repeats.
#[derive(Clone, Debug)]
pub(crate) struct GroupSchedule {
    /// The first frame of each listed group, and at the end the first frame of the repetition.
    starts: Box<[u64]>,
    repeated: u64,
}

impl GroupSchedule {
    /// The schedule of a pack's `audio.groups`.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidInput`]: the list is empty or holds a 0.
    pub(crate) fn new(groups: &[u32]) -> Result<Self> {
        let (Some(&repeated), false) = (groups.last(), groups.contains(&0)) else {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("groups is {groups:?}; it must hold at least one number and no 0"),
            ));
        };
        let mut next = 0;
        let mut starts = vec![0];
        for &group in groups {
            next += u64::from(group);
            starts.push(next);
        }
        Ok(Self { starts: starts.into(), repeated: u64::from(repeated) })
    }

    /// The group that frame `frame` is encoded in.
    pub(crate) fn group(&self, frame: u64) -> Range<u64> {
        let after = self.starts.partition_point(|&start| start <= frame);
        if let Some(&end) = self.starts.get(after) {
            return self.starts[after - 1]..end;
        }
        let first = self.starts[after - 1];
        let start = first + (frame - first) / self.repeated * self.repeated;
        start..start + self.repeated
    }

    /// Frames of the largest group.
    pub(crate) fn largest(&self) -> u64 {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(self.repeated)
    }
}

/// Everything positional about a pack's audio side.
#[derive(Clone, Debug)]
pub(crate) struct WindowPlan {
    pub(crate) fps: FrameRate,
    pub(crate) groups: GroupSchedule,
    /// Tokens the encoder sees at once.
    pub(crate) positions: usize,
    /// Tokens of a frame before and from its first token on.
    pub(crate) tokens_before: u32,
    pub(crate) tokens_after: u32,
    /// Samples at 16 kHz that must be known beyond the end of a group's last frame.
    pub(crate) look_ahead: u32,
}

impl WindowPlan {
    /// Refuses a plan whose windows would not hold every token of every frame of a group.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidInput`]: the encoder has too few positions, or the look-ahead is too short; the message says how many are needed.
    pub(crate) fn check(&self) -> Result<()> {
        let frames = self.fps.first_sample(self.groups.largest(), SPEECH_RATE) + 1;
        // Roundings: the window's start by up to 640, the frame's first token by up to 320.
        let needed =
            frames + u64::from(self.look_ahead) + TOKEN * u64::from(self.tokens_before) + TOKEN + WINDOW_GRID;
        if TOKEN * (self.positions as u64) < needed {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "the encoder has {} positions; these groups and this look-ahead need {}",
                    self.positions,
                    needed.div_ceil(TOKEN)
                ),
            ));
        }
        Ok(())
    }

    /// Tokens of one frame.
    pub(crate) fn tokens(&self) -> usize {
        (self.tokens_before + self.tokens_after) as usize
    }

    /// The first token of frame `frame`; below 0 at the start of an utterance.
    pub(crate) fn first_token(&self, frame: u64) -> i64 {
        self.fps.first_sample(frame, SPEECH_RATE / TOKEN as u32) as i64 - i64::from(self.tokens_before)
    }

    /// The sample at 16 kHz before which everything must be known to encode the group of frame `frame`.
    pub(crate) fn encode_end(&self, frame: u64) -> u64 {
        self.fps.first_sample(self.groups.group(frame).end, SPEECH_RATE) + u64::from(self.look_ahead)
    }

    /// Copies what frame `frame` reads out of the encoder's states.
    ///
    /// | slice | shape | order |
    /// |---|---|---|
    /// | `states` | `[positions, states, width]` | token, layer, channel |
    /// | `out` | `[tokens · states, width]` | row = layer + states · token |
    ///
    /// `window_token` is the token of the first state. Tokens outside the window, such as those before the utterance, are
    /// zeros in all layers.
    pub(crate) fn copy_context(&self, states: &[f32], window_token: u64, frame: u64, out: &mut [f32]) {
        let row = states.len() / self.positions;
        debug_assert_eq!(out.len(), row * self.tokens(), "a frame reads this many rows");
        let offset = self.first_token(frame) - window_token as i64;
        for (out, position) in out.chunks_exact_mut(row).zip(offset..) {
            let token = usize::try_from(position).ok().filter(|&position| position < self.positions);
            match token {
                Some(position) => out.copy_from_slice(&states[position * row..][..row]),
                None => out.fill(0.0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    const RATES: [u32; 7] = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000];
    const FPS: [(u32, u32); 3] = [(25, 1), (30, 1), (30_000, 1001)];

    fn fps(rate: (u32, u32)) -> FrameRate {
        FrameRate::new(rate.0, rate.1).unwrap()
    }

    fn demo() -> WindowPlan {
        WindowPlan {
            fps: fps((25, 1)),
            groups: GroupSchedule::new(&[1, 1, 1, 2]).unwrap(),
            positions: 250,
            tokens_before: 4,
            tokens_after: 6,
            look_ahead: 1920,
        }
    }

    #[test]
    fn frames_tile_an_utterance_at_every_rate() {
        for rate in RATES {
            for fps in FPS.map(fps) {
                for samples in [1, 2, 639, 640, 641, u64::from(rate), u64::from(rate) * 7 + 1] {
                    let owed = fps.frames_for(samples, rate);
                    let mut next = 0;
                    for frame in 0..owed {
                        let span = fps.first_sample(frame, rate)..fps.first_sample(frame + 1, rate);
                        assert_eq!(span.start, next);
                        assert!(span.start < samples, "frame {frame} of {samples} at {rate} is empty");
                        next = span.end;
                    }
                    assert!(next >= samples);
                    assert!(fps.first_sample(owed, rate) >= samples);
                }
            }
        }
    }

    #[test]
    fn counts_are_exact_where_the_reference_rounds() {
        let fps = fps((25, 1));
        for (samples, owed) in
            [(0, 0), (1, 1), (16_000, 25), (18_560, 29), (18_561, 30), (36_480, 57), (480_000, 750)]
        {
            assert_eq!(fps.frames_for(samples, 16_000), owed);
        }
    }

    #[test]
    fn centuries_do_not_overflow() {
        let fps = fps((30_000, 1001));
        let samples = 192_000 * 3600 * 24 * 36_500;
        let owed = fps.frames_for(samples, 192_000);
        assert_eq!(fps.frame_at(samples - 1, 192_000), owed - 1);
    }

    #[test]
    fn tokens_are_those_of_training() {
        let plan = demo();
        assert_eq!((plan.tokens(), plan.first_token(0), plan.first_token(3)), (10, -4, 2));
        let at_30 = WindowPlan { fps: fps((30, 1)), ..demo() };
        // ⌊i·50/30⌋ − 4
        assert_eq!([0, 1, 2, 3, 4, 5].map(|frame| at_30.first_token(frame)), [-4, -3, -1, 1, 2, 4]);
    }

    #[test]
    fn groups_follow_the_list_and_then_repeat_the_last() {
        let groups = GroupSchedule::new(&[1, 2, 3]).unwrap();
        let found = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12].map(|frame| groups.group(frame));
        assert_eq!(found, [0..1, 1..3, 1..3, 3..6, 3..6, 6..9, 6..9, 9..12, 9..12, 12..15]);
        assert_eq!(groups.largest(), 3);
        for bad in [&[][..], &[1, 0]] {
            assert_eq!(GroupSchedule::new(bad).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn windows_are_those_of_training() {
        let plan = demo();
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|frame| plan.encode_end(frame)),
            [2560, 3200, 3840, 5120, 5120, 6400]
        );
        assert_eq!(
            [0, 80_000, 80_001, 80_640, 80_641].map(|end| window_start(end, 250)),
            [0, 0, 640, 640, 1280]
        );
        assert!(plan.check().is_ok());
        let short = WindowPlan { positions: 16, ..demo() };
        assert_eq!(short.check().unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn every_token_of_a_frame_lies_in_its_window() {
        for fps in FPS.map(fps) {
            let mut plan = WindowPlan { fps, positions: 0, ..demo() };
            while plan.check().is_err() {
                plan.positions += 1;
            }
            for frame in 0..5000 {
                let start = (window_start(plan.encode_end(frame), plan.positions) / TOKEN) as i64;
                let first = plan.first_token(frame);
                assert!(first >= start || start == 0, "frame {frame}");
                assert!(first + plan.tokens() as i64 <= start + plan.positions as i64, "frame {frame}");
            }
        }
    }

    #[test]
    fn the_context_of_a_frame_is_time_major_with_zeros_before_the_utterance() {
        let (layers, width) = (5, 2);
        let plan = WindowPlan { positions: 20, ..demo() };
        let states: Vec<_> = (0..20 * layers * width).map(|at| at as f32 + 1.0).collect();
        let mut out = vec![f32::NAN; plan.tokens() * layers * width];
        plan.copy_context(&states, 0, 0, &mut out);
        // Four tokens of zeros; row 20 is token 0, layer 0.
        assert!(out[..20 * width].iter().all(|value| *value == 0.0));
        assert_eq!(out[20 * width..], states[..30 * width]);

        // Frame 10 reads tokens 16 … 25 of a window that starts at token 14.
        plan.copy_context(&states, 14, 10, &mut out);
        assert_eq!(out, states[2 * layers * width..12 * layers * width]);
    }

    #[test]
    fn refuses_rates_that_make_no_sense() {
        for (numerator, denominator) in [(25, 0), (0, 1), (1, 2), (1001, 1)] {
            assert_eq!(FrameRate::new(numerator, denominator).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }

    proptest! {
        #[test]
        fn a_sample_lies_in_the_span_of_its_frame(
            rate in 8_000_u32..=192_000,
            fps in prop::sample::select(FPS.to_vec()),
            sample in 0_u64..1 << 40,
        ) {
            let fps = self::fps(fps);
            let frame = fps.frame_at(sample, rate);
            prop_assert!((fps.first_sample(frame, rate)..fps.first_sample(frame + 1, rate)).contains(&sample));
        }
    }
}
