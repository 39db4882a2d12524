use std::borrow::Cow;
use std::ffi::c_char;
use std::fmt::{self, Write as _};

use musetalk_core::ErrorKind;

/// What a call came to. 0 is success, 1 to 15 are answers that are no failure, 16 and above are failures. Values never change
/// their meaning and are never reused; treat an unknown one of 16 and above as a failure.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum musetalk_status {
    /// It worked, and the out-parameters are set.
    Ok = 0,
    /// Nothing new is due: what is on screen is still right, or the first frames are not ready yet.
    NoFrame = 1,
    /// An utterance has ended, or was cut, and every frame of it was read. The next acquire goes on with the next one.
    EndOfUtterance = 2,
    /// The conversation is over and all its events were read.
    EndOfConversation = 3,
    /// An argument is NULL, out of range or malformed; an object was freed; two threads are in one end. Fix the call.
    InvalidInput = 16,
    /// A pack, an asset, a library, a model or a file does not exist. The message names the places looked at.
    NotFound = 17,
    /// A file is damaged. Fetch or build it again.
    Corrupt = 18,
    /// Two sound things do not fit together: an avatar made for another pack, a server of another protocol.
    Incompatible = 19,
    /// This build, this file or this server cannot do what was asked.
    Unsupported = 20,
    /// No room is left; nothing was taken. Retry after frames were read or released.
    BufferFull = 21,
    /// The utterance was cut. Call musetalk_avatar_begin before pushing again.
    Interrupted = 22,
    /// The caller cancelled the operation.
    Cancelled = 23,
    /// The time given has passed. Nothing is lost; call again.
    TimedOut = 24,
    /// Reading or writing a file failed.
    Io = 25,
    /// The requested device could not be started. Another may work.
    DeviceUnavailable = 26,
    /// Host or device memory is exhausted.
    OutOfMemory = 27,
    /// The session is over. Open another.
    Closed = 28,
    /// The key is missing, wrong, or may not do this.
    Unauthorized = 48,
    /// The account has no quota left. Waiting does not help.
    Quota = 49,
    /// The other end is not who it should be.
    Untrusted = 50,
    /// Too many requests. Retry after a pause.
    Busy = 51,
    /// The server refused something; the message is its own.
    Refused = 52,
    /// The network failed.
    Network = 53,
    /// A bug in this library, a caught panic included. The object can still be freed. Please report the message.
    Internal = 255,
}

impl From<ErrorKind> for musetalk_status {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidInput => Self::InvalidInput,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Corrupt => Self::Corrupt,
            ErrorKind::Incompatible => Self::Incompatible,
            ErrorKind::Unsupported => Self::Unsupported,
            ErrorKind::BufferFull => Self::BufferFull,
            ErrorKind::Interrupted => Self::Interrupted,
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::Io => Self::Io,
            ErrorKind::DeviceUnavailable => Self::DeviceUnavailable,
            ErrorKind::OutOfMemory => Self::OutOfMemory,
            ErrorKind::Closed => Self::Closed,
            // A kind of a later core without a row here fails the test of the table.
            _ => Self::Internal,
        }
    }
}

#[cfg(feature = "realtime")]
impl From<realtime_client::ErrorKind> for musetalk_status {
    fn from(kind: realtime_client::ErrorKind) -> Self {
        use realtime_client::ErrorKind;
        match kind {
            ErrorKind::InvalidInput => Self::InvalidInput,
            ErrorKind::Unsupported => Self::Unsupported,
            ErrorKind::Unauthorized => Self::Unauthorized,
            ErrorKind::Quota => Self::Quota,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Incompatible => Self::Incompatible,
            ErrorKind::Untrusted => Self::Untrusted,
            ErrorKind::Busy => Self::Busy,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Network => Self::Network,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::BufferFull => Self::BufferFull,
            ErrorKind::Closed => Self::Closed,
            _ => Self::Internal,
        }
    }
}

/// The sentence that goes with a failed status. Yours: put it on the stack and pass its address, or pass NULL. Written only when a
/// call fails. 512 bytes, for ever.
#[repr(C)]
pub struct musetalk_error {
    /// The status the call returned.
    pub status: musetalk_status,
    /// UTF-8, NUL-terminated, cut at a character boundary.
    pub message: [c_char; 508],
}

