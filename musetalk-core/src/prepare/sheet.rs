//! The contact sheet: a whole preparation at a glance.
//!
//! On top what was decided in words and a bar with one column for every stretch of frames, coloured by verdict; below it close-ups of frames
//! from the whole clip, with landmarks, face box and the edge of the mask, each in the colour of its verdict.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use super::board::on_board;
use super::draw::{Colour, Drawing, LETTER, LINE};
use super::sample::{Picture, Window};
use super::verdict::Verdict;
use crate::asset::FaceBox;
use crate::networks::{Detection, Landmarks};
use crate::{Error, ErrorKind, Result};

/// Side of a close-up.
pub(super) const SIDE: usize = 232;
const COLUMNS: usize = 6;
/// Close-ups on a sheet at most.
pub(crate) const MOST_CELLS: usize = 36;
pub(super) const GAP: usize = 8;
pub(super) const BACKGROUND: Colour = [24, 26, 30];
pub(super) const TEXT: Colour = [225, 225, 225];
const BOX: Colour = [255, 255, 255];
const POINTS: Colour = [80, 220, 255];
const MASK: Colour = [255, 90, 200];

/// What one close-up shows.
pub(crate) struct Shown<'a> {
    /// Its number in the footage.
    pub(crate) frame: u64,
    pub(crate) verdict: Verdict,
    /// Whether the frame is part of the avatar.
    pub(crate) used: bool,
    pub(crate) points: Option<&'a Landmarks>,
    /// What the detector found; drawn where the frame has no face box.
    pub(crate) faces: &'a [Detection],
    pub(crate) face: Option<FaceBox>,
    /// Over the face's crop.
    pub(crate) mask: Option<&'a [u8]>,
    /// How opaque every pixel of the frame is; empty without a matte.
    pub(crate) alpha: &'a [u8],
}

/// What is drawn over a close-up.
pub(super) struct Close<'a> {
    pub(super) face: Option<FaceBox>,
    pub(super) mask: Option<&'a [u8]>,
    pub(super) points: Option<&'a Landmarks>,
    /// Drawn where there is no face box.
    pub(super) faces: &'a [Detection],
    /// Of the whole frame; empty without a matte.
    pub(super) alpha: &'a [u8],
}

/// Close-ups so far.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    cells: Vec<Drawing>,
}

/// Green, yellow, and for every failure a colour of its own.
pub(crate) fn colour(verdict: Verdict) -> Colour {
    match verdict {
        Verdict::Ok => [70, 200, 95],
        Verdict::Interpolated => [235, 205, 60],
        Verdict::NoFace => [225, 60, 55],
        Verdict::Profile => [240, 140, 40],
        Verdict::TooSmall => [190, 110, 70],
        Verdict::Blurred => [120, 150, 235],
        Verdict::Cut => [255, 255, 255],
        Verdict::TwoPeople => [175, 95, 225],
        Verdict::Leaving => [225, 90, 150],
    }
}

/// Which frames are shown: evenly over the clip, and the first of every new verdict, in order.
pub(crate) fn chosen(verdicts: &[Verdict], used: &std::ops::Range<usize>) -> Vec<usize> {
    let all = verdicts.len();
    let changes = (0..all).filter(|&at| at > 0 && verdicts[at] != verdicts[at - 1] && !verdicts[at].usable());
    let ends = [used.start, used.end.saturating_sub(1)];
    let mut frames: Vec<usize> =
        changes.take(MOST_CELLS / 2).chain(ends.into_iter().filter(|&at| at < all)).collect();
    let even = MOST_CELLS.saturating_sub(frames.len()).min(all).max(1);
    frames.extend((0..even).map(|k| (2 * k + 1) * all / (2 * even)));
    frames.sort_unstable();
    frames.dedup();
    frames.truncate(MOST_CELLS);
    frames
}

impl Sheet {
    /// Draws one close-up.
    pub(crate) fn add(&mut self, picture: &Picture<'_>, shown: &Shown<'_>) {
        let use_of = if shown.used { "" } else { " - unused" };
        let words = format!("{} {}{use_of}", shown.frame, shown.verdict);
        let Shown { face, mask, points, faces, alpha, .. } = *shown;
        let close = Close { face, mask, points, faces, alpha };
        self.cells.push(cell(picture, &close, &words, colour(shown.verdict)));
    }

