//! Where the bytes of an avatar are: in a file that stays open, or in memory.
//!
//! The file is read at a place, not memory-mapped. Both leave caching to the system and share it between processes, and both hold
//! no more than what is asked for; but a map of a file that somebody cuts short ends the process with a signal, a read with
//! an error. It needs no `unsafe` either.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::format::corrupt;
use crate::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(crate) enum Source {
    Memory(Vec<u8>),
    File { file: File, path: PathBuf },
}

impl Source {
    /// Opens a plain file; and its size.
    pub(crate) fn open(path: &Path) -> Result<(Self, u64)> {
        let failed = |e| Error::io("open the avatar", path, e);
        // Before opening: a pipe would block, a device never end.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(Error::new(ErrorKind::Io, format!("the avatar is not a file: {}", path.display())));
        }
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok((Self::File { file, path: path.to_owned() }, size))
    }

    /// The bytes from `start` on, as many as `out` holds.
    pub(crate) fn read(&self, start: u64, out: &mut [u8]) -> Result<()> {
        match self {
            Self::Memory(bytes) => {
                let from = usize::try_from(start).ok().and_then(|start| bytes.get(start..)?.get(..out.len()));
                out.copy_from_slice(from.ok_or_else(|| corrupt("it is truncated"))?);
                Ok(())
            }
            Self::File { file, path } => read_at(file, start, out).map_err(|e| match e.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    corrupt("it was cut short while it was open").caused_by(e)
                }
                _ => Error::io("read the avatar", path, e),
            }),
        }
    }

    /// The same error with the file named, if it is one and is not named yet.
    pub(crate) fn named(&self, error: Error) -> Error {
        match self {
            Self::File { path, .. } if !error.to_string().contains(&*path.to_string_lossy()) => {
                Error::new(error.kind(), format!("{error}: {}", path.display())).caused_by(error)
            }
            _ => error,
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, start: u64, out: &mut [u8]) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.read_exact_at(out, start)
}

#[cfg(windows)]
fn read_at(file: &File, mut start: u64, mut out: &mut [u8]) -> std::io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !out.is_empty() {
        // Moves the file's own position too, which nobody uses.
        match file.seek_read(out, start) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                out = &mut out[read..];
                start += read as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
