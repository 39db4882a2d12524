//! Any split of the same audio gives the same frames, bit for bit.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::sync::OnceLock;

use musetalk_core::{Avatar, AvatarOptions};
use musetalk_tests::{babble, engine, person};
use proptest::prelude::*;

type Picture = (Vec<u8>, Vec<f32>, u32);

fn open() -> Avatar {
    engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap()
}

fn speech() -> &'static [f32] {
    static SPEECH: OnceLock<Vec<f32>> = OnceLock::new();
    SPEECH.get_or_init(|| babble(7.3, 24_000, 1))
}

fn spoken(sizes: impl Iterator<Item = usize>) -> Vec<Picture> {
    let mut avatar = open();
    let mut rest = speech();
    for size in sizes {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        avatar.push(chunk).unwrap();
        rest = after;
    }
    assert!(rest.is_empty());
    avatar.finish().unwrap();
    read(avatar)
}

fn read(mut avatar: Avatar) -> Vec<Picture> {
    let mut frames = Vec::new();
    while let Some(frame) = avatar.next_frame().unwrap() {
        frames.push((frame.pixels().to_vec(), frame.audio().to_vec(), frame.cycle_index()));
    }
    frames
}

fn at_once() -> &'static [Picture] {
    static AT_ONCE: OnceLock<Vec<Picture>> = OnceLock::new();
    AT_ONCE.get_or_init(|| spoken([speech().len()].into_iter()))
}

#[test]
fn it_speaks() {
    let frames = at_once();
    assert_eq!(frames.len(), (speech().len() * 25).div_ceil(24_000));
    let still = frames.windows(2).filter(|pair| pair[0].0 == pair[1].0).count();
    assert!(still < frames.len() / 4, "{still} of {} frames equal the one before", frames.len());
}

#[test]
fn one_sample_at_a_time() {
    assert!(spoken(std::iter::repeat(1)) == at_once());
}

#[test]
fn pushed_while_it_is_read() {
    let avatar = open();
    let (mut ears, mut face) = avatar.split();
    let pusher = std::thread::spawn(move || {
        for chunk in speech().chunks(480) {
            ears.push(chunk).unwrap();
            std::thread::yield_now();
        }
        ears.finish().unwrap();
        ears
    });
    let mut frames = Vec::new();
    while let Some(frame) = face.next_frame().unwrap() {
        frames.push((frame.pixels().to_vec(), frame.audio().to_vec(), frame.cycle_index()));
    }
    assert!(frames == at_once());
    drop(pusher.join().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_split(sizes in prop::collection::vec(prop_oneof![1..64_usize, 64..4_000_usize, 4_000..100_000_usize], 1..40)) {
        prop_assert!(spoken(sizes.into_iter().cycle()) == at_once());
    }
}
