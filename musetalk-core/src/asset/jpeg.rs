//! A baseline JPEG encoder: colours at half resolution where they may be, Huffman codes made for the picture. Any decoder reads what
//! it writes (ITU-T T.81, JFIF 1.02).
//!
//! The encoder of the `image` crate keeps colours at full resolution and uses the codes of T.81's annex K; pictures of 1080p footage
//! come out a third smaller here at the same quality.

mod codes;
mod huffman;

use codes::{Bits, Counts, code, count};
use huffman::Table;

/// How the colours of a picture are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Chroma {
    /// For every pixel.
    Full,
    /// For every square of four, as video does.
    Half,
}

/// Where the coefficient with this number stands in its block, row by row.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// T.81, tables K.1 and K.2: the steps of quality 50, row by row.
const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17,
    22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78,
    87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const COLOUR: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

pub(super) type Block = [i16; 64];

/// Packed RGB as JPEG. `quality` is 1 to 100, by the usual scale; neither side is 0 or above 65 535.
pub(crate) fn encode(rgb: &[u8], (width, height): (usize, usize), quality: u8, chroma: Chroma) -> Vec<u8> {
    let steps = [steps(&LUMA, quality), steps(&COLOUR, quality)];
    let [luma, blue, red] = planes(rgb, width, height);
    let scale = if chroma == Chroma::Half { 2 } else { 1 };
    let across = width.div_ceil(8 * scale);
    let down = height.div_ceil(8 * scale);
    let transform = Transform::new();
    let grid = |plane: &Plane, columns, rows, steps| transform.blocks(plane, columns, rows, steps);
    let components = [
        grid(&luma, across * scale, down * scale, &steps[0]),
        grid(&blue.shrunk(scale), across, down, &steps[1]),
        grid(&red.shrunk(scale), across, down, &steps[1]),
    ];
    // The blocks in the order of the file: all of one square of the picture, then those of the next.
    let walk = |visit: &mut dyn FnMut(usize, &Block)| {
        for y in 0..down {
            for x in 0..across {
                for at in 0..scale * scale {
                    let place = (y * scale + at / scale) * across * scale + x * scale + at % scale;
                    visit(0, &components[0][place]);
                }
                visit(1, &components[1][y * across + x]);
                visit(2, &components[2][y * across + x]);
            }
        }
    };
    let mut counts = [Counts::default(), Counts::default()];
    let mut before = [0; 3];
    walk(&mut |component, block| count(block, &mut before[component], &mut counts[component.min(1)]));
    let tables = counts.map(|counts| [Table::of(&counts.steps), Table::of(&counts.waves)]);
    let mut out = head((width, height), scale as u8, &steps, &tables);
    let mut bits = Bits::new(&mut out);
    let mut before = [0; 3];
    walk(&mut |component, block| code(block, &mut before[component], &tables[component.min(1)], &mut bits));
    bits.finish();
    out.extend_from_slice(&[0xff, 0xd9]);
    out
}

/// Whether a JPEG can be decoded from top to bottom with a few rows at hand: baseline, and all three colours in one scan. Others make a decoder
/// hold every coefficient of the picture.
pub(crate) fn is_streamed(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.strip_prefix(&[0xff, 0xd8]);
    let mut baseline = false;
    while let Some([0xff, marker, high, low, following @ ..]) = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        match marker {
            0xc0 => baseline = true,
            0xc4 | 0xdb..=0xdd | 0xe0..=0xef | 0xfe => {}
            0xda => return baseline && following.first() == Some(&3),
            _ => return false,
        }
        rest = length.checked_sub(2).and_then(|length| following.get(length..));
    }
    false
}

fn steps(table: &[u8; 64], quality: u8) -> [u8; 64] {
    let quality = i32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5_000 / quality } else { 200 - 2 * quality };
    table.map(|step| ((i32::from(step) * percent + 50) / 100).clamp(1, 255) as u8)
}

/// One colour of a picture, −128 … 127.
struct Plane {
    values: Vec<f32>,
    width: usize,
    height: usize,
}

