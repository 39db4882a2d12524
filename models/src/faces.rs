//! The networks that find and cut out faces, which a pack may lack: how they become part of it.

use musetalk_core::Result;

use crate::checkpoint::Sources;
use crate::landmarks;
use crate::networks::Ending;
use crate::networks::bisenet::{self, Bisenet};
use crate::networks::s3fd::S3fd;
use crate::pack::Parts;

/// Adds each network that there is. They run when an avatar is made, not live, and so in single precision in every pack.
pub(crate) fn build(sources: &Sources<'_>, pack: &mut Parts<'_, '_>, ending: Ending) -> Result<()> {
    if let Some(checkpoint) = &sources.face_detector {
        let network = S3fd::derived(checkpoint)?;
        pack.single_network("face_detector", checkpoint, &[""], |graph| network.build(checkpoint, graph))?;
    }
    if let Some(checkpoint) = &sources.face_parser {
        let network = Bisenet::derived(checkpoint)?;
        pack.single_network("face_parser", checkpoint, &bisenet::PREFIXES, |graph| {
            network.build(checkpoint, graph, ending)
        })?;
    }
    if let Some(path) = &sources.face_landmarks {
        pack.published(landmarks::ROLE, path, landmarks::take)?;
    }
    Ok(())
}
