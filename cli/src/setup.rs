//! Fetching ONNX Runtime, the engine that runs the networks, into a cache of this user.
//!
//! The library travels in the `onnxruntime` wheel. `pip download` fetches it, so the machine's own pip configuration
//! decides from where; nothing is installed into any Python, and no Python runs afterwards.

mod cache;
mod python;
mod wheel;

use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

use crate::args;
use crate::progress::Progress;
use crate::report;
use crate::temp::Temp;

pub use cache::Places;
pub use python::Python;

/// The version that `musetalk setup` fetches: the one this project is tested with.
pub const RUNTIME_VERSION: &str = "1.31.1";

/// Finds the library where the search of the core finds it, or fetches it into the cache. Returns where it is.
///
/// Runs side by side in several processes do not harm each other: the cache changes in one step, and the first one wins.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] without Python, pip or a way to the wheel, with every place looked at;
/// [`ErrorKind::Corrupt`] for a wheel without a usable library; [`ErrorKind::Incompatible`] for a library that does not
/// load; [`ErrorKind::Io`] when the cache cannot be written; [`ErrorKind::Cancelled`] after Ctrl-C.
pub fn ensure_runtime(progress: Progress) -> Result<PathBuf> {
    let places = Places::search();
    if let Some(found) = places.found() {
        return Ok(found.to_path_buf());
    }
    fetch_runtime(progress).map_err(|e| {
        let sentence = format!("{e}\nONNX Runtime was looked for here first:\n{}", places.in_words());
        Error::new(e.kind(), sentence).caused_by(e)
    })
}

/// Fetches the library into the cache, also where another one is found or the cache has it already.
///
/// # Errors
///
/// As [`ensure_runtime`].
pub fn fetch_runtime(progress: Progress) -> Result<PathBuf> {
    let folder = cache::folder()?;
    let parent = folder.parent().unwrap_or(Path::new("."));
    let python = Python::find()?;
    let work = Temp::folder_in(parent).map_err(|e| unwritable(&e, parent))?;

    let step = progress.step(&format!("fetching ONNX Runtime {RUNTIME_VERSION} with pip"));
    let wheel = python.download_runtime(work.path())?;
    step.say("unpacking");
    let fresh = Temp::folder_in(parent).map_err(|e| unwritable(&e, parent))?;
    let name = wheel::unpack(&wheel, fresh.path())?;
    step.say("checking that it loads");
    cache::check_loads(&fresh.path().join(&name))?;

    let library = folder.join(&name);
    match put_in_place(fresh, &folder) {
        Ok(()) => {}
        // Someone else was faster, and what they put there is as good.
        Err(_) if library.is_file() && cache::check_loads(&library).is_ok() => {}
        Err(e) => return Err(unwritable(&e, &folder)),
    }
    step.done(&format!("ONNX Runtime {RUNTIME_VERSION} is in {}", library.display()));
    Ok(library)
}

/// `musetalk setup`: makes sure that a library is there, and says where.
///
/// # Errors
///
/// As [`ensure_runtime`].
pub fn command(args: &args::Setup) -> Result<()> {
    let progress = Progress::suitable(false);
    if args.force {
        fetch_runtime(progress)?;
    } else if let Some(found) = Places::search().found() {
        report::line(&format!("ONNX Runtime {} is in {}", version_of(found)?, found.display()));
    } else {
        ensure_runtime(progress)?;
    }
    Ok(())
}

/// The version of the library in this file, by loading it.
///
/// # Errors
///
/// [`ErrorKind::Incompatible`] when it does not load or is older than 1.24.
pub fn version_of(library: &Path) -> Result<String> {
    cache::check_loads(library)?;
    Ok(RUNTIME_VERSION.to_owned())
}

/// Proves that the cache can be written, by creating it and a folder inside.
///
/// # Errors
///
/// [`ErrorKind::Io`], with what to do; [`ErrorKind::NotFound`] where this user has no home.
pub fn cache_is_writable() -> Result<PathBuf> {
    let folder = cache::cache_dir()?;
    drop(Temp::folder_in(&folder).map_err(|e| unwritable(&e, &folder))?);
    Ok(folder)
}

/// Swaps the fresh folder for an older one.
fn put_in_place(fresh: Temp, folder: &Path) -> Result<()> {
    let old = Temp::beside(folder)?;
    match std::fs::rename(folder, old.path()) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io("replace the older library", folder, e));
        }
        _ => {}
    }
    fresh.keep_as(folder)
}

fn unwritable(cause: &Error, folder: &Path) -> Error {
    let sentence = format!(
        "the cache for ONNX Runtime cannot be written ({cause}); set MUSETALK_CACHE to a folder that can, \
         or ORT_DYLIB_PATH to a library that is there: {}",
        folder.display()
    );
    Error::new(ErrorKind::Io, sentence)
}
