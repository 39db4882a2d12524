//! Live, with networks three times too slow for this machine: random weights, as wide as it takes.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use musetalk_core::{AvatarAsset, AvatarParts, Engine, FaceBox, Result};
use musetalk_models::PackBuilder;
use musetalk_models::tiny::{Sizes, write_checkpoint_of};

use super::row::Row;
use super::sustained::record;
use super::watch::{on_device, watch};
use super::{Bench, mean, millis, quantile};
use crate::cancel;
use crate::temp::Temp;

/// How often the width is corrected after the first guess.
const CORRECTIONS: usize = 3;

/// The share of looks that may find idle footage while the sound plays: at the start, before the first picture in time.
const IDLE: f64 = 0.1;

/// Frames of footage: enough to move, few to prepare.
const FOOTAGE: u32 = 4;

/// Channels beyond which no machine of today is asked.
const WIDEST: usize = 64;

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let folder = Temp::folder_in(&std::env::temp_dir())?;
    let (engine, asset, call) = overload(bench, folder.path())?;
    let speech = bench.voice.take(0.0, f64::from(bench.seconds));
    let mut options = bench.options();
    // The buffer's memory is committed as it is first used: a short one is soon used to its end, and what grows then grows.
    options.buffer_seconds = 2;
    let avatar = engine.start_avatar(asset, options)?;
    let mut seen = watch(vec![(avatar, speech)], bench.voice.rate)?;
    let Some(seen) = seen.pop() else { return Ok(Row::new("slow", "too slow", String::new())) };

    let late = seen.lateness();
    let worst = quantile(&mut late.clone(), 1.0);
    let allowed = millis(engine.pack().fps().period() + seen.longest_call);
    let usual_call = millis(on_device(&seen.stats)) / seen.stats.made.max(1) as f64;
    let growth = thirds(&late);
    let memory = thirds(&seen.memory);
    let period = millis(engine.pack().fps().period());
    // Less than a frame, and less than a megabyte, is noise.
    let steady = growth < period && memory < 1024.0;
    // A face that idles through its speech is never late, and never speaks.
    let speaks = seen.idle() <= IDLE;
    let name = "too slow by three: picture late by";
    Ok(Row::new("slow", name, format!("{worst:.0} ms at most, allowed {allowed:.0} ms"))
        .aim("a frame + a call, steady, idle <= 10 %", worst <= allowed && steady && speaks)
        .note(format!(
            "device call: alone {:.0} ms, live mean {usual_call:.0} ms, longest {:.0} ms; {:.1} frames/s on screen",
            millis(call),
            millis(seen.longest_call),
            seen.frames_per_second()
        ))
        .note(format!(
            "mean lateness {:.0} ms; last third against first: {growth:+.0} ms late, {memory:+.0} kB memory",
            mean(&late)
        ))
        .note(format!(
            "{} s, sound held back {:.0} ms; {} frames made, {} skipped, {} overtaken; idle shown {:.2} %",
            bench.seconds,
            millis(seen.held_back),
            seen.stats.made,
            seen.stats.skipped,
            seen.stats.late,
            100.0 * seen.idle()
        ))
        .value("late_worst_ms", worst)
        .value("late_mean_ms", mean(&late))
        .value("allowed_ms", allowed)
        .value("call_mean_ms", usual_call)
        .value("call_longest_ms", millis(seen.longest_call))
        .value("late_growth_ms", growth)
        .value("memory_growth_kb", memory)
        .value("idle_percent", 100.0 * seen.idle())
        .value("held_back_ms", millis(seen.held_back))
        .value("frames_per_second", seen.frames_per_second()))
}

/// The mean of the last third less that of the first.
fn thirds(values: &[f64]) -> f64 {
    let third = values.len() / 3;
    mean(&values[values.len() - third..]) - mean(&values[..third])
}

/// Networks that need three periods for a frame on this machine, and the person made for them.
fn overload(bench: &Bench, folder: &Path) -> Result<(Engine, Arc<AvatarAsset>, Duration)> {
    let wanted = millis(bench.engine.pack().fps().period()) * 3.0;
    let loud = bench.voice.loud(0.5, 1).first().copied().unwrap_or_default();
    let speech = bench.voice.take(loud, 0.5);
    let mut sizes = Sizes::default();
    (sizes.picture, sizes.channels) = (4, 4);
    let mut made = build(bench, folder, sizes, &speech)?;
    for _ in 0..CORRECTIONS {
        let wider = wider(sizes.channels, wanted / millis(made.2).max(0.1));
        if wider == sizes.channels {
            break;
        }
        sizes.channels = wider;
        made = build(bench, folder, sizes, &speech)?;
    }
    Ok(made)
}

/// Networks of this size, their person, and what a device call takes.
fn build(
    bench: &Bench,
    folder: &Path,
    sizes: Sizes,
    speech: &[f32],
) -> Result<(Engine, Arc<AvatarAsset>, Duration)> {
    cancel::check()?;
    let (checkpoint, pack) = (folder.join("checkpoint"), folder.join("pack"));
    write_checkpoint_of(&checkpoint, 7, sizes)?;
    PackBuilder::new(&checkpoint).replace(true).build(&pack, |_| {
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let mut builder = Engine::builder(&pack).device(bench.engine.device());
    if let Some(threads) = bench.threads {
        builder = builder.threads(threads);
    }
    let engine = builder.build()?;
    let asset = Arc::new(AvatarAsset::from_parts(&engine, &parts(&bench.asset)?)?);
    let stats = record(engine.start_avatar(Arc::clone(&asset), bench.options())?, speech)?.stats;
    let call = on_device(&stats) / u32::try_from(stats.made).unwrap_or(1).max(1);
    Ok((engine, asset, call))
}

/// Work grows with the square of the channels.
fn wider(channels: usize, factor: f64) -> usize {
    if (0.85..1.25).contains(&factor) {
        return channels;
    }
    ((channels as f64 * factor.sqrt()).round() as usize).clamp(1, WIDEST)
}

/// The first frames of this person, with a plain mask.
fn parts(asset: &AvatarAsset) -> Result<AvatarParts> {
    let mut parts = AvatarParts::default();
    parts.name = asset.name().to_owned();
    (parts.width, parts.height) = (asset.width(), asset.height());
    for frame in 0..asset.frames().min(FOOTAGE) {
        let face = asset.face_box(frame);
        parts.frames.push(asset.base_frame(frame)?.into_owned());
        parts.masks.push(mask(&face));
        parts.boxes.push(face);
    }
    Ok(parts)
}

/// The lower half of the face, whole.
fn mask(face: &FaceBox) -> Vec<u8> {
    let crop = face.crop();
    let (width, height) = (crop.width(), crop.height());
    let (left, right) = (face.x1 - crop.x1, face.x2 - crop.x1);
    let (top, bottom) = ((face.y1 + face.y2) / 2 - crop.y1, face.y2 - crop.y1);
    let inside = |at: i32| (left..right).contains(&(at % width)) && (top..bottom).contains(&(at / width));
    (0..width * height).map(|at| if inside(at) { 255 } else { 0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_the_last_third_less_the_first() {
        assert_eq!(thirds(&[1.0, 1.0, 9.0, 9.0, 3.0, 5.0]), 3.0);
        assert_eq!(thirds(&[]), 0.0);
    }

    #[test]
    fn width_follows_the_root_of_the_work() {
        assert_eq!(wider(4, 4.0), 8);
        assert_eq!(wider(8, 1.1), 8);
        assert_eq!(wider(4, 1e9), WIDEST);
    }
}
