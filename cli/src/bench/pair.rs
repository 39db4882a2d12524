//! Two avatars at once: live, and recorded against one alone.

use musetalk_core::{Error, ErrorKind, Result};

use super::Bench;
use super::row::Row;
use super::sustained::{Recorded, record};
use super::watch::watch;

/// Seconds of speech for each recording.
const RECORDED: f64 = 8.0;

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let length = f64::from(bench.seconds.min(30));
    // The second speaks the same voice from its middle on: two speeches, one language.
    let speeches = |seconds: f64| [0.0, length / 2.0].map(|start| bench.voice.take(start, seconds));
    let speakers =
        speeches(length).into_iter().map(|speech| Ok((bench.open()?, speech))).collect::<Result<Vec<_>>>()?;
    let seen = watch(speakers, bench.voice.rate)?;
    let live: Vec<f64> = seen.iter().map(|seen| seen.frames_per_second()).collect();
    let slowest = live.iter().copied().fold(f64::INFINITY, f64::min);

    // Alone before and after: a machine whose load changes meanwhile says so.
    let [first, second] = speeches(RECORDED.min(length));
    let before = record(bench.open()?, &first)?.frames_per_second();
    let together = record_both(bench, &first, &second)?;
    let after = record(bench.open()?, &second)?.frames_per_second();
    let alone = (before + after) / 2.0;
    let share = together / alone.max(1e-9);

    let name = "two at once: live, and recorded";
    Ok(Row::new("pair", name, format!("each {slowest:.1} frames/s, together {share:.2}"))
        .aim(">= 20 frames/s, >= 0.90 of one alone", slowest >= 20.0 && share >= 0.9)
        .note(format!(
            "live: {} frames/s; own slots {} %",
            live.iter().map(|rate| format!("{rate:.1}")).collect::<Vec<_>>().join(" and "),
            seen.iter().map(|seen| format!("{:.1}", 100.0 * seen.own())).collect::<Vec<_>>().join(" and ")
        ))
        .note(format!(
            "recorded: together {together:.1} frames/s; alone {before:.1} before, {after:.1} after"
        ))
        .value("live_slowest_frames_per_second", slowest)
        .value("together_frames_per_second", together)
        .value("alone_frames_per_second", alone)
        .value("together_share", share))
}

/// Frames through the networks per second, of both together.
fn record_both(bench: &Bench, first: &[f32], second: &[f32]) -> Result<f64> {
    let (one, other) = (bench.open()?, bench.open()?);
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| record(other, second));
        let one = record(one, first);
        (one, other.join().unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "a recorder panicked"))))
    });
    let both: [Recorded; 2] = [one?, other?];
    let wall = both[0].wall.max(both[1].wall);
    Ok(both.iter().map(|recorded| recorded.stats.made).sum::<u64>() as f64 / wall.as_secs_f64().max(1e-9))
}
