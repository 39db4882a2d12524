//! Operators that only preparation uses: OpenCV's 8-bit Gaussian blur and Pillow's 8-bit resizing, bit for bit. They allocate.

use super::resize::CHANNELS;

/// Blurs one 8-bit plane of `size` (width, height) with a square kernel of odd side `kernel`, borders mirrored without
/// repeating the edge (`GaussianBlur`, sigma from the kernel, `BORDER_REFLECT_101`).
///
/// # Panics
/// If `kernel` is even.
pub(crate) fn gaussian_blur(plane: &[u8], size: (usize, usize), kernel: usize) -> Vec<u8> {
    let (width, height) = size;
    assert!(kernel % 2 == 1, "a kernel has a middle");
    let weights = gaussian_weights(kernel);
    let half = kernel / 2;

    // Masks are black but for a part: only what the kernel reaches from there is worked out.
    let (columns, lines) = extent(plane, width);
    let columns = columns.start.saturating_sub(half)..(columns.end + half).min(width);
    // 255 · 256 is the largest sum: it fits.
    let mut rows = vec![0_u16; plane.len()];
    let mut padded = vec![0_u16; width + 2 * half];
    for y in lines.clone() {
        let (out, row) = (&mut rows[y * width..][..width], &plane[y * width..][..width]);
        for (at, value) in padded.iter_mut().enumerate() {
            *value = u16::from(row[mirror(at, half, width)]);
        }
        for (tap, weight) in weights.iter().enumerate() {
            let weight = *weight as u16;
            for (out, value) in out[columns.clone()].iter_mut().zip(&padded[columns.start + tap..]) {
                *out += value * weight;
            }
        }
    }

    let mut result = vec![0_u8; plane.len()];
    let mut sums = vec![0_u32; columns.len()];
    for (y, out) in result.chunks_exact_mut(width).enumerate() {
        sums.fill(1 << 15);
        let mut reached = false;
        for (tap, weight) in weights.iter().enumerate() {
            let from = mirror(y + tap, half, height);
            if !lines.contains(&from) {
                continue;
            }
            reached = true;
            for (sum, value) in sums.iter_mut().zip(&rows[from * width..][columns.clone()]) {
                *sum += u32::from(*value) * weight;
            }
        }
        if reached {
            for (out, sum) in out[columns.clone()].iter_mut().zip(&sums) {
                *out = (sum >> 16).min(255) as u8;
            }
        }
    }
    result
}

/// The columns and rows of a plane outside of which all is 0.
fn extent(plane: &[u8], width: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let (mut columns, mut lines) = (width..0, 0..0);
    for (y, row) in plane.chunks_exact(width).enumerate() {
        let Some(first) = row.iter().position(|&value| value != 0) else { continue };
        let last = row.iter().rposition(|&value| value != 0).unwrap_or(first);
        columns = columns.start.min(first)..columns.end.max(last + 1);
        lines = if lines.is_empty() { y..y + 1 } else { lines.start..y + 1 };
    }
    if lines.is_empty() { (0..0, 0..0) } else { (columns, lines) }
}

/// The position `at − half` in a line of `size`, mirrored at its first and last element, to and fro where the kernel is longer
/// than the line.
fn mirror(at: usize, half: usize, size: usize) -> usize {
    let there_and_back = (2 * (size - 1)).max(1);
    let at = at.abs_diff(half) % there_and_back;
    if at < size { at } else { there_and_back - at }
}

/// Weights in 1/256: tabulated up to 9, else rounded from the outside in, each rounding's error carried to the next.
fn gaussian_weights(kernel: usize) -> Vec<u32> {
    let outer: &[u32] = match kernel {
        1 => &[],
        3 => &[64],
        5 => &[16, 64],
        7 => &[8, 28, 56],
        9 => &[4, 13, 30, 51],
        _ => &[],
    };
    let half = kernel / 2;
    let mut weights = vec![0; kernel];
    if outer.len() == half {
        weights[..half].copy_from_slice(outer);
    } else {
        let sigma = 0.3 * ((kernel as f64 - 1.0) * 0.5 - 1.0) + 0.8;
        let exponents = (0..kernel).map(|at| -(at as f64 - half as f64).powi(2) / (2.0 * sigma * sigma));
        let bell: Vec<_> = exponents.map(f64::exp).collect();
        let total: f64 = bell.iter().sum();
        let mut carried = 0.0;
        for (weight, height) in weights.iter_mut().zip(&bell[..half]) {
            let exact = 256.0 * height / total + carried;
            let rounded = exact.round_ties_even();
            carried = exact - rounded;
            *weight = rounded as u32;
        }
    }
    weights[half] = 256 - 2 * weights[..half].iter().sum::<u32>();
    for at in 0..half {
        weights[kernel - 1 - at] = weights[at];
    }
    weights
}

/// The filters of [`pillow_resize`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Filter {
    /// A triangle, widened when shrinking.
    Bilinear,
    /// Keys' cubic with a = −0.5, widened when shrinking.
    Bicubic,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, at: f64) -> f64 {
        const A: f64 = -0.5;
        let x = at.abs();
        match self {
            Self::Bilinear => (1.0 - x).max(0.0),
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Bicubic => 0.0,
        }
    }
}

