//! A face in a frame to the latent that speech starts from (spec §3.5, §5.5).

use crate::Result;
use crate::asset::FaceBox;
use crate::networks::Encoder;
use crate::pack::ImageSizes;

/// Appends \[2·c, l, l\]: the latent of the face with its lower half blacked, then of the whole face.
///
/// The face is cut out, clipped at the borders of the frame, and resized to the square with Lanczos-4; black is put in before
/// the pixels are brought to −1…1, so that it is −1 and not grey.
pub(crate) fn append_latent(
    encoder: &mut Encoder,
    image: ImageSizes,
    frame: &[u8],
    (width, height): (u32, u32),
    face: &FaceBox,
    latents: &mut Vec<f32>,
) -> Result<()> {
    let size = image.size as usize;
    let crop = cut_out(frame, width as usize, height as usize, face);
    let square = crate::compose::resize::lanczos(&crop.pixels, (crop.width, crop.height), (size, size));
    let plane = size * size;
    let mut pair = vec![-1.0; 2 * 3 * plane];
    let (masked, whole) = pair.split_at_mut(3 * plane);
    for (pixel, rgb) in square.chunks_exact(3).enumerate() {
        for (channel, &value) in rgb.iter().enumerate() {
            let value = f32::from(value) / 255.0 * 2.0 - 1.0;
            whole[channel * plane + pixel] = value;
            if pixel < plane / 2 {
                masked[channel * plane + pixel] = value;
            }
        }
    }
    let latent = image.latent_channels as usize * (image.latent_size as usize).pow(2);
    let start = latents.len();
    latents.resize(start + 2 * latent, 0.0);
    encoder.run(1, &pair[..3 * plane], &mut latents[start..start + latent])?;
    encoder.run(1, &pair[3 * plane..], &mut latents[start + latent..])
}

struct Crop {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

fn cut_out(frame: &[u8], width: usize, height: usize, face: &FaceBox) -> Crop {
    let clip = |edge: i32, most: usize| usize::try_from(edge).unwrap_or(0).min(most);
    let (x1, x2) = (clip(face.x1, width), clip(face.x2, width));
    let (y1, y2) = (clip(face.y1, height), clip(face.y2, height));
    let rows = (y1..y2).flat_map(|y| &frame[(y * width + x1) * 3..(y * width + x2) * 3]);
    Crop { pixels: rows.copied().collect(), width: x2 - x1, height: y2 - y1 }
}
