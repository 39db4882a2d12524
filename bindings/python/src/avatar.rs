//! One talking face, whole or in two halves.

use std::sync::{Arc, Mutex, PoisonError};

use musetalk_core::{AvatarAsset, FrameRate, UtteranceId};
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::asynchronous::coroutine;
use crate::buffer::{Keep, Layout, Memory};
use crate::ends::{Ears, Face, ends};
use crate::error::{closed, raise};
use crate::frame::{Frame, Heard, Stats, format_named, utterance};
use crate::waiting::Patience;

/// One talking face: PCM in, frames out.
///
/// All methods may be called from any thread; each of the two halves serves one call at a time, and a second one waits. Iterating gives the
/// frames of one utterance and then stops; the next loop gives those of the next utterance. Choose one way to read and stay with it: iteration and
/// `next_frame` for recording, `latest_at` where you play the sound yourself, `paced` for servers.
#[pyclass(frozen, weakref, module = "musetalk")]
pub(crate) struct Avatar {
    /// `None` once it was split.
    halves: Mutex<Option<(Arc<Ears>, Arc<Face>)>>,
}

impl Avatar {
    pub(crate) fn new(avatar: musetalk_core::Avatar, rate: u32, room: usize) -> Self {
        Self { halves: Mutex::new(Some(ends(avatar, rate, room))) }
    }

    fn halves(&self) -> PyResult<(Arc<Ears>, Arc<Face>)> {
        // Held for no longer than it takes to copy two pointers.
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.clone().ok_or_else(|| closed("the avatar was split; use its two halves"))
    }

    /// Who asks for clips.
    pub(crate) fn director(&self) -> PyResult<musetalk_core::Director> {
        Ok(self.face()?.director.clone())
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
    /// Begin the next utterance, and finish the one that is open; its number, from 1. The first push after an end implies it.
    ///
    /// Raises:
    ///     BufferFullError: more than a hundred utterances wait to be read.
    ///     ClosedError: the avatar is closed, or a conversation has its listening half.
    fn begin(&self, py: Python<'_>) -> PyResult<u64> {
        self.ears()?.begin(py)
    }

    /// Append mono samples at `sample_rate`: all of them or, on an error, none. Copies, never waits for room.
    ///
    /// Raises:
    ///     BufferFullError: nothing was taken; read frames and try again.
    ///     InterruptedError: the utterance was cut; `begin` the next.
    ///     InvalidInputError: empty, not one-dimensional, another dtype, not finite, or longer than `buffer_seconds` ever hold.
    ///     ClosedError: the avatar is closed, or a conversation has its listening half.
    fn push(&self, pcm: &Bound<'_, PyAny>) -> PyResult<()> {
        self.ears()?.push(pcm)
    }

    /// End the utterance: every frame still owed is made. Without an open utterance there is nothing to end.
    ///
    /// Raises:
    ///     InterruptedError: the utterance was cut; there is nothing left to end.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.ears()?.finish(py)
    }

    /// Cut everything pushed so far; the last utterance that this cut. The mouth closes within four frames. Any thread.
    fn interrupt(&self) -> PyResult<Option<u64>> {
        Ok(self.face()?.interrupter.interrupt().map(UtteranceId::get))
    }

