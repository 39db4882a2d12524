//! What a pack's self-test feeds its networks, and which numbers of the answer it keeps.
//!
//! The builder of a pack works out each network's first output for these inputs in plain f32, without any engine, and records
//! it. Whoever loads the pack on a device can then ask whether that device computes the same. Both sides must
//! make the same numbers, on any machine and in any language, so they are specified to the bit:
//!
//! Number *i* of input *j* (both from 0, *i* < 2⁴⁰) is made with wrapping 64-bit arithmetic:
//!
//! ```text
//! z = (j·2⁴⁰ + i + 1) · 0x9E3779B97F4A7C15
//! z = (z ^ z≫30) · 0xBF58476D1CE4E5B9
//! z = (z ^ z≫27) · 0x94D049BB133111EB
//! z =  z ^ z≫31
//! s = the sum of the four 16-bit parts of z                  0 … 262 140
//! x = (s − 131 070) / 37 837                                 one division in f32, rounded to nearest even
//! ```
//!
//! That is SplitMix64 read at a place of choice, and the sum of four even distributions: a mean of 0, a deviation of 1, nothing beyond
//! ±3.47. An input's numbers fill its shape in row-major order, with a batch of 1.

/// The numbers that input `index` (from 0) of every network is given in the self-test, as the module specifies.
///
/// `count` is how many numbers one item of that input has.
///
/// ```
/// let latent = musetalk_core::self_test::input(0, 3);
/// assert_eq!(latent, [1.4286281, 0.13914952, -1.4532336]);
/// ```
pub fn input(index: usize, count: usize) -> Vec<f32> {
    let first = (index as u64) << 40;
    (1..=count as u64).map(|place| number(first.wrapping_add(place))).collect()
}

/// The places, in an output of `count` numbers, whose values a pack records: ⌊k·count/n⌋ for k < n = min(count, 512).
///
/// ```
/// assert!(musetalk_core::self_test::places(3).eq([0, 1, 2]));
/// assert!(musetalk_core::self_test::places(1_000).take(4).eq([0, 1, 3, 5]));
/// ```
pub fn places(count: usize) -> impl Iterator<Item = usize> {
    let kept = count.min(KEPT);
    // Through u128, so that no count overflows.
    (0..kept).map(move |k| usize::try_from(k as u128 * count as u128 / kept as u128).unwrap_or(usize::MAX))
}

/// Numbers that are recorded of one output at most.
const KEPT: usize = 512;

fn number(place: u64) -> f32 {
    let mut z = place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    let sum: i32 =
        z.to_le_bytes().chunks_exact(2).map(|part| i32::from(u16::from_le_bytes([part[0], part[1]]))).sum();
    // Below 2²⁴ in size, so the conversion is exact and the division is the only rounding.
    (sum - 131_070) as f32 / 37_837.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_about_standard_normal() {
        let numbers = input(1, 100_000);
        let mean = numbers.iter().sum::<f32>() / 1e5;
        let variance = numbers.iter().map(|x| x * x).sum::<f32>() / 1e5;
        let largest = numbers.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(mean.abs() < 0.02, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
        assert!((3.0..3.47).contains(&largest), "largest {largest}");
    }

    #[test]
    fn inputs_differ_by_index_and_are_prefixes_of_longer_ones() {
        assert_ne!(input(0, 64), input(1, 64));
        assert_eq!(input(2, 64), input(2, 1_000)[..64]);
    }

    #[test]
    fn places_are_distinct_rising_and_inside() {
        for count in [0, 1, 2, 511, 512, 513, 1_000, 786_432, usize::MAX] {
            let places: Vec<usize> = places(count).collect();
            assert_eq!(places.len(), count.min(512));
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(places.iter().all(|&place| place < count));
        }
    }
}
