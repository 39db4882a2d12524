//! What a session has done so far; written by its threads and read by the host, without locks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets of the latency histogram: below 1 ms, below 2 ms, … doubling.
const BUCKETS: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) made: AtomicU64,
    pub(crate) still: AtomicU64,
    pub(crate) shown: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) late: AtomicU64,
    pub(crate) under_runs: AtomicU64,
    pub(crate) listen: Stage,
    pub(crate) hear: Stage,
    pub(crate) generate: Stage,
    pub(crate) decode: Stage,
    pub(crate) compose: Stage,
    latency: [AtomicU64; BUCKETS],
}

/// One stage of the way from sample to pixel.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    nanos: AtomicU64,
    calls: AtomicU64,
}

impl Stage {
    pub(crate) fn add(&self, time: Duration) {
        self.nanos.fetch_add(nanos(time), Relaxed);
        self.calls.fetch_add(1, Relaxed);
    }

    fn read(&self) -> StageTime {
        StageTime { total: Duration::from_nanos(self.nanos.load(Relaxed)), calls: self.calls.load(Relaxed) }
    }
}

impl Counters {
    pub(crate) fn add_latency(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - millis.leading_zeros()) as usize;
        self.latency[bucket.min(BUCKETS - 1)].fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self) -> Stats {
        Stats {
            made: self.made.load(Relaxed),
            still: self.still.load(Relaxed),
            shown: self.shown.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            late: self.late.load(Relaxed),
            under_runs: self.under_runs.load(Relaxed),
            listen: self.listen.read(),
            hear: self.hear.read(),
            generate: self.generate.read(),
            decode: self.decode.read(),
            compose: self.compose.read(),
            latency: std::array::from_fn(|bucket| self.latency[bucket].load(Relaxed)),
        }
    }
}

pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What a session has done so far. A snapshot: its numbers may be a frame apart from each other.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Frames that went through the networks.
    pub made: u64,
    /// Speech frames that needed no network, because the gate heard silence.
    pub still: u64,
    /// Frames handed to the host, idle ones included.
    pub shown: u64,
    /// Frames never made, because they would have been late.
    pub skipped: u64,
    /// Frames made but overtaken before the host asked.
    pub late: u64,
    /// Periods of `paced` in which an utterance had no frame ready.
    pub under_runs: u64,
    /// Resampling, log-mel, gate and windows.
    pub listen: StageTime,
    /// The audio encoder.
    pub hear: StageTime,
    /// The generator.
    pub generate: StageTime,
    /// The decoder.
    pub decode: StageTime,
    /// Resizing, blending and copying, on the host's thread.
    pub compose: StageTime,
    latency: [u64; BUCKETS],
}

impl Stats {
    /// The time within which this share (0…1) of the frames was ready after its audio was in, rounded up to a
    /// power of two milliseconds. Zero before the first frame.
    pub fn latency(&self, share: f64) -> Duration {
        let total: u64 = self.latency.iter().sum();
        let wanted = (total as f64 * share.clamp(0.0, 1.0)).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.latency.iter().enumerate() {
            seen += count;
            if total > 0 && seen >= wanted {
                return Duration::from_millis(1 << bucket);
            }
        }
        Duration::ZERO
    }
}

/// The time spent in one stage.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct StageTime {
    /// All calls together.
    pub total: Duration,
    /// How many calls.
    pub calls: u64,
}

impl StageTime {
    /// One call on average; zero before the first.
    pub fn mean(&self) -> Duration {
        u32::try_from(self.calls).ok().and_then(|calls| self.total.checked_div(calls)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_read_as_the_upper_edge_of_its_bucket() {
        let counters = Counters::default();
        assert_eq!(counters.read().latency(0.99), Duration::ZERO);
        for millis in [0, 3, 3, 100] {
            counters.add_latency(Duration::from_millis(millis));
        }
        assert_eq!(counters.read().latency(0.5), Duration::from_millis(4));
        assert_eq!(counters.read().latency(1.0), Duration::from_millis(128));
    }
}
