//! Pictures of an avatar as bytes of its file: JPEG for what has colours, PNG for masks and mattes.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{
    ColorType, ExtendedColorType, ImageDecoder as _, ImageEncoder as _, ImageFormat, ImageReader, Limits,
};

use super::format::corrupt;
use super::jpeg::{self, Chroma};
use crate::frame::PixelFormat;
use crate::{Error, ErrorKind, Result};

/// Visibly without loss on footage: artefacts stay below the noise of a camera.
pub(crate) const BEST_QUALITY: u8 = 93;

/// What a decoder may take beside the pixels.
const ROOM: u64 = 4 << 20;

/// A face with its mouth closed.
pub(crate) fn closed(rgb: &[u8], size: u32) -> Vec<u8> {
    jpeg::encode(rgb, (size as usize, size as usize), BEST_QUALITY, Chroma::Full)
}

/// One byte a pixel as PNG.
pub(crate) fn png(grey: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let mut blob = Vec::new();
    PngEncoder::new_with_quality(&mut blob, CompressionType::Best, FilterType::Adaptive)
        .write_image(grey, width, height, ExtendedColorType::L8)
        .map_err(not_encoded)?;
    Ok(blob)
}

/// What a picture of the file must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// JPEG in colours: 3 bytes a pixel.
    Rgb,
    /// Grey PNG: 1 byte a pixel.
    Grey,
}

/// Decodes one picture that must have exactly this size and kind; nothing is allocated for its pixels before that is known.
pub(crate) fn decode(blob: &[u8], kind: Kind, width: u32, height: u32, out: &mut Vec<u8>) -> Result<()> {
    let (format, color) = match kind {
        Kind::Rgb => (ImageFormat::Jpeg, ColorType::Rgb8),
        Kind::Grey => (ImageFormat::Png, ColorType::L8),
    };
    let broken = |e: image::ImageError| corrupt(&format!("a picture in it: {e}")).caused_by(e);
    if matches!(kind, Kind::Rgb) && !jpeg::is_streamed(blob) {
        return Err(corrupt("a picture in it is no baseline JPEG of one scan"));
    }
    let mut reader = ImageReader::with_format(Cursor::new(blob), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(width);
    limits.max_image_height = Some(height);
    // Beside the pixels only what lies before them.
    limits.max_alloc = Some(3 * u64::from(width) * u64::from(height) + ROOM);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(broken)?;
    if decoder.dimensions() != (width, height) || decoder.color_type() != color {
        return Err(corrupt("a picture in it does not have the size or the colours it should"));
    }
    let bytes = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    out.clear();
    out.try_reserve_exact(bytes).map_err(|e| {
        Error::new(ErrorKind::OutOfMemory, format!("a picture of the avatar needs {bytes} bytes"))
            .caused_by(e)
    })?;
    out.resize(bytes, 0);
    decoder.read_image(out).map_err(broken)
}

/// Packed RGB, and an alpha if there is one, as pixels of four bytes in the order of `format`.
pub(crate) fn widen(rgb: &[u8], alpha: Option<&[u8]>, format: PixelFormat, out: &mut Vec<u8>) {
    let (pixels, _) = rgb.as_chunks::<3>();
    out.resize(pixels.len() * 4, 0);
    let (out, _) = out.as_chunks_mut::<4>();
    match format {
        PixelFormat::Bgra8 => out.iter_mut().zip(pixels).for_each(|(out, p)| *out = [p[2], p[1], p[0], 255]),
        _ => out.iter_mut().zip(pixels).for_each(|(out, p)| *out = [p[0], p[1], p[2], 255]),
    }
    if let Some(alpha) = alpha {
        out.iter_mut().zip(alpha).for_each(|(out, alpha)| out[3] = *alpha);
    }
}

fn not_encoded(error: image::ImageError) -> Error {
    Error::new(ErrorKind::Internal, format!("a picture could not be encoded: {error}")).caused_by(error)
}
