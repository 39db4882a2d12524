//! A model pack on a device, and the runtime library that it is loaded with.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Duration;

use musetalk_core::{AvatarOptions, Device, EngineBuilder, ErrorKind, runtime};
use pyo3::prelude::*;

use crate::avatar::{Avatar, fraction};
use crate::error::raise;
use crate::forked;
use crate::frame::format_named;
use crate::waiting::on_a_thread;

/// A model pack on one device. Heavy: load it once, share it between avatars and threads.
///
/// Loading blocks for as long as the pack takes, without the GIL; Ctrl-C works meanwhile. The ONNX Runtime library is that of the installed
/// `onnxruntime` package (or `onnxruntime-gpu`, `onnxruntime-openvino`), which is not imported; `runtime_library` names another one.
/// The first engine of a process decides for all.
///
/// Args:
///     pack: The pack's folder.
///     device: `"auto"`, `"cpu"`, `"cuda:0"`, `"directml:0"`, `"coreml"`, `"openvino"`.
///     threads: That share one network call on the CPU, 1 to 256; all cores by default.
///     spinning: Idle threads spin between operations: some milliseconds faster, and a core kept busy. Off by default.
///     max_batch: Frames of different avatars that share a call at most, 1 to 64.
///     runtime_library: The ONNX Runtime library to load.
///
/// Raises:
///     NotFoundError: the pack or ONNX Runtime is missing; the message names every place looked at.
///     CorruptError, IncompatibleError: the pack or the library cannot be used.
///     DeviceUnavailableError, UnsupportedError: the device does not start, or is not in this build.
///     OutOfMemoryError: the networks do not fit.
///     InvalidInputError: an option is out of range.
#[pyclass(frozen, weakref, module = "musetalk")]
pub(crate) struct Engine(pub(crate) musetalk_core::Engine);

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (pack, *, device="auto", threads=None, spinning=None, max_batch=None, runtime_library=None))]
    fn new(
        py: Python<'_>,
        pack: PathBuf,
        device: &str,
        threads: Option<usize>,
        spinning: Option<bool>,
        max_batch: Option<usize>,
        runtime_library: Option<PathBuf>,
    ) -> PyResult<Self> {
        let mut builder = builder(py, &pack, device, threads, runtime_library)?;
        if let Some(spinning) = spinning {
            builder = builder.spinning(spinning);
        }
        if let Some(frames) = max_batch {
            builder = builder.max_batch(frames);
        }
        let built = on_a_thread(py, move || builder.build())?;
        built.map(Self).map_err(|e| explained(py, e))
    }

    /// Open a prepared person. The first avatar of a file reads it; later ones share what was read.
    ///
    /// Args:
    ///     asset: The `.avatar` file.
    ///     sample_rate: Of the pushed PCM in Hz, 8 000 to 192 000; 24 000 by default.
    ///     format: Bytes of a pixel.
    ///     frames_ahead: Frames that may be made ahead of the reader, 4 to 1000; 12 by default.
    ///     frames_lent: Frames, and arrays of them, that you may hold at the same time, 1 to 1000; 4 by default.
    ///     buffer_seconds: Seconds of PCM that may wait, 1 to 3600; 120 by default.
    ///
    /// Raises:
    ///     NotFoundError, IoError, CorruptError: the file cannot be used.
    ///     IncompatibleError: it was made for another pack.
    ///     InvalidInputError: an option is out of range.
    ///     OutOfMemoryError: there is no room for that many frames.
    #[pyo3(signature = (asset, *, sample_rate=None, format="rgb8", frames_ahead=None, frames_lent=None, buffer_seconds=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn open_avatar(
        &self,
        py: Python<'_>,
        asset: PathBuf,
        sample_rate: Option<u32>,
        format: &str,
        frames_ahead: Option<usize>,
        frames_lent: Option<usize>,
        buffer_seconds: Option<u32>,
    ) -> PyResult<Avatar> {
        forked::check()?;
        let mut options = AvatarOptions::default();
        options.format = format_named(format)?;
        options.sample_rate = sample_rate.unwrap_or(options.sample_rate);
        options.frames_ahead = frames_ahead.unwrap_or(options.frames_ahead);
        options.frames_lent = frames_lent.unwrap_or(options.frames_lent);
        options.buffer_seconds = buffer_seconds.unwrap_or(options.buffer_seconds);
        let rate = options.sample_rate;
        let room = rate as usize * options.buffer_seconds as usize;
        let engine = self.0.clone();
        let opened = on_a_thread(py, move || engine.open_avatar_with(asset, options))?;
        Ok(Avatar::new(opened.map_err(raise)?, rate, room))
    }

    /// Where the networks run; never `"auto"`.
    #[getter]
    fn device(&self) -> String {
        self.0.device().to_string()
    }

    /// The rate of the frames.
    #[getter]
    fn fps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        fraction(py, self.0.pack().fps())
    }

    /// What it was loaded from.
    #[getter]
    fn pack(&self) -> Pack {
        let pack = self.0.pack();
        let manifest = pack.manifest();
        Pack {
            folder: pack.folder().to_owned(),
            name: manifest.name.clone(),
            description: manifest.description.clone(),
            precision: format!("{:?}", manifest.precision).to_lowercase(),
            encoder_identity: pack.encoder_identity().to_owned(),
        }
    }

    /// The ONNX Runtime library of this process.
    #[getter]
    fn runtime_library(&self) -> PathBuf {
        self.0.runtime().path().to_owned()
    }

    /// Its version.
    #[getter]
    fn runtime_version(&self) -> &str {
        self.0.runtime().version()
    }

    /// Sound beyond the end of a frame that must be known before it is made, at most.
    #[pyo3(signature = (sample_rate=24_000))]
    fn look_ahead(&self, sample_rate: u32) -> PyResult<Duration> {
        self.0.look_ahead(sample_rate).map_err(raise)
    }

    fn __repr__(&self) -> String {
        format!("<musetalk.Engine {:?} on {}>", self.0.pack().manifest().name, self.0.device())
    }
}

