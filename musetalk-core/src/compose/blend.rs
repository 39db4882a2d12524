//! The decoder's patch onto a frame of the footage: resized to the face box, blended through the mask, only where it shows.
//!
//! | term | meaning |
//! |---|---|
//! | patch | packed RGB, `size · size`: the decoder's picture of the face box |
//! | face box, crop box | rectangles of the frame, either may lie partly outside it |
//! | mask | one byte a pixel of the crop box, 255 = patch, 0 = footage |
//! | presence | 0 … 255, how much of the mask counts: 255 all, 0 nothing |
//!
//! With a = mask · presence / 255, rounded: t = old·(255 − a) + new·a + 128, out = ((t >> 8) + t) >> 8, as Pillow pastes
//! through a mask. At a presence of 255 the result is the reference's, bit for bit.

use super::{PixelFormat, Rect, resize::LinearResize};
use crate::{Error, ErrorKind, Result};

/// Where a mask has any effect on a frame, found once, when an avatar is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct MaskPlan {
    face: Rect,
    crop: Rect,
    region: Rect,
}

impl MaskPlan {
    /// The plan for a mask over `crop`, `crop.width() · crop.height()` bytes, in a frame of `frame_size` (width, height).
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidInput`]: the face box is empty, or the mask's size is not the crop box's.
    pub(crate) fn new(frame_size: (usize, usize), face: Rect, crop: Rect, mask: &[u8]) -> Result<Self> {
        if face.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, format!("the face box {face:?} is empty")));
        }
        if mask.len() != crop.width() * crop.height() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the mask has {} bytes; the crop box {crop:?} needs one a pixel", mask.len()),
            ));
        }
        let frame = Rect::new(0, 0, frame_size.0 as i32, frame_size.1 as i32);
        // Outside the face box the patch is the footage itself: blending changes nothing there.
        let visible = bounds(crop, mask).intersection(&face).intersection(&frame);
        Ok(Self { face, crop, region: visible })
    }

    /// The part of the frame that blending writes to; empty where the mask shows nothing.
    pub(crate) fn region(&self) -> Rect {
        self.region
    }

    /// The face box: what the patch is resized to.
    pub(crate) fn face(&self) -> Rect {
        self.face
    }
}

/// Where the mask is not zero, in the frame's coordinates.
fn bounds(crop: Rect, mask: &[u8]) -> Rect {
    let mut found = Rect::new(i32::MAX, i32::MAX, i32::MIN, i32::MIN);
    for (row, y) in mask.chunks_exact(crop.width().max(1)).zip(crop.top..) {
        let Some(first) = row.iter().position(|&alpha| alpha != 0) else { continue };
        let last = row.iter().rposition(|&alpha| alpha != 0).unwrap_or(first);
        found.left = found.left.min(crop.left + first as i32);
        found.right = found.right.max(crop.left + last as i32 + 1);
        found.top = found.top.min(y);
        found.bottom = y + 1;
    }
    if found.is_empty() { Rect::default() } else { found }
}

/// A picture in memory that is written to: rows of `stride` bytes, of which the first `width · format.bytes()` count.
pub(crate) struct Canvas<'a> {
    pub(crate) pixels: &'a mut [u8],
    pub(crate) stride: usize,
    pub(crate) format: PixelFormat,
}

impl Canvas<'_> {
    /// Copies `region` from a picture of the same size, stride and format.
    pub(crate) fn copy_region(&mut self, from: &[u8], region: Rect) {
        let bytes = self.format.bytes();
        for y in region.top..region.bottom {
            let start = y as usize * self.stride + region.left as usize * bytes;
            let row = start..start + region.width() * bytes;
            self.pixels[row.clone()].copy_from_slice(&from[row]);
        }
    }
}

/// Blends patches onto frames. Holds the tables and one row; one per compositor.
pub(crate) struct Blender {
    resize: LinearResize,
    row: Vec<u8>,
}

impl Blender {
    /// A blender for face boxes up to `max_width` pixels wide: allocates now, and for wider ones once more.
    pub(crate) fn new(max_width: usize) -> Self {
        Self { resize: LinearResize::new(max_width), row: Vec::with_capacity(max_width * 3) }
    }

    /// Blends `patch`, packed RGB of `size` × `size`, onto the footage already in `canvas`, within `plan.region()`.
    ///
    /// `mask` is the one the plan was made of. About 2 ns a pixel of the region.
    pub(crate) fn blend(
        &mut self,
        patch: &[u8],
        size: usize,
        plan: &MaskPlan,
        mask: &[u8],
        presence: u8,
        canvas: &mut Canvas<'_>,
    ) {
        let MaskPlan { face, crop, region } = *plan;
        if region.is_empty() || presence == 0 {
            return;
        }
        let columns = (region.left - face.left) as usize..(region.right - face.left) as usize;
        self.resize.plan((size, size), (face.width(), face.height()), columns);
        self.row.resize(region.width() * 3, 0);
        let bytes = canvas.format.bytes();
        for y in region.top..region.bottom {
            self.resize.row(patch, (y - face.top) as usize, &mut self.row);
            let mask = &mask[(y - crop.top) as usize * crop.width() + (region.left - crop.left) as usize..];
            let mask = &mask[..region.width()];
            let start = y as usize * canvas.stride + region.left as usize * bytes;
            let pixels = &mut canvas.pixels[start..][..region.width() * bytes];
            match canvas.format {
                PixelFormat::Rgb8 => blend_row::<3>(pixels, &self.row, mask, presence, [0, 1, 2]),
                PixelFormat::Rgba8 => blend_row::<4>(pixels, &self.row, mask, presence, [0, 1, 2]),
                PixelFormat::Bgra8 => blend_row::<4>(pixels, &self.row, mask, presence, [2, 1, 0]),
            }
        }
    }
}

/// Blends one row; `order` says at which byte of a pixel red, green and blue lie. Alpha stays as it is.
fn blend_row<const BYTES: usize>(pixels: &mut [u8], new: &[u8], mask: &[u8], presence: u8, order: [usize; 3]) {
    let (pixels, _) = pixels.as_chunks_mut::<BYTES>();
    let (new, _) = new.as_chunks::<3>();
    for ((pixel, new), mask) in pixels.iter_mut().zip(new).zip(mask) {
        let alpha = divide_by_255(u16::from(*mask) * u16::from(presence));
        for (new, at) in new.iter().zip(order) {
            let old = u16::from(pixel[at]);
            pixel[at] = divide_by_255(old * (255 - alpha) + u16::from(*new) * alpha) as u8;
        }
    }
}

/// value / 255, rounded, for values up to 255².
fn divide_by_255(value: u16) -> u16 {
    let value = value + 128;
    ((value >> 8) + value) >> 8
}
