//! What a frame of an avatar may cost, and how its picture is made to fit.

use super::format::{Meta, Part, ROW};
use super::jpeg::{self, Chroma};
use super::picture::BEST_QUALITY;

/// Ten seconds of 1080p at 25 frames a second stay below 40 MB with all that belongs to them. Smaller frames may cost as much, larger ones
/// more by their pixels.
const MOST_BYTES: usize = 156_000;
const MOST_PIXELS: usize = 1920 * 1080;
const LEAST_QUALITY: u8 = 20;

/// The quality of the pictures of one avatar: it falls until a frame fits what it may cost, and never rises, so that neighbours look
/// alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    quality: u8,
    chroma: Chroma,
    /// For a whole frame.
    most_bytes: usize,
    /// What a frame costs beside its picture: the most so far.
    beside: usize,
}

impl Budget {
    pub(crate) fn of(meta: &Meta) -> Self {
        let pixels = meta.width as usize * meta.height as usize;
        // Before a frame was seen: its mask and matte are small, its closed mouth is like any picture of a face.
        let closed = if meta.has(Part::Closed) { (meta.image_size as usize).pow(2) / 3 } else { 0 };
        let alpha = if meta.has(Part::Alpha) { pixels / 100 } else { 0 };
        Self {
            quality: BEST_QUALITY,
            chroma: Chroma::Full,
            most_bytes: (MOST_BYTES as f64 * (pixels as f64 / MOST_PIXELS as f64).max(1.0)) as usize,
            beside: ROW + 4 * meta.latent_len() + closed + alpha + (8 << 10),
        }
    }

    #[cfg(test)]
    pub(super) fn quality(&self) -> u8 {
        self.quality
    }

    /// Counts what a frame costs beside its picture. What is known so for one frame holds for the pictures after it, too.
    pub(crate) fn beside(&mut self, bytes: usize) {
        self.beside = self.beside.max(ROW + bytes);
    }

    /// Whether a picture of so many bytes leaves room for what its frame costs beside it.
    pub(crate) fn fits(&self, picture: usize) -> bool {
        picture + self.beside <= self.most_bytes
    }

    /// The picture as JPEG, as good as fits.
    pub(crate) fn encode(&mut self, rgb: &[u8], width: u32, height: u32) -> Vec<u8> {
        let most = self.most_bytes.saturating_sub(self.beside);
        loop {
            let blob = jpeg::encode(rgb, (width as usize, height as usize), self.quality, self.chroma);
            if self.fits(blob.len()) || self.quality <= LEAST_QUALITY {
                return blob;
            }
            if self.chroma == Chroma::Full {
                self.chroma = Chroma::Half;
            } else {
                // Far above the limit in large steps, near it in small ones.
                let over = blob.len() as f64 / most.max(1) as f64;
                let step = ((over - 1.0) * 12.0).clamp(2.0, 12.0) as u8;
                self.quality = self.quality.saturating_sub(step).max(LEAST_QUALITY);
            }
        }
    }
}

#[cfg(test)]
mod tests;
