//! What one frame costs without the networks, on one core. Run with `--release -- --nocapture budget` for the figures.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::blend::{Blender, Canvas, MaskPlan};
use super::fixtures::noise;
use super::{PixelFormat, Rect};
use crate::audio::context::SpeechContext;
use crate::audio::gate::Gate;
use crate::audio::mel::MELS;
use crate::audio::resample::Resampler;
use crate::audio::window::FrameRate;

const BUDGET: Duration = Duration::from_micros(1500);
const FRAMES: usize = 200;
const LOOK_AHEAD: u32 = 1920;

/// The median time of a step over the frames; medians do not mind that the machine does other work.
fn median(mut step: impl FnMut(usize)) -> Duration {
    let mut times: Vec<_> = (0..FRAMES)
        .map(|frame| {
            let start = Instant::now();
            step(frame);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[FRAMES / 2]
}

#[test]
fn a_frame_without_the_networks_stays_within_its_budget() {
    let mut total = Duration::ZERO;
    let mut report = |what: &str, counts: bool, time: Duration| {
        println!("{:>8.1} us  {what}", time.as_secs_f64() * 1e6);
        total += if counts { time } else { Duration::ZERO };
    };

    let voice: Vec<f32> =
        noise((FRAMES, 960), 1, 1).iter().map(|byte| f32::from(*byte) / 256.0 - 0.5).collect();
    let mut resampler = Resampler::new(24_000).unwrap();
    let mut speech = Vec::with_capacity(FRAMES * 640 + 640);
    let time = median(|frame| resampler.push(&voice[frame * 960..][..960], |samples| speech.extend(samples)));
    report("40 ms from 24 to 16 kHz", true, time);

    for positions in [1500, 250] {
        let (mut context, mut out) = (SpeechContext::new(positions), vec![0.0; MELS * 2 * positions]);
        let demo = positions == 250;
        let time = median(|frame| context.push(&speech[(frame * 640).min(speech.len() - 640)..][..640]));
        report("four log-mel columns", demo, time);
        let time = median(|frame| {
            context.window(126_000 + frame as u64, &mut out);
            black_box(&out);
        });
        report(&format!("a window of {positions} positions"), demo, time);
        let mut gate = Gate::new(FrameRate::new(25, 1).unwrap(), LOOK_AHEAD);
        // The frames whose columns the smaller ring still holds.
        report("gate", demo, median(|_| _ = black_box(gate.next(&context, true))));
    }

    for (patch_size, side, format) in [
        (256, 600, PixelFormat::Rgb8),
        (256, 200, PixelFormat::Rgb8),
        (128, 200, PixelFormat::Bgra8),
        (128, 200, PixelFormat::Rgb8),
    ] {
        let frame = side * 64 / 25;
        let left = (frame - side) as i32 / 2;
        let face = Rect::new(left, left, left + side as i32, left + side as i32);
        let margin = side as i32 / 4;
        let crop = Rect::new(left - margin, left - margin, face.right + margin, face.bottom + margin);
        let mut mask = vec![0; crop.width() * crop.height()];
        let half = mask.len() / 2;
        mask[half..].fill(200);
        let plan = MaskPlan::new((frame, frame), face, crop, &mask).unwrap();
        let base = noise((frame, frame), format.bytes(), 5);
        let patch = noise((patch_size, patch_size), 3, 6);
        let mut pixels = base.clone();
        let mut blender = Blender::new(side);
        let counts = patch_size == 128 && format == PixelFormat::Rgb8;
        report(
            &format!("copy of a {frame} x {frame} {format:?} frame"),
            counts,
            median(|_| black_box(&mut pixels).copy_from_slice(&base)),
        );
        let time = median(|_| {
            let mut canvas = Canvas { pixels: &mut pixels, stride: frame * format.bytes(), format };
            blender.blend(black_box(&patch), patch_size, &plan, &mask, 255, &mut canvas);
        });
        report(&format!("a patch of {patch_size} into a box of {side}, {format:?}"), counts, time);
    }
    println!("{:>8.1} us  all of a demo frame", total.as_secs_f64() * 1e6);
    assert!(cfg!(debug_assertions) || total < BUDGET, "{total:?}");
}
