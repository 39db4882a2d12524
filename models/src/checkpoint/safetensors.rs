//! The header of a `.safetensors` file, checked against the length of the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use musetalk_core::{Error, Result};
use safetensors::tensor::{Dtype, Metadata};

use super::file::{Contents, damaged};
use super::stored::{Element, Float, Storage, Stored};

/// The longest header that is read; official checkpoints stay below 100 KiB.
const LONGEST_HEADER: u64 = 32 << 20;

pub(super) fn contents(file: &mut File, path: &Path, bytes: u64) -> Result<Contents> {
    let mut length = [0; 8];
    if bytes < 8 {
        return Err(damaged(path, format!("{bytes} bytes are too short for a safetensors header")));
    }
    file.read_exact(&mut length).map_err(|e| Error::io("read the header of", path, e))?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER || length > bytes - 8 {
        return Err(damaged(path, format!("a header of {length} bytes does not fit a file of {bytes}")));
    }
    let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact(&mut text).map_err(|e| Error::io("read the header of", path, e))?;
    let header: Metadata = serde_json::from_slice(&text)
        .map_err(|e| damaged(path, format!("the safetensors header is malformed ({e})")).caused_by(e))?;
    let data_at = 8 + length;
    let promised = data_at.saturating_add(header.data_len() as u64);
    if promised != bytes {
        return Err(damaged(path, format!("the header promises {promised} bytes, the file has {bytes}")));
    }
    let mut tensors = BTreeMap::new();
    // Values narrower than a byte are no weights that a network here could ask for.
    for (name, info) in header.tensors().into_iter().filter(|(_, info)| info.dtype.bitsize() >= 8) {
        let (start, end) = info.data_offsets;
        let bytes = data_at + start as u64..data_at + end as u64;
        let storage = Storage { bytes, checksum: None };
        let stored = Stored::whole(element(info.dtype), info.shape.clone(), storage)
            .map_err(|what| damaged(path, format!("tensor {name} {what}")))?;
        tensors.insert(name, stored);
    }
    Ok(Contents { tensors, dims: BTreeMap::new() })
}

fn element(dtype: Dtype) -> Element {
    match dtype {
        Dtype::F64 => Element::Float(Float::F64),
        Dtype::F32 => Element::Float(Float::F32),
        Dtype::F16 => Element::Float(Float::F16),
        Dtype::BF16 => Element::Float(Float::Bf16),
        other => Element::other(&format!("{other:?}"), other.bitsize() / 8),
    }
}
