//! Cutting squares out of a frame, and making a frame small: what the face networks look at.

use serde::{Deserialize, Serialize};

use crate::asset::FaceBox;

/// A frame of footage, RGB8, rows from top to bottom without padding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picture<'a> {
    pub(crate) rgb: &'a [u8],
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// A rectangle of a frame, in pixels and parts of them.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Window {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Window {
    /// Around a middle.
    pub(crate) fn around([x, y]: [f32; 2], width: f32, height: f32) -> Self {
        Self { left: x - width / 2.0, top: y - height / 2.0, width, height }
    }

    /// The place in the frame of a place in a crop of `size`.
    pub(crate) fn place(&self, [x, y]: [f32; 2], size: (usize, usize)) -> [f32; 2] {
        [self.left + x * self.width / size.0 as f32, self.top + y * self.height / size.1 as f32]
    }
}

impl Picture<'_> {
    /// The frame as it is seen from afar: every pixel the mean of those it stands for; of very large frames every second row.
    pub(crate) fn shrunk(&self, (width, height): (usize, usize)) -> Vec<u8> {
        let edges = |count: usize, all: usize| -> Vec<(usize, usize)> {
            let start = |at: usize| (at * all / count).min(all - 1);
            (0..count).map(|at| (start(at), start(at + 1).max(start(at) + 1))).collect()
        };
        let columns = edges(width, self.width);
        let step = if self.height >= 4 * height { 2 } else { 1 };
        let mut result = Vec::with_capacity(width * height * 3);
        let mut sums = vec![[0_u32; 3]; width];
        for (top, bottom) in edges(height, self.height) {
            sums.fill([0; 3]);
            let mut rows = 0;
            for y in (top..bottom).step_by(step) {
                let (row, _) = self.rgb[y * self.width * 3..][..self.width * 3].as_chunks::<3>();
                for (sum, &(left, right)) in sums.iter_mut().zip(&columns) {
                    for pixel in &row[left..right] {
                        for (sum, &value) in sum.iter_mut().zip(pixel) {
                            *sum += u32::from(value);
                        }
                    }
                }
                rows += 1;
            }
            for (sum, (left, right)) in sums.iter().zip(&columns) {
                let count = rows * (right - left) as u32;
                result.extend(sum.map(|sum| ((sum + count / 2) / count) as u8));
            }
        }
        result
    }

    /// What a window shows, as a crop of `size`. Where it is larger than that, neighbouring places are averaged; beyond the border
    /// the outermost pixels are repeated.
    pub(crate) fn crop(&self, window: &Window, size: (usize, usize)) -> Vec<u8> {
        let steps = |length: f32, count: usize| (length / count as f32).ceil().clamp(1.0, 4.0) as usize;
        let (across, down) = (steps(window.width, size.0), steps(window.height, size.1));
        let columns = taps(window.left, window.width, size.0 * across, self.width);
        let rows = taps(window.top, window.height, size.1 * down, self.height);
        let count = (across * down) as f32;
        let first = columns.iter().map(|&(left, ..)| left).min().unwrap_or(0);
        let past = columns.iter().map(|&(_, right, _)| right + 1).max().unwrap_or(0);
        let mut line = vec![0.0_f32; 3 * (past - first)];
        let mut result = Vec::with_capacity(size.0 * size.1 * 3);
        for rows in rows.chunks_exact(down) {
            // Down first, for whole runs of bytes, and across only once for every row of the result: it is all linear.
            line.fill(0.0);
            for &(upper, lower, below) in rows {
                let run = |y: usize| &self.rgb[(y * self.width + first) * 3..(y * self.width + past) * 3];
                for (sum, (&upper, &lower)) in line.iter_mut().zip(run(upper).iter().zip(run(lower))) {
                    let (upper, lower) = (f32::from(upper), f32::from(lower));
                    *sum += upper + (lower - upper) * below;
                }
            }
            let (line, _) = line.as_chunks::<3>();
            for columns in columns.chunks_exact(across) {
                let mut sum = [0.0_f32; 3];
                for &(left, right, beside) in columns {
                    let (left, right) = (line[left - first], line[right - first]);
                    for (channel, sum) in sum.iter_mut().enumerate() {
                        *sum += left[channel] + (right[channel] - left[channel]) * beside;
                    }
                }
                result.extend(sum.map(|sum| (sum / count + 0.5) as u8));
            }
        }
        result
    }

    /// The square around a face in which its mask lives, black outside the frame, as the parser is shown it (spec §7.1).
    pub(crate) fn square(&self, square: &FaceBox) -> Vec<u8> {
        let side = usize::try_from(square.width()).unwrap_or(0);
        let mut result = vec![0; side * side * 3];
        let inside = |edge: i32, all: usize| usize::try_from(edge).unwrap_or(0).min(all);
        let (left, right) = (inside(square.x1, self.width), inside(square.x2, self.width));
        for y in inside(square.y1, self.height)..inside(square.y2, self.height) {
            let row = (y as i32 - square.y1) as usize;
            let column = (left as i32 - square.x1) as usize;
            let pixels = &self.rgb[(y * self.width + left) * 3..(y * self.width + right) * 3];
            result[(row * side + column) * 3..][..pixels.len()].copy_from_slice(pixels);
        }
        result
    }
}

