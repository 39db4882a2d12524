//! A person from pictures, boxes and masks that are known already. Preparing needs a loaded encoder, so it stands here and not with
//! the files.

use std::io::{Cursor, Seek, Write};
use std::path::Path;
use std::sync::PoisonError;

use super::Engine;
use super::builder::load;
use crate::asset::{
    AvatarAsset, AvatarHeader, AvatarParts, AvatarWriter, FaceBox, PreparedFrame, Recorder, meta_of,
};
use crate::networks::Encoder;
use crate::prepare;
use crate::{Error, ErrorKind, Result};

impl Engine {
    /// Prepares the frames of `parts` one after another and hands them to `recorder`.
    fn record<W: Write + Seek>(&self, parts: &AvatarParts, recorder: &mut Recorder<W>) -> Result<()> {
        let size = (parts.width, parts.height);
        let mut latent = Vec::new();
        for ((rgb, &face_box), mask) in parts.frames.iter().zip(&parts.boxes).zip(&parts.masks) {
            recorder.check_picture(rgb, &face_box)?;
            // What the encoder sees is what the screen will show: the frame after its way through JPEG.
            let shown = recorder.shown(rgb)?;
            latent.clear();
            self.encode_face(shown, size, &face_box, &mut latent)?;
            recorder.frame(&PreparedFrame {
                rgb,
                alpha: None,
                face_box,
                mask,
                latent: &latent,
                closed: None,
            })?;
        }
        Ok(())
    }

    /// Appends the latents of a face: \[2·c, l, l\], masked and whole.
    fn encode_face(
        &self,
        frame: &[u8],
        size: (u32, u32),
        face: &FaceBox,
        latents: &mut Vec<f32>,
    ) -> Result<()> {
        let shared = &self.0;
        let mut slot = shared.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        let encoder = match &mut *slot {
            Some(encoder) => encoder,
            empty => empty.insert(Encoder(load(&shared.library, &shared.pack, "encoder", shared.options)?)),
        };
        prepare::append_latent(encoder, shared.pack.manifest().image, frame, size, face, latents)
    }
}

impl AvatarAsset {
    /// Prepares a person from frames, face boxes and masks: latents are computed by the engine's encoder, from the
    /// very pixels that will be on screen. Blocks for two encoder calls a frame.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: lists of different lengths, pictures of different sizes, a box outside its frame,
    ///   a mask that does not have the size of its box's crop.
    /// - [`ErrorKind::Internal`], [`ErrorKind::OutOfMemory`]: the encoder failed.
    pub fn from_parts(engine: &Engine, parts: &AvatarParts) -> Result<Self> {
        let meta = meta_of(engine.pack(), header_of(engine, parts)?)?;
        let mut recorder = Recorder::new(Cursor::new(Vec::new()), Path::new(""), meta)?;
        engine.record(parts, &mut recorder)?;
        Self::parse(recorder.finish()?.into_inner())
    }

    /// Prepares a person like [`from_parts`](Self::from_parts) and writes the file; under its final name there is either
    /// the whole file or nothing.
    ///
    /// # Errors
    ///
    /// - Those of [`from_parts`](Self::from_parts).
    /// - [`ErrorKind::Io`]: the file cannot be written.
    pub fn write_parts(engine: &Engine, parts: &AvatarParts, path: impl AsRef<Path>) -> Result<Self> {
        let mut writer = AvatarWriter::create(&path, engine.pack(), header_of(engine, parts)?)?;
        engine.record(parts, writer.recorder())?;
        writer.finish()?;
        Self::open(path)
    }
}

/// The header of an avatar of these parts, if they fit together.
fn header_of(engine: &Engine, parts: &AvatarParts) -> Result<AvatarHeader> {
    let (count, boxes, masks) = (parts.frames.len(), parts.boxes.len(), parts.masks.len());
    if count == 0 || boxes != count || masks != count {
        let text = format!(
            "an avatar needs as many boxes and masks as frames, and at least one: {count} frames, {boxes} boxes, {masks} masks"
        );
        return Err(Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(AvatarHeader::new(parts.name.clone(), parts.width, parts.height, engine.pack().fps()))
}
