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
use crate::progress::{Progress, Step};
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

/// Finds the library as [`ensure_runtime`] does, or fetches it, without loading it: for a process that loads it its own way.
///
/// # Errors
///
/// As [`ensure_runtime`].
#[doc(hidden)]
pub fn place_runtime(progress: Progress) -> Result<PathBuf> {
    match runtime::search(None).found {
        Some(found) => Ok(found),
        None => Ok(place(&progress.step(FETCHING), false)?.library),
    }
}

const FETCHING: &str = "fetching ONNX Runtime with pip";

fn fetch(progress: Progress, replace: bool) -> Result<PathBuf> {
    let step = progress.step(FETCHING);
    let Placed { library, folder, older } = place(&step, replace)?;
    step.say("checking that it loads");
    // From its final place: a process that goes on to use it has it loaded from there.
    if let Err(e) = RuntimeLibrary::load(Some(&library)) {
        drop(std::fs::remove_dir_all(&folder));
        // What was there before may have been good.
        if let Some(older) = older {
            older.keep_as(&folder)?;
        }
        return Err(e);
    }
    step.done(&format!("ONNX Runtime {TESTED_VERSION} is in {}", library.display()));
    Ok(library)
}

/// A library that was fetched and is in its place.
struct Placed {
    library: PathBuf,
    folder: PathBuf,
    /// What had the place before; dropped, it is removed.
    older: Option<Temp>,
}

fn place(step: &Step, replace: bool) -> Result<Placed> {
    let parent = cache_folder()?.join("onnxruntime");
    let folder = parent.join(TESTED_VERSION);
    let python = Python::find()?;
    let work = Temp::folder_in(&parent).map_err(|e| unwritable(&e, &parent))?;
    let wheel = python.download_runtime(work.path())?;
    step.say("unpacking");
    let fresh = Temp::folder_in(&parent).map_err(|e| unwritable(&e, &parent))?;
    let name = wheel::unpack(&wheel, fresh.path())?;

    let library = folder.join(&name);
    // Where someone else was faster, theirs is as good, and they may be loading it at this moment.
    let theirs = |replace: bool| !replace && library.is_file();
    if theirs(replace) {
        return Ok(Placed { library, folder, older: None });
    }
    match put_in_place(fresh, &folder) {
        Ok(older) => Ok(Placed { library, folder, older }),
        Err(_) if theirs(false) => Ok(Placed { library, folder, older: None }),
        Err(e) => Err(unwritable(&e, &folder)),
    }
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

/// Swaps the fresh folder for an older one, which is handed back.
fn put_in_place(fresh: Temp, folder: &Path) -> Result<Option<Temp>> {
    let old = Temp::beside(folder)?;
    let older = match std::fs::rename(folder, old.path()) {
        Ok(()) => Some(old),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(Error::io("replace the older library", folder, e)),
    };
    fresh.keep_as(folder)?;
    Ok(older)
}

fn unwritable(cause: &Error, folder: &Path) -> Error {
    let sentence = format!(
        "the cache for ONNX Runtime cannot be written ({cause}); set MUSETALK_CACHE to a folder that can, \
         or ORT_DYLIB_PATH to a library that is there: {}",
        folder.display()
    );
    Error::new(ErrorKind::Io, sentence)
}
