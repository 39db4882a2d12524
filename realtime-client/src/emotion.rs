//! A simple sense: how loud, how high and how fast the person speaks, against how they spoke before.
//!
//! It knows no words and no faces, and it guesses: its hints say how a voice sounds, and leave to the model what that means. Hosts with
//! a real recogniser put their own [`Sense`] in its place.

use crate::protocol::Role;
use crate::voice::Sense;

/// Length of a look at the voice, in milliseconds.
const LOOK_MS: u32 = 40;
/// Mean square of a look below which nobody speaks: −46 dBFS.
const QUIET: f32 = 2.5e-5;
/// Turns of which each counts a quarter of the usual from then on.
const MEMORY: f32 = 0.25;
/// Looks with voice that make a turn worth judging: half a second.
const LEAST_LOOKS: u32 = 12;
/// How much above or below the usual is worth a word.
const LOUDER_DB: f32 = 5.0;
const HIGHER: f32 = 1.18;
const FASTER: f32 = 1.3;
/// Rates at which a voice can be made out, in Hz.
const LEAST_RATE: u32 = 4_000;
const MOST_RATE: u32 = 384_000;
/// Voices of people, in Hz.
const LOWEST: f32 = 70.0;
const HIGHEST: f32 = 420.0;

/// Loudness, pitch and pace of one turn, and what is usual.
#[derive(Clone, Debug, Default)]
pub struct Prosody {
    waiting: Vec<f32>,
    turn: Turn,
    usual: Option<Manner>,
    last: String,
}

#[derive(Clone, Debug, Default)]
struct Turn {
    looks: u32,
    energy: f32,
    pitches: Vec<f32>,
    syllables: u32,
    /// Looks since the first with voice, and how many of them until the last.
    since: u32,
    span: u32,
    rising: bool,
    before: f32,
}

/// How somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Manner {
    loudness_db: f32,
    pitch: f32,
    pace: f32,
}

impl Prosody {
    /// A sense that has heard nothing yet. The first turn of a person is the measure of those that follow.
    pub fn new() -> Self {
        Self::default()
    }

    fn look(&mut self, look: &[f32], rate: u32) {
        let energy = look.iter().map(|x| x * x).sum::<f32>() / look.len() as f32;
        // A syllable is a rise of loudness by half and more.
        let rises = energy > QUIET && energy > self.turn.before * 1.5;
        self.turn.syllables += u32::from(rises && !self.turn.rising);
        self.turn.rising = rises;
        self.turn.before = energy;
        self.turn.since += u32::from(self.turn.since > 0 || energy >= QUIET);
        if energy < QUIET {
            return;
        }
        self.turn.span = self.turn.since;
        self.turn.looks += 1;
        self.turn.energy += energy;
        if let Some(pitch) = pitch(look, rate) {
            self.turn.pitches.push(pitch);
        }
    }
}

impl Turn {
    fn manner(mut self) -> Option<Manner> {
        if self.looks < LEAST_LOOKS {
            return None;
        }
        self.pitches.sort_by(f32::total_cmp);
        Some(Manner {
            loudness_db: 10.0 * (self.energy / self.looks as f32).log10(),
            pitch: self.pitches.get(self.pitches.len() / 2).copied().unwrap_or(0.0),
            pace: self.syllables as f32 * 1000.0 / (self.span * LOOK_MS) as f32,
        })
    }
}

impl Sense for Prosody {
    fn hear(&mut self, pcm: &[i16], rate: u32) {
        if !(LEAST_RATE..=MOST_RATE).contains(&rate) {
            return;
        }
        self.waiting.extend(pcm.iter().map(|sample| f32::from(*sample) / 32_768.0));
        let length = (rate * LOOK_MS / 1000) as usize;
        let mut waiting = std::mem::take(&mut self.waiting);
        let whole = waiting.len() / length * length;
        for look in waiting[..whole].chunks(length) {
            self.look(look, rate);
        }
        waiting.drain(..whole);
        self.waiting = waiting;
    }

    fn said(&mut self, _role: Role, _text: &str) -> Option<String> {
        None
    }

    fn hint(&mut self) -> Option<String> {
        let now = std::mem::take(&mut self.turn).manner()?;
        let usual = *self.usual.get_or_insert(now);
        self.usual = Some(usual.towards(now));
        let hint = now.against(usual);
        (hint != self.last).then(|| {
            self.last.clone_from(&hint);
            hint
        })
    }
}

impl Manner {
    fn towards(self, now: Self) -> Self {
        let mix = |usual: f32, now: f32| usual + (now - usual) * MEMORY;
        Self {
            loudness_db: mix(self.loudness_db, now.loudness_db),
            pitch: mix(self.pitch, now.pitch),
            pace: mix(self.pace, now.pace),
        }
    }

