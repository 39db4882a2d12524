//! `paced` gives every period its picture and exactly its samples, for an hour, and loses no sample of speech.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use musetalk_core::{AvatarOptions, Device, Engine, FrameRate};
use musetalk_tests::{babble, pack_at, person, runtime, scratch};

#[test]
fn for_an_hour_at_30000_1001() {
    runtime();
    let pack = pack_at(&scratch("paced"), 30_000, 1001);
    let engine = Engine::builder(pack).device(Device::Cpu).threads(1).build().unwrap();
    let fps = FrameRate::new(30_000, 1001).unwrap();
    let rate = 44_100;
    let mut options = AvatarOptions::default();
    options.sample_rate = rate;
    let avatar = engine.start_avatar(person(&engine), options).unwrap();
    let frames = avatar.asset().frames();
    let (mut ears, mut face) = avatar.split();
    let speech = babble(1.7, rate, 3);
    let periods = fps.frames_for(3_600 * u64::from(rate), rate);
    let (mut released, mut spoken, mut utterances) = (0, Vec::new(), 0);
    let mut last_cycle = None;
    for period in 0..periods {
        if period % 600 == 100 {
            ears.push(&speech).unwrap();
            ears.finish().unwrap();
            utterances += 1;
        }
        // A paced host calls at the rate of the pictures. Here an hour passes as fast as the worker can follow: whoever
        // waits for speech waits for the worker.
        if spoken.len() < utterances * speech.len() {
            std::thread::sleep(std::time::Duration::from_millis(3));
        }
        let frame = face.paced().unwrap();
        assert_eq!(frame.pts(), fps.time_of(period));
        assert_eq!(frame.index(), period);
        assert_eq!(released, fps.first_sample(period, rate));
        released += frame.audio().len() as u64;
        if frame.utterance().is_some() || frame.audio().iter().any(|&sample| sample != 0.0) {
            spoken.extend_from_slice(frame.audio());
        }
        if let Some(last) = last_cycle.replace(frame.cycle_index()) {
            let ahead = (frame.cycle_index() + 2 * frames - last) % (2 * frames);
            assert!(ahead.min(2 * frames - ahead) <= 1, "the footage jumped at period {period}");
        }
    }
    assert_eq!(released, fps.first_sample(periods, rate));
    let under_runs = face.stats().under_runs;
    let whole: usize = speech.len() * utterances;
    // Silence pads the period in which an utterance ends, and stands where a frame was not ready.
    let said: Vec<f32> = spoken.iter().copied().filter(|&sample| sample != 0.0).collect();
    let pushed: Vec<f32> =
        speech.iter().copied().filter(|&sample| sample != 0.0).cycle().take(said.len()).collect();
    assert!(said == pushed, "what is heard is what was pushed, in order");
    assert!(spoken.len() >= whole, "{} of {whole} samples were heard, {under_runs} under-runs", spoken.len());
}
