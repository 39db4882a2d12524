//! Footage before a green or blue screen: what the screen shows through becomes transparent.
//!
//! How much of the screen a pixel holds is its excess of the screen's colour over the other two, as a part of the screen's own. What is left when that much
//! of the screen is taken out is the person's colour, so that hair keeps its colour and no green rim stays; light that the screen throws on
//! the person is taken out too. All of it is plain arithmetic on one pixel.

use crate::{Error, ErrorKind, Result};

/// The colour of the screen behind the person.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Key {
    /// A green screen.
    Green,
    /// A blue screen.
    Blue,
}

/// The screen of a clip, as its first frame shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    channel: usize,
    colour: [f32; 3],
    excess: f32,
    /// The excess over that at the middle: at the middle, per column and per row. Light falls off over a screen.
    light: [f32; 3],
    width: usize,
    height: usize,
}

/// A pixel with this part of the screen's excess is screen, whatever its noise.
const SCREEN: f32 = 0.84;
/// And with this little is not.
const PERSON: f32 = 0.04;
/// A screen fills at least this part of a frame's border.
const LEAST: f32 = 0.1;

impl Screen {
    /// Finds the screen along the border of a frame.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidInput`]: there is none.
    pub(crate) fn find(rgb: &[u8], (width, height): (usize, usize), key: Key) -> Result<Self> {
        let channel = match key {
            Key::Green => 1,
            Key::Blue => 2,
        };
        let rim = (width.min(height) / 12).max(1);
        let (pixels, _) = rgb.as_chunks::<3>();
        let border = pixels.iter().enumerate().filter(|(at, _)| {
            let (x, y) = (at % width, at / width);
            x < rim || y < rim || x + rim >= width
        });
        let (mut count, mut found) = (0_usize, Vec::new());
        for (at, pixel) in border {
            count += 1;
            let pixel = pixel.map(f32::from);
            if excess(&pixel, channel) > (0.2 * pixel[channel]).max(20.0) {
                found.push((at, pixel));
            }
        }
        if (found.len() as f32) < LEAST * count as f32 {
            let name = if channel == 1 { "green" } else { "blue" };
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "the border of the first frame shows no {name} screen; film before one, or leave --key away"
                ),
            ));
        }
        // The median of every channel: a hand or a shadow at the border does not count.
        let colour = std::array::from_fn(|c| super::verdict::median(found.iter().map(|(_, pixel)| pixel[c])));
        let usual = excess(&colour, channel);
        let place = |at: usize| centred(at, width, height);
        let points = found.iter().map(|(at, pixel)| (place(*at), excess(pixel, channel) / usual));
        Ok(Self { channel, colour, excess: usual, light: plane(points), width, height })
    }

    /// Takes the screen out of a frame, in place, and gives how opaque every pixel is.
    pub(crate) fn matte(&self, rgb: &mut [u8]) -> Vec<u8> {
        let (pixels, _) = rgb.as_chunks_mut::<3>();
        let light = |at: usize| {
            let [x, y] = centred(at, self.width, self.height);
            (self.light[0] + self.light[1] * x + self.light[2] * y).clamp(0.5, 2.0)
        };
        pixels.iter_mut().enumerate().map(|(at, pixel)| self.split(pixel, light(at))).collect()
    }

    fn split(&self, pixel: &mut [u8; 3], light: f32) -> u8 {
        let seen = pixel.map(f32::from);
        let part = excess(&seen, self.channel) / (self.excess * light);
        let alpha = 1.0 - ((part - PERSON) / (SCREEN - PERSON)).clamp(0.0, 1.0);
        if alpha <= 0.0 {
            // Nothing shows; grey keeps a blurred edge from turning green or black.
            let grey = (seen[(self.channel + 1) % 3] + seen[(self.channel + 2) % 3]) / 2.0;
            *pixel = [grey as u8; 3];
            return 0;
        }
        let own: [f32; 3] = std::array::from_fn(|c| {
            ((seen[c] - (1.0 - alpha) * self.colour[c] * light) / alpha).clamp(0.0, 255.0)
        });
        let others = [own[(self.channel + 1) % 3], own[(self.channel + 2) % 3]];
        let mut clean = own;
        clean[self.channel] =
            own[self.channel].min((others[0] + others[1]) / 2.0 + 0.35 * (others[0] - others[1]).abs());
        *pixel = clean.map(|value| value.round() as u8);
        (alpha * 255.0).round() as u8
    }
}

