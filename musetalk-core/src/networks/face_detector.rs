//! Finds faces in a whole picture.
//!
//! | kind | tensor | shape | range |
//! |---|---|---|---|
//! | light (UltraFace) | input | \[1, 3, 240, 320\] f32, RGB planes | (x − 127) / 128 |
//! | | scores | \[1, 4420, 2\] f32 | no face, face: 0…1 |
//! | | boxes | \[1, 4420, 4\] f32 | x1 y1 x2 y2 as parts of the picture |
//! | S3FD | image | \[1, 3, height, width\] f32, RGB planes | x − (104, 117, 123) |
//! | | scores_k, boxes_k | \[1, 2 (4 for k = 0) or 4, h, w\] f32, k = 0…5 | logits and offsets, as the layers leave them |

use serde::{Deserialize, Serialize};

use super::planes;
use crate::Result;
use crate::runtime::Network;

/// A face that was found: its edges in pixels of the picture that was looked at, and how sure that is, 0…1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Detection {
    pub(crate) x1: f32,
    pub(crate) y1: f32,
    pub(crate) x2: f32,
    pub(crate) y2: f32,
    pub(crate) score: f32,
}

/// Means that S3FD takes off: in the order of blue, green, red, but off red, green, blue, as the reference does (spec §5.2).
const MEANS: [f32; 3] = [104.0, 117.0, 123.0];
/// S3FD's candidates below this are not looked at.
const CANDIDATE: f32 = 0.05;
/// S3FD keeps what overlaps a better one by this much at most.
const S3FD_OVERLAP: f32 = 0.3;
/// A kept face of S3FD has more than this.
const S3FD_SCORE: f32 = 0.5;
/// A face of the light detector has more than this: below it, hair and hands are found.
const LIGHT_SCORE: f32 = 0.6;
const LIGHT_OVERLAP: f32 = 0.3;

#[derive(Debug)]
pub(crate) enum FaceDetector {
    Light(Network),
    S3fd(Network),
    /// Sees these faces in every picture of the light detector's size.
    #[cfg(test)]
    Fixed(Vec<Detection>),
}

impl Detection {
    pub(crate) fn width(&self) -> f32 {
        self.x2 - self.x1
    }

    pub(crate) fn height(&self) -> f32 {
        self.y2 - self.y1
    }

    /// The part of both that both cover. `rim` is added to every side, as S3FD's authors do.
    pub(crate) fn overlap(&self, other: &Self, rim: f32) -> f32 {
        let area = |face: &Self| (face.width() + rim) * (face.height() + rim);
        let width = self.x2.min(other.x2) - self.x1.max(other.x1) + rim;
        let height = self.y2.min(other.y2) - self.y1.max(other.y1) + rim;
        let both = width.max(0.0) * height.max(0.0);
        both / (area(self) + area(other) - both).max(f32::MIN_POSITIVE)
    }

    /// The same face in a picture that is larger by these factors.
    pub(crate) fn scaled(&self, x: f32, y: f32) -> Self {
        Self { x1: self.x1 * x, y1: self.y1 * y, x2: self.x2 * x, y2: self.y2 * y, score: self.score }
    }
}

impl FaceDetector {
    pub(crate) fn new(network: Network, light: bool) -> Self {
        if light { Self::Light(network) } else { Self::S3fd(network) }
    }

    /// Width and height of the picture that it wants to see of a frame of this size.
    ///
    /// The light one sees every frame pressed into its own shape. S3FD takes any size; at 640 pixels it still finds faces a twentieth
    /// as wide, for a tenth of the work of a 1080p frame.
    pub(crate) fn size(&self, (width, height): (usize, usize)) -> (usize, usize) {
        const LONGEST: usize = 640;
        match self {
            Self::Light(_) => (320, 240),
            #[cfg(test)]
            Self::Fixed(_) => (320, 240),
            Self::S3fd(_) => {
                let longest = width.max(height).max(1);
                let side = |side: usize| (side * LONGEST.min(longest) / longest).max(32);
                (side(width), side(height))
            }
        }
    }

    /// The faces in a packed RGB picture, best first. The light one wants it in its [`size`](Self::size).
    pub(crate) fn find(&mut self, rgb: &[u8], (width, height): (usize, usize)) -> Result<Vec<Detection>> {
        let shape = [1, 3, height, width];
        match self {
            Self::Light(network) => {
                let input = planes(rgb, |_, value| (value - 127.0) / 128.0);
                let answers = network.answers(&shape, &input, &["scores", "boxes"])?;
                Ok(of_light(&answers[0].1, &answers[1].1, (width as f32, height as f32)))
            }
            Self::S3fd(network) => {
                let input = planes(rgb, |channel, value| value - MEANS[channel]);
                let names: Vec<String> =
                    (0..6).flat_map(|k| [format!("scores_{k}"), format!("boxes_{k}")]).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                Ok(of_s3fd(&network.answers(&shape, &input, &names)?))
            }
            #[cfg(test)]
            Self::Fixed(faces) => Ok(faces.clone()),
        }
    }
}

fn of_light(scores: &[f32], boxes: &[f32], (width, height): (f32, f32)) -> Vec<Detection> {
    let faces = scores.chunks_exact(2).zip(boxes.chunks_exact(4));
    let candidates = faces.filter(|(score, _)| score[1] > LIGHT_SCORE).map(|(score, edges)| {
        Detection { x1: edges[0], y1: edges[1], x2: edges[2], y2: edges[3], score: score[1] }
            .scaled(width, height)
    });
    best(candidates.filter(sound).collect(), LIGHT_OVERLAP, 0.0)
}