    /// The whole sheet as a PNG. `words` are lines above it.
    pub(crate) fn png(
        &self,
        words: &[String],
        verdicts: &[Verdict],
        used: &std::ops::Range<usize>,
    ) -> Result<Vec<u8>> {
        const BAR: usize = 22;
        let columns = COLUMNS.min(self.cells.len()).max(3);
        let width = columns * (SIDE + GAP) + GAP;
        let legend = legend(verdicts);
        let head = GAP + words.len() * LINE + BAR + 2 * GAP + 6 + LINE;
        let rows = self.cells.len().div_ceil(columns);
        let height = head + rows * (SIDE + LINE + 4 + GAP) + GAP;
        let mut sheet = Drawing::new(width, height, BACKGROUND);
        for (line, text) in words.iter().enumerate() {
            let fits: String = text.chars().take((width - 2 * GAP) / LETTER).collect();
            sheet.write(&fits, (GAP as i32, (GAP + line * LINE) as i32), TEXT);
        }
        let top = GAP + words.len() * LINE;
        bar(&mut sheet, top, BAR, verdicts, used);
        let mut left = GAP;
        for (verdict, count) in legend {
            sheet.fill((left as i32, (top + BAR + 12) as i32), 10, 10, colour(verdict));
            let text = format!("{verdict} {count}");
            sheet.write(&text, (left as i32 + 15, (top + BAR + 12) as i32), TEXT);
            left += 15 + (text.chars().count() + 2) * LETTER;
        }
        for (at, cell) in self.cells.iter().enumerate() {
            let x = GAP + at % columns * (SIDE + GAP);
            let y = head + at / columns * (SIDE + LINE + 4 + GAP);
            sheet.paste(cell, (x, y));
        }
        encode(&sheet)
    }
}

/// A close-up of the face, or of the whole where there is none, with words below it.
pub(super) fn cell(picture: &Picture<'_>, shown: &Close<'_>, words: &str, tone: Colour) -> Drawing {
    let whole = whole_of(picture);
    let window = shown.face.map_or(whole, |face| {
        let crop = face.crop();
        let middle = [(crop.x1 + crop.x2) as f32 / 2.0, (crop.y1 + crop.y2) as f32 / 2.0];
        let side = 1.1 * crop.width() as f32;
        Window::around(middle, side, side)
    });
    let mut cell = Drawing::new(SIDE, SIDE + LINE + 4, BACKGROUND);
    // What is transparent shows a board, a dozen squares across the close-up.
    let over;
    let picture = match shown.alpha.is_empty() {
        true => picture,
        false => {
            over = on_board(picture, shown.alpha, (window.width / 12.0) as usize);
            &Picture { rgb: &over, width: picture.width, height: picture.height }
        }
    };
    let close = Drawing { rgb: picture.crop(&window, (SIDE, SIDE)), width: SIDE, height: SIDE };
    cell.paste(&close, (0, 0));
    let place = |x: f32, y: f32| {
        let scale = SIDE as f32 / window.width;
        (((x - window.left) * scale) as i32, ((y - window.top) * scale) as i32)
    };
    // Crops repeat the outermost pixels beyond the border; a person who judges wants to see where the frame ends.
    let (left, top) = place(0.0, 0.0);
    let (right, bottom) = place(picture.width as f32, picture.height as f32);
    for y in 0..SIDE as i32 {
        for x in 0..SIDE as i32 {
            if x < left || y < top || x >= right || y >= bottom {
                cell.dot(x, y, BACKGROUND);
            }
        }
    }
    if let (Some(face), Some(mask)) = (shown.face, shown.mask) {
        outline(&mut cell, &face, mask, &place);
    }
    if let Some(face) = shown.face {
        let (x1, y1) = place(face.x1 as f32, face.y1 as f32);
        let (x2, y2) = place(face.x2 as f32, face.y2 as f32);
        cell.frame([x1, y1, x2, y2.min(SIDE as i32 - 1)], BOX);
    }
    for point in shown.points.into_iter().flatten() {
        let (x, y) = place(point[0], point[1]);
        if y + 1 < SIDE as i32 {
            cell.fill((x, y), 2, 2, POINTS);
        }
    }
    for found in shown.faces.iter().filter(|_| shown.face.is_none()) {
        let ((x1, y1), (x2, y2)) = (place(found.x1, found.y1), place(found.x2, found.y2));
        cell.frame([x1, y1, x2, y2.min(SIDE as i32 - 1)], tone);
    }
    if shown.face.is_some() {
        let inset = inset(picture, shown.face, tone);
        cell.paste(&inset, (SIDE - inset.width - 3, 3));
    }
    cell.fill((0, SIDE as i32), SIDE, LINE + 4, tone.map(|part| part / 3));
    cell.fill((0, SIDE as i32), 5, LINE + 4, tone);
    cell.write(words, (11, SIDE as i32 + 4), TEXT);
    cell
}

