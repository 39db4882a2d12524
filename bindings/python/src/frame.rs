//! What a host reads: pictures, positions, figures.

use std::ffi::c_int;
use std::time::Duration;

use musetalk_core as core;
use musetalk_core::{PixelFormat, UtteranceId};
use pyo3::ffi;
use pyo3::prelude::*;

use crate::buffer::{Keep, Layout, Memory, as_array, lend};
use crate::error::invalid;

/// One picture with the samples that sound while it is on screen.
///
/// Lent by the library: the frame, and every array and view of it, keeps its memory out of the pool of `frames_lent`. Copy what you keep.
#[pyclass(frozen, weakref, module = "musetalk")]
pub(crate) struct Frame {
    inner: core::Frame,
    layout: Layout,
}

impl Frame {
    pub(crate) fn new(inner: core::Frame) -> Self {
        let layout = Layout::picture(inner.width(), inner.height(), inner.format());
        Self { inner, layout }
    }

    pub(crate) fn samples(&self) -> &[f32] {
        self.inner.audio()
    }

    pub(crate) fn audio_len(&self) -> usize {
        self.inner.audio().len()
    }
}

#[pymethods]
impl Frame {
    /// `(height, width, channels)`, rows from top to bottom: a read-only view of library memory, no copy.
    #[getter]
    fn image<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        as_array(slf.as_any())
    }

    /// The samples of this picture, at the pushed rate, a read-only view. Those of consecutive frames tile the utterance; empty while idle,
    /// except from `paced`.
    #[getter]
    fn audio<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Memory::array(slf.py(), Keep::Sound(slf.clone().unbind()))
    }

    #[getter]
    fn width(&self) -> u32 {
        self.inner.width()
    }

    #[getter]
    fn height(&self) -> u32 {
        self.inner.height()
    }

    #[getter]
    fn format(&self) -> &'static str {
        format_name(self.inner.format())
    }

    /// The number among all pictures that this reader gave, from 0.
    #[getter]
    fn index(&self) -> u64 {
        self.inner.index()
    }

    /// The utterance whose speech it shows; `None` for idle and closing pictures.
    #[getter]
    fn utterance(&self) -> Option<u64> {
        self.inner.utterance().map(UtteranceId::get)
    }

    /// Its number in its utterance, from 0.
    #[getter]
    fn utterance_frame(&self) -> u64 {
        self.inner.utterance_frame()
    }

    /// When to show it: since the first sample of its utterance; from `paced`, since the first call.
    #[getter]
    fn pts(&self) -> Duration {
        self.inner.pts()
    }

    /// The position in the base cycle.
    #[getter]
    fn cycle_index(&self) -> u32 {
        self.inner.cycle_index()
    }

    /// The clip that base frame belongs to, as an index of `AvatarAsset.clips`.
    #[getter]
    fn clip(&self) -> usize {
        self.inner.clip()
    }

    /// Where it differs from base frame `cycle_index`; empty while idle.
    #[getter]
    fn region(&self) -> Region {
        self.inner.region().into()
    }

    /// Where it may differ from the picture with this `index`.
    fn changed_since(&self, previous: u64) -> Region {
        self.inner.changed_since(previous).into()
    }

    fn __repr__(&self) -> String {
        let (width, height, index) = (self.width(), self.height(), self.index());
        let of = match self.utterance() {
            Some(utterance) => format!("frame {} of utterance {utterance}", self.utterance_frame()),
            None => "idle".to_owned(),
        };
        format!("<musetalk.Frame {index}: {width}×{height} {}, {of}>", self.format())
    }

    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let Self { inner, layout } = slf.get();
        // SAFETY: the interpreter calls this with a view; the class is frozen, so pixels and layout stay as they are until the last
        // view has gone and the frame goes back to its pool.
        unsafe { lend(slf.clone().into_any(), inner.pixels(), layout, view, flags) }
    }
}

pub(crate) fn format_name(format: PixelFormat) -> &'static str {
    match format {
        PixelFormat::Rgba8 => "rgba8",
        PixelFormat::Bgra8 => "bgra8",
        _ => "rgb8",
    }
}

pub(crate) fn format_named(name: &str) -> PyResult<PixelFormat> {
    match name {
        "rgb8" => Ok(PixelFormat::Rgb8),
        "rgba8" => Ok(PixelFormat::Rgba8),
        "bgra8" => Ok(PixelFormat::Bgra8),
        _ => Err(invalid(format!("format is {name:?}; use \"rgb8\", \"rgba8\" or \"bgra8\""))),
    }
}

