//! Hears: a log-mel spectrum to hidden states.
//!
//! | tensor | shape | range |
//! |---|---|---|
//! | mel | \[1, 80, 2·positions\] f32 | about −1.5…1.5, see `audio::mel` |
//! | states | \[1, positions, states, width\] f32 | |

use crate::Result;
use crate::runtime::Network;

#[derive(Debug)]
pub(crate) struct AudioEncoder(pub(crate) Network);

impl AudioEncoder {
    pub(crate) fn run(&mut self, mel: &[f32], states: &mut [f32]) -> Result<()> {
        self.0.run(1, &[mel], states)
    }
}
