//! Paints: a latent to a picture.
//!
//! | tensor | shape | range |
//! |---|---|---|
//! | latent | \[batch, c, l, l\] f32, scaled | about −4…4 |
//! | image | \[batch, size, size, 3\] u8, RGB | 0…255 |

use crate::Result;
use crate::runtime::Network;

#[derive(Debug)]
pub(crate) struct Decoder(pub(crate) Network);

impl Decoder {
    pub(crate) fn run(&mut self, batch: usize, latents: &[f32], images: &mut [u8]) -> Result<()> {
        self.0.run_bytes(batch, &[latents], images)
    }
}
