//! Making packs and avatars.

use std::ops::ControlFlow;
use std::path::PathBuf;

use musetalk_core::{AvatarAsset, AvatarParts, FaceBox, Precision};
use musetalk_models::PackBuilder;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use crate::avatar::Asset;
use crate::engine::Engine;
use crate::error::{invalid, raise};
use crate::waiting::on_a_thread;

/// How far long work has come.
#[pyclass(frozen, get_all, module = "musetalk")]
pub(crate) struct Progress {
    step: String,
    done: u64,
    total: u64,
}

#[pymethods]
impl Progress {
    fn __repr__(&self) -> String {
        format!("Progress(step={:?}, done={}, total={})", self.step, self.done, self.total)
    }
}

/// Calls the host, and remembers what it raised: that cancels.
struct Told {
    told: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl Told {
    fn new(told: Option<Py<PyAny>>) -> Self {
        Self { told, raised: None }
    }

    fn tell(&mut self, step: &str, done: u64, total: u64) -> ControlFlow<()> {
        let heard = Python::attach(|py| {
            py.check_signals()?;
            match &self.told {
                Some(told) => told.call1(py, (Progress { step: step.to_owned(), done, total },)).map(drop),
                None => Ok(()),
            }
        });
        match heard {
            Ok(()) => ControlFlow::Continue(()),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
        }
    }

    /// What the host raised, else what failed.
    fn or(self, error: musetalk_core::Error) -> PyErr {
        self.raised.unwrap_or_else(|| raise(error))
    }
}

/// What a finished build wrote.
#[pyclass(frozen, get_all, module = "musetalk")]
pub(crate) struct BuiltPack {
    folder: PathBuf,
    bytes: u64,
    parameters: u64,
    /// What a person should know about the checkpoints.
    notes: Vec<String>,
    /// Networks that were not found and are not needed to speak.
    absent: Vec<String>,
}

#[pymethods]
impl BuiltPack {
    fn __repr__(&self) -> String {
        format!("<musetalk.BuiltPack {}: {} parameters>", self.folder.display(), self.parameters)
    }
}

/// Turn a folder of checkpoints into a pack: all of it or nothing. Blocks without the GIL; Ctrl-C cancels.
///
/// Args:
///     checkpoints: As MuseTalk publishes them, as Hugging Face does, or under any names.
///     out: The folder to be made.
///     replace: Whether a pack that is there already is replaced, once the new one is complete.
///     progress: Called with every tensor, in bytes of weights. What it raises cancels, leaves nothing behind, and is raised here.
///
/// Raises:
///     NotFoundError: something that a pack needs is missing; the message lists all of it.
///     CorruptError, IncompatibleError, UnsupportedError: the checkpoints cannot be used.
///     InvalidInputError: `out` exists and may not be replaced.
///     IoError: reading or writing failed.
#[pyfunction]
#[pyo3(signature = (checkpoints, out, *, name=None, description=None, precision="fp32", replace=false, progress=None))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn build_pack(
    py: Python<'_>,
    checkpoints: PathBuf,
    out: PathBuf,
    name: Option<String>,
    description: Option<String>,
    precision: &str,
    replace: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<BuiltPack> {
    let precision = match precision {
        "fp32" => Precision::Fp32,
        "fp16" => Precision::Fp16,
        _ => return Err(invalid(format!("precision is {precision:?}; use \"fp32\" or \"fp16\""))),
    };
    let mut builder = PackBuilder::new(checkpoints).precision(precision).replace(replace);
    if let Some(name) = name {
        builder = builder.name(name);
    }
    if let Some(description) = description {
        builder = builder.description(description);
    }
    let mut told = Told::new(progress);
    let built = py.detach(|| {
        builder.build(out, |progress: musetalk_models::Progress<'_>| {
            told.tell(progress.step, progress.done, progress.total)
        })
    });
    match built {
        Ok(built) => Ok(BuiltPack {
            folder: built.folder,
            bytes: built.bytes,
            parameters: built.parameters,
            notes: built.notes,
            absent: built.absent,
        }),
        Err(e) => Err(told.or(e)),
    }
}

