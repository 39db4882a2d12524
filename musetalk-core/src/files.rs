//! Files that are written whole or not at all, and read whole or not at all.

use std::fs::File;
use std::io::{Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{Error, ErrorKind, Result};

/// Reads a file of at most `limit` bytes. Anything but a plain file is refused unopened: a pipe would be waited for, and a
/// device never ends.
pub(crate) fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |e| Error::io("read the file", path, e);
    let damaged = |what: String| Error::new(ErrorKind::Corrupt, format!("{what}: {}", path.display()));
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(damaged("this must be a plain file".to_owned()));
    }
    let mut bytes = Vec::new();
    if about.len() <= limit {
        // It may grow while it is read.
        File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(failed)?;
    }
    if about.len().max(bytes.len() as u64) > limit {
        return Err(damaged(format!("the file has {} bytes, more than {limit}", about.len())));
    }
    Ok(bytes)
}

/// Writes a file under a temporary name in the same folder, then renames it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Unfinished::create(path)?;
    file.write_all(bytes).map_err(|e| Error::io("write the file", path, e))?;
    file.publish()
}

/// A file under a temporary name beside its final one. Dropping it removes it; [`publish`](Self::publish) gives it its name.
#[derive(Debug)]
pub(crate) struct Unfinished {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    published: bool,
}

impl Unfinished {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let temporary = temporary_beside(path);
        let file = File::create(&temporary).map_err(|e| Error::io("write the file", path, e))?;
        Ok(Self { file, temporary, path: path.to_owned(), published: false })
    }

    /// What is written so far becomes the file, in place of one that may be there.
    pub(crate) fn publish(mut self) -> Result<()> {
        self.file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.temporary, &self.path))
            .map_err(|e| Error::io("write the file", &self.path, e))?;
        self.published = true;
        Ok(())
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Unfinished {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.published {
            // Nothing better can be done when even removing fails; the first error is the one to report.
            let _removed = std::fs::remove_file(&self.temporary).is_ok();
        }
    }
}

fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    // Two writers of one file must not share it before it is whole.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    name.push(format!(".{}-{}.part", std::process::id(), WRITTEN.fetch_add(1, Relaxed)));
    path.with_file_name(name)
}
