//! What the audio encoder is shown: a window of log-mel features that ends at a given sample of the utterance.
//!
//! A window depends on the samples before its end and on nothing else: what was pushed beyond it, and in what pieces, leaves
//! no trace. From its end on the window holds the features of silence.
//!
//! | quantity | value |
//! |---|---|
//! | window | `positions` tokens of 320 samples: `[80, 2·positions]` features, row-major, bands outer |
//! | start | max(0, end − 320·positions), rounded up to two tokens |
//! | column m | the 400 samples around sample 160·m; reflected at the start of the utterance only; 0 from `end` on |
//! | maximum M | over every column of the utterance from 0 to the end of the window |
//! | value | (max(log10, M − 8) + 4)/4 |

use super::mel::{FFT, HOP, LogMel, Loudness, MELS, SILENCE, scale};
use super::window::{TOKEN, window_start};

/// Samples (2 s) that may have been pushed beyond the end of a window that is still to be made.
pub(crate) const AHEAD: usize = 32_000;

const HALF: u64 = FFT as u64 / 2;

/// Columns that a window's end can cut: those whose 400 samples lie on both sides of it.
const CUT: usize = FFT.div_ceil(HOP);

/// The recent past of one utterance at 16 kHz, as log-mel columns. One per avatar; nothing allocates after construction.
#[derive(Debug)]
pub(crate) struct SpeechContext {
    positions: usize,
    log_mel: LogMel,
    /// Ring of samples: only those that a cut column may still need.
    samples: Box<[f32]>,
    sample_count: u64,
    /// Ring of complete columns, `[80, capacity]`, so that a row of a window is copied in two pieces.
    columns: Box<[f32]>,
    /// For every column in the ring: the maximum over all columns of the utterance up to it.
    maxima: Box<[f32]>,
    loudness: Box<[Loudness]>,
    column_count: u64,
}

/// Where a window begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WindowStart {
    /// The token, counted from the start of the utterance, that the first of the encoder's states belongs to.
    pub(crate) first_token: u64,
}

impl SpeechContext {
    /// An empty context for an encoder of `positions` tokens.
    pub(crate) fn new(positions: usize) -> Self {
        let capacity = 2 * positions + AHEAD / HOP + CUT + 1;
        Self {
            positions,
            log_mel: LogMel::new(),
            samples: vec![0.0; AHEAD + 3 * FFT].into(),
            sample_count: 0,
            columns: vec![SILENCE; MELS * capacity].into(),
            maxima: vec![SILENCE; capacity].into(),
            loudness: vec![Loudness::SILENCE; capacity].into(),
            column_count: 0,
        }
    }

