use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Compression, Encoder};

use crate::protocol::{Detail, UserPart};
use crate::{Error, ErrorKind, Result};

/// Larger pictures are refused, in bytes as sent; servers take 15 to 20 MB.
const MOST_BYTES: usize = 10 << 20;

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

    /// A frame of RGB, 8 bits each, row by row without gaps; encoded as a PNG, some milliseconds for a webcam's frame. A host
    /// that has a JPEG encoder sends a fifth of the bytes with [`from_file`](Self::from_file).
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the bytes are not `width · height · 3`, a side is 0 or above 8192, or the PNG has more than 10 MiB.
    pub fn from_rgb(width: u32, height: u32, rgb: &[u8]) -> Result<Self> {
        let expected = u64::from(width) * u64::from(height) * 3;
        if width == 0 || height == 0 || width > 8192 || height > 8192 || rgb.len() as u64 != expected {
            let text = format!(
                "a {width}×{height} picture has {expected} bytes of RGB and sides of 1 to 8192, not {} bytes",
                rgb.len()
            );
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        let failed = |e: png::EncodingError| {
            Error::new(ErrorKind::Internal, format!("the picture could not be encoded: {e}"))
        };
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Fast);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(rgb).map_err(failed)?;
        writer.finish().map_err(failed)?;
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
    fn a_frame_becomes_a_png_and_nonsense_is_refused() {
        let picture = Picture::from_rgb(4, 2, &[128; 24]).unwrap();
        assert!(picture.uri.starts_with("data:image/png;base64,iVBOR"));
        for (width, height, bytes) in [(4, 2, 23), (0, 0, 0), (9000, 1, 27_000)] {
            assert!(Picture::from_rgb(width, height, &vec![0; bytes]).is_err());
        }
        assert!(Picture::from_file(b"GIF89a").is_err() && Picture::from_file(&[]).is_err());
    }
}
