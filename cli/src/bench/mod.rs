//! `musetalk bench`: what this machine reaches, measured the way a host would notice it.
//!
//! Every measurement goes through the public API and nothing else. Nothing is left out of a figure because the machine was
//! busy; the load is printed beside it instead.

mod around;
mod faces;
mod first;
mod footage;
mod interrupt;
mod live;
mod load;
mod machine;
mod memory;
mod opening;
mod pair;
mod row;
mod slow;
mod sustained;
mod table;
mod voice;
mod watch;
mod wide;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::ValueEnum;
use musetalk_core::{Avatar, AvatarAsset, AvatarOptions, Device, Engine, Result};

use crate::args::{self, BenchRow};
use crate::demo_files::DemoFiles;
use crate::progress::Progress;
use crate::setup;

use machine::Machine;
use row::Row;
use table::Table;
use voice::Voice;
use wide::Wide;

/// What every measurement needs.
struct Bench {
    engine: Engine,
    opening: load::Opening,
    asset: Arc<AvatarAsset>,
    pack: PathBuf,
    avatar: PathBuf,
    device: Device,
    /// Made when a row first needs it.
    wide: OnceLock<Wide>,
    voice: Voice,
    threads: Option<usize>,
    /// How long a live measurement lasts.
    seconds: u32,
}

/// Measures, and prints one table.
///
/// # Errors
///
/// Of any kind: ONNX Runtime may have to be fetched, and pack, avatar, voice or device can fail. A figure that misses its
/// aim is no error.
pub fn command(args: &args::Bench) -> Result<()> {
    let (pack, avatar, voice) = files(args)?;
    let progress = Progress::suitable(args.json);
    setup::ensure_runtime(progress)?;
    let voice = Voice::read(&voice, args.seconds)?;
    let mut builder = Engine::builder(&pack).device(args.device);
    if let Some(threads) = args.threads {
        builder = builder.threads(threads);
    }
    let asset = Arc::new(AvatarAsset::open(&avatar)?);
    let step = progress.step("opening the pack");
    let (engine, opening) = load::Opening::of(builder)?;
    drop(step);
    let bench = Bench {
        engine,
        opening,
        asset,
        pack,
        avatar,
        device: args.device,
        wide: OnceLock::new(),
        voice,
        threads: args.threads,
        seconds: args.seconds,
    };

    let mut table = Table::new(Machine::look(&bench));
    for row in BenchRow::value_variants() {
        if args.rows.is_empty() || args.rows.contains(row) {
            let step = progress.step(&format!("measuring {row:?}").to_lowercase());
            let measured = bench.measure(*row)?;
            drop(step);
            table.add(measured);
        }
    }
    table.print(args.json);
    Ok(())
}

impl Bench {
    fn measure(&self, row: BenchRow) -> Result<Row> {
        match row {
            BenchRow::Sustained => sustained::measure(self),
            BenchRow::Around => around::measure(self),
            BenchRow::Live => live::measure(self),
            BenchRow::Slow => slow::measure(self),
            BenchRow::Pair => pair::measure(self),
            BenchRow::Interrupt => interrupt::measure(self),
            BenchRow::First => first::measure(self),
            BenchRow::Load => Ok(load::measure(self)),
            BenchRow::Opening => footage::measure(self),
            BenchRow::Memory => memory::measure(self),
            BenchRow::Faces => faces::measure(self),
        }
    }

    /// Opens one more avatar of the person, for the voice.
    fn open(&self) -> Result<Avatar> {
        self.engine.start_avatar(Arc::clone(&self.asset), self.options())
    }

    /// Ten seconds at 1080p.
    fn wide(&self) -> Result<&Wide> {
        if let Some(wide) = self.wide.get() {
            return Ok(wide);
        }
        let wide = Wide::of(self)?;
        Ok(self.wide.get_or_init(|| wide))
    }

    fn options(&self) -> AvatarOptions {
        let mut options = AvatarOptions::default();
        options.sample_rate = self.voice.rate;
        options
    }
}

/// Pack, avatar and voice: what was given, and the bundled ones for the rest.
fn files(args: &args::Bench) -> Result<(PathBuf, PathBuf, PathBuf)> {
    if let (Some(pack), Some(avatar), Some(audio)) = (&args.pack, &args.avatar, &args.audio) {
        return Ok((pack.clone(), avatar.clone(), audio.clone()));
    }
    let bundled = DemoFiles::find()?;
    let pack = args.pack.clone().unwrap_or_else(|| bundled.pack());
    let avatar = match &args.avatar {
        Some(avatar) => avatar.clone(),
        None => bundled.avatar(None)?.to_owned(),
    };
    let audio = match &args.audio {
        Some(audio) => audio.clone(),
        None => bundled.voice()?.to_owned(),
    };
    Ok((pack, avatar, audio))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The value that this share (0…1) of the values does not exceed; zero of none.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).ceil() as usize).copied().unwrap_or_default()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_occurred() {
        let mut values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(quantile(&mut values, 0.0), 1.0);
        assert_eq!(quantile(&mut values, 0.5), 3.0);
        assert_eq!(quantile(&mut values, 0.99), 5.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }
}
