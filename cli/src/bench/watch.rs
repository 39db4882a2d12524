//! Avatars speaking live, as a host would have it: one thread pushes 20 ms at a time as it is spoken, another draws 60 times
//! a second, and the sound starts when the reader says that it may.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use musetalk_core::{
    Avatar, Error, ErrorKind, FrameRate, FrameReader, Heard, PcmWriter, Result, Stats, UtteranceId,
};

use crate::cancel;
use crate::memory;

/// Pictures that the host draws in a second.
const POLLS: u64 = 60;

/// The face idles this long before anybody speaks.
const LEAD: Duration = Duration::from_millis(300);

/// An avatar that has not begun to speak after this never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// One look at the screen, while the sound plays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// The frame whose sound was playing.
    slot: u64,
    /// The speech frame on screen; `None` for idle footage.
    shown: Option<u64>,
}

/// What was seen of one avatar.
#[derive(Debug)]
pub(super) struct Watched {
    /// From the first push to the start of the sound.
    pub(super) held_back: Duration,
    /// What the session says of itself.
    pub(super) stats: Stats,
    /// The longest device call.
    pub(super) longest_call: Duration,
    /// Memory of the process in kilobytes, once a second.
    pub(super) memory: Vec<f64>,
    looks: Vec<Look>,
    slots: u64,
    fps: FrameRate,
}

/// Has every avatar say its speech, all at once. Takes as long as the longest speech.
pub(super) fn watch(speakers: Vec<(Avatar, Vec<f32>)>, rate: u32) -> Result<Vec<Watched>> {
    let started = Instant::now() + LEAD;
    let mut mouths = Vec::new();
    let mut faces = Vec::new();
    for (avatar, speech) in speakers {
        let (writer, reader) = avatar.split();
        faces.push(Face::new(reader, speech.len() as u64, rate));
        mouths.push((writer, speech));
    }
    let pushed = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let pusher = scope.spawn(|| push_all(mouths, rate, started, &pushed, &stop));
        let seen = draw_all(&mut faces, started, &pushed);
        stop.store(true, Ordering::Release);
        let said =
            pusher.join().unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "the pusher panicked")));
        seen.and(said)
    })?;
    Ok(faces.into_iter().map(Face::finish).collect())
}

fn push_all(
    mut mouths: Vec<(PcmWriter, Vec<f32>)>,
    rate: u32,
    started: Instant,
    pushed: &AtomicU64,
    stop: &AtomicBool,
) -> Result<()> {
    let position = |chunk: u64| (chunk * u64::from(rate) / 50) as usize;
    let longest = mouths.iter().map(|(_, speech)| speech.len()).max().unwrap_or(0);
    for chunk in 0.. {
        let (from, to) = (position(chunk), position(chunk + 1));
        if from >= longest || stop.load(Ordering::Acquire) {
            break;
        }
        sleep_until(started + Duration::from_millis(20 * chunk));
        for (writer, speech) in &mut mouths {
            if from < speech.len() {
                writer.push(&speech[from..to.min(speech.len())])?;
            }
        }
        pushed.store(to as u64, Ordering::Release);
    }
    mouths.iter_mut().try_for_each(|(writer, _)| writer.finish())
}

fn draw_all(faces: &mut [Face], started: Instant, pushed: &AtomicU64) -> Result<()> {
    let opened = Instant::now();
    for poll in 0_u64.. {
        sleep_until(opened + Duration::from_nanos(poll * 1_000_000_000 / POLLS));
        cancel::check()?;
        let memory = (poll % POLLS == 0).then(memory::now).flatten();
        let mut speaking = false;
        for face in &mut *faces {
            speaking |= face.look(started, pushed.load(Ordering::Acquire))?;
            face.memory.extend(memory.map(|bytes| bytes as f64 / 1024.0));
        }
        if !speaking {
            return Ok(());
        }
    }
    Ok(())
}

pub(super) fn sleep_until(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
}

/// One avatar on its screen.
struct Face {
    reader: FrameReader,
    length: u64,
    rate: u32,
    /// When the sound started, and after how long it could.
    sound: Option<(UtteranceId, Instant, Duration)>,
    shown: Option<u64>,
    looks: Vec<Look>,
    memory: Vec<f64>,
    counted: Stats,
    longest_call: Duration,
}

impl Face {
    fn new(reader: FrameReader, length: u64, rate: u32) -> Self {
        Self {
            counted: reader.stats(),
            reader,
            length,
            rate,
            sound: None,
            shown: None,
            looks: Vec::new(),
            memory: Vec::new(),
            longest_call: Duration::ZERO,
        }
    }

