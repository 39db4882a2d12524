//! What a call costs in C, C# and Python beside the same call in Rust, against a bound for each: `cargo xtask check cost`. A figure needs a quiet
//! machine, so plain `cargo test` passes over it.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

#[path = "../../bindings/python/tests/support/mod.rs"]
mod python;

use std::process::Command;
use std::time::{Duration, Instant};

use musetalk_core::AvatarOptions;
use support::{built, cc, compile, runtime, said, scratch, sources, succeeds, tiny, with_tiny};

const ROUNDS: usize = 4000;
/// 20 ms at 24 kHz.
const CHUNK: usize = 480;
/// What is called, in the order of the figures of every language. Pictures are lent, and not one byte of them is copied.
const CALLS: [&str; 5] = [
    "push of 480 samples",
    "latest, nothing new",
    "picture lent and returned",
    "push of 480 samples as int16",
    "picture as an array",
];

/// Half of the calls that give a time take less, in nanoseconds.
fn median(mut call: impl FnMut() -> Option<Duration>) -> i64 {
    let mut taken: Vec<Duration> = std::iter::from_fn(|| {
        loop {
            if let Some(time) = call() {
                return Some(time);
            }
        }
    })
    .take(ROUNDS)
    .collect();
    taken.sort();
    taken[ROUNDS / 2].as_nanos() as i64
}

fn numbers(text: &str) -> Vec<i64> {
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

fn rust() -> Vec<i64> {
    let (_, asset) = tiny();
    let open = || musetalk_tests::engine().open_avatar_with(&asset, AvatarOptions::default()).unwrap();
    let timed = |start: Instant| Some(start.elapsed());
    let mut avatar = open();
    let push = median(|| {
        let start = Instant::now();
        avatar.push(&[0.0; CHUNK]).unwrap();
        timed(start)
    });
    let mut avatar = open();
    let latest = median(|| {
        let start = Instant::now();
        let frame = avatar.latest_at(None).unwrap();
        timed(start).filter(|_| frame.is_none())
    });
    let lent = median(|| {
        let start = Instant::now();
        drop(avatar.paced().unwrap());
        timed(start)
    });
    // Rust pushes floats, and has the pixels where they are.
    vec![push, latest, lent, push, 0]
}

fn c() -> Option<Vec<i64>> {
    let cc = cc()?;
    let program = scratch("cost").join("cost");
    compile(&cc, &sources().join("c/cost.c"), &["-std=c11", "-D_GNU_SOURCE", "-O2"], &program);
    Some(numbers(&said(&succeeds(&mut with_tiny(&program)))))
}

fn csharp() -> Option<Vec<i64>> {
    if !musetalk_unity::mono() {
        return None;
    }
    let folder = scratch("cost-csharp");
    let (core, program) = (folder.join("MuseTalk.dll"), folder.join("Cost.exe"));
    let home = musetalk_unity::home();
    musetalk_unity::compile(&core, &[home.join("com.musetalk.core/Runtime")], &[]).unwrap();
    musetalk_unity::compile(&program, &[home.join("tests/cs")], &[core]).unwrap();
    let (pack, asset) = tiny();
    let words = ["nanoseconds", pack.to_str().unwrap(), asset.to_str().unwrap()];
    Some(numbers(&musetalk_unity::run(&program, &built(), &runtime(), &words).unwrap()))
}

fn python() -> Option<Vec<i64>> {
    let home = xtask::root().join("bindings/python");
    let (python, site) = python::python(&home)?;
    let (pack, asset) = tiny();
    let mut command = Command::new(python);
    command.arg(home.join("bench/door.py")).args([pack, asset]);
    command.env("PYTHONPATH", site).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("ORT_DYLIB_PATH");
    Some(numbers(&said(&succeeds(&mut command))))
}

#[test]
#[ignore = "needs a quiet machine"]
fn a_call_in_every_language() {
    let rust = rust();
    println!("| call | language | Rust | there | more | bound | |\n|---|---|---|---|---|---|---|");
    let mut missed = Vec::new();
    for (language, bound, figures) in
        [("C", 5_000, c()), ("C#", 10_000, csharp()), ("Python", 20_000, python())]
    {
        let Some(figures) = figures else {
            missed.push(format!("{language} was not measured: its tools are missing"));
            continue;
        };
        assert!((3..=CALLS.len()).contains(&figures.len()), "{language}: {figures:?}");
        for ((call, rust), there) in CALLS.iter().zip(&rust).zip(&figures) {
            let more = there - rust;
            let verdict = if more <= bound { "kept" } else { "MISSED" };
            println!("| {call} | {language} | {rust} ns | {there} ns | {more} ns | {bound} ns | {verdict} |");
            if more > bound {
                missed.push(format!("{call} in {language}: {more} ns more than in Rust, of {bound}"));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
