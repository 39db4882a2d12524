//! A parsed face to the mask through which speech shows (spec §6, §7.1).
//!
//! ```text
//! classes [512, 512] ─ select ─▶ 0 / 255 ─ Pillow bicubic ─▶ crop box ─ face box only, lower half only ─ blur ─▶ mask
//! ```

use crate::asset::FaceBox;
use crate::compose::Area;
use crate::compose::filter::{Filter, gaussian_blur, pillow_resize_part, resized_from};
use crate::compose::morphology::{Span, dilate, erode};

/// Side of a parsed face, in pixels.
pub(crate) const PARSED: usize = 512;
/// Classes of a parsed face: 0 … 18.
pub(crate) const CLASSES: u8 = 19;

/// Columns that the operators of the jaw look at to each side.
const CONE_REACH: usize = 10;
const LINE_REACH: usize = 17;

const SKIN: u8 = 1;
const NOSE: u8 = 10;
const MOUTH: u8 = 11;
const UPPER_LIP: u8 = 12;
const LOWER_LIP: u8 = 13;
const NECK: u8 = 14;

/// Which part of a parsed face speech may change.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FaceMask {
    /// Skin, mouth and lips, as MuseTalk 1.0 does.
    Raw,
    /// Those and the neck.
    Neck,
    /// The skin grown towards the eyes but drawn in at the cheeks, mouth and lips, without the nose: MuseTalk 1.5.
    Jaw {
        /// Columns of the parsed face from its middle to where the left cheek begins, 0 to 256; 90 in the official scripts.
        left: u16,
        /// The same on the right.
        right: u16,
    },
}

impl Default for FaceMask {
    fn default() -> Self {
        Self::Jaw { left: 90, right: 90 }
    }
}

/// How wide the edge of a mask is, as a part of its side.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EdgeBlur {
    /// A twentieth, as the official script for files does.
    #[default]
    Offline,
    /// A tenth, as the official real-time script does.
    Realtime,
}

impl EdgeBlur {
    /// The side of the blur's kernel for a mask of this side: odd.
    fn kernel(self, side: usize) -> usize {
        let part = match self {
            Self::Offline => 0.05,
            Self::Realtime => 0.1,
        };
        (part * side as f64 / 2.0).floor() as usize * 2 + 1
    }
}

/// The mask over a face's [`crop`](FaceBox::crop), one byte a pixel, 255 = replaced. `classes` is the parsed crop, \[512, 512\].
pub(crate) fn mask_of(classes: &[u8], face: &FaceBox, part: FaceMask, blur: EdgeBlur) -> Vec<u8> {
    let crop = face.crop();
    let side = crop.width() as usize;
    // What is outside the face box, and the upper half, is black in the end.
    let mut rows = inside(face.y1 - crop.y1, face.y2 - crop.y1, side);
    rows.start = rows.start.max(side / 2).min(rows.end);
    let wanted = Area { columns: inside(face.x1 - crop.x1, face.x2 - crop.x1, side), rows };
    let (whole, target) = ((PARSED, PARSED), (side, side));
    let selected = select(classes, part, &resized_from(whole, target, Filter::Bicubic, &wanted));
    let mask = pillow_resize_part(&selected, 1, whole, target, Filter::Bicubic, &wanted);
    gaussian_blur(&mask, target, blur.kernel(side))
}

fn inside(start: i32, end: i32, side: usize) -> std::ops::Range<usize> {
    let clip = |edge: i32| usize::try_from(edge).unwrap_or(0).min(side);
    clip(start)..clip(end)
}

/// 255 where a parsed face may change: in the wanted part of it, and 0 elsewhere.
fn select(classes: &[u8], part: FaceMask, wanted: &Area) -> Vec<u8> {
    let among = |some: &[u8]| chosen(classes, wanted, |_, class| some.contains(&class));
    match part {
        FaceMask::Raw => among(&[SKIN, MOUTH, UPPER_LIP, LOWER_LIP]),
        FaceMask::Neck => among(&[SKIN, MOUTH, UPPER_LIP, LOWER_LIP, NECK]),
        FaceMask::Jaw { left, right } => jaw(classes, usize::from(left), usize::from(right), wanted),
    }
}

