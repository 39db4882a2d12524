//! An open checkpoint file of any format: which tensors it holds and where they lie, and the values of one at a time.
//!
//! The file is read, not memory-mapped: a map of a file that another process cuts short ends the host with a signal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

use super::stored::{Element, Float, Stored};
use super::{safetensors, torch};

/// Bytes that are read and converted at a time.
const STRIP: usize = 1 << 20;

/// How many times more bytes than it has values a scattered tensor may be spread over, beyond a megabyte.
const WIDEST_SPREAD: usize = 8;

/// What a header says.
#[derive(Default)]
pub(crate) struct Contents {
    /// By stored name.
    pub(crate) tensors: BTreeMap<String, Stored>,
    /// The whole numbers of a `dims` beside the tensors, as OpenAI's Whisper files have it.
    pub(crate) dims: BTreeMap<String, u64>,
}

/// An open file whose header is sound: every tensor lies inside the file.
pub(crate) struct TensorFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    contents: Contents,
}

impl TensorFile {
    /// Reads the header. The format is told from the content, whatever the name says.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(|e| Error::io("open the checkpoint", path, e))?;
        let bytes = file.metadata().map_err(|e| Error::io("read the size of", path, e))?.len();
        let contents = match format(&mut file, path)? {
            Format::SafeTensors => safetensors::contents(&mut file, path, bytes)?,
            Format::TorchZip => torch::zip_contents(&mut file, path, bytes)?,
            Format::TorchLegacy => torch::legacy_contents(&mut file, path, bytes)?,
        };
        Ok(Self { path: path.to_owned(), file, bytes, contents })
    }

    /// The tensor's values in row-major order, as f32. All of them are finite.
    pub(crate) fn values(&mut self, name: &str) -> Result<Vec<f32>> {
        let Self { path, file, contents, .. } = self;
        let Some(stored) = contents.tensors.get(name) else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("tensor {name} was asked of the wrong file"),
            ));
        };
        let Element::Float(float) = &stored.element else {
            let text = format!(
                "tensor {name} is {}; F32, F16, BF16 and F64 are read: {}",
                stored.element,
                path.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        let span = stored.span();
        if span > WIDEST_SPREAD.saturating_mul(stored.count()).saturating_add(STRIP) {
            let text = format!(
                "tensor {name} has {} values spread over {span}, which is not supported: {}",
                stored.count(),
                path.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let (values, checksum) = read(file, stored.at, span, *float)
            .map_err(|e| Error::io(&format!("read tensor {name} from"), path, e))?;
        if stored.checksum(span).is_some_and(|expected| expected != checksum) {
            return Err(damaged(path, format!("the checksum of tensor {name} differs: it was altered")));
        }
        let values = if stored.is_contiguous() { values } else { stored.gathered(&values) };
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(damaged(path, format!("tensor {name} holds {} at value {at}", values[at]))),
            None => Ok(values),
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.contents.tensors.keys().map(String::as_str)
    }

    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.contents.tensors.get(name).map(|stored| stored.shape.as_slice())
    }

    pub(crate) fn dims(&self) -> &BTreeMap<String, u64> {
        &self.contents.dims
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A sentence about a file that is not as it was written.
pub(super) fn damaged(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{what}: {}", path.display()))
}

enum Format {
    SafeTensors,
    TorchZip,
    TorchLegacy,
}

fn format(file: &mut File, path: &Path) -> Result<Format> {
    let mut start = Vec::new();
    file.take(64)
        .read_to_end(&mut start)
        .and_then(|_| file.seek(SeekFrom::Start(0)))
        .map_err(|e| Error::io("read the header of", path, e))?;
    let other = |what: &str| Err(damaged(path, format!("{what} is not a checkpoint; fetch the file itself")));
    match &start[..] {
        [b'P', b'K', 3, 4, ..] => Ok(Format::TorchZip),
        [_, _, _, _, _, _, _, _, b'{', ..] => Ok(Format::SafeTensors),
        [0x80, ..] => Ok(Format::TorchLegacy),
        _ if path.extension().is_some_and(|e| e == "safetensors") => Ok(Format::SafeTensors),
        text if text.starts_with(b"version https://git-lfs") => {
            other("a git-lfs pointer, which names the file to be fetched,")
        }
        text if text.trim_ascii_start().starts_with(b"<") => other("a web page"),
        [] => Err(damaged(path, "an empty file is not a checkpoint")),
        _ => Err(damaged(path, "neither a safetensors file nor a file that torch.save writes")),
    }
}

/// `count` values from byte `at`, and the checksum of their bytes.
fn read(file: &mut File, at: u64, count: usize, float: Float) -> std::io::Result<(Vec<f32>, u32)> {
    file.seek(SeekFrom::Start(at))?;
    let mut values = Vec::with_capacity(count);
    let mut checksum = crc32fast::Hasher::new();
    let mut left = count * float.bytes();
    let mut strip = vec![0; left.min(STRIP)];
    while left > 0 {
        let strip = &mut strip[..left.min(STRIP)];
        file.read_exact(strip)?;
        checksum.update(strip);
        float.append(strip, &mut values);
        left -= strip.len();
    }
    Ok((values, checksum.finalize()))
}
