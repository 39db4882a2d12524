//! How an avatar is made of footage, as its maker wants it.

use std::ops::Range;
use std::path::PathBuf;

use crate::asset::LONGEST_NAME;
use crate::prepare::{EdgeBlur, FaceMask, Idle, Key};
use crate::{Error, ErrorKind, Result};

/// How an avatar is made of footage. The defaults suit footage of one person who looks into the camera.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrepareOptions {
    /// The person's name, as the file states it; 256 bytes at most.
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
    /// Which frames of each clip's footage are looked at; all when `None`.
    pub range: Option<Range<u64>>,
    /// The most frames of each clip's footage that are looked at.
    pub max_frames: Option<u64>,
    /// Whether boxes and masks are exactly those of MuseTalk's own scripts: landmarks of whole frames, no smoothing, nothing bridged.
    /// Needs a pack with the networks that those use.
    pub reference: bool,
    /// A file in which what was seen of every frame is kept until the avatar is written, so that an interrupted preparation goes on
    /// where it stopped. Only for sources with an [`identity`](crate::FrameSource::identity); further clips have files of their own beside it.
    /// Gone when the avatar is written, and when the footage is refused.
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

impl PrepareOptions {
    /// The frames of a clip's footage that are looked at.
    pub(super) fn frames(&self) -> Range<u64> {
        let range = self.range.clone().unwrap_or(0..u64::MAX);
        let most = self.max_frames.unwrap_or(u64::MAX);
        range.start..range.end.min(range.start.saturating_add(most))
    }
}

/// What can be said of options before anything is loaded.
pub(super) fn check(options: &PrepareOptions) -> Result<()> {
    let invalid = |what: String| Err(Error::new(ErrorKind::InvalidInput, what));
    if options.name.len() > LONGEST_NAME {
        let bytes = options.name.len();
        return invalid(format!("the name has {bytes} bytes; an avatar's has {LONGEST_NAME} at most"));
    }
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
