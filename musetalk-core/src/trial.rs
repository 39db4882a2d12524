//! Whether a device computes what was recorded when the pack was built.
//!
//! A driver or provider that computes nonsense makes grey faces and no error. Here every network that has a record is run once
//! on the inputs of [`self_test`], and its answer compared with the recorded one.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::device::Device;
use crate::pack::{ModelPack, NetworkEntry, Precision, compatibility};
use crate::runtime::{Answer, LoadOptions, Network, RuntimeLibrary};
use crate::self_test;
use crate::{Error, ErrorKind, Result};

mod guard;
mod limits;
mod record;

pub use limits::Measure;

pub(crate) use guard::guard;
pub(crate) use record::Record;

/// What the self-test of a pack found on one device.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SelfTest {
    /// Where the networks ran; never [`Device::Auto`].
    pub device: Device,
    /// The version of ONNX Runtime that ran them.
    pub runtime: String,
    /// What the weights of the pack are stored in.
    pub precision: Precision,
    /// One for each network that has a record, in the order they ran.
    pub networks: Vec<NetworkTest>,
    /// Networks that the pack has no record of, and that did not run.
    pub untested: Vec<String>,
}

/// What the self-test found of one network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkTest {
    /// Its role.
    pub network: String,
    /// The graph that ran.
    pub file: PathBuf,
    /// How its answer was compared.
    pub measure: Measure,
    /// How far its answer lies from the record, by that measure; NaN or infinite where the answer is.
    pub error: f64,
    /// The largest error that passes on this device.
    pub limit: f64,
    /// Whether every number of its answer was finite.
    pub finite: bool,
    /// How long the graph took to load.
    pub load: Duration,
    /// How long its one run took, the first and slowest.
    pub run: Duration,
}

impl NetworkTest {
    /// Whether the device computes this network.
    pub fn passed(&self) -> bool {
        self.finite && self.error <= self.limit
    }
}

impl SelfTest {
    /// Whether the device computes every network that was tested; false where none was, because nothing is known then.
    pub fn passed(&self) -> bool {
        !self.networks.is_empty() && self.networks.iter().all(NetworkTest::passed)
    }

    /// An error about the first network that did not pass, with what to do.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::DeviceUnavailable`]: a device other than the CPU computes nonsense.
    /// - [`ErrorKind::Corrupt`]: the CPU does not compute what was recorded.
    pub fn check(&self) -> Result<()> {
        match self.networks.iter().find(|test| !test.passed()) {
            None => Ok(()),
            Some(test) => Err(self.failure(test)),
        }
    }

    fn failure(&self, test: &NetworkTest) -> Error {
        let Self { device, runtime, .. } = self;
        let NetworkTest { network, measure, error, limit, .. } = test;
        let found = if test.finite {
            format!("{measure} {} where {limit} passes", measure.say(*error))
        } else {
            "numbers that are not finite".to_owned()
        };
        let kind = if *device == Device::Cpu { ErrorKind::Corrupt } else { ErrorKind::DeviceUnavailable };
        let (file, advice) = (test.file.display(), self.advice());
        let text = format!(
            "network {network} computes nonsense on {device} with ONNX Runtime {runtime}: {found}; {advice}: {file}"
        );
        Error::new(kind, text)
    }

    fn advice(&self) -> String {
        let device = self.device;
        if device == Device::Cpu {
            return "the pack was recorded wrongly or the library is broken; try `musetalk setup --force`, then build the pack again"
                .to_owned();
        }
        let driver = format!(
            "update the driver of {device} or the ONNX Runtime that was built for it, or use another device such as cpu"
        );
        match self.precision {
            Precision::Fp32 => driver,
            // A sound device gives the same where a network goes beyond 65504.
            Precision::Fp16 => format!(
                "its values may be beyond what 16 bits hold: build the pack with `musetalk pack build --precision fp32`; \
                 or the device is at fault: {driver}"
            ),
        }
    }
}

