//! A folder that is filled under another name and takes its own only when it is complete.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use musetalk_core::{Error, ErrorKind, Result};

use crate::manifest;

/// What the folders being filled are named after.
const PARTIAL: &str = "partial";

/// A file that is locked while its folder is being filled. Whoever finds it unlocked may remove the folder.
const LOCK: &str = ".being-filled";

/// Makes the names of folders filled at the same time by one process differ.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The folder being filled. Dropped before [`publish`](Self::publish), it is removed with all that is in it.
pub(crate) struct Staging {
    target: PathBuf,
    folder: PathBuf,
    lock: File,
    replace: bool,
}

impl Staging {
    /// Makes an empty folder beside `target`, on the same disk. One that a build left behind when it was killed goes.
    pub(crate) fn beside(target: &Path, replace: bool) -> Result<Self> {
        check_target(target, replace)?;
        let folder = sibling(target, PARTIAL)?;
        remove_abandoned(target);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
        // Where files cannot be locked, nobody finds this one abandoned either.
        lock.try_lock().ok();
        Ok(Self { target: target.to_owned(), folder, lock, replace })
    }

    /// The folder to fill.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// The name the folder will have, without an extension.
    pub(crate) fn name(&self) -> String {
        self.target.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Gives the folder its name. What had the name before is put aside until then.
    pub(crate) fn publish(self) -> Result<PathBuf> {
        check_target(&self.target, self.replace)?;
        let path = self.folder.join(LOCK);
        self.lock
            .unlock()
            .and_then(|()| std::fs::remove_file(&path))
            .map_err(|e| Error::io("remove", &path, e))?;
        let aside = sibling(&self.target, "replaced")?;
        let had = self.target.exists();
        if had {
            rename(&self.target, &aside)?;
        }
        if let Err(error) = rename(&self.folder, &self.target) {
            if had {
                rename(&aside, &self.target)?;
            }
            return Err(error);
        }
        if had {
            std::fs::remove_dir_all(&aside).map_err(|e| Error::io("remove the replaced pack", &aside, e))?;
        }
        Ok(self.target.clone())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After `publish` nothing has this name any more; an unfinished folder that resists is harmless.
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Free, an empty folder, or a pack that may be replaced.
fn check_target(target: &Path, replace: bool) -> Result<()> {
    let refused = |why: &str| {
        Err(Error::new(ErrorKind::InvalidInput, format!("{why}; nothing was written: {}", target.display())))
    };
    let mut entries = match std::fs::read_dir(target) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
            return refused("a file has the pack's name");
        }
        Err(e) => return Err(Error::io("list", target, e)),
    };
    if entries.next().is_none() {
        return Ok(());
    }
    match target.join(manifest::FILE).is_file() {
        true if replace => Ok(()),
        true => refused("the pack exists and was not to be replaced"),
        false => refused("the folder holds something else than a pack"),
    }
}

/// Removes folders of earlier builds of `target` that nobody fills any more.
fn remove_abandoned(target: &Path) {
    let Some(name) = target.file_name() else { return };
    let beginning = format!(".{}.{PARTIAL}-", name.to_string_lossy());
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&beginning));
        if ours && File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            // What resists is in nobody's way.
            std::fs::remove_dir_all(&path).ok();
        }
    }
}

fn sibling(target: &Path, purpose: &str) -> Result<PathBuf> {
    let Some(name) = target.file_name() else {
        let text = format!("a pack needs a name: {}", target.display());
        return Err(Error::new(ErrorKind::InvalidInput, text));
    };
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{purpose}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    Ok(target.with_file_name(hidden))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|e| Error::io(&format!("rename {} to", from.display()), to, e))
}
