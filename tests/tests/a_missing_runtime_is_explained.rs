//! Without ONNX Runtime, or with something else in its place, the error says what was looked at and what to do.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use musetalk_core::{Engine, runtime};
use musetalk_tests::{scratch, tiny_pack};

const PACK: &str = "MUSETALK_TEST_PACK";
const NAMED: &str = "MUSETALK_TEST_LIBRARY";

/// A process loads one library: each case is a process of its own, which runs this and nothing else.
#[test]
fn child() {
    let Some(pack) = std::env::var_os(PACK) else { return };
    let mut builder = Engine::builder(pack);
    if let Some(library) = std::env::var_os(NAMED) {
        builder = builder.runtime_library(library);
    }
    match builder.build() {
        Ok(engine) => println!("\nOUTCOME loaded {}", engine.runtime().path().display()),
        Err(error) => println!("\nOUTCOME {:?} {error}", error.kind()),
    }
}

/// What a process with these variables, and no other that could lead to a library, says.
fn outcome(variables: &[(&str, &Path)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]).env(PACK, tiny_pack());
    for name in ["ORT_DYLIB_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", NAMED] {
        command.env_remove(name);
    }
    command.env("MUSETALK_CACHE", std::env::temp_dir().join("no-musetalk-cache-here"));
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let at = text.find("OUTCOME ").unwrap_or_else(|| panic!("no outcome in {text}"));
    text[at + 8..].to_owned()
}

fn text_file(folder: &Path) -> PathBuf {
    let path = folder.join("libonnxruntime.so");
    fs::write(&path, "this is no library").unwrap();
    path
}

#[test]
fn every_place_looked_at_is_named() {
    let cache = scratch("looked");
    let python = scratch("python");
    let site = python.join("lib/python3.11/site-packages");
    fs::create_dir_all(&site).unwrap();
    let said = outcome(&[("MUSETALK_CACHE", &cache), ("VIRTUAL_ENV", &python)]);
    assert!(said.starts_with("NotFound "), "{said}");
    for words in ["musetalk setup", "ORT_DYLIB_PATH: not set", "named by the caller: nothing"] {
        assert!(said.contains(words), "{said} does not say {words:?}");
    }
    let beside = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    for place in [cache, site, beside] {
        assert!(said.contains(place.to_str().unwrap()), "{said} does not name {}", place.display());
    }
}

#[test]
fn a_named_library_that_is_missing_is_not_replaced_by_another() {
    musetalk_tests::runtime();
    let real = runtime::search(None).found.unwrap();
    let nowhere = scratch("nowhere").join("libonnxruntime.so");
    for variables in [
        vec![("ORT_DYLIB_PATH", nowhere.as_path())],
        vec![(NAMED, nowhere.as_path()), ("ORT_DYLIB_PATH", real.as_path())],
    ] {
        let said = outcome(&variables);
        assert!(said.starts_with("NotFound "), "{said}");
        assert!(said.contains(nowhere.to_str().unwrap()), "{said}");
    }
}

#[test]
fn a_file_that_is_no_library_is_refused_and_named() {
    let folder = scratch("text");
    let path = text_file(&folder);
    for variables in [[("ORT_DYLIB_PATH", path.as_path())], [(NAMED, path.as_path())], [(NAMED, &folder)]] {
        let said = outcome(&variables);
        assert!(said.starts_with("Corrupt "), "{said}");
        assert!(said.contains(path.to_str().unwrap()) && said.contains("musetalk setup"), "{said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_library_that_is_not_onnx_runtime_is_refused_and_named() {
    // Any library of this system that is surely there: the C library that this process runs on.
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps.lines().filter_map(|line| line.split_whitespace().last()).find(|p| p.contains("libc.so"));
    let Some(libc) = libc else { return };
    let said = outcome(&[(NAMED, Path::new(libc))]);
    assert!(said.starts_with("Corrupt "), "{said}");
    assert!(said.contains(libc), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_runtime_that_is_too_old_is_refused_with_its_version() {
    // What such a library looks like from outside: its version, and nothing for a newer interface than its own.
    let source = r#"
        struct base { const void *(*api)(unsigned); const char *(*version)(void); };
        static const void *api(unsigned version) { (void)version; return 0; }
        static const char *version(void) { return "1.17.3"; }
        static const struct base BASE = { api, version };
        const struct base *OrtGetApiBase(void) { return &BASE; }
    "#;
    let folder = scratch("old");
    let (code, library) = (folder.join("old.c"), folder.join("libonnxruntime.so"));
    fs::write(&code, source).unwrap();
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &code]).status();
    if !compiled.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no C compiler made the old library");
        return;
    }
    let said = outcome(&[(NAMED, &library)]);
    assert!(said.starts_with("Incompatible "), "{said}");
    for words in ["1.17.3", "1.24", "musetalk setup", library.to_str().unwrap()] {
        assert!(said.contains(words), "{said} does not say {words:?}");
    }
}

#[test]
fn the_right_one_is_loaded_by_name_from_a_folder_or_a_file() {
    musetalk_tests::runtime();
    let real = runtime::search(None).found.unwrap();
    for library in [real.as_path(), real.parent().unwrap()] {
        let said = outcome(&[(NAMED, library)]);
        assert!(said.starts_with("loaded ") && said.contains(real.to_str().unwrap()), "{said}");
    }
}
