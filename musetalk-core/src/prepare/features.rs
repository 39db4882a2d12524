//! What the 68 landmarks of a face tell: its box, how far it is turned, how far the mouth is open.

use crate::asset::FaceBox;
use crate::networks::Landmarks;

/// Edges of a face between whole pixels: left, top, right, bottom.
pub(crate) type Edges = [f32; 4];

/// The box of the reference from landmarks with parts of pixels, for a clip whose boxes are smoothed afterwards (spec §5.4).
///
/// It is as high above the bridge of the nose as the chin is below it, so that the half that is blacked begins at the bridge.
/// `shift` moves that line down by so many pixels.
pub(crate) fn edges(points: &Landmarks, shift: f32) -> Edges {
    let bridge = points[29][1] + shift;
    let (left, right) = bounds(points.iter().map(|point| point[0]));
    let (_, bottom) = bounds(points.iter().map(|point| point[1]));
    [left, bridge - (bottom.max(bridge) - bridge), right, bottom]
}

/// Edges to the box of a frame: rounded, the top inside the frame, the margin below the chin (spec §5.4).
pub(crate) fn face_box(edges: &Edges, margin: u32, height: u32) -> FaceBox {
    let [x1, y1, x2, y2] = edges.map(|edge| edge.round().clamp(-32_768.0, 32_768.0) as i32);
    let height = i32::try_from(height).unwrap_or(i32::MAX);
    let margin = i32::try_from(margin).unwrap_or(i32::MAX);
    FaceBox { x1, y1: y1.max(0), x2, y2: y2.saturating_add(margin).min(height) }
}

/// The box of the reference, bit for bit: landmarks cut to whole pixels, no smoothing (spec §5.4). `fallback` is the detector's
/// box, for landmarks that make none.
pub(crate) fn reference_box(
    points: &Landmarks,
    shift: i32,
    margin: u32,
    height: u32,
    fallback: Option<FaceBox>,
) -> Option<FaceBox> {
    let mut points = points.map(|point| point.map(|part| part as i32));
    points[29][1] = points[29][1].saturating_add(shift);
    let bridge = points[29][1];
    let all = |axis: usize| points.iter().map(move |point| point[axis]);
    let (x1, x2) = (all(0).min()?, all(0).max()?);
    let y2 = all(1).max()?;
    let y1 = bridge.saturating_sub(y2.saturating_sub(bridge)).max(0);
    let face = FaceBox { x1, y1, x2, y2 };
    let whole = face.height() > 0 && face.width() > 0 && x1 >= 0;
    let face = if whole { face } else { fallback? };
    let (margin, height) =
        (i32::try_from(margin).unwrap_or(i32::MAX), i32::try_from(height).unwrap_or(i32::MAX));
    Some(FaceBox { y2: face.y2.saturating_add(margin).min(height), ..face })
}

/// The middle of the face: between its outermost landmarks.
pub(crate) fn middle(points: &Landmarks) -> [f32; 2] {
    let (left, right) = bounds(points.iter().map(|point| point[0]));
    let (top, bottom) = bounds(points.iter().map(|point| point[1]));
    [(left + right) / 2.0, (top + bottom) / 2.0]
}

/// Width and height of what the landmarks cover.
pub(crate) fn extent(points: &Landmarks) -> [f32; 2] {
    let (left, right) = bounds(points.iter().map(|point| point[0]));
    let (top, bottom) = bounds(points.iter().map(|point| point[1]));
    [right - left, bottom - top]
}

/// How far the face is turned to a side: 0 straight ahead, towards 1 in profile. The tip of the nose between the sides of the jaw.
pub(crate) fn turn(points: &Landmarks) -> f32 {
    let side = |jaw: usize| distance(points[30], points[jaw]);
    // Of all pairs of jaw points at the height of the nose those further up suffer least from an open mouth.
    let (left, right) = (side(1) + side(2) + side(3), side(15) + side(14) + side(13));
    (left - right).abs() / (left + right).max(f32::MIN_POSITIVE)
}

/// How far the lips are apart, as a part of the distance between the eyes.
pub(crate) fn mouth_opening(points: &Landmarks) -> f32 {
    let gap = |upper: usize, lower: usize| distance(points[upper], points[lower]);
    (gap(61, 67) + gap(62, 66) + gap(63, 65)) / 3.0 / eye_distance(points).max(f32::MIN_POSITIVE)
}

/// From the middle of one eye to that of the other.
pub(crate) fn eye_distance(points: &Landmarks) -> f32 {
    distance(mean(&points[36..42]), mean(&points[42..48]))
}

pub(crate) fn mean(points: &[[f32; 2]]) -> [f32; 2] {
    let sum = points.iter().fold([0.0; 2], |sum, point| [sum[0] + point[0], sum[1] + point[1]]);
    sum.map(|sum| sum / points.len().max(1) as f32)
}