    /// Draws what is due. `false` once everything was heard.
    fn look(&mut self, started: Instant, pushed: u64) -> Result<bool> {
        if self.sound.is_none()
            && let Some(ready) = self.reader.ready()?
        {
            let held = started.elapsed();
            self.sound = Some((ready.utterance, Instant::now(), held));
        }
        let Some((utterance, sound, _)) = self.sound else {
            self.reader.latest_at(None)?;
            return if started.elapsed() < PATIENCE { Ok(true) } else { Err(never_ready()) };
        };
        let samples = (sound.elapsed().as_nanos() * u128::from(self.rate) / 1_000_000_000) as u64;
        if samples >= self.length {
            return Ok(false);
        }
        // A loudspeaker cannot be ahead of what it was given.
        let samples = samples.min(pushed);
        let slot = self.reader.fps().frame_at(samples, self.rate);
        if let Some(frame) = self.reader.latest_at(Some(Heard { utterance, samples }))? {
            self.shown = frame.utterance().map(|_| frame.utterance_frame());
        }
        self.looks.push(Look { slot, shown: self.shown });
        self.count_calls();
        Ok(true)
    }

    fn count_calls(&mut self) {
        let stats = self.reader.stats();
        let calls = u32::try_from(stats.made - self.counted.made).unwrap_or(u32::MAX);
        if let Some(call) = (on_device(&stats) - on_device(&self.counted)).checked_div(calls) {
            self.longest_call = self.longest_call.max(call);
            self.counted = stats;
        }
    }

    fn finish(self) -> Watched {
        let fps = self.reader.fps();
        Watched {
            held_back: self.sound.map_or(PATIENCE, |(_, _, held)| held),
            stats: self.reader.stats(),
            longest_call: self.longest_call,
            memory: self.memory,
            looks: self.looks,
            slots: fps.frames_for(self.length, self.rate),
            fps,
        }
    }
}

fn never_ready() -> Error {
    Error::new(
        ErrorKind::TimedOut,
        format!("no frame came within {} s of the first sound", PATIENCE.as_secs()),
    )
}

/// Time in all networks.
pub(super) fn on_device(stats: &Stats) -> Duration {
    stats.hear.total + stats.generate.total + stats.decode.total
}

impl Watched {
    /// The share of the slots after the first whose own frame was on screen during the slot.
    pub(super) fn own(&self) -> f64 {
        let own: HashSet<u64> =
            self.looks.iter().filter(|look| look.shown == Some(look.slot)).map(|look| look.slot).collect();
        own.iter().filter(|slot| **slot > 0).count() as f64 / (self.slots.max(2) - 1) as f64
    }

    /// Slots in which this program never got to look, because it was not given a processor: these cannot show anything.
    pub(super) fn unseen(&self) -> u64 {
        let seen: HashSet<u64> = self.looks.iter().map(|look| look.slot).collect();
        self.slots - (seen.len() as u64).min(self.slots)
    }

    /// Different speech frames on screen, per second of sound.
    pub(super) fn frames_per_second(&self) -> f64 {
        let shown: HashSet<u64> = self.looks.iter().filter_map(|look| look.shown).collect();
        shown.len() as f64 / self.fps.time_of(self.slots).as_secs_f64().max(1e-9)
    }

    /// How late the picture was at every look that showed speech, in milliseconds of whole slots.
    pub(super) fn lateness(&self) -> Vec<f64> {
        let late = |look: &Look| Some(super::millis(self.fps.time_of(look.slot.saturating_sub(look.shown?))));
        self.looks.iter().filter_map(late).collect()
    }

    /// The share of the looks that showed idle footage although the sound played.
    pub(super) fn idle(&self) -> f64 {
        self.looks.iter().filter(|look| look.shown.is_none()).count() as f64 / self.looks.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(looks: &[(u64, Option<u64>)], slots: u64) -> Watched {
        Watched {
            held_back: Duration::ZERO,
            stats: Stats::default(),
            longest_call: Duration::ZERO,
            memory: Vec::new(),
            looks: looks.iter().map(|&(slot, shown)| Look { slot, shown }).collect(),
            slots,
            fps: FrameRate::new(25, 1).unwrap(),
        }
    }

    #[test]
    fn a_slot_counts_when_its_own_frame_was_seen_in_it() {
        let seen = watched(&[(0, None), (1, Some(0)), (1, Some(1)), (2, Some(1)), (4, Some(4))], 5);
        assert_eq!(seen.own(), 0.5);
        assert_eq!(seen.unseen(), 1);
        assert_eq!(seen.lateness(), [40.0, 0.0, 40.0, 0.0]);
        assert_eq!(seen.idle(), 0.2);
        assert_eq!(seen.frames_per_second(), 15.0);
    }
}
