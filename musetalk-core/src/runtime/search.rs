use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::cache::cache_dir;

/// Where the runtime library was looked for, in order, and the first place that has one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Search {
    /// The library, if any place has one.
    pub found: Option<PathBuf>,
    /// Every place looked at, in words, up to the one that has it.
    pub looked: Vec<String>,
}

impl Search {
    fn look(&mut self, what: &str, folder_or_file: &Path) {
        if self.found.is_some() {
            return;
        }
        self.looked.push(format!("{what}: {}", folder_or_file.display()));
        self.found = library_at(folder_or_file);
    }

    fn note(&mut self, what: &str) {
        if self.found.is_none() {
            self.looked.push(what.to_owned());
        }
    }
}

/// The folder with the library of the running Python's package, where the host is one.
static RUNNING_PYTHON: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Says in which folder the `onnxruntime` package of the Python that runs this library keeps its library; `None`: it has none. Then
/// [`search`] looks there in the place of an active environment. For the Python module, which knows better than the environment's variables.
pub fn set_python_package(folder: Option<PathBuf>) {
    *RUNNING_PYTHON.lock().unwrap_or_else(PoisonError::into_inner) = folder;
}

/// Looks for the ONNX Runtime library, loading nothing. Reads a few folders; costs under a millisecond.
///
/// In order: `named`; the environment variable `ORT_DYLIB_PATH`; beside this library or executable; the
/// `onnxruntime` package of the running Python ([`set_python_package`]), else of an active environment (`VIRTUAL_ENV`, `CONDA_PREFIX`); the cache that
/// `musetalk setup` fills.
pub fn search(named: Option<&Path>) -> Search {
    let mut search = Search { found: None, looked: Vec::new() };
    match named {
        Some(path) => search.look("named by the caller", path),
        None => search.note("named by the caller: nothing"),
    }
    if named.is_some() {
        // Who names a library means that one: falling back to another would hide the mistake.
        return search;
    }
    match std::env::var_os("ORT_DYLIB_PATH") {
        Some(path) if !path.is_empty() => {
            search.look("ORT_DYLIB_PATH", Path::new(&path));
            return search;
        }
        _ => search.note("ORT_DYLIB_PATH: not set"),
    }
    match std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        Some(folder) => search.look("beside the executable", folder),
        None => search.note("beside the executable: unknown"),
    }
    let running = RUNNING_PYTHON.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut python = running.is_some();
    if let Some(folder) = &running {
        search.look("package of the running Python", folder);
    }
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(prefix) = std::env::var_os(variable).filter(|prefix| !prefix.is_empty()) {
            python = true;
            for folder in site_packages(Path::new(&prefix)) {
                search
                    .look(&format!("Python package in {variable}"), &folder.join("onnxruntime").join("capi"));
            }
        }
    }
    if !python {
        search.note("Python package: no environment is active (VIRTUAL_ENV, CONDA_PREFIX)");
    }
    match cache_dir() {
        Some(cache) => {
            let versions = cache.join("onnxruntime");
            // The tested version first; else the newest that a setup of another release left.
            search.look("cache of musetalk setup", &versions.join(super::TESTED_VERSION));
            for folder in newest_first(&versions) {
                search.look("cache of musetalk setup", &folder);
            }
        }
        None => search.note("cache of musetalk setup: no home folder is known"),
    }
    search
}

/// The library in this folder, or this file if it is one. Of several versions, the last by name.
fn library_at(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(absolute(path));
    }
    let mut candidates: Vec<PathBuf> = std::fs::read_dir(path)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| {
            file.file_name().and_then(|name| name.to_str()).is_some_and(is_library) && file.is_file()
        })
        .collect();
    candidates.sort();
    candidates.pop().map(|file| absolute(&file))
}

/// The plain library of each system; providers (`libonnxruntime_providers_*.so`) are not it.
fn is_library(name: &str) -> bool {
    name == "onnxruntime.dll"
        || name == "libonnxruntime.so"
        || name.strip_prefix("libonnxruntime.so.").is_some_and(is_version)
        || name == "libonnxruntime.dylib"
        || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
}

/// Game engines lay files such as `libonnxruntime.so.meta` beside a library.
fn is_version(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The system's loader searches its own folders for a relative name; an absolute one is what was found.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn site_packages(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("Lib").join("site-packages")];
    if let Ok(entries) = std::fs::read_dir(prefix.join("lib")) {
        let versions = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let python = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("python3"))
        };
        folders.extend(versions.filter(python).map(|path| path.join("site-packages")));
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

fn newest_first(versions: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(versions) else { return Vec::new() };
    let number = |path: &Path| -> Vec<u32> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        name.split('.').map_while(|part| part.parse().ok()).collect()
    };
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|folder| !number(folder).is_empty());
    folders.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_and_temporary_files_are_not_the_library() {
        assert!(is_library("libonnxruntime.so.1.31.1") && is_library("libonnxruntime.1.24.1.dylib"));
        assert!(!is_library("libonnxruntime_providers_cuda.so") && !is_library("onnxruntime.dll.part"));
        assert!(!is_library("libonnxruntime.so.meta") && !is_library("libonnxruntime.dylib.meta"));
    }

    #[test]
    fn a_named_file_that_is_missing_is_not_replaced_by_another() {
        let search = search(Some(Path::new("/nowhere/libonnxruntime.so")));
        assert!(search.found.is_none() && search.looked.len() == 1);
    }
}
