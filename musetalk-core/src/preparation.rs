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
//! of every frame that was looked at. `docs/preparing.md` says what is decided and how.

mod closed;
mod maker;
mod plan;
mod report;
mod second;
mod source;
mod work;

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

pub use maker::AvatarMaker;
pub use report::{FrameReport, PreparationReport};
pub use source::{FrameSource, SourceFrame};

use crate::asset::{AvatarAsset, check_size};
use crate::engine::{EngineBuilder, Loader};
use crate::networks::{Encoder, FaceDetector, FaceLandmarks, FaceParser};
use crate::pack::light;
use crate::prepare::{EdgeBlur, FaceFinder, FaceMask, Idle, Key, Observation, Picture, overview};
use crate::{Error, ErrorKind, Result};
use plan::Plan;
use work::WorkFile;

/// How an avatar is made of footage. The defaults suit footage of one person who looks into the camera.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrepareOptions {
    /// The person's name, as the file states it.
    pub name: String,
    /// Pixels by which the line between what stays and what speech makes moves down the face.
    pub bbox_shift: i32,
    /// Pixels of the frame below the chin that belong to the face box.
    pub extra_margin: u32,
    /// Which part of the face speech may change.
    pub mask: FaceMask,
    /// Whether masks are made of landmarks although the pack has a network that parses faces.
    pub mask_of_landmarks: bool,
    /// How wide the mask's edge is.
    pub blur: EdgeBlur,
    /// What is shown in silence.
    pub idle: Idle,
    /// The colour of the screen behind the person, which becomes transparent.
    pub key: Option<Key>,
    /// Which frames are looked at; all when `None`.
    pub range: Option<Range<u64>>,
    /// The most frames that are looked at.
    pub max_frames: Option<u64>,
    /// Whether boxes and masks are exactly those of MuseTalk's own scripts: landmarks of whole frames, no smoothing, nothing bridged.
    /// Needs a pack with the networks that those use.
    pub reference: bool,
    /// A file in which what was seen of every frame is kept until the avatar is written, so that an interrupted preparation goes on
    /// where it stopped. Only for sources with an [`identity`](FrameSource::identity).
    pub work_file: Option<PathBuf>,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            name: "avatar".to_owned(),
            bbox_shift: 0,
            extra_margin: 10,
            mask: FaceMask::default(),
            mask_of_landmarks: false,
            blur: EdgeBlur::default(),
            idle: Idle::default(),
            key: None,
            range: None,
            max_frames: None,
            reference: false,
            work_file: None,
        }
    }
}

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
    /// Frames of this step that are done.
    pub done: u64,
    /// Frames of this step, as far as is known.
    pub total: Option<u64>,
}

/// By so many frames a source may be wrong about how many it has.
const SECOND: u64 = 30;

/// Who hears of progress, and may stop.
type Listener<'a> = &'a mut dyn FnMut(Preparing) -> ControlFlow<()>;

/// An avatar that was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Prepared {
    /// What was decided, frame by frame.
    pub report: PreparationReport,
    /// A contact sheet for a person to judge, PNG.
    pub sheet: Vec<u8>,
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
    plan: Plan,
    seen: Vec<Observation>,
    report: PreparationReport,
    work: Option<WorkFile>,
}