pub(crate) fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn bounds(numbers: impl Iterator<Item = f32>) -> (f32, f32) {
    numbers
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), number| (low.min(number), high.max(number)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What the rules in plain Python make of landmarks.
    #[derive(serde::Deserialize)]
    pub(crate) struct Case {
        pub(crate) points: Vec<[f32; 2]>,
        pub(crate) shift: i32,
        pub(crate) margin: u32,
        pub(crate) height: u32,
        pub(crate) fallback: [i32; 4],
        #[serde(rename = "box")]
        pub(crate) expected: [i32; 4],
    }

    pub(crate) fn cases() -> Vec<Case> {
        serde_json::from_str(include_str!("../../tests/fixtures/boxes.json")).unwrap()
    }

    /// Landmarks in a circle, the bridge of the nose at (100.9, 90.7), the chin at y = 160.
    fn points() -> Landmarks {
        let mut points: Landmarks = std::array::from_fn(|k| {
            let angle = k as f32 / 68.0 * std::f32::consts::TAU;
            [100.0 + 60.4 * angle.sin(), 100.0 + 60.2 * angle.cos()]
        });
        points[28] = [100.0, 80.0];
        points[29] = [100.9, 90.7];
        points[30] = [100.0, 99.0];
        points
    }

    #[test]
    fn the_reference_box_cuts_to_whole_pixels_and_is_even_about_the_bridge() {
        // Chin at 160.2 → 160, bridge 90: from 20 to 160, and ten rows below.
        let face = reference_box(&points(), 0, 10, 1000, None).unwrap();
        assert_eq!((face.y1, face.y2), (20, 170));
        assert_eq!((face.x1, face.x2), (39, 160));
        // Shifted down by 7 the upper edge goes down by twice that.
        assert_eq!(reference_box(&points(), 7, 0, 1000, None).unwrap().y1, 34);
        // The margin ends with the frame, the top never leaves it.
        assert_eq!(reference_box(&points(), 0, 10, 165, None).unwrap().y2, 165);
        assert_eq!(reference_box(&points(), -20, 0, 1000, None).unwrap().y1, 0);
    }

    #[test]
    fn reference_boxes_are_those_of_the_rules_in_plain_python() {
        let cases = cases();
        assert_eq!(cases.len(), 60);
        for case in cases {
            let points: Landmarks = case.points.try_into().unwrap();
            let [x1, y1, x2, y2] = case.fallback;
            let fallback = Some(FaceBox { x1, y1, x2, y2 });
            let face = reference_box(&points, case.shift, case.margin, case.height, fallback).unwrap();
            assert_eq!([face.x1, face.y1, face.x2, face.y2], case.expected);
        }
    }

    #[test]
    fn landmarks_that_make_no_box_give_way_to_the_detector() {
        let away = points().map(|[x, y]| [x - 60.0, y]);
        let found = FaceBox { x1: 3, y1: 4, x2: 50, y2: 60 };
        assert_eq!(reference_box(&away, 0, 10, 1000, Some(found)), Some(FaceBox { y2: 70, ..found }));
        assert_eq!(reference_box(&away, 0, 10, 1000, None), None);
        // −0.4 is cut to 0, which is inside.
        let edge = points().map(|[x, y]| [x - 40.0, y]);
        assert_eq!(reference_box(&edge, 0, 0, 1000, None).unwrap().x1, 0);
    }

    #[test]
    fn smooth_edges_agree_with_the_reference_within_a_pixel() {
        let smooth = face_box(&edges(&points(), 0.0), 10, 1000);
        let reference = reference_box(&points(), 0, 10, 1000, None).unwrap();
        for (a, b) in [(smooth.x1, reference.x1), (smooth.x2, reference.x2), (smooth.y2, reference.y2)] {
            assert!((a - b).abs() <= 1, "{smooth:?} {reference:?}");
        }
        assert!((smooth.y1 - reference.y1).abs() <= 2, "{smooth:?} {reference:?}");
    }

    #[test]
    fn turning_and_opening_are_measured() {
        let mut face = points();
        (0..17).for_each(|k| face[k] = [40.0 + 7.5 * k as f32, 120.0]);
        assert!(turn(&face) < 0.05, "{}", turn(&face));
        face[30][0] = 140.0;
        assert!(turn(&face) > 0.5, "{}", turn(&face));
        (36..42).for_each(|k| face[k] = [70.0, 80.0]);
        (42..48).for_each(|k| face[k] = [130.0, 80.0]);
        (60..68).for_each(|k| face[k] = [100.0, 130.0]);
        assert!(mouth_opening(&face) < 1e-6);
        (65..68).for_each(|k| face[k][1] = 142.0);
        assert!((mouth_opening(&face) - 0.2).abs() < 1e-4);
    }
}
