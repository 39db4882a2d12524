//! Cut in the middle of speech: how soon the mouth is closed, and whether it jumps.

use std::time::{Duration, Instant};

use musetalk_core::{Avatar, Error, ErrorKind, Heard, Interrupter, Result};

use super::Bench;
use super::opening::Mouth;
use super::quantile;
use super::row::Row;
use super::watch::sleep_until;
use crate::cancel;

/// Cuts in a full measurement.
const CUTS: u32 = 20;

/// Between two looks at the screen.
const POLL: Duration = Duration::from_micros(16_667);

/// What is watched after a cut: twice the frames that a mouth may take to close.
const AFTER: Duration = Duration::from_millis(330);

/// Less opening than this at its 95th percentile is no mouth that speaks.
const SPEAKING: f64 = 0.002;

/// What was seen of one cut.
#[derive(Debug, Default)]
struct Cut {
    /// Speech pictures before it, with their numbers.
    before: Vec<(u64, Mouth)>,
    /// All pictures after it.
    after: Vec<Mouth>,
}

/// The largest change from one picture to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Jump {
    opening: f64,
    pixels: f64,
}

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let count = (bench.seconds / 3).clamp(2, CUTS);
    let starts = bench.voice.loud(0.4, count as usize);
    let mut avatar = bench.open()?;
    let interrupter = avatar.interrupter();
    let mut cuts = Vec::new();
    for (turn, start) in (0..count).zip(starts.iter().cycle()) {
        let speech = bench.voice.take(*start, 3.0);
        // Spread over a second, in steps that do not fit into frames.
        let moment = Duration::from_millis(400 + u64::from(turn) * 367 % 1000);
        cuts.push(cut(bench, &mut avatar, &interrupter, &speech, moment)?);
    }
    Ok(judge(&cuts))
}

/// Speaks, and cuts after the sound has played for this long.
fn cut(
    bench: &Bench,
    avatar: &mut Avatar,
    interrupter: &Interrupter,
    speech: &[f32],
    moment: Duration,
) -> Result<Cut> {
    let asset = &bench.asset;
    let utterance = avatar.begin()?;
    avatar.push(speech)?;
    let asked = Instant::now();
    while avatar.ready()?.is_none_or(|ready| ready.utterance != utterance) {
        cancel::check()?;
        if asked.elapsed() > Duration::from_secs(20) {
            return Err(Error::new(ErrorKind::TimedOut, "no frame came within 20 s of the first sound"));
        }
        avatar.latest_at(None)?;
        std::thread::sleep(POLL);
    }
    let mut seen = Cut::default();
    let (mut next, sound) = (Instant::now(), Instant::now());
    let heard = || {
        let samples = (sound.elapsed().as_secs_f64() * f64::from(bench.voice.rate)) as u64;
        Some(Heard { utterance, samples })
    };
    while sound.elapsed() < moment {
        if let Some(frame) = avatar.latest_at(heard())?.filter(|frame| frame.utterance().is_some()) {
            seen.before.push((frame.utterance_frame(), Mouth::of(&frame, asset)?));
        }
        next += POLL;
        sleep_until(next);
    }
    interrupter.interrupt();
    let cut = Instant::now();
    while cut.elapsed() < AFTER {
        // A host goes on to tell what it played until it has heard of the cut: that must do no harm.
        if let Some(frame) = avatar.latest_at(heard())? {
            seen.after.push(Mouth::of(&frame, asset)?);
        }
        next += POLL;
        sleep_until(next);
    }
    Ok(seen)
}

fn judge(cuts: &[Cut]) -> Row {
    let mut openings: Vec<f64> =
        cuts.iter().flat_map(|cut| cut.before.iter().map(|(_, mouth)| mouth.opening)).collect();
    let p95 = quantile(&mut openings, 0.95);
    let closed = 0.05 * p95;
    let worst = cuts.iter().map(|cut| cut.frames_until(closed)).max().unwrap_or(0);
    let open =
        cuts.iter().filter(|cut| cut.before.last().is_some_and(|(_, mouth)| mouth.opening > closed)).count();
    let speech = cuts.iter().flat_map(Cut::speech_jumps).fold(Jump::default(), Jump::max);
    let closing = cuts.iter().flat_map(Cut::closing_jumps).fold(Jump::default(), Jump::max);
    let met = worst <= 4 && closing.opening <= speech.opening && closing.pixels <= speech.pixels;
    let figure =
        format!("{worst} frames, jump {:.2} of speech's", closing.opening / speech.opening.max(1e-9));
    let row = Row::new("interrupt", "interrupted: frames until closed", figure)
        .aim("<= 4 frames, jump <= 1", (p95 >= SPEAKING).then_some(met))
        .note(format!("{} cuts, {open} of them with an open mouth; opening in speech p95 {p95:.4}", cuts.len()))
        .note(format!(
            "largest change of a picture: opening {:.4} closing, {:.4} speaking; pixels {:.2} closing, {:.2} speaking",
            closing.opening, speech.opening, closing.pixels, speech.pixels
        ));
    let row = if p95 >= SPEAKING {
        row
    } else {
        row.note("the mouth hardly opens with this pack: nothing can be said".to_owned())
    };
    row.value("frames_until_closed", worst as f64)
        .value("opening_jump_share", closing.opening / speech.opening.max(1e-9))
        .value("pixel_jump_share", closing.pixels / speech.pixels.max(1e-9))
}

impl Cut {
    /// Pictures after the cut up to the first from which on the mouth stays closed.
    fn frames_until(&self, closed: f64) -> usize {
        self.after.iter().rposition(|mouth| mouth.opening > closed).map_or(0, |last| last + 2)
    }

    /// From every speech frame to the next one.
    fn speech_jumps(&self) -> impl Iterator<Item = Jump> {
        let neighbours = |pair: &&[(u64, Mouth)]| pair[1].0 == pair[0].0 + 1;
        self.before.windows(2).filter(neighbours).map(|pair| Jump::between(&pair[0].1, &pair[1].1))
    }

    /// From the last speech frame to the closed mouth.
    fn closing_jumps(&self) -> impl Iterator<Item = Jump> {
        let last = self.before.last().map(|(_, mouth)| mouth);
        let mouths: Vec<&Mouth> = last.into_iter().chain(&self.after).collect();
        let jumps: Vec<Jump> = mouths.windows(2).map(|pair| Jump::between(pair[0], pair[1])).collect();
        jumps.into_iter()
    }
}

impl Jump {
    fn between(one: &Mouth, other: &Mouth) -> Self {
        Self { opening: (one.opening - other.opening).abs(), pixels: one.difference(other) }
    }

    fn max(self, other: Self) -> Self {
        Self { opening: self.opening.max(other.opening), pixels: self.pixels.max(other.pixels) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mouth_is_closed_from_the_picture_on_that_it_stays_closed() {
        let after = |openings: &[f64]| Cut {
            before: Vec::new(),
            after: openings.iter().map(|&opening| Mouth::with(opening)).collect(),
        };
        assert_eq!(after(&[0.3, 0.2, 0.1, 0.0, 0.0]).frames_until(0.01), 4);
        assert_eq!(after(&[0.0, 0.2, 0.0]).frames_until(0.01), 3);
        assert_eq!(after(&[0.0, 0.0]).frames_until(0.01), 0);
    }
}
