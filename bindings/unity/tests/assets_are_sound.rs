//! What Unity would only say in its console: every asset has its .meta, GUIDs are unique and resolve, JSON is valid, references exist.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use musetalk_unity::home;
use serde_json::Value;

const PACKAGES: [&str; 2] = ["com.musetalk.core", "com.musetalk.unity"];

/// Files and folders below `folder`, as Unity sees them: not what is hidden, and what is in `~` folders only when asked.
fn below(folder: &Path, tilde: bool, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with('.') || (name.ends_with('~') && !tilde) {
            continue;
        }
        if path.is_dir() {
            below(&path, tilde, into);
        }
        if !name.ends_with('~') {
            into.push(path);
        }
    }
}

fn assets() -> Vec<PathBuf> {
    let mut all = Vec::new();
    PACKAGES.iter().for_each(|package| below(&home().join(package), true, &mut all));
    all
}

fn meta(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.meta", path.display()))
}

fn guid(meta: &Path) -> String {
    let text = fs::read_to_string(meta).unwrap_or_else(|e| panic!("{}: {e}", meta.display()));
    assert!(text.starts_with("fileFormatVersion: 2\n"), "{}", meta.display());
    let guid = text.lines().find_map(|line| line.strip_prefix("guid: ")).unwrap().to_owned();
    assert!(
        guid.len() == 32 && guid.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "{guid}"
    );
    guid
}

/// GUID → asset, of the packages and of the libraries that are staged into them.
fn guids() -> BTreeMap<String, PathBuf> {
    let mut known = BTreeMap::new();
    let mut add = |meta: &Path| {
        let before = known.insert(guid(meta), meta.with_extension(""));
        assert_eq!(before, None, "{} has the GUID of another asset", meta.display());
    };
    let metas = |paths: &[PathBuf]| -> Vec<PathBuf> {
        paths.iter().filter(|path| path.extension().is_some_and(|e| e == "meta")).cloned().collect()
    };
    metas(&assets()).iter().for_each(|path| add(path));
    let mut native = Vec::new();
    below(&home().join("native"), true, &mut native);
    metas(&native).iter().for_each(|path| add(path));
    known
}

#[test]
fn every_asset_has_its_meta_and_every_meta_its_asset() {
    let assets = assets();
    assert!(assets.len() > 50, "{}", assets.len());
    for path in &assets {
        if path.extension().is_some_and(|e| e == "meta") {
            assert!(path.with_extension("").exists(), "{} belongs to nothing", path.display());
        } else {
            assert!(meta(path).exists(), "{} has no .meta", path.display());
        }
    }
    assert!(guids().len() > 40);
}

#[test]
fn assemblies_refer_to_assemblies_that_exist() {
    let mut names = BTreeSet::new();
    let mut references = Vec::new();
    for path in assets().iter().filter(|path| path.extension().is_some_and(|e| e == "asmdef")) {
        let json: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let name = json["name"].as_str().unwrap().to_owned();
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), name);
        let wanted = json["references"].as_array().unwrap();
        references.extend(wanted.iter().map(|reference| reference.as_str().unwrap().to_owned()));
        names.insert(name);
    }
    assert_eq!(names.len(), 4, "{names:?}");
    references.iter().for_each(|reference| assert!(names.contains(reference), "{reference}"));

    let core = fs::read_to_string(home().join("com.musetalk.core/Runtime/MuseTalk.asmdef")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&core).unwrap()["noEngineReferences"], true);
    let mut sources = Vec::new();
    below(&home().join("com.musetalk.core/Runtime"), false, &mut sources);
    for path in sources.iter().filter(|path| path.extension().is_some_and(|e| e == "cs")) {
        assert!(
            !fs::read_to_string(path).unwrap().contains("UnityEngine"),
            "{} names the engine",
            path.display()
        );
    }
}

