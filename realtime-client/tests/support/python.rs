//! A Python that has the official package, in the version that the tests are written for.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part, and fails by unwrapping")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub(crate) struct Python(PathBuf);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

fn wanted() -> String {
    let requirements = std::fs::read_to_string(folder().join("requirements.txt")).unwrap();
    requirements.lines().find_map(|line| line.strip_prefix("openai[realtime]==")).unwrap().to_owned()
}

/// An interpreter that has it: the one that is named, the system's, or one that is made once below the target folder. Says aloud when
/// there is none.
pub(crate) fn with_openai() -> Option<Python> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(find).clone().map(Python)
}

fn find() -> Option<PathBuf> {
    let version = wanted();
    let fits = |python: &PathBuf| {
        let asked = Command::new(python)
            .args(["-c", "import openai, websockets; print(openai.__version__)"])
            .output();
        asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == version)
    };
    let named = std::env::var_os("OPENAI_PYTHON").map(PathBuf::from);
    // Beside the profile, so that all of them share it.
    let made = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("openai-python");
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    let own = made.join(folder).join("python");
    let found = [named, Some(own.clone()), Some("python3".into())].into_iter().flatten().find(fits);
    found.or_else(|| {
        make(&made, &own);
        Some(own).filter(fits)
    })
    .or_else(|| {
        eprintln!("SKIPPED: no Python with openai {version}; realtime-client/conformance/README.md says how to get one");
        None
    })
}

/// As `conformance/README.md` says; what does not work is seen by whoever looks for it next.
fn make(folder: &Path, python: &Path) {
    let requirements = self::folder().join("requirements.txt");
    let venv = Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder).output();
    if venv.is_ok_and(|output| output.status.success()) {
        let mut pip = Command::new(python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--retries",
            "1",
        ]);
        pip.args(["--only-binary=:all:", "--timeout", "20", "--requirement"]).arg(requirements);
        drop(pip.output());
    }
}

impl Python {
    /// Runs a script of `conformance/`; what it printed. Fails with all of it.
    pub(crate) fn run(&self, script: &str, arguments: &[&str]) -> String {
        let output = Command::new(&self.0).arg(folder().join(script)).args(arguments).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{script}:\n{printed}{}", String::from_utf8_lossy(&output.stderr));
        printed
    }

    /// Checks events, one a line.
    pub(crate) fn check(&self, direction: &str, name: &str, lines: &[String]) -> String {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.jsonl"));
        std::fs::write(&path, lines.join("\n")).unwrap();
        self.run("check.py", &[direction, path.to_str().unwrap()])
    }
}
