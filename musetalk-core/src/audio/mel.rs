//! Log-mel features as Whisper was trained on them: n_fft 400, hop 160, 80 bands, at 16 kHz.
//!
//! | step | rule |
//! |---|---|
//! | window | Hann, periodic: 0.5 − 0.5·cos(2πk/400) |
//! | spectrum | squared magnitude, 201 bins, 40 Hz apart |
//! | bank | 80 triangles, Slaney scale and Slaney area normalisation, 0–8000 Hz |
//! | log | log10(max(x, 1e-10)): −10 for silence |
//! | clamp and scale | max(x, M − 8) with M the maximum, then (x + 4)/4 |

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};

use super::SPEECH_RATE;

/// Samples of one spectrum.
pub(crate) const FFT: usize = 400;
/// Samples from one column to the next.
pub(crate) const HOP: usize = 160;
/// Bands of the mel bank: the height of a column.
pub(crate) const MELS: usize = 80;
/// log10 of the least power that is told from silence.
pub(crate) const SILENCE: f32 = -10.0;

const BINS: usize = FFT / 2 + 1;

/// Two views of how loud 25 ms of sound are, both in dB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loudness {
    /// Mean square relative to full scale: −3 for a full-scale sine, −100 for silence.
    pub(crate) level: f32,
    /// Mean of the bands' logarithms: it hardly moves on steady sound of any colour, and strongly on speech.
    pub(crate) mean_band: f32,
}

impl Loudness {
    /// Digital silence.
    pub(crate) const SILENCE: Self = Self { level: -100.0, mean_band: 10.0 * BED };
}

/// log10 of the power a band is at least taken for, as strong as white noise at −62 dBFS: below, nothing is told from dither.
const BED: f32 = -5.6;

/// The 80 triangular filters, each kept from its first to its last bin that is not zero.
pub(crate) struct MelBank {
    bands: [Band; MELS],
    weights: Vec<f32>,
}

/// Where one filter lies: `weights[offset..offset + count]` apply to the bins from `bin` on.
#[derive(Clone, Copy)]
struct Band {
    bin: usize,
    offset: usize,
    count: usize,
}

impl MelBank {
    pub(crate) fn new() -> Self {
        let edges = Self::edges();
        let mut weights = Vec::new();
        let bands = std::array::from_fn(|mel| {
            let [low, peak, high] = [edges[mel], edges[mel + 1], edges[mel + 2]];
            let weight = |bin: usize| {
                let hertz = (bin * SPEECH_RATE as usize) as f64 / FFT as f64;
                let (rise, fall) = ((hertz - low) / (peak - low), (high - hertz) / (high - peak));
                rise.min(fall).max(0.0) * 2.0 / (high - low)
            };
            let offset = weights.len();
            let bin = (0..BINS).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            weights.extend(
                (bin..BINS).map(weight).take_while(|&weight| weight > 0.0).map(|weight| weight as f32),
            );
            Band { bin, offset, count: weights.len() - offset }
        });
        Self { bands, weights }
    }

    /// Edges of the triangles in Hz: filter j rises from edge j to j + 1 and falls to j + 2.
    pub(crate) fn edges() -> [f64; MELS + 2] {
        // Slaney's scale: linear below 1000 Hz (mel 15), then 27 steps to each factor of 6.4.
        let step = 6.4_f64.ln() / 27.0;
        let highest = 15.0 + (f64::from(SPEECH_RATE) / 2.0 / 1000.0).ln() / step;
        std::array::from_fn(|edge| {
            let mel = highest * edge as f64 / (MELS + 1) as f64;
            if mel < 15.0 { 200.0 * mel / 3.0 } else { 1000.0 * (step * (mel - 15.0)).exp() }
        })
    }

    fn apply(&self, power: &[f32; BINS], out: &mut [f32; MELS]) {
        for (out, band) in out.iter_mut().zip(&self.bands) {
            let weights = &self.weights[band.offset..][..band.count];
            *out = power[band.bin..].iter().zip(weights).map(|(power, weight)| power * weight).sum();
        }
    }
}

/// One column of log-mel features from 400 samples. Allocates when built, never after.
pub(crate) struct LogMel {
    bank: MelBank,
    window: [f32; FFT],
    fft: Arc<dyn RealToComplex<f32>>,
    time: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: [f32; BINS],
}

impl std::fmt::Debug for LogMel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogMel").finish_non_exhaustive()
    }
}

