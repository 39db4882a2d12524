//! Boxes that stand still on a face that stands still, and go with one that moves, at once.
//!
//! Landmarks tremble; the motion from frame to frame, found in the pixels, hardly does, but its sum drifts over seconds. So the edges of
//! every frame are carried along the motion to one common frame, where they would be the same but for noise and drift; there they are
//! smoothed over a second, and carried back. Whatever the face does fast is in the motion and passes unsmoothed: nothing lags.
//!
//! Smoothing is a robust local line (Cleveland's): a clip is known to its end, so it looks as far ahead as back.

use super::features::Edges;
use super::register::Similarity;
use crate::networks::Landmarks;

/// Frames on either side that count, at 25 frames a second.
const REACH: f32 = 1.6;

/// The same for single landmarks, whose mask must follow the jaw while it speaks.
const REACH_OF_POINTS: f32 = 0.16;

/// The motion from the first frame of a stretch to every other. `motions` are from the frame before to this one; where one is missing,
/// it is as `guesses`, the same from landmarks, say.
fn paths(motions: &[Option<Similarity>], guesses: &[Similarity]) -> Vec<Similarity> {
    let mut path = Similarity::STILL;
    let steps = motions.iter().zip(guesses).enumerate();
    steps
        .map(|(index, (motion, guess))| {
            if index > 0 {
                path = motion.unwrap_or(*guess).after(&path);
            }
            path
        })
        .collect()
}

/// The smoothed edges of every frame.
pub(crate) fn smooth(
    edges: &[Edges],
    motions: &[Option<Similarity>],
    guesses: &[Similarity],
    fps: f32,
) -> Vec<Edges> {
    let paths = paths(motions, guesses);
    let at_home: Vec<Shape> =
        edges.iter().zip(&paths).map(|(edges, path)| Shape::of(edges).moved(&path.inverse())).collect();
    let smoothed: [Vec<f64>; 4] = std::array::from_fn(|part| {
        let numbers: Vec<f64> = at_home.iter().map(|shape| shape.0[part]).collect();
        local_lines(&numbers, reach(REACH, fps))
    });
    (0..edges.len())
        .map(|frame| Shape(std::array::from_fn(|part| smoothed[part][frame])).moved(&paths[frame]).edges())
        .collect()
}

/// The smoothed landmarks of every frame.
pub(crate) fn smooth_points(
    points: &[Landmarks],
    motions: &[Option<Similarity>],
    guesses: &[Similarity],
    fps: f32,
) -> Vec<Landmarks> {
    let paths = paths(motions, guesses);
    let backs: Vec<Similarity> = paths.iter().map(Similarity::inverse).collect();
    let mut smoothed = points.to_vec();
    for k in 0..68 {
        let at_home: Vec<[f64; 2]> =
            points.iter().zip(&backs).map(|(points, back)| back.apply(points[k].map(f64::from))).collect();
        let [x, y] = [0, 1].map(|axis| {
            let numbers: Vec<f64> = at_home.iter().map(|point| point[axis]).collect();
            local_lines(&numbers, reach(REACH_OF_POINTS, fps))
        });
        for (frame, points) in smoothed.iter_mut().enumerate() {
            points[k] = paths[frame].apply([x[frame], y[frame]]).map(|part| part as f32);
        }
    }
    smoothed
}

fn reach(seconds: f32, fps: f32) -> usize {
    (seconds * fps).round().max(2.0) as usize
}

/// A box as its middle and size, which turn and grow as a face does.
struct Shape([f64; 4]);

impl Shape {
    fn of(edges: &Edges) -> Self {
        let [x1, y1, x2, y2] = edges.map(f64::from);
        Self([(x1 + x2) / 2.0, (y1 + y2) / 2.0, x2 - x1, y2 - y1])
    }

    fn moved(&self, motion: &Similarity) -> Self {
        let Self([x, y, width, height]) = *self;
        let [x, y] = motion.apply([x, y]);
        Self([x, y, width * motion.zoom(), height * motion.zoom()])
    }

    fn edges(&self) -> Edges {
        let Self([x, y, width, height]) = *self;
        [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0].map(|edge| edge as f32)
    }
}

