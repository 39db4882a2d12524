//! How open a mouth looks: one number from pixels alone, the same for drawn faces and for what the networks make of them.
//!
//! In the face box, w wide and h high, from 0.36 to 0.64 of its width and from 0.56 to 0.98 of its height: what is darker
//! than the skin of the closed mouth is the cavity, what is bright and without colour are teeth. Their area less that of
//! the base frame, by the area of the box, is the opening: 0 when closed, 0.01 to 0.04 in speech.
//! `models/demo/train/face/measure.py` is the same in Python.

use musetalk_core::{AvatarAsset, Frame, Result};

/// What one picture shows of the mouth.
#[derive(Clone, Debug, Default)]
pub(super) struct Mouth {
    /// How open it is.
    pub(super) opening: f64,
    /// Its pixels, RGB.
    pixels: Vec<[u8; 3]>,
}

impl Mouth {
    /// Looks at an RGB picture of this person.
    pub(super) fn of(frame: &Frame, asset: &AvatarAsset) -> Result<Self> {
        let face = asset.face_box(frame.cycle_index());
        let (w, h) = (f64::from(face.width()), f64::from(face.height()));
        let (x1, y1) = (f64::from(face.x1), f64::from(face.y1));
        let (width, height) = (asset.width() as usize, asset.height() as usize);
        let within = |from: f64, to: f64, most: usize| {
            (from.max(0.0) as usize).min(most)..(to.max(0.0) as usize).min(most)
        };
        let columns = within(x1 + 0.36 * w, x1 + 0.64 * w, width);
        let rows = within(y1 + 0.56 * h, y1 + 0.98 * h, height);
        let cut = |pixels: &[u8]| -> Vec<[u8; 3]> {
            rows.clone()
                .flat_map(|row| &pixels[3 * (row * width + columns.start)..3 * (row * width + columns.end)])
                .copied()
                .collect::<Vec<u8>>()
                .chunks_exact(3)
                .map(|pixel| [pixel[0], pixel[1], pixel[2]])
                .collect()
        };
        let base = cut(&asset.base_frame(frame.cycle_index())?);
        let pixels = cut(frame.pixels());
        let mut lumas: Vec<f64> = base.iter().map(|pixel| luma(*pixel)).collect();
        lumas.sort_unstable_by(f64::total_cmp);
        let skin = lumas.get(lumas.len() / 2).copied().unwrap_or_default();
        let opening = (amount(&pixels, skin) - amount(&base, skin)).max(0.0) / (w * h).max(1.0);
        Ok(Self { opening, pixels })
    }

    #[cfg(test)]
    pub(super) fn with(opening: f64) -> Self {
        Self { opening, pixels: Vec::new() }
    }

    /// The mean difference of a value, 0…255, between two pictures.
    pub(super) fn difference(&self, other: &Self) -> f64 {
        let pairs = self.pixels.as_flattened().iter().zip(other.pixels.as_flattened());
        let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / (3 * self.pixels.len()).max(1) as f64
    }
}

fn luma([r, g, b]: [u8; 3]) -> f64 {
    (0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)) / 255.0
}

/// How many pixels show the inside of a mouth.
fn amount(pixels: &[[u8; 3]], skin: f64) -> f64 {
    let skin = skin.max(1e-3);
    let inside = |pixel: &[u8; 3]| {
        let (y, most) = (luma(*pixel), pixel.iter().copied().max().unwrap_or(0));
        let least = pixel.iter().copied().min().unwrap_or(0);
        let colour = f64::from(most - least) / f64::from(most).max(0.255);
        let dark = ((0.42 * skin - y) / (0.21 * skin)).clamp(0.0, 1.0);
        let white =
            ((0.24 - colour) / 0.12).clamp(0.0, 1.0) * ((y - 0.80 * skin) / (0.15 * skin)).clamp(0.0, 1.0);
        dark.max(white)
    };
    pixels.iter().map(inside).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skin_is_no_mouth_and_cavity_and_teeth_are() {
        let skin = [224, 172, 140];
        let level = luma(skin);
        assert_eq!(amount(&[skin, [190, 110, 100]], level), 0.0, "skin and lips");
        assert_eq!(amount(&[[40, 12, 14]], level), 1.0, "cavity");
        assert_eq!(amount(&[[240, 238, 230]], level), 1.0, "teeth");
    }

    #[test]
    fn equal_mouths_do_not_differ() {
        let mouth = |value| Mouth { opening: 0.0, pixels: vec![[value; 3]; 8] };
        assert_eq!(mouth(9).difference(&mouth(9)), 0.0);
        assert_eq!(mouth(9).difference(&mouth(12)), 3.0);
    }
}
