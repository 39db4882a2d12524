//! A clip that is asked for comes where the footage turns or an utterance begins, never inside one; neighbouring pictures are one step
//! apart, and where a clip changes the one before fades.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::path::Path;
use std::sync::OnceLock;

use musetalk_core::{Avatar, AvatarOptions, ErrorKind, Frame};
use musetalk_tests::{babble, engine, scratch, write_clips};
use proptest::prelude::*;

const CLIPS: [(&str, usize); 3] = [("idle", 9), ("listening", 5), ("still", 1)];

fn open(preload: u64) -> Avatar {
    static FILE: OnceLock<std::path::PathBuf> = OnceLock::new();
    let path: &Path = FILE.get_or_init(|| write_clips(&scratch("clips"), &CLIPS, false, false));
    let mut options = AvatarOptions::default();
    options.preload_limit = preload;
    engine().open_avatar_with(path, options).unwrap()
}

/// The first position of a clip, and how many it has.
fn positions(clip: usize) -> (u32, u32) {
    let first: usize = CLIPS[..clip].iter().map(|(_, frames)| frames).sum();
    (2 * first as u32, 2 * CLIPS[clip].1 as u32)
}

/// Mean difference of two pictures.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn names_are_known_and_others_refused() {
    let avatar = open(0);
    let names: Vec<&str> = avatar.asset().clips().iter().map(|clip| clip.name()).collect();
    assert_eq!(names, ["idle", "listening", "still"]);
    let error = avatar.director().request_clip("dancing").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    for word in ["dancing", "idle", "listening", "still"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn while_idle_it_comes_where_the_footage_turns_and_softly() {
    for preload in [0, u64::MAX] {
        let mut avatar = open(preload);
        let director = avatar.director();
        let mut frames: Vec<(usize, u32, Vec<u8>)> = Vec::new();
        for call in 0..60 {
            match call {
                4 => director.request_clip("listening").unwrap(),
                30 => director.request_clip("idle").unwrap(),
                _ => {}
            }
            let frame = avatar.paced().unwrap();
            frames.push((frame.clip(), frame.cycle_index(), frame.pixels().to_vec()));
        }
        let cuts: Vec<usize> = (1..60).filter(|&at| frames[at].0 != frames[at - 1].0).collect();
        assert_eq!(cuts.len(), 2, "preload {preload}");
        // Frames 0 to 8, then the other clip from its start; back at one of its turns.
        assert_eq!((cuts[0], frames[8].1, frames[9].1), (9, 8, positions(1).0));
        let left = frames[cuts[1] - 1].1 - positions(1).0;
        assert!(left == 4 || left == 9, "left at {left}");
        assert_eq!(frames[cuts[1]].1, 0);
        for cut in cuts {
            let base = |at: usize| avatar.asset().base_frame(frames[at].1).unwrap().into_owned();
            for at in cut..cut + 6 {
                // A seventh of the way from the picture before the cut, and the movement of the clip itself.
                let hard = difference(&frames[cut - 1].2, &base(at));
                let step = difference(&frames[at - 1].2, &frames[at].2);
                let steps = difference(&base(at - 1), &base(at));
                let allowed = if at == cut { hard / 5.0 } else { steps + hard / 5.0 };
                assert!(step < allowed + 2.0, "{step} at {at}, hard {hard}");
            }
            assert!(frames[cut + 7].2 == base(cut + 7), "the fade is over");
        }
    }
}

#[test]
fn an_utterance_keeps_its_clip_and_the_next_begins_in_the_one_asked_for() {
    let mut avatar = open(u64::MAX);
    let director = avatar.director();
    let mut clips = Vec::new();
    for seed in 0..2 {
        avatar.push(&babble(1.0, 24_000, seed)).unwrap();
        avatar.finish().unwrap();
        let mut of_utterance = Vec::new();
        while let Some(frame) = avatar.next_frame().unwrap() {
            if frame.utterance_frame() == 3 {
                director.request_clip("listening").unwrap();
            }
            of_utterance.push((frame.clip(), frame.cycle_index()));
        }
        clips.push(of_utterance);
    }
    assert_eq!(clips[0].len(), 25);
    assert!(clips[0].iter().all(|(clip, _)| *clip == 0));
    assert!(clips[1].iter().all(|(clip, _)| *clip == 1));
    assert_eq!(clips[1][0].1, positions(1).0);
}

/// What may stand after a picture: a step in its clip, or the start of another where this one turns or speech begins.
fn check(before: &Frame, after: &Frame) {
    let (first, cycle) = positions(before.clip());
    let place = before.cycle_index() - first;
    if before.clip() == after.clip() {
        let ahead = (after.cycle_index() - first + cycle - place) % cycle;
        assert!(ahead.min(cycle - ahead) <= 1, "from {} to {}", before.cycle_index(), after.cycle_index());
        return;
    }
    assert!(after.utterance().is_none() || after.utterance() != before.utterance(), "inside an utterance");
    assert!(positions(after.clip()).0.abs_diff(after.cycle_index()) <= 1, "a clip starts at its start");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_for_and_said(
        asked in proptest::collection::vec((0_usize..90, 0_usize..3), 0..6),
        said in proptest::collection::vec(0_usize..90, 0..3),
        preload in prop_oneof![Just(0), Just(u64::MAX)],
    ) {
        let mut avatar = open(preload);
        let director = avatar.director();
        let mut before: Option<Frame> = None;
        for call in 0..90 {
            for (_, clip) in asked.iter().filter(|(at, _)| *at == call) {
                director.request_clip(CLIPS[*clip].0).unwrap();
            }
            if said.contains(&call) {
                avatar.push(&babble(0.4, 24_000, call as u64)).unwrap();
                avatar.finish().unwrap();
            }
            let frame = avatar.paced().unwrap();
            if let Some(before) = &before {
                check(before, &frame);
            }
            before = Some(frame);
        }
    }
}
