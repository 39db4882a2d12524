//! What the tests of the C door share: a compiler, an installed prefix, and programs that run against it.
#![allow(dead_code, reason = "no test uses all of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A compiler of either language, or `None`, said aloud.
pub(crate) fn compiler(variable: &str, usual: &[&str]) -> Option<PathBuf> {
    let named = std::env::var(variable).ok().filter(|name| !name.is_empty());
    let candidates: Vec<String> = match named {
        Some(name) => vec![name],
        None => usual.iter().map(|&name| name.to_owned()).collect(),
    };
    let found = candidates.iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    if found.is_none() {
        eprintln!("SKIPPED: no {variable} ({})", candidates.join(", "));
    }
    found.map(PathBuf::from)
}

pub(crate) fn cc() -> Option<PathBuf> {
    compiler("CC", &["cc", "gcc", "clang"])
}

pub(crate) fn cxx() -> Option<PathBuf> {
    compiler("CXX", &["c++", "g++", "clang++"])
}

/// Whether a program is there; if not, says so.
pub(crate) fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        eprintln!("SKIPPED: no {program}");
    }
    there
}

/// An empty folder for one test's files.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn include() -> PathBuf {
    xtask::root().join("include")
}

pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// Where cargo has put the libraries of this very build.
pub(crate) fn built() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// An installed prefix, staged once per test program.
pub(crate) fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let name = std::env::current_exe().unwrap().file_stem().unwrap().to_str().unwrap().to_owned();
        let folder = scratch(&format!("prefix-{name}"));
        xtask::install::stage(&xtask::root(), &built(), &folder).unwrap();
        folder
    })
}

/// A pack and an avatar that take under a millisecond a frame.
pub(crate) fn tiny() -> (PathBuf, PathBuf) {
    static AVATAR: OnceLock<PathBuf> = OnceLock::new();
    let avatar = AVATAR.get_or_init(|| {
        let name = std::env::current_exe().unwrap().file_stem().unwrap().to_str().unwrap().to_owned();
        musetalk_tests::write_person(musetalk_tests::engine(), &scratch(&format!("person-{name}")))
    });
    (musetalk_tests::tiny_pack().to_owned(), avatar.clone())
}

/// ONNX Runtime, as the tests of the workspace find it.
pub(crate) fn runtime() -> PathBuf {
    musetalk_tests::runtime();
    musetalk_core::runtime::search(None).found.unwrap()
}

pub(crate) const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Compiles one program against the prefix.
pub(crate) fn compile(compiler: &Path, source: &Path, flags: &[&str], program: &Path) {
    let lib = prefix().join("lib");
    let mut command = Command::new(compiler);
    command.args(WARNINGS).args(flags).arg("-g").arg("-I").arg(prefix().join("include")).arg(source);
    command.arg("-L").arg(&lib).args(["-lmusetalk", "-lpthread", "-lm"]);
    command.arg(format!("-Wl,-rpath,{}", lib.display())).arg("-o").arg(program);
    succeeds(&mut command);
}

/// Runs to a good end, or fails with all that it said.
pub(crate) fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A program with the pack and the avatar as its words.
pub(crate) fn with_tiny(program: &Path) -> Command {
    let (pack, avatar) = tiny();
    let mut command = Command::new(program);
    command.arg(pack).arg(avatar).env("ORT_DYLIB_PATH", runtime());
    command
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
