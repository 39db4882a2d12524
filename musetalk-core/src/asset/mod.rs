//! One person, prepared: frames, boxes, masks and latents.

mod budget;
mod clip;
pub(crate) mod cycle;
mod format;
mod held;
mod jpeg;
mod limits;
mod parts;
mod picture;
mod read;
mod source;
mod writer;

use std::borrow::Cow;
use std::sync::OnceLock;

pub use clip::Clip;
use cycle::Cycle;
pub(crate) use limits::{LONGEST_NAME, MOST_CLIPS, MOST_FRAMES, check_box, check_clip_name, check_size};
pub use parts::AvatarParts;
pub(crate) use parts::{read_boxes, read_picture};
pub use writer::{AvatarHeader, AvatarWriter, PreparedFrame};
pub(crate) use writer::{Recorder, meta_of};

use crate::compose::Rect;
use crate::compose::blend::MaskPlan;
use crate::frame::{PixelFormat, Region};
use crate::pack::ImageSizes;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

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

/// A person, prepared for one encoder: footage, face boxes, masks and latents.
///
/// Shared by every avatar of an engine that shows the same person. It holds the index of its file, about 250 bytes a frame, and
/// reads frames when they are needed; only short footage is kept decoded, as
/// [`AvatarOptions::preload_limit`](crate::AvatarOptions::preload_limit) says.
#[derive(Debug)]
pub struct AvatarAsset {
    meta: format::Meta,
    fps: FrameRate,
    clips: Vec<Clip>,
    rows: Vec<format::Row>,
    source: source::Source,
    size: u64,
    /// Decoded footage by format, where it was preloaded.
    held: [OnceLock<Vec<u8>>; 3],
    layers: OnceLock<Vec<Layer>>,
}

/// What is laid over a frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    /// Where speech may change the frame, over the crop of its face.
    pub(crate) mask: Vec<u8>,
    pub(crate) plan: MaskPlan,
    /// The face with its mouth closed; empty for an avatar whose footage is closed by itself.
    pub(crate) closed: Vec<u8>,
}

/// Room that reading needs, kept from one frame to the next.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    blob: Vec<u8>,
    pixels: Vec<u8>,
    alpha: Vec<u8>,
}

