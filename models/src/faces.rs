//! The networks that find and cut out faces, which a pack may lack: where their files lie, and how they become part of it.

use std::path::{Path, PathBuf};

use musetalk_core::Result;

use crate::checkpoint::Checkpoint;
use crate::landmarks;
use crate::networks::Ending;
use crate::networks::bisenet::{self, Bisenet};
use crate::networks::s3fd::S3fd;
use crate::pack::Parts;
use crate::progress::Advance;

/// The checkpoints of these networks that there are.
pub(crate) struct Faces<'a> {
    pub(crate) face_detector: Option<Checkpoint<'a>>,
    pub(crate) face_parser: Option<Checkpoint<'a>>,
    /// The published ONNX file.
    pub(crate) face_landmarks: Option<PathBuf>,
}

impl<'a> Faces<'a> {
    /// What `from` holds in the folders of the official layout.
    pub(crate) fn open(from: &Path, reporter: &'a dyn Advance) -> Result<Self> {
        let checkpoint = |name: &str| {
            let folder = from.join(name);
            folder.is_dir().then(|| Checkpoint::open(&folder, reporter)).transpose()
        };
        let landmarks = from.join("dwpose/dw-ll_ucoco_384.onnx");
        Ok(Self {
            face_detector: checkpoint("s3fd")?,
            face_parser: checkpoint("face-parse-bisent")?,
            face_landmarks: landmarks.exists().then_some(landmarks),
        })
    }

    /// The checkpoints, by the network that is made from each.
    pub(crate) fn checkpoints(&self) -> impl Iterator<Item = (&'static str, &Checkpoint<'a>)> {
        let both = [("face_detector", &self.face_detector), ("face_parser", &self.face_parser)];
        both.into_iter().filter_map(|(role, checkpoint)| Some((role, checkpoint.as_ref()?)))
    }
}

/// Adds each network that there is. They run when an avatar is made, not live, and so in single precision in every pack.
pub(crate) fn build(faces: &Faces<'_>, pack: &mut Parts<'_, '_>, ending: Ending) -> Result<()> {
    if let Some(checkpoint) = &faces.face_detector {
        let network = S3fd::derived(checkpoint)?;
        pack.single_network("face_detector", checkpoint, &[""], |graph| network.build(checkpoint, graph))?;
    }
    if let Some(checkpoint) = &faces.face_parser {
        let network = Bisenet::derived(checkpoint)?;
        pack.single_network("face_parser", checkpoint, &bisenet::PREFIXES, |graph| {
            network.build(checkpoint, graph, ending)
        })?;
    }
    if let Some(path) = &faces.face_landmarks {
        pack.published(landmarks::ROLE, path, landmarks::take)?;
    }
    Ok(())
}
