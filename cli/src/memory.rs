//! Memory of this process that no file backs: what a machine runs out of. A mapped file can always be dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// How much this process has, in bytes; `None` where the system does not say.
pub(crate) fn now() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The most that this process has had since some moment, seen by looking every few milliseconds.
pub(crate) struct Peak {
    before: Option<u64>,
    most: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Peak {
    /// Watches from now on.
    pub(crate) fn watch() -> Self {
        let before = now();
        let (most, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let watcher = before.map(|_| {
            let (most, stop) = (Arc::clone(&most), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Relaxed) {
                    most.fetch_max(now().unwrap_or(0), Relaxed);
                    std::thread::sleep(Duration::from_millis(4));
                }
            })
        });
        Self { before, most, stop, watcher }
    }

    /// How much more than at that moment, in bytes; `None` where the system does not say.
    pub(crate) fn added(&self) -> Option<u64> {
        let most = self.most.load(Relaxed).max(now()?);
        Some(most.saturating_sub(self.before?))
    }
}

impl Drop for Peak {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(watcher) = self.watcher.take() {
            // It only looks and sleeps; there is nothing to hear from it.
            let _panicked = watcher.join().is_err();
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_that_came_and_went_is_seen() {
        const MUCH: usize = 64 << 20;
        let peak = Peak::watch();
        let block = std::hint::black_box(vec![1_u8; MUCH]);
        std::thread::sleep(Duration::from_millis(100));
        drop(block);
        let added = peak.added().unwrap();
        assert!(added >= MUCH as u64, "{added}");
    }
}
