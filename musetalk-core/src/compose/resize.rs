//! OpenCV's 8-bit resizing, bit for bit: linear for every frame, Lanczos for preparation.
//!
//! The formulas were recovered from the operators' behaviour and hold for the x86 builds of OpenCV 4 and 5, whose faster paths
//! agree with them.

use std::ops::Range;

/// One unit of a filter weight.
const ONE: f32 = 2048.0;

/// Bytes of a pixel: red, green, blue in any order.
pub(crate) const CHANNELS: usize = 3;

/// Bytes that are combined at a time.
const BLOCK: usize = 16;

/// Linear resizing of an 8-bit picture of 3 channels (`INTER_LINEAR`), one row at a time and only the columns asked for.
///
/// The plan is made anew for every pair of sizes; within the capacity it was built with that allocates nothing.
#[derive(Debug)]
pub(crate) struct LinearResize {
    source: (usize, usize),
    target: (usize, usize),
    columns: Range<usize>,
    taps: Vec<Tap>,
    /// Two source rows, resized horizontally, as sums >> 4; row y lies in slot y & 1.
    rows: [Vec<u16>; 2],
    held: [Option<usize>; 2],
}

/// A target column: its left and right source pixel, and their weights.
#[derive(Clone, Copy, Debug)]
struct Tap {
    left: u32,
    right: u32,
    weights: [u16; 2],
}

impl LinearResize {
    /// A resizer for targets up to `max_width` pixels wide.
    pub(crate) fn new(max_width: usize) -> Self {
        Self {
            source: (0, 0),
            target: (0, 0),
            columns: 0..0,
            taps: Vec::with_capacity(max_width),
            rows: [0, 1].map(|_| Vec::with_capacity(max_width * CHANNELS)),
            held: [None; 2],
        }
    }

    /// Prepares for pictures of `source` (width, height) made into `target`, of which only `columns` are wanted.
    ///
    /// To be called for every picture; the tables are kept when the sizes are the same. No side may be 0.
    pub(crate) fn plan(&mut self, source: (usize, usize), target: (usize, usize), columns: Range<usize>) {
        self.held = [None; 2];
        if (self.source, self.target, &self.columns) == (source, target, &columns) {
            return;
        }
        self.taps.clear();
        self.taps.extend(columns.clone().map(|column| {
            let (mut left, mut fraction) = place(column, source.0, target.0);
            // Beyond the outermost pixels' centres the edge is repeated.
            if left < 0 {
                (left, fraction) = (0, 0.0);
            }
            let last = source.0 as i64 - 1;
            if left >= last {
                (left, fraction) = (last, 0.0);
            }
            let right = (left + 1).min(last);
            Tap { left: left as u32, right: right as u32, weights: linear_weights(fraction) }
        }));
        for row in &mut self.rows {
            row.resize(columns.len() * CHANNELS, 0);
        }
        (self.source, self.target, self.columns) = (source, target, columns);
    }

    /// Writes the planned columns of target row `row` to `out`, 3 bytes each. `source` is packed.
    ///
    /// Rows asked for from top to bottom read every source row once.
    pub(crate) fn row(&mut self, source: &[u8], row: usize, out: &mut [u8]) {
        let (upper, fraction) = place(row, self.source.1, self.target.1);
        let last = self.source.1 as i64 - 1;
        // Unlike the columns' the weights stay as they are at the edge: both rows are then the same one.
        let (upper, lower) = (upper.clamp(0, last) as usize, (upper + 1).clamp(0, last) as usize);
        self.hold(source, upper);
        self.hold(source, lower);
        let weights = linear_weights(fraction);
        let (upper, lower) = (&self.rows[upper & 1], &self.rows[lower & 1]);
        // In whole blocks first: only these the compiler turns into vector instructions.
        let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
        let (upper_blocks, upper_rest) = upper.as_chunks::<BLOCK>();
        let (lower_blocks, lower_rest) = lower.as_chunks::<BLOCK>();
        for ((out, upper), lower) in blocks.iter_mut().zip(upper_blocks).zip(lower_blocks) {
            *out = std::array::from_fn(|at| combine(upper[at], lower[at], weights));
        }
        for ((out, upper), lower) in rest.iter_mut().zip(upper_rest).zip(lower_rest) {
            *out = combine(*upper, *lower, weights);
        }
    }

