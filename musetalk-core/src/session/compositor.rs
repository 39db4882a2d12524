//! Base frame, patches and presence to a finished picture; never behind a device call, and nothing allocates.

use crate::asset::{AvatarAsset, Layer};
use crate::compose::blend::{Blender, Canvas, dissolve};
use crate::frame::{FrameBuffer, PixelFormat, Region};
use crate::{Error, ErrorKind, Result};

/// Draws the pictures of one avatar.
#[derive(Debug)]
pub(crate) struct Compositor {
    format: PixelFormat,
    stride: usize,
    /// Side of a patch.
    size: usize,
    blender: Blender,
    /// The closed mouth with what speaks laid over it; unused where the footage is closed by itself.
    face: Vec<u8>,
    /// The picture drawn last, where another clip may have to take its place softly.
    last: Option<Vec<u8>>,
}

impl Compositor {
    pub(crate) fn new(asset: &AvatarAsset, format: PixelFormat) -> Result<Self> {
        let size = asset.image_size() as usize;
        let last = if asset.clips().len() > 1 { Some(room(asset.picture_bytes(format))?) } else { None };
        Ok(Self {
            format,
            stride: asset.width() as usize * format.bytes(),
            size,
            blender: Blender::new(asset.widest_face()),
            face: if asset.has_closed_mouths() { vec![0; 3 * size * size] } else { Vec::new() },
            last,
        })
    }

    /// Room for one picture of this avatar; its memory is reserved now and touched when it is first drawn.
    pub(crate) fn buffer(asset: &AvatarAsset, format: PixelFormat, samples: usize) -> Result<FrameBuffer> {
        Ok(FrameBuffer {
            pixels: room(asset.picture_bytes(format))?,
            audio: Vec::with_capacity(samples),
            width: asset.width(),
            height: asset.height(),
            format,
            ..FrameBuffer::default()
        })
    }

    /// Draws the faces `patches` on a picture that holds its base frame, one over the other, as far as they are present: over the
    /// closed mouth if the avatar has one.
    ///
    /// A patch may have been made for a neighbouring position: it is then fitted to the box of this one.
    pub(crate) fn draw<'p>(
        &mut self,
        picture: &mut FrameBuffer,
        layer: &Layer,
        patches: impl Iterator<Item = (&'p [u8], u8)>,
    ) {
        picture.region = Region::default();
        let mut canvas = Canvas { pixels: &mut picture.pixels, stride: self.stride, format: self.format };
        let (plan, mask) = (&layer.plan, layer.mask.as_slice());
        let patches = patches.filter(|(_, presence)| *presence > 0);
        if self.face.is_empty() {
            for (patch, presence) in patches {
                self.blender.blend(patch, self.size, plan, mask, presence, &mut canvas);
                picture.region = plan.region().into();
            }
            return;
        }
        // Faces give way to each other before they go through the mask: where its edge is soft the footage, whose mouth may be
        // open, must not shine through more than it does in speech.
        self.face.copy_from_slice(&layer.closed);
        for (patch, presence) in patches {
            dissolve(&mut self.face, patch, presence);
        }
        self.blender.blend(&self.face, self.size, plan, mask, u8::MAX, &mut canvas);
        picture.region = plan.region().into();
    }

    /// Lets the picture drawn last show through one of another clip, `left` of 255; with 0 it is remembered instead.
    pub(crate) fn fade(&mut self, picture: &mut FrameBuffer, left: u8) {
        let Some(last) = &mut self.last else { return };
        if left > 0 && last.len() == picture.pixels.len() {
            dissolve(&mut picture.pixels, last, left);
            picture.region = Region { x: 0, y: 0, width: picture.width, height: picture.height };
        } else {
            last.clear();
            last.extend_from_slice(&picture.pixels);
        }
    }
}

/// Memory for a picture, reserved and not yet touched.
fn room(bytes: usize) -> Result<Vec<u8>> {
    let mut pixels = Vec::new();
    pixels.try_reserve_exact(bytes).map_err(|e| {
        let text = format!("no memory for pictures of {bytes} bytes; lower AvatarOptions::frames_lent");
        Error::new(ErrorKind::OutOfMemory, text).caused_by(e)
    })?;
    Ok(pixels)
}
