//! What the operations on pictures compute, in plain f32, for one item of the batch: see [`trial`](super::trial).

use std::rc::Rc;

/// The largest number in every square of `size` that has any.
pub(super) fn max_pool(x: &[f32], shape: &[usize], size: usize, stride: usize, pad: usize) -> Rc<[f32]> {
    let (height, width) = (shape[1], shape[2]);
    let seen =
        |at: usize, side: usize| (at * stride).saturating_sub(pad)..(at * stride + size - pad).min(side);
    let after = |side: usize| (side + 2 * pad - size) / stride + 1;
    let mut out = Vec::with_capacity(shape[0] * after(height) * after(width));
    for plane in x.chunks_exact(height * width) {
        for row in 0..after(height) {
            for column in 0..after(width) {
                let lines = seen(row, height).map(|y| &plane[y * width..][seen(column, width)]);
                out.push(lines.flatten().copied().fold(f32::NEG_INFINITY, f32::max));
            }
        }
    }
    out.into()
}

/// The mean of every plane.
pub(super) fn means(x: &[f32], plane: usize) -> Rc<[f32]> {
    let sums = x.chunks_exact(plane).map(|plane| plane.iter().map(|&x| f64::from(x)).sum::<f64>());
    sums.map(|sum| (sum / plane as f64) as f32).collect()
}

/// Every plane with its own number.
pub(super) fn spread(x: &[f32], pixel: &[f32], plane: usize, join: impl Fn(f32, f32) -> f32) -> Rc<[f32]> {
    let planes = x.chunks_exact(plane).zip(pixel);
    planes
        .flat_map(|(plane, &number)| plane.iter().map(move |&x| (x, number)))
        .map(|(x, n)| join(x, n))
        .collect()
}

/// Every pixel divided by its length over the channels.
pub(super) fn unit_pixels(x: &[f32], channels: usize, epsilon: f32) -> Rc<[f32]> {
    let plane = x.len() / channels;
    let mut lengths = vec![0.0; plane];
    for channel in x.chunks_exact(plane) {
        lengths.iter_mut().zip(channel).for_each(|(sum, x)| *sum += x * x);
    }
    lengths.iter_mut().for_each(|sum| *sum = sum.sqrt() + epsilon);
    x.iter().zip(lengths.iter().cycle()).map(|(x, length)| x / length).collect()
}

/// `factor` times as high and wide, bilinear, the corner pixels on the corners.
pub(super) fn enlarged(x: &[f32], shape: &[usize], factor: usize) -> Rc<[f32]> {
    let (height, width) = (shape[1], shape[2]);
    let (rows, columns) = (between(height, factor), between(width, factor));
    let mut out = Vec::with_capacity(x.len() * factor * factor);
    for plane in x.chunks_exact(height * width) {
        for &(above, below, down) in &rows {
            let (above, below) = (&plane[above * width..][..width], &plane[below * width..][..width]);
            out.extend(columns.iter().map(|&(left, right, along)| {
                let (upper, lower) =
                    (mix(above[left], above[right], along), mix(below[left], below[right], along));
                mix(upper, lower, down)
            }));
        }
    }
    out.into()
}

/// For each place of a side that grows: its two neighbours, and how far it lies from the first towards the second.
fn between(side: usize, factor: usize) -> Vec<(usize, usize, f32)> {
    let step = (side - 1) as f64 / (side * factor).saturating_sub(1).max(1) as f64;
    let place = |at: usize| {
        let place = at as f64 * step;
        let first = (place as usize).min(side - 1);
        (first, (first + 1).min(side - 1), (place - first as f64) as f32)
    };
    (0..side * factor).map(place).collect()
}

fn mix(a: f32, b: f32, share: f32) -> f32 {
    a * (1.0 - share) + b * share
}

/// The place of the largest number over the planes, the first of equal ones.
pub(super) fn largest(x: &[f32], planes: usize) -> Rc<[f32]> {
    let plane = x.len() / planes;
    let best = |pixel: usize| {
        let first = (0, x[pixel]);
        (1..planes).fold(first, |best, at| {
            let number = x[at * plane + pixel];
            if number > best.1 { (at, number) } else { best }
        })
    };
    (0..plane).map(|pixel| best(pixel).0 as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_ignores_what_lies_outside() {
        let picture: Vec<f32> = (1..=9).map(|x| -(x as f32)).collect();
        assert_eq!(*max_pool(&picture, &[1, 3, 3], 3, 2, 1), [-1.0, -2.0, -4.0, -5.0]);
        assert_eq!(*max_pool(&picture, &[1, 3, 3], 2, 2, 0), [-1.0]);
    }

    #[test]
    fn corners_stay_where_they_are() {
        let out = enlarged(&[0.0, 3.0], &[1, 1, 2], 2);
        assert_eq!(*out, [0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn the_first_of_equal_channels_is_the_largest() {
        assert_eq!(*largest(&[1.0, 2.0, 1.0, 5.0, 0.0, 5.0], 3), [0.0, 1.0]);
    }

    #[test]
    fn a_dark_pixel_has_no_direction() {
        assert_eq!(*unit_pixels(&[3.0, 0.0, 4.0, 0.0], 2, 1e-10), [0.6, 0.0, 0.8, 0.0]);
    }
}