    /// What differs from the usual, in words; empty when nothing does.
    fn against(self, usual: Self) -> String {
        let word = |ratio: f32, bound: f32, more: &'static str, less: &'static str| match ratio {
            ratio if ratio > bound => Some(more),
            ratio if ratio < 1.0 / bound => Some(less),
            _ => None,
        };
        let louder = self.loudness_db - usual.loudness_db;
        let loudness = (louder.abs() > LOUDER_DB).then_some(if louder > 0.0 { "louder" } else { "softer" });
        let pitch = (usual.pitch > 0.0 && self.pitch > 0.0).then(|| self.pitch / usual.pitch);
        let pitch = pitch.and_then(|ratio| word(ratio, HIGHER, "higher", "lower"));
        let pace = (usual.pace > 0.0).then(|| self.pace / usual.pace);
        let pace = pace.and_then(|ratio| word(ratio, FASTER, "faster", "slower"));
        let words: Vec<&str> = [loudness, pitch, pace].into_iter().flatten().collect();
        if words.is_empty() {
            return String::new();
        }
        format!(
            "The person's voice was just {} than usual; take their mood into account.",
            words.join(" and ")
        )
    }
}

/// The pitch of a voiced look, by autocorrelation; `None` where there is none.
fn pitch(look: &[f32], rate: u32) -> Option<f32> {
    let (shortest, longest) = ((rate as f32 / HIGHEST) as usize, (rate as f32 / LOWEST) as usize);
    let whole: f32 = look.iter().map(|x| x * x).sum();
    let similarity = |lag: usize| -> f32 { look.iter().zip(&look[lag..]).map(|(a, b)| a * b).sum() };
    let longest = longest.min(look.len().saturating_sub(1));
    let similar: Vec<(usize, f32)> = (shortest..=longest).map(|lag| (lag, similarity(lag))).collect();
    let best = similar.iter().map(|(_, s)| *s).fold(0.0, f32::max);
    if best < 0.3 * whole {
        return None;
    }
    // The first lag that is nearly as good: twice a period is similar too.
    let first = similar.iter().position(|(_, s)| *s > 0.85 * best)?;
    let peak = similar[first..].windows(2).position(|pair| pair[1].1 < pair[0].1).unwrap_or(0);
    Some(rate as f32 / similar[first + peak].0 as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hum of two seconds with this many syllables a second.
    fn hum(pitch: f32, loudness: f32, pace: f32) -> Vec<i16> {
        let sample = |n: i32| {
            let time = n as f32 / 24_000.0;
            let syllable = (0.5 - 0.5 * (time * pace * std::f32::consts::TAU).cos()).powi(2);
            let voice: f32 =
                (1..5).map(|k| (time * pitch * k as f32 * std::f32::consts::TAU).sin() / k as f32).sum();
            (voice * syllable * loudness * 16_000.0) as i16
        };
        (0..48_000).map(sample).collect()
    }

    fn heard(sense: &mut Prosody, pcm: &[i16]) -> Option<String> {
        for chunk in pcm.chunks(777) {
            sense.hear(chunk, 24_000);
        }
        sense.hint()
    }

    #[test]
    fn a_voice_is_measured_against_itself() {
        let mut sense = Prosody::new();
        assert_eq!(heard(&mut sense, &hum(120.0, 0.3, 3.0)).as_deref(), None);
        assert_eq!(heard(&mut sense, &hum(122.0, 0.3, 3.0)).as_deref(), None, "nothing to say twice");
        let upset = heard(&mut sense, &hum(190.0, 0.9, 5.0)).unwrap();
        for word in ["louder", "higher", "faster"] {
            assert!(upset.contains(word), "{upset}");
        }
        let calm = heard(&mut sense, &hum(130.0, 0.33, 3.2)).unwrap();
        assert!(!calm.contains("louder"), "{calm}");
    }

    #[test]
    fn silence_and_noise_say_nothing() {
        let mut sense = Prosody::new();
        assert_eq!(heard(&mut sense, &[0; 48_000]), None);
        assert_eq!(pitch(&[0.0; 960], 24_000), None);
        let mut rng = fastrand::Rng::with_seed(1);
        let noise: Vec<f32> = (0..960).map(|_| rng.f32() * 2.0 - 1.0).collect();
        assert_eq!(pitch(&noise, 24_000), None);
    }

    #[test]
    fn a_rate_that_is_none_is_not_listened_to() {
        let mut sense = Prosody::new();
        for rate in [0, 1, 24, u32::MAX] {
            sense.hear(&[1_000; 100], rate);
        }
        assert_eq!(sense.hint(), None);
    }
}