/// A rectangle of pixels. False when it is empty.
#[pyclass(frozen, eq, hash, get_all, skip_from_py_object, module = "musetalk")]
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct Region {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl From<core::Region> for Region {
    fn from(region: core::Region) -> Self {
        let core::Region { x, y, width, height } = region;
        Self { x, y, width, height }
    }
}

#[pymethods]
impl Region {
    fn __bool__(&self) -> bool {
        self.width > 0 && self.height > 0
    }

    fn __repr__(&self) -> String {
        let Self { x, y, width, height } = self;
        format!("Region(x={x}, y={y}, width={width}, height={height})")
    }
}

/// How much of an utterance the listener has heard: samples that have left the loudspeaker, at the pushed rate.
#[pyclass(frozen, eq, hash, get_all, from_py_object, module = "musetalk")]
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct Heard {
    utterance: u64,
    samples: u64,
}

impl Heard {
    pub(crate) fn of(heard: core::Heard) -> Self {
        Self { utterance: heard.utterance.get(), samples: heard.samples }
    }

    pub(crate) fn known(self) -> PyResult<core::Heard> {
        let utterance = utterance(self.utterance)?;
        Ok(core::Heard { utterance, samples: self.samples })
    }
}

/// The utterance with this number.
pub(crate) fn utterance(number: u64) -> PyResult<UtteranceId> {
    UtteranceId::new(number).ok_or_else(|| invalid("utterance is 0; they are numbered from 1"))
}

#[pymethods]
impl Heard {
    #[new]
    #[pyo3(signature = (utterance, samples))]
    fn new(utterance: u64, samples: u64) -> PyResult<Self> {
        Self { utterance, samples }.known().map(Self::of)
    }

    /// Everything of an utterance: its sound has ended. To be said once.
    #[staticmethod]
    fn all(utterance: u64) -> PyResult<Self> {
        Self::new(utterance, u64::MAX)
    }

    /// For `pickle` and `copy`: positions travel between processes.
    fn __getnewargs__(&self) -> (u64, u64) {
        (self.utterance, self.samples)
    }

    fn __repr__(&self) -> String {
        format!("Heard(utterance={}, samples={})", self.utterance, self.samples)
    }
}

/// What a session has done so far. A snapshot.
#[pyclass(frozen, module = "musetalk")]
pub(crate) struct Stats(pub(crate) core::Stats);

#[pymethods]
impl Stats {
    /// Frames that went through the networks.
    #[getter]
    fn made(&self) -> u64 {
        self.0.made
    }

    /// Speech frames that needed no network: silence.
    #[getter]
    fn still(&self) -> u64 {
        self.0.still
    }

    /// Frames handed out, idle ones included.
    #[getter]
    fn shown(&self) -> u64 {
        self.0.shown
    }

    /// Frames never made, because they would have been late.
    #[getter]
    fn skipped(&self) -> u64 {
        self.0.skipped
    }

    /// Frames made but overtaken.
    #[getter]
    fn late(&self) -> u64 {
        self.0.late
    }

    /// Periods of `paced` in which an utterance had no frame ready.
    #[getter]
    fn under_runs(&self) -> u64 {
        self.0.under_runs
    }

    #[getter]
    fn listen(&self) -> StageTime {
        self.0.listen.into()
    }

    #[getter]
    fn hear(&self) -> StageTime {
        self.0.hear.into()
    }

    #[getter]
    fn generate(&self) -> StageTime {
        self.0.generate.into()
    }

    #[getter]
    fn decode(&self) -> StageTime {
        self.0.decode.into()
    }

    #[getter]
    fn compose(&self) -> StageTime {
        self.0.compose.into()
    }

    /// Within which this share (0..1) of the frames was ready after its sound was in, rounded up to a power of two milliseconds.
    fn latency(&self, share: f64) -> Duration {
        self.0.latency(share)
    }

    fn __repr__(&self) -> String {
        let core::Stats { made, still, shown, skipped, late, under_runs, .. } = self.0;
        format!(
            "<musetalk.Stats made={made} still={still} shown={shown} skipped={skipped} late={late} under_runs={under_runs}>"
        )
    }
}

/// The time spent in one stage.
#[pyclass(frozen, get_all, skip_from_py_object, module = "musetalk")]
#[derive(Clone, Copy)]
pub(crate) struct StageTime {
    total: Duration,
    calls: u64,
    mean: Duration,
}

impl From<core::StageTime> for StageTime {
    fn from(stage: core::StageTime) -> Self {
        Self { total: stage.total, calls: stage.calls, mean: stage.mean() }
    }
}

#[pymethods]
impl StageTime {
    fn __repr__(&self) -> String {
        format!("StageTime(total={:?}, calls={}, mean={:?})", self.total, self.calls, self.mean)
    }
}