/// What a call fails with inside this crate. Its sentence is put together where it is written, in the caller's memory: a push that fails
/// allocates nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: musetalk_status,
    words: Words,
}

#[derive(Debug)]
enum Words {
    Text(Cow<'static, str>),
    /// `{0}` stands for a name.
    Of(&'static str, &'static str),
    /// What was given, how much of it, how much is taken at once, and what to do instead.
    TooMany(&'static str, (usize, usize), &'static str),
    Core(musetalk_core::Error),
    #[cfg(feature = "realtime")]
    Talk(Box<realtime_client::Error>),
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Of(text, name) => {
                let mut parts = text.split("{0}");
                f.write_str(parts.next().unwrap_or_default())?;
                parts.try_for_each(|part| write!(f, "{name}{part}"))
            }
            Self::TooMany(name, (count, most), instead) => {
                write!(f, "`{name}` has {count} items, and at most {most} are taken at once; {instead}")
            }
            Self::Core(error) => error.fmt(f),
            #[cfg(feature = "realtime")]
            Self::Talk(error) => error.fmt(f),
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(status: musetalk_status, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, words: Words::Text(message.into()) }
    }

    /// `InvalidInput` about `name`, which stands where the text says `{0}`.
    pub(crate) fn about(name: &'static str, text: &'static str) -> Self {
        Self { status: musetalk_status::InvalidInput, words: Words::Of(text, name) }
    }

    /// More of `name` than could ever be taken at once.
    pub(crate) fn too_many(name: &'static str, (count, most): (usize, usize), instead: &'static str) -> Self {
        Self { status: musetalk_status::InvalidInput, words: Words::TooMany(name, (count, most), instead) }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(musetalk_status::InvalidInput, message)
    }

    /// Writes it into the caller's struct, which may hold anything before.
    ///
    /// # Safety
    ///
    /// A non-null `error` is valid for writes.
    pub(crate) unsafe fn write(&self, error: *mut musetalk_error) {
        if error.is_null() {
            return;
        }
        let mut cut = Cut { message: [0; 508], length: 0, full: false };
        // It never fails: what does not fit is left out.
        let _written = write!(cut, "{}", self.words).is_ok();
        // SAFETY: promised by the caller.
        unsafe { error.write(musetalk_error { status: self.status, message: cut.message }) }
    }
}

/// As much of a text as fits, cut between characters, with a NUL at its end.
struct Cut {
    message: [c_char; 508],
    length: usize,
    full: bool,
}

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            // A NUL in the middle would hide the rest.
            let character = if character == '\0' { '?' } else { character };
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            self.full |= self.length + bytes.len() > self.message.len() - 1;
            if self.full {
                break;
            }
            for (to, from) in self.message[self.length..].iter_mut().zip(bytes) {
                *to = *from as c_char;
            }
            self.length += bytes.len();
        }
        Ok(())
    }
}

impl From<musetalk_core::Error> for Failure {
    fn from(error: musetalk_core::Error) -> Self {
        Self { status: error.kind().into(), words: Words::Core(error) }
    }
}

#[cfg(feature = "realtime")]
impl From<realtime_client::Error> for Failure {
    fn from(error: realtime_client::Error) -> Self {
        Self { status: error.kind().into(), words: Words::Talk(Box::new(error)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;
    use std::mem::MaybeUninit;

    fn written(text: &'static str) -> String {
        let mut error = MaybeUninit::uninit();
        // SAFETY: it is there to be written.
        unsafe { Failure::invalid(text).write(error.as_mut_ptr()) };
        // SAFETY: it was just written.
        let error = unsafe { error.assume_init() };
        assert_eq!(error.status, musetalk_status::InvalidInput);
        // SAFETY: it is always terminated.
        unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn messages_are_cut_between_characters() {
        assert_eq!(written("short"), "short");
        assert_eq!(written("a\0b"), "a?b");
        for (character, width) in [("a", 1), ("é", 2), ("語", 3), ("🙂", 4)] {
            let text: &'static str = Box::leak(character.repeat(600).into_boxed_str());
            assert_eq!(written(text), character.repeat(507 / width));
        }
        assert_eq!(size_of::<musetalk_error>(), 512);
    }
}