/// What every caller that loads networks may choose.
pub(crate) fn builder(
    py: Python<'_>,
    pack: &Path,
    device: &str,
    threads: Option<usize>,
    runtime_library: Option<PathBuf>,
) -> PyResult<EngineBuilder> {
    let device: Device = device.parse().map_err(raise)?;
    let mut builder = musetalk_core::Engine::builder(pack).device(device);
    if let Some(threads) = threads {
        builder = builder.threads(threads);
    }
    if let Some(path) = runtime_library {
        builder = builder.runtime_library(path);
    }
    find_package(py)?;
    Ok(builder)
}

/// What an engine was loaded from.
#[pyclass(frozen, get_all, module = "musetalk")]
pub(crate) struct Pack {
    folder: PathBuf,
    name: String,
    description: String,
    /// `"fp32"` or `"fp16"`.
    precision: String,
    /// Avatars made with one encoder work with every pack that has it.
    encoder_identity: String,
}

#[pymethods]
impl Pack {
    fn __repr__(&self) -> String {
        format!("<musetalk.Pack {:?} in {}>", self.name, self.precision)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if forked::is_forked() {
            // The last handle would wait for a thread that is in the parent.
            let _kept = ManuallyDrop::new(self.0.clone());
        }
    }
}

/// Tells the core where the `onnxruntime` package of this Python lies. Finds it without importing it: packages for other devices
/// (`onnxruntime-gpu`, `onnxruntime-openvino`) go by the same name.
pub(crate) fn find_package(py: Python<'_>) -> PyResult<()> {
    forked::starting(py)?;
    let folder: Option<PathBuf> =
        py.import("musetalk._command")?.getattr("runtime_folder")?.call0()?.extract()?;
    runtime::set_python_package(folder);
    Ok(())
}

/// The exception, with what to type in Python where the runtime library is missing.
fn explained(py: Python<'_>, error: musetalk_core::Error) -> PyErr {
    let missing = error.kind() == ErrorKind::NotFound && error.to_string().starts_with("ONNX Runtime");
    let raised = raise(error);
    if missing {
        let hint = "In Python: pip install \"musetalk[cpu]\" (or [gpu], [openvino])";
        // A note that cannot be added is no reason for another error.
        drop(raised.value(py).call_method1("add_note", (hint,)));
    }
    raised
}