fn jaw(classes: &[u8], left: usize, right: usize, wanted: &Area) -> Vec<u8> {
    const SIZE: (usize, usize) = (PARSED, PARSED);
    // Backwards: what each step reads is what the one before has to give.
    let once = wanted.reaching(LINE_REACH, 1, 1, SIZE);
    let twice = once.reaching(LINE_REACH, 1, 1, SIZE);
    let read = twice.reaching(CONE_REACH, 6, 16, SIZE);
    let skin = chosen(classes, &read, |_, class| class == SKIN);
    let grown = dilate(&skin, SIZE, &cone(), &twice);
    let drawn_in = erode(&erode(&grown, SIZE, &line(), &once), SIZE, &line(), wanted);
    // The left cheek's last column belongs to it, and so does the right cheek's first.
    let cheek = |x: usize| x + left <= PARSED / 2 || x >= PARSED / 2 + right;
    chosen(classes, wanted, |at, class| {
        let skin = if cheek(at % PARSED) { drawn_in[at] } else { grown[at] };
        (skin == 255 && class != NOSE) || matches!(class, MOUTH | UPPER_LIP | LOWER_LIP)
    })
}

/// 255 where a pixel of the wanted part is chosen by its place and class, 0 elsewhere.
fn chosen(classes: &[u8], wanted: &Area, choose: impl Fn(usize, u8) -> bool) -> Vec<u8> {
    let mut plane = vec![0; classes.len()];
    for y in wanted.rows.clone() {
        let row = y * PARSED + wanted.columns.start..y * PARSED + wanted.columns.end;
        for (at, out) in row.clone().zip(&mut plane[row]) {
            *out = if choose(at, classes[at]) { 255 } else { 0 };
        }
    }
    plane
}

/// Grows skin 16 rows upwards at full width, and in a cone of 6 rows downwards.
pub(crate) fn cone() -> [Span; 23] {
    std::array::from_fn(|row| Span { offset: row as i32 - 6, reach: row.min(CONE_REACH) })
}

/// Takes 17 columns off each side, and one row: OpenCV's ellipse of 35 × 3.
pub(crate) fn line() -> [Span; 3] {
    [Span { offset: -1, reach: 0 }, Span { offset: 0, reach: LINE_REACH }, Span { offset: 1, reach: 0 }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::fixtures::{Case, cases, noise, parts_are_parts};

    /// The maps of `make_compose.py`: blocks of 8×8, more than half of them skin.
    fn classes(case: &Case) -> Vec<u8> {
        let cells = noise((64, 64), 1, case.seed);
        let class = |at: usize| match cells[at / PARSED / 8 * 64 + at % PARSED / 8] {
            cell if cell < 150 => SKIN,
            cell => cell % CLASSES,
        };
        (0..PARSED * PARSED).map(class).collect()
    }

    fn part(case: &Case) -> FaceMask {
        match case.mask.as_str() {
            "raw" => FaceMask::Raw,
            "neck" => FaceMask::Neck,
            _ => FaceMask::Jaw { left: case.cheeks.0, right: case.cheeks.1 },
        }
    }

    #[test]
    fn selecting_equals_opencv_bit_for_bit() {
        for case in cases("select") {
            let (classes, part) = (classes(&case), part(&case));
            let whole = select(&classes, part, &Area::whole(case.source));
            parts_are_parts(&case, &whole, |wanted| select(&classes, part, wanted));
            case.check(&whole);
        }
    }

    #[test]
    fn masks_equal_pillow_and_opencv_bit_for_bit() {
        for case in cases("mask") {
            let [x1, y1, x2, y2] = case.face;
            let face = FaceBox { x1, y1, x2, y2 };
            let blur = if case.style == "realtime" { EdgeBlur::Realtime } else { EdgeBlur::Offline };
            let crop = face.crop();
            assert_eq!([crop.x1, crop.y1, crop.x2, crop.y2], case.crop, "{case:?}");
            case.check(&mask_of(&classes(&case), &face, part(&case), blur));
        }
    }

    #[test]
    fn crop_kernels_and_cheeks_are_the_published_ones() {
        let crop = FaceBox { x1: 100, y1: 50, x2: 301, y2: 280 }.crop();
        assert_eq!(crop, FaceBox { x1: 28, y1: -7, x2: 372, y2: 337 });
        assert_eq!((EdgeBlur::Offline.kernel(400), EdgeBlur::Realtime.kernel(400)), (21, 41));
        // All skin: what the cheeks' erosion takes from the lower edge shows where they lie.
        let mut classes = vec![0; PARSED * PARSED];
        classes[..300 * PARSED].fill(SKIN);
        let chosen = select(&classes, FaceMask::default(), &Area::whole((PARSED, PARSED)));
        let last = |x: usize| (0..PARSED).rfind(|y| chosen[y * PARSED + x] == 255).unwrap();
        assert!((167..=345).all(|x| last(x) == 305) && last(166) < 305 && last(346) < 305);
    }
}
