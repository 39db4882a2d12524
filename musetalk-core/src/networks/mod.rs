//! The networks of a pack, one file each: what goes in, what comes out.

mod audio_encoder;
mod decoder;
mod encoder;
mod face_detector;
mod face_landmarks;
mod face_parser;
mod generator;

pub(crate) use audio_encoder::AudioEncoder;
pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;
pub(crate) use face_detector::{Detection, FaceDetector};
pub(crate) use face_landmarks::{FaceLandmarks, Landmarks};
pub(crate) use face_parser::FaceParser;
pub(crate) use generator::Generator;

/// All four, for whoever runs them himself.
#[derive(Debug)]
pub(crate) struct Networks {
    pub(crate) audio_encoder: AudioEncoder,
    pub(crate) generator: Generator,
    pub(crate) decoder: Decoder,
    pub(crate) encoder: Encoder,
}

/// A packed RGB picture as three planes, every value changed by `change`(channel, value 0…255).
fn planes(rgb: &[u8], change: impl Fn(usize, f32) -> f32) -> Vec<f32> {
    let (pixels, _) = rgb.as_chunks::<3>();
    (0..3)
        .flat_map(|channel| pixels.iter().map(move |pixel| (channel, pixel[channel])))
        .map(|(channel, value)| change(channel, f32::from(value)))
        .collect()
}
