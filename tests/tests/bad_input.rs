//! Bad input to a session gets an error of the right kind that names the argument; nothing is taken and nothing is lost.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::time::Duration;

use musetalk_core::{Avatar, AvatarOptions, Device, Engine, Error, ErrorKind, Frame, FrameRate};
use musetalk_tests::{babble, engine, person, tiny_pack};

fn options(change: impl FnOnce(&mut AvatarOptions)) -> AvatarOptions {
    let mut options = AvatarOptions::default();
    change(&mut options);
    options
}

fn open(change: impl FnOnce(&mut AvatarOptions)) -> Avatar {
    engine().start_avatar(person(engine()), options(change)).unwrap()
}

#[track_caller]
fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error:?} does not say {word:?}");
    }
}

#[test]
fn samples_that_are_no_numbers_are_named_by_their_index() {
    let mut avatar = open(|_| {});
    let speech = babble(0.4, 24_000, 1);
    avatar.push(&speech[..5000]).unwrap();
    for (index, value) in [(0, f32::NAN), (1, f32::INFINITY), (700, f32::NEG_INFINITY), (999, f32::NAN)] {
        let mut bad = vec![0.5; 1000];
        bad[index] = value;
        let error = avatar.push(&bad).unwrap_err();
        says(&error, ErrorKind::InvalidInput, &[&format!("pcm[{index}]"), &value.to_string()]);
    }
    says(&avatar.push(&[]).unwrap_err(), ErrorKind::InvalidInput, &["pcm", "empty"]);
    avatar.push(&speech[5000..]).unwrap();
    avatar.finish().unwrap();
    assert_eq!(audio(&mut avatar), speech, "what was refused left no trace");
}

#[test]
fn a_refused_push_begins_no_utterance() {
    let mut avatar = open(|_| {});
    assert!(avatar.push(&[f32::NAN]).is_err());
    assert!(avatar.push(&[]).is_err());
    assert_eq!(avatar.begin().unwrap().get(), 1);
}

#[test]
fn samples_beyond_full_scale_are_speech_like_any() {
    let mut avatar = open(|_| {});
    let loud: Vec<f32> =
        babble(0.5, 24_000, 2).iter().map(|v| v * 1e30).chain([f32::MAX, f32::MIN]).collect();
    avatar.push(&loud).unwrap();
    avatar.finish().unwrap();
    assert_eq!(audio(&mut avatar).len(), loud.len());
}

fn audio(avatar: &mut Avatar) -> Vec<f32> {
    let mut heard = Vec::new();
    while let Some(frame) = avatar.next_frame().unwrap() {
        heard.extend_from_slice(frame.audio());
    }
    heard
}

#[test]
fn options_out_of_range_are_named_with_their_value_and_range() {
    let refused = |change: &dyn Fn(&mut AvatarOptions)| {
        engine().start_avatar(person(engine()), options(change)).unwrap_err()
    };
    for rate in [0, 1, 7_999, 192_001, u32::MAX] {
        says(
            &refused(&|o| o.sample_rate = rate),
            ErrorKind::InvalidInput,
            &["sample_rate", &rate.to_string()],
        );
        assert_eq!(engine().look_ahead(rate).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    for frames in [0, 3, 1_001, usize::MAX] {
        let error = refused(&|o| o.frames_ahead = frames);
        says(&error, ErrorKind::InvalidInput, &["frames_ahead", &frames.to_string(), "4 to 1000"]);
    }
    for frames in [0, 1_001, usize::MAX] {
        let error = refused(&|o| o.frames_lent = frames);
        says(&error, ErrorKind::InvalidInput, &["frames_lent", &frames.to_string(), "1 to 1000"]);
    }
    for seconds in [0, 3_601, u32::MAX] {
        let error = refused(&|o| o.buffer_seconds = seconds);
        says(&error, ErrorKind::InvalidInput, &["buffer_seconds", &seconds.to_string(), "1 to 3600"]);
    }
    for threads in [0, 257, usize::MAX] {
        let error = Engine::builder(tiny_pack()).threads(threads).build().unwrap_err();
        says(&error, ErrorKind::InvalidInput, &["threads", &threads.to_string()]);
    }
    for frames in [0, 65] {
        let error = Engine::builder(tiny_pack()).max_batch(frames).build().unwrap_err();
        says(&error, ErrorKind::InvalidInput, &["max_batch", &frames.to_string()]);
    }
    for (numerator, denominator) in [(0, 1), (25, 0), (u32::MAX, 1), (1, u32::MAX)] {
        let error = FrameRate::new(numerator, denominator).unwrap_err();
        says(&error, ErrorKind::InvalidInput, &[&format!("{numerator}/{denominator}")]);
    }
    let error = Engine::builder(tiny_pack()).device(Device::Cuda(0)).build();
    if let Err(error) = error {
        assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::DeviceUnavailable), "{error}");
    }
    // No feature of this package puts Core ML into a build.
    let error = Engine::builder(tiny_pack()).device(Device::CoreMl).build().unwrap_err();
    says(&error, ErrorKind::Unsupported, &["coreml", "not in this build"]);
}

