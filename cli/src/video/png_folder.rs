//! A folder of numbered pictures.

use std::fs::{self, File};
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};
use musetalk_core::{Error, ErrorKind, Result};

use super::{VideoFormat, VideoSink, cannot_write};
use crate::temp::{Temp, folder_of};

/// `00000000.png`, `00000001.png`, … in a folder that appears complete or not at all.
///
/// A folder that holds anything is refused: pictures of two renders in one folder are a trap. With `overwrite` it is
/// replaced, but only where it holds nothing but such pictures.
#[derive(Debug)]
pub struct PngFolder {
    temp: Temp,
    path: PathBuf,
    format: VideoFormat,
    count: u64,
    overwrite: bool,
}

impl PngFolder {
    /// Starts a folder under a temporary name beside the final one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the folder holds something, [`ErrorKind::NotFound`] or [`ErrorKind::Io`] when
    /// it cannot be created.
    pub fn create(path: &Path, format: VideoFormat, overwrite: bool) -> Result<Self> {
        check(path, overwrite)?;
        let temp = Temp::folder_beside(path)?;
        Ok(Self { temp, path: path.to_path_buf(), format, count: 0, overwrite })
    }
}

impl VideoSink for PngFolder {
    fn frame(&mut self, rgb: &[u8], _audio: &[f32]) -> Result<ControlFlow<()>> {
        crate::cancel::check()?;
        let file = self.temp.path().join(format!("{:08}.png", self.count));
        let colours = if self.format.alpha { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 };
        let mut writer = BufWriter::new(File::create(&file).map_err(|e| cannot_write(&self.path, e))?);
        PngEncoder::new_with_quality(&mut writer, CompressionType::Fast, FilterType::Adaptive)
            .write_image(rgb, self.format.width, self.format.height, colours)
            .map_err(|e| match e {
                ImageError::IoError(e) => cannot_write(&self.path, e),
                e => Error::new(ErrorKind::Internal, format!("could not encode picture {}: {e}", self.count)),
            })?;
        // Dropping a BufWriter swallows the error of its last write: a full disk would go unnoticed.
        writer.into_inner().map_err(|e| cannot_write(&self.path, e.into_error()))?;
        self.count += 1;
        Ok(ControlFlow::Continue(()))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { temp, path, overwrite, .. } = *self;
        check(&path, overwrite)?;
        if path.is_dir() && overwrite {
            // Moved aside first, so that the old pictures are there until the new ones are.
            let old = Temp::beside(&path)?;
            fs::rename(&path, old.path()).map_err(|e| Error::io("replace the folder", &path, e))?;
            let kept = temp.keep_as(&path);
            if kept.is_err() {
                // Back again: dropping `old` removes what it still names.
                fs::rename(old.path(), &path)
                    .map_err(|e| Error::io("put the old pictures back", &path, e))?;
            }
            return kept;
        }
        temp.keep_as(&path)
    }
}

/// Says now what [`PngFolder::create`] would refuse later.
pub(super) fn check(path: &Path, overwrite: bool) -> Result<()> {
    if path.file_name().is_none() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("give the folder a name of its own: {}", path.display()),
        ));
    }
    match fs::read_dir(path) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(|e| Error::io("read the folder", path, e))?;
                let name = entry.file_name();
                if !overwrite || !is_numbered(&name.to_string_lossy()) {
                    let advice = if overwrite {
                        "it holds more than numbered pictures, so it is not replaced; give another folder"
                    } else {
                        "give an empty or new folder, or --overwrite to replace its numbered pictures"
                    };
                    let sentence = format!("the folder is not empty; {advice}: {}", path.display());
                    return Err(Error::new(ErrorKind::InvalidInput, sentence));
                }
            }
            Ok(())
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let parent = folder_of(path);
            if parent.is_dir() {
                return Ok(());
            }
            let sentence = format!(
                "the folder that should hold it does not exist; create it first: {}",
                parent.display()
            );
            Err(Error::new(ErrorKind::NotFound, sentence))
        }
        Err(e) => Err(cannot_write(path, e)),
    }
}

fn is_numbered(name: &str) -> bool {
    name.strip_suffix(".png")
        .is_some_and(|digits| digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit()))
}
