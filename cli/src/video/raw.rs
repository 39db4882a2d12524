//! Raw RGB on a stream, for another program to read.

use std::io::{ErrorKind as IoKind, StdoutLock, Write};
use std::ops::ControlFlow;

use musetalk_core::{Error, ErrorKind, Result};

use super::VideoSink;

/// Pictures without header, row by row, three bytes a pixel. The reader may leave at any time.
#[derive(Debug)]
pub struct RawStream<W> {
    stream: W,
}

impl RawStream<StdoutLock<'static>> {
    /// Writes to standard output, and to nothing else.
    pub fn stdout() -> Self {
        Self::new(std::io::stdout().lock())
    }
}

impl<W: Write> RawStream<W> {
    /// Writes to any stream.
    pub fn new(stream: W) -> Self {
        Self { stream }
    }
}

impl<W: Write> VideoSink for RawStream<W> {
    fn frame(&mut self, rgb: &[u8], _audio: &[f32]) -> Result<ControlFlow<()>> {
        crate::cancel::check()?;
        left(self.stream.write_all(rgb))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        left(self.stream.flush()).map(drop)
    }
}

/// A closed pipe is how `head` and players say that they have seen enough.
fn left(written: std::io::Result<()>) -> Result<ControlFlow<()>> {
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(e) if e.kind() == IoKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(e) => {
            let sentence = format!("could not write raw pictures to standard output: {e}");
            Err(Error::new(ErrorKind::Io, sentence).caused_by(e))
        }
    }
}
