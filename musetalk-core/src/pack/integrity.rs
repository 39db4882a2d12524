use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::manifest::FileEntry;
use crate::{Error, ErrorKind, Result};

/// SHA-256 of a file in lower-case hexadecimal. `progress` hears of every block read and may stop.
pub(crate) fn sha256(path: &Path, mut progress: impl FnMut(u64) -> ControlFlow<()>) -> Result<String> {
    let mut file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut block).map_err(|e| Error::io("read", path, e))?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&block[..read]);
        if progress(read as u64).is_break() {
            return Err(Error::new(ErrorKind::Cancelled, "checking was cancelled"));
        }
    }
}

/// The file is there and has the size that the manifest states. Cheap: reads no content.
pub(crate) fn check_size(path: &Path, entry: &FileEntry) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(|e| Error::io("find a file of the pack", path, e))?;
    if !metadata.is_file() {
        // A pipe would be waited for.
        let text = format!("a file of the pack is no plain file: {}", path.display());
        return Err(Error::new(ErrorKind::Corrupt, text));
    }
    let actual = metadata.len();
    if actual != entry.bytes {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "the file has {actual} bytes, pack.json says {}; fetch or build the pack again: {}",
                entry.bytes,
                path.display()
            ),
        ));
    }
    Ok(())
}

/// The content is the one that the manifest states.
pub(crate) fn check_content(
    path: &Path,
    entry: &FileEntry,
    progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<()> {
    check_size(path, entry)?;
    let actual = sha256(path, progress)?;
    if actual != entry.sha256 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "SHA-256 is {actual}, pack.json says {}; the file was changed or damaged: {}",
                entry.sha256,
                path.display()
            ),
        ));
    }
    Ok(())
}

/// What people and their desktops leave in folders. No graph that was listed with its checksum takes weights from these unless
/// its author meant it to.
fn harmless(name: &str) -> bool {
    const LEFT: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];
    const BEGIN: [&str; 5] = ["._", "README", "LICENSE", "LICENCE", "NOTICE"];
    LEFT.contains(&name) || BEGIN.iter().any(|beginning| name.starts_with(beginning))
}

/// Nothing lies in the folder but `pack.json`, what it lists, and papers. A graph may take weights from any file beside or
/// below it, hidden ones too, and nobody compares what is not listed.
pub(crate) fn check_strangers(folder: &Path, files: &BTreeMap<String, FileEntry>) -> Result<()> {
    let failed = |e| Error::io("list the pack", folder, e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let known = |name: &str| name == "pack.json" || files.contains_key(name) || harmless(name);
        if !name.to_str().is_some_and(known) {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "this is not among the files that pack.json lists, so no checksum vouches for it; move it out of the \
                     pack, or fetch or build the pack again: {}",
                    folder.join(name).display()
                ),
            ));
        }
    }
    Ok(())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}").is_ok();
        text
    })
}
