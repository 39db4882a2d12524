//! Widths of networks whose checkpoints have no configuration, read off the shapes of their tensors.

use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};

use super::{Checkpoint, Part, Source};

/// The widest layer that is built.
const WIDEST: usize = 1 << 16;

impl Checkpoint<'_> {
    /// How many channels leave the layer of weight `name`: the first side of the stored tensor, from 1 to 65536.
    pub(crate) fn leaving(&self, name: &str) -> Result<usize> {
        let first = match &self.source {
            Source::Files { files, stored, .. } => {
                let files = files.borrow();
                let shape = stored.get(name).and_then(|(file, stored)| files[*file].shape(stored));
                shape.map(|shape| shape.first().copied().unwrap_or_default())
            }
            Source::Drawn { .. } => None,
        };
        let wrong =
            |what| Err(Error::new(ErrorKind::Incompatible, format!("{what}: {}", self.place.display())));
        match first {
            Some(channels) if (1..=WIDEST).contains(&channels) => Ok(channels),
            Some(channels) => {
                wrong(format!("tensor {name} has {channels} channels, which is none of 1 to {WIDEST}"))
            }
            None => wrong(format!("tensor {name} is missing")),
        }
    }
}

impl Part<'_> {
    /// Where the checkpoint lies, for messages about more than one of its tensors.
    pub(crate) fn place(&self) -> &Path {
        &self.checkpoint.place
    }
}
