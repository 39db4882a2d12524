//! Footage before a green or blue screen: what the screen shows through becomes transparent.
//!
//! A pixel with no more of the screen's colour than of another is the person's, one with nearly all of its excess is screen. Between both the
//! screen's share is how far the pixel lies on the way from the person's colour nearby to the screen's; what is left when that share is taken out is the
//! person's own colour. Of that little is left where the screen's share is large, and mostly noise: the colour nearby takes its place, and goes on
//! where the person is wholly transparent, so that no green or magenta rim stays and pictures that are made smaller or softer get none.

use super::nearby::Nearby;
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
    /// A pixel with this part of the excess is screen.
    certain: f32,
    /// And one with no more than this is not.
    clear: f32,
    width: usize,
    height: usize,
}

/// By so much less than its usual excess a pixel may have and still be screen.
const LEAST_UNEVEN: f32 = 0.08;
const MOST_UNEVEN: f32 = 0.3;

/// A channel of a pixel may be off by this much from a mixture of the screen's colour and another, and still be one.
const ALIKE: f32 = 24.0;
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
        let points = || found.iter().map(|(at, pixel)| (place(*at), excess(pixel, channel) / usual));
        let light = plane(points());
        let mut screen =
            Self { channel, colour, excess: usual, light, certain: 0.0, clear: 0.0, width, height };
        // Grain, folds and dirt: four standard deviations of them are screen, as its median tells them.
        let uneven = points()
            .zip(&found)
            .map(|((_, excess), (at, _))| (excess / screen.light_at(at % width, at / width) - 1.0).abs());
        let uneven = (4.0 * 1.48 * super::verdict::median(uneven)).clamp(LEAST_UNEVEN, MOST_UNEVEN);
        (screen.certain, screen.clear) = (1.0 - uneven, uneven / 2.0);
        Ok(screen)
    }

    /// Takes the screen out of a frame, in place, and gives how opaque every pixel is.
    pub(crate) fn matte(&self, rgb: &mut [u8]) -> Vec<u8> {
        let mut nearby = Nearby::new((self.width, self.height));
        let (pixels, _) = rgb.as_chunks_mut::<3>();
        let mut alpha = vec![255; pixels.len()];
        for (y, (row, alpha)) in
            pixels.chunks_exact(self.width).zip(alpha.chunks_exact_mut(self.width)).enumerate()
        {
            for (x, (pixel, alpha)) in row.iter().zip(alpha).enumerate() {
                let seen = pixel.map(f32::from);
                let excess = excess(&seen, self.channel).max(0.0);
                let whole = self.excess * self.light_at(x, y);
                if excess <= self.clear * whole {
                    nearby.add(x, y, self.despilled(seen));
                    continue;
                }
                nearby.mark(x, y);
                if excess >= self.certain * whole {
                    *alpha = 0;
                }
            }
        }
        nearby.carry_on();
        for (y, (row, alpha)) in
            pixels.chunks_exact_mut(self.width).zip(alpha.chunks_exact_mut(self.width)).enumerate()
        {
            nearby.row(y);
            for (x, (pixel, alpha)) in row.iter_mut().zip(alpha).enumerate() {
                let whole = |colour: [f32; 3]| colour.map(|value| value.round() as u8);
                if *alpha == 0 {
                    *pixel = whole(nearby.at(x));
                } else if nearby.is_inside(x, y) {
                    *pixel = whole(self.despilled(pixel.map(f32::from)));
                } else {
                    let (own, part) = self.split(pixel.map(f32::from), self.light_at(x, y), nearby.at(x));
                    (*pixel, *alpha) = (whole(own), (part * 255.0).round() as u8);
                }
            }
        }
        alpha
    }

    /// How bright the screen is at a pixel, of its usual.
    fn light_at(&self, x: usize, y: usize) -> f32 {
        let part = |at: usize, all: usize| 2.0 * at as f32 / all as f32 - 1.0;
        let row = self.light[0] + self.light[2] * part(y, self.height);
        (row + self.light[1] * part(x, self.width)).clamp(0.5, 2.0)
    }

    /// The person's own colour in a pixel at its edge, and how opaque that is; `near` is the person's colour around it.
    fn split(&self, seen: [f32; 3], light: f32, near: [f32; 3]) -> ([f32; 3], f32) {
        let screen = self.colour.map(|value| value * light);
        let way = |measure: fn(&[f32; 3], usize) -> f32, from: f32| {
            (measure(&seen, self.channel) - from) / (measure(&screen, self.channel) - from).max(20.0)
        };
        // From the colour nearby to the screen's, if the pixel lies on that way; else from a colour without excess. The cast mixes in
        // proportion, but yellow has some, too, which has no excess.
        let from_near = way(cast, cast(&near, self.channel)).min(way(excess, excess(&near, self.channel)));
        let from_near = from_near.clamp(0.0, 1.0);
        let mixed: [f32; 3] = std::array::from_fn(|c| near[c] + (screen[c] - near[c]) * from_near);
        let off = (0..3).map(|c| (seen[c] - mixed[c]).abs()).fold(0.0, f32::max);
        let alike = 1.0 - ((off - ALIKE) / ALIKE).clamp(0.0, 1.0);
        let plain = way(excess, 0.0).clamp(0.0, 1.0);
        let share = (plain + (from_near - plain) * alike).min(self.certain);
        let alpha = 1.0 - ((share - self.clear) / (self.certain - self.clear)).clamp(0.0, 1.0);
        // From what is wholly the person's only what brings it closer to the colour nearby.
        let taken = share * ((1.0 - alpha) / 0.1).min(1.0).max(alike);
        let own: [f32; 3] =
            std::array::from_fn(|c| ((seen[c] - taken * screen[c]) / (1.0 - taken)).clamp(0.0, 255.0));
        let (least, most) = (0.05 + 0.15 * alike, 0.35 + 0.45 * alike);
        let trust = ((alpha - least) / (most - least)).clamp(0.0, 1.0);
        let own = std::array::from_fn(|c| near[c] + (own[c] - near[c]) * trust);
        (self.despilled(own), alpha)
    }

    /// Without the light that the screen throws on a person.
    fn despilled(&self, colour: [f32; 3]) -> [f32; 3] {
        let [one, other] = [1, 2].map(|step| colour[(self.channel + step) % 3]);
        let mut clean = colour;
        clean[self.channel] = colour[self.channel].min((one + other) / 2.0 + 0.35 * (one - other).abs());
        clean
    }
}

