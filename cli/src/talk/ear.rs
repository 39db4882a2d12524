//! The person's voice, a period at a time: from a recording, from a microphone, and silence where neither says anything.

use std::collections::VecDeque;
use std::path::Path;

use musetalk_core::{ErrorKind, Result};

use super::resample::{Resample, to_i16};
use crate::audio_file::AudioFile;

/// What the server hears.
#[derive(Debug)]
pub(super) struct Ear {
    rate: u32,
    recording: Option<Recording>,
    waiting: VecDeque<i16>,
    converted: Vec<f32>,
}

/// A file on its way.
#[derive(Debug)]
struct Recording {
    file: AudioFile,
    resample: Resample,
    /// Samples that are still to come, where not all of it is wanted.
    left: Option<u64>,
}

impl Ear {
    /// Silence, at this rate.
    pub(super) fn new(rate: u32) -> Self {
        Self { rate, recording: None, waiting: VecDeque::new(), converted: Vec::new() }
    }

    /// Lets a file be heard from its start, all of it or these seconds; what was heard before breaks off.
    pub(super) fn play(&mut self, path: &Path, seconds: Option<f64>) -> Result<()> {
        let file = AudioFile::open(path)?;
        let resample = Resample::new(file.sample_rate(), self.rate)?;
        let left = seconds.map(|seconds| (seconds * f64::from(self.rate)) as u64);
        self.recording = Some(Recording { file, resample, left });
        self.waiting.clear();
        Ok(())
    }

    /// The next `count` samples.
    pub(super) fn listen(&mut self, count: usize) -> Result<Vec<i16>> {
        while self.waiting.len() < count && self.recording.is_some() {
            self.read()?;
        }
        let length = self.waiting.len().min(count);
        let mut pcm: Vec<i16> = self.waiting.drain(..length).collect();
        pcm.resize(count, 0);
        Ok(pcm)
    }

    /// Nothing but silence will come.
    pub(super) fn is_silent(&self) -> bool {
        self.recording.is_none() && self.waiting.is_empty()
    }

    fn read(&mut self) -> Result<()> {
        let Some(recording) = &mut self.recording else { return Ok(()) };
        self.converted.clear();
        let more = match recording.file.next_block()? {
            Some(block) => {
                recording.resample.push(block, &mut self.converted)?;
                true
            }
            None => {
                recording.resample.finish(&mut self.converted)?;
                false
            }
        };
        let length =
            recording.left.map_or(self.converted.len(), |left| (left as usize).min(self.converted.len()));
        self.waiting.extend(self.converted[..length].iter().copied().map(to_i16));
        if let Some(left) = &mut recording.left {
            *left -= length as u64;
        }
        if !more || recording.left == Some(0) {
            self.recording = None;
        }
        Ok(())
    }
}

/// Reads a file to its end, so that one that is damaged in the middle is refused before anybody speaks; its seconds.
pub(super) fn check(path: &Path) -> Result<f64> {
    let mut file = AudioFile::open(path)?;
    let mut samples = 0;
    while let Some(block) = file.next_block()? {
        crate::cancel::check()?;
        samples += block.len() as u64;
    }
    if samples == 0 {
        let sentence = format!("the recording holds no sound: {}", path.display());
        return Err(musetalk_core::Error::new(ErrorKind::InvalidInput, sentence));
    }
    Ok(samples as f64 / f64::from(file.sample_rate()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_files::DemoFiles;

    #[test]
    fn a_recording_is_heard_in_pieces_and_silence_follows() {
        let files = DemoFiles::find().unwrap();
        let voice = files.voice().unwrap();
        let mut ear = Ear::new(16_000);
        assert!(ear.is_silent() && ear.listen(5).unwrap() == [0; 5]);
        ear.play(voice, Some(0.5)).unwrap();
        let mut heard = Vec::new();
        while !ear.is_silent() {
            heard.extend(ear.listen(640).unwrap());
        }
        assert_eq!(heard.len(), 13 * 640, "half a second in periods of 40 ms");
        assert!(heard[6_000..8_000].iter().any(|sample| sample.abs() > 1_000));
        assert!(heard[8_000..].iter().all(|sample| *sample == 0));
        assert!((check(voice).unwrap() - 12.3).abs() < 0.1);
    }
}
