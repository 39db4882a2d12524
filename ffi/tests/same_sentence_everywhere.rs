//! The demonstration's sentence, on its pack and its avatar and on the CPU, gives the same pictures and the same sound in Rust, C, C++, C# and
//! Python, bit for bit. A language whose tools are missing is left out aloud.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

#[path = "../../bindings/python/tests/support/mod.rs"]
mod python;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use musetalk_core::{Device, Engine};
use support::{built, cc, compile, cxx, runtime, said, scratch, sources, succeeds};

struct Demo {
    pack: PathBuf,
    avatar: PathBuf,
    voice: PathBuf,
}

impl Demo {
    fn words(&self) -> [&Path; 3] {
        [&self.pack, &self.avatar, &self.voice]
    }
}

/// A line for every frame: its number, the CRC-32 of its pixels, that of its samples.
fn rust(demo: &Demo) -> String {
    let file = std::fs::read(&demo.voice).unwrap();
    let data = file.windows(4).position(|word| word == b"data").unwrap() + 4;
    let size = u32::from_le_bytes(file[data..data + 4].try_into().unwrap()) as usize;
    let samples = file[data + 4..][..size].chunks_exact(2);
    let pcm: Vec<f32> =
        samples.map(|sample| f32::from(i16::from_le_bytes([sample[0], sample[1]])) / 32_768.0).collect();
    let engine = Engine::builder(&demo.pack).device(Device::Cpu).runtime_library(runtime()).build().unwrap();
    let mut avatar = engine.open_avatar(&demo.avatar).unwrap();
    avatar.push(&pcm).unwrap();
    avatar.finish().unwrap();
    let mut lines = String::new();
    while let Some(frame) = avatar.next_frame().unwrap() {
        let sound: Vec<u8> = frame.audio().iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let (pixels, sound) = (crc32fast::hash(frame.pixels()), crc32fast::hash(&sound));
        writeln!(lines, "{} {pixels:08x} {sound:08x}", frame.utterance_frame()).unwrap();
    }
    lines
}

fn native(demo: &Demo, compiler: Option<PathBuf>, file: &str, standard: &str) -> Option<String> {
    let program = scratch(&format!("sentence-{file}")).join("same");
    compile(&compiler?, &sources().join("sentence").join(file), &[standard, "-O2"], &program);
    let mut command = Command::new(program);
    Some(said(&succeeds(command.args(demo.words()).env("ORT_DYLIB_PATH", runtime()))))
}

fn csharp(demo: &Demo) -> Option<String> {
    if !musetalk_unity::mono() {
        return None;
    }
    let folder = scratch("sentence-csharp");
    let (core, program) = (folder.join("MuseTalk.dll"), folder.join("Same.exe"));
    musetalk_unity::compile(&core, &[musetalk_unity::home().join("com.musetalk.core/Runtime")], &[]).unwrap();
    musetalk_unity::compile(&program, &[sources().join("sentence/csharp")], &[core]).unwrap();
    let words = demo.words().map(|word| word.to_str().unwrap());
    Some(musetalk_unity::run(&program, &built(), &runtime(), &words).unwrap())
}

/// On the library of the `onnxruntime` package, which is where the wheel takes it from.
fn python(demo: &Demo) -> Option<String> {
    let (python, site) = python::python(&xtask::root().join("bindings/python"))?;
    let mut command = Command::new(python);
    command.arg(sources().join("sentence/same.py")).args(demo.words());
    command.env("PYTHONPATH", site).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("ORT_DYLIB_PATH");
    Some(said(&succeeds(&mut command)))
}

#[test]
fn the_same_sentence_everywhere() {
    let models = xtask::root().join("models/demo");
    let demo = Demo {
        pack: models.join("pack"),
        avatar: models.join("iris.avatar"),
        voice: models.join("voice.wav"),
    };
    musetalk_tests::runtime();
    let ours = rust(&demo);
    assert!(ours.lines().count() > 100, "a whole sentence");
    let theirs = [
        ("C", native(&demo, cc(), "same.c", "-std=c11")),
        ("C++", native(&demo, cxx(), "same.cc", "-std=c++17")),
        ("C#", csharp(&demo)),
        ("Python", python(&demo)),
    ];
    for (language, lines) in theirs {
        let Some(lines) = lines else {
            eprintln!("SKIPPED: {language}");
            continue;
        };
        let lines = lines.replace("\r\n", "\n");
        let differs = ours.lines().zip(lines.lines()).find(|(ours, theirs)| ours != theirs);
        assert_eq!(differs, None, "Rust and {language}");
        assert_eq!(ours.lines().count(), lines.lines().count(), "frames in {language}");
        println!("{language}: {} frames as in Rust", lines.lines().count());
    }
}