    /// Appends samples at 16 kHz. Costs one spectrum of 400 for every 160 of them.
    pub(crate) fn push(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let complete_at = self.column_count * HOP as u64 + HALF;
            let slot = (self.sample_count % self.samples.len() as u64) as usize;
            let taken = (complete_at - self.sample_count).min(samples.len() as u64) as usize;
            let taken = taken.min(self.samples.len() - slot);
            self.samples[slot..slot + taken].copy_from_slice(&samples[..taken]);
            self.sample_count += taken as u64;
            samples = &samples[taken..];
            if self.sample_count == complete_at {
                self.complete_column();
            }
        }
    }

    /// Forgets the utterance.
    pub(crate) fn reset(&mut self) {
        (self.sample_count, self.column_count) = (0, 0);
    }

    /// Writes the features that end at sample `end`, `[80, 2·positions]` row-major, into `out`.
    ///
    /// Where fewer than `end` samples were pushed, silence stands for the rest: make such a window only when the utterance is
    /// complete.
    ///
    /// # Panics
    /// If `out` has another size, or if more than [`AHEAD`] samples were pushed beyond `end`.
    pub(crate) fn window(&mut self, end: u64, out: &mut [f32]) -> WindowStart {
        let width = 2 * self.positions;
        assert_eq!(out.len(), MELS * width, "a window holds 80 bands of two columns a position");
        assert!(
            self.sample_count <= end + AHEAD as u64,
            "the past of a window was overwritten: too much was pushed"
        );

        let start = window_start(end, self.positions);
        let known = end.min(self.sample_count);
        let first = start / HOP as u64;
        let complete = complete_columns(known);
        let mut maximum = match complete.checked_sub(1) {
            Some(last) => self.maxima[self.slot(last)],
            None => SILENCE,
        };

        let mut cut = [[SILENCE; MELS]; CUT];
        // The columns from `complete` on whose first sample is known but whose last is not.
        let mut cut_count = 0;
        for (index, column) in (complete..).zip(&mut cut) {
            if known == 0 || index * HOP as u64 >= known + HALF {
                break;
            }
            self.column(index, known, column);
            maximum = column.iter().fold(maximum, |maximum, value| maximum.max(*value));
            cut_count += 1;
        }

        // Once silence alone fills the window, its cut columns lie before it too.
        let cut = &cut[..cut_count];
        let cut = &cut[(first.saturating_sub(complete) as usize).min(cut_count)..];
        let whole = complete.saturating_sub(first) as usize;
        let capacity = self.maxima.len();
        let slot = self.slot(first);
        let unbroken = whole.min(capacity - slot);
        for (mel, row) in out.chunks_exact_mut(width).enumerate() {
            let ring = &self.columns[mel * capacity..][..capacity];
            let (known, silent) = row.split_at_mut((whole + cut.len()).min(width));
            let (whole_part, cut_part) = known.split_at_mut(whole);
            let (before_wrap, after_wrap) = whole_part.split_at_mut(unbroken);
            scale_row(&ring[slot..], before_wrap, maximum);
            scale_row(ring, after_wrap, maximum);
            for (value, cut) in cut_part.iter_mut().zip(cut) {
                *value = scale(cut[mel], maximum);
            }
            silent.fill(scale(SILENCE, maximum));
        }
        WindowStart { first_token: start / TOKEN }
    }

    /// Samples pushed so far in this utterance.
    pub(crate) fn samples(&self) -> u64 {
        self.sample_count
    }

    /// How loud column `index` is; `None` until its 400 samples are in, or when it has long passed.
    pub(crate) fn loudness(&self, index: u64) -> Option<Loudness> {
        let held = self.column_count.saturating_sub(self.maxima.len() as u64)..self.column_count;
        held.contains(&index).then(|| self.loudness[self.slot(index)])
    }

    fn complete_column(&mut self) {
        let mut column = [SILENCE; MELS];
        self.column(self.column_count, self.sample_count, &mut column);
        let before = match self.column_count.checked_sub(1) {
            Some(last) => self.maxima[self.slot(last)],
            None => SILENCE,
        };
        let (slot, capacity) = (self.slot(self.column_count), self.maxima.len());
        for (mel, value) in column.iter().enumerate() {
            self.columns[mel * capacity + slot] = *value;
        }
        self.maxima[slot] = column.iter().fold(before, |maximum, value| maximum.max(*value));
        self.loudness[slot] = self.log_mel.loudness(&column);
        self.column_count += 1;
    }

    /// Computes column `index` with zeros from sample `known` on.
    fn column(&mut self, index: u64, known: u64, out: &mut [f32; MELS]) {
        let mut frame = [0.0; FFT];
        let centre = index * HOP as u64;
        for (offset, value) in frame.iter_mut().enumerate() {
            // Sample −k stands for sample k: the reflection at the start of the utterance.
            let at = (centre + offset as u64).abs_diff(HALF);
            if at < known {
                *value = self.samples[(at % self.samples.len() as u64) as usize];
            }
        }
        self.log_mel.column(&frame, out);
    }

    fn slot(&self, column: u64) -> usize {
        (column % self.maxima.len() as u64) as usize
    }
}

/// How many columns lie wholly within the first `known` samples.
fn complete_columns(known: u64) -> u64 {
    known.checked_sub(HALF).map_or(0, |reach| reach / HOP as u64 + 1)
}

