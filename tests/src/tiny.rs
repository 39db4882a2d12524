use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use musetalk_core::{Device, Engine};
use musetalk_models::PackBuilder;

/// The seed of every tiny checkpoint: results may then be compared across tests.
const SEED: u64 = 7;

/// A pack of random weights that makes a frame in under a millisecond; built once per process.
///
/// # Panics
///
/// If it cannot be built.
pub fn tiny_pack() -> &'static Path {
    static PACK: OnceLock<PathBuf> = OnceLock::new();
    PACK.get_or_init(|| {
        let folder = crate::scratch("tiny-pack");
        let (checkpoint, pack) = (folder.join("checkpoint"), folder.join("pack"));
        musetalk_models::tiny::write_checkpoint(&checkpoint, SEED)
            .expect("the tiny checkpoint can be written");
        PackBuilder::new(&checkpoint)
            .build(&pack, |_: musetalk_models::Progress<'_>| std::ops::ControlFlow::Continue(()))
            .expect("the tiny pack can be built");
        pack
    })
}

/// A copy of the tiny pack in `folder` that runs at another frame rate.
///
/// # Panics
///
/// If it cannot be written.
pub fn pack_at(folder: &Path, numerator: u32, denominator: u32) -> PathBuf {
    for entry in std::fs::read_dir(tiny_pack()).expect("the tiny pack can be listed") {
        let from = entry.expect("the tiny pack can be listed").path();
        let name = from.file_name().expect("a file has a name");
        std::fs::copy(&from, folder.join(name)).expect("a file can be copied");
    }
    let manifest = folder.join("pack.json");
    let text = std::fs::read_to_string(&manifest).expect("pack.json can be read");
    let compact: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(compact.contains("\"fps\": [ 25, 1 ]"), "pack.json states 25 frames per second: {compact}");
    let changed = compact.replace("\"fps\": [ 25, 1 ]", &format!("\"fps\": [ {numerator}, {denominator} ]"));
    std::fs::write(&manifest, changed).expect("pack.json can be written");
    folder.to_owned()
}

/// The tiny pack on one thread of the CPU; loaded once per process.
///
/// # Panics
///
/// If it cannot be loaded.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        crate::runtime();
        Engine::builder(tiny_pack())
            .device(Device::Cpu)
            .threads(1)
            .build()
            .expect("the tiny pack can be loaded")
    })
}
