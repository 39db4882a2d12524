//! Pictures and their sound on the way to where they are kept.
//!
//! | OUT | kept as | by |
//! |---|---|---|
//! | `NAME.mp4`, `.m4v`, `.mov`, `.mkv` | H.264 and AAC | the `ffmpeg` program |
//! | `NAME.avi` | Motion JPEG and PCM | this crate, nothing to install |
//! | a folder | `00000000.png`, `00000001.png`, … (without sound, with the matte) | this crate |
//! | `-` | raw RGB on standard output (without sound) | this crate |

mod avi;
mod ffmpeg;
mod png_folder;
mod raw;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

use crate::temp::Temp;

pub use avi::AviFile;
pub use ffmpeg::{Ffmpeg, FfmpegFile};
pub use png_folder::PngFolder;
pub use raw::RawStream;

/// What every picture and every sample of one video have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VideoFormat {
    /// Picture width in pixels.
    pub width: u32,
    /// Picture height in pixels.
    pub height: u32,
    /// Pictures per second, numerator and denominator.
    pub fps: (u32, u32),
    /// Samples per second of the sound, one channel.
    pub sample_rate: u32,
    /// Whether pictures have a fourth byte a pixel, the matte. Only for a [`Target::Folder`].
    pub alpha: bool,
}

impl VideoFormat {
    /// A format of this size and these rates.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a picture without pixels, one over 16384 pixels wide or high, or a rate of zero.
    pub fn new(width: u32, height: u32, fps: (u32, u32), sample_rate: u32) -> Result<Self> {
        let size = 2..=16_384;
        if !size.contains(&width) || !size.contains(&height) {
            let sentence =
                format!("a video is 2 to 16384 pixels wide and high; these pictures are {width}x{height}");
            return Err(Error::new(ErrorKind::InvalidInput, sentence));
        }
        if fps.0 == 0 || fps.1 == 0 || sample_rate == 0 {
            let sentence = format!(
                "rates must be above zero; got {}/{} pictures and {sample_rate} samples a second",
                fps.0, fps.1
            );
            return Err(Error::new(ErrorKind::InvalidInput, sentence));
        }
        Ok(Self { width, height, fps, sample_rate, alpha: false })
    }

    /// The same with or without a matte.
    #[must_use]
    pub fn with_alpha(mut self, alpha: bool) -> Self {
        self.alpha = alpha;
        self
    }

    /// Bytes in one picture without padding: RGB, or RGBA with a matte.
    pub fn picture_bytes(&self) -> usize {
        self.width as usize * self.height as usize * if self.alpha { 4 } else { 3 }
    }
}

/// Where a video goes: pictures in, each with the samples that sound while it is shown.
///
/// Nothing appears under the final name before [`VideoSink::finish`]; dropping the sink removes what was begun.
pub trait VideoSink {
    /// Takes one RGB picture (RGBA where the format has a matte; rows without padding) and its samples, −1…1. `Break` says that nobody reads any more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when it cannot be written, [`ErrorKind::Cancelled`] after Ctrl-C.
    fn frame(&mut self, rgb: &[u8], audio: &[f32]) -> Result<ControlFlow<()>>;

    /// Completes the video and gives it its final name.
    ///
    /// # Errors
    ///
    /// As [`VideoSink::frame`].
    fn finish(self: Box<Self>) -> Result<()>;
}

/// What the user wrote after `--out`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// A file that ffmpeg makes.
    Mp4(PathBuf),
    /// A file that this crate makes.
    Avi(PathBuf),
    /// A folder of pictures.
    Folder(PathBuf),
    /// Standard output.
    Stdout,
}

impl Target {
    /// Reads the meaning of OUT: `-`, an ending, a folder that is there, or a name without an ending.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] for an ending that means no kind of video.
    pub fn of(out: &Path) -> Result<Self> {
        Self::of_option("--out", out)
    }

    /// The same for an option of another name.
    pub(crate) fn of_option(option: &str, out: &Path) -> Result<Self> {
        if out.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let text = out.to_string_lossy();
        if text.is_empty() {
            let sentence = format!("{option} is empty; give a file, a folder or -");
            return Err(Error::new(ErrorKind::InvalidInput, sentence));
        }
        if text.ends_with(['/', std::path::MAIN_SEPARATOR]) || out.is_dir() {
            return Ok(Self::Folder(out.to_path_buf()));
        }
        match out.extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
            Some("mp4" | "m4v" | "mov" | "mkv") => Ok(Self::Mp4(out.to_path_buf())),
            Some("avi") => Ok(Self::Avi(out.to_path_buf())),
            None => Ok(Self::Folder(out.to_path_buf())),
            Some(other) => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "{option} ends in .{other}; end it in .mp4 or .avi for a video, in / for a folder of PNG pictures, \
                     or give - for raw RGB: {text}"
                ),
            )),
        }
    }

    /// Whether its pictures can have a matte.
    pub fn keeps_alpha(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Starts writing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] when ffmpeg is needed and missing, [`ErrorKind::InvalidInput`] when the place is
    /// taken, [`ErrorKind::NotFound`] or [`ErrorKind::Io`] when it cannot be written.
    pub fn create(&self, format: VideoFormat, overwrite: bool) -> Result<Box<dyn VideoSink>> {
        Ok(match self {
            Self::Mp4(path) => Box::new(FfmpegFile::create(&Ffmpeg::find()?, path, format)?),
            Self::Avi(path) => Box::new(AviFile::create(path, format)?),
            Self::Folder(path) => Box::new(PngFolder::create(path, format, overwrite)?),
            Self::Stdout => Box::new(RawStream::stdout()),
        })
    }

    /// Fails early, before minutes of work, where the video could not be written in the end.
    ///
    /// # Errors
    ///
    /// As [`Target::create`].
    pub fn check(&self, overwrite: bool) -> Result<()> {
        match self {
            Self::Mp4(path) => {
                Ffmpeg::find()?;
                writable(path)
            }
            Self::Avi(path) => writable(path),
            Self::Folder(path) => png_folder::check(path, overwrite),
            Self::Stdout => Ok(()),
        }
    }
}

/// Proves that a file can be created beside the final one, by creating and removing it.
fn writable(path: &Path) -> Result<()> {
    let temp = Temp::beside(path)?;
    std::fs::File::create_new(temp.path()).map(drop).map_err(|e| cannot_write(path, e))
}

const FULL: &str = "the disk is full; make room or write elsewhere";

/// A failed write, in words that name the final file and say what to do.
fn cannot_write(path: &Path, cause: std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let (kind, advice) = match cause.kind() {
        Io::NotFound => (ErrorKind::NotFound, "create its folder first"),
        Io::StorageFull | Io::QuotaExceeded => (ErrorKind::Io, FULL),
        // The PNG encoder passes the sentence on and loses the kind.
        _ if cause.to_string().contains("No space left") => (ErrorKind::Io, FULL),
        Io::PermissionDenied | Io::ReadOnlyFilesystem => (ErrorKind::Io, "write to a folder that is yours"),
        _ => (ErrorKind::Io, "nothing was left under that name"),
    };
    Error::new(kind, format!("could not write the video ({cause}); {advice}: {}", path.display()))
        .caused_by(cause)
}
