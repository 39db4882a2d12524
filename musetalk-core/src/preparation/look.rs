//! The first reading: every frame of a clip is looked at, and what is done with it decided.

use std::ops::ControlFlow;

use super::clips::ClipFootage;
use super::plan::Plan;
use super::report::PreparationReport;
use super::source::{self, SourceFrame};
use super::work::{self, WorkFile};
use super::{PrepareStep, Preparer, Preparing};
use crate::prepare::{Observation, Picture, Screen};
use crate::{Error, ErrorKind, Result};

/// By so many frames a source may be wrong about how many it has.
const SECOND: u64 = 30;

/// The footage of a clip that was looked at, and what was decided about it.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) name: String,
    /// What errors call the footage.
    pub(super) called: Option<String>,
    pub(super) plan: Plan,
    pub(super) seen: Vec<Observation>,
    pub(super) report: PreparationReport,
    pub(super) work: Option<WorkFile>,
}

/// Frames of a step over all clips: what was done, and what is left as far as is known.
#[derive(Debug)]
pub(super) struct Count {
    step: PrepareStep,
    /// Of every clip; corrected when it has ended, because containers round.
    totals: Vec<Option<u64>>,
    clip: usize,
    before: u64,
    of_clip: u64,
}

impl Count {
    pub(super) fn new(step: PrepareStep, totals: Vec<Option<u64>>) -> Self {
        Self { step, totals, clip: 0, before: 0, of_clip: 0 }
    }

    /// One frame more. `recalled`: it was done by a preparation that was interrupted.
    pub(super) fn frame(
        &mut self,
        recalled: bool,
        progress: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
    ) -> Result<()> {
        self.of_clip += 1;
        let total = self.totals.iter().copied().sum::<Option<u64>>();
        let done = self.before + self.of_clip;
        match progress(Preparing { step: self.step, done, total, recalled }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "the preparation was cancelled")),
        }
    }

    /// Refuses the next frame if no avatar could hold so many.
    fn check_room(&self) -> Result<()> {
        source::check_count(self.before + self.of_clip + 1)
    }

    /// The clip has no more frames.
    pub(super) fn clip_ends(&mut self) {
        self.totals[self.clip] = Some(self.of_clip);
        self.before += self.of_clip;
        (self.clip, self.of_clip) = (self.clip + 1, 0);
    }
}

/// How many frames of all clips will be looked at; refused at once where no avatar could hold them.
pub(super) fn count(preparer: &Preparer, clips: &[ClipFootage<'_>]) -> Result<Count> {
    let range = preparer.options.frames();
    let of = |all: u64| all.min(range.end).saturating_sub(range.start);
    let totals: Vec<_> = clips.iter().map(|clip| clip.source.frames().map(of)).collect();
    source::check_count(totals.iter().flatten().map(|total| total.saturating_sub(SECOND)).sum())?;
    Ok(Count::new(PrepareStep::Looking, totals))
}

/// Looks at the footage of the clip with this number.
pub(super) fn look(
    preparer: &mut Preparer,
    clip: &mut ClipFootage<'_>,
    number: usize,
    count: &mut Count,
    progress: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
) -> Result<Look> {
    let manifest = preparer.loader.pack.manifest();
    let mut work = WorkFile::open(&preparer.options, manifest, clip.source, number)?;
    let mut seen: Vec<Observation> = work.as_mut().map(WorkFile::take_seen).unwrap_or_default();
    match read(preparer, clip, (&mut seen, work.as_mut()), count, progress) {
        Ok(()) => {}
        Err(e) => {
            // What would fail again is of no use to the next run.
            if let Some(work) = work.filter(|_| !work::worth_keeping(e.kind())) {
                work.remove();
            }
            return Err(e);
        }
    }
    count.clip_ends();
    let size = (clip.source.width() as usize, clip.source.height() as usize);
    let image = preparer.loader.pack.manifest().image;
    let fps = preparer.loader.pack.fps();
    let rate = fps.numerator() as f32 / fps.denominator() as f32;
    let plan = Plan::of(&seen, size, image.size as f32 / 4.0, rate, &preparer.options);
    let report = PreparationReport::of(&plan, &seen, size, fps, preparer);
    Ok(Look { name: clip.name.clone(), called: clip.source.called(), plan, seen, report, work })
}

fn read(
    preparer: &mut Preparer,
    clip: &mut ClipFootage<'_>,
    (seen, mut work): (&mut Vec<Observation>, Option<&mut WorkFile>),
    count: &mut Count,
    progress: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
) -> Result<()> {
    let size = (clip.source.width() as usize, clip.source.height() as usize);
    let range = preparer.options.frames();
    let known = seen.len();
    let (mut frame, mut place) = (SourceFrame::default(), 0);
    preparer.finder.forget();
    clip.source.rewind()?;
    if clip.source.skip(range.start)? {
        while (place as u64) < range.end - range.start && source::next(clip.source, &mut frame)? {
            count.check_room()?;
            if let (0, Some(key)) = (place, preparer.options.key) {
                // Said before minutes of looking.
                Screen::find(&frame.rgb, size, key).map_err(|e| source::named(clip.source, e))?;
            }
            let picture = Picture { rgb: &frame.rgb, width: size.0, height: size.1 };
            if place < known {
                preparer.finder.recall(&picture, seen, place);
            } else {
                let observation = preparer.finder.observe(&picture)?;
                if let Some(work) = &mut work {
                    work.keep(&observation)?;
                }
                seen.push(observation);
            }
            count.frame(place < known, progress)?;
            place += 1;
        }
    }
    seen.truncate(place);
    if seen.is_empty() {
        let sentence = "the footage has no frame in what was to be looked at; give other footage or another range (--range, \
                        PrepareOptions::range)";
        return Err(source::named(clip.source, Error::new(ErrorKind::InvalidInput, sentence)));
    }
    Ok(())
}
