//! The tiny checkpoint becomes a pack quickly, its pictures use the whole range of a byte, and the sound changes them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;
#[path = "support/tensors.rs"]
mod tensors;

use support::{Folder, build, session, tiny};
use tensors::{Case, run};

/// A wave that is nobody's voice, the same on every machine.
fn wave(shape: &[usize], pace: f32) -> Case {
    let count = shape.iter().product::<usize>();
    Case { shape: shape.to_vec(), values: (0..count).map(|i| (i as f32 * pace).sin()).collect() }
}

#[test]
fn a_frame_uses_the_whole_range_and_listens() {
    let folder = Folder::new();
    let pack = folder.join("tiny.pack");
    build(&tiny(&folder), &pack).unwrap();
    let mut ears = session(&pack.join("audio_encoder.onnx"));
    let mut generator = session(&pack.join("generator.onnx"));
    let mut decoder = session(&pack.join("decoder.onnx"));
    let mut encoder = session(&pack.join("encoder.onnx"));
    let face = run(&mut encoder, &[("image", &wave(&[1, 3, 32, 32], 0.05))]);
    let latent = Case { shape: vec![1, 8, 8, 8], values: [face.values.clone(), face.values].concat() };
    let pictures: Vec<Case> = [0.9, 0.31]
        .map(|pace| {
            let states = run(&mut ears, &[("mel", &wave(&[1, 80, 500], pace))]);
            let audio = Case { shape: vec![1, 30, 16], values: states.values[100 * 48..110 * 48].to_vec() };
            let prediction = run(&mut generator, &[("latent", &latent), ("audio", &audio)]);
            run(&mut decoder, &[("latent", &prediction)])
        })
        .into();
    assert_eq!(pictures[0].shape, [1, 32, 32, 3]);
    let mut sorted = pictures[0].values.clone();
    sorted.sort_by(f32::total_cmp);
    let (low, high) = (sorted[sorted.len() / 20], sorted[sorted.len() * 19 / 20]);
    println!("a twentieth of the bytes is below {low}, a twentieth above {high}");
    assert!(low < 40.0 && high > 215.0, "{low} {high}");
    let pairs = pictures[0].values.iter().zip(&pictures[1].values);
    let change = pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / sorted.len() as f32;
    println!("another sound changes a byte by {change} on average");
    assert!(change > 5.0, "{change}");
}

#[test]
fn equal_seeds_give_equal_packs() {
    let (one, two) = (Folder::new(), Folder::new());
    for folder in [&one, &two] {
        build(&tiny(folder), &folder.join("tiny.pack")).unwrap();
    }
    for name in ["pack.json", "generator.onnx"] {
        let read = |folder: &Folder| std::fs::read(folder.join("tiny.pack").join(name)).unwrap();
        assert!(read(&one) == read(&two), "{name}");
    }
}
