//! What the tests share: a runtime library, a pack that runs in under a millisecond, a person, and a voice.
//!
//! Everything here is made from a seed in a moment, so that a clean clone can test the whole way from sample to pixel.

mod person;
mod signal;
mod tiny;

pub use person::{person, write_clips, write_person};
pub use signal::{Noise, babble, silence};
pub use tiny::{engine, pack_at, tiny_pack};

use std::path::PathBuf;

/// Makes sure that ONNX Runtime can be loaded, fetching it if no place has it. Cheap after the first call.
///
/// # Panics
///
/// If it cannot be had: no test of this crate can run then.
pub fn runtime() {
    static READY: std::sync::Once = std::sync::Once::new();
    READY.call_once(|| {
        if musetalk_core::runtime::search(None).found.is_none() {
            musetalk_cli::setup::ensure_runtime(musetalk_cli::progress::Progress::Plain)
                .expect("the tests need ONNX Runtime; run `musetalk setup`");
        }
    });
}

/// A folder for one test's files, empty, below the target directory; the next run of the same test program takes it again.
///
/// # Panics
///
/// If it cannot be made.
pub fn scratch(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("a test knows where it is");
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    // Without the hash that cargo gives every build.
    let stem = stem.rsplit_once('-').map_or(&*stem, |(stem, _)| stem);
    // From `target/debug/deps/program`.
    let target = program.ancestors().nth(2).unwrap_or(&program);
    let folder = target.join("scratch").join(stem).join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a scratch folder can be made");
    folder
}