impl AvatarAsset {
    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.meta.name
    }

    /// The program that wrote it, with its version.
    pub fn made_by(&self) -> &str {
        &self.meta.made_by
    }

    /// Frames of the footage, of all clips together.
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

    /// Its clips, at least one; the first is the default.
    pub fn clips(&self) -> &[Clip] {
        &self.clips
    }

    /// The clip that a position of a base cycle belongs to, as an index of [`clips`](Self::clips).
    pub fn clip_of(&self, cycle_index: u32) -> usize {
        self.clips.iter().position(|clip| clip.positions().contains(&cycle_index)).unwrap_or(0)
    }

    /// Whether its frames have a matte, which four-byte pixels then carry.
    pub fn has_alpha(&self) -> bool {
        self.meta.alpha
    }

    /// Whether idle frames show a mouth that the pack closed, because that of the footage is open.
    pub fn has_closed_mouths(&self) -> bool {
        self.meta.closed
    }

    /// The identity of the encoder that made the latents; see [`ModelPack::encoder_identity`](crate::ModelPack::encoder_identity).
    pub fn encoder_identity(&self) -> &str {
        &self.meta.encoder
    }

    /// Bytes of its file.
    pub fn file_bytes(&self) -> u64 {
        self.size
    }

    /// The face box at a position of a base cycle. A position of no clip counts as one of the first clip's.
    pub fn face_box(&self, cycle_index: u32) -> FaceBox {
        self.rows[self.frame_at(cycle_index) as usize].face
    }

    /// The base frame at a position of a base cycle: RGB8 as filmed (where a screen was taken out, with the person's colours carried on),
    /// rows from top to bottom without padding.
    ///
    /// A host may keep these on its GPU and upload only [`Frame::region`](crate::Frame::region) of each frame. Lent where the
    /// footage is preloaded; elsewhere read and decoded on this thread, and given away.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`], [`ErrorKind::Io`]: the frame cannot be read.
    /// - [`ErrorKind::OutOfMemory`]: there is no room for it.
    pub fn base_frame(&self, cycle_index: u32) -> Result<Cow<'_, [u8]>> {
        let frame = self.frame_at(cycle_index);
        if let Some(pixels) = self.held(frame, PixelFormat::Rgb8) {
            return Ok(Cow::Borrowed(pixels));
        }
        let mut pixels = Vec::new();
        self.picture(frame, PixelFormat::Rgb8, &mut Reading::default(), &mut pixels)?;
        Ok(Cow::Owned(pixels))
    }

    /// The base frame at a position of a base cycle, in the pixels of a host, into memory of his: `width · height · format.bytes()`
    /// bytes. The fourth byte is the matte's, or 255.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: `out` has another size.
    /// - [`ErrorKind::Corrupt`], [`ErrorKind::Io`]: the frame cannot be read.
    /// - [`ErrorKind::OutOfMemory`]: there is no room to decode it.
    pub fn copy_base_frame(&self, cycle_index: u32, format: PixelFormat, out: &mut [u8]) -> Result<()> {
        let expected = self.picture_bytes(format);
        if out.len() != expected {
            let text = format!("out has {} bytes, a base frame in {format:?} has {expected}", out.len());
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        let frame = self.frame_at(cycle_index);
        if let Some(pixels) = self.held(frame, format) {
            out.copy_from_slice(pixels);
            return Ok(());
        }
        let mut pixels = Vec::new();
        self.picture(frame, format, &mut Reading::default(), &mut pixels)?;
        out.copy_from_slice(&pixels);
        Ok(())
    }

    /// Where speech may change the base frame at a position of a base cycle: one byte a pixel of the box's
    /// [`crop`](FaceBox::crop), 255 = replaced. Read and decoded on this thread.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`], [`ErrorKind::Io`]: the frame cannot be read.
    /// - [`ErrorKind::OutOfMemory`]: there is no room for it.
    pub fn mask(&self, cycle_index: u32) -> Result<Vec<u8>> {
        let mut layer = Layer::default();
        self.layer(self.frame_at(cycle_index), &mut Reading::default(), &mut layer)?;
        Ok(layer.mask)
    }

    pub(crate) fn face_of(&self, frame: u32) -> FaceBox {
        self.rows[frame as usize].face
    }

    fn has(&self, part: format::Part) -> bool {
        self.meta.has(part)
    }

    /// Whether its latents have the sizes that a pack works with.
    pub(crate) fn fits(&self, image: ImageSizes) -> bool {
        let own = (self.meta.image_size, self.meta.latent_channels, self.meta.latent_size);
        own == (image.size, image.latent_channels, image.latent_size)
    }

    pub(crate) fn latent_len(&self) -> usize {
        self.meta.latent_len()
    }

    /// Pixels per row of the widest face box.
    pub(crate) fn widest_face(&self) -> usize {
        self.rows
            .iter()
            .map(|row| row.face.width())
            .max()
            .and_then(|width| usize::try_from(width).ok())
            .unwrap_or(0)
    }

    pub(crate) fn image_size(&self) -> u32 {
        self.meta.image_size
    }

    pub(crate) fn picture_bytes(&self, format: PixelFormat) -> usize {
        self.meta.width as usize * self.meta.height as usize * format.bytes()
    }

    /// The cycle of the clip that a position belongs to.
    pub(crate) fn cycle_of(&self, position: u32) -> Cycle {
        self.clips[self.clip_of(position)].cycle()
    }

    /// The cycle of a clip; of the first one where there is none of this number.
    pub(crate) fn clip_cycle(&self, clip: usize) -> Cycle {
        self.clips.get(clip).unwrap_or(&self.clips[0]).cycle()
    }

    /// The frame at a position of a base cycle.
    pub(crate) fn frame_at(&self, position: u32) -> u32 {
        self.cycle_of(position).frame_at(position)
    }
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
