//! Operators that only preparation uses: OpenCV's 8-bit Gaussian blur and Pillow's 8-bit resizing, bit for bit. They allocate.

use std::ops::Range;

use super::Area;
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
    let seen = extent(plane, width);
    let reached = seen.reaching(half, half, half, size);
    let (columns, lines) = (&reached.columns, seen.rows.clone());
    // 255 · 256 is the largest sum: it fits into 16 bits. Kept as two planes of a byte each, so that the second pass fits, too.
    let mut rows = [vec![0_u16; columns.len() * lines.len()], vec![0_u16; columns.len() * lines.len()]];
    let mut padded = vec![0_u16; width + 2 * half];
    let mut sums = vec![0_u16; columns.len()];
    for (line, y) in lines.clone().enumerate() {
        let row = &plane[y * width..][..width];
        for (at, value) in padded.iter_mut().enumerate() {
            *value = u16::from(row[mirror(at, half, width)]);
        }
        sums.fill(0);
        for (tap, weight) in weights[..half].iter().enumerate().filter(|(_, weight)| **weight > 0) {
            let (before, after) = (&padded[columns.start + tap..], &padded[columns.start + 2 * half - tap..]);
            for (sum, (before, after)) in sums.iter_mut().zip(before.iter().zip(after)) {
                *sum += (before + after) * weight;
            }
        }
        let [high, low] = rows.each_mut().map(|plane| &mut plane[line * columns.len()..][..columns.len()]);
        let middles = sums.iter().zip(&padded[columns.start + half..]);
        for ((high, low), (sum, middle)) in high.iter_mut().zip(low).zip(middles) {
            let sum = sum + middle * weights[half];
            (*high, *low) = (sum >> 8, sum & 255);
        }
    }

    let mut result = vec![0_u8; plane.len()];
    let mut sums = [vec![0_u16; columns.len()], vec![0_u16; columns.len()]];
    let black = vec![0_u16; columns.len()];
    for y in reached.rows.clone() {
        let line = |tap: usize| {
            let from = mirror(y + tap, half, height);
            lines.contains(&from).then(|| (from - lines.start) * columns.len())
        };
        let row =
            |plane: usize, at: Option<usize>| at.map_or(&black[..], |at| &rows[plane][at..][..columns.len()]);
        for (plane, sums) in sums.iter_mut().enumerate() {
            let middle = row(plane, line(half));
            sums.iter_mut().zip(middle).for_each(|(sum, value)| *sum = value * weights[half]);
        }
        for (tap, &weight) in weights[..half].iter().enumerate().filter(|(_, weight)| **weight > 0) {
            let (before, after) = (line(tap), line(2 * half - tap));
            if before.or(after).is_none() {
                continue;
            }
            for (plane, sums) in sums.iter_mut().enumerate() {
                let pairs = row(plane, before).iter().zip(row(plane, after));
                sums.iter_mut()
                    .zip(pairs)
                    .for_each(|(sum, (before, after))| *sum += (before + after) * weight);
            }
        }
        let [high, low] = &sums;
        for (out, (high, low)) in result[y * width..][columns.clone()].iter_mut().zip(high.iter().zip(low)) {
            // (256 · high + low + 2¹⁵) / 2¹⁶, less what cannot carry.
            *out = ((u32::from(*high) + u32::from(*low >> 8) + 128) >> 8).min(255) as u8;
        }
    }
    result
}

/// The columns and rows of a plane outside of which all is 0.
fn extent(plane: &[u8], width: usize) -> Area {
    let (mut columns, mut lines) = (width..0, 0..0);
    for (y, row) in plane.chunks_exact(width).enumerate() {
        let Some(first) = row.iter().position(|&value| value != 0) else { continue };
        let last = row.iter().rposition(|&value| value != 0).unwrap_or(first);
        columns = columns.start.min(first)..columns.end.max(last + 1);
        lines = if lines.is_empty() { y..y + 1 } else { lines.start..y + 1 };
    }
    if lines.is_empty() { Area { columns: 0..0, rows: 0..0 } } else { Area { columns, rows: lines } }
}

/// The position `at − half` in a line of `size`, mirrored at its first and last element, to and fro where the kernel is longer
/// than the line.
fn mirror(at: usize, half: usize, size: usize) -> usize {
    let there_and_back = (2 * (size - 1)).max(1);
    let at = at.abs_diff(half) % there_and_back;
    if at < size { at } else { there_and_back - at }
}

/// Weights in 1/256: tabulated up to 9, else rounded from the outside in, each rounding's error carried to the next.
fn gaussian_weights(kernel: usize) -> Vec<u16> {
    let outer: &[u16] = match kernel {
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
            *weight = rounded as u16;
        }
    }
    weights[half] = 256 - 2 * weights[..half].iter().sum::<u16>();
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
    pillow_resize_part(picture, channels, source, target, filter, &Area::whole(target))
}

