//! Files and folders that take their final name only when they are complete.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use musetalk_core::{Error, ErrorKind, Result};

/// A path beside the final one. Whatever lies there is removed on drop, unless [`Temp::keep_as`] renamed it.
#[derive(Debug)]
pub(crate) struct Temp {
    path: PathBuf,
}

impl Temp {
    /// A name in the folder of `final_path`, unique to this process, that ends like it (tools guess by the ending).
    pub(crate) fn beside(final_path: &Path) -> Result<Self> {
        let name = final_path.file_name().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("this is not the name of a file: {}", final_path.display()),
            )
        })?;
        Ok(Self { path: final_path.with_file_name(format!(".{}.{}", unique(), name.to_string_lossy())) })
    }

    /// A new, empty file beside the final one, under a name that nobody has: a link that somebody planted is not followed.
    pub(crate) fn file_beside(final_path: &Path) -> Result<(Self, File)> {
        for _ in 0..MOST_TRIES {
            let temp = Self::beside(final_path)?;
            match File::create_new(temp.path()) {
                Ok(file) => return Ok((temp, file)),
                // Not ours to remove.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => temp.disown(),
                Err(e) => {
                    temp.disown();
                    return Err(Error::io("write beside the file", final_path, e));
                }
            }
        }
        let sentence = format!("every temporary name beside it is taken: {}", final_path.display());
        Err(Error::new(ErrorKind::Io, sentence))
    }

    /// Leaves alone what lies there.
    fn disown(mut self) {
        self.path = PathBuf::new();
    }

    /// A new, empty folder inside `parent`, which is created where needed.
    pub(crate) fn folder_in(parent: &Path) -> Result<Self> {
        fs::create_dir_all(parent).map_err(|e| Error::io("create the folder", parent, e))?;
        let temp = Self { path: parent.join(format!(".{}", unique())) };
        fs::create_dir(&temp.path).map_err(|e| Error::io("create a folder", &temp.path, e))?;
        Ok(temp)
    }

    /// A new, empty folder beside the final one.
    pub(crate) fn folder_beside(final_path: &Path) -> Result<Self> {
        let temp = Self::beside(final_path)?;
        fs::create_dir(&temp.path).map_err(|e| Error::io("create a folder", &temp.path, e))?;
        Ok(temp)
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the finished file or folder its final name, in one step.
    pub(crate) fn keep_as(self, final_path: &Path) -> Result<()> {
        // A folder can take the place of an empty one, not everywhere in one step.
        if self.path.is_dir() && final_path.is_dir() {
            fs::remove_dir(final_path).map_err(|e| Error::io("replace the folder", final_path, e))?;
        }
        fs::rename(&self.path, final_path)
            .map_err(|e| Error::io("give the finished file its name", final_path, e))
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        // Renamed away, never written, or not removable: none of these is worth a second error.
        let removed =
            if self.path.is_dir() { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) };
        drop(removed);
    }
}

/// Temporary names that are tried.
const MOST_TRIES: u32 = 64;

/// Writes a file whole or not at all. `what` completes "could not write …".
pub(crate) fn write_whole(path: &Path, what: &str, bytes: &[u8]) -> Result<()> {
    let failed = |e| Error::io(&format!("write {what}"), path, e);
    let (temp, mut file) = Temp::file_beside(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    drop(file);
    temp.keep_as(path)
}

/// Before minutes of work: something can be written beside this file.
pub(crate) fn check_room(path: &Path) -> Result<()> {
    Temp::file_beside(path).map(drop)
}

/// Before minutes of work: files can be written into this folder, which is made when it is needed. `option` is what named it.
pub(crate) fn check_folder(option: &str, folder: &Path) -> Result<()> {
    let refused = |what: &str, at: &Path| {
        Error::new(ErrorKind::InvalidInput, format!("{option} {what}: {}", at.display()))
    };
    if folder.as_os_str().is_empty() {
        return Err(refused("is empty; give a folder", folder));
    }
    let there = folder.ancestors().map(|at| if at.as_os_str().is_empty() { Path::new(".") } else { at });
    let Some(there) = there.into_iter().find(|at| fs::symlink_metadata(at).is_ok()) else {
        return Err(refused("cannot be made; give another folder", folder));
    };
    if !there.is_dir() {
        return Err(refused("is or leads through a file; give a folder", there));
    }
    check_room(&there.join("report"))
        .map_err(|e| refused("cannot be written to; give another folder", folder).caused_by(e))
}

/// A name that no other running process chooses.
fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("musetalk-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The folder a file lies in; `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