    /// Wait for the next speech frame, in order; `None` once for every utterance that was finished or cut.
    ///
    /// Waits without the GIL; Ctrl-C works. A thread that pushed the sound itself is not left to wait for more of it.
    ///
    /// Args:
    ///     timeout: Seconds to wait; for ever by default.
    ///
    /// Raises:
    ///     TimedOutError: no frame was ready in time.
    ///     InvalidInputError: this thread pushes the sound, and the next frame needs more of it.
    ///     BufferFullError: you hold every frame that may be lent; drop one, or copy what you keep.
    ///     ClosedError: the avatar was closed.
    #[pyo3(signature = (timeout=None))]
    fn next_frame(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Frame>> {
        let (ears, face) = self.halves()?;
        Ok(face.next_frame(py, Some(&ears), Patience::seconds(timeout)?)?.map(Frame::new))
    }

    /// The newest picture due when `heard` has left the loudspeaker; `None` if the one on screen is still right. Never waits.
    ///
    /// `None`, or an utterance that is unknown, cut or heard to its end, shows idle footage. So does a position that stands still for 120 ms.
    fn latest_at(&self, py: Python<'_>, heard: Option<Heard>) -> PyResult<Option<Frame>> {
        let heard = heard.map(Heard::known).transpose()?;
        Ok(self.face()?.latest_at(py, heard)?.map(Frame::new))
    }

    /// The picture of the next frame period, with exactly the samples of that period in `audio`. Never waits: call it once a period.
    fn paced(&self, py: Python<'_>) -> PyResult<Frame> {
        self.face()?.paced(py).map(Frame::new)
    }

    /// Up to where the utterance that plays, or plays next, has its frames; `None` until its first three are ready: start its sound then.
    fn ready(&self, py: Python<'_>) -> PyResult<Option<Heard>> {
        Ok(self.face()?.ready(py)?.map(Heard::of))
    }

    /// Ask for a clip of the asset, from any thread; the one asked for last counts. It changes where the footage turns or an utterance begins.
    fn request_clip(&self, name: &str) -> PyResult<()> {
        self.face()?.director.request_clip(name).map_err(raise)
    }

    /// One half for the thread or task that pushes, one for the one that draws. The avatar is used up.
    fn split(&self) -> PyResult<(PcmWriter, FrameReader)> {
        let (ears, face) = self.halves()?;
        *self.halves.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok((PcmWriter(ears), FrameReader(face)))
    }

    /// A handle for barge-in that outlives the avatar.
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

    /// End the session, from any thread. Whoever waits gets `ClosedError`; frames that were lent stay valid.
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
        self.face()?.news.future(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.halves.try_lock().as_deref() {
            Ok(Some((_, face))) => face.news.traverse(&visit),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        if let Ok(face) = self.face() {
            face.news.forget();
        }
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

/// The listening half of an avatar. Closing or dropping it finishes the utterance, and says that no other will come.
#[pyclass(frozen, weakref, module = "musetalk")]
pub(crate) struct PcmWriter(pub(crate) Arc<Ears>);

#[pymethods]
impl PcmWriter {
    /// See `Avatar.begin`.
    fn begin(&self, py: Python<'_>) -> PyResult<u64> {
        self.0.begin(py)
    }

    /// See `Avatar.push`.
    fn push(&self, pcm: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.push(pcm)
    }

    /// See `Avatar.finish`.
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

/// The drawing half of an avatar. Iterating waits for the next utterance; once the writer has gone, it raises `ClosedError`.
#[pyclass(frozen, weakref, module = "musetalk")]
pub(crate) struct FrameReader(Arc<Face>);

#[pymethods]
impl FrameReader {
    /// See `Avatar.next_frame`; waits for sound that others push.
    #[pyo3(signature = (timeout=None))]
    fn next_frame(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Frame>> {
        Ok(self.0.next_frame(py, None, Patience::seconds(timeout)?)?.map(Frame::new))
    }

    /// See `Avatar.latest_at`.
    fn latest_at(&self, py: Python<'_>, heard: Option<Heard>) -> PyResult<Option<Frame>> {
        let heard = heard.map(Heard::known).transpose()?;
        Ok(self.0.latest_at(py, heard)?.map(Frame::new))
    }

    /// See `Avatar.paced`.
    fn paced(&self, py: Python<'_>) -> PyResult<Frame> {
        self.0.paced(py).map(Frame::new)
    }

    /// See `Avatar.request_clip`.
    fn request_clip(&self, name: &str) -> PyResult<()> {
        self.0.director.request_clip(name).map_err(raise)
    }

    /// See `Avatar.ready`.
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

    /// See `Avatar.close`.
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
        self.0.news.future(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.news.traverse(&visit)
    }

    fn __clear__(&self) {
        self.0.news.forget();
    }
}

/// Cuts utterances, from any thread.
#[pyclass(frozen, module = "musetalk")]
pub(crate) struct Interrupter(pub(crate) musetalk_core::Interrupter);

#[pymethods]
impl Interrupter {
    /// See `Avatar.interrupt`.
    fn interrupt(&self) -> Option<u64> {
        self.0.interrupt().map(UtteranceId::get)
    }

    /// Cut this utterance and all before it, and never a later one.
    #[pyo3(name = "interrupt_through", signature = (utterance))]
    fn interrupt_through(&self, utterance: u64) -> PyResult<()> {
        self.0.interrupt_through(self::utterance(utterance)?);
        Ok(())
    }
}

/// The person shown: footage, face boxes, and what the networks made of them.
#[pyclass(frozen, name = "AvatarAsset", module = "musetalk")]
pub(crate) struct Asset(pub(crate) Arc<AvatarAsset>);

#[pymethods]
impl Asset {
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Frames of the footage, of all clips; a base cycle is twice as long, forth and back.
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

    /// Names of the clips; the first plays until another is asked for.
    #[getter]
    fn clips(&self) -> Vec<String> {
        self.0.clips().iter().map(|clip| clip.name().to_owned()).collect()
    }

    /// Whether the fourth byte of a pixel is a matte.
    #[getter]
    fn has_alpha(&self) -> bool {
        self.0.has_alpha()
    }

    #[getter]
    fn encoder_identity(&self) -> &str {
        self.0.encoder_identity()
    }

    /// `(x1, y1, x2, y2)` at a position of the base cycle; right and bottom are exclusive.
    fn face_box(&self, cycle_index: u32) -> (i32, i32, i32, i32) {
        let face = self.0.face_box(cycle_index);
        (face.x1, face.y1, face.x2, face.y2)
    }

    /// `(height, width, channels)`, read only: what `Frame.region` is a difference to. Read and decoded where the footage is not held.
    #[pyo3(signature = (cycle_index, *, format="rgb8"))]
    fn base_frame<'py>(
        &self,
        py: Python<'py>,
        cycle_index: u32,
        format: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (asset, format) = (&self.0, format_named(format)?);
        let mut pixels = vec![0; asset.width() as usize * asset.height() as usize * format.bytes()];
        py.detach(|| asset.copy_base_frame(cycle_index, format, &mut pixels)).map_err(raise)?;
        Memory::array(py, Keep::Footage(pixels, Layout::picture(asset.width(), asset.height(), format)))
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
