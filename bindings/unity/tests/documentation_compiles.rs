//! The programs in the manuals compile; those that are whole run.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use musetalk_unity::{compile, home, mono, root};
use support::{compiled, core, engine};

/// The blocks of C# in a manual.
fn blocks(manual: &Path) -> Vec<String> {
    let text = fs::read_to_string(manual).unwrap();
    text.split("```csharp\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

/// The first block that holds `word`.
fn block(manual: &str, word: &str) -> String {
    let found =
        blocks(&root().join("docs/hosts").join(manual)).into_iter().find(|block| block.contains(word));
    found.unwrap_or_else(|| panic!("{manual} has no {word}"))
}

/// A file of its own in a folder of its own.
fn written(name: &str, text: &str) -> PathBuf {
    let folder = compiled().join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("Block.cs"), text).unwrap();
    folder
}

/// A part of a program, with what it takes for granted around it.
fn surrounded(block: &str, members: &str) -> String {
    let (head, body): (Vec<&str>, Vec<&str>) =
        block.lines().partition(|line| line.starts_with("using ") && line.ends_with(';'));
    format!(
        "using System;\n{}\nstatic class Surrounded\n{{\n{members}\nstatic void Main()\n{{\n{}\n}}\n}}\n",
        if head.is_empty() { "using MuseTalk;".to_owned() } else { head.join("\n") },
        body.join("\n")
    )
}

/// What a program of the manual says when it is run from the repository.
fn said_by(name: &str) -> String {
    let program = compiled().join(format!("{name}.exe"));
    let folder = written(name, &block("csharp.md", &format!("static class {name}")));
    compile(&program, &[folder], &[core().to_owned()]).unwrap();
    musetalk_tests::runtime();
    let beside = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let done = Command::new("mono")
        .arg(&program)
        .current_dir(root())
        .env("LD_LIBRARY_PATH", beside)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn hello_runs_from_the_repository() {
    if !mono() {
        return;
    }
    let told = said_by("Hello");
    assert_eq!(told.lines().count(), 25, "{told}");
    assert!(told.starts_with("512 x 512 at 00:00:00, 786432 bytes"), "{told}");
}

#[test]
fn the_live_loop_speaks_to_the_end_of_its_utterance() {
    if !mono() {
        return;
    }
    let told = said_by("Live");
    let numbers: Vec<u32> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
    // Two seconds are 50 pictures; a busy machine shows fewer.
    assert!(numbers[0] >= numbers[1] && (5..=51).contains(&numbers[1]), "{told}");
}

#[test]
fn every_other_block_compiles() {
    if !mono() {
        return;
    }
    let talk = surrounded(
        &block("csharp.md", "new Conversation("),
        r#"
        class Player { public void Write(ulong answer, ReadOnlySpan<short> samples) { } public void End(ulong answer) { } public void Stop(ulong answer) { } }
        class Microphone { public float[] Read() { return new float[480]; } }
        static string Run(string name, string arguments) { return "{}"; }
        static void Draw() { }
        static Avatar avatar = null;
        static readonly Player player = new Player();
        static readonly Microphone microphone = new Microphone();
        static ulong utterance = 1, samplesPlayed = 0;"#,
    );
    compile(&compiled().join("Talk.exe"), &[written("Talk", &talk)], &[core().to_owned()]).unwrap();
    let clips = surrounded(&block("csharp.md", "RequestClip("), "static Avatar avatar = null;");
    compile(&compiled().join("Clips.exe"), &[written("Clips", &clips)], &[core().to_owned()]).unwrap();
    let readme = blocks(&home().join("com.musetalk.core/README.md"));
    let page = surrounded(
        &readme[0],
        "static readonly float[] voice = new float[480];\n\
         static void Show(ReadOnlySpan<byte> pixels, int width, int height, TimeSpan at) { }",
    );
    compile(&compiled().join("Page.exe"), &[written("Page", &page)], &[core().to_owned()]).unwrap();
    // A block that comes later must be added here.
    let manual = |name: &str| blocks(&root().join("docs/hosts").join(name)).len();
    assert_eq!((manual("csharp.md"), manual("unity.md"), readme.len()), (4, 1, 1));
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
    let main = "\nstatic class Program { static void Main() { new Greeter().Greet(); } }\n";
    let folder = written("Greeter", &(block("unity.md", "class Greeter") + main));
    compile(&program, &[folder], &[core().to_owned(), unity, engine]).unwrap();
}