/// Loads every network that has a record, one after another, and examines it. `progress` hears which network of how many
/// is next, and may stop.
pub(crate) fn of_pack(
    pack: &ModelPack,
    library: &RuntimeLibrary,
    options: LoadOptions,
    mut progress: impl FnMut(&str, usize, usize) -> ControlFlow<()>,
) -> Result<SelfTest> {
    let manifest = pack.manifest();
    let record = Record::of(pack)?;
    let known = |role: &&str| manifest.networks.contains_key(*role);
    let roles = compatibility::ROLES.into_iter().chain(compatibility::FACE_ROLES).filter(known);
    let (tested, untested): (Vec<&'static str>, Vec<_>) = roles.partition(|role| record.knows(role));
    let mut networks = Vec::with_capacity(tested.len());
    for (done, &role) in tested.iter().enumerate() {
        if progress(role, done, tested.len()).is_break() {
            return Err(Error::new(ErrorKind::Cancelled, "the self-test was cancelled"));
        }
        let entry = compatibility::network(manifest, role)?;
        let started = Instant::now();
        let mut network = Network::load(library, pack.folder(), role, entry, options)?;
        let load = started.elapsed();
        networks.extend(
            record
                .examine(pack, role, &mut network, options.device)?
                .map(|test| NetworkTest { load, ..test }),
        );
    }
    Ok(SelfTest {
        device: options.device,
        runtime: library.version().to_owned(),
        precision: manifest.precision,
        networks,
        untested: untested.into_iter().map(str::to_owned).collect(),
    })
}

/// The sides of a network's inputs with one item; free ones as long as the record was made with.
fn nominal(entry: &NetworkEntry) -> Vec<Vec<usize>> {
    /// Any size would do that both sides know.
    const FREE: usize = 256;
    entry.inputs.iter().map(|tensor| tensor.sides(FREE)).collect()
}

impl Record {
    /// Runs a loaded network once and compares; `None` where nothing was recorded of it. `load` is left at zero.
    pub(crate) fn examine(
        &self,
        pack: &ModelPack,
        role: &str,
        network: &mut Network,
        device: Device,
    ) -> Result<Option<NetworkTest>> {
        let Some(recorded) = self.answer(role) else { return Ok(None) };
        let entry = compatibility::network(pack.manifest(), role)?;
        let inputs: Vec<(Vec<usize>, Vec<f32>)> = nominal(entry)
            .into_iter()
            .enumerate()
            .map(|(index, shape)| {
                let numbers = self_test::input(index, shape.iter().product());
                (shape, numbers)
            })
            .collect();
        let started = Instant::now();
        let answer = network.first_answer(&inputs)?;
        let run = started.elapsed();
        let computed = sampled(&answer);
        if computed.len() != recorded.len() {
            return Err(self.malformed(&format!(
                "network {role} has {} numbers where {} belong",
                recorded.len(),
                computed.len()
            )));
        }
        let measure = Measure::of(role, &answer);
        Ok(Some(NetworkTest {
            network: role.to_owned(),
            file: pack.folder().join(network.file()),
            measure,
            error: measure.error(&computed, recorded),
            limit: measure.limit(device, pack.manifest().precision),
            finite: all_finite(&answer),
            load: Duration::ZERO,
            run,
        }))
    }
}

fn sampled(answer: &Answer) -> Vec<f64> {
    match answer {
        Answer::Floats(numbers) => {
            self_test::places(numbers.len()).map(|place| f64::from(numbers[place])).collect()
        }
        Answer::Bytes(numbers) => {
            self_test::places(numbers.len()).map(|place| f64::from(numbers[place])).collect()
        }
    }
}

fn all_finite(answer: &Answer) -> bool {
    match answer {
        Answer::Floats(numbers) => numbers.iter().all(|number| number.is_finite()),
        Answer::Bytes(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(device: Device, precision: Precision) -> (ErrorKind, String) {
        let test = NetworkTest {
            network: "decoder".to_owned(),
            file: PathBuf::from("pack/decoder.onnx"),
            measure: Measure::Bytes,
            error: 23.4567,
            limit: 1.5,
            finite: true,
            load: Duration::ZERO,
            run: Duration::ZERO,
        };
        let runtime = "1.31.1".to_owned();
        let found = SelfTest { device, runtime, precision, networks: vec![test], untested: Vec::new() };
        let error = found.check().unwrap_err();
        (error.kind(), error.to_string())
    }

    #[test]
    fn every_likely_cause_is_named() {
        let (kind, text) = said(Device::Cuda(0), Precision::Fp16);
        assert_eq!(kind, ErrorKind::DeviceUnavailable);
        for words in
            ["23.457 where 1.5 passes", "16 bits", "--precision fp32", "driver of cuda:0", "decoder.onnx"]
        {
            assert!(text.contains(words), "{words} is missing: {text}");
        }
        let (kind, text) = said(Device::Cuda(0), Precision::Fp32);
        assert!(kind == ErrorKind::DeviceUnavailable && text.contains("driver of cuda:0"), "{text}");
        assert!(!text.contains("16 bits"), "{text}");
        // A processor computes in 32 bits whatever the weights are stored in.
        let (kind, text) = said(Device::Cpu, Precision::Fp16);
        assert!(kind == ErrorKind::Corrupt && text.contains("musetalk setup --force"), "{text}");
        assert!(!text.contains("16 bits"), "{text}");
    }
}
