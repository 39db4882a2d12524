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

use super::{Rect, resize::LinearResize};
use crate::frame::PixelFormat;
use crate::{Error, ErrorKind, Result};

/// Where a mask has any effect on a frame, found once, when an avatar is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
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
    #[cfg(test)]
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
    #[cfg(test)]
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
#[derive(Debug)]
pub(crate) struct Blender {
    resize: LinearResize,
    /// One row of the resized patch: RGB, and laid out like a pixel of 4 bytes.
    row: Vec<u8>,
    wide: Vec<u8>,
    /// How much each byte of the row counts, of 255.
    alpha: Vec<u8>,
}

/// Bytes that are mixed at a time.
const BLOCK: usize = 16;

impl Blender {
    /// A blender for face boxes up to `max_width` pixels wide: allocates now, and for wider ones once more.
    pub(crate) fn new(max_width: usize) -> Self {
        Self {
            resize: LinearResize::new(max_width),
            row: Vec::with_capacity(max_width * 3),
            wide: Vec::with_capacity(max_width * 4),
            alpha: Vec::with_capacity(max_width * 4),
        }
    }

    /// Blends `patch`, packed RGB of `size` × `size`, onto the footage already in `canvas`, within `plan.region()`.
    ///
    /// `mask` is the one the plan was made of. About 4 ns a pixel of the region.
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
        self.wide.resize(region.width() * 4, 0);
        self.alpha.resize(region.width() * bytes, 0);
        for y in region.top..region.bottom {
            self.resize.row(patch, (y - face.top) as usize, &mut self.row);
            let mask = &mask[(y - crop.top) as usize * crop.width() + (region.left - crop.left) as usize..];
            let mask = &mask[..region.width()];
            let start = y as usize * canvas.stride + region.left as usize * bytes;
            let pixels = &mut canvas.pixels[start..][..region.width() * bytes];
            let new = match canvas.format {
                PixelFormat::Rgb8 => &self.row,
                PixelFormat::Rgba8 => arrange::<0, 2>(&self.row, &mut self.wide),
                PixelFormat::Bgra8 => arrange::<2, 0>(&self.row, &mut self.wide),
            };
            match bytes {
                3 => spread::<3>(mask, presence, &mut self.alpha),
                _ => spread::<4>(mask, presence, &mut self.alpha),
            }
            mix(pixels, new, &self.alpha);
        }
    }
}

/// Makes pixels of 4 bytes, red and blue at `RED` and `BLUE`, of pixels of 3.
fn arrange<'a, const RED: usize, const BLUE: usize>(row: &[u8], wide: &'a mut Vec<u8>) -> &'a Vec<u8> {
    let (pixels, _) = row.as_chunks::<3>();
    let (out, _) = wide.as_chunks_mut::<4>();
    for (out, pixel) in out.iter_mut().zip(pixels) {
        out[RED] = pixel[0];
        out[1] = pixel[1];
        out[BLUE] = pixel[2];
    }
    wide
}

/// Repeats each pixel's weight for its colours; a frame's own alpha gets the weight 0.
fn spread<const BYTES: usize>(mask: &[u8], presence: u8, alpha: &mut [u8]) {
    let (alpha, _) = alpha.as_chunks_mut::<BYTES>();
    for (alpha, mask) in alpha.iter_mut().zip(mask) {
        let weight = divide_by_255(u16::from(*mask) * u16::from(presence)) as u8;
        *alpha = std::array::from_fn(|byte| if byte < 3 { weight } else { 0 });
    }
}

fn mix(pixels: &mut [u8], new: &[u8], alpha: &[u8]) {
    let mix = |old: u8, new: u8, alpha: u8| {
        divide_by_255(u16::from(old) * u16::from(255 - alpha) + u16::from(new) * u16::from(alpha)) as u8
    };
    // In whole blocks first: only these the compiler turns into vector instructions.
    let (blocks, rest) = pixels.as_chunks_mut::<BLOCK>();
    let (new_blocks, new_rest) = new.as_chunks::<BLOCK>();
    let (alpha_blocks, alpha_rest) = alpha.as_chunks::<BLOCK>();
    for ((pixels, new), alpha) in blocks.iter_mut().zip(new_blocks).zip(alpha_blocks) {
        *pixels = std::array::from_fn(|at| mix(pixels[at], new[at], alpha[at]));
    }
    for ((pixel, new), alpha) in rest.iter_mut().zip(new_rest).zip(alpha_rest) {
        *pixel = mix(*pixel, *new, *alpha);
    }
}

/// Mixes `over` into pixels of the same size: `presence` of 255 of it.
pub(crate) fn dissolve(pixels: &mut [u8], over: &[u8], presence: u8) {
    let (new, old) = (u16::from(presence), u16::from(255 - presence));
    for (pixel, over) in pixels.iter_mut().zip(over) {
        *pixel = divide_by_255(u16::from(*pixel) * old + u16::from(*over) * new) as u8;
    }
}