/// Resizes a packed 8-bit picture of 1 or 3 channels as Pillow does: horizontally, then vertically, 8 bits in between; a pass
/// whose size does not change is left out. No side may be 0.
pub(crate) fn pillow_resize(
    picture: &[u8],
    channels: usize,
    source: (usize, usize),
    target: (usize, usize),
    filter: Filter,
) -> Vec<u8> {
    pillow_resize_rows(picture, channels, source, target, filter, 0..target.1)
}

/// The same, of which only some rows are wanted; the others stay 0.
pub(crate) fn pillow_resize_rows(
    picture: &[u8],
    channels: usize,
    source: (usize, usize),
    target: (usize, usize),
    filter: Filter,
    wanted: std::ops::Range<usize>,
) -> Vec<u8> {
    debug_assert!(channels == 1 || channels == CHANNELS, "grey or colours");
    let mut wide = picture.to_vec();
    if source.0 != target.0 {
        let taps = Taps::new(source.0, target.0, filter);
        wide = vec![0; target.0 * source.1 * channels];
        for (out, row) in
            wide.chunks_exact_mut(target.0 * channels).zip(picture.chunks_exact(source.0 * channels))
        {
            for (at, out) in out.chunks_exact_mut(channels).enumerate() {
                let (first, weights) = taps.of(at);
                for (channel, out) in out.iter_mut().enumerate() {
                    let values = row[first * channels + channel..].iter().step_by(channels);
                    *out = round(values.zip(weights).map(|(value, weight)| i32::from(*value) * weight).sum());
                }
            }
        }
    }
    if source.1 == target.1 {
        wide[..wanted.start * target.0 * channels].fill(0);
        wide[wanted.end * target.0 * channels..].fill(0);
        return wide;
    }
    let taps = Taps::new(source.1, target.1, filter);
    let stride = target.0 * channels;
    let mut result = vec![0; stride * target.1];
    let mut sums = vec![0_i32; stride];
    for (y, out) in result.chunks_exact_mut(stride).enumerate().take(wanted.end).skip(wanted.start) {
        let (first, weights) = taps.of(y);
        sums.fill(0);
        for (row, weight) in wide[first * stride..].chunks_exact(stride).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += i32::from(*value) * weight;
            }
        }
        for (out, sum) in out.iter_mut().zip(&sums) {
            *out = round(*sum);
        }
    }
    result
}

fn round(sum: i32) -> u8 {
    ((sum + (1 << 21)) >> 22).clamp(0, 255) as u8
}

/// For each target element: its first source element and the weights, in 1/2²², of those from there on.
struct Taps {
    spans: Vec<(usize, std::ops::Range<usize>)>,
    weights: Vec<i32>,
}

impl Taps {
    fn new(source: usize, target: usize, filter: Filter) -> Self {
        let scale = source as f64 / target as f64;
        let stretch = scale.max(1.0);
        let support = filter.support() * stretch;
        let (mut spans, mut weights) = (Vec::with_capacity(target), Vec::new());
        for at in 0..target {
            let centre = (at as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let last = ((centre + support + 0.5) as usize).min(source);
            let exact: Vec<_> = (first..last)
                .map(|source| filter.weight((source as f64 - centre + 0.5) * (1.0 / stretch)))
                .collect();
            let total: f64 = exact.iter().sum();
            let start = weights.len();
            weights.extend(exact.iter().map(|weight| {
                let scaled = weight * (1.0 / total) * f64::from(1 << 22);
                (scaled + 0.5_f64.copysign(scaled)) as i32
            }));
            spans.push((first, start..weights.len()));
        }
        Self { spans, weights }
    }

    fn of(&self, at: usize) -> (usize, &[i32]) {
        let (first, range) = &self.spans[at];
        (*first, &self.weights[range.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::cases;
    use super::*;

    #[test]
    fn blur_equals_opencv_bit_for_bit() {
        for case in cases("blur") {
            case.check(&gaussian_blur(&case.picture(1), case.source, case.kernel));
        }
    }

    #[test]
    fn blur_weights_are_the_published_ones() {
        assert_eq!(gaussian_weights(11)[..6], [2, 7, 17, 31, 45, 52]);
        assert_eq!(gaussian_weights(23)[..12], [0, 1, 2, 3, 5, 8, 11, 15, 20, 24, 26, 26]);
        assert_eq!(gaussian_weights(31)[..16], [0, 1, 0, 1, 2, 3, 4, 6, 7, 10, 13, 15, 17, 19, 20, 20]);
    }

    #[test]
    fn resizing_equals_pillow_bit_for_bit() {
        for (operator, filter) in [("pillow_bilinear", Filter::Bilinear), ("pillow_bicubic", Filter::Bicubic)]
        {
            for case in cases(operator) {
                let channels = case.channels;
                case.check(&pillow_resize(
                    &case.picture(channels),
                    channels,
                    case.source,
                    case.target,
                    filter,
                ));
            }
        }
    }
}
