//! `musetalk avatar import`: what MuseTalk's real-time script left of a person, as an avatar.

use std::path::Path;

use image::{DynamicImage, ImageReader, Limits};
use musetalk_core::{AvatarHeader, AvatarMaker, Engine, Error, ErrorKind, FaceBox, ModelPack, Result};
use musetalk_models::OfficialAvatar;

use super::{check_out, naming};
use crate::progress::Progress;
use crate::{args, cancel, report};

/// The side of an avatar's frames at most.
const LONGEST_SIDE: u32 = 8_192;

pub(super) fn command(args: &args::Import) -> Result<()> {
    check_out(&args.out, &[&args.folder])?;
    crate::temp::check_room(&args.out)?;
    let official = OfficialAvatar::read(&args.folder)?;
    report::ignored(&args.folder, &official.ignored);
    let step = Progress::suitable(false).step("loading the pack");
    let first = picture(&official.frames[0].picture)?;
    let name = args.folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = args.name.clone().or(name).unwrap_or_else(|| "avatar".to_owned());
    let fps = ModelPack::open(&args.pack)?.fps();
    let mut header = AvatarHeader::new(name, first.width(), first.height(), fps);
    header.closed = args.idle == args::RebuildIdle::Closed;
    let (width, height) = (first.width(), first.height());
    drop(first);
    let pack = Engine::builder(&args.pack).device(args.device);
    let mut maker = AvatarMaker::create(pack, &args.out, header).map_err(|e| naming(&args.folder, e))?;
    drop(step);
    let bar = Progress::suitable(false).pictures(Some(official.frames.len() as u64));
    for frame in &official.frames {
        cancel::check()?;
        let picture = picture(&frame.picture)?;
        if (picture.width(), picture.height()) != (width, height) {
            return Err(damaged(&frame.picture, "it does not have the size of the first frame"));
        }
        let [x1, y1, x2, y2] = frame.face;
        let face = FaceBox { x1, y1, x2, y2 };
        let mask = mask(&frame.mask, frame.crop, &face, width.max(height))?;
        maker.frame(&picture.into_rgb8(), None, face, &mask).map_err(|e| naming(&frame.picture, e))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    maker.finish()?;
    if official.mirrored {
        report::note("the folder has every frame twice, forth and back; an avatar keeps them once");
    }
    if !official.faceless.is_empty() {
        let (count, named) = (official.faceless.len(), numbers(&official.faceless));
        report::note(&format!("{count} frames show no face and leave the cycle: {named}"));
    }
    report::line(&format!("{} frames in {}", official.frames.len(), args.out.display()));
    Ok(())
}

/// `3, 7–9`; of very many the first.
fn numbers(frames: &[usize]) -> String {
    const RUNS: usize = 8;
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &frame in frames {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == frame => *last = frame,
            _ => runs.push((frame, frame)),
        }
    }
    let more = if runs.len() > RUNS { ", …" } else { "" };
    let said = |&(first, last): &(usize, usize)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}–{last}"),
    };
    runs.iter().take(RUNS).map(said).collect::<Vec<_>>().join(", ") + more
}

/// The mask over the face's crop. MuseTalk 1.0 cut a smaller crop: what lies beyond it stays as it is.
fn mask(path: &Path, [left, top, right, bottom]: [i32; 4], face: &FaceBox, longest: u32) -> Result<Vec<u8>> {
    // Numbers of strangers: nothing is computed of them that could overflow, or ask for absurd memory.
    let near = |edge: i32| (-65_536..=65_536).contains(&edge);
    let edges = [left, top, right, bottom, face.x1, face.y1, face.x2, face.y2];
    if !edges.into_iter().all(near) || i64::from(face.width().max(face.height())) > 2 * i64::from(longest) {
        return Err(damaged(path, "its face box or its crop is far outside the picture"));
    }
    let picture = picture(path)?.into_luma8();
    let size = (i64::from(right - left), i64::from(bottom - top));
    if size != (i64::from(picture.width()), i64::from(picture.height())) {
        let (width, height) = picture.dimensions();
        let text = format!("it has {width}x{height} pixels, its crop {}x{}", size.0, size.1);
        return Err(damaged(path, &text));
    }
    let crop = face.crop();
    let side = crop.width() as usize;
    let mut mask = vec![0; side * side];
    for (x, y, pixel) in picture.enumerate_pixels() {
        let (x, y) = (left + x as i32 - crop.x1, top + y as i32 - crop.y1);
        if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
            && x < side
            && y < side
        {
            mask[y * side + x] = pixel.0[0];
        }
    }
    Ok(mask)
}

fn picture(path: &Path) -> Result<DynamicImage> {
    let failed = |e| Error::io("read a picture", path, e);
    let mut reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(failed)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    reader.limits(limits);
    reader.decode().map_err(|e| damaged(path, &e.to_string()).caused_by(e))
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{what}: {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn frames_are_named_in_runs() {
        assert_eq!(numbers(&[3, 7, 8, 9]), "3, 7–9");
        assert_eq!(numbers(&[0]), "0");
        let many: Vec<usize> = (0..40).map(|at| 2 * at).collect();
        assert_eq!(numbers(&many), "0, 2, 4, 6, 8, 10, 12, 14, …");
    }
}
