//! What the tests share: folders that go away, and ONNX Runtime where it can be found.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use musetalk_models::{BuiltPack, Error, PackBuilder, Progress};
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

/// ONNX Runtime, or `None` and a line that says so.
pub(crate) fn runtime() -> Option<&'static Environment> {
    static RUNTIME: OnceLock<Option<Environment>> = OnceLock::new();
    let found = RUNTIME.get_or_init(|| {
        let library = library()?;
        Some(ort::init_from(library).unwrap().build().unwrap())
    });
    if found.is_none() {
        println!(
            "SKIPPED: no ONNX Runtime; set ORT_DYLIB_PATH or install the onnxruntime package for python3"
        );
    }
    found.as_ref()
}

fn library() -> Option<PathBuf> {
    let named = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| {
        let find =
            "import onnxruntime, os; print(os.path.join(os.path.dirname(onnxruntime.__file__), 'capi'))";
        let output = std::process::Command::new("python3").args(["-c", find]).output().ok()?;
        let folder = String::from_utf8(output.stdout).ok()?;
        first_library(Path::new(folder.trim()))
    })
}

fn first_library(folder: &Path) -> Option<PathBuf> {
    let names = ["libonnxruntime.so", "libonnxruntime.dylib", "onnxruntime.dll", "libonnxruntime."];
    let entries: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.filter_map(|e| Some(e.ok()?.path())).collect();
    let starts =
        |path: &Path, name: &str| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(name));
    names.iter().find_map(|name| entries.iter().find(|path| starts(path, name)).cloned())
}

/// A graph ready to run.
pub(crate) fn session(pack: &Path, network: &str) -> Option<Session> {
    let file = pack.join(format!("{network}.onnx"));
    Some(Session::builder(runtime()?).unwrap().commit_from_file(file).unwrap())
}
