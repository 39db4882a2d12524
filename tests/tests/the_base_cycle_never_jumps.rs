//! Across idle, speech and idle, neighbouring pictures differ by no more steps of the footage than time has passed.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::time::{Duration, Instant};

use musetalk_core::{AvatarOptions, Heard, UtteranceId};
use musetalk_tests::{babble, engine, person};

#[test]
fn across_idle_speech_pause_and_idle() {
    let mut avatar = engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap();
    let cycle = 2 * avatar.asset().frames();
    let speech = babble(1.0, 24_000, 11);
    let started = Instant::now();
    let mut last: Option<(u32, Instant)> = None;
    let mut sound: Option<(UtteranceId, Instant)> = None;
    let (mut spoken, mut idle, mut turns) = (0, 0, 0_u32);
    while started.elapsed() < Duration::from_millis(5_500) {
        // Every two seconds a new utterance; its sound starts when the face is ready, and once pauses in between.
        if started.elapsed() > Duration::from_secs(2) * turns && turns < 3 {
            avatar.push(&speech).unwrap();
            avatar.finish().unwrap();
            turns += 1;
        }
        if let Some(ready) = avatar.ready().unwrap().filter(|_| sound.is_none()) {
            sound = Some((ready.utterance, Instant::now()));
        }
        let heard = sound.map(|(utterance, since)| {
            let played = since.elapsed();
            let pause = Duration::from_millis(if utterance.get() == 2 { 300 } else { 0 });
            let played = if played > Duration::from_millis(400) {
                played.saturating_sub(pause).max(Duration::from_millis(400))
            } else {
                played
            };
            Heard { utterance, samples: played.as_millis() as u64 * 24 }
        });
        if heard.is_some_and(|heard| heard.samples >= speech.len() as u64) {
            sound = None;
        }
        if let Some(frame) = avatar.latest_at(heard).unwrap() {
            let now = Instant::now();
            if let Some((before, at)) = last.replace((frame.cycle_index(), now)) {
                let ahead = (frame.cycle_index() + cycle - before) % cycle;
                let steps = ahead.min(cycle - ahead);
                let allowed = (now - at).as_millis() as u32 / 40 + 1;
                assert!(steps <= allowed, "{steps} steps in {:?} at {:?}", now - at, started.elapsed());
            }
            if frame.utterance().is_some() { spoken += 1 } else { idle += 1 }
        }
        std::thread::sleep(Duration::from_millis(8));
    }
    assert!(spoken >= 60 && idle >= 40, "{spoken} spoken, {idle} idle");
}

#[test]
fn across_utterances_that_are_recorded_one_after_another() {
    let mut avatar = engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap();
    let cycle = 2 * avatar.asset().frames();
    for seed in 0..3 {
        avatar.push(&babble(0.7, 24_000, seed)).unwrap();
        avatar.finish().unwrap();
    }
    let mut expected = 0;
    for _ in 0..3 {
        while let Some(frame) = avatar.next_frame().unwrap() {
            assert_eq!(frame.cycle_index(), expected % cycle);
            expected += 1;
        }
    }
    assert_eq!(expected, 3 * 18);
}
