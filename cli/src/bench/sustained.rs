//! One avatar, recorded: every frame, as fast as they come.

use std::time::{Duration, Instant};

use musetalk_core::{Avatar, Result, Stats};

use super::row::Row;
use super::{Bench, millis, quantile};
use crate::cancel;

/// Longer speech says no more about a machine that has warmed up.
const SECONDS: u32 = 20;

/// What one recording took.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) wall: Duration,
    pub(super) stats: Stats,
    /// Milliseconds from one speaking frame to the next; those of silence, which need no network, are left out.
    gaps: Vec<f64>,
}

/// Records this speech to its end.
pub(super) fn record(mut avatar: Avatar, speech: &[f32]) -> Result<Recorded> {
    let started = Instant::now();
    avatar.push(speech)?;
    avatar.finish()?;
    let mut gaps = Vec::new();
    let mut before = started;
    while let Some(frame) = avatar.next_frame()? {
        cancel::check()?;
        let now = Instant::now();
        if frame.region().width > 0 {
            gaps.push(millis(now - before));
        }
        before = now;
    }
    Ok(Recorded { wall: started.elapsed(), stats: avatar.stats(), gaps })
}

impl Recorded {
    /// Frames that went through the networks, per second: silence would only flatter.
    pub(super) fn frames_per_second(&self) -> f64 {
        self.stats.made as f64 / self.wall.as_secs_f64().max(1e-9)
    }
}

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let speech = bench.voice.take(0.0, f64::from(bench.seconds.min(SECONDS)));
    let mut recorded = record(bench.open()?, &speech)?;
    let rate = recorded.frames_per_second();
    let (p50, p99) = (quantile(&mut recorded.gaps, 0.5), quantile(&mut recorded.gaps, 0.99));
    let stats = &recorded.stats;
    let stages = [
        ("listen", stats.listen),
        ("hear", stats.hear),
        ("generate", stats.generate),
        ("decode", stats.decode),
        ("compose", stats.compose),
    ];
    let frames = stats.made.max(1) as f64;
    let per_frame = stages.map(|(name, stage)| (name, millis(stage.total) / frames));
    let words = per_frame.map(|(name, time)| format!("{name} {time:.2}")).join(", ");
    let row = Row::new("sustained", "sustained: one avatar, recorded", format!("{rate:.1} frames/s"))
        .aim(">= 30 frames/s (50 aimed at)", rate >= 30.0)
        .note(format!("a frame after the other: p50 {p50:.1} ms, p99 {p99:.1} ms"))
        .note(format!("ms per frame: {words}"))
        .note(format!("{} frames through the networks; {} of silence not counted", stats.made, stats.still))
        .value("frames_per_second", rate)
        .value("frame_p50_ms", p50)
        .value("frame_p99_ms", p99);
    Ok(per_frame.into_iter().fold(row, |row, (name, time)| row.value(&format!("{name}_ms"), time)))
}
