//! How answers are compared, and how far they may lie apart: one table for all devices.

use std::fmt;

use super::{Answer, Precision};
use crate::device::Device;

/// How an answer was compared with the record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Measure {
    /// ‖x − y‖₂ / ‖y‖₂.
    Relative,
    /// The mean absolute difference of bytes, 0…255.
    Bytes,
    /// The share of places that were given another class, 0…1.
    Classes,
}

impl Measure {
    /// An error of this measure in digits: few for a ratio that spans powers of ten, thousandths for bytes and shares.
    pub fn say(self, error: f64) -> String {
        match self {
            Self::Relative => format!("{error:.1e}"),
            Self::Bytes | Self::Classes => format!("{error:.3}"),
        }
    }

    pub(super) fn of(role: &str, answer: &Answer) -> Self {
        match answer {
            Answer::Floats(_) => Self::Relative,
            // Classes are names, not amounts: 3 is no closer to 4 than to 18.
            Answer::Bytes(_) if role == "face_parser" => Self::Classes,
            Answer::Bytes(_) => Self::Bytes,
        }
    }

    /// How far `computed` lies from `recorded`, which has as many numbers.
    pub(super) fn error(self, computed: &[f64], recorded: &[f64]) -> f64 {
        let pairs = || computed.iter().zip(recorded);
        let count = recorded.len().max(1) as f64;
        match self {
            Self::Relative => {
                let distance: f64 = pairs().map(|(x, y)| (x - y).powi(2)).sum();
                let size: f64 = recorded.iter().map(|y| y * y).sum();
                distance.sqrt() / size.sqrt().max(f64::MIN_POSITIVE)
            }
            Self::Bytes => pairs().map(|(x, y)| (x - y).abs()).sum::<f64>() / count,
            Self::Classes => pairs().filter(|(x, y)| x != y).count() as f64 / count,
        }
    }

    /// The largest error of a device that computes soundly. Nonsense lies at 0.1 and above (relative), or tens of bytes.
    ///
    /// | device, pack | relative | bytes | classes | what sound devices differ by |
    /// |---|---|---|---|---|
    /// | CPU, fp32 | 1e-3 | 0.5 | 0.01 | the order of sums: 1e-6 to 1e-5; a byte that rounds the other way |
    /// | CPU, fp16 | 2e-2 | 1.5 | 0.05 | weights that were rounded to halves when the record was not |
    /// | CUDA, DirectML | 2e-2 | 1.5 | 0.05 | halves, or TF32, whose mantissa is as short |
    /// | Core ML, OpenVINO | 5e-2 | 3 | 0.1 | halves throughout, or bfloat16, by the provider's own choice |
    pub(super) fn limit(self, device: Device, precision: Precision) -> f64 {
        let (relative, bytes, classes) = match (device, precision) {
            (Device::Cpu, Precision::Fp32) => (1e-3, 0.5, 0.01),
            (Device::Cpu | Device::Auto | Device::Cuda(_) | Device::DirectMl(_), _) => (2e-2, 1.5, 0.05),
            (Device::CoreMl | Device::OpenVino, _) => (5e-2, 3.0, 0.1),
        };
        match self {
            Self::Relative => relative,
            Self::Bytes => bytes,
            Self::Classes => classes,
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relative => "relative error",
            Self::Bytes => "mean difference of 255",
            Self::Classes => "share of other classes",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_what_their_names_say() {
        assert_eq!(Measure::Relative.error(&[3.0, 5.0], &[3.0, 4.0]), 0.2);
        assert_eq!(Measure::Bytes.error(&[0.0, 255.0], &[10.0, 251.0]), 7.0);
        assert_eq!(Measure::Classes.error(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 18.0]), 0.25);
        for measure in [Measure::Relative, Measure::Bytes, Measure::Classes] {
            assert_eq!(measure.error(&[7.0; 4], &[7.0; 4]), 0.0);
        }
    }

    #[test]
    fn errors_are_said_in_digits_that_fit() {
        assert_eq!(Measure::Relative.say(1.234e-6), "1.2e-6");
        assert_eq!(Measure::Bytes.say(23.456_7), "23.457");
        assert_eq!(Measure::Classes.say(0.0), "0.000");
    }

    #[test]
    fn what_is_not_a_number_never_passes() {
        for wrong in [f64::NAN, f64::INFINITY] {
            let error = Measure::Relative.error(&[wrong, 1.0], &[1.0, 1.0]);
            let passes = error <= Measure::Relative.limit(Device::CoreMl, Precision::Fp16);
            assert!(!passes, "{error}");
        }
        assert!(Measure::Relative.error(&[1.0], &[0.0]) > 1e100, "a record of zeros");
        assert_eq!(Measure::Relative.error(&[0.0], &[0.0]), 0.0);
    }
}
