//! One `.safetensors` file: its header, checked against the length of the file, and one tensor read at a time.
//!
//! The file is read, not memory-mapped: a map of a file that another process cuts short ends the host with a signal.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};
use safetensors::tensor::{Dtype, Metadata};

/// The longest header that is read; official checkpoints stay below 100 KiB.
const LONGEST_HEADER: u64 = 32 << 20;

/// An open file whose header is sound.
pub(crate) struct TensorFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    data_at: u64,
    header: Metadata,
}

impl TensorFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(|e| Error::io("open the checkpoint", path, e))?;
        let bytes = file.metadata().map_err(|e| Error::io("read the size of", path, e))?.len();
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
        Ok(Self { path: path.to_owned(), file, bytes, data_at, header })
    }

    /// Appends the tensor's values to a fresh vector, as f32. The caller has checked that the name exists.
    pub(crate) fn values(&mut self, name: &str) -> Result<Vec<f32>> {
        let Some(info) = self.header.info(name) else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("tensor {name} was asked of the wrong file"),
            ));
        };
        let (start, end) = info.data_offsets;
        let dtype = info.dtype;
        if !matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("tensor {name} is {dtype:?}; F32, F16 and BF16 are read: {}", self.path.display()),
            ));
        }
        let mut raw = vec![0; end - start];
        self.file
            .seek(SeekFrom::Start(self.data_at + start as u64))
            .and_then(|_| self.file.read_exact(&mut raw))
            .map_err(|e| Error::io(&format!("read tensor {name} from"), &self.path, e))?;
        let values: Vec<f32> = match dtype {
            Dtype::F32 => raw.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
            Dtype::F16 => {
                raw.as_chunks::<2>().0.iter().map(|&b| half::f16::from_le_bytes(b).to_f32()).collect()
            }
            _ => raw.as_chunks::<2>().0.iter().map(|&b| half::bf16::from_le_bytes(b).to_f32()).collect(),
        };
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(damaged(&self.path, format!("tensor {name} holds {} at value {at}", values[at])));
        }
        Ok(values)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.header.offset_keys()
    }

    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.header.info(name).map(|info| info.shape.as_slice())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn damaged(path: &Path, what: String) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{what}: {}", path.display()))
}
