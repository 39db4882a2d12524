//! The tests of the module run in Python, on the module that this build made.
//!
//! They need `python3` with pip, and once a network: NumPy, ONNX Runtime and pytest are installed into an environment below the target
//! folder. Without them the test says so and passes.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use musetalk_core::runtime::TESTED_VERSION;

/// What the tests import. With mypy the stubs are compared with the module.
const PACKAGES: &[&str] = &["numpy>=1.25", "pytest>=8", "mypy==2.4.1"];

#[test]
fn the_module_keeps_its_promises_in_python() {
    let Some(python) = environment() else { return };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let site = folder().join("site");
    let package = site.join("musetalk");
    drop(fs::remove_dir_all(&package));
    fs::create_dir_all(&package).unwrap();
    for entry in fs::read_dir(here.join("python").join("musetalk")).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            fs::copy(&file, package.join(file.file_name().unwrap())).unwrap();
        }
    }
    fs::copy(module(), package.join(if cfg!(windows) { "_native.pyd" } else { "_native.abi3.so" })).unwrap();
    let mut pytest = Command::new(&python);
    pytest
        .current_dir(here)
        .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=120"])
        .env("PYTHONPATH", &site)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("ORT_DYLIB_PATH");
    let done = pytest.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    println!("{said}");
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
