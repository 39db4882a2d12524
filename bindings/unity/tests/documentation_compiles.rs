//! The programs in the manuals compile, and the first one runs.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use musetalk_unity::{compile, home, mono, root};
use support::{compiled, core, engine};

/// The first block of C# in a manual that holds `word`, in a folder of its own.
fn block(manual: &str, word: &str) -> PathBuf {
    let text = fs::read_to_string(root().join("docs/hosts").join(manual)).unwrap();
    let blocks = text.split("```csharp\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let found = blocks.into_iter().find(|block| block.contains(word)).unwrap();
    let folder = compiled().join(word);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("Block.cs"), found).unwrap();
    folder
}

#[test]
fn hello_runs_from_the_repository() {
    if !mono() {
        return;
    }
    let program = compiled().join("Hello.exe");
    compile(&program, &[block("csharp.md", "static class Hello")], &[core().to_owned()]).unwrap();
    musetalk_tests::runtime();
    let beside = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let done = Command::new("mono")
        .arg(&program)
        .current_dir(root())
        .env("LD_LIBRARY_PATH", beside)
        .output()
        .unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(told.lines().count(), 25, "{told}");
    assert!(told.starts_with("512 x 512 at 00:00:00, 786432 bytes"), "{told}");
}

#[test]
fn the_greeter_of_the_manual_compiles() {
    if !mono() {
        return;
    }
    let [engine, _] = engine();
    let unity = compiled().join("Components.dll");
    compile(&unity, &[home().join("com.musetalk.unity/Runtime")], &[core().to_owned(), engine.clone()])
        .unwrap();
    let program = compiled().join("Greeter.netmodule.exe");
    let folder = block("unity.md", "class Greeter");
    fs::write(
        folder.join("Main.cs"),
        "static class Program { static void Main() { new Greeter().Greet(); } }",
    )
    .unwrap();
    compile(&program, &[folder], &[core().to_owned(), unity, engine]).unwrap();
}
