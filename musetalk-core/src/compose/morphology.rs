//! OpenCV's `dilate` and `erode` of masks of 0 and 255, bit for bit. For preparation: they allocate.

use super::Area;

/// One row of a flat structuring element that is symmetric from left to right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    /// The source row it reads, counted downwards from the row of the result.
    pub(crate) offset: i32,
    /// The columns it reads to each side of the result's.
    pub(crate) reach: usize,
}

/// 255 where the element, laid on the pixel, touches anything that is not 0. What is outside touches nothing. Only the wanted part is
/// worked out; the rest is 0.
pub(crate) fn dilate(mask: &[u8], size: (usize, usize), element: &[Span], wanted: &Area) -> Vec<u8> {
    touched(mask, size, element, wanted, |value| value != 0, 255)
}

/// 0 where the element, laid on the pixel, touches a 0. What is outside counts as 255. Only the wanted part is worked out; the rest
/// is 255.
pub(crate) fn erode(mask: &[u8], size: (usize, usize), element: &[Span], wanted: &Area) -> Vec<u8> {
    touched(mask, size, element, wanted, |value| value == 0, 0)
}

/// `hit` where the element meets a pixel that `counts`, and 255 − `hit` elsewhere.
fn touched(
    mask: &[u8],
    (width, height): (usize, usize),
    element: &[Span],
    wanted: &Area,
    counts: impl Fn(u8) -> bool,
    hit: u8,
) -> Vec<u8> {
    let mut result = vec![255 - hit; mask.len()];
    let ends = element.iter().map(|span| span.offset);
    let (up, down) = (ends.clone().min().unwrap_or(0), ends.max().unwrap_or(0));
    let reach = element.iter().map(|span| span.reach).max().unwrap_or(0);
    let read = wanted.reaching(reach, (-up).max(0) as usize, down.max(0) as usize, (width, height));
    // How many pixels of each row count, from its start to before a column: two sums tell whether anything between them counts. They
    // may run over, for no run has 65 536 columns.
    let mut before = vec![0_u16; (width + 1) * read.rows.len()];
    let rows = mask.chunks_exact(width).skip(read.rows.start);
    for (sums, row) in before.chunks_exact_mut(width + 1).zip(rows) {
        let mut sum = 0_u16;
        for (out, &value) in sums[read.columns.start + 1..].iter_mut().zip(&row[read.columns.clone()]) {
            sum = sum.wrapping_add(u16::from(counts(value)));
            *out = sum;
        }
    }
    let columns = &wanted.columns;
    let rows = result.chunks_exact_mut(width).enumerate();
    for (y, out) in rows.take(wanted.rows.end).skip(wanted.rows.start) {
        for &Span { offset, reach } in element {
            let row = usize::try_from(y as i64 + i64::from(offset)).ok().filter(|&row| row < height);
            let Some(row) = row else { continue };
            let sums = &before[(row - read.rows.start) * (width + 1)..][..=width];
            let mut rim = |x: usize| {
                if sums[(x + reach + 1).min(width)] != sums[x.saturating_sub(reach)] {
                    out[x] = hit;
                }
            };
            let inner =
                (columns.start.max(reach)).min(columns.end)..columns.end.min(width.saturating_sub(reach));
            if inner.is_empty() {
                columns.clone().for_each(&mut rim);
                continue;
            }
            (columns.start..inner.start).for_each(&mut rim);
            (inner.end..columns.end).for_each(&mut rim);
            // Away from both sides without a question: this the compiler turns into vector instructions.
            let ends = sums[inner.start + reach + 1..].iter().zip(&sums[inner.start - reach..]);
            for (out, (after, before)) in out[inner].iter_mut().zip(ends) {
                *out = if after != before { hit } else { *out };
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{cases, parts_are_parts};
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
            let (picture, element) = (case.picture(1), element(case.kernel));
            let whole = dilate(&picture, case.source, &element, &Area::whole(case.source));
            parts_are_parts(&case, &whole, |part| dilate(&picture, case.source, &element, part));
            case.check(&whole);
        }
    }

    #[test]
    fn eroding_equals_opencv_bit_for_bit() {
        for case in cases("erode") {
            let (picture, element) = (case.picture(1), element(case.kernel));
            let whole = erode(&picture, case.source, &element, &Area::whole(case.source));
            parts_are_parts(&case, &whole, |part| erode(&picture, case.source, &element, part));
            case.check(&whole);
        }
    }
}