/// At every place the value of a line that was fitted to those around it, far ones counting less, outliers hardly at all.
fn local_lines(numbers: &[f64], reach: usize) -> Vec<f64> {
    let mut trust = vec![1.0; numbers.len()];
    let mut fitted = Vec::new();
    // The first pass finds the outliers, the others leave them out.
    for _ in 0..3 {
        fitted = (0..numbers.len()).map(|at| line_at(numbers, &trust, at, reach)).collect();
        let off: Vec<f64> = numbers.iter().zip(&fitted).map(|(number, fit)| (number - fit).abs()).collect();
        let mut sorted = off.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0).max(0.05);
        for (trust, off) in trust.iter_mut().zip(&off) {
            let far = off / (6.0 * usual);
            *trust = if far < 1.0 { (1.0 - far * far).powi(2) } else { 0.0 };
        }
    }
    fitted
}

fn line_at(numbers: &[f64], trust: &[f64], at: usize, reach: usize) -> f64 {
    let range = at.saturating_sub(reach)..(at + reach + 1).min(numbers.len());
    let (mut w, mut wx, mut wxx, mut wy, mut wxy) = (1e-12, 0.0, 0.0, 1e-12 * numbers[at], 0.0);
    for index in range {
        let x = index as f64 - at as f64;
        let near = 1.0 - (x.abs() / (reach as f64 + 1.0)).powi(3);
        let weight = near.powi(3) * trust[index];
        w += weight;
        wx += weight * x;
        wxx += weight * x * x;
        wy += weight * numbers[index];
        wxy += weight * x * numbers[index];
    }
    let determinant = w * wxx - wx * wx;
    if determinant > 1e-6 * w * w { (wxx * wy - wx * wxy) / determinant } else { wy / w }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Even noise of deviation 1.
    fn noise(seed: &mut u64) -> f64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((*seed >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) * 12.0_f64.sqrt()
    }

    fn path(frame: usize) -> Similarity {
        let t = frame as f64 / 25.0;
        let zoom = 1.0 + 0.03 * (1.1 * t).sin();
        let turn = 0.02 * (0.9 * t).sin();
        Similarity { a: zoom, b: turn, shift: [40.0 * (2.0 * t).sin(), 18.0 * (3.1 * t).sin()] }
    }

    fn truth(frame: usize) -> Edges {
        Shape::of(&[200.0, 150.0, 420.0, 430.0]).moved(&path(frame)).edges()
    }

    fn deviation(off: &[f64]) -> f64 {
        let mean = off.iter().sum::<f64>() / off.len() as f64;
        (off.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / off.len() as f64).sqrt()
    }

    #[test]
    fn noise_goes_and_motion_stays() {
        let mut seed = 5;
        let frames = 250;
        let edges: Vec<Edges> =
            (0..frames).map(|frame| truth(frame).map(|edge| edge + noise(&mut seed) as f32)).collect();
        let steps = |exact: bool, seed: &mut u64| -> Vec<Similarity> {
            (0..frames)
                .map(|frame| {
                    let step = path(frame).after(&path(frame.saturating_sub(1)).inverse());
                    let off = if exact { 0.02 } else { 1.0 };
                    Similarity { shift: step.shift.map(|part| part + off * noise(seed)), ..step }
                })
                .collect()
        };
        let motions: Vec<Option<Similarity>> = steps(true, &mut seed).into_iter().map(Some).collect();
        let guesses = steps(false, &mut seed);
        let smoothed = smooth(&edges, &motions, &guesses, 25.0);
        for (edge, name) in ["left", "top", "right", "bottom"].into_iter().enumerate() {
            let off: Vec<f64> =
                (0..frames).map(|frame| f64::from(smoothed[frame][edge] - truth(frame)[edge])).collect();
            assert!(deviation(&off) < 0.35, "{name}: {}", deviation(&off));
        }
    }

    #[test]
    fn an_outlier_moves_nothing() {
        let mut edges = vec![[10.0, 10.0, 60.0, 70.0]; 60];
        edges[30] = [40.0, 10.0, 90.0, 70.0];
        let still = vec![Some(Similarity::STILL); 60];
        let smoothed = smooth(&edges, &still, &[Similarity::STILL; 60], 25.0);
        assert!(smoothed.iter().all(|edges| (edges[0] - 10.0).abs() < 0.05), "{:?}", smoothed[30]);
        assert_eq!(smooth(&edges[..1], &still[..1], &[Similarity::STILL], 25.0), [[10.0, 10.0, 60.0, 70.0]]);
    }
}
