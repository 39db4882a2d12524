//! Footage of a person, from a video, a picture or a folder of pictures, for `musetalk avatar create`.

mod pam;
mod pictures;
mod video;

use std::io::Read as _;
use std::path::Path;

use musetalk_core::{Error, ErrorKind, FrameRate, FrameSource, Result};
use sha2::{Digest as _, Sha256};

use self::pictures::Pictures;
use self::video::Video;

/// Opens what a path holds: a folder of pictures, a picture, or anything that ffmpeg reads.
///
/// Frames come at `rate`. Videos bring their own, and are brought to it; pictures of a folder are taken to have been made at `own_rate`.
///
/// # Errors
///
/// - [`ErrorKind::NotFound`], [`ErrorKind::Io`]: it is not there, or cannot be read.
/// - [`ErrorKind::InvalidInput`]: it holds no picture, or is no footage at all.
/// - [`ErrorKind::Unsupported`]: it is a video and ffmpeg is not installed.
pub fn open(path: &Path, rate: FrameRate, own_rate: FrameRate) -> Result<Box<dyn FrameSource>> {
    let about = std::fs::metadata(path).map_err(|e| Error::io("find the footage", path, e))?;
    if about.is_dir() {
        return Ok(Box::new(Pictures::folder(path, rate, own_rate)?));
    }
    if !about.is_file() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("footage is a file or a folder of pictures, and this is neither: {}", path.display()),
        ));
    }
    let mut beginning = [0; 8];
    let mut file = std::fs::File::open(path).map_err(|e| Error::io("open the footage", path, e))?;
    let count = file.read(&mut beginning).map_err(|e| Error::io("read the footage", path, e))?;
    if count == 0 {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("the footage is an empty file: {}", path.display()),
        ));
    }
    if beginning.starts_with(b"\x89PNG") || beginning.starts_with(b"\xff\xd8\xff") {
        return Ok(Box::new(Pictures::single(path)?));
    }
    Ok(Box::new(Video::open(path, rate)?))
}

/// What a folder holds beside the pictures that [`open`] reads: names, in order. Hidden files are not counted.
///
/// # Errors
///
/// - [`ErrorKind::NotFound`], [`ErrorKind::Io`]: the folder cannot be listed.
pub fn ignored(folder: &Path) -> Result<Vec<String>> {
    Ok(pictures::listed(folder)?.1)
}

/// A digest of what files hold.
fn digest(paths: &[std::path::PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    for path in paths {
        let mut file = std::fs::File::open(path).map_err(|e| Error::io("open the footage", path, e))?;
        loop {
            let count = file.read(&mut block).map_err(|e| Error::io("read the footage", path, e))?;
            hash.update(&block[..count]);
            if count == 0 {
                break;
            }
        }
        hash.update(b"|");
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
