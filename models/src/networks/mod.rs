//! The networks, from a checkpoint to a graph: one file each, at any width and depth that its configuration states.
//!
//! | graph | from | input | output |
//! |---|---|---|---|
//! | `audio_encoder` | [`whisper`] | mel f32 `[batch, mels, 2·positions]` | states f32 `[batch, positions, states, width]` |
//! | `generator` | [`unet`] | latent f32 `[batch, 2·c, h, h]`, audio f32 `[batch, rows, width]` | prediction f32 `[batch, c, h, h]` |
//! | `encoder` | [`vae`] | image f32 `[batch, 3, s, s]`, RGB in −1…1 | latent f32 `[batch, c, h, h]`, posterior mean × scaling |
//! | `decoder` | [`vae`] | latent f32 `[batch, c, h, h]`, scaled | image u8 `[batch, s, s, 3]`, RGB |

pub(crate) mod unet;
pub(crate) mod vae;
pub(crate) mod whisper;
