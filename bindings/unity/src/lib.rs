//! How the C# of this folder is compiled and run, for the tests beside it.
//!
//! Mono stands for every host: its compiler accepts no more than Unity 2021 does, and its runtime has the same collector, the same P/Invoke
//! and the same domains. Where it is not installed the tests say so and pass.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What Unity's compiler and the oldest of Mono have in common.
const LANGUAGE: &str = "-langversion:7";

/// `bindings/unity`.
pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The repository.
pub fn root() -> &'static Path {
    home().ancestors().nth(2).unwrap_or(home())
}

/// Whether Mono is there; says aloud when it is not.
pub fn mono() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    let runs =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    let there = *THERE.get_or_init(|| cfg!(unix) && runs("mcs") && runs("mono"));
    if !there {
        eprintln!("skipped: this test needs mcs and mono (on Debian: apt-get install mono-mcs mono-runtime)");
    }
    there
}

/// Compiles every C# file below `sources` to `output`, where warnings, a public item without its documentation among them, are errors.
///
/// # Errors
///
/// What the compiler says.
pub fn compile(output: &Path, sources: &[PathBuf], references: &[PathBuf]) -> Result<(), String> {
    let library = output.extension().is_some_and(|extension| extension == "dll");
    let documented = library && sources.iter().all(|folder| !folder.starts_with(home().join("stubs")));
    let mut mcs = Command::new("mcs");
    mcs.args([
        LANGUAGE,
        "-debug",
        "-unsafe",
        "-warnaserror",
        if library { "-target:library" } else { "-target:exe" },
    ]);
    mcs.arg(format!("-out:{}", output.display()));
    if documented {
        // Asking for the documentation is what makes a missing one a warning.
        mcs.arg(format!("-doc:{}", output.with_extension("xml").display()));
    }
    mcs.args(references.iter().map(|file| format!("-r:{}", file.display())));
    mcs.args(sources.iter().map(|folder| format!("-recurse:{}/*.cs", folder.display())));
    let done = mcs.output().map_err(|e| format!("mcs did not start: {e}"))?;
    if done.status.success() { Ok(()) } else { Err(text(&done)) }
}

/// Runs a test of a compiled program.
///
/// # Errors
///
/// What it printed, when it fails or ends for another reason.
pub fn run(program: &Path, library: &Path, runtime: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut mono = Command::new("mono");
    mono.arg("--debug").arg(program).args(arguments);
    mono.env("LD_LIBRARY_PATH", library).env("DYLD_LIBRARY_PATH", library).env("ORT_DYLIB_PATH", runtime);
    // Room for few young objects: garbage is soon seen, and arrays move often.
    mono.env("MONO_GC_PARAMS", "nursery-size=256k");
    // A key of whoever runs the tests has no business here.
    mono.env_remove("REALTIME_API_KEY").env_remove("OPENAI_API_KEY");
    let done = mono.output().map_err(|e| format!("mono did not start: {e}"))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(format!("{}\n{}", done.status, text(&done)))
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
