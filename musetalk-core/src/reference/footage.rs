use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{DynamicImage, GenericImageView as _};

use crate::asset::{self, AvatarAsset, Clip, FaceBox};
use crate::prepare::{CLASSES, EdgeBlur, FaceMask, PARSED, mask_of};
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// The person of a reference rendering: frames without loss, face boxes, and either parsed faces or masks.
///
/// Pictures of a folder are read when their frame is drawn, one at a time, so that long footage needs no memory.
#[derive(Debug)]
pub struct Footage {
    source: Source,
    width: u32,
    height: u32,
    fps: FrameRate,
    /// `None` where a frame shows no face.
    faces: Vec<Option<FaceBox>>,
}

#[derive(Debug)]
enum Source {
    Folder {
        frames: PathBuf,
        /// Parsed faces, or masks.
        over: PathBuf,
        parsed: bool,
    },
    Asset(Arc<AvatarAsset>),
}

impl Footage {
    /// A folder of parts, or an `.avatar` file.
    ///
    /// | file of a folder | what |
    /// |---|---|
    /// | `frames/00000000.png` … | the footage, all of one size |
    /// | `boxes.json` | `[[x1, y1, x2, y2], …]`; `[0, 0, 0, 0]` where a frame shows no face |
    /// | `classes/00000000.png` … | the parsed crop of each face: 512×512, 8-bit grey, classes 0 to 18 |
    /// | `masks/00000000.png` … | where there is no `classes`: the mask over each face's crop, used as it is |
    ///
    /// A folder plays at 25 frames per second; an avatar at its own rate, with its own latents and masks.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`], [`ErrorKind::Io`]: a file is missing or cannot be read.
    /// - [`ErrorKind::Corrupt`]: a file is not what its name says; a box is outside the picture.
    /// - [`ErrorKind::InvalidInput`]: there is no frame, or no frame shows a face.
    /// - [`ErrorKind::Incompatible`]: the avatar has another format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if path.is_dir() { Self::folder(path) } else { Ok(Arc::new(AvatarAsset::open(path)?).into()) }
    }

    fn folder(folder: &Path) -> Result<Self> {
        let invalid =
            |what: &str| Error::new(ErrorKind::InvalidInput, format!("{what}: {}", folder.display()));
        let boxes = asset::read_boxes(folder)?;
        if boxes.is_empty() {
            return Err(invalid("boxes.json lists no frame"));
        }
        let parsed = folder.join("classes").is_dir();
        let frames = folder.join("frames");
        let over = folder.join(if parsed { "classes" } else { "masks" });
        let first = numbered(&frames, 0);
        exists(&first)?;
        let (width, height) = asset::read_picture(&first)?.dimensions();
        let mut faces = Vec::with_capacity(boxes.len());
        for (frame, face) in boxes.into_iter().enumerate() {
            // Now, and not after an hour of rendering.
            exists(&numbered(&frames, frame))?;
            if face == NO_FACE {
                faces.push(None);
                continue;
            }
            if !asset::check_box(&face, width, height) {
                let path = folder.join("boxes.json");
                let what = format!("the face box of frame {frame} is empty or outside the picture");
                return Err(damaged(&path, &what));
            }
            exists(&numbered(&over, frame))?;
            faces.push(Some(face));
        }
        if faces.iter().all(Option::is_none) {
            return Err(invalid("no frame shows a face: every box is [0, 0, 0, 0]"));
        }
        let source = Source::Folder { frames, over, parsed };
        Ok(Self { source, width, height, fps: FrameRate::new(25, 1)?, faces })
    }

    /// Frames of the footage; they are shown forth and back.
    pub fn frames(&self) -> u32 {
        self.faces.len() as u32
    }

    /// Pixels per row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The rate at which it plays.
    pub fn fps(&self) -> FrameRate {
        self.fps
    }

    /// The avatar it came from.
    pub(super) fn asset(&self) -> Option<&AvatarAsset> {
        match &self.source {
            Source::Folder { .. } => None,
            Source::Asset(asset) => Some(asset),
        }
    }

    /// The face in a frame; `None` where there is none.
    pub(super) fn face(&self, frame: u32) -> Option<FaceBox> {
        self.faces[frame as usize]
    }

    /// RGB8, rows from top to bottom without padding.
    pub(super) fn picture(&self, frame: u32) -> Result<Cow<'_, [u8]>> {
        let frames = match &self.source {
            Source::Asset(asset) => return asset.base_frame(frame),
            Source::Folder { frames, .. } => frames,
        };
        let path = numbered(frames, frame as usize);
        let picture = asset::read_picture(&path)?;
        if picture.dimensions() != (self.width, self.height) {
            return Err(damaged(&path, "it does not have the size of the first frame"));
        }
        Ok(Cow::Owned(picture.into_rgb8().into_raw()))
    }

    /// The mask over a face's crop, one byte a pixel.
    pub(super) fn mask(
        &self,
        frame: u32,
        face: &FaceBox,
        part: FaceMask,
        blur: EdgeBlur,
    ) -> Result<Cow<'_, [u8]>> {
        let (over, parsed) = match &self.source {
            Source::Asset(asset) => return asset.mask(frame).map(Cow::Owned),
            Source::Folder { over, parsed, .. } => (over, *parsed),
        };
        let path = numbered(over, frame as usize);
        let picture = asset::read_picture(&path)?;
        let side = if parsed { PARSED as u32 } else { face.crop().width() as u32 };
        if picture.dimensions() != (side, side) {
            let (width, height) = picture.dimensions();
            return Err(damaged(&path, &format!("it has {width}×{height} pixels, not {side}×{side}")));
        }
        if !parsed {
            return Ok(Cow::Owned(picture.into_luma8().into_raw()));
        }
        let DynamicImage::ImageLuma8(classes) = picture else {
            return Err(damaged(&path, "a map of classes is a grey picture of 8 bits"));
        };
        let classes = classes.into_raw();
        if let Some(class) = classes.iter().find(|&&class| class >= CLASSES) {
            let what = format!("it holds class {class}; a parsed face has the classes 0 to {}", CLASSES - 1);
            return Err(damaged(&path, &what));
        }
        Ok(Cow::Owned(mask_of(&classes, face, part, blur)))
    }
}

impl From<Arc<AvatarAsset>> for Footage {
    fn from(asset: Arc<AvatarAsset>) -> Self {
        // The official script knows no clips: it gets the first.
        let frames = asset.clips().first().map_or(0, Clip::frames);
        let faces = (0..frames).map(|frame| Some(asset.face_box(frame))).collect();
        let (width, height, fps) = (asset.width(), asset.height(), asset.fps());
        Self { source: Source::Asset(asset), width, height, fps, faces }
    }
}

/// What the official script writes where it found no face.
const NO_FACE: FaceBox = FaceBox { x1: 0, y1: 0, x2: 0, y2: 0 };

fn numbered(folder: &Path, frame: usize) -> PathBuf {
    folder.join(format!("{frame:08}.png"))
}

/// A pipe would block, a folder fail later.
fn exists(path: &Path) -> Result<()> {
    let about = std::fs::metadata(path).map_err(|e| Error::io("read a picture", path, e))?;
    if about.is_file() { Ok(()) } else { Err(damaged(path, "a picture must be a file")) }
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{what}: {}", path.display()))
}
