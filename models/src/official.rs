//! The folder that MuseTalk's real-time script, and LiveTalking after it, leaves of a person.
//!
//! | file | what is read of it |
//! |---|---|
//! | `full_imgs/00000000.png` … | the frames, forth and then back |
//! | `mask/00000000.png` … | the mask of each, over its crop |
//! | `coords.pkl` | the face box of each |
//! | `mask_coords.pkl` | the crop of each |
//!
//! Frames without a face keep their place in all of these, with the box `(0.0, 0.0, 0.0, 0.0)`; the script has no mask for them that means
//! anything, and latents of the others only. They are left out.
//!
//! `latents.pt` belongs to another encoder and is not needed; `avator_info.json` says nothing that is.

use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

use crate::checkpoint::boxes;

/// More frames than an avatar may have, and back.
const MOST_FRAMES: usize = 30_000;

/// What such a folder lists. Its pictures are not read yet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OfficialAvatar {
    /// The frames in order, forth only where the folder also has them back.
    pub frames: Vec<OfficialFrame>,
    /// Whether the folder had every frame a second time, on the way back.
    pub mirrored: bool,
    /// The frames that show no face, as places in the folder; of the way forth where there is one back. They are not among
    /// [`frames`](Self::frames).
    pub faceless: Vec<usize>,
    /// What the folder holds beside what is read, by name.
    pub ignored: Vec<String>,
}

/// One frame of the folder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OfficialFrame {
    /// Its picture.
    pub picture: PathBuf,
    /// The mask over its crop.
    pub mask: PathBuf,
    /// The face: x1, y1, x2, y2.
    pub face: [i32; 4],
    /// Where the mask lies: x1, y1, x2, y2.
    pub crop: [i32; 4],
}

impl OfficialAvatar {
    /// Lists a folder. Pickles are read by an interpreter that builds whole numbers and nothing else; nothing is executed.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`], [`ErrorKind::Io`]: a file or folder is missing or cannot be read.
    /// - [`ErrorKind::Corrupt`], [`ErrorKind::Unsupported`]: a pickle is damaged or asks for more than numbers.
    /// - [`ErrorKind::InvalidInput`]: there are not as many boxes, crops, masks and frames as each other, or none; no frame shows a
    ///   face.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let (faces, crops) = (boxes(&folder.join("coords.pkl"))?, boxes(&folder.join("mask_coords.pkl"))?);
        let ((pictures, other_pictures), (masks, other_masks)) =
            (numbered(folder, "full_imgs")?, numbered(folder, "mask")?);
        let invalid =
            |what: String| Error::new(ErrorKind::InvalidInput, format!("{what}: {}", folder.display()));
        // Some scripts give frames without a face neither a mask nor a crop.
        let (masks, crops) = (spread(masks, &faces, PathBuf::new()), spread(crops, &faces, NO_FACE));
        let counts = [pictures.len(), masks.len(), faces.len(), crops.len()];
        if counts[0] == 0 || counts.iter().any(|&count| count != counts[0]) || counts[0] > MOST_FRAMES {
            let [pictures, masks, faces, crops] = counts;
            return Err(invalid(format!(
                "the folder has {pictures} frames, {masks} masks, {faces} boxes and {crops} crops; it needs as many of each, and \
                 at least one"
            )));
        }
        let rows = pictures.into_iter().zip(masks).zip(faces.into_iter().zip(crops));
        let mut frames: Vec<OfficialFrame> =
            rows.map(|((picture, mask), (face, crop))| OfficialFrame { picture, mask, face, crop }).collect();
        let mirrored = mirrored(&frames)?;
        if mirrored {
            frames.truncate(frames.len() / 2);
        }
        let faceless: Vec<usize> = (0..frames.len()).filter(|&at| frames[at].face == NO_FACE).collect();
        let all = frames.len();
        frames.retain(|frame| frame.face != NO_FACE);
        if frames.is_empty() {
            return Err(invalid(format!("none of the {all} frames shows a face; prepare other footage")));
        }
        if let Some(frame) = frames.iter().find(|frame| {
            let [x1, y1, x2, y2] = frame.face;
            x1 >= x2 || y1 >= y2
        }) {
            return Err(invalid(format!("the face box of {} is empty", frame.picture.display())));
        }
        let ignored = others(folder)?.into_iter().chain(other_pictures).chain(other_masks).collect();
        Ok(Self { frames, mirrored, faceless, ignored })
    }
}

/// One for every frame, of a list that may have them for frames with a face only.
fn spread<T: Clone>(of: Vec<T>, faces: &[[i32; 4]], otherwise: T) -> Vec<T> {
    let shown = faces.iter().filter(|&&face| face != NO_FACE).count();
    if of.len() != shown || shown == faces.len() {
        return of;
    }
    let mut of = of.into_iter();
    let next = |face: &[i32; 4]| if *face == NO_FACE { None } else { of.next() };
    faces.iter().map(next).map(|own| own.unwrap_or_else(|| otherwise.clone())).collect()
}

/// The box that the scripts give a frame without a face.
const NO_FACE: [i32; 4] = [0; 4];

/// What is read of the folder, and what belongs to it and is not needed.
const KNOWN: [&str; 6] =
    ["full_imgs", "mask", "coords.pkl", "mask_coords.pkl", "latents.pt", "avator_info.json"];

/// What else lies in the folder. Hidden files are not counted.
fn others(folder: &Path) -> Result<Vec<String>> {
    let failed = |e| Error::io("list the folder", folder, e);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !KNOWN.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether the second half is the first one backwards: all boxes, and the pictures at both ends and in the middle.
fn mirrored(frames: &[OfficialFrame]) -> Result<bool> {
    let all = frames.len();
    let pair = |at: usize| (&frames[at], &frames[all - 1 - at]);
    let alike = |at: usize| {
        let (there, back) = pair(at);
        there.face == back.face && there.crop == back.crop
    };
    if all % 2 == 1 || !(0..all / 2).all(alike) {
        return Ok(false);
    }
    for at in [0, all / 4, all / 2 - 1] {
        let (there, back) = pair(at);
        if !same_bytes(&there.picture, &back.picture)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_bytes(a: &Path, b: &Path) -> Result<bool> {
    let size = |path: &Path| std::fs::metadata(path).map_err(|e| Error::io("read a frame", path, e));
    if size(a)?.len() != size(b)?.len() {
        return Ok(false);
    }
    let read = |path: &Path| std::fs::read(path).map_err(|e| Error::io("read a frame", path, e));
    Ok(read(a)? == read(b)?)
}

/// The pictures of a part of the folder, in the order of the numbers they are named by, and what else is there, by name.
fn numbered(folder: &Path, part: &str) -> Result<(Vec<PathBuf>, Vec<String>)> {
    let folder = &folder.join(part);
    let failed = |e| Error::io("list the folder", folder, e);
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let picture = path.extension().and_then(|e| e.to_str()).is_some_and(|extension| {
            ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        });
        let number =
            path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match number {
            Some(number) if picture && path.is_file() => files.push((number, path)),
            _ if name.starts_with('.') => {}
            _ => others.push(format!("{part}/{name}")),
        }
        if files.len().max(others.len()) > MOST_FRAMES {
            let text = format!("the folder has more than {MOST_FRAMES} pictures: {}", folder.display());
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
    }
    files.sort();
    others.sort();
    Ok((files.into_iter().map(|(_, path)| path).collect(), others))
}
