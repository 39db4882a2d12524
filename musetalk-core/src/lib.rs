//! Speech in, pictures of a talking face out: MuseTalk in the host's own process.
//!
//! ```no_run
//! use musetalk_core::{Engine, Result};
//!
//! fn main() -> Result<()> {
//!     let engine = Engine::load("models/demo/pack")?;
//!     let mut avatar = engine.open_avatar("models/demo/iris.avatar")?;
//!
//!     avatar.push(&voice())?; // f32 mono −1…1 at 24 000 Hz
//!     avatar.finish()?;
//!
//!     while let Some(frame) = avatar.next_frame()? {
//!         show(frame.pixels(), frame.width(), frame.height(), frame.pts());
//!     }
//!     Ok(())
//! }
//! # fn voice() -> Vec<f32> { vec![0.0; 24_000] }
//! # fn show(_: &[u8], _: u32, _: u32, _: std::time::Duration) {}
//! ```
//!
//! An [`Engine`] is a model pack on a device: heavy, loaded once, shared. An [`Avatar`] is one talking face: cheap, many per
//! engine. [`Avatar::split`] gives a [`PcmWriter`] for the audio thread and a [`FrameReader`] for the render thread; an
//! [`Interrupter`] cuts what is being said, from any thread.
//!
//! # From a sample to a pixel
//!
//! | module | what happens there |
//! |---|---|
//! | `session::inbox` | a pushed sample is copied, and waits |
//! | `audio` | it is resampled to 16 kHz, becomes part of a log-mel spectrum, and tells the gate whether somebody speaks |
//! | `session::timeline` | the frame that it belongs to is planned |
//! | `networks`, `runtime` | the spectrum becomes hidden states, these and the footage a latent, the latent a picture of the face |
//! | `session::playhead` | the reader decides that this frame is due |
//! | `compose` | the face is fitted to its box and blended into the footage |
//! | [`Frame`] | the host sees it |
//!
//! # What it does not do
//!
//! It plays no sound, opens no window or socket, starts no async runtime, downloads nothing, and runs no Python. It needs the
//! ONNX Runtime library at run time; [`runtime::search`] says where it is looked for.

mod asset;
mod audio;
mod avatar;
mod cache;
mod compose;
mod device;
mod engine;
mod error;
mod files;
mod frame;
mod networks;
mod pack;
mod pool;
mod preparation;
mod prepare;
pub mod reference;
pub mod runtime;
pub mod self_test;
mod session;
mod time;
mod trial;

pub use asset::{AvatarAsset, AvatarHeader, AvatarParts, AvatarWriter, Clip, FaceBox, PreparedFrame};
pub use avatar::{Avatar, AvatarOptions, Director, FrameReader, Interrupter, PcmWriter};
pub use device::Device;
pub use engine::{Engine, EngineBuilder};
pub use error::{Error, ErrorKind, Result};
pub use frame::{Frame, PixelFormat, Region};
pub use pack::{
    AudioLayout, Dimension, FileEntry, ImageSizes, Manifest, ModelPack, NetworkEntry, Optimisation,
    PACK_FORMAT, Parity, Precision, TensorEntry, WeightsEntry,
};
pub use preparation::{
    Analysis, AvatarMaker, ClipFootage, FrameReport, FrameSource, PreparationReport, PrepareOptions,
    PrepareStep, Prepared, PreparedClip, Preparer, Preparing, SourceFrame,
};
pub use prepare::{EdgeBlur, FaceMask, Idle, Key, MouthMeasure, Turning, Verdict};
pub use session::{StageTime, Stats};
pub use time::{FrameRate, Heard, UtteranceId};
pub use trial::{Measure, NetworkTest, SelfTest};

/// The design essays and the README, compiled so that what they show stays true.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../docs/architecture.md")]
    mod architecture {}
    #[doc = include_str!("../docs/decisions.md")]
    mod decisions {}
    #[doc = include_str!("../docs/avatar-format.md")]
    mod avatar_format {}
    #[doc = include_str!("../docs/preparing.md")]
    mod preparing {}
    #[doc = include_str!("../docs/reference.md")]
    mod reference {}
    #[doc = include_str!("../../README.md")]
    mod readme {}
}
