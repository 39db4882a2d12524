//! The self-test as it runs by itself: once for each network, device and driver, when the network is first loaded there.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::{Record, SelfTest};
use crate::cache::cache_dir;
use crate::device::Device;
use crate::files;
use crate::pack::{ModelPack, hex};
use crate::runtime::{Network, RuntimeLibrary};
use crate::{Error, Result};

/// The note that a network was seen to be computed soundly by a device.
#[derive(Debug)]
pub(crate) struct Guard {
    /// `None` where there is no cache: the test then runs at every start.
    place: Option<PathBuf>,
    /// For people who look into their cache.
    words: String,
}

/// Not every system says when its driver changed.
const BELIEVED_FOR: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Examines a network that was just loaded, unless it has passed here before. The CPU is not suspected: its arithmetic is ONNX
/// Runtime's own, which has no driver, and a self-test at every first start would cost a second of each full-size network.
pub(crate) fn guard(
    pack: &ModelPack,
    library: &RuntimeLibrary,
    role: &str,
    network: &mut Network,
    device: Device,
) -> Result<()> {
    if device == Device::Cpu || pack.manifest().self_test.is_none() {
        return Ok(());
    }
    let guard = Guard::new(pack, library, role, device);
    if guard.passed_before(SystemTime::now()) {
        return Ok(());
    }
    let found = Record::of(pack)?.examine(pack, role, network, device)?;
    let (runtime, precision) = (library.version().to_owned(), pack.manifest().precision);
    let networks = found.into_iter().collect();
    SelfTest { device, runtime, precision, networks, untested: Vec::new() }.check()?;
    guard.keep();
    Ok(())
}

impl Guard {
    fn new(pack: &ModelPack, library: &RuntimeLibrary, role: &str, device: Device) -> Self {
        let manifest = pack.manifest();
        let (runtime, device) = (library.version(), device.to_string());
        // The manifest names every file by its content, so the same pack in another folder need not be tested again.
        let name = key([&format!("{manifest:?}"), role, &device, runtime, &driver()]);
        let words =
            format!("network {role} of pack {} passed on {device}, ONNX Runtime {runtime}\n", manifest.name);
        Self { place: cache_dir().map(|cache| cache.join("self-tests").join(name)), words }
    }

    fn passed_before(&self, now: SystemTime) -> bool {
        let noted = || {
            let metadata = std::fs::symlink_metadata(self.place.as_ref()?).ok()?;
            // A note of the future was written by a clock that cannot be trusted.
            let age = now.duration_since(metadata.modified().ok()?).ok()?;
            Some(metadata.is_file() && age < BELIEVED_FOR)
        };
        noted().unwrap_or(false)
    }

    fn keep(&self) {
        let Some(place) = &self.place else { return };
        let kept = match place.parent().map(std::fs::create_dir_all) {
            Some(Err(e)) => Err(Error::io("create the folder of", place, e)),
            _ => files::write_whole(place, self.words.as_bytes()),
        };
        if let Err(error) = kept {
            // Only the next start takes longer for it.
            log::debug!("no note of the self-test was kept: {error}");
        }
    }
}

/// One name for all of these; no two lists of parts share it.
fn key(parts: [&str; 5]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    hex(&digest.finalize())
}

/// What tells one driver from the next, where the system says so.
fn driver() -> String {
    std::fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: Option<PathBuf>) -> Guard {
        Guard { place, words: "passed\n".to_owned() }
    }

    #[test]
    fn what_passed_is_believed_for_a_while() {
        let folder = std::env::temp_dir().join(format!("musetalk-guard-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        let guard = at(Some(folder.join("self-tests").join("key")));
        let now = SystemTime::now();
        assert!(!guard.passed_before(now));
        guard.keep();
        assert!(guard.passed_before(SystemTime::now()));
        assert!(!guard.passed_before(now + BELIEVED_FOR + Duration::from_secs(60)), "too long ago");
        assert!(!guard.passed_before(now - Duration::from_secs(60)), "the clock was set back");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn without_a_cache_it_is_tested_every_time() {
        let file = std::env::temp_dir().join(format!("musetalk-guard-file-{}", std::process::id()));
        std::fs::write(&file, "not a folder").unwrap();
        for guard in [at(None), at(Some(file.join("key")))] {
            guard.keep();
            assert!(!guard.passed_before(SystemTime::now()));
        }
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn every_part_makes_another_key() {
        let parts = ["manifest", "decoder", "cuda:0", "1.31.1", "580.1"];
        let mut keys = vec![key(parts)];
        for at in 0..parts.len() {
            let mut other = parts;
            other[at] = "other";
            keys.push(key(other));
        }
        keys.push(key(["manifestd", "ecoder", "cuda:0", "1.31.1", "580.1"]));
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
