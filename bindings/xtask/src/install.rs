//! An installed prefix: library, headers, CMake package and licences, as a distribution would have them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Outcome, failed, licences};

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

/// Lays out `prefix` with the libraries that lie in `built`.
///
/// # Errors
///
/// A file is missing or could not be written.
pub fn stage(root: &Path, built: &Path, prefix: &Path) -> Outcome {
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
    let package = lib.join("cmake").join("musetalk");
    copy(&root.join("bindings/cpp/musetalk-config.cmake"), &package.join("musetalk-config.cmake"))?;
    let template = read(&root.join("bindings/cpp/musetalk-config-version.cmake.in"))?;
    let version = template.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    write(&package.join("musetalk-config-version.cmake"), &version)?;
    let papers = prefix.join("share").join("doc").join("musetalk");
    for paper in ["LICENSE-MIT", "LICENSE-APACHE", "ffi/CONVENTIONS.md"] {
        let from = root.join(paper);
        copy(&from, &papers.join(from.file_name().unwrap_or_default()))?;
    }
    write(&papers.join("THIRD-PARTY.txt"), &licences::of(root, "musetalk-ffi")?)
}

fn abi_version(root: &Path) -> Outcome<String> {
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
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(failed("create", folder))
}
