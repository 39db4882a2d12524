//! What the command line means to the preparation.

use std::ops::Range;

use musetalk_core::{Error, ErrorKind, FaceMask, FrameRate, Idle, Key, PrepareOptions, Result};

use crate::args;

/// Cheeks of MuseTalk's own scripts.
const CHEEKS: (u16, u16) = (90, 90);

/// What would be taken and do nothing is refused.
pub(super) fn check(args: &args::Create) -> Result<()> {
    let jaw = matches!(args.mask, args::CreateMask::Jaw | args::CreateMask::Landmarks);
    if args.cheek_width.is_none() || jaw {
        return Ok(());
    }
    let sentence =
        "--cheek-width shapes the masks jaw and landmarks only; leave it away, or take one of them";
    Err(Error::new(ErrorKind::InvalidInput, sentence))
}

pub(super) fn of(args: &args::Create, fps: FrameRate) -> PrepareOptions {
    let mut options = PrepareOptions::default();
    let stem = args.out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    options.name = args.name.clone().unwrap_or(stem);
    options.bbox_shift = args.bbox_shift;
    options.extra_margin = args.extra_margin;
    let (left, right) = args.cheek_width.unwrap_or(CHEEKS);
    options.mask = match args.mask {
        args::CreateMask::Jaw | args::CreateMask::Landmarks => FaceMask::Jaw { left, right },
        args::CreateMask::Neck => FaceMask::Neck,
        args::CreateMask::Raw => FaceMask::Raw,
    };
    options.mask_of_landmarks = args.mask == args::CreateMask::Landmarks;
    options.idle = match args.idle {
        args::CreateIdle::Auto => Idle::Auto,
        args::CreateIdle::Closed => Idle::Closed,
        args::CreateIdle::Footage => Idle::Footage,
    };
    options.key = args.key.map(|key| match key {
        args::CreateKey::Green => Key::Green,
        args::CreateKey::Blue => Key::Blue,
    });
    options.range = args.range.as_ref().map(|range| frames(range, fps));
    options.max_frames = args.max_frames;
    options.reference = args.reference;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(args.out.file_name().unwrap_or_default());
    hidden.push(".work");
    options.work_file = Some(args.out.with_file_name(hidden));
    options
}

/// Seconds to frames.
fn frames(range: &Range<f64>, fps: FrameRate) -> Range<u64> {
    let rate = f64::from(fps.numerator()) / f64::from(fps.denominator());
    let at = |seconds: f64| (seconds * rate).round() as u64;
    at(range.start)..at(range.end).max(at(range.start).saturating_add(1))
}
