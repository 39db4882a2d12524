//! An audio file on its way through an avatar: sound in, frames out, on one thread.

use std::path::Path;

use musetalk_core::{Avatar, AvatarOptions, Engine, Error, ErrorKind, Frame, PixelFormat, Result, Stats};

use crate::audio_file::AudioFile;

/// One voice, spoken by one face.
#[derive(Debug)]
pub(crate) struct Speech {
    avatar: Avatar,
    file: AudioFile,
    format: PixelFormat,
    /// A block that the avatar had no room for yet.
    waiting: Vec<f32>,
    heard_all: bool,
    ended: bool,
}

impl Speech {
    /// Opens the face for the rate of the voice.
    pub(crate) fn open(engine: &Engine, avatar: &Path, file: AudioFile, format: PixelFormat) -> Result<Self> {
        let mut options = AvatarOptions::default();
        options.format = format;
        options.sample_rate = file.sample_rate();
        let avatar = engine.open_avatar_with(avatar, options).map_err(|e| match e.kind() {
            ErrorKind::InvalidInput => {
                Error::new(e.kind(), format!("{e}: {}", file.path().display())).caused_by(e)
            }
            _ => e,
        })?;
        Ok(Self { avatar, file, format, waiting: Vec::new(), heard_all: false, ended: false })
    }

    /// The next picture with its sound; `None` after the last, any number of times.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>> {
        crate::cancel::check()?;
        // The avatar says `None` once, and then waits for another utterance, which never comes here.
        if self.ended {
            return Ok(None);
        }
        self.feed()?;
        let frame = self.avatar.next_frame()?;
        self.ended = frame.is_none();
        Ok(frame)
    }

    /// What is spoken to and looked at.
    pub(crate) fn avatar(&self) -> &Avatar {
        &self.avatar
    }

    /// The bytes of its pictures.
    pub(crate) fn format(&self) -> PixelFormat {
        self.format
    }

    /// Where the time went so far.
    pub(crate) fn stats(&self) -> Stats {
        self.avatar.stats()
    }

    /// The voice.
    pub(crate) fn file(&self) -> &AudioFile {
        &self.file
    }

    /// Pushes as much as there is room for: frames can then be waited for without fear of waiting forever.
    fn feed(&mut self) -> Result<()> {
        while !self.heard_all {
            if self.waiting.is_empty() {
                match self.file.next_block()? {
                    Some(block) => self.waiting.extend_from_slice(block),
                    None => {
                        self.avatar.finish()?;
                        self.heard_all = true;
                        return Ok(());
                    }
                }
            }
            match self.avatar.push(&self.waiting) {
                Ok(()) => self.waiting.clear(),
                Err(e) if e.kind() == ErrorKind::BufferFull => return Ok(()),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}