    fn hold(&mut self, source: &[u8], row: usize) {
        let slot = row & 1;
        if self.held[slot] == Some(row) {
            return;
        }
        self.held[slot] = Some(row);
        let stride = self.source.0 * CHANNELS;
        let (pixels, _) = source[row * stride..][..stride].as_chunks::<CHANNELS>();
        let (out, _) = self.rows[slot].as_chunks_mut::<CHANNELS>();
        for (out, tap) in out.iter_mut().zip(&self.taps) {
            let (left, right) = (pixels[tap.left as usize], pixels[tap.right as usize]);
            let [left_weight, right_weight] = tap.weights.map(u32::from);
            // At most 255 · 2048 >> 4 = 32 640: it fits.
            *out = std::array::from_fn(|channel| {
                ((u32::from(left[channel]) * left_weight + u32::from(right[channel]) * right_weight) >> 4)
                    as u16
            });
        }
    }
}

/// Lanczos resizing over 8 × 8 pixels (`INTER_LANCZOS4`) of a packed 8-bit picture of 3 channels; no filter against aliasing
/// when shrinking. For preparation: allocates its result and its tables. No side may be 0.
pub(crate) fn lanczos(picture: &[u8], source: (usize, usize), target: (usize, usize)) -> Vec<u8> {
    let (width, height) = target;
    let columns: Vec<_> = (0..width).map(|column| lanczos_taps(column, source.0, width)).collect();
    let stride = width * CHANNELS;
    let mut rows = vec![0_i32; source.1 * stride];
    for (out, pixels) in rows.chunks_exact_mut(stride).zip(picture.chunks_exact(source.0 * CHANNELS)) {
        for (out, (at, weights)) in out.chunks_exact_mut(CHANNELS).zip(&columns) {
            for (channel, out) in out.iter_mut().enumerate() {
                *out = (0..8).map(|tap| i32::from(pixels[at[tap] * CHANNELS + channel]) * weights[tap]).sum();
            }
        }
    }
    let mut result = vec![0_u8; height * stride];
    for (row, out) in result.chunks_exact_mut(stride).enumerate() {
        let (at, weights) = lanczos_taps(row, source.1, height);
        for (byte, out) in out.iter_mut().enumerate() {
            // Below 2³¹ for any picture: the weights' positive and negative parts are at most 2778 and 732.
            let sum: i32 = (0..8).map(|tap| rows[at[tap] * stride + byte] * weights[tap]).sum();
            *out = ((sum + (1 << 21)) >> 22).clamp(0, 255) as u8;
        }
    }
    result
}

/// The source pixel left of a target pixel's centre, and how far to its right the centre lies. In f32, as the original.
fn place(target: usize, source_size: usize, target_size: usize) -> (i64, f32) {
    let scale = 1.0 / (target_size as f64 / source_size as f64);
    let at = ((target as f64 + 0.5) * scale - 0.5) as f32;
    let whole = at.floor();
    (whole as i64, at - whole)
}

fn linear_weights(fraction: f32) -> [u16; 2] {
    [1.0 - fraction, fraction].map(|weight| (weight * ONE).round_ties_even() as u16)
}

/// One byte of a row from the horizontal sums above and below it.
#[inline]
fn combine(upper: u16, lower: u16, [upper_weight, lower_weight]: [u16; 2]) -> u8 {
    let high_half = |value: u16, weight: u16| ((u32::from(value) * u32::from(weight)) >> 16) as u16;
    ((high_half(upper, upper_weight) + high_half(lower, lower_weight) + 2) >> 2).min(255) as u8
}

