//! One avatar, live: is the right picture on screen, and how long is the sound held back for it.

use std::time::Duration;

use musetalk_core::Result;

use super::row::Row;
use super::watch::watch;
use super::{Bench, millis, quantile};

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let speech = bench.voice.take(0.0, f64::from(bench.seconds));
    let mut seen = watch(vec![(bench.open()?, speech)], bench.voice.rate)?;
    let Some(seen) = seen.pop() else { return Ok(Row::new("live", "live", String::new())) };
    let (own, held) = (100.0 * seen.own(), millis(seen.held_back));
    let mut late = seen.lateness();
    let (usual, worst) = (quantile(&mut late, 0.99), quantile(&mut late, 1.0));
    let stats = &seen.stats;
    let met = own >= 99.0 && seen.held_back <= Duration::from_millis(350);
    let name = "live: slots that show their own frame";
    Ok(Row::new("live", name, format!("{own:.2} %, sound held back {held:.0} ms"))
        .aim(">= 99 %, <= 350 ms", met)
        .note(format!(
            "picture late: p99 {usual:.0} ms, worst {worst:.0} ms; idle shown {:.2} %",
            100.0 * seen.idle()
        ))
        .note(format!(
            "{} s; {} frames skipped, {} made but overtaken; {} slots passed without a look at the screen",
            bench.seconds,
            stats.skipped,
            stats.late,
            seen.unseen()
        ))
        .value("own_percent", own)
        .value("held_back_ms", held)
        .value("late_p99_ms", usual)
        .value("late_worst_ms", worst)
        .value("slots_unseen", seen.unseen() as f64))
}
