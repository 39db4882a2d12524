//! OpenCV's 8-bit `warpAffine`, linear, black outside, bit for bit. For preparation: it allocates.

use super::resize::CHANNELS;

/// Positions are whole numbers of 1/1024 of a pixel, rounded to 1/32.
const FINE: f64 = 1024.0;
/// Steps of a position between two pixels.
const STEPS: i64 = 32;

/// A map of the plane: x′ = m₀₀·x + m₀₁·y + m₀₂, y′ = m₁₀·x + m₁₁·y + m₁₂.
pub(crate) type Affine = [[f64; 3]; 2];

/// The picture of `target` (width, height) in which `forward` has moved every pixel of a packed picture of 3 channels; black where
/// it came from outside. `forward` must be invertible.
pub(crate) fn warp_affine(
    picture: &[u8],
    source: (usize, usize),
    target: (usize, usize),
    forward: &Affine,
) -> Vec<u8> {
    let back = inverse(forward);
    let fixed = |value: f64| value.round_ties_even() as i64;
    let mut result = vec![0; target.0 * target.1 * CHANNELS];
    let rows = result.chunks_exact_mut(target.0 * CHANNELS).enumerate();
    for (y, row) in rows {
        let at_row = back.map(|[_, by_y, shift]| fixed((by_y * y as f64 + shift) * FINE));
        for (x, out) in row.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
            let [at_x, at_y] = std::array::from_fn(|axis| {
                (at_row[axis] + FINE as i64 / STEPS / 2 + fixed(back[axis][0] * x as f64 * FINE)) >> 5
            });
            *out = sample(picture, source, at_x, at_y);
        }
    }
    result
}

/// The pixel at a position in 1/32 of a pixel, from the four around it.
fn sample(picture: &[u8], (width, height): (usize, usize), at_x: i64, at_y: i64) -> [u8; CHANNELS] {
    let (left, top) = (at_x.div_euclid(STEPS), at_y.div_euclid(STEPS));
    let (right_part, lower_part) = (at_x.rem_euclid(STEPS), at_y.rem_euclid(STEPS));
    // Exact: 32 · 32 divides 32 768.
    let weight = |part: i64, other: bool| if other { part } else { STEPS - part };
    let mut sums = [1_i64 << 14; CHANNELS];
    for (lower, right) in [(false, false), (false, true), (true, false), (true, true)] {
        let (x, y) = (left + i64::from(right), top + i64::from(lower));
        if x < 0 || y < 0 || x >= width as i64 || y >= height as i64 {
            continue;
        }
        let weight = weight(right_part, right) * weight(lower_part, lower) * 32;
        let pixel = &picture[(y as usize * width + x as usize) * CHANNELS..][..CHANNELS];
        for (sum, &value) in sums.iter_mut().zip(pixel) {
            *sum += weight * i64::from(value);
        }
    }
    sums.map(|sum| (sum >> 15) as u8)
}

fn inverse(&[[a, b, c], [d, e, f]]: &Affine) -> Affine {
    let determinant = a * e - b * d;
    let scale = if determinant == 0.0 { 0.0 } else { 1.0 / determinant };
    let (a, e) = (e * scale, a * scale);
    let (b, d) = (-b * scale, -d * scale);
    [[a, b, -a * c - b * f], [d, e, -d * c - e * f]]
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::cases;
    use super::*;

    #[test]
    fn equals_opencv_bit_for_bit() {
        for case in cases("warp") {
            let result = warp_affine(&case.picture(3), case.source, case.target, &case.affine);
            case.check(&result);
        }
    }
}
