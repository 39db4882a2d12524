//! The Unity packages: sources, the libraries of this system with their import settings, the demo, and the licences of all of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::install::{copy, write};
use crate::{Outcome, digest, failed, papers, runtime};

const PACKAGES: [&str; 2] = ["com.musetalk.core", "com.musetalk.unity"];

/// What the sample shows; hidden from Unity's importer by the tilde.
const DEMO: [&str; 4] = ["pack", "iris.avatar", "marco.avatar", "voice.wav"];

/// What of a package several systems lay: their libraries and papers.
const OF_ALL_SYSTEMS: [&str; 3] = ["Plugins", "Plugins.meta", "Licences~"];

/// Lays the packages into `out`, with libmusetalk from `built` and, where it is given, the ONNX Runtime library `runtime` and the providers that
/// lie beside it. What another system has laid there stays: the three together are what is published. The rest of an older release goes, so that
/// Unity does not compile what was removed or renamed since.
///
/// # Errors
///
/// A file is missing or could not be written, `runtime` comes without its licence, a package's folder in `out` holds a package of another name, or
/// Unity makes no players for this system.
pub fn stage(root: &Path, built: &Path, runtime: Option<&Path>, out: &Path) -> Outcome {
    // Asked for before anything is touched.
    let place = Place::of(std::env::consts::OS, std::env::consts::ARCH)?;
    let theirs = runtime.map(papers::of_runtime).transpose()?.unwrap_or_default();
    let providers = runtime.map(runtime::providers).transpose()?.unwrap_or_default();
    let ours = built.join(place.ours);
    if !ours.is_file() {
        return Err(format!("there is no {}; build it with `cargo build -p musetalk-ffi`", ours.display()));
    }
    let older: Vec<PathBuf> = PACKAGES
        .iter()
        .map(|package| older(&out.join(package), package))
        .collect::<Outcome<Vec<_>>>()?
        .concat();
    for path in older {
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(failed("remove", &path))?;
    }
    let unity = root.join("bindings/unity");
    for package in PACKAGES {
        copy_folder(&unity.join(package), &out.join(package))?;
    }
    let core = out.join(PACKAGES[0]);
    let folder = Path::new(place.folder);
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
    lay(&ours, place.ours)?;
    if let Some(runtime) = runtime {
        clear_providers(&core.join(folder))?;
        lay(runtime, place.theirs)?;
    }
    for provider in &providers {
        let to = core.join(folder).join(provider.file_name().unwrap_or_default());
        copy(provider, &to)?;
        write(&meta(&to), &settings_like(&meta(&native.join(folder).join(place.theirs)), &to)?)?;
    }
    papers::lay(root, place.system, &theirs, &core.join("Licences~"))?;
    for file in DEMO {
        let (from, to) = (root.join("models/demo").join(file), core.join("Demo~").join(file));
        if from.is_dir() { copy_folder(&from, &to)? } else { copy(&from, &to)? }
    }
    Ok(())
}

/// Where a system's libraries lie in the package, and what they are called there. Unity imports no library whose name ends in a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// In the names of its papers.
    system: &'static str,
    folder: &'static str,
    ours: &'static str,
    theirs: &'static str,
}

impl Place {
    fn of(system: &str, machine: &str) -> Outcome<Self> {
        let (system, folder, ours, theirs) = match (system, machine) {
            ("linux", "x86_64") => {
                ("Linux-x86_64", "Plugins/Linux/x86_64", "libmusetalk.so", "libonnxruntime.so")
            }
            ("windows", "x86_64") => {
                ("Windows-x86_64", "Plugins/Windows/x86_64", "musetalk.dll", "onnxruntime.dll")
            }
            ("macos", "aarch64") => {
                ("macOS-arm64", "Plugins/macOS/arm64", "libmusetalk.dylib", "libonnxruntime.dylib")
            }
            ("macos", "x86_64") => {
                ("macOS-x86_64", "Plugins/macOS/x86_64", "libmusetalk.dylib", "libonnxruntime.dylib")
            }
            _ => {
                return Err(format!(
                    "the Unity packages have no place for libraries of {system} on {machine}"
                ));
            }
        };
        Ok(Self { system, folder, ours, theirs })
    }
}

/// What an older release has left in `folder`, but for what several systems lay. An empty list for a folder that nobody made.
fn older(folder: &Path, package: &str) -> Outcome<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("list", folder))?.path();
        let name = path.file_name().unwrap_or_default();
        if !OF_ALL_SYSTEMS.iter().any(|of_all| name == *of_all) {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    // Whatever is no package of ours is not ours to remove.
    let text = fs::read_to_string(folder.join("package.json")).unwrap_or_default();
    let told: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    if told["name"] == package {
        return Ok(found);
    }
    Err(format!("{} is not empty and no package {package}; name another folder", folder.display()))
}

/// Removes the providers of an older runtime: they fit no other.
fn clear_providers(folder: &Path) -> Outcome {
    for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
        let path = entry.map_err(failed("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if runtime::is_provider(name.strip_suffix(".meta").unwrap_or(name)) {
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}

/// The import settings `like`, with an identity that is always the same for a library of this name and system.
fn settings_like(like: &Path, library: &Path) -> Outcome<String> {
    let settings = fs::read_to_string(like).map_err(failed("read", like))?;
    let guid = settings.lines().find_map(|line| line.strip_prefix("guid: "));
    let guid = guid.ok_or_else(|| format!("{} has no guid", like.display()))?;
    let name = library.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let own = digest::of_text(&format!("{guid} {name}"));
    Ok(settings.replace(guid, own.get(..32).unwrap_or(&own)))
}

fn meta(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".meta");
    name.into()
}

fn copy_folder(from: &Path, to: &Path) -> Outcome {
    for entry in fs::read_dir(from).map_err(failed("list", from))? {
        let path = entry.map_err(failed("list", from))?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_folder(&path, &to)? } else { copy(&path, &to)? }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_its_settings_and_others_are_refused() {
        let native = crate::root().join("bindings/unity/native");
        for (system, machine) in
            [("linux", "x86_64"), ("windows", "x86_64"), ("macos", "aarch64"), ("macos", "x86_64")]
        {
            let place = Place::of(system, machine).expect("it has a place");
            for name in [place.ours, place.theirs] {
                let settings = meta(&native.join(place.folder).join(name));
                assert!(settings.is_file(), "{}", settings.display());
            }
        }
        for (system, machine) in [("linux", "aarch64"), ("windows", "aarch64"), ("freebsd", "x86_64")] {
            let refused = Place::of(system, machine).expect_err("it has none");
            assert!(refused.contains(machine), "{refused}");
        }
    }
}
