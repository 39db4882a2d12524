//! A Python that has the official package, in the version that the tests are written for.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part, and fails by unwrapping")]

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Python(PathBuf);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

fn wanted() -> String {
    let requirements = std::fs::read_to_string(folder().join("requirements.txt")).unwrap();
    requirements.lines().find_map(|line| line.strip_prefix("openai[realtime]==")).unwrap().to_owned()
}

/// The first interpreter that has it; says aloud when there is none.
pub(crate) fn with_openai() -> Option<Python> {
    let version = wanted();
    let named = std::env::var_os("OPENAI_PYTHON").map(PathBuf::from);
    let cached = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/openai/bin/python");
    for candidate in [named, Some(cached), Some("python3".into())].into_iter().flatten() {
        let asked = Command::new(&candidate)
            .args(["-c", "import openai, websockets; print(openai.__version__)"])
            .output();
        if asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == version) {
            return Some(Python(candidate));
        }
    }
    eprintln!(
        "SKIPPED: no Python with openai {version}; realtime-client/conformance/README.md says how to get one"
    );
    None
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
