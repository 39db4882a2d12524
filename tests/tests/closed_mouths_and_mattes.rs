//! An avatar with closed mouths shows them whenever nobody speaks, without a seam to speech; one with a matte carries it in the fourth
//! byte; and footage that is decoded while it plays gives the same pictures as footage that is held.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::path::Path;

use musetalk_core::{Avatar, AvatarOptions, PixelFormat};
use musetalk_tests::{babble, engine, scratch, silence, write_clips};

fn open(path: &Path, format: PixelFormat, preload: u64) -> Avatar {
    let mut options = AvatarOptions::default();
    (options.format, options.preload_limit) = (format, preload);
    engine().open_avatar_with(path, options).unwrap()
}

/// Every picture of an utterance: with its presence of speech unknown, but in order.
fn record(avatar: &mut Avatar, speech: &[f32]) -> Vec<(u32, Vec<u8>)> {
    avatar.push(speech).unwrap();
    avatar.finish().unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = avatar.next_frame().unwrap() {
        frames.push((frame.cycle_index(), frame.pixels().to_vec()));
    }
    frames
}

#[test]
fn idle_and_silence_show_the_closed_mouth_and_speech_covers_it() {
    let folder = scratch("closed");
    let closed = write_clips(&folder, &[("idle", 10)], false, true);
    let open_mouthed = folder.join("open.avatar");
    let plain = write_clips(&scratch("plain"), &[("idle", 10)], false, false);
    std::fs::rename(plain, &open_mouthed).unwrap();
    let mut avatar = open(&closed, PixelFormat::Rgb8, u64::MAX);
    assert!(avatar.asset().has_closed_mouths());
    // Idle: inside the region another mouth, outside the footage.
    let frame = avatar.paced().unwrap();
    let region = frame.region();
    assert!(region.width > 0 && region.height > 0);
    let base = avatar.asset().base_frame(frame.cycle_index()).unwrap().into_owned();
    let mut changed = 0;
    for (at, (new, old)) in frame.pixels().chunks_exact(3).zip(base.chunks_exact(3)).enumerate() {
        let (x, y) = (at as u32 % frame.width(), at as u32 / frame.width());
        let inside = (region.x..region.x + region.width).contains(&x)
            && (region.y..region.y + region.height).contains(&y);
        assert!(inside || new == old, "{x}, {y} lies outside the region");
        changed += u32::from(new != old);
    }
    assert!(changed > region.width * region.height / 2, "{changed} pixels of {region:?}");
    // The same position in silence, which is speech without presence, is the same picture.
    let idle = frame.pixels().to_vec();
    let silent = record(&mut open(&closed, PixelFormat::Rgb8, u64::MAX), &silence(0.2, 24_000));
    assert!(silent[0].1 == idle, "silence is idle");
    // Where speech is fully present nothing of the closed mouth is left: the pictures are those of the plain avatar.
    let speech = babble(1.0, 24_000, 5);
    let over_closed = record(&mut open(&closed, PixelFormat::Rgb8, u64::MAX), &speech);
    let over_footage = record(&mut open(&open_mouthed, PixelFormat::Rgb8, u64::MAX), &speech);
    let equal = over_closed.iter().zip(&over_footage).filter(|(a, b)| a == b).count();
    assert!(equal >= 10 && equal < over_closed.len(), "{equal} of {} frames are equal", over_closed.len());
}

#[test]
fn a_matte_is_the_fourth_byte() {
    let path = write_clips(&scratch("matte"), &[("idle", 10)], true, true);
    let speech = babble(0.6, 24_000, 5);
    for preload in [0, u64::MAX] {
        let rgb = record(&mut open(&path, PixelFormat::Rgb8, preload), &speech);
        for (format, order) in [(PixelFormat::Rgba8, [0, 1, 2]), (PixelFormat::Bgra8, [2, 1, 0])] {
            let mut avatar = open(&path, format, preload);
            let wide = record(&mut avatar, &speech);
            assert_eq!(rgb.len(), wide.len());
            for ((cycle, rgb), (_, wide)) in rgb.iter().zip(&wide) {
                let mut base = vec![0; wide.len()];
                avatar.asset().copy_base_frame(*cycle, format, &mut base).unwrap();
                let pixels = rgb.chunks_exact(3).zip(wide.chunks_exact(4).zip(base.chunks_exact(4)));
                for (three, (four, base)) in pixels {
                    assert_eq!([three[order[0]], three[order[1]], three[order[2]]], four[..3], "{format:?}");
                    assert_eq!(four[3], base[3], "speech leaves the matte alone");
                }
                let mut levels: Vec<u8> = base.chunks_exact(4).map(|pixel| pixel[3]).collect();
                levels.sort_unstable();
                assert!(levels[0] < levels[levels.len() - 1], "the matte of the file, not 255 everywhere");
            }
        }
    }
}

#[test]
fn footage_decoded_while_it_plays_is_the_footage_that_is_held() {
    let path = write_clips(&scratch("ahead"), &[("idle", 10)], true, true);
    let speech = babble(2.0, 24_000, 9);
    for format in [PixelFormat::Rgb8, PixelFormat::Bgra8] {
        let held = record(&mut open(&path, format, u64::MAX), &speech);
        let ahead = record(&mut open(&path, format, 0), &speech);
        assert!(held == ahead, "in {format:?}");
    }
    // Also for a host that keeps every picture it may, and one that reads by the clock.
    let (mut one, mut other) = (open(&path, PixelFormat::Rgb8, 0), open(&path, PixelFormat::Rgb8, u64::MAX));
    let mut kept = std::collections::VecDeque::new();
    for _ in 0..60 {
        let (a, b) = (one.paced().unwrap(), other.paced().unwrap());
        assert!(a.pixels() == b.pixels() && a.cycle_index() == b.cycle_index());
        kept.push_back(a);
        if kept.len() > 3 {
            kept.pop_front();
        }
    }
}
