//! One talking face, whole or in two halves.

use std::sync::{Arc, Mutex, PoisonError};

use musetalk_core::{AvatarAsset, FrameRate, UtteranceId};
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;

use crate::asynchronous::coroutine;
use crate::buffer::{Keep, Memory};
use crate::ends::{Ears, Face, ends};
use crate::error::closed;
use crate::frame::{Frame, Heard, Stats, format_named, utterance};
use crate::waiting::Patience;

/// PCM in, frames out.
#[pyclass(frozen, module = "musetalk")]
pub(crate) struct Avatar {
    /// `None` once it was split.
    halves: Mutex<Option<(Arc<Ears>, Arc<Face>)>>,
}

impl Avatar {
    pub(crate) fn new(avatar: musetalk_core::Avatar, room: usize) -> Self {
        Self { halves: Mutex::new(Some(ends(avatar, room))) }
    }

    fn halves(&self) -> PyResult<(Arc<Ears>, Arc<Face>)> {
        // Held for no longer than it takes to copy two pointers.
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.clone().ok_or_else(|| closed("the avatar was split; use its two halves"))
    }

    pub(crate) fn ears(&self) -> PyResult<Arc<Ears>> {
        Ok(self.halves()?.0)
    }

    fn face(&self) -> PyResult<Arc<Face>> {
        Ok(self.halves()?.1)
    }
}

#[pymethods]
impl Avatar {
    fn begin(&self, py: Python<'_>) -> PyResult<u64> {
        self.ears()?.begin(py)
    }

    fn push(&self, pcm: &Bound<'_, PyAny>) -> PyResult<()> {
        self.ears()?.push(pcm)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.ears()?.finish(py)
    }

    fn interrupt(&self) -> PyResult<Option<u64>> {
        Ok(self.face()?.interrupter.interrupt().map(UtteranceId::get))
    }

    #[pyo3(signature = (timeout=None))]
    fn next_frame(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Frame>> {
        let (ears, face) = self.halves()?;
        Ok(face.next_frame(py, Some(&ears), Patience::seconds(timeout)?)?.map(Frame::new))
    }

    fn latest_at(&self, py: Python<'_>, heard: Option<Heard>) -> PyResult<Option<Frame>> {
        let heard = heard.map(Heard::known).transpose()?;
        Ok(self.face()?.latest_at(py, heard)?.map(Frame::new))
    }

    fn paced(&self, py: Python<'_>) -> PyResult<Frame> {
        self.face()?.paced(py).map(Frame::new)
    }

    fn ready(&self, py: Python<'_>) -> PyResult<Option<Heard>> {
        Ok(self.face()?.ready(py)?.map(Heard::of))
    }

    fn split(&self) -> PyResult<(PcmWriter, FrameReader)> {
        let (ears, face) = self.halves()?;
        *self.halves.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok((PcmWriter(ears), FrameReader(face)))
    }

    fn interrupter(&self) -> PyResult<Interrupter> {
        Ok(Interrupter(self.face()?.interrupter.clone()))
    }

    #[getter]
    fn asset(&self) -> PyResult<Asset> {
        Ok(Asset(Arc::clone(&self.face()?.asset)))
    }

    #[getter]
    fn fps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        fraction(py, self.face()?.fps)
    }

    #[getter]
    fn stats(&self) -> PyResult<Stats> {
        Ok(Stats(self.face()?.interrupter.stats()))
    }

    fn close(&self, py: Python<'_>) {
        if let Ok((ears, face)) = self.halves() {
            face.close(py);
            ears.close(py);
        }
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Frame> {
        self.next_frame(py, None)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        coroutine(slf.as_any(), "next_frame")
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }

    fn _poll(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        poll(&*self.face()?, py)
    }

    fn _news<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.face()?.news(py)
    }
}

/// A frame, `None` if there is none yet, and the end of the iteration at the end of an utterance.
fn poll(face: &Face, py: Python<'_>) -> PyResult<Option<Frame>> {
    match face.poll(py)? {
        None => Ok(None),
        Some(Some(frame)) => Ok(Some(Frame::new(frame))),
        Some(None) => Err(PyStopAsyncIteration::new_err(())),
    }
}

/// The listening half of an avatar.
#[pyclass(frozen, module = "musetalk")]
pub(crate) struct PcmWriter(pub(crate) Arc<Ears>);

