//! Looks: a picture to its latent. Used when an avatar is made, never while it speaks.
//!
//! | tensor | shape | range |
//! |---|---|---|
//! | image | \[batch, 3, size, size\] f32, RGB planes | −1…1 |
//! | latent | \[batch, c, l, l\] f32, posterior mean, scaled | about −4…4 |

use crate::Result;
use crate::runtime::Network;

#[derive(Debug)]
pub(crate) struct Encoder(pub(crate) Network);

impl Encoder {
    pub(crate) fn run(&mut self, batch: usize, images: &[f32], latents: &mut [f32]) -> Result<()> {
        self.0.run(batch, &[images], latents)
    }
}
