//! Landmarks to a parsed face, for packs without a network that parses: skin inside the jaw and the brows, nose, lips and mouth.
//!
//! What comes out has the classes of the parser, so that every [`FaceMask`](super::FaceMask) is made of it in the same way.

use super::mask::PARSED;
use crate::asset::FaceBox;
use crate::networks::Landmarks;

const SKIN: u8 = 1;
const NOSE: u8 = 10;
const MOUTH: u8 = 11;
const UPPER_LIP: u8 = 12;

/// The class of every pixel of a face's crop, \[512, 512\].
pub(crate) fn classes_of(points: &Landmarks, face: &FaceBox) -> Vec<u8> {
    let crop = face.crop();
    let scale = PARSED as f32 / crop.width().max(1) as f32;
    let place = |[x, y]: [f32; 2]| [(x - crop.x1 as f32) * scale, (y - crop.y1 as f32) * scale];
    let mut classes = vec![0; PARSED * PARSED];
    let all = |range: std::ops::Range<usize>| points[range].iter().map(|&point| place(point));
    // The outline of the jaw, and back over the forehead, which is as high above the brows as the brows above the eyes.
    let rise = 1.2 * (mean_y(&points[36..48]) - mean_y(&points[17..27])).max(0.0);
    let brows = points[17..27].iter().rev().map(|&[x, y]| place([x, y - rise]));
    fill(&mut classes, &all(0..17).chain(brows).collect::<Vec<_>>(), SKIN);
    let nose: Vec<_> = [27, 31, 32, 33, 34, 35].map(|k| place(points[k])).to_vec();
    fill(&mut classes, &nose, NOSE);
    fill(&mut classes, &all(48..60).collect::<Vec<_>>(), UPPER_LIP);
    fill(&mut classes, &all(60..68).collect::<Vec<_>>(), MOUTH);
    classes
}

fn mean_y(points: &[[f32; 2]]) -> f32 {
    points.iter().map(|point| point[1]).sum::<f32>() / points.len().max(1) as f32
}

/// Gives a class to the pixels whose middles lie inside a polygon, by its crossings with every row.
fn fill(classes: &mut [u8], polygon: &[[f32; 2]], class: u8) {
    let mut crossings = Vec::new();
    for (y, row) in classes.chunks_exact_mut(PARSED).enumerate() {
        let middle = y as f32 + 0.5;
        crossings.clear();
        for (from, to) in polygon.iter().zip(polygon.iter().cycle().skip(1)) {
            if (from[1] <= middle) != (to[1] <= middle) {
                crossings.push(from[0] + (middle - from[1]) / (to[1] - from[1]) * (to[0] - from[0]));
            }
        }
        crossings.sort_by(f32::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let inside = |edge: f32| (edge - 0.5).ceil().clamp(0.0, PARSED as f32) as usize;
            row[inside(pair[0])..inside(pair[1])].fill(class);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mask::{EdgeBlur, FaceMask, mask_of};
    use super::super::verdict::tests::seen;
    use super::*;

    #[test]
    fn a_face_of_landmarks_has_skin_nose_and_mouth_where_they_are() {
        let mut points = *seen(300.0, 240.0).landmarks().unwrap();
        for (k, point) in points.iter_mut().enumerate().skip(48) {
            let angle = (k - 48) as f32 / 12.0 * std::f32::consts::TAU;
            *point = [300.0 - 22.0 * angle.cos(), 270.0 - 10.0 * angle.sin()];
        }
        (31..36).for_each(|k| points[k] = [288.0 + (k - 31) as f32 * 6.0, 245.0]);
        let face = super::super::features::face_box(&super::super::features::edges(&points, 0.0), 10, 480);
        let classes = classes_of(&points, &face);
        let crop = face.crop();
        let class = |x: i32, y: i32| {
            let at = |part: i32, start: i32| ((part - start) * PARSED as i32 / crop.width()) as usize;
            classes[at(y, crop.y1) * PARSED + at(x, crop.x1)]
        };
        assert_eq!(
            [class(300, 270), class(300, 240), class(300, 285), class(300, 330)],
            [MOUTH, NOSE, SKIN, 0]
        );
        assert!(matches!(class(281, 270), MOUTH | UPPER_LIP));
        // The mask of it covers the mouth and the chin, not the brows, and not what is beside the face.
        let mask = mask_of(&classes, &face, FaceMask::default(), EdgeBlur::Offline);
        let side = crop.width();
        let shown = |x: i32, y: i32| mask[((y - crop.y1) * side + x - crop.x1) as usize];
        assert!(shown(300, 275) > 250 && shown(300, 288) > 200, "{} {}", shown(300, 275), shown(300, 288));
        assert_eq!([shown(300, 185), shown(crop.x1 + 2, 270)], [0, 0]);
    }
}
