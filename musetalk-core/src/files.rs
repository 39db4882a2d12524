//! Files that are written whole or not at all, and read whole or not at all.

use std::fs::File;
use std::io::{Read as _, Write as _};
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
    let temporary = temporary_beside(path);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|e| {
        // Nothing better can be done when even removing fails; the first error is the one to report.
        let _removed = std::fs::remove_file(&temporary).is_ok();
        Error::io("write the file", path, e)
    })
}

fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    // Two writers of one file must not share it before it is whole.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    name.push(format!(".{}-{}.part", std::process::id(), WRITTEN.fetch_add(1, Relaxed)));
    path.with_file_name(name)
}
