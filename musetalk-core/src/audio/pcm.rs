//! What a host may push: mono PCM, nominally −1…1, at a supported rate.

use std::ops::RangeInclusive;

use crate::{Error, ErrorKind, Result};

/// The sample rates a host may push at, in Hz. Every whole number between the ends is served.
pub(crate) const SAMPLE_RATES: RangeInclusive<u32> = 8_000..=192_000;

/// Refuses a sample rate outside [`SAMPLE_RATES`].
///
/// # Errors
/// - [`ErrorKind::InvalidInput`]: the rate is out of range; the message states the range.
pub(crate) fn check_rate(sample_rate: u32) -> Result<()> {
    if SAMPLE_RATES.contains(&sample_rate) {
        return Ok(());
    }
    let (lowest, highest) = (SAMPLE_RATES.start(), SAMPLE_RATES.end());
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!("sample_rate is {sample_rate} Hz; supported are {lowest} to {highest} Hz"),
    ))
}

/// Refuses samples that are not finite. Finite samples outside −1…1 pass: they are clamped when they are read.
///
/// # Errors
/// - [`ErrorKind::InvalidInput`]: a sample is NaN or infinite; the message names the index of the first one.
pub(crate) fn check(pcm: &[f32]) -> Result<()> {
    // Whole blocks are folded without a branch, so that the scan runs at memory speed; only a bad block is searched.
    const BLOCK: usize = 256;
    for (block, samples) in pcm.chunks(BLOCK).enumerate() {
        if samples.iter().fold(true, |finite, sample| finite & sample.is_finite()) {
            continue;
        }
        if let Some(at) = samples.iter().position(|sample| !sample.is_finite()) {
            let index = block * BLOCK + at;
            let value = samples[at];
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("pcm[{index}] is {value}; samples must be finite numbers"),
            ));
        }
    }
    Ok(())
}

/// Copies finite samples, those outside −1…1 clamped. `to` is as long as `from`.
pub(crate) fn copy_clamped(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.clamp(-1.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_first_sample_that_is_not_finite() {
        let mut pcm = vec![0.5; 1000];
        assert!(check(&pcm).is_ok());
        pcm[900] = f32::NAN;
        pcm[701] = f32::NEG_INFINITY;
        let error = check(&pcm).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "pcm[701] is -inf; samples must be finite numbers");
    }

    #[test]
    fn finite_samples_out_of_range_pass_and_are_clamped() {
        let loud = [-3.0, f32::MAX, 0.25, -1.0];
        assert!(check(&loud).is_ok());
        let mut read = [0.0; 4];
        copy_clamped(&loud, &mut read);
        assert_eq!(read, [-1.0, 1.0, 0.25, -1.0]);
    }

    #[test]
    fn refuses_rates_out_of_range_and_states_the_range() {
        for rate in [8_000, 11_025, 44_100, 192_000] {
            assert!(check_rate(rate).is_ok());
        }
        for rate in [0, 7_999, 192_001] {
            let error = check_rate(rate).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("8000 to 192000"), "{error}");
        }
    }
}
