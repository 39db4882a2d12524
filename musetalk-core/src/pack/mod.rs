//! A folder of networks and the file that describes them.

pub(crate) mod compatibility;
pub(crate) mod integrity;
mod manifest;
mod receipts;
mod unique;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub(crate) use compatibility::light;
pub(crate) use integrity::hex;
pub use manifest::{
    AudioLayout, Dimension, FileEntry, ImageSizes, Manifest, NetworkEntry, Optimisation, PACK_FORMAT, Parity,
    Precision, TensorEntry, WeightsEntry,
};
pub(crate) use unique::unique;

use receipts::Receipts;

use crate::files;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// A checked folder of networks, not yet loaded.
///
/// Opening reads `pack.json` and the sizes of the files; [`verify`](Self::verify) reads them whole.
#[derive(Clone, Debug)]
pub struct ModelPack {
    folder: PathBuf,
    manifest: Manifest,
    fps: FrameRate,
}

/// A manifest above this size is not one.
const MANIFEST_LIMIT: u64 = 4 << 20;

impl ModelPack {
    /// Reads `pack.json` and checks that every network and file it names is there, with the stated size and shapes.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`]: the folder, `pack.json` or a file of the pack is missing.
    /// - [`ErrorKind::Corrupt`]: `pack.json` contradicts itself or the sizes of the files.
    /// - [`ErrorKind::Incompatible`]: another format, or networks of other shapes than this version runs.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join("pack.json");
        let text = String::from_utf8(files::read_small(&path, MANIFEST_LIMIT)?).map_err(|e| {
            Error::new(ErrorKind::Corrupt, format!("pack.json is not text: {}", path.display())).caused_by(e)
        })?;
        let manifest = Manifest::parse(&text)
            .map_err(|e| Error::new(e.kind(), format!("{e}: {}", path.display())).caused_by(e))?;
        compatibility::check(&manifest)
            .map_err(|e| Error::new(e.kind(), format!("{e}: {}", path.display())).caused_by(e))?;
        for (name, entry) in &manifest.files {
            integrity::check_size(&folder.join(name), entry)?;
        }
        let fps = manifest.frame_rate()?;
        Ok(Self { folder: folder.into(), manifest, fps })
    }

    /// Reads every file and compares its SHA-256. `progress` hears of bytes done and bytes in all, and may stop.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`]: a file is not the one that was packed, or the folder holds something that `pack.json` does not
    ///   list: a file of any name, hidden or not, or a folder.
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it.
    /// - [`ErrorKind::Io`]: reading failed.
    pub fn verify(&self, mut progress: impl FnMut(u64, u64) -> ControlFlow<()>) -> Result<()> {
        integrity::check_strangers(&self.folder, &self.manifest.files)?;
        let total = self.manifest.files.values().map(|entry| entry.bytes).sum();
        let mut done = 0;
        for (name, entry) in &self.manifest.files {
            integrity::check_content(&self.folder.join(name), entry, |read| {
                done += read;
                progress(done, total)
            })?;
        }
        Ok(())
    }

    /// Like [`verify`](Self::verify), but spares files whose content has been read before and that did not change since.
    pub(crate) fn verify_once(&self) -> Result<()> {
        integrity::check_strangers(&self.folder, &self.manifest.files)?;
        let receipts = Receipts::of_user();
        for (name, entry) in &self.manifest.files {
            let path = self.folder.join(name);
            integrity::check_size(&path, entry)?;
            let seen = Receipts::look(&path);
            if seen.as_ref().is_some_and(|seen| receipts.vouch(seen, entry)) {
                continue;
            }
            integrity::check_content(&path, entry, |_| ControlFlow::Continue(()))?;
            if let Some(seen) = seen {
                receipts.keep(&seen, entry);
            }
        }
        Ok(())
    }

    /// What `pack.json` says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The rate the networks run at.
    pub fn fps(&self) -> FrameRate {
        self.fps
    }

    /// The identity of the network that makes latents: avatars work with packs that share it.
    pub fn encoder_identity(&self) -> &str {
        &self.manifest.encoder_identity
    }
}