/// The eight source pixels of a target pixel, the edge repeated, and their weights in 1/2048.
fn lanczos_taps(target: usize, source_size: usize, target_size: usize) -> ([usize; 8], [i32; 8]) {
    let (whole, fraction) = place(target, source_size, target_size);
    let last = source_size as i64 - 1;
    let at = std::array::from_fn(|tap| (whole + tap as i64 - 3).clamp(0, last) as usize);
    (at, lanczos_weights(fraction))
}

fn lanczos_weights(fraction: f32) -> [i32; 8] {
    use std::f64::consts::{FRAC_1_SQRT_2 as R, FRAC_PI_4};
    // sin(π·x/4) turned by multiples of 135°, as (factor of sine, factor of cosine).
    const TURNS: [(f64, f64); 8] =
        [(1.0, 0.0), (-R, -R), (0.0, 1.0), (R, -R), (-1.0, 0.0), (R, R), (0.0, -1.0), (-R, R)];
    if fraction < f32::EPSILON {
        return [0, 0, 0, 2048, 0, 0, 0, 0];
    }
    let angle = |tap: f32| -f64::from(fraction + 3.0 - tap) * FRAC_PI_4;
    let (sine, cosine) = angle(0.0).sin_cos();
    let mut weights = [0.0_f32; 8];
    let mut sum = 0.0_f32;
    for (tap, (weight, (of_sine, of_cosine))) in weights.iter_mut().zip(TURNS).enumerate() {
        let angle = angle(tap as f32);
        *weight = ((of_sine * sine + of_cosine * cosine) / (angle * angle)) as f32;
        sum += *weight;
    }
    let scale = 1.0 / sum;
    weights.map(|weight| (weight * scale * ONE).round_ties_even() as i32)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::cases;
    use super::*;

    #[test]
    fn linear_equals_opencv_bit_for_bit() {
        // One resizer for all: planning anew must leave nothing of the plan before.
        let mut resize = LinearResize::new(601);
        for case in cases("linear") {
            let source = case.picture(3);
            let (width, height) = case.target;
            let mut result = vec![0; width * height * 3];
            resize.plan(case.source, case.target, 0..width);
            for (y, row) in result.chunks_exact_mut(width * 3).enumerate() {
                resize.row(&source, y, row);
            }
            case.check(&result);
        }
    }

    #[test]
    fn a_part_of_the_columns_and_any_order_of_rows_give_the_same_pixels() {
        let case = &cases("linear")[2];
        let source = case.picture(3);
        let (width, height) = case.target;
        let mut whole = vec![0; width * height * 3];
        let mut resize = LinearResize::new(width);
        resize.plan(case.source, case.target, 0..width);
        for (y, row) in whole.chunks_exact_mut(width * 3).enumerate() {
            resize.row(&source, y, row);
        }
        let columns = 7..width - 3;
        let mut part = vec![0; columns.len() * 3];
        resize.plan(case.source, case.target, columns.clone());
        for y in (0..height).rev().step_by(3) {
            resize.row(&source, y, &mut part);
            assert_eq!(part, whole[(y * width + columns.start) * 3..(y * width + columns.end) * 3]);
        }
    }

    #[test]
    fn planning_within_the_capacity_does_not_allocate() {
        let mut resize = LinearResize::new(300);
        let room =
            |resize: &LinearResize| (resize.taps.as_ptr(), resize.rows[0].as_ptr(), resize.rows[1].as_ptr());
        let before = room(&resize);
        for width in [20, 300, 77, 299] {
            resize.plan((128, 128), (width, width + 9), 0..width);
            assert_eq!(room(&resize), before);
        }
    }

    #[test]
    fn lanczos_equals_opencv_bit_for_bit() {
        for case in cases("lanczos") {
            case.check(&lanczos(&case.picture(3), case.source, case.target));
        }
    }

    #[test]
    fn lanczos_weights_are_the_published_ones() {
        assert_eq!(lanczos_weights(0.25), [-31, 114, -312, 1830, 579, -188, 64, -8]);
        assert_eq!(lanczos_weights(0.5), [-26, 122, -340, 1267, 1267, -340, 122, -26]);
    }
}
