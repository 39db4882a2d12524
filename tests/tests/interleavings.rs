//! Begin, push, finish, interrupt and drop from three threads at once, against a running engine: nothing of a cut utterance
//! comes after the cut, every utterance ends, and nobody waits for ever.
//!
//! The orders that a machine seldom takes are tried by a scheduler in `musetalk-core/src/session/inbox/interleavings.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use musetalk_core::{AvatarOptions, ErrorKind, Heard, PcmWriter, UtteranceId};
use musetalk_tests::{Noise, babble, engine, person};

const TIME: Duration = Duration::from_millis(1_500);

/// Speaks, stops and goes on at random until the time is over; how many utterances there were.
fn speak(mut ears: PcmWriter, cut: &AtomicU64, seed: u64) -> u64 {
    let speech = babble(2.0, 24_000, seed);
    let mut noise = Noise::new(seed);
    let mut random =
        move |below: u32| ((noise.sample() + 1.0) / 2.0 * below as f32) as usize % below as usize;
    let (mut begun, mut open) = (0, false);
    let started = Instant::now();
    while started.elapsed() < TIME {
        let cut_before = cut.load(SeqCst);
        let dead = begun > 0 && begun <= cut_before;
        match random(12) {
            0 | 1 => match ears.begin() {
                Ok(utterance) => {
                    assert_eq!(utterance.get(), begun + 1);
                    (begun, open) = (utterance.get(), true);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::BufferFull),
            },
            2 => match ears.finish() {
                Ok(()) => {
                    assert!(!dead, "a cut utterance was finished");
                    open = false;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted),
            },
            _ => {
                let from = random(40_000);
                match ears.push(&speech[from..from + 1 + random(4_000)]) {
                    Ok(()) => {
                        assert!(!dead, "a cut utterance took samples");
                        if !open {
                            (begun, open) = (begun + 1, true);
                        }
                    }
                    Err(error) => {
                        assert!(
                            matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::BufferFull),
                            "{error}"
                        );
                    }
                }
            }
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    begun
}

/// Runs writer, interrupter and `read` on three threads; ends the process if they do not.
fn together(seed: u64, read: impl FnOnce(musetalk_core::FrameReader, &AtomicU64) -> u64 + Send + 'static) {
    let avatar = engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap();
    let interrupter = avatar.interrupter();
    let (ears, face) = avatar.split();
    let cut = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let speaker = {
        let cut = Arc::clone(&cut);
        std::thread::spawn(move || speak(ears, &cut, seed))
    };
    let cutter = {
        let (cut, over) = (Arc::clone(&cut), Arc::clone(&over));
        std::thread::spawn(move || {
            let mut noise = Noise::new(seed + 1);
            while !over.load(SeqCst) {
                let wait = ((noise.sample() + 1.0) * 30_000.0) as u64;
                std::thread::sleep(Duration::from_micros(wait));
                if noise.sample() > 0.0 {
                    cut.fetch_max(interrupter.interrupt().map_or(0, UtteranceId::get), SeqCst);
                } else {
                    // The last one known to be cut and the next: never more than that.
                    let through = UtteranceId::new(cut.load(SeqCst) + 1).unwrap();
                    interrupter.interrupt_through(through);
                }
            }
        })
    };
    let reader = {
        let cut = Arc::clone(&cut);
        std::thread::spawn(move || read(face, &cut))
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while !(reader.is_finished() && speaker.is_finished()) {
        assert!(Instant::now() < deadline, "somebody waits for ever");
        std::thread::sleep(Duration::from_millis(5));
    }
    over.store(true, SeqCst);
    cutter.join().unwrap();
    assert_eq!(reader.join().unwrap(), speaker.join().unwrap(), "every utterance that began has ended");
}

#[test]
fn while_recording() {
    for seed in [1, 2] {
        together(seed, |mut face, cut| {
            let mut ended = 0;
            let mut next = 0;
            loop {
                let cut_before = cut.load(SeqCst);
                match face.next_frame() {
                    Ok(Some(frame)) => {
                        let utterance = frame.utterance().unwrap().get();
                        assert!(utterance > cut_before, "{utterance} is shown, {cut_before} was cut");
                        assert_eq!(utterance, ended + 1);
                        assert_eq!(frame.utterance_frame(), next);
                        next += 1;
                    }
                    Ok(None) => {
                        ended += 1;
                        next = 0;
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Closed);
                        return ended;
                    }
                }
            }
        });
    }
}

#[test]
fn while_live() {
    let avatar = engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap();
    let interrupter = avatar.interrupter();
    let (ears, mut face) = avatar.split();
    let cut = Arc::new(AtomicU64::new(0));
    let speaker = {
        let cut = Arc::clone(&cut);
        std::thread::spawn(move || speak(ears, &cut, 3))
    };
    let mut playing: Option<(UtteranceId, Instant)> = None;
    let (mut shown, mut last) = (0, 0);
    let started = Instant::now();
    while started.elapsed() < TIME + Duration::from_millis(200) {
        if let Some(ready) = face.ready().unwrap()
            && playing.is_none_or(|(utterance, _)| utterance != ready.utterance)
        {
            playing = Some((ready.utterance, Instant::now()));
        }
        let heard = playing
            .map(|(utterance, since)| Heard { utterance, samples: since.elapsed().as_millis() as u64 * 24 });
        let cut_before = cut.load(SeqCst);
        if let Some(frame) = face.latest_at(heard).unwrap() {
            if let Some(utterance) = frame.utterance() {
                assert!(utterance.get() > cut_before, "{utterance:?} is shown, {cut_before} was cut");
                assert!(utterance.get() >= last, "utterances are shown in order");
                last = utterance.get();
            }
            shown += 1;
        }
        if shown % 20 == 19 {
            shown += 1;
            cut.fetch_max(interrupter.interrupt().map_or(0, UtteranceId::get), SeqCst);
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    assert!(shown > 20, "{shown} pictures");
    assert!(speaker.join().unwrap() > 5);
    drop(face);
    interrupter.interrupt();
}

#[test]
fn ends_that_are_dropped_at_any_moment() {
    for round in 0..60_u64 {
        let avatar = engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap();
        let interrupter = avatar.interrupter();
        let (mut ears, mut face) = avatar.split();
        let speaker = std::thread::spawn(move || {
            for chunk in babble(0.2, 24_000, round).chunks(300) {
                if let Err(error) = ears.push(chunk) {
                    assert!(matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Closed), "{error}");
                }
            }
        });
        let reader = std::thread::spawn(move || {
            let held = face.next_frame().ok().flatten();
            if round % 2 == 0 {
                while face.next_frame().is_ok() {}
            }
            drop(face);
            drop(held);
        });
        std::thread::sleep(Duration::from_micros(round * 37));
        interrupter.interrupt();
        speaker.join().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !reader.is_finished() {
            assert!(Instant::now() < deadline, "round {round}: the reader waits for ever");
            std::thread::sleep(Duration::from_millis(1));
        }
        reader.join().unwrap();
    }
}
