//! `pack.json` as it is written, and `origin.json` as it is read.

use std::collections::BTreeMap;
use std::path::Path;

use musetalk_core::{Error, ErrorKind, Optimisation, Precision, Result};
use serde::{Deserialize, Serialize};

use crate::graph::{Built, Port};
use crate::onnx::Element;

/// The file that makes a folder a pack.
pub(crate) const FILE: &str = "pack.json";

/// The file of what the networks gave when the pack was built.
pub(crate) const SELF_TEST: &str = "self_test.json";

/// Graphs with more bytes of weights than this are loaded at ONNX Runtime's extended level, others at its full one.
///
/// Measured: MuseTalk's UNet (3.4 GB) loads in 1.4 s with 1.9 GB at the extended level, in 10.7 s with 4.2 GB at the full one, and
/// runs at the same speed; the demo's decoder runs 1.46 times slower at the extended level.
const LARGE: u64 = 1 << 30;

#[derive(Serialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) made_by: String,
    pub(crate) precision: Precision,
    pub(crate) encoder_identity: String,
    pub(crate) image: Image,
    pub(crate) fps: [u32; 2],
    pub(crate) audio: Audio,
    pub(crate) networks: BTreeMap<String, Network>,
    pub(crate) self_test: &'static str,
    pub(crate) files: BTreeMap<String, FileEntry>,
    pub(crate) weights: Vec<WeightEntry>,
    pub(crate) parity: Parity,
}

#[derive(Serialize)]
pub(crate) struct Image {
    pub(crate) size: usize,
    pub(crate) latent_size: usize,
    pub(crate) latent_channels: usize,
}

#[derive(Serialize)]
pub(crate) struct Audio {
    pub(crate) sample_rate: u32,
    pub(crate) hop: u32,
    pub(crate) mels: usize,
    pub(crate) positions: usize,
    pub(crate) states: usize,
    pub(crate) width: usize,
    pub(crate) tokens_before: usize,
    pub(crate) tokens_after: usize,
    pub(crate) look_ahead: u32,
    pub(crate) groups: Vec<u32>,
}

#[derive(Serialize)]
pub(crate) struct Network {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    widened: Option<String>,
    optimisation: Optimisation,
    inputs: Vec<PortEntry>,
    outputs: Vec<PortEntry>,
    pub(crate) parameters: u64,
    macs: u64,
}

#[derive(Serialize)]
struct PortEntry {
    name: String,
    #[serde(rename = "type")]
    element: &'static str,
    shape: Vec<Side>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Side {
    Free(String),
    Fixed(usize),
}

#[derive(Serialize)]
pub(crate) struct FileEntry {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

#[derive(Serialize)]
pub(crate) struct WeightEntry {
    pub(crate) network: String,
    pub(crate) origin: String,
    pub(crate) licence: String,
    pub(crate) sha256: String,
}

/// What the graphs were compared with.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Parity {
    reference: Option<String>,
    #[serde(default)]
    relative_error: BTreeMap<String, f64>,
}

/// Where the checkpoints came from, as the person who put them together says.
#[derive(Default, Deserialize)]
pub(crate) struct Origin {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) licence: Option<String>,
    pub(crate) parity: Option<Parity>,
}

impl Manifest {
    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("pack.json could not be written: {e}")).caused_by(e)
        })?;
        text.push(b'\n');
        Ok(text)
    }
}

impl Network {
    /// Of a graph with `bytes` of weights.
    pub(crate) fn new(built: &Built, parameters: u64, bytes: u64) -> Self {
        let described = |ports: &[Port]| ports.iter().map(PortEntry::new).collect();
        Self {
            file: built.file.clone(),
            widened: built.widened.clone(),
            optimisation: if bytes > LARGE { Optimisation::Extended } else { Optimisation::All },
            inputs: described(&built.inputs),
            outputs: described(&built.outputs),
            parameters,
            macs: built.macs,
        }
    }

    /// Of a file that was taken as it is, with tensors as the pack's format states them; a batch of one if `single`.
    /// Its multiply-accumulates are not counted: 0 stands for unknown.
    pub(crate) fn published(
        file: &str,
        inputs: &[Port],
        outputs: &[Port],
        parameters: u64,
        single: bool,
    ) -> Self {
        let described = |ports: &[Port]| {
            let mut entries: Vec<_> = ports.iter().map(PortEntry::new).collect();
            if single {
                entries.iter_mut().for_each(|entry| entry.shape[0] = Side::Fixed(1));
            }
            entries
        };
        Self {
            file: file.into(),
            widened: None,
            optimisation: Optimisation::All,
            inputs: described(inputs),
            outputs: described(outputs),
            parameters,
            macs: 0,
        }
    }
}

impl PortEntry {
    fn new(port: &Port) -> Self {
        let element = match port.element {
            Element::F32 => "f32",
            Element::U8 => "u8",
            Element::I64 => "i64",
            Element::F16 => "f16",
        };
        let fixed = port.fixed().iter().map(|&side| Side::Fixed(side));
        let free = port.free.iter().cloned().map(Side::Free);
        let shape = std::iter::once(Side::Free("batch".into())).chain(fixed).chain(free).collect();
        Self { name: port.name.clone(), element, shape }
    }
}

impl Origin {
    /// `origin.json` in `folder`, or nothing known.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("origin.json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Error::io("read", &path, e)),
        };
        serde_json::from_slice(&text).map_err(|e| {
            Error::new(ErrorKind::Corrupt, format!("malformed origin ({e}): {}", path.display())).caused_by(e)
        })
    }
}
