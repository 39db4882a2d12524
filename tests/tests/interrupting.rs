//! An interruption drops what was queued within one frame, closes the mouth over at most four, and refuses late chunks.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::time::{Duration, Instant};

use musetalk_core::{Avatar, AvatarOptions, ErrorKind, Frame, Heard, UtteranceId};
use musetalk_tests::{babble, engine, person};

fn open() -> Avatar {
    engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap()
}

/// Polls as a renderer would until `wanted`, or gives up after five seconds.
fn poll(avatar: &mut Avatar, heard: impl Fn() -> Option<Heard>, mut wanted: impl FnMut(Frame) -> bool) {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        if avatar.latest_at(heard()).unwrap().is_some_and(&mut wanted) {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("five seconds passed");
}

#[test]
fn the_mouth_closes_within_four_frames_and_the_footage_goes_on() {
    let mut avatar = open();
    let interrupter = avatar.interrupter();
    avatar.push(&babble(20.0, 24_000, 5)).unwrap();
    while avatar.ready().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let utterance = UtteranceId::new(1).unwrap();
    let sound = Instant::now();
    let heard = || Some(Heard { utterance, samples: sound.elapsed().as_millis() as u64 * 24 });
    let mut last = 0;
    poll(&mut avatar, heard, |frame| {
        last = frame.cycle_index();
        frame.utterance().is_some() && frame.region().width > 0 && frame.utterance_frame() >= 5
    });
    assert_eq!(interrupter.interrupt(), Some(utterance));
    assert_eq!(interrupter.interrupt(), None, "there is nothing left to cut");
    let cut = Instant::now();
    let mut closing = 0;
    poll(&mut avatar, heard, |frame| {
        assert_eq!(frame.utterance(), None, "nothing of the cut utterance is shown");
        let cycle = 2 * 10;
        assert!((frame.cycle_index() + cycle - last) % cycle <= 2, "the footage goes on from what was shown");
        last = frame.cycle_index();
        closing += 1;
        frame.region().width == 0
    });
    assert!(closing <= 5, "{closing} pictures until the mouth was closed");
    assert!(cut.elapsed() < Duration::from_millis(400), "{:?}", cut.elapsed());
}

#[test]
fn late_chunks_never_speak_and_the_next_utterance_does() {
    let mut avatar = open();
    let interrupter = avatar.interrupter();
    avatar.push(&babble(3.0, 24_000, 6)).unwrap();
    assert!(interrupter.interrupt().is_some());
    assert_eq!(avatar.push(&[0.1; 480]).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(avatar.finish().unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(avatar.begin().unwrap().get(), 2);
    avatar.push(&babble(0.5, 24_000, 7)).unwrap();
    avatar.finish().unwrap();
    assert!(avatar.next_frame().unwrap().is_none(), "a frame of the cut utterance came through");
    let mut frames = 0;
    while let Some(frame) = avatar.next_frame().unwrap() {
        assert_eq!(frame.utterance().unwrap().get(), 2);
        frames += 1;
    }
    assert_eq!(frames, 13);
}

#[test]
fn interrupting_through_one_utterance_spares_the_next() {
    let mut avatar = open();
    let interrupter = avatar.interrupter();
    let first = avatar.begin().unwrap();
    avatar.push(&babble(1.0, 24_000, 8)).unwrap();
    let second = avatar.begin().unwrap();
    avatar.push(&babble(1.0, 24_000, 9)).unwrap();
    avatar.finish().unwrap();
    interrupter.interrupt_through(first);
    let mut seen = Vec::new();
    for _ in 0..2 {
        while let Some(frame) = avatar.next_frame().unwrap() {
            seen.push(frame.utterance().unwrap());
        }
    }
    assert_eq!(seen, vec![second; 25]);
}

#[test]
fn an_interruption_that_names_the_future_cuts_only_what_has_begun() {
    let mut avatar = open();
    avatar.interrupter().interrupt_through(UtteranceId::new(9).unwrap());
    avatar.push(&babble(0.2, 24_000, 10)).unwrap();
    avatar.finish().unwrap();
    assert!(avatar.next_frame().unwrap().is_some());
}