impl Preparer {
    /// Loads the networks of a pack that find faces and make latents. Blocks for as long as that takes.
    ///
    /// # Errors
    ///
    /// - Those of [`EngineBuilder::build`].
    /// - [`ErrorKind::Unsupported`]: the pack has no networks that find faces and landmarks, or not those of the reference where that
    ///   is asked for.
    /// - [`ErrorKind::InvalidInput`]: an option is out of range.
    pub fn load(pack: EngineBuilder, options: PrepareOptions) -> Result<Self> {
        check(&options)?;
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
    ///   the pictures are too small or too large.
    /// - Those of the source, and of the networks.
    pub fn analyse(
        mut self,
        source: &mut dyn FrameSource,
        mut progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Analysis> {
        check_size(source.width(), source.height())?;
        let size = (source.width() as usize, source.height() as usize);
        let mut work = WorkFile::open(&self.options, self.loader.pack.manifest(), source)?;
        let mut seen: Vec<Observation> = work.as_mut().map(WorkFile::take_seen).unwrap_or_default();
        let range = self.frames();
        let total = source.frames().map(|all| all.min(range.end).saturating_sub(range.start));
        // Sources may be off by some frames before all were read.
        source::check_count(total.unwrap_or(0).saturating_sub(SECOND))?;
        source.rewind()?;
        let mut frame = SourceFrame::default();
        let mut index = 0;
        let known = seen.len();
        while index < range.end && source::next(source, &mut frame)? {
            index += 1;
            let Some(place) = (index - 1).checked_sub(range.start).map(|place| place as usize) else {
                continue;
            };
            source::check_count(place as u64 + 1)?;
            let picture = Picture { rgb: &frame.rgb, width: size.0, height: size.1 };
            if place < known {
                self.finder.recall(&picture, &seen, place);
            } else {
                let observation = self.finder.observe(&picture)?;
                if let Some(work) = &mut work {
                    work.keep(&observation)?;
                }
                seen.push(observation);
            }
            report(&mut progress, PrepareStep::Looking, place as u64 + 1, total)?;
        }
        seen.truncate(usize::try_from(index.saturating_sub(range.start)).unwrap_or(usize::MAX));
        if seen.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "the footage has no frame in what was to be looked at; give other footage or another range",
            ));
        }
        let image = self.loader.pack.manifest().image;
        let fps = self.loader.pack.fps();
        let rate = fps.numerator() as f32 / fps.denominator() as f32;
        let plan = Plan::of(&seen, size, image.size as f32 / 4.0, rate, &self.options);
        let report = PreparationReport::of(&plan, &seen, size, fps, &self);
        Ok(Analysis { preparer: self, plan, seen, report, work })
    }

    fn frames(&self) -> Range<u64> {
        let range = self.options.range.clone().unwrap_or(0..u64::MAX);
        let most = self.options.max_frames.unwrap_or(u64::MAX);
        range.start..range.end.min(range.start.saturating_add(most))
    }
}

impl Analysis {
    /// What was decided.
    pub fn report(&self) -> &PreparationReport {
        &self.report
    }

    /// Why the footage cannot be used, if so: [`ErrorKind::InvalidInput`], with the reason and what to do.
    pub fn refusal(&self) -> Option<Error> {
        self.report.refusal.as_ref().map(|why| Error::new(ErrorKind::InvalidInput, why.clone()))
    }

    /// Reads the footage again and draws the contact sheet, PNG.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it.
    /// - Those of the source, and of the networks.
    pub fn sheet(
        &mut self,
        source: &mut dyn FrameSource,
        mut progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Vec<u8>> {
        second::draw(self, source, &mut progress)
    }

    /// Reads the footage again and writes the avatar: under its final name there is either the whole file or nothing.
    ///
    /// # Errors
    ///
    /// - [`refusal`](Self::refusal), where there is one.
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it.
    /// - [`ErrorKind::Io`]: the file cannot be written.
    /// - Those of the source, and of the networks.
    pub fn write(
        mut self,
        source: &mut dyn FrameSource,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<Prepared> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        let sheet = second::write(&mut self, source, path.as_ref(), &mut progress)?;
        if let Some(work) = self.work.take() {
            work.remove();
        }
        Ok(Prepared { report: self.report, sheet })
    }
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

fn report(progress: Listener<'_>, step: PrepareStep, done: u64, total: Option<u64>) -> Result<()> {
    match progress(Preparing { step, done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "the preparation was cancelled")),
    }
}

fn check(options: &PrepareOptions) -> Result<()> {
    let invalid = |what: String| Err(Error::new(ErrorKind::InvalidInput, what));
    if let FaceMask::Jaw { left, right } = options.mask
        && left.max(right) > 256
    {
        return invalid(format!(
            "the cheeks begin {left} and {right} columns from the middle; half a face has 256"
        ));
    }
    if options.bbox_shift.abs() > 4096 || options.extra_margin > 4096 {
        return invalid(format!(
            "bbox_shift is {} and extra_margin {}; neither may go beyond 4096 pixels",
            options.bbox_shift, options.extra_margin
        ));
    }
    if options.range.as_ref().is_some_and(Range::is_empty) || options.max_frames == Some(0) {
        return invalid("the range of frames is empty; give one that ends after it begins".to_owned());
    }
    Ok(())
}