/// The same, of which only a part is wanted; the rest stays 0.
pub(crate) fn pillow_resize_part(
    picture: &[u8],
    channels: usize,
    source: (usize, usize),
    target: (usize, usize),
    filter: Filter,
    wanted: &Area,
) -> Vec<u8> {
    debug_assert!(channels == 1 || channels == CHANNELS, "grey or colours");
    let read = resized_from(source, target, filter, wanted);
    let stride = target.0 * channels;
    // Rows that are read, of which the wanted columns are as wide as they will be.
    let mut wide = vec![0; stride * source.1];
    let columns = wanted.columns.start * channels..wanted.columns.end * channels;
    let taps = (source.0 != target.0).then(|| Taps::new(source.0, target.0, filter));
    for y in read.rows.clone() {
        let row = &picture[y * source.0 * channels..][..source.0 * channels];
        let out = &mut wide[y * stride..][..stride];
        match &taps {
            None => out[columns.clone()].copy_from_slice(&row[columns.clone()]),
            Some(taps) if channels == CHANNELS => taps.along::<CHANNELS>(row, out, &wanted.columns),
            Some(taps) => taps.along::<1>(row, out, &wanted.columns),
        }
    }
    if source.1 == target.1 {
        return wide;
    }
    let taps = Taps::new(source.1, target.1, filter);
    let mut result = vec![0; stride * target.1];
    let mut sums = vec![0_i32; columns.len()];
    for y in wanted.rows.clone() {
        let (first, weights) = taps.of(y);
        sums.fill(1 << 21);
        for (row, weight) in wide[first * stride..].chunks_exact(stride).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(&row[columns.clone()]) {
                *sum += i32::from(*value) * weight;
            }
        }
        for (out, sum) in result[y * stride..][columns.clone()].iter_mut().zip(&sums) {
            *out = (sum >> 22).clamp(0, 255) as u8;
        }
    }
    result
}

/// What a part of a resized picture is made of.
pub(crate) fn resized_from(
    source: (usize, usize),
    target: (usize, usize),
    filter: Filter,
    wanted: &Area,
) -> Area {
    let along = |source: usize, target: usize, wanted: &Range<usize>| {
        if source == target || wanted.is_empty() {
            return wanted.clone();
        }
        let reach = |at| Taps::reach(source, target, filter, at);
        reach(wanted.start).start..reach(wanted.end - 1).end
    };
    Area {
        columns: along(source.0, target.0, &wanted.columns),
        rows: along(source.1, target.1, &wanted.rows),
    }
}

/// For each target element: its first source element and the weights, in 1/2²², of those from there on.
struct Taps {
    spans: Vec<(usize, Range<usize>)>,
    weights: Vec<i32>,
}

impl Taps {
    fn new(source: usize, target: usize, filter: Filter) -> Self {
        let scale = source as f64 / target as f64;
        let stretch = scale.max(1.0);
        let (mut spans, mut weights) = (Vec::with_capacity(target), Vec::new());
        let mut exact = Vec::new();
        for at in 0..target {
            let centre = (at as f64 + 0.5) * scale;
            let span = Self::reach(source, target, filter, at);
            let first = span.start;
            exact.clear();
            exact.extend(span.map(|source| filter.weight((source as f64 - centre + 0.5) * (1.0 / stretch))));
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

    /// The source elements of a target element.
    fn reach(source: usize, target: usize, filter: Filter, at: usize) -> Range<usize> {
        let scale = source as f64 / target as f64;
        let support = filter.support() * scale.max(1.0);
        let centre = (at as f64 + 0.5) * scale;
        (centre - support + 0.5).max(0.0) as usize..((centre + support + 0.5) as usize).min(source)
    }

    /// Resizes some columns of a row.
    fn along<const CHANNELS: usize>(&self, row: &[u8], out: &mut [u8], columns: &Range<usize>) {
        let (row, _) = row.as_chunks::<CHANNELS>();
        let (out, _) = out.as_chunks_mut::<CHANNELS>();
        for (out, (first, weights)) in out[columns.clone()].iter_mut().zip(&self.spans[columns.clone()]) {
            let weights = &self.weights[weights.clone()];
            let mut sums = [1_i32 << 21; CHANNELS];
            for (pixel, weight) in row[*first..][..weights.len()].iter().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(*value) * weight;
                }
            }
            *out = sums.map(|sum| (sum >> 22).clamp(0, 255) as u8);
        }
    }

    fn of(&self, at: usize) -> (usize, &[i32]) {
        let (first, range) = &self.spans[at];
        (*first, &self.weights[range.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{cases, parts_are_parts};
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
                let picture = case.picture(channels);
                let resize = |part: &Area| {
                    pillow_resize_part(&picture, channels, case.source, case.target, filter, part)
                };
                let whole = resize(&Area::whole(case.target));
                if channels == 1 {
                    parts_are_parts(&case, &whole, resize);
                }
                case.check(&whole);
            }
        }
    }
}