/// Lightness, blue and red as JFIF defines them.
fn planes(rgb: &[u8], width: usize, height: usize) -> [Plane; 3] {
    let plane = || Plane { values: Vec::with_capacity(width * height), width, height };
    let [mut luma, mut blue, mut red] = [plane(), plane(), plane()];
    for pixel in rgb.as_chunks::<3>().0 {
        let [r, g, b] = pixel.map(f32::from);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        luma.values.push(y - 128.0);
        blue.values.push((b - y) / 1.772);
        red.values.push((r - y) / 1.402);
    }
    [luma, blue, red]
}

impl Plane {
    /// The mean of every square of `scale` by `scale` pixels; the last ones stand for what is missing.
    fn shrunk(self, scale: usize) -> Self {
        if scale == 1 {
            return self;
        }
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let upper = &self.values[2 * y * self.width..][..self.width];
            let lower = &self.values[(2 * y + 1).min(self.height - 1) * self.width..][..self.width];
            values.extend((0..width).map(|x| {
                let (left, right) = (2 * x, (2 * x + 1).min(self.width - 1));
                (upper[left] + upper[right] + lower[left] + lower[right]) / 4.0
            }));
        }
        Self { values, width, height }
    }
}

/// The cosines of the transform.
struct Transform([[f32; 8]; 8]);

impl Transform {
    fn new() -> Self {
        let cosine = |wave: usize, at: usize| {
            let scale = if wave == 0 { 0.125_f64.sqrt() } else { 0.5 };
            (scale * ((2 * at + 1) as f64 * wave as f64 * std::f64::consts::PI / 16.0).cos()) as f32
        };
        Self(std::array::from_fn(|wave| std::array::from_fn(|at| cosine(wave, at))))
    }

    /// Blocks row by row, in waves and in steps of the table; in zigzag order each.
    fn blocks(&self, plane: &Plane, columns: usize, rows: usize, steps: &[u8; 64]) -> Vec<Block> {
        let inverse: [f32; 64] = std::array::from_fn(|at| 1.0 / f32::from(steps[at]));
        let mut blocks = Vec::with_capacity(columns * rows);
        for y in 0..rows {
            for x in 0..columns {
                let mut square = [[0.0; 8]; 8];
                for (line, out) in square.iter_mut().enumerate() {
                    let row = (8 * y + line).min(plane.height - 1) * plane.width;
                    if 8 * x + 8 <= plane.width {
                        out.copy_from_slice(&plane.values[row + 8 * x..][..8]);
                    } else {
                        *out =
                            std::array::from_fn(|at| plane.values[row + (8 * x + at).min(plane.width - 1)]);
                    }
                }
                let waves = self.along(&self.along(&square));
                let quantised = |at: usize| (waves[at / 8][at % 8] * inverse[at]).round_ties_even() as i16;
                blocks.push(ZIGZAG.map(|at| quantised(usize::from(at))));
            }
        }
        blocks
    }

    /// Transforms every row, and turns the block: twice is both ways.
    fn along(&self, square: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
        let mut turned = [[0.0; 8]; 8];
        for (wave, cosines) in self.0.iter().enumerate() {
            for (line, row) in square.iter().enumerate() {
                turned[wave][line] = row.iter().zip(cosines).map(|(value, cosine)| value * cosine).sum();
            }
        }
        turned
    }
}

