use std::path::Path;

use super::FaceBox;
use crate::files;
use crate::{Error, ErrorKind, Result};

/// Hours of footage: a box has some twenty bytes.
const LARGEST_BOXES: u64 = 16 << 20;

/// More than a PNG of 8K without any compression.
const LARGEST_PICTURE: u64 = 256 << 20;

/// What an avatar is made of before any network has seen it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AvatarParts {
    /// The name of the person.
    pub name: String,
    /// Pixels per row of every frame.
    pub width: u32,
    /// Rows of every frame.
    pub height: u32,
    /// The footage, RGB8, rows from top to bottom without padding; the mouth closed.
    pub frames: Vec<Vec<u8>>,
    /// The face in each frame.
    pub boxes: Vec<FaceBox>,
    /// Where each frame may change: one byte per pixel of the box's [`crop`](FaceBox::crop), 255 = replaced.
    pub masks: Vec<Vec<u8>>,
}

impl AvatarParts {
    /// Reads a folder: `frames/00000000.png` …, `masks/00000000.png` …, and `boxes.json` with `[[x1, y1, x2, y2], …]`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`], [`ErrorKind::Io`]: a file cannot be read.
    /// - [`ErrorKind::Corrupt`]: a file is not what its name says, or the pictures have different sizes.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("avatar").to_owned();
        let mut parts = Self { name, ..Self::default() };
        for (index, face) in read_boxes(folder)?.into_iter().enumerate() {
            let file = format!("{index:08}.png");
            let (path, mask) = (folder.join("frames").join(&file), folder.join("masks").join(&file));
            let frame = read_picture(&path)?.into_rgb8();
            if index == 0 {
                (parts.width, parts.height) = frame.dimensions();
            } else if frame.dimensions() != (parts.width, parts.height) {
                return Err(damaged(&path, "it does not have the size of the first frame"));
            }
            parts.frames.push(frame.into_raw());
            parts.masks.push(read_picture(&mask)?.into_luma8().into_raw());
            parts.boxes.push(face);
        }
        Ok(parts)
    }
}

/// The face boxes of a folder of parts, from its `boxes.json`.
pub(crate) fn read_boxes(folder: &Path) -> Result<Vec<FaceBox>> {
    let path = folder.join("boxes.json");
    let text = files::read_small(&path, LARGEST_BOXES)?;
    let edges: Vec<[i32; 4]> =
        serde_json::from_slice(&text).map_err(|e| damaged(&path, &e.to_string()).caused_by(e))?;
    Ok(edges.into_iter().map(|[x1, y1, x2, y2]| FaceBox { x1, y1, x2, y2 }).collect())
}

/// A PNG file.
pub(crate) fn read_picture(path: &Path) -> Result<image::DynamicImage> {
    let bytes = files::read_small(path, LARGEST_PICTURE)?;
    image::load_from_memory_with_format(&bytes, image::ImageFormat::Png)
        .map_err(|e| damaged(path, &e.to_string()).caused_by(e))
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{what}: {}", path.display()))
}
