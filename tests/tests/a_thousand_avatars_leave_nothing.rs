//! Opening and dropping a thousand avatars leaves no memory, no thread and no file behind. In a process of its own: others would be counted.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use musetalk_core::AvatarOptions;

/// What is left of one avatar may not come to this, in KiB for a thousand. One has about half a megabyte of its own.
const MOST_KIB: u64 = 2048;

#[derive(Debug)]
struct Held {
    kib: u64,
    threads: usize,
    files: usize,
}

fn now() -> Held {
    // Threads end a moment after they are told to.
    std::thread::sleep(Duration::from_millis(200));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let entries = |folder: &str| fs::read_dir(folder).unwrap().count();
    Held {
        kib: resident.split_whitespace().next().unwrap().parse().unwrap(),
        threads: entries("/proc/self/task"),
        files: entries("/proc/self/fd"),
    }
}

/// Every third is dropped with a frame still lent, every third in halves, and none has said all that it was told to say.
fn live(asset: &Path, round: usize) {
    let mut options = AvatarOptions::default();
    options.buffer_seconds = 1;
    let mut avatar = musetalk_tests::engine().open_avatar_with(asset, options).unwrap();
    avatar.push(&[0.1; 4800]).unwrap();
    avatar.finish().unwrap();
    match round % 3 {
        0 => {
            let frame = avatar.next_frame().unwrap();
            drop(avatar);
            drop(frame);
        }
        1 => {
            let (ears, mut face) = avatar.split();
            drop(ears);
            face.paced().unwrap();
        }
        _ => drop(avatar.latest_at(None).unwrap()),
    }
}

#[test]
fn memory_threads_and_files_are_those_of_before() {
    let asset = musetalk_tests::write_person(musetalk_tests::engine(), &musetalk_tests::scratch("thousand"));
    // The allocators fill their arenas first.
    (0..200).for_each(|round| live(&asset, round));
    let before = now();
    // What leaks grows every time; what an allocator keeps, does not.
    let grown = (0..3).all(|_| {
        let start = now();
        (0..1000).for_each(|round| live(&asset, round));
        let after = now();
        println!("a thousand avatars: {start:?}, then {after:?}");
        assert!(after.threads <= before.threads && after.files <= before.files, "{before:?}, then {after:?}");
        after.kib > start.kib + MOST_KIB
    });
    assert!(!grown, "memory grows with every thousand");
}
