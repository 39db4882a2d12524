//! The clips of an avatar that is about to be made, and what must hold of them before anything is looked at.

use super::report::PreparationReport;
use super::source::{self, FrameSource};
use crate::asset::{MOST_CLIPS, check_clip_name, check_size};
use crate::{Error, ErrorKind, Result};

/// The clip of footage that names none, and the default of an avatar.
pub(super) const FIRST_CLIP: &str = "idle";

/// The footage of one clip.
#[expect(missing_debug_implementations, reason = "footage is whatever its source is")]
#[non_exhaustive]
pub struct ClipFootage<'a> {
    /// What the session asks for: idle, listening, thinking, …
    pub name: String,
    /// What shows it. All clips of an avatar have pictures of one size.
    pub source: &'a mut dyn FrameSource,
}

impl<'a> ClipFootage<'a> {
    /// Footage under a name.
    pub fn new(name: impl Into<String>, source: &'a mut dyn FrameSource) -> Self {
        Self { name: name.into(), source }
    }
}

/// What became of a clip beyond the first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PreparedClip {
    /// Its name.
    pub name: String,
    /// What was decided, frame by frame.
    pub report: PreparationReport,
    /// A contact sheet for a person to judge, PNG.
    pub sheet: Vec<u8>,
}

/// Names, count and sizes.
pub(super) fn check(clips: &[ClipFootage<'_>]) -> Result<()> {
    let invalid = |what: String| Err(Error::new(ErrorKind::InvalidInput, what));
    let Some(first) = clips.first() else {
        return invalid("an avatar needs the footage of one clip at least".to_owned());
    };
    if clips.len() > MOST_CLIPS {
        return invalid(format!("{} clips are too many; an avatar has {MOST_CLIPS} at most", clips.len()));
    }
    let size = (first.source.width(), first.source.height());
    for (at, clip) in clips.iter().enumerate() {
        check_clip_name(&clip.name)?;
        if clips[..at].iter().any(|other| other.name == clip.name) {
            return invalid(format!("two clips are named {:?}; give each a name of its own", clip.name));
        }
        let (width, height) = (clip.source.width(), clip.source.height());
        check_size(width, height).map_err(|e| source::named(clip.source, e))?;
        if (width, height) != size {
            let sentence = format!(
                "the footage of clip {:?} has {width}×{height} pixels, that of {:?} {}×{}; all clips of an avatar have one size",
                clip.name, first.name, size.0, size.1
            );
            return Err(source::named(clip.source, Error::new(ErrorKind::InvalidInput, sentence)));
        }
    }
    Ok(())
}
