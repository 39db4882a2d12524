//! The Unreal plugin with everything it opens at run time: to be copied into a project's `Plugins` folder, or packaged from there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Outcome, failed, papers, runtime};

const PLUGIN: &str = "bindings/unreal/MuseTalk";
const NATIVE: &str = "Source/ThirdParty/MuseTalkNative";

/// What goes into the plugin besides its sources.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Contents {
    /// Where cargo put the library.
    pub built: PathBuf,
    /// ONNX Runtime: its library, or the folder that holds it with its licences. None: the user puts it there.
    pub runtime: Option<PathBuf>,
}

impl Contents {
    /// The library alone.
    pub fn new(built: PathBuf) -> Self {
        Self { built, runtime: None }
    }
}

/// Lays out the plugin in `out`, which is emptied of an older one first.
///
/// # Errors
///
/// A file is missing or could not be written, or `out` holds something that is no MuseTalk plugin.
pub fn stage(root: &Path, contents: &Contents, out: &Path) -> Outcome {
    let (folder, library) = platform()?;
    // Asked for before anything is touched: a plugin without its library is none.
    let built = contents.built.join(library);
    if !built.is_file() {
        return Err(format!("there is no {}; build it with `cargo build -p musetalk-ffi`", built.display()));
    }
    let runtimes = contents.runtime.as_deref().map(runtime_files).transpose()?;
    clear(out)?;

    copy_folder(&root.join(PLUGIN), out)?;
    let native = out.join(NATIVE);
    copy(&root.join("include/musetalk.h"), &native.join("include/musetalk.h"))?;
    copy(&built, &native.join(folder).join(library))?;
    for paper in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root.join(paper), &out.join(paper))?;
    }
    let runtimes = runtimes.unwrap_or_default();
    for file in &runtimes.libraries {
        copy(file, &native.join(folder).join(file.file_name().unwrap_or_default()))?;
    }
    // By system: folders of several are merged into one plugin.
    papers::lay(root, folder, &runtimes.papers, &native.join("licences"))?;
    let packs = native.join("packs");
    copy_folder(&root.join("models/demo/pack"), &packs.join("demo/pack"))?;
    for file in ["iris.avatar", "marco.avatar", "voice.wav"] {
        copy(&root.join("models/demo").join(file), &packs.join("demo").join(file))?;
    }
    Ok(())
}

/// Every file in a folder, by its path from there, in order.
///
/// # Errors
///
/// It could not be read.
pub fn list(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).map_err(failed("read", &next))? {
            let path = entry.map_err(failed("read", &next))?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap_or(&path).to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The folder and the library of this system, as the plugin expects them.
fn platform() -> Outcome<(&'static str, &'static str)> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("windows", "x86_64") => Ok(("Win64", "musetalk.dll")),
        ("macos", _) => Ok(("Mac", "libmusetalk.dylib")),
        ("linux", "x86_64") => Ok(("Linux", "libmusetalk.so")),
        ("linux", "aarch64") => Ok(("LinuxArm64", "libmusetalk.so")),
        (system, machine) => Err(format!("Unreal's editor does not run on {system} {machine}")),
    }
}

#[derive(Default)]
struct Runtime {
    libraries: Vec<PathBuf>,
    papers: Vec<PathBuf>,
}

fn runtime_files(path: &Path) -> Outcome<Runtime> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let entries = fs::read_dir(folder).map_err(failed("read", folder))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let named = |file: &PathBuf, test: &dyn Fn(&str) -> bool| {
        file.is_file() && file.file_name().and_then(|name| name.to_str()).is_some_and(test)
    };
    let is_paper =
        |name: &str| ["LICENSE", "ThirdPartyNotices"].iter().any(|begins| name.starts_with(begins));
    let mut libraries: Vec<PathBuf> = match path.is_dir() {
        true => files.iter().filter(|file| named(file, &runtime::is_library)).cloned().collect(),
        false => Vec::from_iter(named(&path.to_owned(), &runtime::is_library).then(|| path.to_owned())),
    };
    let Some(library) = libraries.first() else {
        return Err(format!("there is no ONNX Runtime in {}; `musetalk doctor` names one", path.display()));
    };
    libraries.extend(runtime::providers(library)?);
    // The Python package has its papers one folder up.
    let mut papers: Vec<PathBuf> = files.iter().filter(|file| named(file, &is_paper)).cloned().collect();
    if let (true, Some(above)) = (papers.is_empty(), folder.parent()) {
        let entries = fs::read_dir(above).map_err(failed("read", above))?;
        papers.extend(entries.flatten().map(|entry| entry.path()).filter(|file| named(file, &is_paper)));
    }
    Ok(Runtime { libraries, papers: papers::whole(papers, folder)? })
}

/// Removes an older plugin, and nothing else.
fn clear(out: &Path) -> Outcome {
    let holds_something = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if !holds_something {
        return Ok(());
    }
    if !out.join("MuseTalk.uplugin").is_file() {
        return Err(format!("{} is not empty and no MuseTalk plugin; name another folder", out.display()));
    }
    fs::remove_dir_all(out).map_err(failed("remove", out))
}

fn copy_folder(from: &Path, to: &Path) -> Outcome {
    for file in list(from)? {
        copy(&from.join(&file), &to.join(&file))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Outcome {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    fs::copy(from, to).map(drop).map_err(failed("copy", from))
}
