//! In silence, hum and soft noise no network runs and the picture is the footage; and a frame says exactly where it differs.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::f32::consts::TAU;

use musetalk_core::{Avatar, AvatarOptions, Frame, PixelFormat};
use musetalk_tests::{Noise, babble, engine, person, silence};

const RATE: u32 = 24_000;

fn open(format: PixelFormat) -> Avatar {
    let mut options = AvatarOptions::default();
    options.format = format;
    engine().start_avatar(person(engine()), options).unwrap()
}

/// The sound at this mean square level, in dB below full scale.
fn at_level(mut pcm: Vec<f32>, level: f32) -> Vec<f32> {
    let mean = pcm.iter().map(|v| v * v).sum::<f32>() / pcm.len() as f32;
    let gain = (10_f32.powf(level / 10.0) / mean).sqrt();
    pcm.iter_mut().for_each(|value| *value *= gain);
    pcm
}

fn hum(seconds: f32, hertz: f32) -> Vec<f32> {
    let wave = |n: usize| {
        let turn = TAU * hertz * n as f32 / RATE as f32;
        (1..8).map(|k| (turn * k as f32).sin() / k as f32).sum()
    };
    (0..(seconds * RATE as f32) as usize).map(wave).collect()
}

fn white(seconds: f32) -> Vec<f32> {
    let mut noise = Noise::new(3);
    (0..(seconds * RATE as f32) as usize).map(|_| noise.sample()).collect()
}

#[test]
fn silence_hum_and_soft_noise_show_the_footage() {
    let sounds = [
        ("silence", silence(10.0, RATE)),
        ("a hum of 50 Hz", at_level(hum(10.0, 50.0), -40.0)),
        ("a hum of 120 Hz", at_level(hum(10.0, 120.0), -40.0)),
        ("white noise", at_level(white(10.0), -40.0)),
    ];
    for (name, sound) in sounds {
        let mut avatar = open(PixelFormat::Rgb8);
        avatar.push(&sound).unwrap();
        avatar.finish().unwrap();
        let mut count = 0;
        while let Some(frame) = avatar.next_frame().unwrap() {
            assert_eq!(frame.region().width, 0, "{name}, frame {count}");
            assert!(
                *frame.pixels() == *avatar.asset().base_frame(frame.cycle_index()).unwrap(),
                "{name}, frame {count}"
            );
            count += 1;
        }
        let stats = avatar.stats();
        assert_eq!((stats.made, stats.still), (0, count), "{name}");
        assert_eq!((stats.hear.calls, stats.generate.calls, stats.decode.calls), (0, 0, 0), "{name}");
        assert_eq!(count, 250, "{name}");
    }
}

#[test]
fn idle_needs_no_network_however_it_is_read() {
    let mut avatar = open(PixelFormat::Rgb8);
    for _ in 0..50 {
        let frame = avatar.paced().unwrap();
        assert!(*frame.pixels() == *avatar.asset().base_frame(frame.cycle_index()).unwrap());
        assert!(frame.audio().iter().all(|&sample| sample == 0.0));
    }
    assert_eq!(avatar.stats().made, 0);
}

/// Every pixel outside the frame's region is that of the base frame; whether one inside differs.
fn differs_inside_only(frame: &Frame, base: &[u8]) -> bool {
    let (region, bytes) = (frame.region(), frame.format().bytes());
    let order = match frame.format() {
        PixelFormat::Bgra8 => [2, 1, 0],
        _ => [0, 1, 2],
    };
    assert!(region.x + region.width <= frame.width() && region.y + region.height <= frame.height());
    let mut differs = false;
    for (at, (pixel, base)) in frame.pixels().chunks_exact(bytes).zip(base.chunks_exact(3)).enumerate() {
        let (x, y) = (at as u32 % frame.width(), at as u32 / frame.width());
        let inside = (region.x..region.x + region.width).contains(&x)
            && (region.y..region.y + region.height).contains(&y);
        let same = (0..3).all(|channel| pixel[channel] == base[order[channel]]);
        assert!(same || inside, "pixel {x},{y} of frame {} differs outside {region:?}", frame.index());
        assert!(bytes == 3 || pixel[3] == 255);
        differs |= !same;
    }
    differs
}

#[test]
fn a_frame_differs_from_the_footage_only_in_its_region_in_every_format() {
    let speech = babble(3.0, RATE, 12);
    let mut all: Vec<Vec<Vec<u8>>> = Vec::new();
    for format in [PixelFormat::Rgb8, PixelFormat::Rgba8, PixelFormat::Bgra8] {
        let mut avatar = open(format);
        avatar.push(&speech).unwrap();
        avatar.finish().unwrap();
        let mut frames = Vec::new();
        let mut differing = 0;
        while let Some(frame) = avatar.next_frame().unwrap() {
            assert_eq!(frame.format(), format);
            assert_eq!(frame.stride() * frame.height() as usize, frame.pixels().len());
            differing += u32::from(differs_inside_only(
                &frame,
                &avatar.asset().base_frame(frame.cycle_index()).unwrap(),
            ));
            // Back to RGB, so that all three can be compared.
            let rgb = frame.pixels().chunks_exact(format.bytes()).flat_map(|p| match format {
                PixelFormat::Bgra8 => [p[2], p[1], p[0]],
                _ => [p[0], p[1], p[2]],
            });
            frames.push(rgb.collect());
        }
        assert!(differing > 40, "{differing} frames spoke");
        all.push(frames);
    }
    assert!(all[0] == all[1], "RGBA8 is RGB8 with an alpha");
    assert!(all[0] == all[2], "BGRA8 is RGB8 in another order");
}

#[test]
fn closing_mouths_keep_to_their_region_too() {
    let mut avatar = open(PixelFormat::Rgb8);
    let interrupter = avatar.interrupter();
    avatar.push(&babble(1.9, RATE, 13)).unwrap();
    let mut spoken = 0;
    while spoken < 10 {
        let frame = avatar.paced().unwrap();
        spoken += u32::from(frame.utterance().is_some());
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    interrupter.interrupt();
    let mut closing = 0;
    for _ in 0..10 {
        let frame = avatar.paced().unwrap();
        closing += u32::from(frame.region().width > 0);
        differs_inside_only(&frame, &avatar.asset().base_frame(frame.cycle_index()).unwrap());
    }
    assert!((1..=4).contains(&closing), "{closing} pictures closed the mouth");
}