/// Scores and offsets of the six levels to faces (spec §5.2).
fn of_s3fd(levels: &[(Vec<usize>, Vec<f32>)]) -> Vec<Detection> {
    let mut candidates = Vec::new();
    for (level, pair) in levels.chunks_exact(2).enumerate() {
        let ((shape, scores), (_, offsets)) = (&pair[0], &pair[1]);
        let [.., channels, rows, columns] = shape[..] else { continue };
        let (plane, stride) = (rows * columns, f32::from(4_u16 << level));
        let side = 4.0 * stride;
        for at in 0..plane {
            let of = |channel: usize| scores[channel * plane + at];
            // The finest level has three channels for "no face", of which the largest counts.
            let nothing = (0..channels - 1).map(of).fold(f32::NEG_INFINITY, f32::max);
            let score = 1.0 / (1.0 + (nothing - of(channels - 1)).exp());
            if score <= CANDIDATE {
                continue;
            }
            let offset = |k: usize| offsets[k * plane + at];
            let middle = |index: usize| stride / 2.0 + index as f32 * stride;
            let width = side * (0.2 * offset(2)).exp();
            let height = side * (0.2 * offset(3)).exp();
            let x1 = middle(at % columns) + 0.1 * offset(0) * side - width / 2.0;
            let y1 = middle(at / columns) + 0.1 * offset(1) * side - height / 2.0;
            candidates.push(Detection { x1, y1, x2: x1 + width, y2: y1 + height, score });
        }
    }
    let mut faces = best(candidates.into_iter().filter(sound).collect(), S3FD_OVERLAP, 1.0);
    faces.retain(|face| face.score > S3FD_SCORE);
    faces
}

/// A foreign network may give anything.
fn sound(face: &Detection) -> bool {
    let Detection { x1, y1, x2, y2, score } = *face;
    [x1, y1, x2, y2, score].iter().all(|number| number.is_finite()) && x2 > x1 && y2 > y1
}

/// The best first, without those that overlap a better one by more than `most`.
fn best(mut candidates: Vec<Detection>, most: f32, rim: f32) -> Vec<Detection> {
    /// More faces than any footage of one person has.
    const CROWD: usize = 64;
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for face in candidates {
        if kept.len() < CROWD && kept.iter().all(|better| better.overlap(&face, rim) <= most) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x1: f32, y1: f32, side: f32, score: f32) -> Detection {
        Detection { x1, y1, x2: x1 + side, y2: y1 + side, score }
    }

    #[test]
    fn of_overlapping_faces_the_best_is_kept() {
        let found = best(
            vec![face(0.0, 0.0, 10.0, 0.7), face(1.0, 1.0, 10.0, 0.9), face(30.0, 0.0, 8.0, 0.8)],
            0.3,
            0.0,
        );
        assert_eq!(found.iter().map(|face| face.score).collect::<Vec<_>>(), [0.9, 0.8]);
    }

    #[test]
    fn numbers_that_are_no_boxes_are_passed_over() {
        let scores = [0.1, 0.9, 0.0, 1.0, 0.2, 0.8];
        let boxes = [0.1, 0.1, 0.5, 0.5, f32::NAN, 0.0, 1.0, 1.0, 0.6, 0.6, 0.5, 0.9];
        let found = of_light(&scores, &boxes, (320.0, 240.0));
        assert_eq!(found, [Detection { x1: 32.0, y1: 24.0, x2: 160.0, y2: 120.0, score: 0.9 }]);
    }

    #[test]
    fn s3fd_places_its_anchors_as_the_reference_does() {
        // One level of 2×3 places; every other level sees nothing.
        let empty = |channels: usize| {
            let mut scores = vec![20.0; channels];
            scores[channels - 1] = -20.0;
            [(vec![1, channels, 1, 1], scores), (vec![1, 4, 1, 1], vec![0.0; 4])]
        };
        let mut levels: Vec<_> = empty(4).into_iter().collect();
        let mut scores = vec![5.0; 12];
        scores[6 + 4] = 9.0; // row 1, column 1
        (6..12).filter(|&at| at != 10).for_each(|at| scores[at] = -9.0);
        let mut offsets = vec![0.0; 24];
        (offsets[4], offsets[6 + 4], offsets[12 + 4]) = (1.0, -0.5, 5.0 * 2.0_f32.ln());
        levels.extend([(vec![1, 2, 2, 3], scores), (vec![1, 4, 2, 3], offsets)]);
        (0..4).for_each(|_| levels.extend(empty(2)));
        let found = of_s3fd(&levels);
        // Stride 8, side 32: middle (12 + 3.2, 12 − 1.6), 64 wide, 32 high.
        let [face] = found[..] else { panic!("{found:?}") };
        for (edge, expected) in [face.x1, face.y1, face.x2, face.y2].iter().zip([-16.8, -5.6, 47.2, 26.4]) {
            assert!((edge - expected).abs() < 1e-4, "{face:?}");
        }
        assert!((face.score - 1.0 / (1.0 + (-4.0_f32).exp())).abs() < 1e-6);
    }
}
