//! Opening a long, large avatar: from its file to the first frame.

use std::time::Instant;

use musetalk_core::Result;

use super::row::Row;
use super::{Bench, millis, quantile};

/// Openings that are measured.
const TIMES: usize = 5;

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let wide = bench.wide()?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        let mut avatar = bench.engine.open_avatar_with(wide.path(), bench.options())?;
        drop(avatar.paced()?);
        times.push(millis(started.elapsed()));
    }
    let (p50, worst) = (quantile(&mut times, 0.5), quantile(&mut times, 1.0));
    let name = "opening 10 s of 1080p, to a frame";
    Ok(Row::new("opening", name, format!("{p50:.0} ms, worst {worst:.0} ms"))
        .aim("<= 150 ms", worst <= 150.0)
        .note(wide.about())
        .note(format!("{TIMES} times, the file in the system's cache"))
        .value("p50_ms", p50)
        .value("worst_ms", worst)
        .value("file_mb", wide.asset().file_bytes() as f64 / 1e6))
}
