//! The Unity packages: sources, the libraries of this system with their import settings, the demo, and the licences of all of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::install::{copy, write};
use crate::{Outcome, failed, licences};

const PACKAGES: [&str; 2] = ["com.musetalk.core", "com.musetalk.unity"];

/// What the sample shows; hidden from Unity's importer by the tilde.
const DEMO: [&str; 4] = ["pack", "iris.avatar", "marco.avatar", "voice.wav"];

/// Lays the packages into `out`, with libmusetalk from `built` and, where it is given, the ONNX Runtime library `runtime`. What another system
/// has laid there stays: the three together are what is published.
///
/// # Errors
///
/// A file is missing or could not be written, or `runtime` comes without its licence.
pub fn stage(root: &Path, built: &Path, runtime: Option<&Path>, out: &Path) -> Outcome {
    let unity = root.join("bindings/unity");
    for package in PACKAGES {
        copy_folder(&unity.join(package), &out.join(package))?;
    }
    let core = out.join(PACKAGES[0]);
    let (folder, ours, theirs) = names();
    let native = unity.join("native");
    // The settings of every folder on the way.
    let on_the_way: Vec<&Path> = folder.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
    for part in on_the_way {
        copy(&meta(&native.join(part)), &meta(&core.join(part)))?;
    }
    let lay = |from: &Path, name: &str| -> Outcome {
        let place = folder.join(name);
        copy(from, &core.join(&place))?;
        copy(&meta(&native.join(&place)), &meta(&core.join(&place)))
    };
    lay(&built.join(ours), ours)?;
    let papers = core.join("Licences~");
    for paper in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root.join(paper), &papers.join(paper))?;
    }
    write(&papers.join("THIRD-PARTY.txt"), &licences::of(root, "musetalk-ffi")?)?;
    if let Some(runtime) = runtime {
        lay(runtime, theirs)?;
        for paper in papers_of(runtime)? {
            let name = format!("onnxruntime-{}", paper.file_name().unwrap_or_default().to_string_lossy());
            copy(&paper, &papers.join(name))?;
        }
    }
    for file in DEMO {
        let (from, to) = (root.join("models/demo").join(file), core.join("Demo~").join(file));
        if from.is_dir() { copy_folder(&from, &to)? } else { copy(&from, &to)? }
    }
    Ok(())
}

/// Where this system's libraries lie in the package, and what they are called there. Unity imports no library whose name ends in a version.
fn names() -> (PathBuf, &'static str, &'static str) {
    if cfg!(windows) {
        ("Plugins/Windows/x86_64".into(), "musetalk.dll", "onnxruntime.dll")
    } else if cfg!(target_os = "macos") {
        ("Plugins/macOS".into(), "libmusetalk.dylib", "libonnxruntime.dylib")
    } else {
        ("Plugins/Linux/x86_64".into(), "libmusetalk.so", "libonnxruntime.so")
    }
}

fn meta(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".meta");
    name.into()
}

/// The licence and the notices of ONNX Runtime: beside the library, or one folder up, as its archives and wheels have them.
fn papers_of(runtime: &Path) -> Outcome<Vec<PathBuf>> {
    let is_paper = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
        path.is_file() && (name.starts_with("LICENSE") || name.starts_with("THIRDPARTYNOTICES"))
    };
    for folder in runtime.ancestors().skip(1).take(2) {
        let entries = fs::read_dir(folder).map_err(failed("list", folder))?;
        let papers: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_paper).collect();
        if !papers.is_empty() {
            return Ok(papers);
        }
    }
    Err(format!("{} has no LICENSE beside it, and must not be shipped without", runtime.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Outcome {
    for entry in fs::read_dir(from).map_err(failed("list", from))? {
        let path = entry.map_err(failed("list", from))?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_folder(&path, &to)? } else { copy(&path, &to)? }
    }
    Ok(())
}
