//! Arithmetic on samples: from what a host pushes to what the audio encoder reads. Pure; nothing allocates once built.
//!
//! ```text
//! pcm (checked, clamped) → Resampler → SpeechContext → window [80, 2P] → encoder → states → copy_context
//!                                            └→ Gate → presence of each frame
//! ```

pub(crate) mod context;
pub(crate) mod gate;
pub(crate) mod mel;
pub(crate) mod pcm;
pub(crate) mod resample;
pub(crate) mod window;

/// Samples per second that every network of the audio side works at.
pub(crate) const SPEECH_RATE: u32 = 16_000;
