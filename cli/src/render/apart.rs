//! What is written must not take the place of what is read.

use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

use crate::temp::folder_of;
use crate::video::Target;

/// Refuses an output that is one of the sources, lies in it, or holds it: footage would be replaced by what was made of it, and
/// a pack with a video inside is no longer as it was packed. Sources that do not exist are passed over.
pub(crate) fn check(target: &Target, out: &Path, sources: &[&Path]) -> Result<()> {
    check_option("--out", target, out, sources)
}

/// The same for an option of another name.
pub(crate) fn check_option(option: &str, target: &Target, out: &Path, sources: &[&Path]) -> Result<()> {
    if *target == Target::Stdout { Ok(()) } else { check_file(option, out, sources) }
}

/// The same for an output that is a file or a folder whatever it is called.
pub(crate) fn check_file(option: &str, out: &Path, sources: &[&Path]) -> Result<()> {
    let Some(place) = place_of(out) else { return Ok(()) };
    for source in sources {
        // A part of the footage may be a link to elsewhere.
        let parts = ["frames", "classes", "masks"].map(|part| source.join(part));
        let read = std::iter::once(*source).chain(parts.iter().map(PathBuf::as_path));
        for read in read.filter_map(|path| path.canonicalize().ok()) {
            if place.starts_with(&read) || read.starts_with(&place) {
                let sentence = format!(
                    "{option} lies where this command reads, at {}; write elsewhere: {}",
                    source.display(),
                    out.display()
                );
                return Err(Error::new(ErrorKind::InvalidInput, sentence));
            }
        }
    }
    Ok(())
}

/// Where the output will lie, behind all links. `None` where its folder does not exist yet.
fn place_of(out: &Path) -> Option<PathBuf> {
    let there = out.canonicalize().ok();
    there.or_else(|| Some(folder_of(out).canonicalize().ok()?.join(out.file_name()?)))
}
