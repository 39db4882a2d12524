//! How a trial goes: what it may cost, and what its numbers must be for the network to be of any use.
//!
//! Sides and weights come from a stranger's checkpoint. A trial that costs too much ends without a record; one whose numbers
//! no engine could use ends the build.

use std::path::{Path, PathBuf};

use half::f16;
use musetalk_core::{Error, ErrorKind, Result};

use crate::onnx::Element;

/// Numbers that one value may have: half a gigabyte of them. The largest of MuseTalk's own has an eighth.
const LARGEST_VALUE: u64 = 1 << 27;

/// Multiply-accumulates that a trial may take, minutes of work. MuseTalk's generator has less than a tenth.
const MOST_WORK: u64 = 1 << 42;

/// The trial of one network.
pub(super) struct Course {
    network: String,
    /// Where its weights lie.
    place: PathBuf,
    fault: Option<Error>,
    dropped: Option<String>,
}

impl Course {
    pub(super) fn new(network: &str, place: &Path) -> Self {
        Self { network: network.into(), place: place.into(), fault: None, dropped: None }
    }

    pub(super) fn goes_on(&self) -> bool {
        self.fault.is_none() && self.dropped.is_none()
    }

    /// Whether a value of `count` numbers may be worked out, `macs` being the work up to it. The trial is dropped if not.
    pub(super) fn affords(&mut self, count: u64, macs: u64) -> bool {
        if self.goes_on() && (count > LARGEST_VALUE || macs > MOST_WORK) {
            let network = &self.network;
            self.dropped = Some(format!(
                "network {network} is too large to be tried while it is built, so the self-test leaves it out: \
                 {count} numbers in one value, {macs} multiply-accumulates up to it"
            ));
        }
        self.goes_on()
    }

    /// Whether an engine could use what `node` made. The build ends if not.
    pub(super) fn accepts(&mut self, node: &str, element: Element, numbers: &[f32]) -> bool {
        let most = if element == Element::F16 { f16::MAX.to_f32() } else { f32::MAX };
        let Some(beyond) = numbers.iter().find(|x| x.is_nan() || x.abs() > most) else { return true };
        let (kind, why) = match beyond.is_finite() {
            true => (ErrorKind::Unsupported, "more than 16 bits can hold; build the pack in fp32"),
            false => (ErrorKind::Corrupt, "which is no number: the weights are damaged"),
        };
        let (network, place) = (&self.network, self.place.display());
        let text = format!("network {network}: {node} gives {beyond} in the self-test, {why}: {place}");
        self.fault.get_or_insert_with(|| Error::new(kind, text));
        false
    }

    /// What ends the build, if something does.
    pub(super) fn check(&mut self) -> Result<()> {
        self.fault.take().map_or(Ok(()), Err)
    }

    /// Why there is no record, for a person.
    pub(super) fn into_note(self) -> Option<String> {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course() -> Course {
        Course::new("generator", Path::new("unet.pth"))
    }

    #[test]
    fn what_costs_too_much_is_dropped_for_good() {
        for (count, macs) in [(LARGEST_VALUE + 1, 0), (1, MOST_WORK + 1), (u64::MAX, u64::MAX)] {
            let mut course = course();
            assert!(course.affords(LARGEST_VALUE, MOST_WORK));
            assert!(!course.affords(count, macs));
            assert!(!course.affords(1, 1));
            course.check().expect("large is not wrong");
            assert!(course.into_note().is_some_and(|note| note.contains("network generator")));
        }
    }

    #[test]
    fn the_largest_half_is_held_and_no_larger_one() {
        let mut course = course();
        assert!(course.accepts("a", Element::F16, &[65504.0, -65504.0]));
        assert!(course.accepts("a", Element::F32, &[65505.0, f32::MAX]));
        assert!(!course.accepts("b/Gemm_1", Element::F16, &[1.0, -65505.0]));
        let error = course.check().expect_err("a half holds no more");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        for words in ["generator", "b/Gemm_1", "-65505", "fp32", "unet.pth"] {
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn the_first_number_that_is_none_is_named() {
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut course = course();
            assert!(!course.accepts("first", Element::F32, &[number]));
            assert!(!course.accepts("second", Element::F16, &[7e4]));
            let error = course.check().expect_err("no number");
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("first"), "{error}");
        }
    }
}
