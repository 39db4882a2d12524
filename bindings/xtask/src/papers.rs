//! The papers that go along with libraries: licences of this project, of what is linked in, and of ONNX Runtime.

use std::fs;
use std::path::{Path, PathBuf};

use crate::install::{copy, write};
use crate::{Outcome, failed, licences};

/// What the papers are for, beside them.
const ABOUT: &str = "\
Licences of what is bundled here. Ship them with what you build.

LICENSE-MIT, LICENSE-APACHE       MuseTalk for hosts, at your choice: its sources, its library, the demo's pack, avatars and voice
THIRD-PARTY-<system>.txt          what is linked into that library on that system, Rust's standard library too, and under which licence
onnxruntime-<system>-...          ONNX Runtime, a library of its own
";

/// This system, in the names of papers.
pub(crate) fn system() -> String {
    let name = match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        "windows" => "Windows",
        other => other,
    };
    let machine = match (name, std::env::consts::ARCH) {
        ("macOS", "aarch64") => "arm64",
        (_, machine) => machine,
    };
    format!("{name}-{machine}")
}

/// Lays the licences of everything that is staged for `system`. Those of other systems stay: what is linked in differs from one to the other.
pub(crate) fn lay(root: &Path, system: &str, theirs: &[PathBuf], to: &Path) -> Outcome {
    for paper in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root.join(paper), &to.join(paper))?;
    }
    write(&to.join("README.txt"), ABOUT)?;
    write(&to.join(format!("THIRD-PARTY-{system}.txt")), &licences::of(root, "musetalk-ffi")?)?;
    for paper in theirs {
        let name = paper.file_name().unwrap_or_default().to_string_lossy();
        copy(paper, &to.join(format!("onnxruntime-{system}-{name}")))?;
    }
    Ok(())
}

/// The licence and the notices of ONNX Runtime: beside the library, or one folder up, as its archives and wheels have them.
pub(crate) fn of_runtime(runtime: &Path) -> Outcome<Vec<PathBuf>> {
    let is_paper = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
        path.is_file() && (name.starts_with("LICENSE") || name.starts_with("THIRDPARTYNOTICES"))
    };
    for folder in runtime.ancestors().skip(1).take(2) {
        let entries = fs::read_dir(folder).map_err(failed("list", folder))?;
        let mut papers: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_paper).collect();
        if !papers.is_empty() {
            papers.sort();
            return whole(papers, folder);
        }
    }
    Err(format!("{} has no LICENSE beside it, and must not be shipped without", runtime.display()))
}

/// Refuses papers of ONNX Runtime that are not all of them: its own licence, and those of what is linked into it.
pub(crate) fn whole(papers: Vec<PathBuf>, folder: &Path) -> Outcome<Vec<PathBuf>> {
    for begins in ["LICENSE", "ThirdPartyNotices"] {
        let is_it = |paper: &PathBuf| {
            let name = paper.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
            name.starts_with(&begins.to_ascii_uppercase())
        };
        if !papers.iter().any(is_it) {
            return Err(format!("{} lacks ONNX Runtime's {begins}, which must go along", folder.display()));
        }
    }
    Ok(papers)
}
