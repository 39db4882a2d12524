//! What an avatar may state of itself: checked before anything is allocated for it, when it is written and when it is read.

use super::FaceBox;
use super::format::Meta;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// Ten minutes of footage, 8K pictures, 64 clips with names of a line.
pub(crate) const MOST_FRAMES: u32 = 15_000;
const LONGEST_SIDE: u32 = 8_192;
/// Of a picture: 7680 × 4320, however it lies.
const MOST_PIXELS: u64 = 7_680 * 4_320;
/// The square in which a mask lives has at most so many times the pixels of the picture: a face that fills a portrait has three.
const MOST_CROPS: u64 = 4;
pub(crate) const MOST_CLIPS: usize = 64;
pub(crate) const LONGEST_NAME: usize = 256;

/// The sizes of a description; its frame rate if they are sane.
pub(crate) fn check_meta(meta: &Meta) -> Result<FrameRate> {
    require(
        (1..=MOST_FRAMES).contains(&meta.frames),
        &format!("{} frames are not 1 to {MOST_FRAMES}", meta.frames),
    )?;
    check_size(meta.width, meta.height)?;
    require(
        (16..=2048).contains(&meta.image_size)
            && (1..=64).contains(&meta.latent_channels)
            && (1..=512).contains(&meta.latent_size),
        "the sizes of its latents are those of no pack",
    )?;
    require(meta.name.len() <= LONGEST_NAME, &format!("its name has more than {LONGEST_NAME} bytes"))?;
    check_clips(meta)?;
    FrameRate::new(meta.fps[0], meta.fps[1])
}

/// The size of a picture.
pub(crate) fn check_size(width: u32, height: u32) -> Result<()> {
    let sides = 16..=LONGEST_SIDE;
    let pixels = u64::from(width) * u64::from(height);
    require(
        sides.contains(&width) && sides.contains(&height) && pixels <= MOST_PIXELS,
        &format!(
            "the sizes {width}×{height} cannot be used: each side must have 16 to {LONGEST_SIDE} pixels, and all together no more than \
             8K has, {MOST_PIXELS}"
        ),
    )
}

fn check_clips(meta: &Meta) -> Result<()> {
    let clips = &meta.clips;
    require(
        (1..=MOST_CLIPS).contains(&clips.len()),
        &format!("{} clips are not 1 to {MOST_CLIPS}", clips.len()),
    )?;
    for (index, clip) in clips.iter().enumerate() {
        check_clip_name(&clip.name)?;
        require(clip.frames > 0, &format!("clip {:?} has no frame", clip.name))?;
        let twice = clips[..index].iter().any(|other| other.name == clip.name);
        require(!twice, &format!("two clips are named {:?}", clip.name))?;
    }
    let frames: u64 = clips.iter().map(|clip| u64::from(clip.frames)).sum();
    require(frames == u64::from(meta.frames), "its clips do not have as many frames as it does")
}

pub(crate) fn check_clip_name(name: &str) -> Result<()> {
    let sane = !name.trim().is_empty() && name.len() <= LONGEST_NAME && !name.contains(char::is_control);
    require(sane, &format!("a clip cannot be named {name:.80?}"))
}

/// A box that is empty, or far larger than the frame, would ask the compositor for absurd memory.
pub(crate) fn check_box(face: &FaceBox, width: u32, height: u32) -> bool {
    let (w, h) = (width as i32, height as i32);
    let edges = [face.x1, face.y1, face.x2, face.y2];
    edges.iter().all(|edge| (-65_536..=65_536).contains(edge))
        && face.width() >= 8
        && face.height() >= 8
        && face.width() <= 2 * w
        && face.height() <= 2 * h
        && (face.crop().width() as u64).pow(2) <= MOST_CROPS * u64::from(width) * u64::from(height)
        && face.x1 < w
        && face.y1 < h
        && face.x2 > 0
        && face.y2 > 0
}

fn require(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::new(ErrorKind::InvalidInput, what.to_owned())) }
}
