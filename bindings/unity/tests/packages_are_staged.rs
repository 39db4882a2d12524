//! `cargo xtask upm` makes packages that Unity can import, and whose library finds the ONNX Runtime beside it.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use musetalk_unity::{mono, root};
use support::{given, tests};

#[test]
fn packages_are_whole_and_run() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let [pack, avatar, voice] = given();
    let out = musetalk_tests::scratch("upm");
    let runtime = fake_release(&out.join("release"));
    let packages = out.join("packages");
    let beside = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    // Another system was there before: its papers stay.
    let others = packages.join("com.musetalk.core/Licences~/THIRD-PARTY-Windows-x86_64.txt");
    fs::create_dir_all(others.parent().unwrap()).unwrap();
    fs::write(&others, "theirs").unwrap();
    xtask::upm::stage(root(), &beside, Some(&runtime), &packages).unwrap();
    an_older_release_goes(&packages, &beside);
    // Once more over it: as another system does.
    xtask::upm::stage(root(), &beside, None, &packages).unwrap();

    let core = packages.join("com.musetalk.core");
    let native = core.join("Plugins/Linux/x86_64");
    let papers = core.join("Licences~");
    for paper in [
        "README.txt",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "THIRD-PARTY-Linux-x86_64.txt",
        "onnxruntime-Linux-x86_64-LICENSE",
        "onnxruntime-Linux-x86_64-ThirdPartyNotices.txt",
    ] {
        assert!(papers.join(paper).is_file(), "{paper}");
    }
    every_crate_has_its_paper(&fs::read_to_string(papers.join("THIRD-PARTY-Linux-x86_64.txt")).unwrap());
    assert_eq!(fs::read_to_string(papers.join("THIRD-PARTY-Windows-x86_64.txt")).unwrap(), "theirs");
    assert!(core.join("Demo~/pack/pack.json").is_file() && core.join("Demo~/voice.wav").is_file());
    every_file_has_its_meta(&packages, &packages);
    its_providers_go_along(&native, &runtime, &beside, &packages);

    let licence_less = out.join("bare/lib/libonnxruntime.so");
    fs::create_dir_all(licence_less.parent().unwrap()).unwrap();
    fs::write(&licence_less, "").unwrap();
    assert!(
        xtask::upm::stage(root(), &beside, Some(&licence_less), &packages).unwrap_err().contains("LICENSE")
    );
    fs::write(licence_less.with_file_name("LICENSE"), "MIT").unwrap();
    let half = xtask::upm::stage(root(), &beside, Some(&licence_less), &packages).unwrap_err();
    assert!(half.contains("ThirdPartyNotices"), "{half}");
    fs::copy(&runtime, native.join("libonnxruntime.so")).unwrap();

    if mono() {
        // No variable names the runtime, and the cache is out of reach: it is found beside the plugin.
        let done = Command::new("mono")
            .arg(tests())
            .args(["paced", pack, avatar, voice])
            .env_remove("ORT_DYLIB_PATH")
            .env("HOME", &out)
            .env("XDG_CACHE_HOME", out.join("cache"))
            .env("LD_LIBRARY_PATH", &native)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// What was removed or renamed since is not there any more; what another system has laid is.
fn an_older_release_goes(packages: &Path, beside: &Path) {
    let core = packages.join("com.musetalk.core");
    let gone = [
        "Runtime/Renamed.cs",
        "Runtime/Renamed.cs.meta",
        "Removed/Old.cs",
        "Removed.meta",
        "Demo~/old.avatar",
    ];
    let stays = [
        "Plugins/Windows/x86_64/musetalk.dll",
        "Plugins/Windows.meta",
        "Licences~/THIRD-PARTY-Windows-x86_64.txt",
    ];
    for file in gone.iter().chain(&stays) {
        fs::create_dir_all(core.join(file).parent().unwrap()).unwrap();
        fs::write(core.join(file), "theirs").unwrap();
    }
    let runtime = core.join("Plugins/Linux/x86_64/libonnxruntime.so");
    let bytes = fs::metadata(&runtime).unwrap().len();
    xtask::upm::stage(root(), beside, None, packages).unwrap();
    for file in gone {
        assert!(!core.join(file).exists(), "{file}");
    }
    assert!(!core.join("Removed").exists() && core.join("Runtime/Avatar.cs").is_file());
    for file in ["Plugins/Windows/x86_64/musetalk.dll", "Licences~/THIRD-PARTY-Windows-x86_64.txt"] {
        assert_eq!(fs::read_to_string(core.join(file)).unwrap(), "theirs", "{file}");
    }
    assert_eq!(fs::metadata(runtime).unwrap().len(), bytes, "the runtime of before stays");
    fs::remove_dir_all(core.join("Plugins/Windows")).unwrap();
    fs::remove_file(core.join("Plugins/Windows.meta")).unwrap();

    // Nothing of somebody else's is removed, and nothing at all where there is nothing to lay.
    let others = packages.with_file_name("others");
    let file = others.join("com.musetalk.unity/notes.txt");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "mine").unwrap();
    let refused = xtask::upm::stage(root(), beside, None, &others).unwrap_err();
    assert!(refused.contains("com.musetalk.unity is not empty"), "{refused}");
    assert!(file.is_file() && !others.join("com.musetalk.core").exists());
    let refused = xtask::upm::stage(root(), &others, None, packages).unwrap_err();
    assert!(refused.contains("libmusetalk.so") && core.join("package.json").is_file(), "{refused}");
}

