use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::search::search;
use super::telemetry;
use crate::{Error, ErrorKind, Result};

/// The ONNX Runtime of this process: found, loaded and checked once, then shared by every engine.
///
/// A process has one runtime library; the first engine decides which. Loading maps a shared library of about
/// 25 MB and starts no threads.
#[derive(Clone, Debug)]
pub struct RuntimeLibrary {
    path: PathBuf,
    version: String,
    pub(super) environment: Environment,
}

/// One environment may exist per process, and it must outlive every session.
static LOADED: Mutex<Option<RuntimeLibrary>> = Mutex::new(None);

impl RuntimeLibrary {
    /// Loads the library that [`search`] finds, or gives the one that is already loaded.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`]: no place has one; the message lists them all.
    /// - [`ErrorKind::Incompatible`]: older than ONNX Runtime 1.24.
    /// - [`ErrorKind::Corrupt`]: the file is not a library of this system, or not ONNX Runtime.
    pub fn load(named: Option<&Path>) -> Result<Self> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = &*loaded {
            return Ok(library.clone());
        }
        let search = search(named);
        let path = search.found.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!(
                    "ONNX Runtime was not found; run `musetalk setup`, or set ORT_DYLIB_PATH to its library. Looked at\n  {}",
                    search.looked.join("\n  ")
                ),
            )
        })?;
        let library = Self::start(path)?;
        *loaded = Some(library.clone());
        Ok(library)
    }

    /// The file it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version, such as `1.31.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn start(path: PathBuf) -> Result<Self> {
        telemetry::silence();
        let builder = ort::init_from(&path).map_err(|error| refused(error, &path))?;
        let environment = builder
            .with_name("musetalk")
            .with_telemetry(false)
            .with_logger(Arc::new(|level, category: &str, _: &str, _: &str, message: &str| {
                log::log!(target: "onnxruntime", bridged(level), "{category}: {message}");
            }))
            .build()
            .map_err(|e| {
                Error::new(ErrorKind::Internal, format!("ONNX Runtime did not start: {e}")).caused_by(e)
            })?;
        environment.set_log_level(LogLevel::Warning);
        Ok(Self { version: version_of(&path), path, environment })
    }
}

fn refused(error: ort::LoadDynamicError, path: &Path) -> Error {
    let (kind, advice) = match &error {
        ort::LoadDynamicError::BadVersion { version_str, .. } => (
            ErrorKind::Incompatible,
            format!("ONNX Runtime {version_str} is too old, 1.24 or newer is needed; run `musetalk setup`"),
        ),
        ort::LoadDynamicError::MissingApi { .. } | ort::LoadDynamicError::InvalidVersionString => {
            (ErrorKind::Corrupt, "the library is not ONNX Runtime; run `musetalk setup`".to_owned())
        }
        ort::LoadDynamicError::Dlopen { error, .. } => (
            ErrorKind::Corrupt,
            format!("the system could not load ONNX Runtime ({error}); run `musetalk setup --force`"),
        ),
    };
    Error::new(kind, format!("{advice}: {}", path.display())).caused_by(error)
}

/// The build string names branch and commit, not always the version; the file name does on every system but Windows.
fn version_of(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    let of_name = name
        .strip_prefix("libonnxruntime.so.")
        .or_else(|| name.strip_prefix("libonnxruntime.").and_then(|rest| rest.strip_suffix(".dylib")));
    let of_build = || {
        let info = ort::info();
        let branch = info.split("git-branch=").nth(1)?.split(',').next()?;
        Some(branch.trim_start_matches("rel-"))
    };
    of_name.or_else(of_build).unwrap_or("unknown").to_owned()
}

fn bridged(level: LogLevel) -> log::Level {
    match level {
        LogLevel::Verbose => log::Level::Trace,
        LogLevel::Info => log::Level::Debug,
        LogLevel::Warning => log::Level::Warn,
        LogLevel::Error | LogLevel::Fatal => log::Level::Error,
    }
}
