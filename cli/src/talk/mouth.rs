//! Who speaks the answers, a frame period at a time: a face, or a voice without one.
//!
//! A period that was given out counts as heard, unless a loudspeaker says when it sounds. So what the model is told when it is cut is what
//! the video holds, to the sample.
//!
//! The sound of an answer starts when its first three frames are ready: `FrameReader::paced` gives sound out only with its picture, and begins an
//! utterance under the condition under which `FrameReader::ready` names it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use musetalk_core::{Frame, FrameRate, FrameReader, Result};
use realtime_client::bridge::Utterances;
use realtime_client::voice::{Sound, VoiceSink};

/// Periods of a voice without a face.
const PLAIN: (u32, u32) = (25, 1);

/// A frame period.
#[derive(Debug)]
pub(super) struct Period {
    pub(super) picture: Option<Frame>,
    /// Its sound, where there is no picture that holds it.
    pub(super) pcm: Vec<f32>,
    /// The utterance that sounds, and how many of its samples have sounded when the period is over.
    pub(super) heard: Option<(u64, u64)>,
}

impl Period {
    /// Its sound, −1…1 at the rate of the answers.
    pub(super) fn sound(&self) -> &[f32] {
        self.picture.as_ref().map_or(&self.pcm, |picture| picture.audio())
    }
}

/// Who speaks.
#[derive(Debug)]
pub(super) enum Mouth {
    Face { reader: Box<FrameReader>, utterances: Utterances, rate: u32 },
    Voice { voice: Voice, rate: u32, periods: u64 },
}

impl Mouth {
    /// What comes next. Call it once in every period.
    pub(super) fn next(&mut self) -> Result<Period> {
        match self {
            Self::Face { reader, utterances, rate } => {
                let picture = reader.paced()?;
                let number = picture.utterance().and_then(|id| utterances.conversations(id));
                let samples = reader.fps().first_sample(picture.utterance_frame() + 1, *rate);
                let heard = number.map(|number| (number, samples));
                Ok(Period { picture: Some(picture), pcm: Vec::new(), heard })
            }
            Self::Voice { voice, rate, periods } => {
                let fps = plain()?;
                let count = fps.first_sample(*periods + 1, *rate) - fps.first_sample(*periods, *rate);
                *periods += 1;
                let (pcm, heard) = voice.sound(count as usize);
                Ok(Period { picture: None, pcm, heard })
            }
        }
    }

    /// Periods in a second.
    pub(super) fn fps(&self) -> Result<FrameRate> {
        match self {
            Self::Face { reader, .. } => Ok(reader.fps()),
            Self::Voice { .. } => plain(),
        }
    }
}

fn plain() -> Result<FrameRate> {
    FrameRate::new(PLAIN.0, PLAIN.1)
}

/// Answers without a face: what has come and has not sounded.
#[derive(Clone, Debug, Default)]
pub(super) struct Voice {
    utterances: Arc<Mutex<VecDeque<Spoken>>>,
}

#[derive(Debug, Default)]
struct Spoken {
    utterance: u64,
    pcm: VecDeque<i16>,
    sounded: u64,
    complete: bool,
}

impl Voice {
    /// `count` samples of the utterance that sounds, silence where there are fewer.
    fn sound(&self, count: usize) -> (Vec<f32>, Option<(u64, u64)>) {
        let mut utterances = self.lock();
        let (mut pcm, mut heard) = (Vec::with_capacity(count), None);
        if let Some(spoken) = utterances.front_mut() {
            let length = spoken.pcm.len().min(count);
            pcm.extend(spoken.pcm.drain(..length).map(|sample| f32::from(sample) / 32_768.0));
            spoken.sounded += length as u64;
            heard = (length > 0 || spoken.complete).then_some((spoken.utterance, spoken.sounded));
            if spoken.complete && spoken.pcm.is_empty() {
                utterances.pop_front();
            }
        }
        pcm.resize(count, 0.0);
        (pcm, heard)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Spoken>> {
        self.utterances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VoiceSink for Voice {
    fn take(&mut self, sound: Sound<'_>) {
        let mut utterances = self.lock();
        match sound {
            Sound::Begin(utterance) => utterances.push_back(Spoken { utterance, ..Spoken::default() }),
            Sound::Samples(utterance, pcm) => {
                if let Some(spoken) = utterances.iter_mut().find(|spoken| spoken.utterance == utterance) {
                    spoken.pcm.extend(pcm);
                }
            }
            Sound::End(utterance) => {
                if let Some(spoken) = utterances.iter_mut().find(|spoken| spoken.utterance == utterance) {
                    spoken.complete = true;
                }
            }
            Sound::Cut(utterance) => utterances.retain(|spoken| spoken.utterance != utterance),
            _ => {}
        }
    }

    fn tick(&mut self) -> Option<Duration> {
        None
    }

    fn waiting(&self) -> u64 {
        self.lock().iter().map(|spoken| spoken.pcm.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_sounds_in_order_and_a_cut_silences_it() {
        let mut voice = Voice::default();
        for sound in
            [Sound::Begin(1), Sound::Samples(1, &[8_192; 5]), Sound::Begin(2), Sound::Samples(2, &[1; 9])]
        {
            VoiceSink::take(&mut voice, sound);
        }
        assert_eq!(voice.sound(4), (vec![0.25; 4], Some((1, 4))));
        assert_eq!(voice.sound(4), (vec![0.25, 0.0, 0.0, 0.0], Some((1, 5))));
        assert_eq!(voice.sound(2), (vec![0.0; 2], None), "it is not over: more may come");
        VoiceSink::take(&mut voice, Sound::End(1));
        assert_eq!(voice.sound(1).1, Some((1, 5)), "its end is told once more");
        assert_eq!(voice.sound(4).1, Some((2, 4)));
        VoiceSink::take(&mut voice, Sound::Cut(2));
        assert_eq!((voice.sound(2), voice.waiting()), ((vec![0.0; 2], None), 0));
    }
}
