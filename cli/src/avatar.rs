//! `musetalk avatar`: preparing people, and reading what was prepared.

mod create;
mod from_parts;
mod import;
mod inspect;
mod rebuild;

use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};

use crate::args;

/// Runs one of its commands.
///
/// # Errors
///
/// Of the kinds of [`AvatarAsset::open`](musetalk_core::AvatarAsset::open), of what it reads, and of
/// [`AvatarWriter`](musetalk_core::AvatarWriter).
pub fn command(args: &args::Avatar) -> Result<()> {
    match args {
        args::Avatar::Create(args) => create::command(args),
        args::Avatar::Inspect(args) => inspect::command(args),
        args::Avatar::FromParts(args) => from_parts::command(args),
        args::Avatar::Rebuild(args) => rebuild::command(args),
        args::Avatar::Import(args) => import::command(args),
    }
}

/// Output never replaces what is read: neither the footage itself, nor a picture in its folder, by whatever name.
fn check_apart(out: &Path, read: &Path) -> Result<()> {
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let place = out.canonicalize().ok().or_else(|| Some(folder.canonicalize().ok()?.join(out.file_name()?)));
    match (place, read.canonicalize().ok()) {
        (Some(place), Some(read)) if place.starts_with(&read) => {
            let sentence = format!(
                "--out lies in what this command reads, {}; write elsewhere: {}",
                read.display(),
                out.display()
            );
            Err(Error::new(ErrorKind::InvalidInput, sentence))
        }
        _ => Ok(()),
    }
}

/// Before minutes of work.
fn check_out(out: &Path) -> Result<()> {
    if out.is_dir() {
        let sentence = format!("--out is a folder; name the file, such as face.avatar: {}", out.display());
        return Err(Error::new(ErrorKind::InvalidInput, sentence));
    }
    Ok(())
}