/// Of a runtime for a GPU, the providers too, each with settings of its own; those of the one before go.
fn its_providers_go_along(native: &Path, runtime: &Path, beside: &Path, packages: &Path) {
    let providers = ["libonnxruntime_providers_cuda.so", "libonnxruntime_providers_shared.so"];
    for name in providers {
        fs::write(runtime.with_file_name(name), name).unwrap();
    }
    fs::write(runtime.with_file_name("libother.so"), "").unwrap();
    fs::write(native.join("libonnxruntime_providers_old.so"), "").unwrap();
    fs::write(native.join("libonnxruntime_providers_old.so.meta"), "").unwrap();
    // A link elsewhere leads to them.
    let link = runtime.parent().unwrap().with_file_name("libonnxruntime.so");
    #[cfg(unix)]
    std::os::unix::fs::symlink(runtime, &link).unwrap();
    xtask::upm::stage(root(), beside, Some(&link), packages).unwrap();
    let mut guids = Vec::new();
    for name in providers {
        assert_eq!(fs::read_to_string(native.join(name)).unwrap(), name);
        let settings = fs::read_to_string(native.join(format!("{name}.meta"))).unwrap();
        assert!(settings.contains("OS: Linux"), "{settings}");
        guids.push(settings.lines().find_map(|line| line.strip_prefix("guid: ")).unwrap().to_owned());
    }
    assert!(guids[0] != guids[1] && guids.iter().all(|guid| guid.len() == 32), "{guids:?}");
    assert!(!native.join("libonnxruntime_providers_old.so").exists() && !native.join("libother.so").exists());
    every_file_has_its_meta(packages, packages);
}

/// Of every crate that is named, the text of a licence follows.
fn every_crate_has_its_paper(text: &str) {
    let (list, texts) = text.split_once("\n────").unwrap();
    let crates: Vec<&str> =
        list.lines().skip(1).filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    assert!(crates.len() > 50, "{crates:?}");
    let without: Vec<_> = crates.iter().filter(|name| !texts.contains(&format!(" {name}: "))).collect();
    assert!(without.is_empty(), "no licence came with {without:?}");
}

/// ONNX Runtime as its archives have it: `lib/`, and the papers one folder up.
fn fake_release(folder: &Path) -> PathBuf {
    musetalk_tests::runtime();
    let found = musetalk_core::runtime::search(None).found.unwrap();
    fs::create_dir_all(folder.join("lib")).unwrap();
    fs::write(folder.join("LICENSE"), "MIT").unwrap();
    fs::write(folder.join("ThirdPartyNotices.txt"), "of others").unwrap();
    let library = folder.join("lib/libonnxruntime.so.1");
    fs::copy(found, &library).unwrap();
    library
}

fn every_file_has_its_meta(folder: &Path, packages: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with('~') {
            continue;
        }
        let is_meta = name.ends_with(".meta");
        let meta = PathBuf::from(format!("{}.meta", path.display()));
        assert!(is_meta || folder == packages || meta.is_file(), "{}", path.display());
        assert!(!is_meta || path.with_extension("").exists(), "{}", path.display());
        if path.is_dir() {
            every_file_has_its_meta(&path, packages);
        }
    }
}
