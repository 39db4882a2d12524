//! A folder that is filled under another name and takes its own only when it is complete.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use musetalk_core::{Error, ErrorKind, Result};

use crate::manifest;

/// What the folders being filled are named after.
const PARTIAL: &str = "partial";

/// What a pack is named after while another takes its place.
const REPLACED: &str = "replaced";

/// A file that is locked while its folder is being filled. Whoever finds it unlocked may remove the folder.
const LOCK: &str = ".being-filled";

/// Between a folder and its lock pass moments, at either end of its life. One that had none for longer was left.
const LOCKLESS: Duration = Duration::from_secs(600);

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
    /// Makes an empty folder beside `target`, on the same disk. What a build left behind when it was killed goes, and a
    /// pack that it had put aside comes back.
    pub(crate) fn beside(target: &Path, replace: bool) -> Result<Self> {
        let target = followed(target)?;
        let folder = sibling(&target, PARTIAL)?;
        clear_up(&target);
        check_target(&target, replace)?;
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
        // Where files cannot be locked, nobody finds this one abandoned either.
        lock.try_lock().ok();
        Ok(Self { target, folder, lock, replace })
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
        let aside = sibling(&self.target, REPLACED)?;
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
        match std::fs::remove_dir_all(&aside) {
            // There was none, or another build that has just begun cleared it up.
            Err(e) if had && e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove the replaced pack", &aside, e))
            }
            _ => Ok(self.target.clone()),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After `publish` nothing has this name any more; an unfinished folder that resists is harmless.
        discard(&self.folder);
    }
}

/// The folder that `target` leads to: a pack that took the name of a link would leave the one behind it where it was.
fn followed(target: &Path) -> Result<PathBuf> {
    // Without a slash at its end, after which a link looks like a folder.
    let target: PathBuf = target.components().collect();
    if !target.is_symlink() {
        return Ok(target);
    }
    std::fs::canonicalize(&target).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            let text = format!("the link leads nowhere; nothing was written: {}", target.display());
            Error::new(ErrorKind::InvalidInput, text).caused_by(e)
        }
        _ => Error::io("follow the link", &target, e),
    })
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

/// Puts back or removes what earlier builds of `target` left when they were killed. What resists is in nobody's way.
fn clear_up(target: &Path) {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let named = |path: &Path, purpose| {
        let beginning = hidden(target.file_name().unwrap_or_default(), purpose);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let rest = name.strip_prefix(&*beginning.to_string_lossy());
        rest.is_some_and(|rest| rest.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()))
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if named(&path, PARTIAL) && abandoned(&path) {
            discard(&path);
        }
        if named(&path, REPLACED) {
            match target.join(manifest::FILE).is_file() {
                true => discard(&path),
                // Fails where something else has the name, which is then refused.
                false => drop(std::fs::rename(&path, target)),
            }
        }
    }
}

/// Whether nobody fills this folder any more.
fn abandoned(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => {
            let changed = std::fs::metadata(folder).and_then(|about| about.modified()).ok();
            changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > LOCKLESS)
        }
    }
}

/// Removes a folder, its lock after all else: should this be cut short, the next build still finds it abandoned.
fn discard(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name() != LOCK {
            let path = entry.path();
            std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path)).ok();
        }
    }
    std::fs::remove_dir_all(folder).ok();
}

fn sibling(target: &Path, purpose: &str) -> Result<PathBuf> {
    let Some(name) = target.file_name() else {
        let text = format!("a pack needs a name: {}", target.display());
        return Err(Error::new(ErrorKind::InvalidInput, text));
    };
    let mut sibling = hidden(name, purpose);
    sibling.push(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    Ok(target.with_file_name(sibling))
}

/// How the names of all folders begin that have a purpose beside the folder `name`.
fn hidden(name: &OsStr, purpose: &str) -> OsString {
    let mut beginning = OsString::from(".");
    beginning.push(name);
    beginning.push(format!(".{purpose}-"));
    beginning
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|e| Error::io(&format!("rename {} to", from.display()), to, e))
}
