//! What the library costs around the networks, through its public API, with a pack that makes a frame in under a millisecond.

#![allow(missing_docs, reason = "criterion's macros make functions without any")]
#![allow(clippy::unwrap_used, reason = "a bench fails by unwrapping")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use musetalk_core::{Avatar, AvatarOptions, Heard, UtteranceId};
use musetalk_tests::{babble, engine, person};

const RATE: u32 = 24_000;

fn open() -> Avatar {
    engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap()
}

/// An avatar in the middle of speech: its sound may start.
fn speaking() -> (Avatar, UtteranceId) {
    let mut avatar = open();
    let utterance = avatar.begin().unwrap();
    avatar.push(&babble(20.0, RATE, 1)).unwrap();
    while avatar.ready().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    (avatar, utterance)
}

fn push(c: &mut Criterion) {
    let chunk = babble(0.02, RATE, 1);
    c.bench_function("push 20 ms", |b| {
        // One avatar holds 120 s: a batch of 64 pushes stays far below.
        b.iter_batched_ref(
            || (open(), Vec::from([&chunk; 64])),
            |(avatar, chunks)| chunks.iter().for_each(|chunk| avatar.push(black_box(chunk)).unwrap()),
            BatchSize::PerIteration,
        );
    });
}

fn latest_at(c: &mut Criterion) {
    let mut group = c.benchmark_group("latest_at");
    let mut avatar = open();
    group.bench_function("idle", |b| b.iter(|| black_box(avatar.latest_at(None).unwrap())));
    let mut turns = 0;
    group.bench_function("speaking", |b| {
        b.iter_custom(|count| {
            // Each look asks for the next frame, which is there: what is measured is the look, not the wait.
            let mut spent = Duration::ZERO;
            let mut left = count;
            while left > 0 {
                let (mut avatar, utterance) = speaking();
                turns += 1;
                for frame in 0..left.min(400) {
                    let heard = Heard { utterance, samples: frame * u64::from(RATE) / 25 };
                    while avatar.ready().unwrap().is_some_and(|ready| ready.samples <= heard.samples) {
                        std::thread::yield_now();
                    }
                    let started = Instant::now();
                    black_box(avatar.latest_at(Some(heard)).unwrap());
                    spent += started.elapsed();
                    left -= 1;
                }
            }
            spent
        });
    });
    group.finish();
    assert!(turns > 0, "something was measured");
}

fn next_frame(c: &mut Criterion) {
    let mut group = c.benchmark_group("record");
    let speech = babble(2.0, RATE, 1);
    group.throughput(Throughput::Elements(50));
    group.sample_size(20);
    group.bench_function("50 frames", |b| {
        b.iter_batched_ref(
            open,
            |avatar| {
                avatar.push(&speech).unwrap();
                avatar.finish().unwrap();
                while let Some(frame) = avatar.next_frame().unwrap() {
                    black_box(frame.pixels());
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn opening(c: &mut Criterion) {
    c.bench_function("open an avatar", |b| b.iter_batched(|| (), |()| open(), BatchSize::PerIteration));
}

criterion_group!(benches, push, latest_at, next_frame, opening);
criterion_main!(benches);
