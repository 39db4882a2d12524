//! How a face moved from one frame to the next, from its pixels: far finer than any landmark network sees.
//!
//! The part from the brows to the tip of the nose, which speech does not move, is compared with itself in the frame before. Gauss and
//! Newton find the shift, turn and zoom that bring both together, with what differs (blinks, shadows) given little weight.

use serde::{Deserialize, Serialize};

use super::features;
use super::sample::{Picture, Window, luma};
use crate::networks::Landmarks;

/// A shift, turn and zoom of the plane: x′ = a·x − b·y + shift₀, y′ = b·x + a·y + shift₁.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Similarity {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) shift: [f64; 2],
}

/// What is remembered of a frame: the part of its face that is compared.
#[derive(Debug)]
pub(crate) struct Patch {
    pixels: Vec<f32>,
    window: Window,
}

/// Side of a patch.
const SIDE: usize = 56;
/// Differences of brightness beyond this are outliers.
const OUTLIER: f32 = 12.0;
/// A mean weighted difference above this is no match.
const NO_MATCH: f32 = 14.0;
const MOST_STEPS: usize = 12;

impl Similarity {
    pub(crate) const STILL: Self = Self { a: 1.0, b: 0.0, shift: [0.0; 2] };

    pub(crate) fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.shift[0], self.b * x + self.a * y + self.shift[1]]
    }

    /// How much larger things are afterwards.
    pub(crate) fn zoom(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// This one after `first`.
    pub(crate) fn after(&self, first: &Self) -> Self {
        let shift = self.apply(first.shift);
        Self { a: self.a * first.a - self.b * first.b, b: self.b * first.a + self.a * first.b, shift }
    }

    pub(crate) fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        let [x, y] = self.shift;
        Self { a, b, shift: [-(a * x - b * y), -(b * x + a * y)] }
    }

    /// The one that brings some points closest to others, in the sense of least squares.
    pub(crate) fn between(from: &[[f32; 2]], to: &[[f32; 2]]) -> Self {
        let count = from.len().max(1) as f64;
        let wide = |points: &[[f32; 2]]| {
            points
                .iter()
                .fold([0.0; 2], |sum, p| [sum[0] + f64::from(p[0]), sum[1] + f64::from(p[1])])
                .map(|sum| sum / count)
        };
        let (middle, target) = (wide(from), wide(to));
        let (mut along, mut across, mut size) = (0.0, 0.0, f64::MIN_POSITIVE);
        for (p, q) in from.iter().zip(to) {
            let [px, py] = [0, 1].map(|axis| f64::from(p[axis]) - middle[axis]);
            let [qx, qy] = [0, 1].map(|axis| f64::from(q[axis]) - target[axis]);
            along += px * qx + py * qy;
            across += px * qy - py * qx;
            size += px * px + py * py;
        }
        let (a, b) = (along / size, across / size);
        let turned = Self { a, b, shift: [0.0; 2] }.apply(middle);
        Self { a, b, shift: [target[0] - turned[0], target[1] - turned[1]] }
    }
}

impl Patch {
    /// Of a face with these landmarks.
    pub(crate) fn of(picture: &Picture<'_>, points: &Landmarks) -> Self {
        let eyes = features::mean(&points[36..48]);
        let tip = points[30];
        let middle = [0.6 * eyes[0] + 0.4 * tip[0], 0.6 * eyes[1] + 0.4 * tip[1]];
        let side = 2.1 * features::eye_distance(points).max(8.0);
        let window = Window::around(middle, side, side);
        Self { pixels: luma(&picture.crop(&window, (SIDE, SIDE))), window }
    }

    /// How the face moved from this frame to another, which is about `guess`. `None` where both do not match.
    pub(crate) fn moved(&self, picture: &Picture<'_>, guess: &Similarity) -> Option<Similarity> {
        let scale = f64::from(self.window.width) / SIDE as f64;
        let middle = [
            f64::from(self.window.left + self.window.width / 2.0),
            f64::from(self.window.top + self.window.height / 2.0),
        ];
        let there = guess.apply(middle);
        let mut motion =
            Motion { shift: [there[0] - middle[0], there[1] - middle[1]], a: guess.a, b: guess.b };
        let gradients = gradients(&self.pixels);
        let field = Field::new(picture, middle, motion.shift, f64::from(self.window.width));
        let mut difference = f64::INFINITY;
        for _ in 0..MOST_STEPS {
            let (step, error) = self.step(&gradients, &field, middle, scale, &motion)?;
            difference = error;
            motion.shift[0] -= step[0] * scale;
            motion.shift[1] -= step[1] * scale;
            motion.a -= step[2];
            motion.b -= step[3];
            if step[0].hypot(step[1]) < 0.003 && step[2].hypot(step[3]) < 1e-4 {
                break;
            }
        }
        let plausible = (motion.a - guess.a).abs() < 0.15 && (motion.b - guess.b).abs() < 0.15;
        let near = (motion.shift[0] - (there[0] - middle[0])).hypot(motion.shift[1] - (there[1] - middle[1]))
            < 0.25 * f64::from(self.window.width);
        (difference < f64::from(NO_MATCH) && plausible && near).then(|| motion.about(middle))
    }

