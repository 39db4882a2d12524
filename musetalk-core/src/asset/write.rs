use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

use super::format::{self, Meta, corrupt};
use super::{AvatarParts, FaceBox, read};
use crate::pack::ModelPack;
use crate::{Error, ErrorKind, Result};

/// Visibly without loss on footage: artefacts stay below the noise of a camera.
const JPEG_QUALITY: u8 = 93;

/// A whole file for this pack. `latents_of` the frames, as they will be on screen, comes from its encoder.
pub(crate) fn encode(
    pack: &ModelPack,
    parts: &AvatarParts,
    latents_of: impl FnOnce(&[Vec<u8>]) -> Result<Vec<f32>>,
) -> Result<Vec<u8>> {
    let image = pack.manifest().image;
    let fps = pack.fps();
    let meta = Meta {
        name: parts.name.clone(),
        made_by: concat!("musetalk-core ", env!("CARGO_PKG_VERSION")).to_owned(),
        frames: u32::try_from(parts.frames.len()).unwrap_or(u32::MAX),
        width: parts.width,
        height: parts.height,
        fps: [fps.numerator(), fps.denominator()],
        image_size: image.size,
        latent_channels: image.latent_channels,
        latent_size: image.latent_size,
        encoder: pack.encoder_identity().to_owned(),
    };
    validate(parts, &meta)?;
    let mut frames = Vec::with_capacity(parts.frames.len());
    let mut masks = Vec::with_capacity(parts.masks.len());
    for ((pixels, mask), face) in parts.frames.iter().zip(&parts.masks).zip(&parts.boxes) {
        frames.push(jpeg(pixels, meta.width, meta.height)?);
        masks.push(png(mask, face.crop().width() as u32)?);
    }
    // What the encoder sees is what the screen will show: the frames after their way through JPEG.
    let shown: Vec<Vec<u8>> = frames.iter().map(|blob| decode_back(blob)).collect::<Result<_>>()?;
    let latents = latents_of(&shown)?;
    let boxes =
        parts.boxes.iter().flat_map(|b| [b.x1, b.y1, b.x2, b.y2]).flat_map(i32::to_le_bytes).collect();
    let json = serde_json::to_vec(&meta).map_err(|e| corrupt(&e.to_string()).caused_by(e))?;
    Ok(format::assemble(&[
        (format::META, json),
        (format::BOXES, boxes),
        (format::MASKS, format::join(&masks)),
        (format::LATENTS, latents.iter().flat_map(|value| value.to_le_bytes()).collect()),
        (format::FRAMES, format::join(&frames)),
    ]))
}

fn validate(parts: &AvatarParts, meta: &Meta) -> Result<()> {
    let invalid = |what: String| Error::new(ErrorKind::InvalidInput, what);
    let count = parts.frames.len();
    if count == 0 || parts.boxes.len() != count || parts.masks.len() != count {
        return Err(invalid(format!(
            "an avatar needs as many boxes and masks as frames, and at least one: {count} frames, {} boxes, {} masks",
            parts.boxes.len(),
            parts.masks.len()
        )));
    }
    read::check(meta).map_err(|e| invalid(e.to_string()).caused_by(e))?;
    let bytes = meta.width as usize * meta.height as usize * 3;
    for (index, ((pixels, face), mask)) in parts.frames.iter().zip(&parts.boxes).zip(&parts.masks).enumerate()
    {
        if pixels.len() != bytes {
            return Err(invalid(format!(
                "frame {index} has {} bytes, {}×{} RGB has {bytes}",
                pixels.len(),
                meta.width,
                meta.height
            )));
        }
        check_face(face, meta).map_err(|what| invalid(format!("the face box of frame {index} {what}")))?;
        let side = face.crop().width() as usize;
        if mask.len() != side * side {
            return Err(invalid(format!(
                "mask {index} has {} bytes, its crop of {side}×{side} has {}",
                mask.len(),
                side * side
            )));
        }
    }
    Ok(())
}

fn check_face(face: &FaceBox, meta: &Meta) -> Result<(), &'static str> {
    if read::check_box(face, meta.width, meta.height) {
        Ok(())
    } else {
        Err("is empty or outside the picture")
    }
}

fn jpeg(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let mut blob = Vec::new();
    JpegEncoder::new_with_quality(&mut blob, JPEG_QUALITY)
        .encode(rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(not_encoded)?;
    Ok(blob)
}

fn png(grey: &[u8], side: u32) -> Result<Vec<u8>> {
    let mut blob = Vec::new();
    PngEncoder::new_with_quality(&mut blob, CompressionType::Best, FilterType::Adaptive)
        .write_image(grey, side, side, ExtendedColorType::L8)
        .map_err(not_encoded)?;
    Ok(blob)
}

fn decode_back(blob: &[u8]) -> Result<Vec<u8>> {
    let picture = image::load_from_memory_with_format(blob, image::ImageFormat::Jpeg).map_err(not_encoded)?;
    Ok(picture.into_rgb8().into_raw())
}

fn not_encoded(error: image::ImageError) -> Error {
    Error::new(ErrorKind::Internal, format!("a picture could not be encoded: {error}")).caused_by(error)
}