/// Where a pixel lies, −1…1 from the left and from the top.
fn centred(at: usize, width: usize, height: usize) -> [f32; 2] {
    let part = |at: usize, all: usize| 2.0 * at as f32 / all as f32 - 1.0;
    [part(at % width, width), part(at / width, height)]
}

/// The plane through values at places, in the sense of least squares: its value in the middle, and its slopes.
fn plane(points: impl Iterator<Item = ([f32; 2], f32)>) -> [f32; 3] {
    let (mut sums, mut right) = ([[0.0_f64; 3]; 3], [0.0_f64; 3]);
    for ([x, y], value) in points {
        let row = [1.0, f64::from(x), f64::from(y)];
        for i in 0..3 {
            (0..3).for_each(|j| sums[i][j] += row[i] * row[j]);
            right[i] += row[i] * f64::from(value);
        }
    }
    let three = |m: &[[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = three(&sums);
    if whole.abs() < 1e-6 {
        return [1.0, 0.0, 0.0];
    }
    std::array::from_fn(|column| {
        let mut replaced = sums;
        (0..3).for_each(|row| replaced[row][column] = right[row]);
        (three(&replaced) / whole) as f32
    })
}

/// By how much a channel exceeds the larger of the others: what mixes in proportion, and is nothing in greys and skin.
fn excess(pixel: &[f32; 3], channel: usize) -> f32 {
    let others = pixel[(channel + 1) % 3].max(pixel[(channel + 2) % 3]);
    (pixel[channel] - others).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (80, 60);
    const GREEN: [f32; 3] = [40.0, 200.0, 60.0];
    const SKIN: [f32; 3] = [210.0, 160.0, 135.0];

    /// A disc of skin with an edge four pixels wide, on a screen that is darker on one side; noise of ±4.
    fn filmed() -> (Vec<u8>, Vec<f32>) {
        let (mut rgb, mut truth) = (Vec::new(), Vec::new());
        for at in 0..SIZE.0 * SIZE.1 {
            let (x, y) = ((at % SIZE.0) as f32 - 40.0, (at / SIZE.0) as f32 - 30.0);
            let alpha = ((20.0 - x.hypot(y)) / 4.0 + 0.5).clamp(0.0, 1.0);
            let light = 0.8 + 0.4 * (at % SIZE.0) as f32 / SIZE.0 as f32;
            let noise = ((at * 7919) % 9) as f32 - 4.0;
            rgb.extend((0..3).map(|c| (alpha * SKIN[c] + (1.0 - alpha) * GREEN[c] * light + noise) as u8));
            truth.push(alpha);
        }
        (rgb, truth)
    }

    #[test]
    fn the_person_stays_the_screen_goes_and_the_edge_is_soft_and_not_green() {
        let (mut rgb, truth) = filmed();
        let screen = Screen::find(&rgb, SIZE, Key::Green).unwrap();
        let alpha = screen.matte(&mut rgb);
        let mut soft = 0;
        for ((alpha, truth), pixel) in alpha.iter().zip(&truth).zip(rgb.chunks_exact(3)) {
            let found = f32::from(*alpha) / 255.0;
            assert!((found - truth).abs() < 0.3, "{found} is not {truth}");
            assert!(*truth > 0.0 || found < 0.02, "the screen shows: {found}");
            assert!(*truth < 1.0 || found > 0.98, "the person is transparent: {found}");
            soft += usize::from((0.1..0.9).contains(&found));
            if *alpha > 0 {
                let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
                assert!(g <= r.max(b) + 1.0, "green stays: {pixel:?} at {found}");
            }
        }
        assert!(soft > 150, "{soft} pixels are between");
    }

    #[test]
    fn without_a_screen_there_is_no_key() {
        let grey = vec![120; SIZE.0 * SIZE.1 * 3];
        assert_eq!(Screen::find(&grey, SIZE, Key::Green).unwrap_err().kind(), ErrorKind::InvalidInput);
        let (rgb, _) = filmed();
        assert!(Screen::find(&rgb, SIZE, Key::Blue).is_err());
    }
}
