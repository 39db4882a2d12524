//! OpenCV's 8-bit resizing, bit for bit: linear for every frame, Lanczos for preparation.
//!
//! The formulas were recovered from the operators' behaviour and hold for the x86 builds of OpenCV 4 and 5, whose faster paths
//! agree with them.

use std::ops::Range;

/// One unit of a filter weight.
const ONE: f32 = 2048.0;

/// Bytes of a pixel: red, green, blue in any order.
const CHANNELS: usize = 3;

/// Linear resizing of an 8-bit picture of 3 channels (`INTER_LINEAR`), one row at a time and only the columns asked for.
///
/// The plan is made anew for every pair of sizes; within the capacity it was built with that allocates nothing.
pub(crate) struct LinearResize {
    source: (usize, usize),
    target: (usize, usize),
    columns: Range<usize>,
    taps: Vec<Tap>,
    /// Two source rows, resized horizontally, as sums >> 4; row y lies in slot y & 1.
    rows: [Vec<i16>; 2],
    held: [Option<usize>; 2],
}

/// A target column: the byte of its left source pixel, the distance in bytes to its right one, and their weights.
#[derive(Clone, Copy)]
struct Tap {
    left: u32,
    step: u32,
    weights: [i16; 2],
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
    /// Keeps the tables when nothing changed. No side may be 0.
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
            let step = if left < last { CHANNELS as u32 } else { 0 };
            Tap { left: left as u32 * CHANNELS as u32, step, weights: linear_weights(fraction) }
        }));
        for row in &mut self.rows {
            row.resize(columns.len() * CHANNELS, 0);
        }
        (self.source, self.target, self.columns) = (source, target, columns);
    }

    /// Forgets the rows it holds: the next rows come from another picture of the same size.
    pub(crate) fn start(&mut self) {
        self.held = [None; 2];
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
        let [upper_weight, lower_weight] = linear_weights(fraction);
        let (upper, lower) = (&self.rows[upper & 1], &self.rows[lower & 1]);
        for ((out, upper), lower) in out.iter_mut().zip(upper).zip(lower) {
            let sum = high_half(*upper, upper_weight) + high_half(*lower, lower_weight);
            *out = ((sum + 2) >> 2).clamp(0, 255) as u8;
        }
    }

    fn hold(&mut self, source: &[u8], row: usize) {
        let slot = row & 1;
        if self.held[slot] == Some(row) {
            return;
        }
        self.held[slot] = Some(row);
        let stride = self.source.0 * CHANNELS;
        let pixels = &source[row * stride..][..stride];
        for (out, tap) in self.rows[slot].chunks_exact_mut(CHANNELS).zip(&self.taps) {
            let left = &pixels[tap.left as usize..][..CHANNELS];
            let right = &pixels[(tap.left + tap.step) as usize..][..CHANNELS];
            let [left_weight, right_weight] = tap.weights.map(i32::from);
            for ((out, left), right) in out.iter_mut().zip(left).zip(right) {
                // At most 255 · 2048 >> 4 = 32 640: it fits.
                *out = ((i32::from(*left) * left_weight + i32::from(*right) * right_weight) >> 4) as i16;
            }
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

fn linear_weights(fraction: f32) -> [i16; 2] {
    [1.0 - fraction, fraction].map(|weight| (weight * ONE).round_ties_even() as i16)
}

fn high_half(value: i16, weight: i16) -> i16 {
    ((i32::from(value) * i32::from(weight)) >> 16) as i16
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