/// value / 255, rounded, for values up to 255².
fn divide_by_255(value: u16) -> u16 {
    let value = value + 128;
    ((value >> 8) + value) >> 8
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Case, cases, noise};
    use super::*;

    struct Scene {
        base: Vec<u8>,
        patch: Vec<u8>,
        mask: Vec<u8>,
        plan: MaskPlan,
        size: (usize, usize),
    }

    /// The pictures of `make_compose.py`.
    fn scene(case: &Case) -> Scene {
        let rect = |[left, top, right, bottom]: [i32; 4]| Rect::new(left, top, right, bottom);
        let crop = rect(case.crop);
        let side = crop.width();
        let mut mask = noise((side, side), 1, case.seed + 200);
        for (y, row) in mask.chunks_exact_mut(side).enumerate() {
            match y {
                _ if y < side / 2 => row.fill(0),
                _ if y >= side - 2 => row.fill(255),
                _ => row[..side / 8].fill(0),
            }
        }
        let plan = MaskPlan::new(case.source, rect(case.face), crop, &mask).unwrap();
        let patch = noise((32, 32), 3, case.seed + 100);
        Scene { base: case.picture(3), patch, mask, plan, size: case.source }
    }

    impl Scene {
        fn blend(&self, pixels: &mut [u8], format: PixelFormat, presence: u8) {
            let mut canvas = Canvas { pixels, stride: self.size.0 * format.bytes(), format };
            let mut blender = Blender::new(self.plan.face().width());
            blender.blend(&self.patch, 32, &self.plan, &self.mask, presence, &mut canvas);
        }
    }

    #[test]
    fn equals_the_reference_also_where_boxes_leave_the_frame() {
        for case in cases("blend") {
            let scene = scene(&case);
            let mut pixels = scene.base.clone();
            scene.blend(&mut pixels, PixelFormat::Rgb8, 255);
            case.check(&pixels);
        }
    }

    #[test]
    fn writes_only_inside_the_region() {
        for case in cases("blend") {
            let scene = scene(&case);
            let region = scene.plan.region();
            let mut pixels = scene.base.clone();
            scene.blend(&mut pixels, PixelFormat::Rgb8, 255);
            // Restoring the region restores the whole: nothing else was touched.
            let mut canvas =
                Canvas { pixels: &mut pixels, stride: case.source.0 * 3, format: PixelFormat::Rgb8 };
            canvas.copy_region(&scene.base, region);
            assert_eq!(pixels, scene.base);
        }
    }

    #[test]
    fn every_format_shows_the_same_colours_and_keeps_alpha() {
        let scene = scene(&cases("blend")[0]);
        let mut rgb = scene.base.clone();
        scene.blend(&mut rgb, PixelFormat::Rgb8, 200);
        for (format, order) in [(PixelFormat::Rgba8, [0, 1, 2]), (PixelFormat::Bgra8, [2, 1, 0])] {
            let widen = |rgb: &[u8]| -> Vec<u8> {
                rgb.chunks_exact(3)
                    .flat_map(|pixel| [pixel[order[0]], pixel[order[1]], pixel[order[2]], 77])
                    .collect()
            };
            let mut pixels = widen(&scene.base);
            scene.blend(&mut pixels, format, 200);
            assert_eq!(pixels, widen(&rgb));
        }
    }

    #[test]
    fn no_presence_is_the_footage_and_more_presence_is_nearer_to_the_patch() {
        let scene = scene(&cases("blend")[0]);
        let blended = |presence| {
            let mut pixels = scene.base.clone();
            scene.blend(&mut pixels, PixelFormat::Rgb8, presence);
            pixels
        };
        assert_eq!(blended(0), scene.base);
        let whole = blended(255);
        let distance = |pixels: &[u8]| -> i64 {
            pixels.iter().zip(&whole).map(|(a, b)| (i64::from(*a) - i64::from(*b)).abs()).sum()
        };
        let distances: Vec<_> =
            [0, 64, 128, 192, 254, 255].map(|presence| distance(&blended(presence))).into();
        assert!(distances.is_sorted_by(|before, after| before > after), "{distances:?}");
    }

    #[test]
    fn a_mask_that_shows_nothing_has_an_empty_region() {
        let crop = Rect::new(0, 0, 8, 8);
        let plan = |face, mask: &[u8]| MaskPlan::new((64, 64), face, crop, mask).unwrap();
        assert!(plan(crop, &[0; 64]).region().is_empty());
        assert!(plan(Rect::new(20, 20, 30, 30), &[255; 64]).region().is_empty());
        assert_eq!(plan(Rect::new(2, 3, 30, 30), &[255; 64]).region(), Rect::new(2, 3, 8, 8));
        assert!(MaskPlan::new((64, 64), crop, crop, &[0; 63]).is_err());
        assert!(MaskPlan::new((64, 64), Rect::default(), crop, &[0; 64]).is_err());
    }

    #[test]
    fn divides_by_255_with_rounding() {
        for value in 0..=255 * 255_u16 {
            assert_eq!(divide_by_255(value), (f64::from(value) / 255.0).round() as u16);
        }
    }
}
