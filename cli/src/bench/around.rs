//! Everything that is not a network, per frame: pushing, listening, handing over, composing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use musetalk_core::Result;

use super::row::Row;
use super::{Bench, millis};
use crate::cancel;

/// Short enough for every frame to wait in the outbox.
const SECONDS: u32 = 10;

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let (rate, asset) = (bench.voice.rate, Arc::clone(&bench.asset));
    let speech = bench.voice.take(0.0, f64::from(bench.seconds.min(SECONDS)));
    let owed = bench.engine.pack().fps().frames_for(speech.len() as u64, rate);
    let mut options = bench.options();
    options.frames_ahead = (owed as usize + 2).clamp(4, 1000);
    let mut avatar = bench.engine.start_avatar(asset, options)?;

    let mut push = Duration::ZERO;
    for chunk in speech.chunks((rate / 50) as usize) {
        let started = Instant::now();
        avatar.push(chunk)?;
        push += started.elapsed();
    }
    avatar.finish()?;
    // The networks rest before anything is drawn: both would share the cores.
    while avatar.stats().made + avatar.stats().still < owed {
        cancel::check()?;
        std::thread::sleep(Duration::from_millis(5));
    }
    let (mut draw, mut speaking) = (Duration::ZERO, 0);
    loop {
        let started = Instant::now();
        let Some(frame) = avatar.next_frame()? else { break };
        if frame.region().width > 0 {
            draw += started.elapsed();
            speaking += 1;
        }
    }
    let stats = avatar.stats();
    let per_frame = |time: Duration, frames: u64| millis(time) / frames.max(1) as f64;
    let (push, listen) = (per_frame(push, owed), per_frame(stats.listen.total, owed));
    let draw = per_frame(draw, speaking);
    let total = push + listen + draw;
    let (width, height) = (bench.asset.width(), bench.asset.height());
    Ok(Row::new(
        "around",
        "not a network, per frame, on one core",
        format!("{total:.2} ms at {width}×{height}"),
    )
    .aim("<= 1.5 ms at 512×512", (width <= 512 && height <= 512).then_some(total <= 1.5))
    .note(format!(
        "push {push:.3}, listen {listen:.2}, hand over and compose {draw:.2} ms; speaking frames only"
    ))
    .value("total_ms", total)
    .value("push_ms", push)
    .value("listen_ms", listen)
    .value("compose_ms", draw))
}
