use std::borrow::Cow;
use std::error::Error as StdError;

/// The result of every fallible call in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms a host can act on.
///
/// Each variant has exactly one C status code and one Python exception class.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is out of range or malformed. Fix the call.
    InvalidInput,
    /// A pack, an avatar, a library or a file does not exist. The message names every place looked at.
    NotFound,
    /// A file is damaged: truncated, edited by hand, or its checksum differs. Fetch or build it again.
    Corrupt,
    /// Two sound things do not fit together: an avatar made for another pack, a format of another version.
    Incompatible,
    /// This build or this file cannot do what was asked, and never will without a change of either.
    Unsupported,
    /// No room is left; nothing was taken. Retry after frames have been read or given back.
    BufferFull,
    /// The utterance was cut. Call `begin` before pushing again.
    Interrupted,
    /// The caller cancelled the operation.
    Cancelled,
    /// The time given for the call has passed. Nothing is lost; call again.
    TimedOut,
    /// Reading or writing a file failed. The message names the file.
    Io,
    /// The requested execution provider could not be started. Another device may work.
    DeviceUnavailable,
    /// Host or device memory is exhausted.
    OutOfMemory,
    /// The other end of the session has gone. Open another avatar.
    Closed,
    /// A bug in this library. Please report the message.
    Internal,
}

/// The one error type of this crate: a kind for the program, a sentence for the person, and the cause.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind, with the sentence a person reads.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// A failed file operation, of the kind that tells a host what to do. `doing` completes "could not …".
    pub fn io(doing: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        let kind = match source.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::OutOfMemory => ErrorKind::OutOfMemory,
            _ => ErrorKind::Io,
        };
        Self::new(kind, format!("could not {doing}: {source}: {}", path.display())).caused_by(source)
    }

    /// What a host can act on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
