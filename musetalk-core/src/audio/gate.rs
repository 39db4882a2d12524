//! Which frames hold speech, and how present the speaking mouth is in each.
//!
//! A column of 10 ms counts as active when it is loud, or when it stands out of the last 0.8 s: speech rises and falls by
//! many dB several times a second, hum and noise do not. A frame is open when an active column lies within it, up to 240 ms
//! before it (hang-over: the pauses inside words) or up to 80 ms after it (the mouth opens before the sound).
//! All of it depends on positions alone.
//!
//! | rule | value |
//! |---|---|
//! | silence | below −50 dBFS |
//! | loud: active whatever came before | from −34 dBFS |
//! | otherwise active | 4 dB (mean over the bands) above the least of the last 0.8 s |
//! | presence | 0…255; rises over 2 frames, falls over 4 |
//!
//! Weakness, accepted: noise that sets in within an utterance, or that is louder than −34 dBFS, counts as speech, for 0.8 s or
//! as long as it lasts. The generator was trained to keep the mouth closed there; missed speech nothing could repair.

use super::{SPEECH_RATE, context::SpeechContext, mel::HOP};
use crate::time::FrameRate;

const SILENCE_DB: f32 = -50.0;
const LOUD_DB: f32 = -34.0;
const RISE_DB: f32 = 4.0;
/// Columns of 10 ms whose least value is the floor.
const MEMORY: usize = 80;
/// Hang-over and attack in samples at 16 kHz.
const HANG_OVER: u64 = 3_840;
const ATTACK: u64 = 1_280;
/// Samples that a column reads from its position on.
const COLUMN_REACH: u64 = 200;

/// Presence of a fully open frame.
pub(crate) const PRESENT: u8 = 255;

/// Decides frame by frame, in order, how present the speaking mouth is. One per avatar; nothing allocates.
#[derive(Debug)]
pub(crate) struct Gate {
    fps: FrameRate,
    attack: u64,
    frame: u64,
    column: u64,
    recent: [f32; MEMORY],
    last_active: Option<u64>,
    presence: u8,
}

impl Gate {
    /// A gate that looks no further than `look_ahead` samples at 16 kHz beyond the end of a frame.
    pub(crate) fn new(fps: FrameRate, look_ahead: u32) -> Self {
        let attack = ATTACK.min(u64::from(look_ahead).saturating_sub(COLUMN_REACH));
        Self {
            fps,
            attack,
            frame: 0,
            column: 0,
            recent: [f32::INFINITY; MEMORY],
            last_active: None,
            presence: 0,
        }
    }

    /// The presence of the next frame, 0 shut … 255 open; `None` until the context holds what it depends on.
    ///
    /// With `finished` the context's end is the utterance's, and what is missing counts as silence.
    pub(crate) fn next(&mut self, context: &SpeechContext, finished: bool) -> Option<u8> {
        let first = |frame| self.fps.first_sample(frame, SPEECH_RATE);
        let span = first(self.frame)..first(self.frame + 1);
        // Columns at positions before `end` count; the last of them reads up to `end + COLUMN_REACH`.
        let end = span.end + self.attack;
        while self.column * (HOP as u64) < end {
            let Some(loudness) = context.loudness(self.column) else {
                if finished {
                    break;
                }
                return None;
            };
            self.take(loudness);
        }
        let open = self.last_active.is_some_and(|active| active + HANG_OVER >= span.start);
        self.presence = step(self.presence, open);
        self.frame += 1;
        Some(self.presence)
    }

    /// Forgets the utterance.
    pub(crate) fn reset(&mut self) {
        *self = Self { fps: self.fps, attack: self.attack, ..Self::new(self.fps, 0) };
    }

    fn take(&mut self, loudness: super::mel::Loudness) {
        self.recent[(self.column % MEMORY as u64) as usize] = loudness.mean_band;
        let floor = self.recent.iter().fold(f32::INFINITY, |least, value| least.min(*value));
        let rises = loudness.mean_band > floor + RISE_DB;
        if loudness.level > SILENCE_DB && (loudness.level > LOUD_DB || rises) {
            self.last_active = Some(self.column * HOP as u64);
        }
        self.column += 1;
    }
}

/// One frame of the ramp: open in 2 frames, shut in 4.
fn step(presence: u8, open: bool) -> u8 {
    if open { presence.saturating_add(128) } else { presence.saturating_sub(64) }
}