    /// One step of Gauss and Newton: how far shift (in patch pixels), zoom and turn are off, and the mean difference.
    fn step(
        &self,
        gradients: &[[f32; 2]],
        field: &Field,
        middle: [f64; 2],
        scale: f64,
        motion: &Motion,
    ) -> Option<([f64; 4], f64)> {
        let mut normal = [[0.0_f64; 4]; 4];
        let mut right = [0.0_f64; 4];
        let (mut error, mut weights) = (0.0_f64, f64::MIN_POSITIVE);
        let half = SIDE as f64 / 2.0;
        // Brightness may drift between frames: its mean is taken out of the difference.
        let mut differences = vec![0.0_f32; SIDE * SIDE];
        let mut drift = 0.0;
        for (at, difference) in differences.iter_mut().enumerate() {
            let (x, y) = ((at % SIDE) as f64 + 0.5 - half, (at / SIDE) as f64 + 0.5 - half);
            let (dx, dy) = (motion.a * x - motion.b * y, motion.b * x + motion.a * y);
            let place = [middle[0] + motion.shift[0] + dx * scale, middle[1] + motion.shift[1] + dy * scale];
            *difference = field.at(place)? - self.pixels[at];
            drift += *difference;
        }
        drift /= (SIDE * SIDE) as f32;
        for (at, difference) in differences.iter().enumerate() {
            let (x, y) = ((at % SIDE) as f64 + 0.5 - half, (at / SIDE) as f64 + 0.5 - half);
            let difference = difference - drift;
            // Corners show hair and background.
            let inside = 1.0 - (x * x + y * y) / (half * half);
            if inside <= 0.0 {
                continue;
            }
            let robust = 1.0 / (1.0 + f64::from(difference / OUTLIER).powi(2));
            let weight = inside.min(0.5) * 2.0 * robust * robust;
            let [gx, gy] = gradients[at].map(f64::from);
            let row = [gx, gy, gx * x + gy * y, gy * x - gx * y];
            for i in 0..4 {
                for j in i..4 {
                    normal[i][j] += weight * row[i] * row[j];
                }
                right[i] += weight * row[i] * f64::from(difference);
            }
            error += inside.min(0.5) * 2.0 * f64::from(difference.abs());
            weights += inside.min(0.5) * 2.0;
        }
        let upper = normal;
        for (i, row) in normal.iter_mut().enumerate() {
            row.iter_mut().enumerate().take(i).for_each(|(j, value)| *value = upper[j][i]);
        }
        Some((solve(normal, right)?, error / weights))
    }
}

/// A motion about the middle of a patch.
struct Motion {
    shift: [f64; 2],
    a: f64,
    b: f64,
}

impl Motion {
    fn about(&self, middle: [f64; 2]) -> Similarity {
        let turned = Similarity { a: self.a, b: self.b, shift: [0.0; 2] }.apply(middle);
        let shift = [0, 1].map(|axis| middle[axis] + self.shift[axis] - turned[axis]);
        Similarity { a: self.a, b: self.b, shift }
    }
}

/// The surroundings of a patch in another frame, at about twice its resolution, brightness only.
struct Field {
    pixels: Vec<f32>,
    window: Window,
    side: usize,
}

impl Field {
    fn new(picture: &Picture<'_>, middle: [f64; 2], shift: [f64; 2], width: f64) -> Self {
        // Room for a search of a quarter of the patch on every side.
        let middle = [0, 1].map(|axis| (middle[axis] + shift[axis]) as f32);
        let window = Window::around(middle, 1.6 * width as f32, 1.6 * width as f32);
        // As fine as the patch itself: a finer one would be sharper than what it is compared with.
        let side = (SIDE as f64 * 1.6).round() as usize;
        Self { pixels: luma(&picture.crop(&window, (side, side))), window, side }
    }

    /// Cubic between the pixels: linear blurs by how far a place is off the grid, which pulls shifts towards whole pixels.
    fn at(&self, place: [f64; 2]) -> Option<f32> {
        let to_own = |place: f64, start: f32| {
            ((place - f64::from(start)) / f64::from(self.window.width) * self.side as f64 - 0.5) as f32
        };
        let (x, y) = (to_own(place[0], self.window.left), to_own(place[1], self.window.top));
        let last = self.side as f32 - 3.0;
        if !(x >= 1.0 && y >= 1.0 && x < last && y < last) {
            return None;
        }
        let (left, top) = (x.floor() as usize, y.floor() as usize);
        let (across, down) = (cubic(x.fract()), cubic(y.fract()));
        let mut sum = 0.0;
        for (j, weight) in down.iter().enumerate() {
            let row = &self.pixels[(top + j - 1) * self.side + left - 1..][..4];
            sum += weight * row.iter().zip(&across).map(|(pixel, weight)| pixel * weight).sum::<f32>();
        }
        Some(sum)
    }
}

/// Catmull and Rom's weights of the four pixels around a place.
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
}

