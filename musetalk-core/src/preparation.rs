//! Your own avatar: footage in, a file out.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use musetalk_core::{AvatarAsset, Engine, FrameSource, PrepareOptions, Preparing, Result};
//!
//! # fn make(mut footage: impl FrameSource) -> Result<()> {
//! let made = AvatarAsset::from_frames(
//!     Engine::builder("my.pack"),
//!     &mut footage,
//!     PrepareOptions::default(),
//!     "me.avatar",
//!     |at: Preparing| {
//!         eprintln!("{:?}: {} of {:?}", at.step, at.done, at.total);
//!         ControlFlow::Continue(())
//!     },
//! )?;
//! println!("{} of {} frames are used", made.report.used.len(), made.report.frames.len());
//! # Ok(())
//! # }
//! ```
//!
//! The footage is read twice: once to look at it, then to write what was decided. One frame is held at a time, and about two kilobytes
//! of every frame that was looked at. `docs/preparing.md` says what is decided and how. An avatar of several clips is made by
//! [`Preparer::analyse_clips`] and [`Analysis::write_clips`].

mod clips;
mod closed;
mod look;
mod maker;
mod options;
mod plan;
mod report;
mod second;
mod source;
mod work;

use std::ops::ControlFlow;
use std::path::Path;

pub use clips::{ClipFootage, PreparedClip};
pub use maker::AvatarMaker;
pub use options::PrepareOptions;
pub use report::{FrameReport, PreparationReport};
pub use source::{FrameSource, SourceFrame};

use crate::asset::{AvatarAsset, MOST_FRAMES};
use crate::engine::{EngineBuilder, Loader};
use crate::networks::{Encoder, FaceDetector, FaceLandmarks, FaceParser};
use crate::pack::light;
use crate::prepare::{FaceFinder, FaceMask, overview};
use crate::{Error, ErrorKind, Result};
use clips::FIRST_CLIP;
use look::Look;
use work::WorkFile;

/// What is being done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PrepareStep {
    /// The footage is looked at.
    Looking,
    /// It is read again, and written.
    Writing,
}

/// How far a preparation has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Preparing {
    /// What is being done.
    pub step: PrepareStep,
    /// Frames of this step that are done, of all clips.
    pub done: u64,
    /// Frames of this step, of all clips, as far as is known. When looking, what the footage states of itself; when writing, exact: the
    /// frames that are used and those that the sheets show.
    pub total: Option<u64>,
    /// Whether an earlier preparation, which was interrupted, had done the work for this frame, so that it took next to no time.
    pub recalled: bool,
}

/// An avatar that was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Prepared {
    /// What was decided about the first clip, frame by frame.
    pub report: PreparationReport,
    /// Its contact sheet for a person to judge, PNG.
    pub sheet: Vec<u8>,
    /// The clips after the first.
    pub more: Vec<PreparedClip>,
}

/// A pack's networks, loaded for preparing. Heavy; used once.
#[derive(Debug)]
pub struct Preparer {
    loader: Loader,
    encoder: Encoder,
    finder: FaceFinder,
    parser: Option<FaceParser>,
    options: PrepareOptions,
}

/// Footage that was looked at, and what was decided about it.
#[derive(Debug)]
pub struct Analysis {
    preparer: Preparer,
    looks: Vec<Look>,
}

