//! How many faces speak at once before slots are missed.

use musetalk_core::Result;

use super::Bench;
use super::row::Row;
use super::watch::{Watched, watch};

/// Seconds that each number of faces is tried for.
const SECONDS: u32 = 6;

/// More than anybody looks at.
const MOST: usize = 64;

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let seconds = f64::from(bench.seconds.min(SECONDS));
    let mut held = 0;
    let mut tried = Vec::new();
    for faces in 1..=MOST {
        let speakers = (0..faces)
            .map(|face| Ok((bench.open()?, bench.voice.take(face as f64 * 1.7, seconds))))
            .collect::<Result<Vec<_>>>()?;
        let seen = watch(speakers, bench.voice.rate)?;
        let worst = seen.iter().map(Watched::own).fold(1.0, f64::min);
        tried.push(format!("{faces}: {:.1} %", 100.0 * worst));
        if worst < 0.99 {
            break;
        }
        held = faces;
    }
    let fps = bench.engine.pack().fps();
    let rate = f64::from(fps.numerator()) / f64::from(fps.denominator());
    Ok(Row::new(
        "faces",
        "faces that this machine holds",
        format!("{held} at {} frames/s", (rate * 100.0).round() / 100.0),
    )
    .note(format!("slots of the worst face that show their own frame: {}", tried.join(", ")))
    .value("faces", held as f64))
}
