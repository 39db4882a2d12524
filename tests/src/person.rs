use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use musetalk_core::{
    AvatarAsset, AvatarHeader, AvatarMaker, AvatarParts, Device, Engine, FaceBox, FrameRate,
};

/// Side of the pictures: small, so that an hour of them is soon drawn.
const SIDE: usize = 64;
const FRAMES: usize = 10;

/// A person of ten small frames, of which no two are equal, for the tiny pack.
///
/// # Panics
///
/// If it cannot be made.
pub fn person(engine: &Engine) -> Arc<AvatarAsset> {
    static PERSON: OnceLock<Arc<AvatarAsset>> = OnceLock::new();
    let usual = FrameRate::new(25, 1).expect("25 frames per second is a frame rate");
    let made = || Arc::new(AvatarAsset::from_parts(engine, &parts()).expect("the tiny person can be made"));
    if engine.pack().fps() == usual { Arc::clone(PERSON.get_or_init(made)) } else { made() }
}

/// The same person as a file in `folder`.
///
/// # Panics
///
/// If it cannot be written.
pub fn write_person(engine: &Engine, folder: &Path) -> PathBuf {
    let path = folder.join("tiny.avatar");
    AvatarAsset::write_parts(engine, &parts(), &path).expect("the tiny person can be written");
    path
}

/// A person with these clips, written for the tiny pack; with a matte, and with mouths that the pack closes, where asked.
///
/// # Panics
///
/// If it cannot be written.
pub fn write_clips(folder: &Path, clips: &[(&str, usize)], alpha: bool, closed: bool) -> PathBuf {
    crate::runtime();
    let path = folder.join("clips.avatar");
    let pack = Engine::builder(crate::tiny_pack()).device(Device::Cpu).threads(1);
    let fps = FrameRate::new(25, 1).expect("25 frames per second is a frame rate");
    let mut header = AvatarHeader::new("clips", SIDE as u32, SIDE as u32, fps);
    (header.alpha, header.closed) = (alpha, closed);
    let mut maker = AvatarMaker::create(pack, &path, header).expect("the file can be begun");
    let frames = parts_of(clips.iter().map(|(_, frames)| frames).sum());
    let mut next = frames.frames.iter().zip(&frames.boxes).zip(&frames.masks);
    for (name, frames) in clips {
        maker.begin_clip(name).expect("the clip has a name of its own");
        for ((rgb, face), mask) in next.by_ref().take(*frames) {
            let matte: Vec<u8> = rgb.chunks_exact(3).map(|pixel| pixel[0] / 2 + 100).collect();
            maker.frame(rgb, alpha.then_some(&matte), *face, mask).expect("the frame can be written");
        }
    }
    maker.finish().expect("the file can be finished");
    path
}

fn parts() -> AvatarParts {
    parts_of(FRAMES)
}

fn parts_of(frames: usize) -> AvatarParts {
    let mut parts = AvatarParts::default();
    parts.name = "tiny".to_owned();
    (parts.width, parts.height) = (SIDE as u32, SIDE as u32);
    for frame in 0..frames {
        let left = 14 + (frame % 3) as i32;
        let face = FaceBox { x1: left, y1: 12, x2: left + 34, y2: 50 };
        let pixel = |at: usize| {
            let (x, y) = (at % SIDE, at / SIDE);
            [(4 * x + 10 * frame) as u8, (4 * y) as u8, (2 * x + 2 * y + 20 * frame) as u8]
        };
        parts.frames.push((0..SIDE * SIDE).flat_map(pixel).collect());
        parts.masks.push(mask(&face));
        parts.boxes.push(face);
    }
    parts
}

/// The lower half of the face, with a soft edge.
fn mask(face: &FaceBox) -> Vec<u8> {
    let crop = face.crop();
    let (left, right, bottom) = (face.x1 - crop.x1, face.x2 - crop.x1, face.y2 - crop.y1);
    let side = crop.width();
    let soft = |at: i32| {
        let (x, y) = (at % side, at / side);
        let inside = (x - left).min(right - 1 - x).min(y - side / 2).min(bottom - 1 - y);
        (inside.clamp(-1, 4) + 1) as u8 * 51
    };
    (0..side * side).map(soft).collect()
}
