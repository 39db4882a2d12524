//! A call through the C door costs at most 5 µs more than the same call in Rust: `cargo xtask check cost`. A figure needs a quiet machine, so
//! plain `cargo test` passes over it.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::time::{Duration, Instant};

use musetalk_core::AvatarOptions;
use support::{cc, compile, said, scratch, sources, succeeds, tiny, with_tiny};

const ROUNDS: usize = 4000;
const MOST: i64 = 5_000;

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

#[test]
#[ignore = "needs a quiet machine"]
fn push_latest_and_a_lent_picture() {
    let Some(cc) = cc() else { return };
    let program = scratch("cost").join("cost");
    compile(&cc, &sources().join("c/cost.c"), &["-std=c11", "-D_GNU_SOURCE", "-O2"], &program);
    let c: Vec<i64> = said(&succeeds(&mut with_tiny(&program)))
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let (_, asset) = tiny();
    let open = || musetalk_tests::engine().open_avatar_with(&asset, AvatarOptions::default()).unwrap();
    let timed = |start: Instant| Some(start.elapsed());
    let mut avatar = open();
    let push = median(|| {
        let start = Instant::now();
        avatar.push(&[0.0; 24]).unwrap();
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
    println!("| call | Rust | C | more |\n|---|---|---|---|");
    for ((name, rust), c) in
        [("push", push), ("latest, nothing new", latest), ("picture lent and returned", lent)].iter().zip(&c)
    {
        println!("| {name} | {rust} ns | {c} ns | {} ns |", c - rust);
        assert!(c - rust <= MOST, "{name}: {c} ns in C, {rust} ns in Rust");
    }
}