impl LogMel {
    pub(crate) fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FFT);
        let turn = std::f64::consts::TAU / FFT as f64;
        Self {
            bank: MelBank::new(),
            window: std::array::from_fn(|k| (0.5 - 0.5 * (turn * k as f64).cos()) as f32),
            time: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            power: [0.0; BINS],
        }
    }

    /// log10 of the mel powers of the 400 samples around a hop position: each −10 or more.
    pub(crate) fn column(&mut self, samples: &[f32; FFT], out: &mut [f32; MELS]) {
        for ((time, sample), window) in self.time.iter_mut().zip(samples).zip(&self.window) {
            *time = sample * window;
        }
        self.fft
            .process_with_scratch(&mut self.time, &mut self.spectrum, &mut self.scratch)
            .expect("the buffers were made by the plan itself");
        for (power, bin) in self.power.iter_mut().zip(&self.spectrum) {
            *power = bin.norm_sqr();
        }
        self.bank.apply(&self.power, out);
        for value in out {
            // Exactly −10 for silence, whatever the platform's logarithm makes of 1e-10.
            *value = if *value > 1e-10 { value.log10() } else { SILENCE };
        }
    }

    /// How loud the samples of the last [`column`](Self::column) are, from 160 Hz up: what mains hum and rumble leave.
    pub(crate) fn loudness(&self, column: &[f32; MELS]) -> Loudness {
        // Bins carry 400·Σw²/2 = 30 000 times the mean square (Parseval; Σw² = 150 for this window).
        let mean_square = self.power[4..].iter().sum::<f32>() / 30_000.0;
        let above = column[3..].iter().map(|value| value.max(BED)).sum::<f32>() / (MELS - 3) as f32;
        Loudness { level: 10.0 * mean_square.max(1e-10).log10(), mean_band: 10.0 * above }
    }

    /// Features of a whole segment as the official script computes them, clamped and scaled: both ends reflected, the
    /// maximum over the segment. `samples` holds `columns · 160` values, zero-padded; `out` is `[80, columns]`.
    pub(crate) fn segment(&mut self, samples: &[f32], out: &mut [f32]) {
        let columns = samples.len() / HOP;
        let (mut frame, mut column) = ([0.0; FFT], [0.0; MELS]);
        let mut maximum = SILENCE;
        for index in 0..columns {
            let start = (index * HOP) as i64 - (FFT / 2) as i64;
            for (offset, value) in frame.iter_mut().enumerate() {
                let at = (start + offset as i64).unsigned_abs() as usize;
                let last = samples.len() - 1;
                *value = samples[if at > last { 2 * last - at } else { at }];
            }
            self.column(&frame, &mut column);
            for (mel, value) in column.iter().enumerate() {
                out[mel * columns + index] = *value;
                maximum = maximum.max(*value);
            }
        }
        for value in out {
            *value = scale(*value, maximum);
        }
    }
}

/// The encoder's form of a log10 value: at most 8 below the maximum, then (x + 4)/4.
pub(crate) fn scale(value: f32, maximum: f32) -> f32 {
    (value.max(maximum - 8.0) + 4.0) / 4.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_weights_are_slaneys() {
        let edges = MelBank::edges();
        let expected = [0.0, 37.239210, 74.478421, 111.717631, 148.956841];
        for (edge, expected) in edges.iter().zip(expected) {
            assert!((edge - expected).abs() < 1e-6);
        }
        for (edge, expected) in edges[79..].iter().zip([7408.542193, 7698.593218, 8000.0]) {
            assert!((edge - expected).abs() < 1e-6);
        }

        let bank = MelBank::new();
        assert_eq!(bank.weights.len(), 391);
        let band = |mel: usize| &bank.weights[bank.bands[mel].offset..][..bank.bands[mel].count];
        assert_eq!((bank.bands[0].bin, bank.bands[1].bin), (1, 1));
        assert!((band(0)[0] - 0.024_862_594).abs() < 1e-9);
        assert!((band(1)[2 - bank.bands[1].bin] - 0.022_871_772).abs() < 1e-9);
        let highest = |mel: usize| band(mel).iter().fold(0.0_f32, |most, weight| most.max(*weight));
        assert!((highest(40) - 0.014_735_566).abs() < 1e-9);
        assert!((highest(79) - 0.003_164_711_7).abs() < 1e-9);
    }

    #[test]
    fn log_mel_of_a_second_of_440_hz_then_silence_is_the_published_one() {
        const COLUMNS: usize = 3000;
        let turn = std::f64::consts::TAU * 440.0 / 16_000.0;
        let mut samples = vec![0.0; COLUMNS * HOP];
        for (n, sample) in samples[..16_000].iter_mut().enumerate() {
            *sample = (0.5 * (turn * n as f64).sin()) as f32;
        }
        let mut out = vec![0.0; MELS * COLUMNS];
        LogMel::new().segment(&samples, &mut out);
        for (mel, column, expected) in [
            (11, 50, 1.438204),
            (10, 50, 1.348738),
            (12, 50, 1.293523),
            (40, 50, -0.561796),
            (79, 50, -0.561796),
            (0, 1500, -0.561796),
            (0, 0, 0.983279),
            (11, 99, 1.436953),
            (11, 100, 1.292922),
            (11, 101, 0.351053),
        ] {
            let value = out[mel * COLUMNS + column];
            assert!((value - expected).abs() < 5e-6, "[{mel}, {column}] is {value}, not {expected}");
        }
    }

    #[test]
    fn silence_is_minus_one_and_a_half_everywhere() {
        let mut out = vec![0.0; MELS * 20];
        LogMel::new().segment(&vec![0.0; 20 * HOP], &mut out);
        assert!(out.iter().all(|value| *value == -1.5));
    }

    #[test]
    fn loudness_is_relative_to_full_scale() {
        let turn = std::f32::consts::TAU * 1000.0 / 16_000.0;
        let sine: [f32; FFT] = std::array::from_fn(|n| (turn * n as f32).sin());
        let (mut log_mel, mut column) = (LogMel::new(), [0.0; MELS]);
        log_mel.column(&sine, &mut column);
        assert!((log_mel.loudness(&column).level + 3.01).abs() < 0.01);
        log_mel.column(&[0.0; FFT], &mut column);
        assert_eq!(log_mel.loudness(&column).level, Loudness::SILENCE.level);
        assert!((log_mel.loudness(&column).mean_band - Loudness::SILENCE.mean_band).abs() < 1e-3);
    }
}
