//! Pictures of one rate shown at another: some are shown twice, or not at all; the sound is cut anew.

use std::ops::ControlFlow;

use musetalk_core::{FrameRate, Result};

/// Takes pictures at one rate and gives them at another. Every sample stays in its place.
#[derive(Debug)]
pub(crate) struct Retime {
    to: FrameRate,
    sample_rate: u32,
    /// The number of the picture being filled with sound.
    index: u64,
    picture: Option<Vec<u8>>,
    sound: Vec<f32>,
    /// Samples taken in, and given out.
    taken: u64,
    given: u64,
}

impl Retime {
    /// To this many pictures a second, with sound at `sample_rate`.
    pub(crate) fn new(to: FrameRate, sample_rate: u32) -> Self {
        Self { to, sample_rate, index: 0, picture: None, sound: Vec::new(), taken: 0, given: 0 }
    }

    /// Takes one picture and its sound, and gives those that are complete by now.
    pub(crate) fn frame(
        &mut self,
        rgb: &[u8],
        audio: &[f32],
        mut give: impl FnMut(&[u8], &[f32]) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        self.sound.extend_from_slice(audio);
        self.taken += audio.len() as u64;
        loop {
            if self.picture.is_none() && self.to.first_sample(self.index, self.sample_rate) < self.taken {
                self.picture = Some(rgb.to_vec());
            }
            let end = self.to.first_sample(self.index + 1, self.sample_rate);
            if end > self.taken {
                return Ok(ControlFlow::Continue(()));
            }
            let Some(picture) = self.picture.take() else { return Ok(ControlFlow::Continue(())) };
            let count = (end - self.given) as usize;
            let flow = give(&picture, &self.sound[..count])?;
            self.sound.drain(..count);
            self.given = end;
            self.index += 1;
            if flow.is_break() {
                return Ok(flow);
            }
        }
    }

    /// Gives the last picture, whose sound may be short.
    pub(crate) fn finish(self, give: impl FnOnce(&[u8], &[f32]) -> Result<ControlFlow<()>>) -> Result<()> {
        match self.picture {
            Some(picture) => give(&picture, &self.sound).map(drop),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every sample carries its number, every picture the number of its frame.
    fn retimed(from: FrameRate, to: FrameRate, rate: u32, samples: u64) -> Vec<(u8, Vec<f32>)> {
        let mut given = Vec::new();
        let mut retime = Retime::new(to, rate);
        for index in 0..from.frames_for(samples, rate) {
            let range = from.first_sample(index, rate)..from.first_sample(index + 1, rate).min(samples);
            let audio: Vec<f32> = range.map(|n| n as f32).collect();
            let flow = retime
                .frame(&[index as u8], &audio, |rgb, audio| {
                    given.push((rgb[0], audio.to_vec()));
                    Ok(ControlFlow::Continue(()))
                })
                .unwrap();
            assert!(flow.is_continue());
        }
        retime
            .finish(|rgb, audio| {
                given.push((rgb[0], audio.to_vec()));
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        given
    }

    #[test]
    fn every_sample_stays_and_every_picture_is_the_one_on_screen_at_its_time() {
        let rate = |n, d| FrameRate::new(n, d).unwrap();
        for from in [rate(25, 1), rate(30_000, 1001)] {
            for to in [rate(25, 1), rate(30, 1), rate(60, 1), rate(12, 1), rate(30_000, 1001), rate(50, 1)] {
                for hertz in [8_000, 11_025, 24_000, 44_100] {
                    for samples in [1, 319, 11_025, 40_001] {
                        let given = retimed(from, to, hertz, samples);
                        assert_eq!(given.len() as u64, to.frames_for(samples, hertz));
                        let all: Vec<f32> = given.iter().flat_map(|(_, audio)| audio.clone()).collect();
                        let expected: Vec<f32> = (0..samples).map(|n| n as f32).collect();
                        assert_eq!(all, expected);
                        for (index, (picture, _)) in given.iter().enumerate() {
                            let shown = from.frame_at(to.first_sample(index as u64, hertz), hertz);
                            assert_eq!(u64::from(*picture), shown);
                        }
                    }
                }
            }
        }
    }
}