/// By how much a channel exceeds the mean of the others: what mixes exactly in proportion.
fn cast(colour: &[f32; 3], channel: usize) -> f32 {
    colour[channel] - (colour[(channel + 1) % 3] + colour[(channel + 2) % 3]) / 2.0
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

/// By how much a channel exceeds the larger of the others: no more than nothing in greys, skin and yellow.
fn excess(pixel: &[f32; 3], channel: usize) -> f32 {
    pixel[channel] - pixel[(channel + 1) % 3].max(pixel[(channel + 2) % 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (120, 90);
    const GREEN: [f32; 3] = [40.0, 200.0, 60.0];
    const BLUE: [f32; 3] = [30.0, 60.0, 190.0];
    const SKIN: [f32; 3] = [210.0, 160.0, 135.0];
    const HAIR: [f32; 3] = [40.0, 30.0, 25.0];

    /// A disc of a colour with a soft edge of so many pixels, on a screen that is darker on one side; noise of ±4.
    fn filmed(person: [f32; 3], screen: [f32; 3], edge: f32) -> (Vec<u8>, Vec<f32>) {
        let (mut rgb, mut truth) = (Vec::new(), Vec::new());
        for at in 0..SIZE.0 * SIZE.1 {
            let (x, y) = ((at % SIZE.0) as f32 - 60.0, (at / SIZE.0) as f32 - 45.0);
            let alpha = ((28.0 - x.hypot(y)) / edge + 0.5).clamp(0.0, 1.0);
            let light = 0.8 + 0.4 * (at % SIZE.0) as f32 / SIZE.0 as f32;
            let noise = |c: usize| ((at * 7919 + c * 104_729) % 9) as f32 - 4.0;
            rgb.extend(
                (0..3).map(|c| (alpha * person[c] + (1.0 - alpha) * screen[c] * light + noise(c)) as u8),
            );
            truth.push(alpha);
        }
        (rgb, truth)
    }

    #[test]
    fn the_person_stays_the_screen_goes_and_the_edge_is_soft() {
        let (mut rgb, truth) = filmed(SKIN, GREEN, 4.0);
        let screen = Screen::find(&rgb, SIZE, Key::Green).unwrap();
        let alpha = screen.matte(&mut rgb);
        let mut soft = 0;
        for (alpha, truth) in alpha.iter().zip(&truth) {
            let found = f32::from(*alpha) / 255.0;
            assert!((found - truth).abs() < 0.25, "{found} is not {truth}");
            assert!(*truth > 0.0 || found < 0.02, "the screen shows: {found}");
            assert!(*truth < 1.0 || found > 0.98, "the person is transparent: {found}");
            soft += usize::from((0.1..0.9).contains(&found));
        }
        assert!(soft > 200, "{soft} pixels are between");
    }

    #[test]
    fn no_rim_stays_over_grey_white_or_black_however_soft_the_edge() {
        for (key, screen) in [(Key::Green, GREEN), (Key::Blue, BLUE)] {
            for (person, edge) in
                [SKIN, HAIR, [150.0; 3]].iter().flat_map(|p| [2.0, 6.0, 14.0].map(|e| (*p, e)))
            {
                let (mut rgb, _) = filmed(person, screen, edge);
                let screen = Screen::find(&rgb, SIZE, key).unwrap();
                let alpha = screen.matte(&mut rgb);
                let own_cast = cast(&person, screen.channel);
                for (pixel, alpha) in rgb.chunks_exact(3).zip(alpha) {
                    let part = f32::from(alpha) / 255.0;
                    for behind in [0.0, 128.0, 255.0] {
                        let shown: [f32; 3] =
                            std::array::from_fn(|c| part * f32::from(pixel[c]) + (1.0 - part) * behind);
                        // Grey has no cast: what shows has the person's, as far as it is opaque.
                        let off = cast(&shown, screen.channel) - part * own_cast;
                        assert!(
                            off.abs() < 14.0,
                            "{key:?} {person:?} {edge}: {shown:?} at {part} is {off} off"
                        );
                        // Neither darker nor lighter than both.
                        for c in 0..3 {
                            let (low, high) = (behind.min(person[c]) - 20.0, behind.max(person[c]) + 20.0);
                            assert!(
                                (low..high).contains(&shown[c]),
                                "{person:?} {edge}: {shown:?} at {part}"
                            );
                        }
                    }
                    // What is not seen has no colour of the screen either, for whoever makes the picture softer.
                    let pixel = [0, 1, 2].map(|c| f32::from(pixel[c]));
                    assert!(cast(&pixel, screen.channel) < own_cast.max(0.0) + 17.0, "{pixel:?} at {part}");
                }
            }
        }
    }

    #[test]
    fn without_a_screen_there_is_no_key() {
        let grey = vec![120; SIZE.0 * SIZE.1 * 3];
        assert_eq!(Screen::find(&grey, SIZE, Key::Green).unwrap_err().kind(), ErrorKind::InvalidInput);
        let (rgb, _) = filmed(SKIN, GREEN, 4.0);
        assert!(Screen::find(&rgb, SIZE, Key::Blue).is_err());
    }
}
