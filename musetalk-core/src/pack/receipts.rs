//! Notes in the user's cache that a file had this SHA-256, so that gigabytes are not read whole at every start.
//!
//! One small file for each file of a pack, named by the digest of its path. A receipt counts only while the file looks exactly as it
//! did when it was read: size, time of change and, where the system has them, inode and time of status change. That
//! notices damage by programs and people: a copy that broke off, an edit, a file put in the place of another. It does not
//! notice a disk that rots in silence below an unchanged file, nor a person who may write this user's cache;
//! `musetalk pack verify` reads everything and heeds no receipt.
//!
//! Whatever is wrong with a receipt or with the cache, the file is simply read again.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::integrity::hex;
use super::manifest::FileEntry;
use crate::cache::cache_dir;
use crate::files;

/// The receipts of one cache; none are found or kept where there is no cache.
#[derive(Debug)]
pub(crate) struct Receipts(Option<PathBuf>);

/// A file as it looked before it was read.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Behind all symbolic links: a link that is turned elsewhere leads to another receipt.
    path: PathBuf,
    stamp: Stamp,
    /// When it was looked at, in nanoseconds of 1970.
    at: u64,
}

/// What changes when a file does. Times are nanoseconds of 1970.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    bytes: u64,
    modified: u64,
    /// Unlike `modified` not to be set by programs; 0 where the system has none.
    changed: u64,
    device: u64,
    inode: u64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    /// For people; the name of the receipt is what binds it to the path.
    path: String,
    stamp: Stamp,
    /// When reading began.
    read: u64,
    sha256: String,
}

/// Nothing tells two changes apart that fall into one tick of a file system's clock; the coarsest tick is two seconds.
const TICK: u64 = 2_000_000_000;

/// A receipt above this size is none.
const LIMIT: u64 = 64 << 10;

impl Receipts {
    /// Those in the cache of this user.
    pub(crate) fn of_user() -> Self {
        Self(cache_dir().map(|cache| cache.join("receipts")))
    }

    /// Looks at a file, before it is read. `None` where the system does not say enough to give a receipt.
    pub(crate) fn look(path: &Path) -> Option<Seen> {
        let path = std::fs::canonicalize(path).ok()?;
        let stamp = Stamp::of(&std::fs::metadata(&path).ok()?)?;
        Some(Seen { path, stamp, at: nanoseconds(SystemTime::now())? })
    }

    /// Whether the file that was seen has been read before, had the stated content then, and did not change since.
    pub(crate) fn vouch(&self, seen: &Seen, entry: &FileEntry) -> bool {
        let receipt = self.place(seen).and_then(|place| read(&place));
        receipt.is_some_and(|receipt| receipt.holds(&seen.stamp, &entry.sha256, seen.at))
    }

    /// Notes that the file had the stated content when it was read, unless it changed meanwhile or too lately to tell.
    pub(crate) fn keep(&self, seen: &Seen, entry: &FileEntry) {
        let receipt = Receipt {
            path: seen.path.display().to_string(),
            stamp: seen.stamp.clone(),
            read: seen.at,
            sha256: entry.sha256.clone(),
        };
        let unchanged =
            Self::look(&seen.path).is_some_and(|now| receipt.holds(&now.stamp, &entry.sha256, now.at));
        let (Some(place), true) = (self.place(seen), unchanged) else { return };
        if let Err(error) = write(&place, &receipt) {
            // Only the next start takes longer for it.
            log::debug!("no receipt was kept: {error}");
        }
    }

    fn place(&self, seen: &Seen) -> Option<PathBuf> {
        let digest = Sha256::digest(seen.path.as_os_str().as_encoded_bytes());
        self.0.as_ref().map(|folder| folder.join(format!("{}.json", hex(&digest))))
    }
}

impl Receipt {
    /// Whether it speaks for a file that looks like this at the time `now`.
    fn holds(&self, stamp: &Stamp, sha256: &str, now: u64) -> bool {
        let settled = stamp.modified.max(stamp.changed).saturating_add(TICK) <= self.read;
        // A receipt of the future, or a file of the future, was written by a clock that cannot be trusted.
        settled && self.read <= now && self.stamp == *stamp && self.sha256 == sha256
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Option<Self> {
        let modified = nanoseconds(metadata.modified().ok()?)?;
        let (changed, device, inode) = identity(metadata)?;
        Some(Self { bytes: metadata.len(), modified, changed, device, inode })
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = u64::try_from(metadata.ctime()).ok()?.checked_mul(1_000_000_000)?;
    let changed = seconds.checked_add(u64::try_from(metadata.ctime_nsec()).ok()?)?;
    Some((changed, metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64, u64)> {
    Some((0, 0, 0))
}

fn nanoseconds(time: SystemTime) -> Option<u64> {
    u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

fn read(place: &Path) -> Option<Receipt> {
    let metadata = std::fs::symlink_metadata(place).ok()?;
    if !metadata.is_file() || metadata.len() > LIMIT {
        return None;
    }
    serde_json::from_slice(&std::fs::read(place).ok()?).ok()
}

fn write(place: &Path, receipt: &Receipt) -> crate::Result<()> {
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder).map_err(|e| crate::Error::io("create", folder, e))?;
    }
    let text = serde_json::to_vec(receipt).map_err(|e| {
        crate::Error::new(crate::ErrorKind::Internal, format!("a receipt could not be written: {e}"))
    })?;
    // Whole or not at all: two processes that open one pack at once write the same.
    files::write_whole(place, &text)
}

#[cfg(test)]
mod tests;
