//! Samples of one rate as samples of another.

use musetalk_core::{Error, ErrorKind, Result};
use rubato::{FftFixedIn, Resampler};

/// Samples that go through at a time, at least.
const BLOCK: usize = 256;

/// A stream of mono samples on its way to another rate. Equal rates pass through.
pub(super) struct Resample {
    filter: Option<FftFixedIn<f32>>,
    waiting: Vec<f32>,
    made: Vec<f32>,
    /// Samples of the filter's delay that have not come out yet.
    delay: usize,
}

impl Resample {
    pub(super) fn new(from: u32, to: u32) -> Result<Self> {
        let rates = 1_000..=768_000;
        if !rates.contains(&from) || !rates.contains(&to) {
            let sentence = format!("sound of {from} Hz cannot become sound of {to} Hz; convert it first");
            return Err(Error::new(ErrorKind::Unsupported, sentence));
        }
        let filter = match from == to {
            true => None,
            false => Some(FftFixedIn::new(from as usize, to as usize, BLOCK, 1, 1).map_err(broken)?),
        };
        let delay = filter.as_ref().map_or(0, Resampler::output_delay);
        let made = filter.as_ref().map_or_else(Vec::new, |filter| vec![0.0; filter.output_frames_max()]);
        Ok(Self { filter, waiting: Vec::new(), made, delay })
    }

    /// Adds to `out` what these samples become.
    pub(super) fn push(&mut self, pcm: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let Some(filter) = &mut self.filter else {
            out.extend_from_slice(pcm);
            return Ok(());
        };
        self.waiting.extend_from_slice(pcm);
        let mut taken = 0;
        while self.waiting.len() - taken >= filter.input_frames_next() {
            let (input, mut output) = ([&self.waiting[taken..]], [&mut self.made[..]]);
            let (read, made) = filter.process_into_buffer(&input, &mut output, None).map_err(broken)?;
            taken += read;
            let late = self.delay.min(made);
            self.delay -= late;
            out.extend_from_slice(&self.made[late..made]);
        }
        self.waiting.drain(..taken);
        Ok(())
    }

    /// What is left inside, and a little silence behind it.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        let Some(filter) = &self.filter else { return Ok(()) };
        let silence = vec![0.0; 2 * filter.input_frames_next()];
        self.push(&silence, out)
    }
}

impl std::fmt::Debug for Resample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resample").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

fn broken(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, format!("the sound could not be resampled: {cause}")).caused_by(cause)
}

/// −1…1 as 16 bits; what is louder is cut.
pub(super) fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_stays_the_tone_it_was_and_in_its_place() {
        for (from, to) in
            [(16_000, 24_000), (44_100, 24_000), (24_000, 48_000), (8_000, 16_000), (24_000, 24_000)]
        {
            let tone =
                |rate: u32| move |n: usize| (n as f32 / rate as f32 * 440.0 * std::f32::consts::TAU).sin();
            let pcm: Vec<f32> = (0..from as usize).map(tone(from)).collect();
            let (mut resample, mut out) = (Resample::new(from, to).unwrap(), Vec::new());
            for piece in pcm.chunks(777) {
                resample.push(piece, &mut out).unwrap();
            }
            resample.finish(&mut out).unwrap();
            assert!(
                out.len() >= to as usize && out.len() < to as usize * 6 / 5,
                "{from} to {to}: {}",
                out.len()
            );
            let wanted: Vec<f32> = (0..to as usize).map(tone(to)).collect();
            let middle = to as usize / 4..to as usize / 2;
            let worst = middle.map(|n| (out[n] - wanted[n]).abs()).fold(0.0, f32::max);
            assert!(worst < 0.02, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn loud_samples_are_cut_and_absurd_rates_refused() {
        assert_eq!([2.0, -2.0, 0.0, f32::NAN].map(to_i16), [i16::MAX, i16::MIN, 0, 0]);
        assert!(Resample::new(0, 24_000).is_err() && Resample::new(24_000, 2_000_000).is_err());
    }
}
