//! Where the pictures of a conversation go, from the moment it begins.

use std::ops::ControlFlow;
use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};

use crate::video::{Target, VideoFormat, VideoSink};

/// A video that begins with the conversation and gets its name when it is whole.
pub(super) struct Screen {
    target: Target,
    format: VideoFormat,
    overwrite: bool,
    sink: Option<Box<dyn VideoSink>>,
    frames: u64,
}

impl Screen {
    pub(super) fn new(target: Target, format: VideoFormat, overwrite: bool) -> Self {
        Self { target, format, overwrite, sink: None, frames: 0 }
    }

    /// Takes a picture and its sound. `Break`: Ctrl-C, or nobody looks any more.
    pub(super) fn show(&mut self, rgb: &[u8], sound: &[f32]) -> Result<ControlFlow<()>> {
        if self.sink.is_none() {
            self.sink = Some(self.target.create(self.format, self.overwrite)?);
        }
        let Some(sink) = &mut self.sink else { return Ok(ControlFlow::Continue(())) };
        match sink.frame(rgb, sound) {
            // Asked before it takes anything: what it has is whole.
            Err(e) if e.kind() == ErrorKind::Cancelled => Ok(ControlFlow::Break(())),
            Ok(flow) => {
                self.frames += 1;
                Ok(flow)
            }
            Err(e) => Err(e),
        }
    }

    /// Gives the video its name; how many pictures it holds. Without a picture there is no video.
    pub(super) fn finish(self) -> Result<u64> {
        match self.sink {
            Some(sink) => sink.finish().map(|()| self.frames),
            None => Ok(0),
        }
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("target", &self.target)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

/// The most bytes of a picture that is shown to the model.
const MOST_PICTURE: u64 = 10 << 20;

/// The bytes of a picture file, which are looked at before they are read.
pub(super) fn picture(path: &Path) -> Result<Vec<u8>> {
    let about = std::fs::metadata(path).map_err(|e| Error::io("read the picture", path, e))?;
    if !about.is_file() || about.len() > MOST_PICTURE {
        let sentence = format!("a picture is a file of at most {MOST_PICTURE} bytes: {}", path.display());
        return Err(Error::new(ErrorKind::InvalidInput, sentence));
    }
    std::fs::read(path).map_err(|e| Error::io("read the picture", path, e))
}
