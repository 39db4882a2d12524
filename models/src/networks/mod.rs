//! The networks, from a checkpoint to a graph: one file each, at any width and depth that its configuration states, or that
//! its tensors show.
//!
//! | graph | from | input | output |
//! |---|---|---|---|
//! | `audio_encoder` | [`whisper`] | mel f32 `[batch, mels, 2·positions]` | states f32 `[batch, positions, states, width]` |
//! | `generator` | [`unet`] | latent f32 `[batch, 2·c, h, h]`, audio f32 `[batch, rows, width]` | prediction f32 `[batch, c, h, h]` |
//! | `encoder` | [`vae`] | image f32 `[batch, 3, s, s]`, RGB in −1…1 | latent f32 `[batch, c, h, h]`, posterior mean × scaling |
//! | `decoder` | [`vae`] | latent f32 `[batch, c, h, h]`, scaled | image u8 `[batch, s, s, 3]`, RGB |
//! | `face_parser` | [`bisenet`] | image f32 `[batch, 3, 512, 512]`, normalised RGB | classes u8 `[batch, 512, 512]` |
//! | `face_detector` | [`s3fd`] | image f32 `[batch, 3, height, width]`, RGB − (104, 117, 123) | scores and boxes at six levels |

pub(crate) mod bisenet;
pub(crate) mod s3fd;
pub(crate) mod unet;
pub(crate) mod vae;
pub(crate) mod whisper;

/// What a network that makes a picture ends in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    /// The decoder: u8 `[batch, size, size, 3]`; the face parser: u8 `[batch, 512, 512]`. What a pack holds.
    Bytes,
    /// What the bytes are made from, for measuring. The decoder: f32 `[batch, 3, size, size]` in 0…255, neither clamped
    /// nor rounded; the face parser: f32 `[batch, 19, 512, 512]`.
    Floats,
}
