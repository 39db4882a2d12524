//! `musetalk avatar`: preparing people, and reading what was prepared.

mod create;
mod from_parts;
mod import;
mod inspect;
mod rebuild;

use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};

use crate::args;
use crate::render::apart;

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

/// What is said of numbers that were read is said of where they were read, too.
fn naming(read: &Path, error: Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidInput if !error.to_string().contains(&*read.to_string_lossy()) => {
            Error::new(error.kind(), format!("{error}: {}", read.display())).caused_by(error)
        }
        _ => error,
    }
}

/// Before minutes of work: `out` can be a file, and is none of what is `read`, nor in it.
fn check_out(out: &Path, read: &[&Path]) -> Result<()> {
    if out.is_dir() {
        let sentence = format!("--out is a folder; name the file, such as face.avatar: {}", out.display());
        return Err(Error::new(ErrorKind::InvalidInput, sentence));
    }
    apart::check_file("--out", out, read)
}
