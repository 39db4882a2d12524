//! The networks of a pack, one file each: what goes in, what comes out.

mod audio_encoder;
mod decoder;
mod encoder;
mod generator;

pub(crate) use audio_encoder::AudioEncoder;
pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;
pub(crate) use generator::Generator;
