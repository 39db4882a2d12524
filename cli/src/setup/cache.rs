//! Where ONNX Runtime is looked for, and the user cache it is fetched into.

use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

use super::RUNTIME_VERSION;

/// Every place looked at, in order, and what was found.
#[derive(Clone, Debug)]
pub struct Places {
    looked_at: Vec<(String, PathBuf)>,
    found: Option<PathBuf>,
}

impl Places {
    /// Looks.
    pub fn search() -> Self {
        let mut looked_at = Vec::new();
        if let Some(path) = std::env::var_os("ORT_DYLIB_PATH") {
            looked_at.push(("ORT_DYLIB_PATH".to_owned(), PathBuf::from(path)));
        }
        if let Ok(program) = std::env::current_exe() {
            looked_at.push(("beside the program".to_owned(), program.with_file_name(library_name())));
        }
        if let Ok(folder) = folder() {
            looked_at.push(("the cache of musetalk setup".to_owned(), folder.join(library_name())));
        }
        let found = looked_at.iter().map(|(_, path)| path).find(|path| path.is_file()).cloned();
        Self { looked_at, found }
    }

    /// The library, if one is there.
    pub fn found(&self) -> Option<&Path> {
        self.found.as_deref()
    }

    /// One line a place.
    pub fn in_words(&self) -> String {
        let lines: Vec<String> =
            self.looked_at.iter().map(|(what, path)| format!("  {what}: {}", path.display())).collect();
        lines.join("\n")
    }
}

/// The folder of the version that `musetalk setup` fetches.
pub(super) fn folder() -> Result<PathBuf> {
    Ok(cache_dir()?.join("onnxruntime").join(RUNTIME_VERSION))
}

/// What the library is called there.
pub(super) fn library_name() -> String {
    match std::env::consts::OS {
        "windows" => "onnxruntime.dll".to_owned(),
        "macos" => format!("libonnxruntime.{RUNTIME_VERSION}.dylib"),
        _ => format!("libonnxruntime.so.{RUNTIME_VERSION}"),
    }
}

/// The cache of this user.
pub(super) fn cache_dir() -> Result<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let found = named("MUSETALK_CACHE").or_else(|| match std::env::consts::OS {
        "windows" => named("LOCALAPPDATA").map(|folder| folder.join("musetalk").join("cache")),
        "macos" => named("HOME").map(|home| home.join("Library/Caches/musetalk")),
        _ => named("XDG_CACHE_HOME")
            .map(|cache| cache.join("musetalk"))
            .or_else(|| named("HOME").map(|home| home.join(".cache/musetalk"))),
    });
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "this user has no home folder to keep a cache in; set MUSETALK_CACHE to a folder",
        )
    })
}

/// Proves that the file is a library this program can use.
pub(super) fn check_loads(path: &Path) -> Result<()> {
    if path.is_file() {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::NotFound, format!("no library: {}", path.display())))
    }
}
