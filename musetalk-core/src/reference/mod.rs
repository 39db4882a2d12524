//! Whole clips, rendered as MuseTalk's official script for files renders them: for comparing, and for clips that must look the same.
//!
//! A live avatar hears a sliding window, starts where it is, and fades between speech and idle. The official script
//! knows the whole clip: it encodes segments of 30 s, each for itself, counts frames with floating-point numbers, and shows the
//! footage from its first frame on. Here that is followed step by step, bit for bit around the networks; what it does and what the
//! default does instead is a table in `docs/reference.md`.
//!
//! ```no_run
//! use musetalk_core::reference::{Footage, Reference, ReferenceOptions};
//! use musetalk_core::{Engine, Result};
//!
//! fn main() -> Result<()> {
//!     let footage = Footage::open("parts")?;
//!     let mut reference = Reference::load(Engine::builder("models/demo/pack"), footage, ReferenceOptions::default())?;
//!     let mut clip = reference.speak(&[0.0; 16_000], 16_000)?;
//!     while let Some(rgb) = clip.next_frame()? {
//!         println!("{} bytes", rgb.len());
//!     }
//!     Ok(())
//! }
//! ```

mod footage;
mod hearing;
mod windows;

pub use footage::Footage;

use crate::asset::cycle::Cycle;
use crate::asset::{FaceBox, Reading};
use crate::audio::resample::Resampler;
use crate::audio::{SPEECH_RATE, pcm};
use crate::compose::blend::{Blender, Canvas, MaskPlan};
use crate::engine::{self, EngineBuilder};
use crate::frame::PixelFormat;
use crate::networks::Networks;
use crate::pack::{AudioLayout, ImageSizes};
use crate::prepare::append_latent;
use crate::time::FrameRate;
use crate::{EdgeBlur, Error, ErrorKind, FaceMask, Result};
use hearing::Hearing;
use windows::{WindowRule, Windows};

/// What the official scripts take from their command line.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ReferenceOptions {
    /// Frames per second, below 50; only the whole part counts for the sound. The footage's own rate when `None`.
    pub fps: Option<FrameRate>,
    /// Which part of the parsed face may change; footage that brings masks ignores it.
    pub mask: FaceMask,
    /// How wide the mask's edge is; footage that brings masks ignores it.
    pub blur: EdgeBlur,
}

/// A pack and a person, loaded for rendering whole clips. Runs on the calling thread.
///
/// Memory: the networks, the latents of the frames shown so far, and a few pictures.
#[derive(Debug)]
pub struct Reference {
    networks: Networks,
    image: ImageSizes,
    audio: AudioLayout,
    fps: FrameRate,
    rule: WindowRule,
    options: ReferenceOptions,
    footage: Footage,
    /// Latents by frame of the footage, made when it is first shown.
    latents: Vec<Option<Vec<f32>>>,
    /// The latent of the frame being drawn, where the footage brings it.
    latent: Vec<f32>,
    reading: Reading,
    blender: Blender,
    prediction: Vec<f32>,
    patch: Vec<u8>,
}

impl Reference {
    /// Loads the pack for this person. Blocks for as long as [`EngineBuilder::build`]; batches are not used.
    ///
    /// # Errors
    ///
    /// - Those of [`EngineBuilder::build`].
    /// - [`ErrorKind::InvalidInput`]: 50 frames per second or more, where the official script ends with an error; a cheek
    ///   wider than 256 columns.
    /// - [`ErrorKind::Incompatible`]: the avatar was made for another pack.
    pub fn load(pack: EngineBuilder, footage: Footage, options: ReferenceOptions) -> Result<Self> {
        let fps = options.fps.unwrap_or(footage.fps());
        // Before minutes of loading.
        check_mask(options.mask)?;
        windows::check_rate(fps)?;
        let (pack, networks) = pack.networks()?;
        let (image, audio) = (pack.manifest().image, pack.manifest().audio.clone());
        if let Some(asset) = footage.asset() {
            engine::check_latents(&pack, asset)?;
        }
        let size = image.size as usize;
        Ok(Self {
            rule: WindowRule::new(fps, audio.tokens_before)?,
            latents: vec![None; footage.frames() as usize],
            blender: Blender::new(size),
            prediction: vec![0.0; image.latent_channels as usize * (image.latent_size as usize).pow(2)],
            patch: vec![0; 3 * size * size],
            latent: Vec::new(),
            reading: Reading::default(),
            networks,
            image,
            audio,
            fps,
            options,
            footage,
        })
    }

    /// The person.
    pub fn footage(&self) -> &Footage {
        &self.footage
    }

    /// The rate at which its clips are meant to be shown.
    pub fn fps(&self) -> FrameRate {
        self.fps
    }

    /// Frames of a clip of this many samples at 16 kHz: ⌊(samples/16000)·⌊fps⌋⌋ in floating-point numbers, which is sometimes
    /// one fewer than exact arithmetic gives.
    pub fn frames_for(&self, samples: usize) -> u64 {
        self.rule.of(samples).frames()
    }