#[test]
fn packages_say_what_they_are() {
    for package in PACKAGES {
        let folder = home().join(package);
        let json: Value =
            serde_json::from_str(&fs::read_to_string(folder.join("package.json")).unwrap()).unwrap();
        assert_eq!(json["name"], package);
        assert_eq!(json["version"], env!("CARGO_PKG_VERSION"), "{package} has the version of the library");
        for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT.md", "LICENSE-APACHE.md"] {
            assert!(folder.join(file).is_file(), "{package}/{file}");
        }
        for sample in json["samples"].as_array().into_iter().flatten() {
            assert!(folder.join(sample["path"].as_str().unwrap()).is_dir(), "{sample}");
        }
        if let Some(core) = json["dependencies"].get("com.musetalk.core") {
            assert_eq!(core, env!("CARGO_PKG_VERSION"));
        }
    }
}

#[test]
fn what_scenes_and_materials_refer_to_exists() {
    let known = guids();
    let mut found = 0;
    for path in assets().iter().filter(|path| path.extension().is_some_and(|e| e == "unity" || e == "mat")) {
        let text = fs::read_to_string(path).unwrap();
        let objects: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("--- !u!")?.split_once('&'))
            .map(|(_, id)| id)
            .collect();
        for reference in
            text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside)
        {
            let field = |name: &str| {
                reference.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix(": "))
            };
            let Some(id) = field("fileID").filter(|id| *id != "0") else { continue };
            match field("guid") {
                // What comes with the engine.
                Some(guid) if guid.starts_with("0000000000000000") => {}
                Some(guid) => {
                    found += 1;
                    let asset = known.get(guid).unwrap_or_else(|| panic!("{}: {reference}", path.display()));
                    // 11500000 is the class in a script; it must be named as the file is.
                    if id == "11500000" {
                        let class = asset.file_stem().unwrap().to_str().unwrap();
                        let source = fs::read_to_string(asset).unwrap();
                        assert!(
                            source.contains(&format!("class {class} : MonoBehaviour")),
                            "{}",
                            asset.display()
                        );
                    }
                }
                None => assert!(objects.contains(id), "{}: there is no object {id}", path.display()),
            }
        }
        fields_exist(&text, &known, path);
    }
    assert!(found >= 4, "{found}");
}

/// What the scene sets on a script is a field of that script.
fn fields_exist(text: &str, known: &BTreeMap<String, PathBuf>, scene: &Path) {
    for object in text.split("--- !u!114 ").skip(1) {
        let guid = object.split_once("guid: ").unwrap().1.split_once(',').unwrap().0;
        let script = &known[guid];
        let inspector =
            script.with_file_name(format!("{}.Inspector.cs", script.file_stem().unwrap().display()));
        let source = fs::read_to_string(script).unwrap() + &fs::read_to_string(inspector).unwrap_or_default();
        for field in
            object.lines().filter_map(|line| line.strip_prefix("  _")?.split_once(':')).map(|(name, _)| name)
        {
            assert!(
                source.contains(&format!(" _{field} = ")),
                "{}: {} has no field _{field}",
                scene.display(),
                script.display()
            );
        }
    }
}

#[test]
fn every_native_library_is_for_one_system() {
    let mut native = Vec::new();
    below(&home().join("native/Plugins"), true, &mut native);
    let mut libraries = 0;
    for path in native.iter().filter(|path| path.is_file()) {
        let text = fs::read_to_string(path).unwrap();
        if !text.contains("PluginImporter:") {
            continue;
        }
        libraries += 1;
        let path = path.display().to_string();
        let (enabled, os) = if path.contains("Linux") {
            ("Standalone: Linux64", "OS: Linux")
        } else if path.contains("Windows") {
            ("Standalone: Win64", "OS: Windows")
        } else {
            ("Standalone: OSXUniversal", "OS: OSX")
        };
        assert!(text.contains(os), "{path}");
        // One name lies there for each kind of processor: the settings must tell them apart.
        let cpu = if path.contains("arm64") { "CPU: ARM64" } else { "CPU: x86_64" };
        let cpus: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("CPU: ") && *line != "CPU: None")
            .collect();
        assert_eq!(cpus, [cpu, cpu], "{path}: in the editor and in the player");
        let on: Vec<&str> = text
            .split("  - first:\n      ")
            .filter(|part| part.starts_with("Standalone") && part.contains("enabled: 1"))
            .map(|part| part.lines().next().unwrap())
            .collect();
        assert_eq!(on, [enabled], "{path}");
    }
    assert_eq!(libraries, 8);
}
