//! OpenCV's `dilate` and `erode` of masks of 0 and 255, bit for bit. For preparation: they allocate.

/// One row of a flat structuring element that is symmetric from left to right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    /// The source row it reads, counted downwards from the row of the result.
    pub(crate) offset: i32,
    /// The columns it reads to each side of the result's.
    pub(crate) reach: usize,
}

/// 255 where the element, laid on the pixel, touches anything that is not 0. What is outside touches nothing.
pub(crate) fn dilate(mask: &[u8], size: (usize, usize), element: &[Span]) -> Vec<u8> {
    touched(mask, size, element, |value| value != 0, 255)
}

/// 0 where the element, laid on the pixel, touches a 0. What is outside counts as 255.
pub(crate) fn erode(mask: &[u8], size: (usize, usize), element: &[Span]) -> Vec<u8> {
    touched(mask, size, element, |value| value == 0, 0)
}

/// `hit` where the element meets a pixel that `counts`, and 255 − `hit` elsewhere.
fn touched(
    mask: &[u8],
    (width, height): (usize, usize),
    element: &[Span],
    counts: impl Fn(u8) -> bool,
    hit: u8,
) -> Vec<u8> {
    let mut result = vec![255 - hit; mask.len()];
    // How many pixels of each row count, from its start to before a column: any run of a row is one subtraction.
    let mut before = vec![0_u32; (width + 1) * height];
    for (sums, row) in before.chunks_exact_mut(width + 1).zip(mask.chunks_exact(width)) {
        for (at, &value) in row.iter().enumerate() {
            sums[at + 1] = sums[at] + u32::from(counts(value));
        }
    }
    for (y, out) in result.chunks_exact_mut(width).enumerate() {
        for &Span { offset, reach } in element {
            let row = usize::try_from(y as i64 + i64::from(offset)).ok().filter(|&row| row < height);
            let Some(row) = row else { continue };
            let sums = &before[row * (width + 1)..][..=width];
            if sums[width] == 0 {
                continue;
            }
            let mut rim = |x: usize| {
                if sums[(x + reach + 1).min(width)] > sums[x.saturating_sub(reach)] {
                    out[x] = hit;
                }
            };
            (0..reach.min(width)).for_each(&mut rim);
            (width.saturating_sub(reach).max(reach.min(width))..width).for_each(&mut rim);
            // Away from both sides without a question: this the compiler turns into vector instructions.
            let inner = width.saturating_sub(2 * reach);
            if inner > 0 {
                let ends = sums[2 * reach + 1..].iter().zip(&sums[..inner]);
                for (out, (after, before)) in out[reach..reach + inner].iter_mut().zip(ends) {
                    *out = if after > before { hit } else { *out };
                }
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::cases;
    use super::*;

    /// The elements of `make_compose.py`.
    fn element(kernel: usize) -> Vec<Span> {
        match kernel {
            33 => crate::prepare::cone().into(),
            35 => crate::prepare::line().into(),
            _ => (-1..=1).map(|offset| Span { offset, reach: kernel / 2 }).collect(),
        }
    }

    #[test]
    fn dilating_equals_opencv_bit_for_bit() {
        for case in cases("dilate") {
            case.check(&dilate(&case.picture(1), case.source, &element(case.kernel)));
        }
    }

    #[test]
    fn eroding_equals_opencv_bit_for_bit() {
        for case in cases("erode") {
            case.check(&erode(&case.picture(1), case.source, &element(case.kernel)));
        }
    }
}