    /// Begins a clip: the whole sound, mono, −1…1, at 8 000 to 192 000 Hz. Copies it, brought to 16 kHz by [`at_speech_rate`].
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the rate is out of range, a sample is not finite, or the sound is shorter than a frame.
    pub fn speak(&mut self, pcm: &[f32], sample_rate: u32) -> Result<Clip<'_>> {
        let pcm = at_speech_rate(pcm, sample_rate)?;
        let windows = self.rule.of(pcm.len());
        if windows.frames() == 0 {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the sound has {} samples at 16 kHz, which is shorter than a frame", pcm.len()),
            ));
        }
        let context = self.audio.tokens_before + self.audio.tokens_after;
        let hearing = Hearing::new(pcm, windows.tokens(), &self.audio);
        let context = vec![0.0; (context * self.audio.states * self.audio.width) as usize];
        let bytes = self.footage.width() as usize * self.footage.height() as usize * 3;
        Ok(Clip { reference: self, windows, hearing, context, next: 0, canvas: vec![0; bytes] })
    }

    /// Draws a frame of the footage that says what `context` holds.
    fn draw(
        &mut self,
        frame: u32,
        hearing: &mut Hearing,
        first_token: i64,
        context: &mut [f32],
        canvas: &mut [u8],
    ) -> Result<()> {
        let picture = self.footage.picture(frame)?;
        canvas.copy_from_slice(&picture);
        let Some(face) = self.footage.face(frame) else { return Ok(()) };
        hearing.context(first_token, &mut self.networks.audio_encoder, context)?;
        let latent = match self.footage.asset() {
            Some(asset) => {
                self.latent.resize(asset.latent_len(), 0.0);
                asset.latent(frame, &mut self.reading, &mut self.latent)?;
                self.latent.as_slice()
            }
            None => {
                let slot = &mut self.latents[frame as usize];
                if slot.is_none() {
                    let size = (self.footage.width(), self.footage.height());
                    let mut latent = Vec::new();
                    append_latent(
                        &mut self.networks.encoder,
                        self.image,
                        &picture,
                        size,
                        &face,
                        &mut latent,
                    )?;
                    *slot = Some(latent);
                }
                slot.as_deref().unwrap_or_default()
            }
        };
        self.networks.generator.run(1, latent, context, &mut self.prediction)?;
        self.networks.decoder.run(1, &self.prediction, &mut self.patch)?;
        let mask = self.footage.mask(frame, &face, self.options.mask, self.options.blur)?;
        let size = (self.footage.width() as usize, self.footage.height() as usize);
        let plan = MaskPlan::new(size, face.into(), FaceBox::crop(&face).into(), &mask)?;
        let mut canvas = Canvas { pixels: canvas, stride: size.0 * 3, format: PixelFormat::Rgb8 };
        self.blender.blend(&self.patch, self.image.size as usize, &plan, &mask, u8::MAX, &mut canvas);
        Ok(())
    }
}

/// One clip being rendered, frame by frame. Stop asking to cancel it.
#[derive(Debug)]
pub struct Clip<'r> {
    reference: &'r mut Reference,
    windows: Windows,
    hearing: Hearing,
    context: Vec<f32>,
    next: u64,
    canvas: Vec<u8>,
}

impl Clip<'_> {
    /// Frames of the whole clip.
    pub fn frames(&self) -> u64 {
        self.windows.frames()
    }

    /// Frames rendered so far.
    pub fn done(&self) -> u64 {
        self.next
    }

    /// The next frame: RGB8, rows from top to bottom without padding; `None` after the last, any number of times.
    ///
    /// Blocks for a call of the generator and the decoder, now and then for one of the audio encoder, and the first time that a
    /// frame of the footage is shown for two of the encoder.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`], [`ErrorKind::Io`], [`ErrorKind::Corrupt`]: a picture of the footage cannot be used.
    /// - [`ErrorKind::Internal`], [`ErrorKind::OutOfMemory`]: a network failed.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>> {
        if self.next == self.windows.frames() {
            return Ok(None);
        }
        let cycle = Cycle::new(0, self.reference.footage.frames());
        let frame = cycle.frame_at(cycle.advance(0, self.next));
        let first = self.windows.first_token(self.next);
        self.reference.draw(frame, &mut self.hearing, first, &mut self.context, &mut self.canvas)?;
        self.next += 1;
        Ok(Some(&self.canvas))
    }
}

fn check_mask(mask: FaceMask) -> Result<()> {
    match mask {
        FaceMask::Jaw { left, right } if left.max(right) > 256 => Err(Error::new(
            ErrorKind::InvalidInput,
            format!("the cheeks begin {left} and {right} columns from the middle; half a face has 256"),
        )),
        _ => Ok(()),
    }
}

/// The whole sound at 16 kHz, as a clip hears it: ⌈samples · 16 000/rate⌉ of them. At 16 kHz a copy, at other rates clamped to −1…1.
///
/// The official script's resampler is another one; how far they differ is measured in `docs/reference.md`.
///
/// # Errors
///
/// - [`ErrorKind::InvalidInput`]: the rate is not 8 000 to 192 000 Hz, or a sample is not finite.
pub fn at_speech_rate(pcm: &[f32], sample_rate: u32) -> Result<Vec<f32>> {
    pcm::check_rate(sample_rate)?;
    pcm::check(pcm)?;
    if sample_rate == SPEECH_RATE {
        return Ok(pcm.to_vec());
    }
    let mut resampler = Resampler::new(sample_rate)?;
    let mut out = Vec::new();
    resampler.push(pcm, |samples| out.extend_from_slice(samples));
    resampler.finish(|samples| out.extend_from_slice(samples));
    Ok(out)
}
