//! Any supported rate to 16 kHz, mono, streaming: output sample k is the input's band-limited value at time k/16 000 s.
//!
//! A windowed sinc (Kaiser) evaluated at exact rational positions: output k lies at input position k·M/L with
//! L/M = 16 000/rate in lowest terms. Each output is one dot product over input samples named by k alone, always summed in
//! the same order, so that chunking cannot change a bit.
//!
//! | property | value |
//! |---|---|
//! | passband | 0 … 0.9·f, flat within 0.01 dB; f = half of the lower of the two rates |
//! | stopband | from f on, ≥ 85 dB |
//! | look-ahead | 3.6 ms above 16 kHz, up to 7.5 ms below; 0 at 16 kHz, which is copied |
//! | delay | none: compensated exactly, at the price of the look-ahead |

use super::{SPEECH_RATE, pcm};
use crate::Result;

/// Attenuation the window is designed for, in dB. A few more than promised, for the rounding of the table to f32.
const ATTENUATION: f64 = 90.0;

/// Where the passband ends, as a part of the lower Nyquist frequency; the stopband begins at 1.
const PASSBAND: f64 = 0.9;

/// The most phases that are tabulated exactly. It covers every rate in common use (11 025 Hz needs 640); at others two
/// of [`COARSE_PHASES`] are interpolated, with an error below −100 dB.
const EXACT_PHASES: u64 = 640;
const COARSE_PHASES: u64 = 512;

/// Input samples taken in at a time.
const BLOCK: usize = 512;

/// Streaming conversion of mono PCM to 16 kHz.
///
/// Input samples are clamped to −1…1 when they are read. n of them give ⌈n·16 000/rate⌉ samples in all, the last of them
/// after [`finish`](Self::finish). Nothing allocates after construction.
#[derive(Debug)]
pub(crate) struct Resampler {
    /// L and M: 16 000/rate in lowest terms.
    up: u64,
    down: u64,
    /// Input samples on each side of an output's position; a multiple of 4. 0 for the identity.
    reach: usize,
    phases: Phases,
    /// The input from index `first` on, `reach` zeros before index 0 included.
    history: Vec<f32>,
    /// Index of `history[0]`, counted from `reach − 1` samples before the first input sample.
    first: u64,
    taken: u64,
    given: u64,
    output: Vec<f32>,
}

/// The filter, sampled at `count` equally spaced offsets between two input samples, `2·reach` taps each.
#[derive(Debug)]
struct Phases {
    taps: Vec<f32>,
    count: u64,
}

impl Resampler {
    /// A resampler from `sample_rate` Hz. Builds a table of at most 2.7 MB.
    ///
    /// # Errors
    /// - [`InvalidInput`](crate::ErrorKind::InvalidInput): the rate is not supported.
    pub(crate) fn new(sample_rate: u32) -> Result<Self> {
        pcm::check_rate(sample_rate)?;
        let divisor = greatest_common_divisor(u64::from(sample_rate), u64::from(SPEECH_RATE));
        let (up, down) = (u64::from(SPEECH_RATE) / divisor, u64::from(sample_rate) / divisor);
        let reach = if up == down { 0 } else { reach(sample_rate) };
        let mut resampler = Self {
            up,
            down,
            reach,
            phases: Phases::new(sample_rate, up, reach),
            history: Vec::with_capacity(4 * reach + 2 * BLOCK),
            first: 0,
            taken: 0,
            given: 0,
            output: Vec::with_capacity(2 * (BLOCK + 2 * reach) + 2),
        };
        resampler.reset();
        Ok(resampler)
    }

    /// Takes the next samples and hands what they complete to `sink`, in order, in slices of no particular length.
    pub(crate) fn push(&mut self, pcm: &[f32], mut sink: impl FnMut(&[f32])) {
        for block in pcm.chunks(BLOCK) {
            let held = self.history.len();
            self.history.resize(held + block.len(), 0.0);
            pcm::copy_clamped(block, &mut self.history[held..]);
            self.taken += block.len() as u64;
            self.give(&mut sink);
        }
    }

