//! What it takes to open the pack: from the folder to an engine that has run once.

use std::time::{Duration, Instant};

use musetalk_core::{Engine, EngineBuilder, Precision, Result};

use super::Bench;
use super::row::Row;
use crate::memory::Peak;
use crate::pack::size;

/// How the engine of this run was opened.
pub(super) struct Opening {
    time: Duration,
    /// Memory that it took at most, in bytes.
    memory: Option<u64>,
}

impl Opening {
    pub(super) fn of(builder: EngineBuilder) -> Result<(Engine, Self)> {
        let peak = Peak::watch();
        let started = Instant::now();
        let engine = builder.build()?;
        let opening = Self { time: started.elapsed(), memory: peak.added() };
        Ok((engine, opening))
    }
}

/// Packs below this size open in a moment, and what they take is the runtime's own.
const LARGE: u64 = 1 << 30;

pub(super) fn measure(bench: &Bench) -> Row {
    let manifest = bench.engine.pack().manifest();
    let loaded = ["audio_encoder", "generator", "decoder"];
    let parameters: u64 =
        loaded.iter().filter_map(|role| manifest.networks.get(*role)).map(|network| network.parameters).sum();
    let weights = 4 * parameters;
    let (seconds, memory) = (bench.opening.time.as_secs_f64(), bench.opening.memory);
    let said = memory.map_or_else(|| "memory unknown".to_owned(), size);
    let row = Row::new("load", "opening the pack", format!("{seconds:.2} s, {said}"))
        .note("the first time a pack is opened here, its files are also read whole; open it twice".to_owned())
        .value("seconds", seconds)
        .value("weights_mb", weights as f64 / 1e6);
    let row = match memory {
        Some(bytes) => row.value("memory_mb", bytes as f64 / 1e6),
        None => row,
    };
    if weights < LARGE || manifest.precision != Precision::Fp32 {
        return row;
    }
    let most = weights / 10 * 7;
    let met = memory.map(|bytes| seconds <= 5.0 && bytes <= most);
    row.aim(format!("5 s, 0.7 of the weights, {}", size(most)), met)
}
