//! The contact sheet of a finished avatar: frames of every clip with the face box and the edge of the mask.

use super::draw::{Drawing, LETTER, LINE};
use super::sample::Picture;
use super::sheet::{BACKGROUND, GAP, SIDE, TEXT, cell, encode};
use crate::Result;
use crate::asset::{AvatarAsset, Clip};
use crate::prepare::sheet::Close;

/// Frames shown of each clip, and of all clips together, at most.
const OF_A_CLIP: usize = 18;
const OF_ALL: usize = 60;
const COLUMNS: usize = 6;

/// PNG. Reads the frames that are shown, one at a time.
pub(crate) fn overview(asset: &AvatarAsset) -> Result<Vec<u8>> {
    let clips = asset.clips();
    let each = (OF_ALL / clips.len()).clamp(1, OF_A_CLIP);
    let frames: Vec<Vec<u32>> = clips.iter().map(|clip| chosen(clip, each)).collect();
    let cell_height = SIDE + LINE + 4 + GAP;
    let rows = |count: usize| count.div_ceil(COLUMNS);
    let width = COLUMNS * (SIDE + GAP) + GAP;
    let head = 2 * LINE + 2 * GAP;
    let height = head
        + frames.iter().map(|of_clip| LINE + GAP + rows(of_clip.len()) * cell_height).sum::<usize>()
        + GAP;
    let mut sheet = Drawing::new(width, height, BACKGROUND);
    let fps = asset.fps();
    let seconds = fps.time_of(u64::from(asset.frames())).as_secs_f64();
    let size = format!("{}x{}", asset.width(), asset.height());
    let words = [
        format!("{} - {size}, {} frames, {seconds:.1} s", asset.name(), asset.frames()),
        format!(
            "{}, {}",
            if asset.has_closed_mouths() { "mouths closed by the pack" } else { "mouths as filmed" },
            if asset.has_alpha() { "with a matte" } else { "without a matte" }
        ),
    ];
    for (line, text) in words.iter().enumerate() {
        write(&mut sheet, text, GAP + line * LINE);
    }
    let mut top = head;
    for (clip, shown) in clips.iter().zip(&frames) {
        write(&mut sheet, &format!("{} - {} frames", clip.name(), clip.frames()), top);
        top += LINE + GAP;
        for (at, &position) in shown.iter().enumerate() {
            let (rgb, alpha) = asset.colours_and_matte(asset.frame_at(position))?;
            let mask = asset.mask(position)?;
            let picture =
                Picture { rgb: &rgb, width: asset.width() as usize, height: asset.height() as usize };
            let words = (position - clip.positions().start).to_string();
            let face = Some(asset.face_box(position));
            let close = Close { face, mask: Some(&mask), points: None, faces: &[], alpha: &alpha };
            let cell = cell(&picture, &close, &words, TEXT);
            sheet.paste(&cell, (GAP + at % COLUMNS * (SIDE + GAP), top + at / COLUMNS * cell_height));
        }
        top += rows(shown.len()) * cell_height;
    }
    encode(&sheet)
}

/// Positions of at most `most` frames, evenly over the clip, its first and last among them.
fn chosen(clip: &Clip, most: usize) -> Vec<u32> {
    let (first, all) = (clip.positions().start, clip.frames() as usize);
    let count = most.min(all);
    let place = |k: usize| if count == 1 { 0 } else { k * (all - 1) / (count - 1) };
    (0..count).map(|k| first + place(k) as u32).collect()
}

fn write(sheet: &mut Drawing, text: &str, top: usize) {
    let fits: String = text.chars().take((sheet.width - 2 * GAP) / LETTER).collect();
    sheet.write(&fits, (GAP as i32, top as i32), TEXT);
}
