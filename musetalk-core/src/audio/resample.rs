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

    /// How many samples at 16 kHz were handed out so far.
    pub(crate) fn given(&self) -> u64 {
        self.given
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

/// The modified Bessel function of the first kind and order 0, by its power series; exact to f64 for x < 20.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..64 {
        term *= quarter / f64::from(k * k);
        sum += term;
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
