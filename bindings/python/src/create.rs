//! Making packs and avatars.

use std::ops::ControlFlow;
use std::path::PathBuf;

use musetalk_cli::footage;
use musetalk_core::{
    AvatarAsset, AvatarParts, FaceBox, Idle, Key, ModelPack, Precision, PrepareOptions, PrepareStep, Preparer,
};
use musetalk_models::PackBuilder;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use crate::avatar::Asset;
use crate::engine::{Engine, builder};
use crate::error::{invalid, raise};
use crate::forked;
use crate::pcm::described;
use crate::waiting::on_a_thread;

/// Of one picture: 8192 by 8192 pixels of four bytes.
const MOST_BYTES: usize = 1 << 28;

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
    forked::check()?;
    let mut told = Told::new(progress);
    let mut parts = AvatarParts::default();
    name.clone_into(&mut parts.name);
    parts.boxes = boxes.into_iter().map(|(x1, y1, x2, y2)| FaceBox { x1, y1, x2, y2 }).collect();
    let total = parts.boxes.len() as u64;
    for (index, frame) in frames.try_iter()?.enumerate() {
        let (shape, pixels) = picture(&frame?, &format!("frame {index}"))?;
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
        let (shape, pixels) = picture(&mask?, &format!("mask {index}"))?;
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

/// Make an avatar of footage and write the file: finds the face in every frame, follows it, and says what it did with each. The pack
/// must have face networks. Blocks without the GIL.
///
/// Args:
///     pack: The folder of the pack.
///     footage: A video (through ffmpeg), a picture, or a folder of pictures.
///     out: The `.avatar` file.
///     idle: What is shown in silence: `"footage"`, `"closed"` mouths made by the pack, or `"auto"`.
///     key: `"green"` or `"blue"` makes a screen of that colour transparent.
///     max_frames: The most frames that are looked at.
///     device: Where the networks run, as for `Engine`.
///     threads: That share one network call on the CPU, 1 to 256; all cores by default.
///     runtime_library: The ONNX Runtime library to load.
///     progress: Called with every frame, of the steps `looking` and `writing`. What it raises cancels, leaves nothing behind, and is raised here.
///
/// Returns:
///     The report as JSON text: a verdict for every frame, and what was decided.
///
/// Raises:
///     InvalidInputError: an option is out of range, or there is no usable stretch of footage; the message says why.
///     NotFoundError, UnsupportedError: the footage or ffmpeg is missing, or the pack has no face networks.
///     DeviceUnavailableError: the device does not start.
///     IoError: reading or writing failed.
#[pyfunction]
#[pyo3(signature = (pack, footage, out, *, name=None, idle="auto", key=None, max_frames=None, device="auto", threads=None,
    runtime_library=None, progress=None))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn create_avatar_from_footage(
    py: Python<'_>,
    pack: PathBuf,
    footage: PathBuf,
    out: PathBuf,
    name: Option<String>,
    idle: &str,
    key: Option<&str>,
    max_frames: Option<u64>,
    device: &str,
    threads: Option<usize>,
    runtime_library: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let mut options = PrepareOptions::default();
    options.idle = match idle {
        "auto" => Idle::Auto,
        "closed" => Idle::Closed,
        "footage" => Idle::Footage,
        _ => return Err(invalid(format!("idle is {idle:?}; use \"auto\", \"closed\" or \"footage\""))),
    };
    options.key = match key {
        None => None,
        Some("green") => Some(Key::Green),
        Some("blue") => Some(Key::Blue),
        Some(other) => return Err(invalid(format!("key is {other:?}; use \"green\" or \"blue\""))),
    };
    options.max_frames = max_frames;
    let stem = || out.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    if let Some(name) = name.or_else(stem) {
        options.name = name;
    }
    let loading = builder(py, &pack, device, threads, runtime_library)?;
    let mut told = Told::new(progress);
    let made = py.detach(|| {
        let fps = ModelPack::open(&pack)?.fps();
        let mut source = footage::open(&footage, fps, fps)?;
        let preparer = Preparer::load(loading, options)?;
        let mut tell = |at: musetalk_core::Preparing| {
            let step = if at.step == PrepareStep::Looking { "looking" } else { "writing" };
            told.tell(step, at.done, at.total.unwrap_or(0))
        };
        let analysis = preparer.analyse(source.as_mut(), &mut tell)?;
        if let Some(refusal) = analysis.refusal() {
            return Err(refusal);
        }
        analysis.write(source.as_mut(), &out, &mut tell)
    });
    match made {
        Ok(prepared) => Ok(prepared.report.json()),
        Err(e) => Err(told.or(e)),
    }
}

fn advance(told: &mut Told, step: &str, index: usize, total: u64) -> PyResult<()> {
    match told.tell(step, index as u64 + 1, total) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(told.raised.take().unwrap_or_else(|| invalid("cancelled"))),
    }
}

/// Shape of an array of uint8, and its bytes row by row, however they lie in memory.
pub(crate) fn picture(object: &Bound<'_, PyAny>, what: &str) -> PyResult<(Vec<usize>, Vec<u8>)> {
    let Ok(buffer) = PyBuffer::<u8>::get(object) else {
        return Err(invalid(format!("{what} is {}; give an array of uint8", described(object))));
    };
    if buffer.len_bytes() > MOST_BYTES {
        // Before any of it is copied: an array may claim to be larger than memory.
        let shape = buffer.shape();
        return Err(invalid(format!(
            "{what} has the shape {shape:?}, which is too large; 8192 by 8192 is the most"
        )));
    }
    Ok((buffer.shape().to_vec(), buffer.to_vec(object.py())?))
}

fn small(value: usize, what: &str) -> PyResult<u32> {
    u32::try_from(value).map_err(|e| invalid(format!("{what} is {value}: {e}")))
}