    /// Ends the utterance: hands out the rest, as if silence followed.
    ///
    /// Nothing may be pushed until [`reset`](Self::reset).
    pub(crate) fn finish(&mut self, mut sink: impl FnMut(&[f32])) {
        let all = (self.taken * self.up).div_ceil(self.down);
        let held = self.history.len();
        self.history.resize(held + self.reach, 0.0);
        self.taken += self.reach as u64;
        self.give_until(all, &mut sink);
    }

    /// Forgets everything pushed: the next sample is the first of an utterance.
    pub(crate) fn reset(&mut self) {
        self.history.clear();
        // Silence before the first sample, as far back as output 0 reads.
        self.history.resize(self.reach.saturating_sub(1), 0.0);
        (self.first, self.taken, self.given) = (0, 0, 0);
    }

    /// How many input samples must have been pushed before the first `count` samples at 16 kHz are handed out.
    #[cfg(test)]
    pub(crate) fn input_for(&self, count: u64) -> u64 {
        match count.checked_sub(1) {
            None => 0,
            Some(last) => last * self.down / self.up + self.reach as u64 + 1,
        }
    }

    /// The look-ahead in samples at 16 kHz, rounded up: the output stays this far behind the input.
    pub(crate) fn look_ahead_16k(&self) -> u32 {
        (self.reach as u64 * self.up).div_ceil(self.down) as u32
    }

    fn give(&mut self, sink: &mut impl FnMut(&[f32])) {
        self.give_until(u64::MAX, sink);
    }

    /// Hands out the outputs below index `end` whose input is in, then drops the input no later output reads.
    fn give_until(&mut self, end: u64, sink: &mut impl FnMut(&[f32])) {
        self.output.clear();
        if self.reach == 0 {
            self.given = self.taken;
            if !self.history.is_empty() {
                sink(&self.history);
                self.history.clear();
            }
            return;
        }
        // Output k reads inputs q − reach + 1 ..= q + reach with q = ⌊k·M/L⌋. In `history`, whose indices carry the
        // reach − 1 samples of silence before the first, these are q .. q + 2·reach.
        while self.given < end {
            let position = self.given * self.down;
            let (whole, part) = (position / self.up, position % self.up);
            let start = (whole - self.first) as usize;
            let Some(inputs) = self.history.get(start..start + 2 * self.reach) else { break };
            self.output.push(self.phases.apply(inputs, part, self.up));
            self.given += 1;
        }
        let next = self.given * self.down / self.up;
        let spent = ((next - self.first) as usize).min(self.history.len());
        self.history.copy_within(spent.., 0);
        self.history.truncate(self.history.len() - spent);
        self.first += spent as u64;
        if !self.output.is_empty() {
            sink(&self.output);
        }
    }
}

impl Phases {
    fn new(sample_rate: u32, up: u64, reach: usize) -> Self {
        if reach == 0 {
            return Self { taps: Vec::new(), count: 1 };
        }
        let count = if up <= EXACT_PHASES { up } else { COARSE_PHASES };
        // Interpolation also reads the phase one whole sample on.
        let rows = if up <= EXACT_PHASES { count } else { count + 1 };
        let mut taps = Vec::with_capacity(rows as usize * 2 * reach);
        let mut row = vec![0.0; 2 * reach];
        for phase in 0..rows {
            let offset = phase as f64 / count as f64;
            for (tap, value) in row.iter_mut().enumerate() {
                *value = windowed_sinc(tap as f64 - (reach - 1) as f64 - offset, sample_rate, reach);
            }
            // Unit gain at 0 Hz for every phase, or a constant would come out with a ripple.
            let sum: f64 = row.iter().sum();
            taps.extend(row.iter().map(|value| (value / sum) as f32));
        }
        Self { taps, count }
    }

    /// The filtered value `part`/`up` of a sample after the middle of `inputs`.
    fn apply(&self, inputs: &[f32], part: u64, up: u64) -> f32 {
        if self.count == up {
            return dot(inputs, self.row(part, inputs.len()));
        }
        let (phase, rest) = (part * self.count / up, part * self.count % up);
        let (near, far) = (self.row(phase, inputs.len()), self.row(phase + 1, inputs.len()));
        let (near, far) = (dot(inputs, near), dot(inputs, far));
        near + (far - near) * (rest as f32 / up as f32)
    }

