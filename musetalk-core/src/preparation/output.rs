//! Until a file is written frame by frame: everything is kept, then written.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::asset::{self, AvatarParts, FaceBox};
use crate::files;
use crate::pack::ModelPack;
use crate::time::FrameRate;

pub(super) struct AvatarHeader {
    pub(super) name: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) fps: FrameRate,
    pub(super) alpha: bool,
    pub(super) closed: bool,
}

pub(super) struct PreparedFrame<'a> {
    pub(super) rgb: &'a [u8],
    pub(super) alpha: Option<&'a [u8]>,
    pub(super) face_box: FaceBox,
    pub(super) mask: &'a [u8],
    pub(super) latent: &'a [f32],
    pub(super) closed: Option<&'a [u8]>,
}

pub(super) struct AvatarWriter {
    path: PathBuf,
    pack: ModelPack,
    parts: AvatarParts,
    latents: Vec<f32>,
}

impl AvatarWriter {
    pub(super) fn create(path: &Path, pack: &ModelPack, header: AvatarHeader) -> Result<Self> {
        let parts = AvatarParts {
            name: header.name,
            width: header.width,
            height: header.height,
            ..Default::default()
        };
        let _ = (header.fps, header.alpha, header.closed);
        Ok(Self { path: path.into(), pack: pack.clone(), parts, latents: Vec::new() })
    }

    pub(super) fn begin_clip(&mut self, _: &str) -> Result<()> {
        Ok(())
    }

    pub(super) fn frame(&mut self, frame: &PreparedFrame<'_>) -> Result<()> {
        let _ = (frame.alpha, frame.closed);
        self.parts.frames.push(frame.rgb.to_vec());
        self.parts.boxes.push(frame.face_box);
        self.parts.masks.push(frame.mask.to_vec());
        self.latents.extend_from_slice(frame.latent);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<()> {
        let latents = self.latents;
        let bytes = asset::encode(&self.pack, &self.parts, |_| Ok(latents))?;
        files::write_whole(&self.path, &bytes)
    }
}
