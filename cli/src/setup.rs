//! Fetching ONNX Runtime, the engine that runs the networks, into a cache of this user.
//!
//! The library travels in the `onnxruntime` wheel. `pip download` fetches it, so the machine's own pip configuration
//! decides from where; nothing is installed into any Python, and no Python runs afterwards.

mod python;
mod wheel;

use std::path::{Path, PathBuf};

use musetalk_core::runtime::{self, RuntimeLibrary, Search, TESTED_VERSION};
use musetalk_core::{Error, ErrorKind, Result};

use crate::args;
use crate::progress::Progress;
use crate::report;
use crate::temp::Temp;

pub use python::Python;

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
    let search = runtime::search(None);
    if let Some(found) = search.found {
        return Ok(found);
    }
    if let Some(named) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        let named = Path::new(&named).display();
        let sentence =
            format!("ORT_DYLIB_PATH names no ONNX Runtime library; correct it or unset it: {named}");
        return Err(Error::new(ErrorKind::NotFound, sentence));
    }
    fetch(progress, false).map_err(|e| {
        let sentence = format!("{e}\nONNX Runtime was looked for here first:\n{}", places(&search));
        Error::new(e.kind(), sentence).caused_by(e)
    })
}

/// Fetches the library into the cache, also where another one is found or the cache has it already.
///
/// # Errors
///
/// As [`ensure_runtime`].
pub fn fetch_runtime(progress: Progress) -> Result<PathBuf> {
    fetch(progress, true)
}

fn fetch(progress: Progress, replace: bool) -> Result<PathBuf> {
    let parent = cache_folder()?.join("onnxruntime");
    let folder = parent.join(TESTED_VERSION);
    let python = Python::find()?;
    let work = Temp::folder_in(&parent).map_err(|e| unwritable(&e, &parent))?;

    let step = progress.step(&format!("fetching ONNX Runtime {TESTED_VERSION} with pip"));
    let wheel = python.download_runtime(work.path())?;
    step.say("unpacking");
    let fresh = Temp::folder_in(&parent).map_err(|e| unwritable(&e, &parent))?;
    let name = wheel::unpack(&wheel, fresh.path())?;

    let library = folder.join(&name);
    // Where someone else was faster, theirs is as good, and they may be loading it at this moment.
    let theirs = |replace: bool| !replace && library.is_file();
    if !theirs(replace)
        && let Err(e) = put_in_place(fresh, &folder)
        && !theirs(false)
    {
        return Err(unwritable(&e, &folder));
    }
    step.say("checking that it loads");
    // From its final place: a process that goes on to use it has it loaded from there.
    if let Err(e) = RuntimeLibrary::load(Some(&library)) {
        drop(std::fs::remove_dir_all(&folder));
        return Err(e);
    }
    step.done(&format!("ONNX Runtime {TESTED_VERSION} is in {}", library.display()));
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
    } else if let Some(found) = runtime::search(None).found {
        report::line(&format!("ONNX Runtime {} is in {}", version_of(&found)?, found.display()));
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
    Ok(RuntimeLibrary::load(Some(library))?.version().to_owned())
}

/// The places of a search, one a line.
pub(crate) fn places(search: &Search) -> String {
    let lines: Vec<String> = search.looked.iter().map(|place| format!("  {place}")).collect();
    lines.join("\n")
}

/// Proves that the cache can be written, by creating it and a folder inside.
///
/// # Errors
///
/// [`ErrorKind::Io`], with what to do; [`ErrorKind::NotFound`] where this user has no home.
pub fn cache_is_writable() -> Result<PathBuf> {
    let folder = cache_folder()?;
    drop(Temp::folder_in(&folder).map_err(|e| unwritable(&e, &folder))?);
    Ok(folder)
}

fn cache_folder() -> Result<PathBuf> {
    runtime::cache_dir().ok_or_else(|| {
        let sentence = "this user has no home folder to keep a cache in; set MUSETALK_CACHE to a folder";
        Error::new(ErrorKind::NotFound, sentence)
    })
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