fn head(
    (width, height): (usize, usize),
    scale: u8,
    steps: &[[u8; 64]; 2],
    tables: &[[Table; 2]; 2],
) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    let mut segment = |marker: u8, body: &[u8]| {
        out.extend_from_slice(&[0xff, marker]);
        out.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
        out.extend_from_slice(body);
    };
    segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
    for (number, steps) in steps.iter().enumerate() {
        let in_order = ZIGZAG.map(|at| steps[usize::from(at)]);
        segment(0xdb, &[&[number as u8], &in_order[..]].concat());
    }
    let [high, low] = (height as u16).to_be_bytes();
    let [wide, narrow] = (width as u16).to_be_bytes();
    let sampling = scale << 4 | scale;
    segment(0xc0, &[8, high, low, wide, narrow, 3, 1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1]);
    for (number, pair) in tables.iter().enumerate() {
        for (class, table) in pair.iter().enumerate() {
            segment(0xc4, &[&[(class << 4 | number) as u8], &table.counts[..], &table.symbols[..]].concat());
        }
    }
    segment(0xda, &[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::picture::{Kind, decode};
    use crate::compose::fixtures::noise;

    /// Mean square error after encoding and decoding.
    fn error(rgb: &[u8], size: (usize, usize), quality: u8, chroma: Chroma) -> (f64, usize) {
        let blob = encode(rgb, size, quality, chroma);
        let mut back = Vec::new();
        decode(&blob, Kind::Rgb, size.0 as u32, size.1 as u32, &mut back).unwrap();
        let sum: f64 = rgb.iter().zip(&back).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
        (sum / rgb.len() as f64, blob.len())
    }

    fn smooth((width, height): (usize, usize)) -> Vec<u8> {
        let pixel = |at: usize| {
            let (x, y) = (at % width, at / width);
            let wave = (x as f64 / 9.0).sin() * 40.0 + (y as f64 / 13.0).cos() * 40.0;
            [(128.0 + wave) as u8, (120.0 + wave / 2.0) as u8, (100.0 - wave / 3.0) as u8]
        };
        (0..width * height).flat_map(pixel).collect()
    }

    #[test]
    fn any_decoder_reads_it_at_any_size() {
        for size in [(1, 1), (7, 9), (8, 8), (16, 16), (17, 15), (33, 64), (64, 33), (250, 131)] {
            for chroma in [Chroma::Full, Chroma::Half] {
                let (error, _) = error(&smooth(size), size, 93, chroma);
                assert!(error < 4.0, "{size:?} {chroma:?}: {error}");
            }
        }
    }

    #[test]
    fn only_what_is_decoded_row_by_row_is_streamed() {
        let blob = encode(&smooth((33, 20)), (33, 20), 80, Chroma::Half);
        assert!(is_streamed(&blob));
        let mut theirs = Vec::new();
        image::codecs::jpeg::JpegEncoder::new(&mut theirs)
            .encode(&smooth((16, 16)), 16, 16, image::ExtendedColorType::Rgb8)
            .unwrap();
        assert!(is_streamed(&theirs));
        let at = blob.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        let mut progressive = blob.clone();
        progressive[at + 1] = 0xc2;
        let scan = blob.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
        let mut several = blob.clone();
        several[scan + 4] = 1;
        for other in
            [&progressive[..], &several, &blob[..scan], &blob[2..], b"", &[0xff, 0xd8, 0xff, 0xdb, 0, 1]]
        {
            assert!(!is_streamed(other));
        }
    }

    #[test]
    fn noise_in_colours_survives_and_uses_every_kind_of_code() {
        for quality in [1, 10, 50, 93, 100] {
            for seed in 0..4 {
                let size = (64, 48);
                let (error, bytes) = error(&noise(size, 3, seed), size, quality, Chroma::Full);
                assert!(bytes > 300 && error < 8_000.0, "{quality}: {error} in {bytes} bytes");
                assert!(quality < 100 || error < 2.0, "{error}");
            }
        }
        for flat in [0, 128, 255] {
            let (error, bytes) = error(&[flat; 40 * 40 * 3], (40, 40), 50, Chroma::Half);
            assert!(error <= 1.0 && bytes < 900, "{error} in {bytes} bytes");
        }
    }

    #[test]
    fn as_good_as_the_encoder_of_the_image_crate_and_smaller() {
        let size = (256, 256);
        let mut rgb = smooth(size);
        rgb.iter_mut()
            .zip(noise(size, 3, 9))
            .for_each(|(value, noise)| *value = value.wrapping_add(noise / 32));
        let mut theirs = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut theirs, 85)
            .encode(&rgb, 256, 256, image::ExtendedColorType::Rgb8)
            .unwrap();
        let mut back = Vec::new();
        decode(&theirs, Kind::Rgb, 256, 256, &mut back).unwrap();
        let sum: f64 = rgb.iter().zip(&back).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
        let (ours, bytes) = error(&rgb, size, 85, Chroma::Full);
        assert!(ours < 1.05 * sum / rgb.len() as f64, "{ours}");
        assert!(bytes < theirs.len(), "{bytes} and {}", theirs.len());
        assert!(error(&rgb, size, 85, Chroma::Half).1 < bytes);
    }
}
