//! `cargo xtask wheel`: what pip installs. Needs Python 3.11 or newer with pip and a network: maturin and zig come from PyPI, in an environment
//! of their own below the target folder.
//!
//! | option | does |
//! |---|---|
//! | `--out FOLDER` | where the wheels go; `target/wheels` by default |
//! | `--check WHEEL` | builds nothing, checks this one |

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::glibc;
use crate::{Outcome, licences, root};

/// Pinned: what they write is what is checked.
const MATURIN: &str = "maturin==1.16.0";
const ZIG: &str = "ziglang==0.17.1";
/// The oldest C library that a wheel may need.
const PLATFORM: &str = "manylinux_2_28";
const GLIBC: (u32, u32) = (2, 28);
/// Larger wheels are refused, in bytes.
const MOST_BYTES: u64 = 12_000_000;

/// Builds and checks, or checks only.
///
/// # Errors
///
/// An option is unknown, something could not be built, or a wheel is not fit to be shipped.
pub fn run(arguments: &[&str]) -> Outcome {
    let mut out = target().join("wheels");
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{argument} needs a value"))?;
        match *argument {
            // Programs that are started elsewhere are given it.
            "--out" => out = std::path::absolute(value).map_err(|e| format!("--out {value}: {e}"))?,
            "--check" => return check(Path::new(value)),
            _ => return Err(format!("no option {argument:?}; there are --out and --check")),
        }
    }
    let python = environment()?;
    let package = root().join("bindings").join("python");
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(root().join(licence), package.join(licence)).map_err(|e| format!("{licence}: {e}"))?;
    }
    let third = package.join("THIRD-PARTY.md");
    fs::write(&third, licences::of(&root(), "musetalk-python")?)
        .map_err(|e| format!("{}: {e}", third.display()))?;

    let mut maturin = Command::new(&python);
    // It looks for zig, and for the Python to build for, where programs lie.
    let programs = python.parent().map(Path::to_owned).into_iter();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(programs.chain(std::env::split_paths(&others))).map_err(|e| e.to_string())?;
    maturin.env("PATH", path);
    maturin.current_dir(&package).args(["-m", "maturin", "build", "--out"]).arg(&out);
    if cfg!(target_os = "linux") {
        maturin.args(["--zig", "--compatibility", PLATFORM]);
    }
    succeed(maturin)?;
    let mut demo = Command::new(&python);
    demo.args(["-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir"])
        .arg(&out)
        .arg(package.join("demo"));
    succeed(demo)?;
    let mut checked = false;
    for wheel in wheels(&out)? {
        let name = wheel.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if name.starts_with("musetalk-") {
            check(&wheel)?;
            checked = true;
        } else {
            println!("{}", wheel.display());
        }
    }
    if !checked {
        return Err(format!("maturin put no wheel into {}", out.display()));
    }
    Ok(())
}

/// Size, files, and what its library needs of the system.
fn check(wheel: &Path) -> Result<(), String> {
    let wrong = |what: String| format!("{what}: {}", wheel.display());
    let bytes = fs::metadata(wheel).map_err(|e| wrong(e.to_string()))?.len();
    if bytes > MOST_BYTES {
        return Err(wrong(format!("the wheel has {bytes} bytes; at most {MOST_BYTES} are shipped")));
    }
    let file = fs::File::open(wheel).map_err(|e| wrong(e.to_string()))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| wrong(e.to_string()))?;
    let names: Vec<String> =
        archive.file_names().filter_map(|name| name.ok().map(|name| name.into_owned())).collect();
    for wanted in
        ["musetalk/__init__.pyi", "musetalk/py.typed", "entry_points.txt", "LICENSE-MIT", "THIRD-PARTY.md"]
    {
        if !names.iter().any(|name| name.ends_with(wanted)) {
            return Err(wrong(format!("{wanted} is missing")));
        }
    }
    let library = names.iter().find(|name| name.ends_with(".so"));
    let Some(library) = library else {
        println!("{} ({bytes} bytes)", wheel.display());
        return Ok(());
    };
    let mut elf = Vec::new();
    let mut entry = archive.by_name(library).map_err(|e| wrong(e.to_string()))?;
    entry.read_to_end(&mut elf).map_err(|e| wrong(e.to_string()))?;
    let needs = glibc::needs(&elf).map_err(wrong)?;
    if needs.newest > GLIBC {
        let (major, minor) = needs.newest;
        return Err(wrong(format!("{library} needs GLIBC_{major}.{minor}, which {PLATFORM} does not have")));
    }
    let foreign = needs
        .libraries
        .iter()
        .find(|name| !glibc::PART_OF_THE_SYSTEM.iter().any(|own| name.starts_with(own)));
    if let Some(foreign) = foreign {
        return Err(wrong(format!("{library} needs {foreign}, which {PLATFORM} does not promise")));
    }
    let (major, minor) = needs.newest;
    println!(
        "{} ({bytes} bytes, needs GLIBC_{major}.{minor} and {})",
        wheel.display(),
        needs.libraries.join(", ")
    );
    Ok(())
}

/// A Python environment with maturin and zig, made once.
fn environment() -> Result<PathBuf, String> {
    let folder = target().join("wheel-venv");
    let python = programs(&folder).join("python");
    if !folder.join("complete").is_file() {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&folder);
        succeed(venv)?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", MATURIN, ZIG]);
        succeed(pip)?;
        fs::write(folder.join("complete"), "").map_err(|e| e.to_string())?;
    }
    Ok(python)
}

/// Where the programs of an environment lie.
pub(crate) fn programs(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

fn wheels(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut wheels: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    wheels.retain(|path| path.extension() == Some(OsStr::new("whl")));
    wheels.sort();
    Ok(wheels)
}

fn succeed(mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("{command:?} could not be started: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}

/// What is built goes here.
pub(crate) fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").and_then(|folder| std::path::absolute(folder).ok());
    named.unwrap_or_else(|| root().join("target"))
}
