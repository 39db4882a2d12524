//! What the tests share: folders that go away, and ONNX Runtime where it can be found.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use musetalk_models::{BuiltPack, Error, ErrorKind, PackBuilder, Progress};
use ort::environment::Environment;
use ort::session::Session;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed at the end of a test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let name = format!("musetalk-models-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Names of everything inside, hidden files too.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub(crate) fn go_on(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A tiny checkpoint in `folder/checkpoint`.
pub(crate) fn tiny(folder: &Folder) -> PathBuf {
    let checkpoint = folder.join("checkpoint");
    musetalk_models::tiny::write_checkpoint(&checkpoint, 1).unwrap();
    checkpoint
}

pub(crate) fn build(checkpoint: &Path, out: &Path) -> Result<BuiltPack, Error> {
    PackBuilder::new(checkpoint).build(out, go_on)
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// ONNX Runtime, fetched if no place has it.
pub(crate) fn runtime() -> &'static Environment {
    static RUNTIME: OnceLock<Environment> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        // A process has one environment, and here it is not the core's.
        let library = musetalk_cli::setup::place_runtime(musetalk_cli::progress::Progress::Plain).unwrap();
        ort::init_from(library).unwrap().build().unwrap()
    })
}

/// A graph ready to run.
pub(crate) fn session(file: &Path) -> Session {
    Session::builder(runtime()).unwrap().commit_from_file(file).unwrap()
}

/// Builds `folder/checkpoint`, which is refused; nothing is left behind.
pub(crate) fn refused_build(folder: &Folder) -> Error {
    let error = build(&folder.join("checkpoint"), &folder.join("out.pack")).unwrap_err();
    println!("{:?}: {error}", error.kind());
    assert_eq!(folder.names(), ["checkpoint"], "nothing is left behind");
    error
}

/// An error of this kind, with these words in it.
#[track_caller]
pub(crate) fn expect(error: &Error, kind: ErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} is missing from: {error}");
    }
}