    fn row(&self, phase: u64, taps: usize) -> &[f32] {
        &self.taps[phase as usize * taps..][..taps]
    }
}

/// Half the length of the filter in input samples, a multiple of 4: Kaiser's formula for the length of a filter with a
/// given attenuation and width of transition.
fn reach(sample_rate: u32) -> usize {
    let transition = (1.0 - PASSBAND) * lower_nyquist(sample_rate) / f64::from(sample_rate);
    let length = (ATTENUATION - 7.95) / (2.285 * std::f64::consts::TAU * transition);
    ((length / 2.0).ceil() as usize).next_multiple_of(4)
}

/// The ideal low-pass's impulse response under a Kaiser window, `at` input samples from its middle.
fn windowed_sinc(at: f64, sample_rate: u32, reach: usize) -> f64 {
    let cutoff = (1.0 + PASSBAND) * lower_nyquist(sample_rate) / f64::from(sample_rate);
    let angle = std::f64::consts::PI * cutoff * at;
    let sinc = if angle == 0.0 { 1.0 } else { angle.sin() / angle };
    let beta = 0.1102 * (ATTENUATION - 8.7);
    let edge = (1.0 - (at / reach as f64).powi(2)).max(0.0).sqrt();
    sinc * bessel_i0(beta * edge) / bessel_i0(beta)
}

fn lower_nyquist(sample_rate: u32) -> f64 {
    f64::from(sample_rate.min(SPEECH_RATE)) / 2.0
}