/// For every place along a line: the pixels before and after it, and how far it is from the first.
fn taps(start: f32, length: f32, count: usize, all: usize) -> Vec<(usize, usize, f32)> {
    let last = all as f32 - 1.0;
    (0..count)
        .map(|at| {
            let place = (start + (at as f32 + 0.5) * length / count as f32 - 0.5).clamp(0.0, last);
            let before = place.floor();
            (before as usize, (before as usize + 1).min(all - 1), place - before)
        })
        .collect()
}

/// How bright each pixel of a packed RGB picture is, 0…255.
pub(crate) fn luma(rgb: &[u8]) -> Vec<f32> {
    let (pixels, _) = rgb.as_chunks::<3>();
    pixels
        .iter()
        .map(|&[r, g, b]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..width * height).flat_map(|at| [(at % width) as u8, (at / width) as u8, 7]).collect()
    }

    #[test]
    fn a_shrunk_frame_has_the_means_of_the_frame() {
        let rgb = ramp(64, 40);
        let picture = Picture { rgb: &rgb, width: 64, height: 40 };
        let small = picture.shrunk((16, 20));
        assert_eq!(small.len(), 16 * 20 * 3);
        // Columns 4k … 4k + 3, rows 2k and 2k + 1, rounded up.
        assert_eq!(small[(3 * 16 + 5) * 3..][..3], [22, 7, 7]);
        // A frame smaller than that is repeated.
        assert_eq!(picture.shrunk((128, 80)).len(), 128 * 80 * 3);
    }

    #[test]
    fn a_crop_shows_the_places_of_its_window() {
        let rgb = ramp(100, 100);
        let picture = Picture { rgb: &rgb, width: 100, height: 100 };
        let window = Window::around([50.0, 40.0], 32.0, 16.0);
        let crop = picture.crop(&window, (16, 16));
        for (x, y) in [(0, 0), (7, 3), (15, 15)] {
            let [at_x, at_y] = window.place([x as f32 + 0.5, y as f32 + 0.5], (16, 16));
            let pixel = &crop[(y * 16 + x) * 3..][..3];
            assert!((f32::from(pixel[0]) - (at_x - 0.5)).abs() <= 0.5, "{pixel:?} at {at_x}");
            assert!((f32::from(pixel[1]) - (at_y - 0.5)).abs() <= 0.51, "{pixel:?} at {at_y}");
        }
        // Far outside the nearest pixels are repeated, and nothing panics.
        assert!(
            picture
                .crop(&Window::around([-500.0, 900.0], 40.0, 40.0), (8, 8))
                .chunks(3)
                .all(|p| p == [0, 99, 7])
        );
    }

    #[test]
    fn squares_are_black_outside_the_frame() {
        let rgb = ramp(10, 10);
        let picture = Picture { rgb: &rgb, width: 10, height: 10 };
        let square = picture.square(&FaceBox { x1: -2, y1: 6, x2: 6, y2: 14 });
        let pixel = |x: usize, y: usize| &square[(y * 8 + x) * 3..][..3];
        assert_eq!([pixel(1, 0), pixel(4, 1), pixel(4, 5)], [[0, 0, 0], [2, 7, 7], [0, 0, 0]]);
    }
}
