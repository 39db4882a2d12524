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
//! | otherwise active | 4 dB (mean over the bands and 40 ms) above the least of the last 0.8 s |
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
/// Columns averaged before they are compared: one alone of white noise strays by up to 2 dB either way.
const SMOOTHED: usize = 4;
/// Hang-over and attack in samples at 16 kHz.
const HANG_OVER: u64 = 3_840;
const ATTACK: u64 = 1_280;
/// Samples that a column reads from its position on.
const COLUMN_REACH: u64 = 200;

/// Decides frame by frame, in order, how present the speaking mouth is. One per avatar; nothing allocates.
#[derive(Debug)]
pub(crate) struct Gate {
    fps: FrameRate,
    attack: u64,
    frame: u64,
    column: u64,
    latest: [f32; SMOOTHED],
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
            latest: [0.0; SMOOTHED],
            recent: [f32::INFINITY; MEMORY],
            last_active: None,
            presence: 0,
        }
    }

    /// The presence of the next frame, 0 shut … 255 open; `None` until the context holds what it depends on.
    ///
    /// Ask before the context forgets: no more than a window and 2 s may have been pushed since the last frame asked for.
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
        *self = Self { attack: self.attack, ..Self::new(self.fps, 0) };
    }

    fn take(&mut self, loudness: super::mel::Loudness) {
        self.latest[self.column as usize % SMOOTHED] = loudness.mean_band;
        let count = SMOOTHED.min(self.column as usize + 1);
        let smoothed = self.latest[..count].iter().sum::<f32>() / count as f32;
        self.recent[self.column as usize % MEMORY] = smoothed;
        let floor = self.recent.iter().fold(f32::INFINITY, |least, value| least.min(*value));
        let rises = smoothed > floor + RISE_DB;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOOK_AHEAD: u32 = 1920;

    fn presences(pcm: &[f32]) -> Vec<u8> {
        let fps = FrameRate::new(25, 1).unwrap();
        let (mut context, mut gate) = (SpeechContext::new(50), Gate::new(fps, LOOK_AHEAD));
        let mut presences = Vec::new();
        for chunk in pcm.chunks(1000) {
            context.push(chunk);
            while let Some(presence) = gate.next(&context, false) {
                presences.push(presence);
            }
        }
        while (presences.len() as u64) < fps.frames_for(pcm.len() as u64, SPEECH_RATE) {
            presences.extend(gate.next(&context, true));
        }
        presences
    }

    /// Noise of mean square `level` dBFS; `colour` 0 is white, towards 1 ever darker.
    fn noise(count: usize, level: f32, colour: f32, seed: u32) -> Vec<f32> {
        let (mut state, mut low) = (seed, 0.0);
        let raw: Vec<_> = (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                low = colour * low + state as f32 / u32::MAX as f32 - 0.5;
                low
            })
            .collect();
        at_level(raw, level)
    }

    fn hum(count: usize, level: f32, hertz: f32) -> Vec<f32> {
        let turn = std::f32::consts::TAU * hertz / SPEECH_RATE as f32;
        at_level(
            (0..count).map(|n| (1..8).map(|k| (turn * (n * k) as f32).sin() / k as f32).sum()).collect(),
            level,
        )
    }

    fn at_level(mut pcm: Vec<f32>, level: f32) -> Vec<f32> {
        let mean = pcm.iter().map(|v| v * v).sum::<f32>() / pcm.len() as f32;
        let gain = (10_f32.powf(level / 10.0) / mean).sqrt();
        pcm.iter_mut().for_each(|value| *value *= gain);
        pcm
    }

    /// Four syllables a second of a buzzing voice, `level` dBFS at their middles.
    fn voice(count: usize, level: f32) -> Vec<f32> {
        let second = SPEECH_RATE as f32;
        let turn = std::f32::consts::TAU / second;
        (0..count)
            .map(|n| {
                let swell = (turn * 4.0 * n as f32).cos() * -0.5 + 0.5;
                let buzz: f32 = (1..20).map(|k| (turn * 130.0 * (n * k) as f32).sin() / k as f32).sum();
                buzz * swell * 10_f32.powf((level + 1.0) / 20.0)
            })
            .collect()
    }

    #[test]
    fn steady_sound_keeps_the_mouth_shut_from_the_first_frame() {
        const COUNT: usize = 160_000;
        for seed in 1..6 {
            for colour in [0.0, 0.9, 0.98] {
                assert!(
                    presences(&noise(COUNT, -40.0, colour, seed)).iter().all(|p| *p == 0),
                    "{colour} {seed}"
                );
            }
        }
        for hertz in [50.0, 60.0, 100.0, 120.0, 440.0] {
            let hum = hum(COUNT, -40.0, hertz);
            assert!(presences(&hum).iter().all(|p| *p == 0), "{hertz}");
            let both: Vec<_> = hum.iter().zip(noise(COUNT, -50.0, 0.5, 9)).map(|(a, b)| a + b).collect();
            assert!(presences(&both).iter().all(|p| *p == 0), "{hertz} in noise");
        }
        assert!(presences(&vec![0.0; COUNT]).iter().all(|p| *p == 0));
    }

    #[test]
    fn speech_opens_the_mouth_before_it_sounds_and_keeps_it_open_between_syllables() {
        // Two seconds of voice after one of nothing, or of noise 10 dB below it; loud or very quiet.
        for (level, bed) in
            [(-20.0, -100.0), (-20.0, -30.5), (-40.0, -100.0), (-40.0, -55.0), (-46.0, -100.0)]
        {
            let mut pcm = noise(48_000, bed, 0.0, 4);
            for (sum, voice) in pcm[16_000..].iter_mut().zip(voice(32_000, level)) {
                *sum += voice;
            }
            let presences = presences(&pcm);
            if bed < -34.0 {
                assert!(presences[..20].iter().all(|p| *p == 0), "{level} over {bed}: {presences:?}");
            }
            // The first syllable is at its loudest 125 ms after its start.
            assert!(presences[27..74].iter().all(|p| *p == u8::MAX), "{level} over {bed}: {presences:?}");
        }
    }

    #[test]
    fn loud_speech_is_open_at_once() {
        let presences = presences(&voice(16_000, -20.0)[1500..]);
        assert!(presences[0] >= 128 && presences[1..].iter().all(|p| *p == u8::MAX), "{presences:?}");
    }

    #[test]
    fn the_mouth_shuts_after_the_hang_over_in_four_frames() {
        let mut pcm = hum(32_000, -20.0, 200.0);
        pcm[16_000..].fill(0.0);
        // Sound ends with frame 24; the last column that hears it lies 10 ms later, and 240 ms more reach into frame 31.
        assert_eq!(presences(&pcm)[30..37], [255, 255, 191, 127, 63, 0, 0]);
    }

    #[test]
    fn noise_that_sets_in_is_given_up_within_a_second_and_a_half() {
        let mut pcm = vec![0.0; 16_000];
        pcm.extend(noise(48_000, -40.0, 0.0, 3));
        assert!(presences(&pcm)[25 + 37..].iter().all(|p| *p == 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn how_audio_arrives_changes_no_presence(
            chunks in prop::collection::vec(1_usize..5000, 1..20),
            polls in prop::collection::vec(0_usize..4, 1..20),
        ) {
            let mut pcm = voice(40_000, -30.0);
            pcm[20_000..28_000].fill(0.0);
            let fps = FrameRate::new(30, 1).unwrap();
            let (mut context, mut gate) = (SpeechContext::new(50), Gate::new(fps, LOOK_AHEAD));
            let (mut found, mut rest) = (Vec::new(), pcm.as_slice());
            for (chunk, poll) in chunks.into_iter().cycle().zip(polls.into_iter().cycle()) {
                let (now, later) = rest.split_at(chunk.min(rest.len()));
                context.push(now);
                rest = later;
                // Seldom asked, but never so late that columns have passed.
                let limit = if found.len() as u64 * 533 + 20_000 < context.samples() { usize::MAX } else { poll };
                for _ in 0..limit {
                    match gate.next(&context, false) {
                        Some(presence) => found.push(presence),
                        None => break,
                    }
                }
                if rest.is_empty() {
                    break;
                }
            }
            while (found.len() as u64) < fps.frames_for(40_000, SPEECH_RATE) {
                found.extend(gate.next(&context, true));
            }
            let (mut context, mut gate, mut expected) = (SpeechContext::new(2000), Gate::new(fps, LOOK_AHEAD), Vec::new());
            context.push(&pcm);
            while expected.len() < found.len() {
                expected.extend(gate.next(&context, true));
            }
            prop_assert_eq!(found, expected);
        }
    }
}