/// Prepare a person from footage, face boxes and masks, and write the file. Blocks for two encoder calls a frame, without the GIL.
///
/// Args:
///     engine: Its encoder makes the latents.
///     out: The `.avatar` file.
///     frames: `(height, width, 3)` each, the mouth closed.
///     boxes: `(x1, y1, x2, y2)` of the face in each frame; right and bottom are exclusive.
///     masks: `(side, side)` each: where the square around the face, 1.5 times its longer side, may change; 255 is replaced.
///     progress: Called with every frame and mask that was read, and once before the latents. What it raises cancels.
///
/// Raises:
///     InvalidInputError: lists of different lengths, pictures of different sizes, a box outside its frame.
///     IoError: the file cannot be written.
#[pyfunction]
#[pyo3(signature = (engine, out, *, frames, boxes, masks, name="avatar", progress=None))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn create_avatar(
    py: Python<'_>,
    engine: &Engine,
    out: PathBuf,
    frames: &Bound<'_, PyAny>,
    boxes: Vec<(i32, i32, i32, i32)>,
    masks: &Bound<'_, PyAny>,
    name: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Asset> {
    let mut told = Told::new(progress);
    let mut parts = AvatarParts::default();
    name.clone_into(&mut parts.name);
    parts.boxes = boxes.into_iter().map(|(x1, y1, x2, y2)| FaceBox { x1, y1, x2, y2 }).collect();
    let total = parts.boxes.len() as u64;
    for (index, frame) in frames.try_iter()?.enumerate() {
        let (shape, pixels) = picture(&frame?, "frame", index)?;
        let [height, width, 3] = shape[..] else {
            return Err(invalid(format!("frame {index} has the shape {shape:?}; give (height, width, 3)")));
        };
        let size = (small(width, "width")?, small(height, "height")?);
        if index == 0 {
            (parts.width, parts.height) = size;
        } else if size != (parts.width, parts.height) {
            return Err(invalid(format!(
                "frame {index} is {width}×{height}; the first is {}×{}",
                parts.width, parts.height
            )));
        }
        parts.frames.push(pixels);
        advance(&mut told, "frames", index, total)?;
    }
    for (index, mask) in masks.try_iter()?.enumerate() {
        let (shape, pixels) = picture(&mask?, "mask", index)?;
        let [height, width] = shape[..] else {
            return Err(invalid(format!("mask {index} has the shape {shape:?}; give (side, side)")));
        };
        if height != width {
            return Err(invalid(format!("mask {index} is {width}×{height}; masks are square")));
        }
        parts.masks.push(pixels);
        advance(&mut told, "masks", index, total)?;
    }
    if told.tell("latents", 0, total).is_break() {
        return Err(told.or(musetalk_core::Error::new(musetalk_core::ErrorKind::Cancelled, "cancelled")));
    }
    let engine = engine.0.clone();
    let written = on_a_thread(py, move || AvatarAsset::write_parts(&engine, &parts, out))?;
    written.map(|asset| Asset(asset.into())).map_err(raise)
}

fn advance(told: &mut Told, step: &str, index: usize, total: u64) -> PyResult<()> {
    match told.tell(step, index as u64 + 1, total) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(told.raised.take().unwrap_or_else(|| invalid("cancelled"))),
    }
}

/// Shape and bytes of an array of uint8.
pub(crate) fn picture(
    object: &Bound<'_, PyAny>,
    what: &str,
    index: usize,
) -> PyResult<(Vec<usize>, Vec<u8>)> {
    let buffer = PyBuffer::<u8>::get(object)
        .map_err(|e| invalid(format!("{what} {index} is no array of uint8: {e}")))?;
    Ok((buffer.shape().to_vec(), buffer.to_vec(object.py())?))
}

fn small(value: usize, what: &str) -> PyResult<u32> {
    u32::try_from(value).map_err(|e| invalid(format!("{what} is {value}: {e}")))
}
