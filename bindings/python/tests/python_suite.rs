//! The tests of the module run in Python, on the module that this build made.
//!
//! They need `python3` with pip, and once a network: NumPy, ONNX Runtime and pytest are installed into an environment below the target
//! folder. Without them the test says so and passes.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::path::Path;
use std::process::Command;

#[test]
fn the_module_keeps_its_promises_in_python() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some((python, site)) = support::python(here) else { return };
    let mut pytest = Command::new(&python);
    pytest
        .current_dir(here)
        .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=120"])
        .arg("--basetemp")
        .arg(support::scratch("python-suite"))
        .env("PYTHONPATH", &site)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("ORT_DYLIB_PATH");
    let done = pytest.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    println!("{said}");
}