fn scale_row(from: &[f32], to: &mut [f32], maximum: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = scale(*from, maximum);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POSITIONS: usize = 50;

    fn speech(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 - 0.5
        };
        // Swells: the maximum must move within the utterance.
        (0..count).map(|n| noise() * (0.51 - 0.5 * (n as f32 / 9000.0).cos())).collect()
    }

    /// The contract, computed at once from the whole utterance, without rings.
    fn expected(pcm: &[f32], end: u64, positions: usize) -> Vec<f32> {
        let start = window_start(end, positions);
        let known = (end as usize).min(pcm.len());
        let mut cut = pcm[..known].to_vec();
        let width = 2 * positions;
        let last = start as usize / HOP + width;
        cut.resize(last * HOP + FFT, 0.0);
        let mut log_mel = LogMel::new();
        let (mut maximum, mut columns) = (SILENCE, Vec::new());
        for index in 0..last {
            let frame: [f32; FFT] = std::array::from_fn(|k| {
                let at = (index * HOP + k).abs_diff(FFT / 2);
                cut[at]
            });
            let mut column = [0.0; MELS];
            log_mel.column(&frame, &mut column);
            maximum = column.iter().fold(maximum, |most, value| most.max(*value));
            columns.push(column);
        }
        let first = start as usize / HOP;
        (0..MELS * width).map(|at| scale(columns[first + at % width][at / width], maximum)).collect()
    }

    fn window(context: &mut SpeechContext, end: u64) -> Vec<f32> {
        let mut out = vec![f32::NAN; MELS * 2 * POSITIONS];
        let start = context.window(end, &mut out);
        assert_eq!(start.first_token * TOKEN, window_start(end, POSITIONS));
        out
    }

    #[test]
    fn equals_the_features_of_the_whole_utterance() {
        let pcm = speech(60_000, 7);
        let mut context = SpeechContext::new(POSITIONS);
        context.push(&pcm[..30_000]);
        for end in [0, 1, 100, 199, 200, 201, 640, 1000, 2560, 3200, 15_999, 16_000, 16_001, 20_480] {
            assert!(window(&mut context, end) == expected(&pcm, end, POSITIONS), "{end}");
        }
        context.push(&pcm[30_000..]);
        for end in [28_000, 33_333, 59_999, 60_000, 60_100, 60_300, 62_000, 80_000] {
            assert!(window(&mut context, end) == expected(&pcm, end, POSITIONS), "{end}");
        }
    }

    #[test]
    fn silence_is_minus_one_and_a_half() {
        let mut context = SpeechContext::new(POSITIONS);
        context.push(&[0.0; 5000]);
        assert!(window(&mut context, 4000).iter().all(|value| *value == -1.5));
    }

    #[test]
    fn a_reset_context_is_like_a_new_one() {
        let pcm = speech(9000, 1);
        let mut context = SpeechContext::new(POSITIONS);
        context.push(&[1.0; 12_345]);
        window(&mut context, 9000);
        context.reset();
        assert_eq!((context.samples(), context.loudness(0).is_none()), (0, true));
        context.push(&pcm);
        assert!(window(&mut context, 8000) == expected(&pcm, 8000, POSITIONS));
    }

    #[test]
    fn a_long_utterance_fits_the_rings() {
        let pcm = speech(250_000, 3);
        let mut context = SpeechContext::new(POSITIONS);
        let mut pushed = 0;
        for end in (640..=210_000).step_by(640) {
            let upto = (end + AHEAD).min(pcm.len());
            context.push(&pcm[pushed..upto]);
            pushed = upto;
            let made = window(&mut context, end as u64);
            if end % 64_000 == 0 {
                assert!(made == expected(&pcm, end as u64, POSITIONS), "{end}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "too much was pushed")]
    fn refuses_a_window_whose_past_is_gone() {
        let mut context = SpeechContext::new(POSITIONS);
        context.push(&[0.0; AHEAD + 101]);
        window(&mut context, 100);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn neither_chunking_nor_what_lies_beyond_the_end_changes_a_bit(
            seed in 0_u32..1000,
            end in 0_usize..40_000,
            beyond in 0_usize..AHEAD,
            chunks in prop::collection::vec(1_usize..3000, 1..30),
        ) {
            let mut pcm = speech(end, seed);
            let mut exact = SpeechContext::new(POSITIONS);
            exact.push(&pcm);
            // Louder than anything before: a maximum that leaked would show.
            pcm.extend(speech(beyond, seed + 1).iter().map(|value| value * 4.0));
            let mut chunked = SpeechContext::new(POSITIONS);
            let mut rest = pcm.as_slice();
            for chunk in chunks.into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at(chunk.min(rest.len()));
                chunked.push(now);
                rest = later;
            }
            prop_assert!(window(&mut chunked, end as u64) == window(&mut exact, end as u64));
        }
    }
}