impl Preparer {
    /// Loads the networks of a pack that find faces and make latents. Blocks for as long as that takes.
    ///
    /// # Errors
    ///
    /// - Those of [`EngineBuilder::build`].
    /// - [`ErrorKind::Unsupported`]: the pack has no networks that find faces and landmarks, or not those of the reference where that
    ///   is asked for; or masks with the neck are wanted and the pack cannot parse faces.
    /// - [`ErrorKind::InvalidInput`]: an option is out of range.
    pub fn load(pack: EngineBuilder, options: PrepareOptions) -> Result<Self> {
        options::check(&options)?;
        let (loader, encoder) = pack.loader()?;
        let manifest = loader.pack.manifest();
        let missing: Vec<&str> =
            ["face_detector", "face_landmarks"].into_iter().filter(|role| !loader.has(role)).collect();
        if !missing.is_empty() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the pack has no {}; add networks with `musetalk pack add-face`, or build the pack from a folder that has \
                     MuseTalk's own: {}",
                    missing.join(" and no "),
                    loader.pack.folder().display()
                ),
            ));
        }
        let of = |role: &str| manifest.networks.get(role).is_some_and(|entry| light(role, entry));
        let (light_detector, light_landmarks) = (of("face_detector"), of("face_landmarks"));
        if options.reference && (light_detector || light_landmarks || !loader.has("face_parser")) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the reference finds faces with S3FD, DWPose and BiSeNet, and the pack does not have all three: {}",
                    loader.pack.folder().display()
                ),
            ));
        }
        let detector = FaceDetector::new(loader.network("face_detector")?, light_detector);
        let landmarks = FaceLandmarks::new(loader.network("face_landmarks")?, light_landmarks);
        let parsed = loader.has("face_parser") && !options.mask_of_landmarks;
        if options.mask == FaceMask::Neck && !parsed {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "only a network that parses faces knows where the neck is, and the pack has none that is used here; take the mask \
                     jaw: {}",
                    loader.pack.folder().display()
                ),
            ));
        }
        let parser = if parsed { Some(FaceParser(loader.network("face_parser")?)) } else { None };
        let finder = FaceFinder::new(detector, landmarks, options.reference);
        Ok(Self { loader, encoder, finder, parser, options })
    }

    /// The rate that the frames of a source must have: that of the pack.
    pub fn fps(&self) -> crate::FrameRate {
        self.loader.pack.fps()
    }

    /// Reads the footage once and decides. That no part of it is usable is no error yet; see [`Analysis::refusal`].
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it. What was seen stays in the work file.
    /// - [`ErrorKind::InvalidInput`]: there is no frame, or more than 15 000 are to be looked at, which is told as soon as it is known;
    ///   the pictures are too small or too large; there is no screen of the colour that is to become transparent.
    /// - Those of the source, and of the networks.
    pub fn analyse(
        self,
        source: &mut dyn FrameSource,
        progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Analysis> {
        self.analyse_clips(&mut [ClipFootage::new(FIRST_CLIP, source)], progress)
    }

    /// The same for an avatar of several clips, of which the first is the default. Every clip is decided for itself; where one cannot be
    /// used, those after it are not looked at any more.
    ///
    /// # Errors
    ///
    /// - Those of [`analyse`](Self::analyse).
    /// - [`ErrorKind::InvalidInput`]: there is no clip, or more than 64; a name is empty, longer than 256 bytes or taken; the pictures
    ///   of two clips differ in size.
    pub fn analyse_clips(
        mut self,
        clips: &mut [ClipFootage<'_>],
        mut progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Analysis> {
        clips::check(clips)?;
        let mut count = look::count(&self, clips)?;
        let mut looks: Vec<Look> = Vec::new();
        for (number, clip) in clips.iter_mut().enumerate() {
            looks.push(look::look(&mut self, clip, number, &mut count, &mut progress)?);
            if looks[number].report.refusal.is_some() {
                looks.iter_mut().filter_map(|look| look.work.take()).for_each(WorkFile::remove);
                break;
            }
        }
        // Stored for all frames or for none.
        let closed = looks.iter().any(|look| look.plan.closed);
        looks.iter_mut().for_each(|look| look.report.closed_mouths = closed);
        Ok(Analysis { preparer: self, looks })
    }
}

impl Analysis {
    /// What was decided about the first clip.
    pub fn report(&self) -> &PreparationReport {
        &self.looks[0].report
    }

    /// What was decided about every clip that was looked at, with its name. Only the last may have a
    /// [`refusal`](PreparationReport::refusal).
    pub fn clips(&self) -> impl Iterator<Item = (&str, &PreparationReport)> {
        self.looks.iter().map(|look| (look.name.as_str(), &look.report))
    }

    /// Why the footage cannot be used, if so: [`ErrorKind::InvalidInput`], with the reason and what to do.
    pub fn refusal(&self) -> Option<Error> {
        let look = self.looks.last()?;
        let why = look.report.refusal.as_ref()?;
        let which = if look.name == FIRST_CLIP { String::new() } else { format!("clip {:?}: ", look.name) };
        let called = look.called.as_ref().map(|called| format!(" ({called})")).unwrap_or_default();
        Some(Error::new(ErrorKind::InvalidInput, format!("{which}{why}{called}")))
    }

    /// Reads the footage of the first clip again and draws its contact sheet, PNG.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it.
    /// - Those of the source, and of the networks.
    pub fn sheet(
        &mut self,
        source: &mut dyn FrameSource,
        progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Vec<u8>> {
        let name = self.looks[0].name.clone();
        self.clip_sheet(&mut ClipFootage::new(name, source), progress)
    }

    /// Reads the footage of a clip again and draws its contact sheet, PNG.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: no clip of this name was looked at.
    /// - Those of [`sheet`](Self::sheet).
    pub fn clip_sheet(
        &mut self,
        clip: &mut ClipFootage<'_>,
        mut progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Vec<u8>> {
        let Some(look) = self.looks.iter().find(|look| look.name == clip.name) else {
            let sentence = format!("no clip named {:?} was looked at", clip.name);
            return Err(Error::new(ErrorKind::InvalidInput, sentence));
        };
        second::draw(&mut self.preparer, look, clip.source, &mut progress)
    }

    /// Reads the footage again and writes the avatar: under its final name there is either the whole file or nothing.
    ///
    /// # Errors
    ///
    /// - [`refusal`](Self::refusal), where there is one.
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it.
    /// - [`ErrorKind::InvalidInput`]: more than 15 000 frames would be used.
    /// - [`ErrorKind::Io`]: the file cannot be written.
    /// - Those of the source, and of the networks.
    pub fn write(
        self,
        source: &mut dyn FrameSource,
        path: impl AsRef<Path>,
        progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Prepared> {
        let name = self.looks[0].name.clone();
        self.write_clips(&mut [ClipFootage::new(name, source)], path, progress)
    }

    /// The same for several clips: those that were looked at, in the same order.
    ///
    /// # Errors
    ///
    /// - Those of [`write`](Self::write).
    /// - [`ErrorKind::InvalidInput`]: these are not the clips that were looked at.
    pub fn write_clips(
        mut self,
        clips: &mut [ClipFootage<'_>],
        path: impl AsRef<Path>,
        mut progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Prepared> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        if !clips.iter().map(|clip| &clip.name).eq(self.looks.iter().map(|look| &look.name)) {
            let sentence = "these are not the clips that were looked at";
            return Err(Error::new(ErrorKind::InvalidInput, sentence));
        }
        let written = check_frames(&self.looks)
            .and_then(|()| second::write(&mut self, clips, path.as_ref(), &mut progress));
        if written.as_ref().map_or_else(|e| !work::worth_keeping(e.kind()), |_| true) {
            self.looks.iter_mut().filter_map(|look| look.work.take()).for_each(WorkFile::remove);
        }
        let mut drawn = self.looks.into_iter().zip(written?);
        let Some((first, sheet)) = drawn.next() else {
            return Err(Error::new(ErrorKind::Internal, "an avatar without a clip was written"));
        };
        let more = drawn.map(|(look, sheet)| PreparedClip { name: look.name, report: look.report, sheet });
        Ok(Prepared { report: first.report, sheet, more: more.collect() })
    }
}

/// Before the second reading: an avatar holds ten minutes.
fn check_frames(looks: &[Look]) -> Result<()> {
    let used: usize = looks.iter().map(|look| look.plan.used.len()).sum();
    if used <= MOST_FRAMES as usize {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!(
            "{used} frames would be used and an avatar holds {MOST_FRAMES}; give less footage, or a range of it"
        ),
    ))
}

impl AvatarAsset {
    /// A contact sheet for a person to judge, PNG: frames of every clip with the face box and the edge of the mask. Reads and decodes up
    /// to 60 frames.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`], [`ErrorKind::Io`]: a frame cannot be read.
    pub fn contact_sheet(&self) -> Result<Vec<u8>> {
        overview(self)
    }

    /// Makes an avatar of footage and writes it: [`Preparer::load`], [`Preparer::analyse`] and [`Analysis::write`] in one.
    ///
    /// # Errors
    ///
    /// Theirs.
    pub fn from_frames(
        pack: EngineBuilder,
        source: &mut dyn FrameSource,
        options: PrepareOptions,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Prepared> {
        Preparer::load(pack, options)?.analyse(source, &mut progress)?.write(source, path, &mut progress)
    }
}
