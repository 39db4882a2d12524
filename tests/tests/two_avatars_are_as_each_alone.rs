//! Two avatars that speak at once give the same frames as each alone; batches of several differ by a rounding at most.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use musetalk_core::{Avatar, AvatarOptions, Device, Engine};
use musetalk_tests::{babble, engine, person, tiny_pack};

fn open(engine: &Engine, seed: u64) -> Avatar {
    let mut avatar = engine.start_avatar(person(engine), AvatarOptions::default()).unwrap();
    avatar.push(&babble(3.0, 24_000, seed)).unwrap();
    avatar.finish().unwrap();
    avatar
}

fn read(mut avatar: Avatar) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| avatar.next_frame().unwrap().map(|frame| frame.pixels().to_vec())).collect()
}

fn together(engine: &Engine, seeds: &[u64]) -> Vec<Vec<Vec<u8>>> {
    let avatars: Vec<Avatar> = seeds.iter().map(|&seed| open(engine, seed)).collect();
    let readers: Vec<_> =
        avatars.into_iter().map(|avatar| std::thread::spawn(move || read(avatar))).collect();
    readers.into_iter().map(|reader| reader.join().unwrap()).collect()
}

#[test]
fn on_the_cpu_bit_for_bit() {
    let alone: Vec<_> = [21, 22].into_iter().map(|seed| read(open(engine(), seed))).collect();
    assert!(alone[0] != alone[1]);
    assert!(together(engine(), &[21, 22]) == alone);
}

#[test]
fn in_batches_of_four_within_one_of_255() {
    let seeds = [31, 32, 33, 34];
    let alone: Vec<_> = seeds.into_iter().map(|seed| read(open(engine(), seed))).collect();
    let batching = Engine::builder(tiny_pack()).device(Device::Cpu).threads(1).max_batch(4).build().unwrap();
    let batched = together(&batching, &seeds);
    for (alone, batched) in alone.iter().flatten().zip(batched.iter().flatten()) {
        let largest = alone.iter().zip(batched).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(largest <= Some(1), "a value differs by {largest:?}");
    }
}

#[test]
fn a_reader_who_stops_does_not_stop_another() {
    let stopped = open(engine(), 41);
    assert_eq!(read(open(engine(), 42)).len(), 75);
    assert_eq!(read(stopped).len(), 75);
}
