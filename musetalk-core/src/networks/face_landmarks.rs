//! Finds the 68 landmarks of the face in a crop: brows, eyes, nose, mouth and jaw, in the order of iBUG.
//!
//! | kind | tensor | shape | range |
//! |---|---|---|---|
//! | light (PFLD) | input | \[1, 3, 112, 112\] f32, RGB planes | 0…1 |
//! | | output | \[1, 136\] f32 | x, y by turns, as parts of the crop's side |
//! | DWPose | input | \[1, 3, 384, 288\] f32, RGB planes | (x − mean) / deviation |
//! | | simcc_x | \[1, 133, 576\] f32 | logits of each keypoint's column, in halves of a pixel |
//! | | simcc_y | \[1, 133, 768\] f32 | of its row |

use super::planes;
use crate::Result;
use crate::runtime::Network;

/// Points of a face, x then y.
pub(crate) type Landmarks = [[f32; 2]; 68];

const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const DEVIATION: [f32; 3] = [58.395, 57.12, 57.375];
const COLUMNS: usize = 576;
const ROWS: usize = 768;
/// Keypoints of DWPose before those of the face.
const BODY: usize = 23;

#[derive(Debug)]
pub(crate) enum FaceLandmarks {
    Light(Network),
    DwPose(Network),
    /// Sees these in every crop of the light network's size.
    #[cfg(test)]
    Fixed(Box<Landmarks>),
}

impl FaceLandmarks {
    pub(crate) fn new(network: Network, light: bool) -> Self {
        if light { Self::Light(network) } else { Self::DwPose(network) }
    }

    /// Width and height of the crop it looks at.
    pub(crate) fn size(&self) -> (usize, usize) {
        match self {
            Self::Light(_) => (112, 112),
            #[cfg(test)]
            Self::Fixed(_) => (112, 112),
            Self::DwPose(_) => (288, 384),
        }
    }

    /// The landmarks in pixels of a packed RGB crop of [`size`](Self::size).
    pub(crate) fn find(&mut self, rgb: &[u8]) -> Result<Landmarks> {
        match self {
            Self::Light(network) => {
                let input = planes(rgb, |_, value| value / 255.0);
                let answers = network.answers(&[1, 3, 112, 112], &input, &["output"])?;
                let points = &answers[0].1;
                Ok(std::array::from_fn(|k| [points[2 * k] * 112.0, points[2 * k + 1] * 112.0]))
            }
            Self::DwPose(network) => {
                let (width, height) = (288, 384);
                let input = planes(rgb, |channel, value| (value - MEAN[channel]) / DEVIATION[channel]);
                let mirrored: Vec<f32> =
                    input.chunks_exact(width).flat_map(|row| row.iter().rev().copied()).collect();
                let names = ["simcc_x", "simcc_y"];
                let shape = [1, 3, height, width];
                let seen = network.answers(&shape, &input, &names)?;
                let turned = network.answers(&shape, &mirrored, &names)?;
                let [x, y] = [0, 1].map(|axis| (&seen[axis].1[..], &turned[axis].1[..]));
                Ok(decode(x, y))
            }
            #[cfg(test)]
            Self::Fixed(points) => Ok(**points),
        }
    }
}

/// The face's keypoints from the logits of a crop and of its mirror image, which are averaged (spec §5.3).
fn decode((x, x_turned): (&[f32], &[f32]), (y, y_turned): (&[f32], &[f32])) -> Landmarks {
    std::array::from_fn(|k| {
        let (own, other) = (BODY + k, BODY + mirrored_landmark(k));
        let column = |at: usize| 0.5 * (x[own * COLUMNS + at] + x_turned[other * COLUMNS + COLUMNS - 1 - at]);
        let row = |at: usize| 0.5 * (y[own * ROWS + at] + y_turned[other * ROWS + at]);
        let ((at_x, score_x), (at_y, score_y)) = (largest(COLUMNS, column), largest(ROWS, row));
        // As the reference marks what it does not find; both places are halved like the others.
        if score_x.min(score_y) <= 0.0 { [-0.5; 2] } else { [at_x as f32 / 2.0, at_y as f32 / 2.0] }
    })
}

/// The first of the largest numbers.
fn largest(count: usize, number: impl Fn(usize) -> f32) -> (usize, f32) {
    (1..count).fold((0, number(0)), |best, at| if number(at) > best.1 { (at, number(at)) } else { best })
}

/// The landmark that lies there in the mirror.
pub(crate) fn mirrored_landmark(k: usize) -> usize {
    match k {
        0..=16 => 16 - k,
        17..=26 => 43 - k,
        31..=35 => 66 - k,
        36..=39 => 81 - k,
        40 | 41 => 87 - k,
        42..=45 => 81 - k,
        46 | 47 => 87 - k,
        48..=54 => 102 - k,
        55..=59 => 114 - k,
        60..=64 => 124 - k,
        65..=67 => 132 - k,
        _ => k,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_is_the_published_table() {
        let face = [
            39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 49, 48, 47, 46, 45, 44, 43,
            42, 41, 40, 50, 51, 52, 53, 58, 57, 56, 55, 54, 68, 67, 66, 65, 70, 69, 62, 61, 60, 59, 64, 63,
            77, 76, 75, 74, 73, 72, 71, 82, 81, 80, 79, 78, 87, 86, 85, 84, 83, 90, 89, 88,
        ];
        let ours: Vec<usize> = (0..68).map(|k| BODY + mirrored_landmark(k)).collect();
        assert_eq!(ours, face);
    }

    #[test]
    fn both_views_are_averaged_and_the_first_of_equals_counts() {
        let (mut x, mut turned) = (vec![0.0; 133 * COLUMNS], vec![0.0; 133 * COLUMNS]);
        let (mut y, y_turned) = (vec![0.0; 133 * ROWS], vec![0.0; 133 * ROWS]);
        // Landmark 0 is the mirror of 16: seen at 100 in the crop, and at 101 in its mirror, where it is stronger.
        x[23 * COLUMNS + 100] = 2.0;
        turned[39 * COLUMNS + COLUMNS - 1 - 101] = 3.0;
        y[23 * ROWS + 7] = 1.0;
        y[23 * ROWS + 9] = 1.0;
        let found = decode((&x, &turned), (&y, &y_turned));
        assert_eq!(found[0], [50.5, 3.5]);
        assert_eq!(found[1], [-0.5, -0.5]);
    }
}
