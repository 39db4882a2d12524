//! What the figures were measured on. A figure without it means nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::Bench;
use crate::doctor::processor_name;

/// The machine and what runs on it.
pub(super) struct Machine {
    processor: String,
    cores: usize,
    runtime: String,
    device: String,
    threads: usize,
    date: String,
    load: String,
    pack: String,
    avatar: String,
    voice: String,
}

impl Machine {
    pub(super) fn look(bench: &Bench) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (engine, asset) = (&bench.engine, &bench.asset);
        let manifest = engine.pack().manifest();
        Self {
            processor: processor_name(),
            cores,
            runtime: engine.runtime().version().to_owned(),
            device: engine.device().to_string(),
            threads: bench.threads.unwrap_or(cores),
            date: date(),
            load: load(),
            pack: format!("{}, {} px", manifest.name, manifest.image.size),
            avatar: format!("{}, {}×{}", asset.name(), asset.width(), asset.height()),
            voice: bench.voice.about(),
        }
    }

    pub(super) fn in_words(&self) -> Vec<String> {
        let (cores, threads) = (self.cores, self.threads);
        vec![
            format!("machine  {}, {cores} cores, load at the start: {}", self.processor, self.load),
            format!("runtime  ONNX Runtime {} on {}, threads: {threads}", self.runtime, self.device),
            format!("pack     {}", self.pack),
            format!("avatar   {}", self.avatar),
            format!("voice    {}", self.voice),
            format!("date     {}", self.date),
        ]
    }

    pub(super) fn json(&self) -> Map<String, Value> {
        let object = json!({
            "processor": self.processor, "cores": self.cores, "onnxruntime": self.runtime, "device": self.device,
            "threads": self.threads, "date": self.date, "load_at_the_start": self.load, "pack": self.pack,
            "avatar": self.avatar, "voice": self.voice,
        });
        object.as_object().cloned().unwrap_or_default()
    }
}

/// Processes that want to run, over 1, 5 and 15 minutes.
pub(super) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let numbers: Vec<&str> = text.split_whitespace().take(3).collect();
    if numbers.is_empty() { "unknown".to_owned() } else { numbers.join(" ") }
}

/// Now, as `2026-01-31 12:34 UTC`.
fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600 % 24, seconds / 60 % 60)
}

/// The date of a day counted from 1970-01-01. Years start in March here, so that a leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_779), (2026, 11, 22));
    }
}