#[pymethods]
impl PcmWriter {
    fn begin(&self, py: Python<'_>) -> PyResult<u64> {
        self.0.begin(py)
    }

    fn push(&self, pcm: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.push(pcm)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.0.finish(py)
    }

    fn close(&self, py: Python<'_>) {
        self.0.close(py);
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }
}

/// The drawing half of an avatar.
#[pyclass(frozen, module = "musetalk")]
pub(crate) struct FrameReader(Arc<Face>);

#[pymethods]
impl FrameReader {
    #[pyo3(signature = (timeout=None))]
    fn next_frame(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Frame>> {
        Ok(self.0.next_frame(py, None, Patience::seconds(timeout)?)?.map(Frame::new))
    }

    fn latest_at(&self, py: Python<'_>, heard: Option<Heard>) -> PyResult<Option<Frame>> {
        let heard = heard.map(Heard::known).transpose()?;
        Ok(self.0.latest_at(py, heard)?.map(Frame::new))
    }

    fn paced(&self, py: Python<'_>) -> PyResult<Frame> {
        self.0.paced(py).map(Frame::new)
    }

    fn ready(&self, py: Python<'_>) -> PyResult<Option<Heard>> {
        Ok(self.0.ready(py)?.map(Heard::of))
    }

    fn interrupter(&self) -> Interrupter {
        Interrupter(self.0.interrupter.clone())
    }

    #[getter]
    fn asset(&self) -> Asset {
        Asset(Arc::clone(&self.0.asset))
    }

    #[getter]
    fn fps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        fraction(py, self.0.fps)
    }

    #[getter]
    fn stats(&self) -> Stats {
        Stats(self.0.interrupter.stats())
    }

    fn close(&self, py: Python<'_>) {
        self.0.close(py);
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Frame> {
        self.next_frame(py, None)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        coroutine(slf.as_any(), "next_frame")
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }

    fn _poll(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        poll(&self.0, py)
    }

    fn _news<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.news(py)
    }
}

/// Cuts utterances, from any thread.
#[pyclass(frozen, module = "musetalk")]
pub(crate) struct Interrupter(pub(crate) musetalk_core::Interrupter);

#[pymethods]
impl Interrupter {
    fn interrupt(&self) -> Option<u64> {
        self.0.interrupt().map(UtteranceId::get)
    }

    #[pyo3(name = "interrupt_through", signature = (utterance))]
    fn interrupt_through(&self, utterance: u64) -> PyResult<()> {
        self.0.interrupt_through(self::utterance(utterance)?);
        Ok(())
    }
}

/// The person shown.
#[pyclass(frozen, name = "AvatarAsset", module = "musetalk")]
pub(crate) struct Asset(pub(crate) Arc<AvatarAsset>);

#[pymethods]
impl Asset {
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn frames(&self) -> u32 {
        self.0.frames()
    }

    #[getter]
    fn width(&self) -> u32 {
        self.0.width()
    }

    #[getter]
    fn height(&self) -> u32 {
        self.0.height()
    }

    #[getter]
    fn fps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        fraction(py, self.0.fps())
    }

    #[getter]
    fn encoder_identity(&self) -> &str {
        self.0.encoder_identity()
    }

    fn face_box(&self, cycle_index: u32) -> (i32, i32, i32, i32) {
        let face = self.0.face_box(cycle_index);
        (face.x1, face.y1, face.x2, face.y2)
    }

    #[pyo3(signature = (cycle_index, *, format="rgb8"))]
    fn base_frame<'py>(
        &self,
        py: Python<'py>,
        cycle_index: u32,
        format: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (asset, format) = (Arc::clone(&self.0), format_named(format)?);
        // The first call for four bytes converts the footage.
        py.detach(|| asset.base_frame_as(cycle_index, format).len());
        Memory::array(py, Keep::Footage(asset, cycle_index, format))
    }

    fn __repr__(&self) -> String {
        let (name, frames) = (self.name(), self.frames());
        format!("<musetalk.AvatarAsset {name:?}: {frames} frames of {}×{}>", self.width(), self.height())
    }
}

/// An exact rate, as Python writes one.
pub(crate) fn fraction(py: Python<'_>, rate: FrameRate) -> PyResult<Bound<'_, PyAny>> {
    py.import("fractions")?.getattr("Fraction")?.call1((rate.numerator(), rate.denominator()))
}
