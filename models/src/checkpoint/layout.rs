//! Which files lie in a folder of checkpoints, and which of them stand where a network is usually found.

use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

use super::names::Role;

/// Folders in folders that are looked into.
const DEEPEST: usize = 6;

/// Files and folders that are looked at.
const MOST_ENTRIES: usize = 20_000;

/// Extensions of files that hold tensors.
const EXTENSIONS: [&str; 6] = ["safetensors", "bin", "pth", "pt", "ckpt", "th"];

/// Names that a folder's tensor file carries, in the order of preference.
const SINGLE_FILES: [&str; 5] = [
    "model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin",
    "diffusion_pytorch_model.bin",
    "tiny.pt",
];

/// Every file below a folder, the shallowest first, in the order of their names.
pub(crate) struct Files {
    root: PathBuf,
    /// Relative to the root.
    paths: Vec<PathBuf>,
}

impl Files {
    /// # Errors
    ///
    /// `NotFound`: there is no such folder. `InvalidInput`: it holds too many files to be one of checkpoints.
    pub(crate) fn below(root: &Path) -> Result<Self> {
        let mut folders = vec![PathBuf::new()];
        let mut paths = Vec::new();
        let mut seen = 0;
        for _ in 0..=DEEPEST {
            let mut deeper = Vec::new();
            for folder in &folders {
                let listed = match std::fs::read_dir(root.join(folder)) {
                    Ok(listed) => listed,
                    Err(e) if folder.as_os_str().is_empty() => {
                        return Err(Error::io("list the checkpoints", root, e));
                    }
                    // A folder that may not be read holds nothing for us.
                    Err(_) => continue,
                };
                for entry in listed {
                    // Nor does what cannot be listed.
                    let Ok(entry) = entry else { continue };
                    seen += 1;
                    if seen > MOST_ENTRIES {
                        let text = format!(
                            "more than {MOST_ENTRIES} files; name the folder of the checkpoints: {}",
                            root.display()
                        );
                        return Err(Error::new(ErrorKind::InvalidInput, text));
                    }
                    let path = folder.join(entry.file_name());
                    // Through links: a download cache consists of them. A loop ends at the deepest folder.
                    match std::fs::metadata(root.join(&path)) {
                        Ok(kind) if kind.is_dir() && entry.file_name() != ".git" => deeper.push(path),
                        Ok(kind) if kind.is_file() => paths.push(path),
                        _ => {}
                    }
                }
            }
            folders = deeper;
        }
        paths.sort_by_key(|path| (path.components().count(), path.clone()));
        Ok(Self { root: root.to_owned(), paths })
    }

    /// The shallowest file whose path ends like `place`.
    pub(crate) fn at(&self, place: &str) -> Option<PathBuf> {
        self.paths.iter().find(|path| path.ends_with(place)).map(|path| self.root.join(path))
    }

    /// The shallowest file whose name contains `part` and has this extension.
    pub(crate) fn named(&self, part: &str, extension: &str) -> Option<PathBuf> {
        let named = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            name.contains(part) && path.extension().is_some_and(|e| e == extension)
        };
        self.paths.iter().find(named).map(|path| self.root.join(path))
    }

    /// The tensor files of the shallowest folder of this name that has some.
    ///
    /// # Errors
    ///
    /// `Corrupt`: the index of its shards is malformed.
    pub(crate) fn in_folder(&self, name: &str) -> Result<Option<Vec<PathBuf>>> {
        let mut folders: Vec<&Path> = self.paths.iter().filter_map(|path| path.parent()).collect();
        folders.dedup();
        folders.retain(|folder| folder.file_name().is_some_and(|n| n == name));
        for folder in folders {
            if let Some(files) = tensor_files(&self.root.join(folder))? {
                return Ok(Some(files));
            }
        }
        Ok(None)
    }

    /// Everything that could hold tensors.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = PathBuf> {
        let tensors = self.paths.iter().filter(|path| holds_tensors(path));
        tensors.map(|path| self.root.join(path))
    }
}

/// Folders in which a network is usually found, by the name of the folder.
pub(crate) fn usual_folders(role: Role) -> &'static [&'static str] {
    match role {
        Role::Unet => &["unet"],
        Role::Vae => &["sd-vae", "sd-vae-ft-mse", "vae"],
        Role::Whisper => &["whisper"],
        // Their folders hold other networks, too.
        Role::FaceParser | Role::FaceDetector => &[],
    }
}

/// The configurations that can stand beside a network's tensors.
pub(crate) fn configurations(role: Role) -> &'static [&'static str] {
    match role {
        Role::Unet => &["musetalk.json", "config.json"],
        Role::Vae | Role::Whisper => &["config.json"],
        Role::FaceParser | Role::FaceDetector => &[],
    }
}

fn holds_tensors(path: &Path) -> bool {
    path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// The one file with a known name, or the shards that an index lists, or the only tensor file of a kind.
fn tensor_files(folder: &Path) -> Result<Option<Vec<PathBuf>>> {
    for name in SINGLE_FILES {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(Some(vec![path]));
        }
        let index = folder.join(format!("{name}.index.json"));
        if index.is_file() {
            return shards(folder, &index).map(Some);
        }
    }
    let listed = std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))?;
    let mut found: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| holds_tensors(path) && path.is_file());
    found.sort();
    for extension in EXTENSIONS {
        let mut of_kind = found.iter().filter(|path| path.extension().is_some_and(|e| e == extension));
        if let (Some(only), None) = (of_kind.next(), of_kind.next()) {
            return Ok(Some(vec![only.clone()]));
        }
    }
    Ok(None)
}

fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let text = std::fs::read(index).map_err(|e| Error::io("read the index", index, e))?;
    let parsed: Index = serde_json::from_slice(&text).map_err(|e| {
        Error::new(ErrorKind::Corrupt, format!("malformed index ({e}): {}", index.display())).caused_by(e)
    })?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    if let Some(name) = names.iter().find(|name| name.contains(['/', '\\', ':'])) {
        let text = format!("shard {name:?} lies outside the checkpoint: {}", index.display());
        return Err(Error::new(ErrorKind::Corrupt, text));
    }
    Ok(names.iter().map(|name| folder.join(name)).collect())
}
