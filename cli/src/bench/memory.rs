//! What a further session of the same person needs, while both hold all the frames they may.

use std::sync::Arc;

use musetalk_core::{Avatar, Frame, Result};

use super::Bench;
use super::row::Row;
use crate::memory;

/// Sessions of one person. Those after the first are looked at, and the one that added most counts: memory that lay free before is
/// taken by the others.
const SESSIONS: usize = 5;

/// Beside lent frames and queued audio.
const MOST_KB: f64 = 10.0 * 1024.0;

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let name = "memory: a further session adds";
    let wide = bench.wide()?;
    let speech = bench.voice.take(bench.voice.loud(0.5, 1)[0], 2.0);
    let lent = bench.options().frames_lent;
    let mut sessions: Vec<(Avatar, Vec<Frame>)> = Vec::new();
    let mut readings = Vec::new();
    for _ in 0..SESSIONS {
        readings.push(memory::now());
        let mut avatar = bench.engine.start_avatar(Arc::clone(wide.asset()), bench.options())?;
        avatar.push(&speech)?;
        avatar.finish()?;
        let mut held = Vec::new();
        while let Some(frame) = avatar.next_frame()? {
            // The last ones stay lent, so that all of that memory is in use.
            held.push(frame);
            if held.len() == lent {
                held.remove(0);
            }
        }
        sessions.push((avatar, held));
    }
    readings.push(memory::now());
    let Some(readings) = readings.into_iter().collect::<Option<Vec<u64>>>() else {
        return Ok(Row::new("memory", name, "this system does not say".to_owned()).note(wide.about()));
    };
    // Of the sessions after the first.
    let added: Vec<f64> =
        readings.windows(2).skip(1).map(|pair| (pair[1] as f64 - pair[0] as f64) / 1024.0).collect();
    let most = added.iter().copied().fold(f64::MIN, f64::max);
    let options = bench.options();
    let picture = wide.asset().width() as usize * wide.asset().height() as usize * options.format.bytes();
    // As `AvatarOptions` states them: a picture for each that may be lent and one more, and the samples that were pushed.
    let pictures = (picture * (lent + 1)) as f64 / 1024.0;
    let audio = (4 * speech.len()) as f64 / 1024.0;
    let beside = most - pictures - audio;
    let files = &bench.engine.pack().manifest().files;
    let model = files.values().map(|file| file.bytes).sum::<u64>() as f64 / 1024.0;
    let reserved = 4 * options.buffer_seconds as usize * options.sample_rate as usize / 1024;
    let each: Vec<String> = added.iter().map(|kilobytes| format!("{kilobytes:.0}")).collect();
    Ok(Row::new("memory", name, format!("{beside:.0} kB"))
        .aim("< 10 MB beside lent frames and audio", beside < MOST_KB)
        .note(format!(
            "{most:.0} kB in all, of which {pictures:.0} kB are {lent} frames lent and one more, {audio:.0} kB the audio pushed; {reserved} \
             kB are reserved for audio and committed as it comes"
        ))
        .note(format!("the largest of {} kB: the first ones take memory that lay free", each.join(", ")))
        .note(wide.about())
        .note(format!("the networks' files have {model:.0} kB; of these nothing may be added"))
        .value("session_kb", most)
        .value("session_beside_kb", beside)
        .value("lent_frames_kb", pictures)
        .value("queued_audio_kb", audio)
        .value("model_kb", model))
}
