//! Writing: small graphs in one file, large ones with their weights in a second file beside it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use half::f16;
use half::slice::HalfFloatSliceExt;
use musetalk_core::{Error, ErrorKind, Result};
use prost::Message;
use sha2::{Digest, Sha256};

use super::message::{Element, Entry, GraphMessage, Model, OperatorSet, TensorMessage};

/// IR 10 and operators 20 are the newest that every supported ONNX Runtime (1.24 and later) and OpenVINO read.
const IR_VERSION: i64 = 10;
const OPSET: i64 = 20;

/// A tensor shorter than this stays in the graph: ONNX Runtime wants shapes there, and the rest is noise.
const SMALLEST_OUTSIDE: usize = 4096;

/// Outside weights start at multiples of a page, so that a reader can map them.
const ALIGNMENT: u64 = 4096;

/// Where a graph's weights go as they are added.
pub(crate) enum WeightStore {
    /// Into the graph itself.
    Inside,
    /// Into one file beside it, at once: the memory of one tensor is enough for a network of any size.
    Beside { name: String, path: PathBuf, file: BufWriter<File>, at: u64, hash: Sha256 },
}

/// A file that was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl WeightStore {
    pub(crate) fn beside(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let file = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
        Ok(Self::Beside { name: name.into(), path, file: BufWriter::new(file), at: 0, hash: Sha256::new() })
    }

    /// Takes the bytes of a weight, as [`encoded`] gives them.
    pub(crate) fn keep(
        &mut self,
        name: &str,
        shape: &[usize],
        element: Element,
        raw: Vec<u8>,
    ) -> Result<TensorMessage> {
        let message = TensorMessage {
            dims: shape.iter().map(|&side| side as i64).collect(),
            data_type: element as i32,
            name: name.into(),
            ..TensorMessage::default()
        };
        match self {
            Self::Beside { name, path, file, at, hash } if raw.len() >= SMALLEST_OUTSIDE => {
                let start = at.next_multiple_of(ALIGNMENT);
                let gap = vec![0; (start - *at) as usize];
                for part in [&gap, &raw] {
                    hash.update(part);
                    file.write_all(part).map_err(|e| Error::io("write", path, e))?;
                }
                *at = start + raw.len() as u64;
                let entry = |key: &str, value: String| Entry { key: key.into(), value };
                let external_data = vec![
                    entry("location", name.clone()),
                    entry("offset", start.to_string()),
                    entry("length", raw.len().to_string()),
                ];
                Ok(TensorMessage { external_data, data_location: Some(1), ..message })
            }
            _ => Ok(TensorMessage { raw_data: Some(raw), ..message }),
        }
    }

    /// Ends the file beside the graph, if there is one. Where all weights were too short for it, it goes.
    pub(crate) fn close(self) -> Result<Option<Written>> {
        match self {
            Self::Inside => Ok(None),
            Self::Beside { name, path, file, at, hash } => {
                let file = file.into_inner().map_err(|e| Error::io("write", &path, e.into_error()))?;
                if at == 0 {
                    drop(file);
                    std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
                    return Ok(None);
                }
                file.sync_all().map_err(|e| Error::io("write", &path, e))?;
                Ok(Some(Written { name, bytes: at, sha256: hex(hash) }))
            }
        }
    }
}

/// Little-endian bytes of a weight, and the numbers that are left of it when it was rounded to halves.
pub(crate) fn encoded(name: &str, values: &[f32], element: Element) -> Result<(Vec<u8>, Option<Vec<f32>>)> {
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        // What was read is finite: it is what the weight was multiplied with.
        let text = format!("weight {name} is {value} where it is folded into one with others; it is damaged");
        return Err(Error::new(ErrorKind::Corrupt, text));
    }
    let mut raw = Vec::with_capacity(4 * values.len());
    if element != Element::F16 {
        values.iter().for_each(|v| raw.extend_from_slice(&v.to_le_bytes()));
        return Ok((raw, None));
    }
    let mut halves = vec![f16::ZERO; values.len()];
    halves.convert_from_f32_slice(values);
    if let Some(at) = halves.iter().position(|half| half.is_infinite()) {
        let text =
            format!("weight {name} holds {}, more than 16 bits can; build the pack in fp32", values[at]);
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    halves.iter().for_each(|half| raw.extend_from_slice(&half.to_le_bytes()));
    Ok((raw, Some(halves.to_f32_vec())))
}

/// Writes the graph as `folder/name`.
pub(crate) fn write_model(folder: &Path, name: &str, graph: GraphMessage) -> Result<Written> {
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        opset_import: vec![
            OperatorSet { domain: String::new(), version: OPSET },
            OperatorSet { domain: "com.microsoft".into(), version: 1 },
        ],
    };
    write_file(folder, name, &model.encode_to_vec())
}

/// Writes and flushes `folder/name`.
pub(crate) fn write_file(folder: &Path, name: &str, content: &[u8]) -> Result<Written> {
    let path = folder.join(name);
    let mut file = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(|e| Error::io("write", &path, e))?;
    Ok(Written {
        name: name.into(),
        bytes: content.len() as u64,
        sha256: hex(Sha256::new_with_prefix(content)),
    })
}

/// A digest in lower-case hexadecimal.
pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
