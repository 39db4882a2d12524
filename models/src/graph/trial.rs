//! What a graph computes, worked out while it is built: every operation in plain f32, for one item of the batch.
//!
//! A pack records these numbers, and an engine that loads it compares its own with them (`musetalk pack verify`). They
//! come from no engine, so they say as much about one provider as about the next. A weight is needed only while its
//! operation is worked out: the memory of a layer is enough for a network of any size.

use std::rc::Rc;
use std::thread;

use ndarray::{ArrayView2, ArrayViewMut2, linalg::general_mat_mul};

use super::Pads;

/// The numbers of a value or a weight; nothing where no trial is made.
pub(crate) type Numbers = Option<Rc<[f32]>>;

/// Numbers in one block of work; below it a second thread costs more than it does.
const BLOCK: usize = 1 << 20;

/// One number for each.
pub(super) fn each(x: &[f32], change: impl Fn(f32) -> f32) -> Rc<[f32]> {
    x.iter().map(|&x| change(x)).collect()
}

/// One number for each pair; `b` repeats until `a` ends.
pub(super) fn pairs(a: &[f32], b: &[f32], join: impl Fn(f32, f32) -> f32) -> Rc<[f32]> {
    a.iter().zip(b.iter().cycle()).map(|(&a, &b)| join(a, b)).collect()
}

pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// With the error function.
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Sides of a convolution: picture [channels, height, width], kernel [out, channels, height, width].
pub(super) struct Window<'a> {
    pub(super) picture: &'a [usize],
    pub(super) kernel: &'a [usize],
    pub(super) stride: usize,
    pub(super) pads: Pads,
}

impl Window<'_> {
    fn out(&self) -> (usize, usize) {
        let [top, left, bottom, right] = self.pads;
        let height = (self.picture[1] + top + bottom - self.kernel[2]) / self.stride + 1;
        let width = (self.picture[2] + left + right - self.kernel[3]) / self.stride + 1;
        (height, width)
    }

    /// The picture as columns: below each pixel of `count` rows from `first` all that the kernel sees there.
    fn columns(&self, x: &[f32], first: usize, count: usize) -> Vec<f32> {
        let (height, width) = (self.picture[1], self.picture[2]);
        let (tall, wide, out) = (self.kernel[2], self.kernel[3], self.out().1);
        let mut columns = vec![0.0; self.picture[0] * tall * wide * count * out];
        for (row, line) in columns.chunks_exact_mut(count * out).enumerate() {
            let (channel, ky, kx) = (row / (tall * wide), row / wide % tall, row % wide);
            for (y, line) in line.chunks_exact_mut(out).enumerate() {
                let Some(y) = ((first + y) * self.stride + ky).checked_sub(self.pads[0]) else { continue };
                if y >= height {
                    continue;
                }
                let source = &x[(channel * height + y) * width..][..width];
                for (at, number) in line.iter_mut().enumerate() {
                    let x = (at * self.stride + kx).checked_sub(self.pads[1]);
                    *number = x.and_then(|x| source.get(x)).copied().unwrap_or(0.0);
                }
            }
        }
        columns
    }
}

/// Convolution over the last two sides.
pub(super) fn conv(x: &[f32], weight: &[f32], bias: &[f32], window: &Window<'_>) -> Rc<[f32]> {
    let ((height, width), depth) = (window.out(), window.kernel[1..].iter().product::<usize>());
    let channels = window.kernel[0];
    let rows = (BLOCK / (depth * width).max(1)).clamp(1, height);
    let starts: Vec<usize> = (0..height).step_by(rows).collect();
    let strips = in_parallel(&starts, |&first| {
        let rows = rows.min(height - first);
        let columns = window.columns(x, first, rows);
        let mut strip = vec![0.0; channels * rows * width];
        multiply(matrix(weight, channels, depth), matrix(&columns, depth, rows * width), &mut strip);
        strip
    });
    let mut out = vec![0.0; channels * height * width];
    for (&first, strip) in starts.iter().zip(&strips) {
        let length = strip.len() / channels;
        for (channel, line) in strip.chunks_exact(length).enumerate() {
            let target = &mut out[(channel * height + first) * width..][..length];
            target.iter_mut().zip(line).for_each(|(out, &sum)| *out = sum + bias[channel]);
        }
    }
    drop(strips);
    out.into()
}

/// Rows `[rows, in]` times a weight `[out, in]`, plus a bias.
pub(super) fn gemm(x: &[f32], weight: &[f32], bias: Option<&[f32]>, out: usize) -> Rc<[f32]> {
    let depth = weight.len() / out;
    let rows = (BLOCK / depth.max(out)).max(1) * depth;
    let parts: Vec<&[f32]> = x.chunks(rows).collect();
    let parts = in_parallel(&parts, |part| {
        let mut sums = vec![0.0; part.len() / depth * out];
        multiply(
            matrix(part, part.len() / depth, depth),
            matrix(weight, out, depth).reversed_axes(),
            &mut sums,
        );
        sums
    });
    let sums = parts.concat();
    match bias {
        Some(bias) => pairs(&sums, bias, |sum, bias| sum + bias),
        None => sums.into(),
    }
}

