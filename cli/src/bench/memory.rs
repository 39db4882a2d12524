//! What a second avatar of the same person needs, after both have spoken.

use musetalk_core::Result;

use super::Bench;
use super::row::Row;
use crate::memory;

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let name = "memory: a second avatar adds";
    let speech = bench.voice.take(bench.voice.loud(0.5, 1)[0], 2.0);
    let mut avatars = Vec::new();
    let mut readings = Vec::new();
    for _ in 0..3 {
        readings.push(memory::now());
        let mut avatar = bench.open()?;
        avatar.push(&speech)?;
        avatar.finish()?;
        while avatar.next_frame()?.is_some() {}
        avatars.push(avatar);
    }
    readings.push(memory::now());
    let [_, Some(one), Some(two), Some(three)] = readings[..] else {
        return Ok(Row::new("memory", name, "this system does not say".to_owned()));
    };
    let added = [(one, two), (two, three)].map(|(before, after)| (after as f64 - before as f64) / 1024.0);
    let files = &bench.engine.pack().manifest().files;
    let model = files.values().map(|file| file.bytes).sum::<u64>() as f64 / 1024.0;
    let own = own_kilobytes(bench, speech.len());
    // What it owns, and a megabyte that allocator and threads round up to.
    let met = added[0] <= own + 1024.0;
    Ok(Row::new("memory", name, format!("{:.0} kB, a third {:.0} kB", added[0], added[1]))
        .aim(format!("its own buffers, {own:.0} kB"), met)
        .note(format!("the networks' files have {model:.0} kB; of these nothing may be added"))
        .value("second_kb", added[0])
        .value("third_kb", added[1])
        .value("own_buffers_kb", own)
        .value("model_kb", model))
}

/// Pictures, patches, hidden states and sound of one avatar.
fn own_kilobytes(bench: &Bench, samples: usize) -> f64 {
    let (options, manifest) = (bench.options(), bench.engine.pack().manifest());
    let picture = bench.asset.width() as usize * bench.asset.height() as usize * options.format.bytes();
    let patch = 3 * (manifest.image.size as usize).pow(2);
    let audio = &manifest.audio;
    let states = 4 * audio.positions as usize * audio.states as usize * audio.width as usize;
    let pictures = picture * (options.frames_lent + 1);
    (pictures + patch * (options.frames_ahead + 2) + states + 4 * samples) as f64 / 1024.0
}
