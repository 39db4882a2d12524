//! Files that are written whole or not at all, and read whole or not at all.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind as Io, Read as _, Seek, SeekFrom, Write};
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
    /// Begins a file under a name that nobody has: whatever lies there, a link of a stranger's among it, is left alone. What killed
    /// processes left of the same file goes. A device, a pipe or a socket is refused: it would be replaced by a file, `/dev/full` like `/dev/stdout`.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let failed = |e| Error::io("write the file", path, e);
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            let text = format!("this is a device, a pipe or a socket; name a file: {}", path.display());
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        remove_abandoned(path);
        for _ in 0..MOST_TRIES {
            let temporary = temporary_beside(path);
            match OpenOptions::new().read(true).write(true).create_new(true).open(&temporary) {
                Ok(file) => {
                    // Says that it is worked on. Where files cannot be locked, nothing is ever taken for abandoned either.
                    let _locked = file.try_lock().is_ok();
                    if !is_at(&file, &temporary) {
                        // Taken for abandoned before the lock.
                        continue;
                    }
                    return Ok(Self { file, temporary, path: path.to_owned(), published: false });
                }
                Err(e) if e.kind() == Io::AlreadyExists => {}
                Err(e) => return Err(failed(e)),
            }
        }
        Err(failed(std::io::Error::new(Io::AlreadyExists, "every temporary name beside it is taken")))
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

/// Temporary names that are tried; more than that are taken by nobody but a saboteur.
const MOST_TRIES: u32 = 64;

fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    // Two writers of one file must not share it before it is whole.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    name.push(format!(".{}-{}.part", std::process::id(), WRITTEN.fetch_add(1, Relaxed)));
    path.with_file_name(name)
}

/// Removes what killed processes left under temporary names of this file: plain files that no living process has locked.
fn remove_abandoned(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Some(own), Ok(entries)) = (path.file_name(), std::fs::read_dir(folder)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let rest = name.to_str().zip(own.to_str()).and_then(|(name, own)| name.strip_prefix(own));
        let numbers = rest.and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".part")?.split_once('-'));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !numbers.is_some_and(|(process, count)| digits(process) && digits(count)) {
            continue;
        }
        // Opened for writing, without changing anything: what is not ours to write is not ours to remove.
        let Ok(file) = open_plain(&entry.path()) else { continue };
        if file.try_lock().is_ok() {
            // Somebody may be faster; gone is gone.
            let _removed = std::fs::remove_file(entry.path()).is_ok();
        }
    }
}

/// What lay under a name that this program keeps for itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// Nothing, or nothing but a name.
    Nothing,
    /// A file that begins as ours do.
    Own,
}

/// Opens a file that only this program writes, or begins it; read and written from its start. It stays locked while it is open.
///
/// # Errors
///
/// - [`ErrorKind::InvalidInput`]: something else lies there: a link, a folder, a file with a second name, or one that does not begin with
///   `magic`. It is left as it is.
/// - [`ErrorKind::Io`]: another process works on it, or it cannot be opened.
pub(crate) fn open_own(path: &Path, magic: &[u8]) -> Result<(File, Found)> {
    let failed = |e| Error::io("open the work file", path, e);
    let foreign = |what: &str| {
        let sentence =
            format!("{what} lies where work is kept; remove it or write elsewhere: {}", path.display());
        Error::new(ErrorKind::InvalidInput, sentence)
    };
    let file = match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == Io::AlreadyExists => match open_plain(path) {
            Ok(file) => file,
            Err(e) if e.kind() == Io::InvalidInput => return Err(foreign("something that is no plain file")),
            Err(e) => return Err(failed(e)),
        },
        Err(e) => return Err(failed(e)),
    };
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        let sentence = format!("another run works on the same avatar; wait for it: {}", path.display());
        return Err(Error::new(ErrorKind::Io, sentence));
    }
    let mut beginning = Vec::new();
    (&file).take(magic.len() as u64).read_to_end(&mut beginning).map_err(failed)?;
    (&file).seek(SeekFrom::Start(0)).map_err(failed)?;
    match beginning {
        beginning if beginning == magic => Ok((file, Found::Own)),
        // A crash can come before the first byte.
        beginning if beginning.is_empty() => Ok((file, Found::Nothing)),
        _ => Err(foreign("a file that is not ours")),
    }
}

/// Opens a plain file for reading and writing, and no other way to one: links are not followed, and files with a second name, which may be
/// anybody's, are refused as [`InvalidInput`](Io::InvalidInput). Nothing is changed.
fn open_plain(path: &Path) -> std::io::Result<File> {
    let refused = || std::io::Error::new(Io::InvalidInput, "this is no plain file");
    let named = std::fs::symlink_metadata(path)?;
    if !named.is_file() {
        return Err(refused());
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    // Between looking and opening a link may have taken its place.
    if same(&named, &file.metadata()?) { Ok(file) } else { Err(refused()) }
}

/// Whether a file is still there under its name.
fn is_at(file: &File, path: &Path) -> bool {
    let both = std::fs::symlink_metadata(path).ok().zip(file.metadata().ok());
    both.is_some_and(|(named, opened)| same(&named, &opened))
}

#[cfg(unix)]
fn same(named: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    opened.is_file() && opened.nlink() == 1 && (named.dev(), named.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn same(_named: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

#[cfg(test)]
mod tests;
