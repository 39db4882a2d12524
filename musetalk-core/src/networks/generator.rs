//! Imagines: the latent of a face and a window of sound to the latent of that face saying it.
//!
//! | tensor | shape | range |
//! |---|---|---|
//! | latent | \[batch, 2·c, l, l\] f32, the lower half blacked, then whole | about −4…4 |
//! | audio | \[batch, tokens·states, width\] f32 | |
//! | prediction | \[batch, c, l, l\] f32 | about −4…4 |

use crate::Result;
use crate::runtime::Network;

#[derive(Debug)]
pub(crate) struct Generator(pub(crate) Network);

impl Generator {
    pub(crate) fn run(
        &mut self,
        batch: usize,
        latents: &[f32],
        audio: &[f32],
        prediction: &mut [f32],
    ) -> Result<()> {
        self.0.run(batch, &[latents, audio], prediction)
    }
}
