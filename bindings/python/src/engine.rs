//! A model pack on a device, and the runtime library that it is loaded with.

use std::path::PathBuf;
use std::time::Duration;

use musetalk_core::{AvatarOptions, Device, ErrorKind, runtime};
use pyo3::prelude::*;

use crate::avatar::{Avatar, fraction};
use crate::error::raise;
use crate::frame::format_named;
use crate::waiting::on_a_thread;

/// A model pack on one device.
#[pyclass(frozen, module = "musetalk")]
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
        let device: Device = device.parse().map_err(raise)?;
        let mut builder = musetalk_core::Engine::builder(pack).device(device);
        if let Some(threads) = threads {
            builder = builder.threads(threads);
        }
        if let Some(spinning) = spinning {
            builder = builder.spinning(spinning);
        }
        if let Some(frames) = max_batch {
            builder = builder.max_batch(frames);
        }
        if let Some(path) = runtime_library {
            builder = builder.runtime_library(path);
        }
        find_package(py)?;
        let built = on_a_thread(py, move || builder.build())?;
        built.map(Self).map_err(|e| explained(py, e))
    }

    #[pyo3(signature = (asset, *, sample_rate=None, format="rgb8", frames_ahead=None, frames_lent=None, buffer_seconds=None))]
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
        let mut options = AvatarOptions::default();
        options.format = format_named(format)?;
        options.sample_rate = sample_rate.unwrap_or(options.sample_rate);
        options.frames_ahead = frames_ahead.unwrap_or(options.frames_ahead);
        options.frames_lent = frames_lent.unwrap_or(options.frames_lent);
        options.buffer_seconds = buffer_seconds.unwrap_or(options.buffer_seconds);
        let room = options.sample_rate as usize * options.buffer_seconds as usize;
        let engine = self.0.clone();
        let opened = on_a_thread(py, move || engine.open_avatar_with(asset, options))?;
        Ok(Avatar::new(opened.map_err(raise)?, room))
    }

    #[getter]
    fn device(&self) -> String {
        self.0.device().to_string()
    }

    #[getter]
    fn fps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        fraction(py, self.0.pack().fps())
    }

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

    #[getter]
    fn runtime_library(&self) -> PathBuf {
        self.0.runtime().path().to_owned()
    }

    #[getter]
    fn runtime_version(&self) -> &str {
        self.0.runtime().version()
    }

    #[pyo3(signature = (sample_rate=24_000))]
    fn look_ahead(&self, sample_rate: u32) -> PyResult<Duration> {
        self.0.look_ahead(sample_rate).map_err(raise)
    }

    fn __repr__(&self) -> String {
        format!("<musetalk.Engine {:?} on {}>", self.0.pack().manifest().name, self.0.device())
    }
}

/// The pack of an engine.
#[pyclass(frozen, get_all, module = "musetalk")]
pub(crate) struct Pack {
    folder: PathBuf,
    name: String,
    description: String,
    precision: String,
    encoder_identity: String,
}

#[pymethods]
impl Pack {
    fn __repr__(&self) -> String {
        format!("<musetalk.Pack {:?} in {}>", self.name, self.precision)
    }
}

/// Tells the core where the `onnxruntime` package of this Python lies. Finds it without importing it: packages for other devices
/// (`onnxruntime-gpu`, `onnxruntime-openvino`) go by the same name.
pub(crate) fn find_package(py: Python<'_>) -> PyResult<()> {
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