/// Products of `[m, inner]` and `[inner, n]` over the sides before the last two, which are equal.
pub(super) fn product(a: &[f32], b: &[f32], inner: usize, n: usize, count: usize) -> Rc<[f32]> {
    let sheets: Vec<(&[f32], &[f32])> =
        a.chunks_exact(a.len() / count).zip(b.chunks_exact(b.len() / count)).collect();
    let sheets = in_parallel(&sheets, |(a, b)| {
        let m = a.len() / inner;
        let mut sums = vec![0.0; m * n];
        multiply(matrix(a, m, inner), matrix(b, inner, n), &mut sums);
        sums
    });
    let joined = sheets.concat();
    // The largest values of all are attention's: no more copies than must be.
    drop(sheets);
    joined.into()
}

/// Over rows of `width` numbers.
pub(super) fn softmax(x: &[f32], width: usize) -> Rc<[f32]> {
    let mut out = x.to_vec();
    for row in out.chunks_exact_mut(width) {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|x| *x = (*x - most).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|x| *x /= sum);
    }
    out.into()
}

/// Rows of `width` numbers moved to mean 0 and variance 1.
pub(super) fn normalised(x: &[f32], width: usize, epsilon: f32) -> Vec<f32> {
    let mut out = x.to_vec();
    for row in out.chunks_exact_mut(width) {
        let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / width as f64;
        let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / width as f64;
        let scale = 1.0 / (variance + f64::from(epsilon)).sqrt();
        row.iter_mut().for_each(|x| *x = ((f64::from(*x) - mean) * scale) as f32);
    }
    out
}

/// Planes of `plane` numbers, each times its weight plus its bias.
pub(super) fn planes(x: &[f32], weight: &[f32], bias: &[f32], plane: usize) -> Rc<[f32]> {
    let lines = x.chunks_exact(plane).zip(weight.iter().zip(bias));
    lines.flat_map(|(line, (w, b))| line.iter().map(move |x| x * w + b)).collect()
}

/// Side `order[i]` of `shape` becomes side i.
pub(super) fn transpose(x: &[f32], shape: &[usize], order: &[usize]) -> Rc<[f32]> {
    let strides: Vec<usize> = (0..shape.len()).map(|side| shape[side + 1..].iter().product()).collect();
    let mut out = Vec::with_capacity(x.len());
    let mut at = vec![0; shape.len()];
    for _ in 0..x.len() {
        out.push(x[at.iter().zip(order).map(|(index, &side)| index * strides[side]).sum::<usize>()]);
        for (index, &side) in at.iter_mut().zip(order).rev() {
            *index += 1;
            if *index < shape[side] {
                break;
            }
            *index = 0;
        }
    }
    out.into()
}

/// Joined along a side: every part has `outer` runs of its own length.
pub(super) fn concat(parts: &[&[f32]], outer: usize) -> Rc<[f32]> {
    (0..outer)
        .flat_map(|run| {
            parts.iter().flat_map(move |part| {
                let length = part.len() / outer;
                part[run * length..(run + 1) * length].iter().copied()
            })
        })
        .collect()
}

fn matrix(numbers: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), numbers).expect("a matrix holds what its sides say")
}

fn multiply(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, out: &mut [f32]) {
    let sides = (a.nrows(), b.ncols());
    let mut out = ArrayViewMut2::from_shape(sides, out).expect("a product holds what its sides say");
    general_mat_mul(1.0, &a, &b, 0.0, &mut out);
}

/// The work on every item, shared out among the cores, in the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let share = items.len().div_ceil(threads);
    thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(|| part.iter().map(&work).collect::<Vec<R>>()))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_convolution_strides_and_pads() {
        let picture: Vec<f32> = (1..=9).map(|x| x as f32).collect();
        let window = Window { picture: &[1, 3, 3], kernel: &[1, 1, 2, 2], stride: 2, pads: [1, 0, 0, 1] };
        // Rows −1 and 1, columns 0 and 2: each sum of a square of four.
        let sums = conv(&picture, &[1.0; 4], &[0.5], &window);
        assert_eq!(*sums, [3.5, 3.5, 24.5, 15.5]);
    }

    #[test]
    fn sides_change_places() {
        let numbers: Vec<f32> = (0..24).map(|x| x as f32).collect();
        let turned = transpose(&numbers, &[2, 3, 4], &[2, 0, 1]);
        assert_eq!(turned[..7], [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 1.0]);
    }

    #[test]
    fn parts_are_joined_run_by_run() {
        assert_eq!(*concat(&[&[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0]], 2), [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
    }
}
