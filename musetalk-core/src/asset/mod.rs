//! One person, prepared: frames, boxes, masks and latents.

pub(crate) mod cycle;
mod format;
mod parts;
mod read;
mod write;

use std::sync::OnceLock;

pub use parts::AvatarParts;
pub(crate) use parts::{read_boxes, read_picture};
pub(crate) use read::check_box;
pub(crate) use write::encode;

use crate::compose::Rect;
use crate::compose::blend::MaskPlan;
use crate::frame::{PixelFormat, Region};
use crate::pack::ImageSizes;
use crate::time::FrameRate;

/// A face box in the frame, in pixels; right and bottom are exclusive.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a box has four edges")]
pub struct FaceBox {
    /// Left edge.
    pub x1: i32,
    /// Upper edge.
    pub y1: i32,
    /// First column to the right of the box.
    pub x2: i32,
    /// First row below the box.
    pub y2: i32,
}

impl FaceBox {
    /// Pixels per row.
    pub fn width(&self) -> i32 {
        self.x2.saturating_sub(self.x1)
    }

    /// Rows.
    pub fn height(&self) -> i32 {
        self.y2.saturating_sub(self.y1)
    }

    /// The square around the face in which the mask lives, 1.5 times as large (spec §7.1). May leave the frame.
    pub fn crop(&self) -> Self {
        // Coordinates are checked to stay within ±65 536, so none of this can overflow.
        let (xc, yc) = ((self.x1 + self.x2).div_euclid(2), (self.y1 + self.y2).div_euclid(2));
        let half = (self.width().max(self.height()) / 2) * 3 / 2;
        Self { x1: xc - half, y1: yc - half, x2: xc + half, y2: yc + half }
    }
}

/// A person, prepared for one encoder: footage, face boxes, masks and latents, all in memory.
///
/// Shared by every avatar of an engine that shows the same person. Memory: frames · width · height · 3 bytes and, for
/// a host that asks for four-byte pixels, once more at 4.
#[derive(Debug)]
pub struct AvatarAsset {
    meta: format::Meta,
    fps: FrameRate,
    boxes: Vec<FaceBox>,
    masks: Vec<Vec<u8>>,
    plans: Vec<MaskPlan>,
    latents: Vec<f32>,
    rgb: Vec<u8>,
    four: [OnceLock<Vec<u8>>; 2],
}

impl AvatarAsset {
    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.meta.name
    }

    /// Frames of the footage; the base cycle is twice as long, forth and back.
    pub fn frames(&self) -> u32 {
        self.meta.frames
    }

    /// Pixels per row.
    pub fn width(&self) -> u32 {
        self.meta.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.meta.height
    }

    /// The rate at which the footage plays.
    pub fn fps(&self) -> FrameRate {
        self.fps
    }

    /// The identity of the encoder that made the latents; see [`ModelPack::encoder_identity`](crate::ModelPack::encoder_identity).
    pub fn encoder_identity(&self) -> &str {
        &self.meta.encoder
    }

    /// The face box at a position of the base cycle.
    pub fn face_box(&self, cycle_index: u32) -> FaceBox {
        self.boxes[self.frame_of(cycle_index)]
    }

    /// The base frame at a position of the base cycle, RGB8, rows from top to bottom without padding.
    ///
    /// A host may keep these on its GPU and upload only [`Frame::region`](crate::Frame::region) of each frame.
    pub fn base_frame(&self, cycle_index: u32) -> &[u8] {
        self.pixels(cycle_index, PixelFormat::Rgb8)
    }

    /// The base frame at a position of the base cycle in a host's format, rows from top to bottom without padding.
    ///
    /// The first call for a four-byte format converts the whole footage, unless an avatar of that format was opened before.
    pub fn base_frame_as(&self, cycle_index: u32, format: PixelFormat) -> &[u8] {
        self.pixels(cycle_index, format)
    }

    /// Where speech may change pixels of the frame at a position of the cycle.
    pub(crate) fn mask(&self, cycle_index: u32) -> &[u8] {
        &self.masks[self.frame_of(cycle_index)]
    }

    pub(crate) fn mask_plan(&self, cycle_index: u32) -> &MaskPlan {
        &self.plans[self.frame_of(cycle_index)]
    }

    /// Whether its latents have the sizes that a pack works with.
    pub(crate) fn fits(&self, image: ImageSizes) -> bool {
        let own = (self.meta.image_size, self.meta.latent_channels, self.meta.latent_size);
        own == (image.size, image.latent_channels, image.latent_size)
    }

    /// \[2·c, l, l\]: the latent of the crop with its lower half blacked, then of the whole crop.
    pub(crate) fn latent(&self, cycle_index: u32) -> &[f32] {
        let size = self.latent_len();
        &self.latents[self.frame_of(cycle_index) * size..][..size]
    }

    pub(crate) fn latent_len(&self) -> usize {
        2 * self.meta.latent_channels as usize * (self.meta.latent_size as usize).pow(2)
    }

    pub(crate) fn image_size(&self) -> u32 {
        self.meta.image_size
    }

    /// The base frame in a host's format. The first call for a four-byte format converts the whole footage.
    pub(crate) fn pixels(&self, cycle_index: u32, format: PixelFormat) -> &[u8] {
        let all = match format {
            PixelFormat::Rgb8 => &self.rgb,
            PixelFormat::Rgba8 => self.four[0].get_or_init(|| widen(&self.rgb, [0, 1, 2])),
            PixelFormat::Bgra8 => self.four[1].get_or_init(|| widen(&self.rgb, [2, 1, 0])),
        };
        let size = self.meta.width as usize * self.meta.height as usize * format.bytes();
        &all[self.frame_of(cycle_index) * size..][..size]
    }

    fn frame_of(&self, cycle_index: u32) -> usize {
        cycle::frame_at(cycle_index, self.meta.frames) as usize
    }
}

fn widen(rgb: &[u8], order: [usize; 3]) -> Vec<u8> {
    rgb.chunks_exact(3).flat_map(|p| [p[order[0]], p[order[1]], p[order[2]], 255]).collect()
}

impl From<FaceBox> for Rect {
    fn from(face: FaceBox) -> Self {
        Self::new(face.x1, face.y1, face.x2, face.y2)
    }
}

impl From<Rect> for Region {
    /// A rectangle that lies inside the frame, as the regions of masks do.
    fn from(rect: Rect) -> Self {
        if rect.is_empty() {
            return Self::default();
        }
        Self {
            x: rect.left as u32,
            y: rect.top as u32,
            width: rect.width() as u32,
            height: rect.height() as u32,
        }
    }
}