#[test]
fn a_full_buffer_takes_nothing_and_loses_nothing() {
    let mut avatar = open(|o| o.buffer_seconds = 1);
    let speech = babble(6.0, 24_000, 3);
    let error = avatar.push(&speech).unwrap_err();
    says(&error, ErrorKind::InvalidInput, &["pcm", "at most 24000", "in parts", "buffer_seconds"]);
    let (mut rest, mut heard, mut full) = (speech.as_slice(), Vec::new(), 0);
    while !rest.is_empty() {
        let chunk = &rest[..rest.len().min(5_000)];
        match avatar.push(chunk) {
            Ok(()) => rest = &rest[chunk.len()..],
            Err(error) => {
                says(&error, ErrorKind::BufferFull, &["no room"]);
                heard.extend_from_slice(avatar.next_frame().unwrap().unwrap().audio());
                full += 1;
            }
        }
    }
    avatar.finish().unwrap();
    heard.extend(audio(&mut avatar));
    assert!(full > 0, "it was never full");
    assert!(heard == speech);
}

#[test]
fn too_many_utterances_that_nobody_reads_are_refused_and_come_through_later() {
    let mut avatar = open(|_| {});
    let mut begun = 0;
    let error = loop {
        match avatar.begin() {
            Ok(utterance) => begun = utterance.get(),
            Err(error) => break error,
        }
        assert!(begun < 1_000_000, "begin is bounded");
        if begun > 10_000 {
            // The worker takes empty utterances away faster than they come: then there is nothing to refuse.
            return;
        }
    };
    says(&error, ErrorKind::BufferFull, &["begin"]);
    avatar.finish().unwrap();
    for _ in 0..begun {
        assert!(avatar.next_frame().unwrap().is_none());
    }
    assert_eq!(avatar.begin().unwrap().get(), begun + 1);
}

#[test]
fn frames_that_are_all_lent_out_are_missed_and_none_is_lost() {
    let mut avatar = open(|o| o.frames_lent = 2);
    let speech = babble(0.6, 24_000, 4);
    avatar.push(&speech).unwrap();
    avatar.finish().unwrap();
    let mut held: Vec<Frame> = Vec::new();
    let error = loop {
        match avatar.next_frame() {
            Ok(frame) => held.push(frame.unwrap()),
            Err(error) => break error,
        }
        assert!(held.len() < 10);
    };
    says(&error, ErrorKind::BufferFull, &["frames_lent"]);
    assert_eq!(held.len(), 2, "as many as were asked for");
    assert_eq!(avatar.next_frame().unwrap_err().kind(), ErrorKind::BufferFull);
    let next = held.len() as u64;
    drop(held.pop());
    assert_eq!(avatar.next_frame().unwrap().unwrap().utterance_frame(), next);
    drop(held);
    let mut rest = 1;
    while avatar.next_frame().unwrap().is_some() {
        rest += 1;
    }
    assert_eq!(next + rest, 15);
    // The other two ways of reading say the same, and go on after it.
    let held: Vec<Frame> = std::iter::from_fn(|| avatar.paced().ok()).take(10).collect();
    assert!((2..10).contains(&held.len()));
    assert_eq!(avatar.paced().unwrap_err().kind(), ErrorKind::BufferFull);
    assert_eq!(avatar.latest_at(None).unwrap_err().kind(), ErrorKind::BufferFull);
    drop(held);
    avatar.paced().unwrap();
}

#[test]
fn a_frame_outlives_its_avatar_and_engine_on_any_thread() {
    let own = Engine::builder(tiny_pack()).device(Device::Cpu).threads(1).build().unwrap();
    let mut avatar = own.start_avatar(person(engine()), AvatarOptions::default()).unwrap();
    drop(own);
    avatar.push(&babble(0.3, 24_000, 5)).unwrap();
    avatar.finish().unwrap();
    let first = avatar.next_frame().unwrap().unwrap();
    let pixels = first.pixels().to_vec();
    let second = avatar.next_frame().unwrap().unwrap();
    drop(avatar);
    std::thread::spawn(move || drop(second)).join().unwrap();
    assert!(first.pixels() == pixels);
}

#[test]
fn dropping_the_reader_closes_the_writer_at_once() {
    let (mut ears, face) = open(|_| {}).split();
    ears.push(&babble(0.3, 24_000, 6)).unwrap();
    drop(face);
    says(&ears.push(&[0.1]).unwrap_err(), ErrorKind::Closed, &["open another"]);
    assert_eq!(ears.finish().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(ears.begin().unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn dropping_the_writer_finishes_what_it_said() {
    // Often, because the writer may go at any point of the worker's round.
    for round in 0..40 {
        let (mut ears, mut face) = open(|_| {}).split();
        let speech = babble(0.1, 24_000, 7);
        ears.push(&speech).unwrap();
        let leaver = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(round * 50));
            drop(ears);
        });
        let mut heard = Vec::new();
        while let Some(frame) = face.next_frame().unwrap() {
            heard.extend_from_slice(frame.audio());
        }
        assert!(heard == speech);
        let error = face.next_frame().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        leaver.join().unwrap();
        // A live reader goes on showing the footage.
        face.latest_at(None).unwrap();
        face.paced().unwrap();
    }
}

#[test]
fn an_interruption_or_a_drop_wakes_a_reader_that_waits() {
    let (mut ears, mut face) = open(|_| {}).split();
    let interrupter = face.interrupter();
    ears.push(&babble(0.1, 24_000, 8)).unwrap();
    let waiting = std::thread::spawn(move || {
        while face.next_frame().unwrap().is_some() {}
        face.next_frame().unwrap_err().kind()
    });
    std::thread::sleep(Duration::from_millis(50));
    interrupter.interrupt();
    std::thread::sleep(Duration::from_millis(50));
    drop(ears);
    assert_eq!(waiting.join().unwrap(), ErrorKind::Closed);
    interrupter.interrupt();
}