pub(super) fn encode(drawing: &Drawing) -> Result<Vec<u8>> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&drawing.rgb, drawing.width as u32, drawing.height as u32, ExtendedColorType::Rgb8)
        .map_err(|e| {
            Error::new(ErrorKind::Internal, format!("the contact sheet could not be encoded: {e}"))
                .caused_by(e)
        })?;
    Ok(png)
}

/// The smallest square that holds the whole frame.
fn whole_of(picture: &Picture<'_>) -> Window {
    let side = picture.width.max(picture.height) as f32;
    Window::around([picture.width as f32 / 2.0, picture.height as f32 / 2.0], side, side)
}

/// The whole frame, small, with the face's place in it.
fn inset(picture: &Picture<'_>, face: Option<FaceBox>, tone: Colour) -> Drawing {
    const LONGEST: usize = 62;
    let longest = picture.width.max(picture.height);
    let size = |side: usize| (side * LONGEST / longest).max(1);
    let (width, height) = (size(picture.width), size(picture.height));
    let mut inset = Drawing { rgb: picture.shrunk((width, height)), width, height };
    if let Some(face) = face {
        let scale = |at: i32| (i64::from(at) * LONGEST as i64 / longest as i64) as i32;
        inset.frame([face.x1, face.y1, face.x2, face.y2].map(scale), tone);
    }
    inset.frame([0, 0, width as i32 - 1, height as i32 - 1], BACKGROUND);
    inset
}

/// The line where speech shows by half.
fn outline(cell: &mut Drawing, face: &FaceBox, mask: &[u8], place: &impl Fn(f32, f32) -> (i32, i32)) {
    let crop = face.crop();
    let side = crop.width() as usize;
    let shown = |x: usize, y: usize| mask[y * side + x] >= 128;
    for y in 1..side {
        for x in 1..side {
            if shown(x, y) != shown(x - 1, y) || shown(x, y) != shown(x, y - 1) {
                let (x, y) = place(crop.x1 as f32 + x as f32, crop.y1 as f32 + y as f32);
                if y < SIDE as i32 {
                    cell.dot(x, y, MASK);
                }
            }
        }
    }
}

/// One column a frame, or a share of the frames; below it a line where the avatar is.
fn bar(sheet: &mut Drawing, top: usize, height: usize, verdicts: &[Verdict], used: &std::ops::Range<usize>) {
    let (width, all) = (sheet.width - 2 * GAP, verdicts.len().max(1));
    for x in 0..width {
        let range = x * all / width..((x + 1) * all / width).max(x * all / width + 1).min(all);
        // What failed must not hide behind what did not.
        let worst =
            verdicts[range.start.min(all - 1)..range.end].iter().max_by_key(|verdict| match verdict {
                Verdict::Ok => 0,
                Verdict::Interpolated => 1,
                _ => 2,
            });
        let left = (GAP + x) as i32;
        sheet.fill((left, top as i32), 1, height, colour(*worst.unwrap_or(&Verdict::NoFace)));
        if used.contains(&range.start) {
            sheet.fill((left, (top + height + 2) as i32), 1, 5, TEXT);
        }
    }
}

fn legend(verdicts: &[Verdict]) -> Vec<(Verdict, usize)> {
    let mut counts: Vec<(Verdict, usize)> = Vec::new();
    for &verdict in verdicts {
        match counts.iter_mut().find(|(known, _)| *known == verdict) {
            Some((_, count)) => *count += 1,
            None => counts.push((verdict, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