fn gradients(pixels: &[f32]) -> Vec<[f32; 2]> {
    let at = |x: usize, y: usize| pixels[y.min(SIDE - 1) * SIDE + x.min(SIDE - 1)];
    (0..SIDE * SIDE)
        .map(|index| {
            let (x, y) = (index % SIDE, index / SIDE);
            [
                (at(x + 1, y) - at(x.saturating_sub(1), y)) / 2.0,
                (at(x, y + 1) - at(x, y.saturating_sub(1))) / 2.0,
            ]
        })
        .collect()
}

/// Four equations by Gauss, the largest pivot first. `None` where they do not settle anything: a patch without structure.
fn solve(mut rows: [[f64; 4]; 4], mut right: [f64; 4]) -> Option<[f64; 4]> {
    for column in 0..4 {
        let pivot = (column..4).max_by(|&i, &j| rows[i][column].abs().total_cmp(&rows[j][column].abs()))?;
        rows.swap(column, pivot);
        right.swap(column, pivot);
        if rows[column][column].abs() < 1e-3 {
            return None;
        }
        for below in column + 1..4 {
            let factor = rows[below][column] / rows[column][column];
            let above = rows[column];
            rows[below]
                .iter_mut()
                .zip(above)
                .skip(column)
                .for_each(|(value, above)| *value -= factor * above);
            right[below] -= factor * right[column];
        }
    }
    let mut answer = [0.0; 4];
    for row in (0..4).rev() {
        let known: f64 = (row + 1..4).map(|column| rows[row][column] * answer[column]).sum();
        answer[row] = (right[row] - known) / rows[row][row];
    }
    answer.iter().all(|number| number.is_finite()).then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A soft pattern, moved.
    fn drawn(motion: &Similarity) -> Vec<u8> {
        let back = motion.inverse();
        (0..240 * 200)
            .flat_map(|at| {
                let [x, y] = back.apply([(at % 240) as f64 + 0.5, (at / 240) as f64 + 0.5]);
                let wave = (x / 9.0).sin() * (y / 7.0).cos() + 0.7 * (x / 17.0 + y / 13.0).sin();
                [(128.0 + 60.0 * wave) as u8; 3]
            })
            .collect()
    }

    fn picture(rgb: &[u8]) -> Picture<'_> {
        Picture { rgb, width: 240, height: 200 }
    }

    fn face() -> Landmarks {
        let mut points = [[120.0, 110.0]; 68];
        (36..42).for_each(|k| points[k] = [100.0, 90.0]);
        (42..48).for_each(|k| points[k] = [140.0, 90.0]);
        points
    }

    #[test]
    fn small_motions_are_found_to_a_fiftieth_of_a_pixel() {
        let still = drawn(&Similarity::STILL);
        let patch = Patch::of(&picture(&still), &face());
        for (x, y, zoom, turn) in [(0.3, -0.7, 1.0, 0.0), (2.2, 1.4, 1.01, 0.004), (-3.6, 0.2, 0.985, -0.01)]
        {
            let motion = Similarity { a: zoom, b: turn, shift: [x, y] };
            let moved = drawn(&motion);
            // The landmarks' guess is off by a pixel.
            let guess = Similarity { shift: [x + 1.0, y - 0.8], ..motion };
            let found = patch.moved(&picture(&moved), &guess).expect("the pattern is found again");
            let (there, here) = (motion.apply([120.0, 98.0]), found.apply([120.0, 98.0]));
            let off = (there[0] - here[0]).hypot(there[1] - here[1]);
            assert!(off < 0.02, "{off} pixels off at {motion:?}: {found:?}");
            assert!((found.zoom() - motion.zoom()).abs() < 5e-4, "{found:?}");
        }
    }

    #[test]
    fn what_does_not_match_or_has_no_structure_is_not_found() {
        let still = drawn(&Similarity::STILL);
        let flat = vec![90; 240 * 200 * 3];
        assert!(Patch::of(&picture(&flat), &face()).moved(&picture(&flat), &Similarity::STILL).is_none());
        assert!(Patch::of(&picture(&still), &face()).moved(&picture(&flat), &Similarity::STILL).is_none());
    }

    #[test]
    fn motions_combine_and_turn_back() {
        let one = Similarity { a: 1.1, b: 0.2, shift: [3.0, -4.0] };
        let two = Similarity { a: 0.9, b: -0.1, shift: [1.0, 2.0] };
        let close = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9;
        assert!(close(two.after(&one).apply([5.0, 7.0]), two.apply(one.apply([5.0, 7.0]))));
        assert!(close(one.inverse().apply(one.apply([5.0, 7.0])), [5.0, 7.0]));
        let from = [[0.0, 0.0], [10.0, 0.0], [3.0, 8.0]];
        let to = from.map(|[x, y]: [f32; 2]| one.apply([f64::from(x), f64::from(y)]).map(|part| part as f32));
        let found = Similarity::between(&from, &to);
        assert!((found.a - one.a).abs() < 1e-5 && (found.b - one.b).abs() < 1e-5, "{found:?}");
    }
}
