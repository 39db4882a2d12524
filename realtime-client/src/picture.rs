use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageBuffer, Rgb, imageops};

use crate::protocol::{Detail, UserPart};
use crate::{Error, ErrorKind, Result};

/// Larger pictures are refused, in bytes as sent; servers take 15 to 20 MB.
const MOST_BYTES: usize = 10 << 20;
/// Of a frame; servers make larger ones smaller.
const LONGEST_SIDE: u32 = 1024;
/// Of a JPEG, of 100: what it costs the eye nothing to lose.
const QUALITY: u8 = 85;

/// A picture for the model to see: a PNG or a JPEG, as a data URI.
///
/// It stays in the conversation and costs tokens with every answer: delete its item when it is of no use any more.
#[derive(Clone, PartialEq)]
pub struct Picture {
    uri: String,
}

impl Picture {
    /// The bytes of a PNG or JPEG file, as they are.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: neither PNG nor JPEG, or more than 10 MiB.
    pub fn from_file(bytes: &[u8]) -> Result<Self> {
        let kind = match bytes {
            [0x89, b'P', b'N', b'G', ..] => "png",
            [0xff, 0xd8, 0xff, ..] => "jpeg",
            _ => return Err(Error::new(ErrorKind::InvalidInput, "the picture is neither PNG nor JPEG")),
        };
        if bytes.len() > MOST_BYTES {
            let text = format!("the picture has {} bytes; at most {MOST_BYTES} are sent", bytes.len());
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        Ok(Self { uri: format!("data:image/{kind};base64,{}", STANDARD.encode(bytes)) })
    }

    /// A frame of RGB, 8 bits each, row by row without gaps; encoded as a JPEG whose longer side has at most 1024 pixels, some
    /// milliseconds and a tenth of a megabyte for a camera's frame. Servers look at no more than that; who has text to show in small
    /// print sends a PNG with [`from_file`](Self::from_file).
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the bytes are not `width · height · 3`, a side is 0 or above 8192, or the JPEG has more than 10 MiB.
    pub fn from_rgb(width: u32, height: u32, rgb: &[u8]) -> Result<Self> {
        let expected = u64::from(width) * u64::from(height) * 3;
        if width == 0 || height == 0 || width > 8192 || height > 8192 || rgb.len() as u64 != expected {
            let text = if width == 0 || height == 0 || width > 8192 || height > 8192 {
                format!("a picture has sides of 1 to 8192, not {width}×{height}")
            } else {
                format!("a {width}×{height} picture has {expected} bytes of RGB, not {}", rgb.len())
            };
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        let failed = |what: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Internal, format!("the picture could not be encoded: {what}"))
        };
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, QUALITY);
        let longer = width.max(height);
        if longer > LONGEST_SIDE {
            let whole = ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(width, height, rgb)
                .ok_or_else(|| failed(&"its size does not fit"))?;
            let side = |side: u32| (side * LONGEST_SIDE / longer).max(1);
            let small = imageops::thumbnail(&whole, side(width), side(height));
            encoder.encode_image(&small).map_err(|e| failed(&e))?;
        } else {
            encoder.encode(rgb, width, height, image::ExtendedColorType::Rgb8).map_err(|e| failed(&e))?;
        }
        Self::from_file(&file)
    }

    /// As a part of what the person says.
    pub fn part(self, detail: Detail) -> UserPart {
        UserPart::Image { image_url: self.uri, detail: Some(detail) }
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} characters)", self.uri.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_becomes_a_jpeg_of_a_fitting_size_and_nonsense_is_refused() {
        for (width, height, becomes) in
            [(4, 2, (4, 2)), (1920, 1080, (1024, 576)), (1080, 1920, (576, 1024)), (8192, 1, (1024, 1))]
        {
            let rgb: Vec<u8> = (0..width * height).flat_map(|n| [n as u8, (n >> 8) as u8, 90]).collect();
            let picture = Picture::from_rgb(width, height, &rgb).unwrap();
            let bytes = picture.uri.strip_prefix("data:image/jpeg;base64,").unwrap();
            let bytes = STANDARD.decode(bytes).unwrap();
            let read = image::load_from_memory(&bytes).unwrap().to_rgb8();
            assert_eq!(read.dimensions(), becomes);
            assert!(read.get_pixel(0, 0)[2].abs_diff(90) < 8, "it is the same picture");
            assert!(bytes.len() < 800_000, "{} bytes", bytes.len());
        }
        for (width, height, bytes) in [(4, 2, 23), (0, 0, 0), (9000, 1, 27_000)] {
            assert!(Picture::from_rgb(width, height, &vec![0; bytes]).is_err());
        }
        assert!(Picture::from_file(b"GIF89a").is_err() && Picture::from_file(&[]).is_err());
    }
}
