//! Avatars of frames whose faces and masks are known: what a pack adds to them is made, and they are written.

use std::ops::ControlFlow;
use std::path::Path;

use super::closed::ClosedMouth;
use crate::asset::{AvatarAsset, AvatarHeader, AvatarWriter, FaceBox, PreparedFrame, Reading};
use crate::engine::{EngineBuilder, Loader};
use crate::networks::Encoder;
use crate::pack::ImageSizes;
use crate::prepare::append_latent;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// Writes an avatar of frames that bring a box and a mask: latents, and closed mouths where they are wanted, are made by the pack.
/// One frame is held at a time.
#[derive(Debug)]
pub struct AvatarMaker {
    pack: Networks,
    writer: AvatarWriter,
    size: (u32, u32),
    latent: Vec<f32>,
}

/// What a pack makes of a face.
#[derive(Debug)]
struct Networks {
    loader: Loader,
    encoder: Encoder,
    closed: Option<ClosedMouth>,
    image: ImageSizes,
}

impl Networks {
    fn load(pack: EngineBuilder, closed: bool) -> Result<Self> {
        let (loader, encoder) = pack.loader()?;
        let closed = if closed { Some(ClosedMouth::load(&loader)?) } else { None };
        let image = loader.pack.manifest().image;
        Ok(Self { loader, encoder, closed, image })
    }

    /// The latents of a face as it will be on screen, and the face with its mouth closed.
    fn make(
        &mut self,
        shown: &[u8],
        size: (u32, u32),
        face: &FaceBox,
        latent: &mut Vec<f32>,
    ) -> Result<Option<&[u8]>> {
        latent.clear();
        append_latent(&mut self.encoder, self.image, shown, size, face, latent)?;
        self.closed.as_mut().map(|closed| closed.patch(latent)).transpose()
    }
}

impl AvatarMaker {
    /// Loads the pack and begins the file. With `header.closed` the pack closes the mouth of every frame. The rate of the header must be
    /// the pack's.
    ///
    /// # Errors
    ///
    /// - Those of [`EngineBuilder::build`] and of [`AvatarWriter::create`].
    pub fn create(pack: EngineBuilder, path: impl AsRef<Path>, header: AvatarHeader) -> Result<Self> {
        let pack = Networks::load(pack, header.closed)?;
        check_rate(header.fps, &pack.loader)?;
        let size = (header.width, header.height);
        let writer = AvatarWriter::create(path, &pack.loader.pack, header)?;
        Ok(Self { pack, writer, size, latent: Vec::new() })
    }

    /// See [`AvatarWriter::begin_clip`].
    ///
    /// # Errors
    ///
    /// Those of [`AvatarWriter::begin_clip`].
    pub fn begin_clip(&mut self, name: &str) -> Result<()> {
        self.writer.begin_clip(name)
    }

    /// Appends a frame: RGB8, its alpha if the header announces one, the face, and the mask over the face's crop. Blocks for two calls
    /// of the encoder, with closed mouths for one of the generator and the decoder too, and for the encoding of the pictures.
    ///
    /// # Errors
    ///
    /// - Those of [`AvatarWriter::frame`], and of the networks.
    pub fn frame(&mut self, rgb: &[u8], alpha: Option<&[u8]>, face_box: FaceBox, mask: &[u8]) -> Result<()> {
        self.writer.recorder().check_picture(rgb, &face_box)?;
        let shown = self.writer.shown(rgb)?;
        let closed = self.pack.make(shown, self.size, &face_box, &mut self.latent)?;
        self.writer.frame(&PreparedFrame { rgb, alpha, face_box, mask, latent: &self.latent, closed })
    }

    /// See [`AvatarWriter::finish`].
    ///
    /// # Errors
    ///
    /// Those of [`AvatarWriter::finish`].
    pub fn finish(self) -> Result<()> {
        self.writer.finish()
    }
}

impl AvatarAsset {
    /// Writes the same person for another pack: latents and closed mouths are made again, pictures, masks and clips are copied as they
    /// are, without another loss. `closed` says whether idle shows mouths that the pack closes; as it was when `None`. Where closed mouths or
    /// larger latents come in and a frame would cost more than it may (`docs/avatar-format.md`), its picture is encoded once more.
    ///
    /// `progress` hears of frames done and of all, and may stop. Blocks for two encoder calls a frame, and with closed mouths for
    /// the generator and the decoder.
    ///
    /// # Errors
    ///
    /// - Those of [`EngineBuilder::build`].
    /// - [`ErrorKind::Incompatible`]: the pack runs at another frame rate.
    /// - [`ErrorKind::Corrupt`], [`ErrorKind::Io`]: the avatar cannot be read, or the file not be written.
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it.
    pub fn rebuild(
        &self,
        pack: EngineBuilder,
        closed: Option<bool>,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(u32, u32) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut header = AvatarHeader::new(self.name(), self.width(), self.height(), self.fps());
        header.alpha = self.has_alpha();
        header.closed = closed.unwrap_or(self.has_closed_mouths());
        let mut networks = Networks::load(pack, header.closed)?;
        check_rate(self.fps(), &networks.loader).map_err(|e| self.named(e))?;
        let mut writer = AvatarWriter::create(path, &networks.loader.pack, header)?;
        let size = (self.width(), self.height());
        let (mut reading, mut latent) = (Reading::default(), Vec::new());
        let mut done = 0;
        for clip in self.clips() {
            writer.begin_clip(clip.name())?;
            // The first half of a clip's cycle is its frames in order.
            for position in clip.positions().take(clip.frames() as usize) {
                let face = self.face_box(position);
                let frame = self.frame_at(position);
                let shown = writer.recorder().recall(self, frame, &mut reading)?;
                let closed = networks.make(shown, size, &face, &mut latent)?;
                writer.recorder().copy(self, frame, &latent, closed)?;
                done += 1;
                if progress(done, self.frames()).is_break() {
                    return Err(Error::new(ErrorKind::Cancelled, "cancelled; no avatar was written"));
                }
            }
        }
        writer.finish()
    }
}

fn check_rate(fps: FrameRate, loader: &Loader) -> Result<()> {
    let wanted = loader.pack.fps();
    if fps == wanted {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Incompatible,
        format!(
            "the footage has {}/{} frames per second, the pack {} runs at {}/{}; it must be prepared again",
            fps.numerator(),
            fps.denominator(),
            loader.pack.folder().display(),
            wanted.numerator(),
            wanted.denominator()
        ),
    ))
}
