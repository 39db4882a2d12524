//! An installed prefix: library, headers, CMake package, examples and licences, as a distribution would have them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Outcome, failed, papers, runtime};

/// Where cargo puts what it builds.
///
/// # Errors
///
/// Cargo could not say.
pub fn target_folder(root: &Path) -> Outcome<PathBuf> {
    let metadata = metadata(root, &["--no-deps"])?;
    let folder = metadata["target_directory"].as_str().ok_or("cargo names no target directory")?;
    Ok(PathBuf::from(folder))
}

pub(crate) fn metadata(root: &Path, more: &[&str]) -> Outcome<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline"])
        .args(more)
        .current_dir(root)
        .output()
        .map_err(|e| format!("cargo could not be started: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

/// What the compiler of this workspace says to `words`.
pub(crate) fn rustc(root: &Path, words: &[&str]) -> Outcome<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(words).current_dir(root).output();
    let output = output.map_err(|e| format!("rustc could not be started: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Lays out `prefix` with the libraries that lie in `built`: library, headers, CMake package, examples and licences.
///
/// # Errors
///
/// A file is missing or could not be written.
pub fn stage(root: &Path, built: &Path, prefix: &Path) -> Outcome {
    stage_with(root, built, None, prefix)
}

/// The same, with ONNX Runtime beside the shared library.
pub(crate) fn stage_with(root: &Path, built: &Path, runtime: Option<&Runtime>, prefix: &Path) -> Outcome {
    let abi = abi_version(root)?;
    let (lib, bin) = (prefix.join("lib"), prefix.join("bin"));
    if cfg!(windows) {
        copy(&built.join("musetalk.dll"), &bin.join("musetalk.dll"))?;
        copy(&built.join("musetalk.dll.lib"), &lib.join("musetalk.lib"))?;
        copy(&built.join("musetalk.lib"), &lib.join("musetalk_static.lib"))?;
    } else {
        let (plain, versioned) = match cfg!(target_os = "macos") {
            true => ("libmusetalk.dylib".to_owned(), format!("libmusetalk.{abi}.dylib")),
            false => ("libmusetalk.so".to_owned(), format!("libmusetalk.so.{abi}")),
        };
        copy(&built.join(&plain), &lib.join(&versioned))?;
        link(&versioned, &lib.join(&plain))?;
        copy(&built.join("libmusetalk.a"), &lib.join("libmusetalk.a"))?;
    }
    for header in ["musetalk.h", "musetalk.hpp"] {
        copy(&root.join("include").join(header), &prefix.join("include").join(header))?;
    }
    let beside = runtime.map(|runtime| format!("{}/{}", SHARED, runtime.name));
    if let (Some(runtime), Some(beside)) = (runtime, &beside) {
        copy(&runtime.library, &prefix.join(beside))?;
        for provider in &runtime.providers {
            copy(provider, &prefix.join(SHARED).join(provider.file_name().unwrap_or_default()))?;
        }
    }
    let package = lib.join("cmake").join("musetalk");
    for file in ["musetalk-config.cmake", "musetalk-config-version.cmake"] {
        let text = read(&root.join("bindings/cpp").join(format!("{file}.in")))?
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@ABI@", &abi)
            .replace("@ONNXRUNTIME@", beside.as_deref().unwrap_or_default());
        write(&package.join(file), &text)?;
    }
    let documents = prefix.join("share").join("doc").join("musetalk");
    copy(&root.join("ffi/CONVENTIONS.md"), &documents.join("CONVENTIONS.md"))?;
    for example in EXAMPLES {
        copy(&root.join("bindings/cpp/examples").join(example), &documents.join("examples").join(example))?;
    }
    let theirs = runtime.map(|runtime| runtime.papers.as_slice()).unwrap_or_default();
    papers::lay(root, &papers::system(), theirs, &documents)
}

/// Where the system's loader and this library look: the folder of the shared library.
const SHARED: &str = if cfg!(windows) { "bin" } else { "lib" };

const EXAMPLES: [&str; 5] = ["CMakeLists.txt", "hello.c", "live.cpp", "conversation.cpp", "window.cpp"];

/// An ONNX Runtime that goes along.
#[derive(Debug)]
pub(crate) struct Runtime {
    library: PathBuf,
    /// As it is called beside the shared library.
    pub(crate) name: String,
    /// What it opens from its own folder.
    providers: Vec<PathBuf>,
    papers: Vec<PathBuf>,
}

impl Runtime {
    /// The library in this file, with its papers.
    pub(crate) fn at(library: &Path) -> Outcome<Self> {
        // What a link leads to has the version in its name.
        let library = fs::canonicalize(library).map_err(failed("find", library))?;
        let name = library.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !runtime::is_library(&name) || !library.is_file() {
            return Err(format!("{} is no ONNX Runtime library of this system", library.display()));
        }
        let papers = papers::of_runtime(&library)?;
        let providers = runtime::providers(&library)?;
        Ok(Self { library, name, providers, papers })
    }

    /// Its version: from its name, else from that of its folder, as `musetalk setup` calls it.
    pub(crate) fn version(&self) -> &str {
        let of_name = self
            .name
            .strip_prefix("libonnxruntime.so.")
            .or_else(|| self.name.strip_prefix("libonnxruntime.")?.strip_suffix(".dylib"));
        let folder = self.library.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let of_folder = folder.filter(|name| name.starts_with(|first: char| first.is_ascii_digit()));
        of_name.or(of_folder).unwrap_or("of unknown version")
    }

    pub(crate) fn has_providers(&self) -> bool {
        !self.providers.is_empty()
    }

    pub(crate) fn library(&self) -> &Path {
        &self.library
    }
}

pub(crate) fn abi_version(root: &Path) -> Outcome<String> {
    let header = read(&root.join("include/musetalk.h"))?;
    let line = header.lines().find_map(|line| line.strip_prefix("#define MUSETALK_ABI_VERSION "));
    Ok(line.ok_or("include/musetalk.h names no MUSETALK_ABI_VERSION")?.trim().to_owned())
}

pub(crate) fn copy(from: &Path, to: &Path) -> Outcome {
    make_folder_of(to)?;
    // Another process may have it loaded: a new file, not new bytes in the old one.
    drop(fs::remove_file(to));
    fs::copy(from, to).map(drop).map_err(failed("copy", from))
}

fn link(target: &str, at: &Path) -> Outcome {
    drop(fs::remove_file(at));
    #[cfg(unix)]
    return std::os::unix::fs::symlink(target, at).map_err(failed("link", at));
    #[cfg(not(unix))]
    return Err(format!("{} cannot link to {target} here", at.display()));
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(failed("read", path))
}

pub(crate) fn write(path: &Path, text: &str) -> Outcome {
    make_folder_of(path)?;
    fs::write(path, text).map_err(failed("write", path))
}

fn make_folder_of(path: &Path) -> Outcome {
    make_folder(path.parent().unwrap_or(path))
}

pub(crate) fn make_folder(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(failed("create", folder))
}
