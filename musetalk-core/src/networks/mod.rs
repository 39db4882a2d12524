//! The networks of a pack, one file each: what goes in, what comes out.

mod audio_encoder;
mod decoder;
mod encoder;
mod generator;

pub(crate) use audio_encoder::AudioEncoder;
pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;
pub(crate) use generator::Generator;

/// All four, for whoever runs them himself.
#[derive(Debug)]
pub(crate) struct Networks {
    pub(crate) audio_encoder: AudioEncoder,
    pub(crate) generator: Generator,
    pub(crate) decoder: Decoder,
    pub(crate) encoder: Encoder,
}
