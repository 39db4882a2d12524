//! Footage, wherever it comes from.

use crate::asset::MOST_FRAMES;
use crate::{Error, ErrorKind, Result};

/// Pictures of a person that can be read from their start as often as wanted, all of one size, at the rate of the pack they are for.
///
/// Readers of videos turn them upright and bring them to that rate; see [`Preparer::fps`](crate::Preparer::fps).
pub trait FrameSource {
    /// Pixels per row.
    fn width(&self) -> u32;

    /// Rows.
    fn height(&self) -> u32;

    /// How many frames there are, as far as is known before all were read.
    fn frames(&self) -> Option<u64> {
        None
    }

    /// Whether frames bring how opaque they are.
    fn has_alpha(&self) -> bool {
        false
    }

    /// What tells this footage from any other, such as a digest. Without one nothing is kept of an interrupted preparation.
    fn identity(&self) -> Option<String> {
        None
    }

    /// What errors call this footage, such as its path.
    fn called(&self) -> Option<String> {
        None
    }

    /// Goes back to the first frame. Called before the first, too.
    ///
    /// # Errors
    ///
    /// When the footage cannot be read again.
    fn rewind(&mut self) -> Result<()>;

    /// Passes over so many frames; `false` where the footage ends before. Reads them, unless a source knows a shorter way.
    ///
    /// # Errors
    ///
    /// When the footage cannot be read.
    fn skip(&mut self, frames: u64) -> Result<bool> {
        let mut frame = SourceFrame::default();
        for _ in 0..frames {
            if !self.next_frame(&mut frame)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the next frame into `frame`; `false` after the last.
    ///
    /// # Errors
    ///
    /// When the footage cannot be read.
    fn next_frame(&mut self, frame: &mut SourceFrame) -> Result<bool>;
}

/// One frame, whose memory is used again for the next.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SourceFrame {
    /// RGB8, rows from top to bottom without padding.
    pub rgb: Vec<u8>,
    /// How opaque each pixel is, 255 = wholly; empty where the source has no alpha.
    pub alpha: Vec<u8>,
}

/// Whether an avatar could hold so many frames.
pub(super) fn check_count(frames: u64) -> Result<()> {
    if frames <= u64::from(MOST_FRAMES) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!(
            "more than {MOST_FRAMES} frames are to be looked at, and an avatar holds no more; choose a part of the footage: --range, \
             --max-frames (PrepareOptions::range, max_frames)"
        ),
    ))
}

/// The next frame, whose size is as the source says.
pub(super) fn next(source: &mut dyn FrameSource, frame: &mut SourceFrame) -> Result<bool> {
    if !source.next_frame(frame)? {
        return Ok(false);
    }
    let pixels = source.width() as usize * source.height() as usize;
    let alpha = if source.has_alpha() { pixels } else { 0 };
    if frame.rgb.len() == 3 * pixels && frame.alpha.len() == alpha {
        return Ok(true);
    }
    let sentence = format!(
        "a frame has {} bytes of colour and {} of alpha where {}×{} pixels were promised",
        frame.rgb.len(),
        frame.alpha.len(),
        source.width(),
        source.height()
    );
    Err(named(source, Error::new(ErrorKind::InvalidInput, sentence)))
}

/// The same error with the footage named, where it has a name.
pub(super) fn named(source: &dyn FrameSource, error: Error) -> Error {
    match source.called() {
        Some(called) => Error::new(error.kind(), format!("{error}: {called}")).caused_by(error),
        None => error,
    }
}
