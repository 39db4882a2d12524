//! What a render measured, in words and as JSON.

use std::path::Path;
use std::time::{Duration, Instant};

use musetalk_core::{StageTime, Stats};
use serde_json::{Value, json};

/// A clock for one render, running.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    first: Option<Duration>,
    frames: u64,
    samples: u64,
}

/// What the clock had measured when it was stopped.
#[derive(Debug)]
pub(crate) struct Figures {
    frames: u64,
    wall: Duration,
    first_frame: Duration,
    speech: Duration,
    stats: Stats,
}

impl Clock {
    /// Starts when the first sound is pushed.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), first: None, frames: 0, samples: 0 }
    }

    /// One more picture has come, with this many samples.
    pub(crate) fn frame(&mut self, samples: usize) {
        self.first.get_or_insert_with(|| self.started.elapsed());
        self.frames += 1;
        self.samples += samples as u64;
    }

    /// Reads the clock.
    pub(crate) fn read(&self, sample_rate: u32, stats: Stats) -> Figures {
        Figures {
            frames: self.frames,
            wall: self.started.elapsed(),
            first_frame: self.first.unwrap_or_default(),
            speech: Duration::from_secs_f64(self.samples as f64 / f64::from(sample_rate)),
            stats,
        }
    }
}

impl Figures {
    fn frames_per_second(&self) -> f64 {
        self.frames as f64 / self.wall.as_secs_f64().max(1e-9)
    }

    fn real_time_factor(&self) -> f64 {
        self.wall.as_secs_f64() / self.speech.as_secs_f64().max(1e-9)
    }

    /// Every stage with its name. They overlap: the device, the compositor and the encoder work side by side.
    fn stages(&self) -> [(&'static str, &'static str, StageTime); 5] {
        let stats = &self.stats;
        [
            ("listen", "resampling, spectrum, gate", stats.listen),
            ("hear", "audio encoder", stats.hear),
            ("generate", "generator", stats.generate),
            ("decode", "decoder", stats.decode),
            ("compose", "blending into the footage", stats.compose),
        ]
    }

    /// For a person.
    pub(crate) fn in_words(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{:8.1} frames per second", self.frames_per_second()),
            format!("{:8.0} ms from the first sound to the first frame", millis(self.first_frame)),
            format!("{:8.2} real-time factor (below 1 is faster than speech)", self.real_time_factor()),
            format!("         where the time went, per frame of {}:", self.frames),
        ];
        let per_frame = |time: Duration| millis(time) / self.frames.max(1) as f64;
        let mut total = Duration::ZERO;
        for (_, what, stage) in self.stages() {
            lines.push(format!("{:8.2} ms {what}", per_frame(stage.total)));
            total += stage.total;
        }
        let rest = per_frame(self.wall.saturating_sub(total));
        lines.push(format!("{rest:8.2} ms everything else"));
        let still = self.stats.still;
        if still > 0 {
            lines.push(format!("         {still} frames were silence and needed no network"));
        }
        lines
    }

    /// For a program. `frames` is that of the whole video, the other figures those of the measured part.
    pub(crate) fn json(&self, frames: u64, out: &Path) -> Value {
        let stages: serde_json::Map<String, Value> = self
            .stages()
            .into_iter()
            .map(|(name, _, stage)| {
                (name.to_owned(), json!({ "total_ms": rounded(millis(stage.total)), "calls": stage.calls }))
            })
            .collect();
        json!({
            "frames_per_second": rounded(self.frames_per_second()),
            "first_frame_ms": rounded(millis(self.first_frame)),
            "real_time_factor": rounded(self.real_time_factor()),
            "frames": frames,
            "measured_frames": self.frames,
            "still_frames": self.stats.still,
            "seconds": rounded(self.wall.as_secs_f64()),
            "stages": stages,
            "out": out.display().to_string(),
        })
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
