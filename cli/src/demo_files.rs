//! Where the bundled pack, avatars and voice lie.

use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

/// The bundled files of one folder.
#[derive(Clone, Debug)]
pub(crate) struct DemoFiles {
    pub(crate) folder: PathBuf,
    /// Name and file, in the order of their names.
    pub(crate) avatars: Vec<(String, PathBuf)>,
    pub(crate) voice: Option<PathBuf>,
}

impl DemoFiles {
    /// The first folder that holds a pack: `MUSETALK_DEMO`, beside the program, then the source tree it was built from.
    pub(crate) fn find() -> Result<Self> {
        let places = places();
        let folder = places.iter().find(|folder| folder.join("pack").join("pack.json").is_file()).ok_or_else(|| {
            let lines: Vec<String> = places.iter().map(|folder| format!("  {}", folder.display())).collect();
            let sentence = format!(
                "the bundled demo files were not found; set MUSETALK_DEMO to the folder models/demo of the sources. \
                 Looked in:\n{}",
                lines.join("\n")
            );
            Error::new(ErrorKind::NotFound, sentence)
        })?;
        let entries = std::fs::read_dir(folder).map_err(|e| Error::io("read the demo folder", folder, e))?;
        let mut avatars: Vec<(String, PathBuf)> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "avatar"))
            .filter_map(|path| Some((path.file_stem()?.to_string_lossy().into_owned(), path)))
            .collect();
        avatars.sort();
        let voice =
            ["voice.flac", "voice.wav"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
        Ok(Self { folder: folder.clone(), avatars, voice })
    }

    /// The pack's folder.
    pub(crate) fn pack(&self) -> PathBuf {
        self.folder.join("pack")
    }

    /// The avatar of this name, or the first one.
    pub(crate) fn avatar(&self, name: Option<&str>) -> Result<&Path> {
        let found = match name {
            Some(name) => self.avatars.iter().find(|(own, _)| own == name),
            None => self.avatars.first(),
        };
        found.map(|(_, path)| path.as_path()).ok_or_else(|| {
            let names: Vec<&str> = self.avatars.iter().map(|(name, _)| name.as_str()).collect();
            let asked = name.map_or("no avatar is bundled".to_owned(), |name| {
                format!("no bundled avatar is called {name}")
            });
            let sentence = format!("{asked}; there are: {}: {}", names.join(", "), self.folder.display());
            Error::new(ErrorKind::NotFound, sentence)
        })
    }

    /// The bundled speech.
    pub(crate) fn voice(&self) -> Result<&Path> {
        self.voice.as_deref().ok_or_else(|| {
            let sentence = format!(
                "the bundled voice is missing (voice.flac or voice.wav); give --audio: {}",
                self.folder.display()
            );
            Error::new(ErrorKind::NotFound, sentence)
        })
    }
}

fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(folder) = std::env::var_os("MUSETALK_DEMO").filter(|folder| !folder.is_empty()) {
        places.push(PathBuf::from(folder));
    }
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        places.push(folder.join("models").join("demo"));
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    places.push(sources.join("models").join("demo"));
    places
}
