//! Loading an engine and making pictures leaves no file in the user's home or the working folder but the receipts of this library: ONNX Runtime
//! would keep an identifier of the device there, and a data base of what it sends home.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use musetalk_core::{Device, Engine, runtime};
use musetalk_tests::{babble, scratch, tiny_pack, write_person};

const PACK: &str = "MUSETALK_TEST_PACK";
const PERSON: &str = "MUSETALK_TEST_PERSON";

/// A process of its own, with an environment of its own.
#[test]
fn child() {
    let (Some(pack), Some(person)) = (std::env::var_os(PACK), std::env::var_os(PERSON)) else { return };
    let engine = Engine::builder(pack).device(Device::Cpu).threads(1).build().unwrap();
    let mut avatar = engine.open_avatar(person).unwrap();
    avatar.push(&babble(1.0, 24_000, 7)).unwrap();
    avatar.finish().unwrap();
    let mut frames = 0;
    while avatar.next_frame().unwrap().is_some() {
        frames += 1;
    }
    println!("\nFRAMES {frames}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn but_the_receipts_of_this_library() {
    musetalk_tests::runtime();
    let library = runtime::search(None).found.unwrap();
    let folder = scratch("home");
    let person = write_person(musetalk_tests::engine(), &folder);
    let (home, work) = (folder.join("home"), folder.join("work"));
    for folder in [&home, &work] {
        fs::create_dir(folder).unwrap();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
    // Emptied: where a variable says that this is a build machine, ONNX Runtime is silent by itself.
    command.env_clear().current_dir(&work);
    if cfg!(windows) {
        command.envs(["SystemRoot", "PATH"].map(|name| (name, std::env::var_os(name).unwrap())));
    }
    for name in ["HOME", "USERPROFILE", "LOCALAPPDATA"] {
        command.env(name, &home);
    }
    command.env("ORT_DYLIB_PATH", library).env(PACK, tiny_pack()).env(PERSON, person);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("FRAMES 25"), "{said}");

    let ours = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "musetalk");
    let others: Vec<PathBuf> = files(&home).into_iter().filter(|path| !ours(path)).collect();
    assert_eq!(others, Vec::<PathBuf>::new(), "files in the home");
    assert_eq!(files(&work), Vec::<PathBuf>::new(), "files in the working folder");
}