/// The modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    let mut k = 1.0;
    while term > sum * f64::EPSILON / 4.0 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Σ aᵢ·bᵢ in eight fixed lanes: the compiler may not reorder float sums by itself. Lengths are equal multiples of 8.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    const RATES: [u32; 16] = [
        8_000, 9_001, 11_025, 12_000, 15_999, 16_000, 16_001, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200,
        96_000, 191_999, 192_000,
    ];

    fn resample(rate: u32, chunks: &[&[f32]]) -> Vec<f32> {
        let mut resampler = Resampler::new(rate).unwrap();
        let mut out = Vec::new();
        for chunk in chunks {
            resampler.push(chunk, |samples| out.extend_from_slice(samples));
        }
        resampler.finish(|samples| out.extend_from_slice(samples));
        out
    }

    fn sine(rate: u32, hertz: f64, count: usize) -> Vec<f32> {
        let turn = std::f64::consts::TAU * hertz / f64::from(rate);
        (0..count).map(|n| (0.5 * (turn * n as f64).sin()) as f32).collect()
    }

    #[test]
    fn every_rate_gives_the_promised_count() {
        for rate in RATES {
            for count in [0_usize, 1, 2, 3, 160, 999, 1000, 4801] {
                let expected = (count as u64 * 16_000).div_ceil(u64::from(rate));
                assert_eq!(resample(rate, &[&vec![0.1; count]]).len() as u64, expected, "{count} at {rate}");
            }
        }
    }

    #[test]
    fn output_k_is_the_signal_at_time_k() {
        // Far from the ends the resampled sine is the sine itself: no delay, no change of gain in the passband.
        for rate in RATES {
            let top = f64::from(rate.min(16_000)) / 2.0 * PASSBAND;
            for hertz in [100.0, 1000.0, 0.5 * top, top] {
                let out = resample(rate, &[&sine(rate, hertz, rate as usize / 4)]);
                let expected = sine(16_000, hertz, out.len());
                let worst = (300..out.len() - 300).map(|k| (out[k] - expected[k]).abs()).fold(0.0, f32::max);
                assert!(worst < 5e-5, "{hertz} Hz at {rate}: {worst}");
            }
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_at_least_80_db_down() {
        for rate in RATES.into_iter().filter(|&rate| rate > 16_500) {
            for part in [0.0, 0.1, 0.5, 0.97] {
                let hertz = 8_000.0 + part * (f64::from(rate) / 2.0 - 8_000.0);
                // At 8 kHz exactly a sine is sampled at its zeros or not: shift by 1 Hz.
                let out = resample(rate, &[&sine(rate, hertz + 1.0, rate as usize / 4)]);
                let power = out[300..out.len() - 300].iter().map(|v| f64::from(v * v)).sum::<f64>();
                let decibels = 10.0 * (power / (out.len() - 600) as f64 / 0.125).log10();
                assert!(decibels < -80.0, "{hertz} Hz at {rate}: {decibels}");
            }
        }
    }

    #[test]
    fn images_of_a_lower_rate_are_at_least_80_db_down() {
        for (rate, hertz) in [(8_000, 3_500.0), (8_000, 3_600.0), (11_025, 4_900.0), (12_000, 5_000.0)] {
            let out = resample(rate, &[&sine(rate, hertz, rate as usize)]);
            let expected = sine(16_000, hertz, out.len());
            let error: f64 = (300..out.len() - 300).map(|k| f64::from(out[k] - expected[k]).powi(2)).sum();
            let decibels = 10.0 * (error / (out.len() - 600) as f64 / 0.125).log10();
            assert!(decibels < -80.0, "{hertz} Hz at {rate}: {decibels}");
        }
    }

    #[test]
    fn looks_ahead_at_most_8_ms_and_says_how_far() {
        for rate in RATES {
            let mut resampler = Resampler::new(rate).unwrap();
            assert!(resampler.look_ahead_16k() <= 128, "{rate}");
            let input = vec![0.25; rate as usize / 10];
            let (mut pushed, mut given) = (0_u64, 0_u64);
            for chunk in input.chunks(7) {
                resampler.push(chunk, |samples| given += samples.len() as u64);
                pushed += chunk.len() as u64;
                assert!(
                    resampler.input_for(given) <= pushed && resampler.input_for(given + 1) > pushed,
                    "{rate}"
                );
                let heard = pushed * 16_000 / u64::from(rate);
                assert!(heard <= given + u64::from(resampler.look_ahead_16k()), "{rate}");
            }
        }
    }

    #[test]
    fn speech_rate_passes_unchanged_and_clamped() {
        assert_eq!(resample(16_000, &[&[0.125, -2.0, 1.5], &[0.3]]), [0.125, -1.0, 1.0, 0.3]);
    }

    #[test]
    fn a_reset_resampler_is_like_a_new_one() {
        let pcm = sine(44_100, 700.0, 5000);
        let mut resampler = Resampler::new(44_100).unwrap();
        resampler.push(&[0.9; 3333], |_| ());
        resampler.finish(|_| ());
        resampler.reset();
        let mut out = Vec::new();
        resampler.push(&pcm, |samples| out.extend_from_slice(samples));
        resampler.finish(|samples| out.extend_from_slice(samples));
        assert_eq!(out, resample(44_100, &[&pcm]));
    }

    #[test]
    fn nothing_allocates_after_construction() {
        for rate in RATES {
            let mut resampler = Resampler::new(rate).unwrap();
            let room = |resampler: &Resampler| (resampler.history.capacity(), resampler.output.capacity());
            let before = room(&resampler);
            for count in [1, 100_000, 511, 513] {
                resampler.push(&vec![0.5; count], |_| ());
            }
            resampler.finish(|_| ());
            assert_eq!(room(&resampler), before, "{rate}");
        }
    }

    #[test]
    fn refuses_unsupported_rates() {
        let error = Resampler::new(4_000).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn chunking_changes_no_bit(
            rate in prop::sample::select(RATES.to_vec()),
            pcm in prop::collection::vec(-1.2_f32..1.2, 0..4000),
            cuts in prop::collection::vec(1_usize..700, 1..40),
        ) {
            let mut chunks = Vec::new();
            let mut rest = pcm.as_slice();
            for cut in cuts {
                let (chunk, after) = rest.split_at(cut.min(rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            chunks.push(rest);
            prop_assert_eq!(resample(rate, &chunks), resample(rate, &[&pcm]));
        }
    }
}
