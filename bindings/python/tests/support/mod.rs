//! The module that this build made, in an environment with what its tests import.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use musetalk_core::runtime::TESTED_VERSION;

/// What the tests import. With mypy the stubs are compared with the module.
const PACKAGES: &[&str] = &["numpy>=1.25", "pytest>=8", "mypy==2.4.1"];

/// A Python that imports the module of this build: its program, and the folder for PYTHONPATH. `None`, aloud, where it cannot be had.
/// `sources` is `bindings/python`.
pub(crate) fn python(sources: &Path) -> Option<(PathBuf, PathBuf)> {
    let python = environment()?;
    let name = std::env::current_exe().unwrap().file_stem().unwrap().to_str().unwrap().to_owned();
    let site =
        folder().join(format!("site-{}", name.rsplit_once('-').map_or(name.as_str(), |(name, _)| name)));
    let package = site.join("musetalk");
    drop(fs::remove_dir_all(&package));
    fs::create_dir_all(&package).unwrap();
    for entry in fs::read_dir(sources.join("python").join("musetalk")).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            fs::copy(&file, package.join(file.file_name().unwrap())).unwrap();
        }
    }
    fs::copy(module(), package.join(if cfg!(windows) { "_native.pyd" } else { "_native.abi3.so" })).unwrap();
    Some((python, site))
}

/// An empty folder for a test's files.
#[allow(dead_code, reason = "not every test writes files")]
pub(crate) fn scratch(name: &str) -> PathBuf {
    let scratch = folder().join(name);
    drop(fs::remove_dir_all(&scratch));
    fs::create_dir_all(&scratch).unwrap();
    scratch
}

/// The library that cargo built beside this test, in the same profile.
fn module() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let (start, end) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let module = folder.join(format!("{start}musetalk_python{end}"));
    assert!(module.is_file(), "cargo builds the module beside its tests: {}", module.display());
    module
}

/// Below the target folder, beside the profile.
fn folder() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("python-tests")
}

/// An environment with what the tests import, made once; `None`, aloud, where it cannot be had.
fn environment() -> Option<PathBuf> {
    let folder = folder();
    let venv = folder.join("venv");
    let python =
        if cfg!(windows) { venv.join("Scripts").join("python.exe") } else { venv.join("bin").join("python") };
    let complete = venv.join(format!("complete-{TESTED_VERSION}"));
    if complete.is_file() && python.is_file() {
        return Some(python);
    }
    drop(fs::remove_dir_all(&venv));
    fs::create_dir_all(&folder).unwrap();
    let version = "import sys; sys.exit(sys.version_info < (3, 11))";
    if !worked(Command::new("python3").args(["-c", version]).output()) {
        return skipped("python3 is missing or older than 3.11");
    }
    if !worked(Command::new("python3").args(["-m", "venv"]).arg(&venv).output()) {
        return skipped("python3 cannot make environments (venv)");
    }
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--retries",
        "1",
    ])
    .args(["--only-binary=:all:", "--timeout"])
    .arg(Duration::from_secs(20).as_secs().to_string())
    .args(PACKAGES)
    .arg(format!("onnxruntime=={TESTED_VERSION}"));
    if !worked(pip.output()) {
        return skipped("pip could not fetch NumPy, ONNX Runtime, pytest and mypy");
    }
    fs::write(complete, "").unwrap();
    Some(python)
}

fn worked(output: std::io::Result<Output>) -> bool {
    output.is_ok_and(|output| output.status.success())
}

fn skipped(why: &str) -> Option<PathBuf> {
    eprintln!("SKIPPED: {why}; the module for Python was built and not tested");
    None
}
