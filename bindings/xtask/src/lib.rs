//! What is done to the repository by program. A library too, so that tests do the same.

mod archive;
mod digest;
pub mod dist;
pub mod fresh;
mod glibc;
pub mod header;
pub mod install;
pub mod licences;
mod papers;
mod runtime;
pub mod uplugin;
pub mod upm;
pub mod wheel;

use std::path::{Path, PathBuf};

/// What went wrong, in a sentence.
pub type Outcome<T = ()> = Result<T, String>;

/// The repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The sentence for a file that could not be read or written.
pub(crate) fn failed(doing: &str, path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let (doing, path) = (doing.to_owned(), path.display().to_string());
    move |e| format!("could not {doing} {path}: {e}")
}
