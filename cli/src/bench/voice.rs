use std::path::Path;

use musetalk_core::Result;

use crate::audio_file::AudioFile;

/// A voice in memory, of any length by repetition.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) rate: u32,
    samples: Vec<f32>,
    name: String,
}

impl Voice {
    /// Reads as much of a file as will be spoken.
    pub(super) fn read(path: &Path, seconds: u32) -> Result<Self> {
        let mut file = AudioFile::open(path)?;
        let rate = file.sample_rate();
        let most = seconds as usize * rate as usize;
        let mut samples = Vec::new();
        while samples.len() < most
            && let Some(block) = file.next_block()?
        {
            samples.extend_from_slice(block);
        }
        samples.truncate(most);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { rate, samples, name })
    }

    pub(super) fn about(&self) -> String {
        format!(
            "{}, {:.1} s at {} Hz",
            self.name,
            self.samples.len() as f64 / f64::from(self.rate),
            self.rate
        )
    }

    /// So many seconds of it from `start` seconds on, from the front again after its end.
    pub(super) fn take(&self, start: f64, seconds: f64) -> Vec<f32> {
        let at = |time: f64| (time * f64::from(self.rate)) as usize;
        let skipped = at(start) % self.samples.len().max(1);
        self.samples.iter().cycle().skip(skipped).take(at(seconds)).copied().collect()
    }

    /// Where, in seconds, at most `count` stretches of so many seconds start that are louder than the middle one.
    pub(super) fn loud(&self, seconds: f64, count: usize) -> Vec<f64> {
        let length = ((seconds * f64::from(self.rate)) as usize).max(1);
        let power: Vec<f32> =
            self.samples.chunks_exact(length).map(|chunk| chunk.iter().map(|s| s * s).sum()).collect();
        let mut sorted = power.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let loud: Vec<f64> = (0..power.len())
            .filter(|&at| power[at] >= middle)
            .map(|at| (at * length) as f64 / f64::from(self.rate))
            .collect();
        let step = loud.len().div_ceil(count.max(1)).max(1);
        if loud.is_empty() { vec![0.0] } else { loud.into_iter().step_by(step).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::Voice;

    #[test]
    fn a_voice_repeats_and_knows_where_it_is_loud() {
        let samples = [[0.0; 10], [1.0; 10], [0.0; 10], [0.5; 10]].concat();
        let voice = Voice { rate: 10, samples, name: String::new() };
        assert_eq!(voice.take(3.5, 1.0), [[0.5; 5], [0.0; 5]].concat());
        assert_eq!(voice.take(4.0, 8.0).len(), 80);
        assert_eq!(voice.loud(1.0, 9), [1.0, 3.0]);
    }
}
