//! Frame times and paired samples tile the audio exactly, at every rate of sound and picture; no owed frame is lost.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use musetalk_core::{AvatarOptions, Device, Engine, FrameRate};
use musetalk_tests::{babble, pack_at, person, runtime, scratch};

const RATES: [u32; 7] = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000];

#[test]
fn at_25_frames_per_second() {
    tiles(25, 1);
}

#[test]
fn at_30_frames_per_second() {
    tiles(30, 1);
}

#[test]
fn at_30000_1001_frames_per_second() {
    tiles(30_000, 1001);
}

fn tiles(numerator: u32, denominator: u32) {
    runtime();
    let pack = pack_at(&scratch(&format!("at-{numerator}-{denominator}")), numerator, denominator);
    let engine = Engine::builder(pack).device(Device::Cpu).threads(1).build().unwrap();
    let fps = FrameRate::new(numerator, denominator).unwrap();
    for rate in RATES {
        let mut options = AvatarOptions::default();
        options.sample_rate = rate;
        let mut avatar = engine.start_avatar(person(&engine), options).unwrap();
        for (turn, seconds) in [0.0002, 0.04, 1.23].into_iter().enumerate() {
            let speech = babble(seconds, rate, u64::from(rate));
            avatar.push(&speech).unwrap();
            avatar.finish().unwrap();
            let mut heard = Vec::new();
            let mut count = 0;
            while let Some(frame) = avatar.next_frame().unwrap() {
                assert_eq!(frame.utterance().unwrap().get(), turn as u64 + 1);
                assert_eq!(frame.utterance_frame(), count);
                assert_eq!(frame.pts(), fps.time_of(count));
                assert_eq!(fps.first_sample(count, rate), heard.len() as u64, "frame {count} at {rate} Hz");
                assert!(!frame.audio().is_empty());
                heard.extend_from_slice(frame.audio());
                count += 1;
            }
            assert_eq!(heard, speech, "every sample once, in order, as it was pushed");
            assert_eq!(count, fps.frames_for(speech.len() as u64, rate), "every owed frame at {rate} Hz");
        }
    }
}
