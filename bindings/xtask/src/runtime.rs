//! ONNX Runtime's files: the library, and the execution providers that it opens from its own folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Outcome, failed};

/// The providers that lie beside the library `runtime`, in order; none where it came without. A GPU build without them would know no GPU.
pub(crate) fn providers(runtime: &Path) -> Outcome<Vec<PathBuf>> {
    // A link is often in another folder than what it leads to, which has the providers beside it.
    let library = fs::canonicalize(runtime).map_err(failed("find", runtime))?;
    let folder = library.parent().unwrap_or(&library);
    let entries = fs::read_dir(folder).map_err(failed("list", folder))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("list", folder))?.path();
        if path.is_file() && path.file_name().and_then(|name| name.to_str()).is_some_and(is_provider) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether this is the name of a provider's library on this system.
pub(crate) fn is_provider(name: &str) -> bool {
    let (begins, ends) = match std::env::consts::OS {
        "windows" => ("onnxruntime_providers_", ".dll"),
        "macos" => ("libonnxruntime_providers_", ".dylib"),
        _ => ("libonnxruntime_providers_", ".so"),
    };
    name.starts_with(begins) && name.ends_with(ends)
}

/// Whether this is the name of the library itself on this system, with or without a version.
pub(crate) fn is_library(name: &str) -> bool {
    match std::env::consts::OS {
        "windows" => name == "onnxruntime.dll",
        "macos" => name.starts_with("libonnxruntime.") && name.ends_with(".dylib"),
        _ => name == "libonnxruntime.so" || name.starts_with("libonnxruntime.so."),
    }
}
