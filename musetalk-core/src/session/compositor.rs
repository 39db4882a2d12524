//! Base frame, patch and presence to a finished picture; never behind a device call, and nothing allocates.

use std::sync::Arc;

use crate::asset::AvatarAsset;
use crate::compose::blend::{Blender, Canvas};
use crate::frame::{FrameBuffer, PixelFormat, Region};
use crate::{Error, ErrorKind, Result};

/// Draws the pictures of one avatar.
#[derive(Debug)]
pub(crate) struct Compositor {
    asset: Arc<AvatarAsset>,
    format: PixelFormat,
    blender: Blender,
}

impl Compositor {
    pub(crate) fn new(asset: Arc<AvatarAsset>, format: PixelFormat) -> Self {
        let widest =
            (0..asset.frames()).map(|frame| asset.mask_plan(frame).face().width()).max().unwrap_or(0);
        // Converting the footage takes a while: it happens now, not while somebody waits for a picture.
        asset.pixels(0, format);
        Self { asset, format, blender: Blender::new(widest) }
    }

    pub(crate) fn asset(&self) -> &Arc<AvatarAsset> {
        &self.asset
    }

    /// Room for one picture of this avatar; its memory is reserved now and touched when it is first drawn.
    pub(crate) fn buffer(asset: &AvatarAsset, format: PixelFormat, samples: usize) -> Result<FrameBuffer> {
        let bytes = asset.width() as usize * asset.height() as usize * format.bytes();
        let mut pixels = Vec::new();
        pixels.try_reserve_exact(bytes).map_err(|e| {
            let text = format!("no memory for pictures of {bytes} bytes; lower AvatarOptions::frames_lent");
            Error::new(ErrorKind::OutOfMemory, text).caused_by(e)
        })?;
        Ok(FrameBuffer {
            pixels,
            audio: Vec::with_capacity(samples),
            width: asset.width(),
            height: asset.height(),
            format,
            ..FrameBuffer::default()
        })
    }

    /// Draws the base frame at `cycle`, and the faces `patches` on it, one over the other, as far as they are present.
    ///
    /// A patch may have been made for a neighbouring position: it is then fitted to the box of this one.
    pub(crate) fn draw<'p>(
        &mut self,
        cycle: u32,
        patches: impl Iterator<Item = (&'p [u8], u8)>,
        picture: &mut FrameBuffer,
    ) {
        picture.cycle_index = cycle;
        picture.region = Region::default();
        picture.pixels.clear();
        picture.pixels.extend_from_slice(self.asset.pixels(cycle, self.format));
        let plan = self.asset.mask_plan(cycle);
        let stride = self.asset.width() as usize * self.format.bytes();
        let mut canvas = Canvas { pixels: &mut picture.pixels, stride, format: self.format };
        let size = self.asset.image_size() as usize;
        let mask = self.asset.mask(cycle);
        for (patch, presence) in patches.filter(|(_, presence)| *presence > 0) {
            self.blender.blend(patch, size, plan, mask, presence, &mut canvas);
            picture.region = plan.region().into();
        }
    }
}
