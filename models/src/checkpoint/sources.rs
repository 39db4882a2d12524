//! The checkpoints of one MuseTalk in a folder: its published layout, Hugging Face's, or any other.
//!
//! A network is looked for at its usual place first, then among all files by what they hold.

use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};

use super::file::TensorFile;
use super::layout::{self, Files};
use super::names::{Role, canonical, recognised};
use super::publishers::{self, Published};
use super::{Checkpoint, Config};
use crate::manifest::{Origin, WeightEntry};
use crate::progress::Advance;

/// Files whose headers are read to find a network that is not at a usual place.
const MOST_OPENED: usize = 64;

/// A release of MuseTalk's generator. Everything else is the same in both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ModelVersion {
    /// `musetalk/pytorch_model.bin`, of 2024.
    V1,
    /// `musetalkV15/unet.pth`, of 2025: sharper, and in better step with the sound.
    V15,
}

impl ModelVersion {
    /// What a person calls it.
    fn title(self) -> &'static str {
        match self {
            Self::V1 => "MuseTalk 1.0",
            Self::V15 => "MuseTalk 1.5",
        }
    }
}

/// What a folder holds.
pub(crate) struct Sources<'a> {
    pub(crate) whisper: Checkpoint<'a>,
    pub(crate) unet: Checkpoint<'a>,
    pub(crate) vae: Checkpoint<'a>,
    pub(crate) face_parser: Option<Checkpoint<'a>>,
    pub(crate) face_detector: Option<Checkpoint<'a>>,
    /// The published ONNX file.
    pub(crate) face_landmarks: Option<PathBuf>,
    /// What `origin.json` says.
    pub(crate) origin: Origin,
    /// The folder that was looked through: what lies above it says nothing about what is in it.
    folder: PathBuf,
    /// Of the generator, where its place tells. What was asked for is no knowledge.
    pub(crate) version: Option<ModelVersion>,
    /// What a person should know about what was found, each in a sentence.
    pub(crate) notes: Vec<String>,
}

impl<'a> Sources<'a> {
    /// Looks through `folder`; reads headers only. Without a `version`, 1.5 is preferred.
    ///
    /// # Errors
    ///
    /// - `NotFound`: the folder, or a network that a pack needs, is not there; the message lists all that are missing.
    /// - `Corrupt`, `Unsupported`: a file at a usual place cannot be read, or holds more than tensors.
    /// - `InvalidInput`: the folder holds more files than any layout.
    pub(crate) fn find(
        folder: &Path,
        version: Option<ModelVersion>,
        reporter: &'a dyn Advance,
    ) -> Result<Self> {
        let mut search = Search::new(Files::below(folder)?);
        let origin = Origin::read(folder)?;
        let (unet, version) = search.generator(folder, version)?;
        let found =
            [Role::Vae, Role::Whisper, Role::FaceParser, Role::FaceDetector].map(|role| search.network(role));
        let [vae, whisper, face_parser, face_detector] = found;
        let (vae, whisper) = (vae?, whisper?);
        let missing = [(&unet, search.wanted), (&vae, Role::Vae.into()), (&whisper, Role::Whisper.into())];
        let missing: Vec<&Published> =
            missing.into_iter().filter(|(found, _)| found.is_none()).map(|(_, what)| what).collect();
        let (Some(unet), Some(vae), Some(whisper)) = (unet, vae, whisper) else {
            return Err(search.missing(folder, &missing));
        };
        let mut optional = |role: Role, files: Option<Vec<PathBuf>>| {
            let files = files.filter(|files| search.has_content(&files[0]));
            files.map(|files| Checkpoint::open(role, &files, None, reporter)).transpose()
        };
        let face_parser = optional(Role::FaceParser, face_parser?)?;
        let face_detector = optional(Role::FaceDetector, face_detector?)?;
        let face_landmarks = search.landmarks().filter(|file| search.has_content(file));
        // One of them may have been meant for a network that now seems to be absent.
        search.notes.extend(search.unreadable.iter().map(|error| format!("not read: {error}")));
        let mut open = |role, files: Vec<PathBuf>| -> Result<Checkpoint<'a>> {
            let config = configuration(role, &files[0])?;
            let mut checkpoint = Checkpoint::open(role, &files, config, reporter)?;
            search.notes.append(&mut checkpoint.take_notes());
            Ok(checkpoint)
        };
        let (unet, vae, whisper) =
            (open(Role::Unet, unet)?, open(Role::Vae, vae)?, open(Role::Whisper, whisper)?);
        let (folder, notes) = (folder.to_owned(), search.notes);
        Ok(Self {
            whisper,
            unet,
            vae,
            face_parser,
            face_detector,
            face_landmarks,
            origin,
            folder,
            version,
            notes,
        })
    }

    /// Networks that are not there and not needed to speak, with where they come from, licence and size.
    pub(crate) fn absent(&self) -> Vec<String> {
        let optional = [
            (self.face_parser.is_some(), publishers::published(Role::FaceParser)),
            (self.face_detector.is_some(), publishers::published(Role::FaceDetector)),
            (self.face_landmarks.is_some(), &publishers::FACE_LANDMARKS),
        ];
        optional.into_iter().filter(|(there, _)| !there).map(|(_, published)| published.to_string()).collect()
    }

    /// The checkpoints that there are, by the networks that are made from each.
    pub(crate) fn checkpoints(&self) -> Vec<(&'static str, Role, &Checkpoint<'a>)> {
        let speaking = [
            ("audio_encoder", Role::Whisper, &self.whisper),
            ("generator", Role::Unet, &self.unet),
            ("decoder, encoder", Role::Vae, &self.vae),
        ];
        let faces = [
            ("face_detector", Role::FaceDetector, &self.face_detector),
            ("face_parser", Role::FaceParser, &self.face_parser),
        ];
        let faces = faces.into_iter().filter_map(|(name, role, c)| Some((name, role, c.as_ref()?)));
        speaking.into_iter().chain(faces).collect()
    }

    /// Where the weights of `network` come from and under which licence, as `origin.json` or the place of `file` tells; `sha256`
    /// is the digest of that file.
    pub(crate) fn entry(&self, network: &str, role: Role, file: &Path, sha256: String) -> WeightEntry {
        let published = match (role, self.version) {
            (Role::Unet, Some(ModelVersion::V1)) => &publishers::UNET_10,
            (role, _) => publishers::published(role),
        };
        let release = self.version.filter(|_| role == Role::Unet);
        self.told(network, release, published, file, sha256)
    }

    /// The same of the network that was published in ONNX.
    pub(crate) fn published_entry(&self, network: &str, sha256: &str) -> WeightEntry {
        let file = self.face_landmarks.as_deref().unwrap_or(Path::new(""));
        self.told(network, None, &publishers::FACE_LANDMARKS, file, sha256.to_owned())
    }

    fn told(
        &self,
        network: &str,
        release: Option<ModelVersion>,
        published: &Published,
        file: &Path,
        sha256: String,
    ) -> WeightEntry {
        let published =
            Some(published).filter(|published| below(&self.folder, file).ends_with(published.file));
        let release = release.map(ModelVersion::title);
        let publisher = published.map(|published| published.publisher);
        let by_place: Vec<&str> = release.into_iter().chain(publisher).collect();
        let or_place = |told: &Option<String>, by_place: &[&str]| match (told, by_place) {
            (Some(told), _) => told.clone(),
            (None, []) => "unknown".into(),
            (None, by_place) => format!("{}, by the file's place", by_place.join(", ")),
        };
        WeightEntry {
            network: network.into(),
            origin: or_place(&self.origin.origin, &by_place),
            licence: or_place(&self.origin.licence, published.map(|p| p.licence).as_slice()),
            sha256,
        }
    }
}

/// Files of a folder on their way to becoming sources.
struct Search {
    files: Files,
    /// Each candidate's network, found out once and when first needed.
    contents: Option<Vec<(PathBuf, Option<Role>)>>,
    /// Candidates that were too many to be looked into.
    passed_over: usize,
    /// What could not be read while looking.
    unreadable: Vec<Error>,
    /// The generator to be named if there is none.
    wanted: &'static Published,
    notes: Vec<String>,
}

impl Search {
    fn new(files: Files) -> Self {
        let wanted = &publishers::UNET_15;
        Self { files, contents: None, passed_over: 0, unreadable: Vec::new(), wanted, notes: Vec::new() }
    }

    /// The generator and, where its place in `folder` tells, its version.
    fn generator(
        &mut self,
        folder: &Path,
        version: Option<ModelVersion>,
    ) -> Result<(Option<Vec<PathBuf>>, Option<ModelVersion>)> {
        let mut found: Vec<(Vec<PathBuf>, Option<ModelVersion>)> = Vec::new();
        if let Some(files) = self.files.in_folder("unet")? {
            found.push((files, None));
        }
        for (version, published) in
            [(ModelVersion::V15, &publishers::UNET_15), (ModelVersion::V1, &publishers::UNET_10)]
        {
            found.extend(self.files.at(published.file).map(|path| (vec![path], Some(version))));
        }
        if found.is_empty() || version.is_some_and(|v| found.iter().all(|(_, found)| *found != Some(v))) {
            let more = self.holding(Role::Unet).into_iter().map(|path| {
                let version = version_of(below(folder, &path));
                (vec![path], version)
            });
            found.extend(more.collect::<Vec<_>>());
        }
        let choice = match version {
            None => found.iter().position(|(_, v)| v.is_none()).filter(|at| *at == 0),
            Some(_) => None,
        };
        let of = |version| found.iter().position(|(_, v)| *v == version);
        let choice = choice.or_else(|| match version {
            Some(version) => of(Some(version)).or_else(|| of(None)),
            None => of(Some(ModelVersion::V15)).or_else(|| of(Some(ModelVersion::V1))),
        });
        if version == Some(ModelVersion::V1) {
            self.wanted = &publishers::UNET_10;
        }
        let Some((files, told)) = choice.map(|at| found.swap_remove(at)) else { return Ok((None, None)) };
        found.retain(|(others, _)| *others != files);
        if version.is_none() && !found.is_empty() {
            let others: Vec<String> = found.iter().map(|(files, _)| files[0].display().to_string()).collect();
            self.notes.push(format!(
                "there are several generators; {} is taken, not {}",
                files[0].display(),
                others.join(", ")
            ));
        }
        if let (Some(asked), None) = (version, told) {
            self.notes.push(format!(
                "nothing but the request says that the generator is of {}: {}",
                asked.title(),
                files[0].display()
            ));
        }
        Ok((Some(files), told))
    }

    /// The files of any other network.
    fn network(&mut self, role: Role) -> Result<Option<Vec<PathBuf>>> {
        if role == Role::FaceDetector
            && let Some(path) = self.files.named("s3fd", "pth")
        {
            return Ok(Some(vec![path]));
        }
        if role == Role::FaceParser
            && let Some(path) = self.files.at(publishers::published(role).file)
        {
            return Ok(Some(vec![path]));
        }
        for folder in layout::usual_folders(role) {
            if let Some(files) = self.files.in_folder(folder)? {
                return Ok(Some(files));
            }
        }
        Ok(self.holding(role).into_iter().next().map(|path| vec![path]))
    }

    /// DWPose as it is published in ONNX; a note where only its training checkpoint is there.
    fn landmarks(&mut self) -> Option<PathBuf> {
        let found =
            self.files.named("dw-ll_ucoco_384", "onnx").or_else(|| self.files.named("dw-ll_ucoco", "onnx"));
        if found.is_none()
            && let Some(path) = self.files.named("dw-ll_ucoco", "pth")
        {
            self.notes.push(format!(
                "the landmarks of a face need {}, not the training checkpoint {}",
                publishers::FACE_LANDMARKS.file,
                path.display()
            ));
        }
        found
    }

    /// Whether there is anything in a file that a pack can do without; a note where not, as a download that was cut off leaves it.
    fn has_content(&mut self, file: &Path) -> bool {
        let empty = std::fs::metadata(file).is_ok_and(|about| about.len() == 0);
        if empty {
            self.notes.push(format!("an empty file was passed over: {}", file.display()));
        }
        !empty
    }

    /// The candidates that hold a network, whatever they are called.
    fn holding(&mut self, role: Role) -> Vec<PathBuf> {
        if self.contents.is_none() {
            let mut contents = Vec::new();
            self.passed_over = self.files.candidates().skip(MOST_OPENED).count();
            for path in self.files.candidates().take(MOST_OPENED) {
                match TensorFile::open(&path) {
                    Ok(file) => contents.push((path, network_in(&file))),
                    Err(error) => self.unreadable.push(error),
                }
            }
            self.contents = Some(contents);
        }
        let contents = self.contents.iter().flatten();
        contents.filter(|(_, held)| *held == Some(role)).map(|(path, _)| path.clone()).collect()
    }

    /// All that is missing at once, and what could not be read meanwhile.
    fn missing(&self, folder: &Path, missing: &[&Published]) -> Error {
        let mut text = format!("{} checkpoints are missing in {}", missing.len(), folder.display());
        for published in missing {
            text += &format!("\n  {published}");
        }
        text += "\nFolders unet/, vae/ and whisper/ with a config.json and model.safetensors or \
                 diffusion_pytorch_model.safetensors are read, too.";
        if self.passed_over > 0 {
            let all = MOST_OPENED + self.passed_over;
            text += &format!(
                "\nOnly the first {MOST_OPENED} of {all} files were looked into; name a folder with fewer."
            );
        }
        for error in self.unreadable.iter().take(4) {
            text += &format!("\nNot read: {error}");
        }
        Error::new(ErrorKind::NotFound, text)
    }
}

impl From<Role> for &'static Published {
    fn from(role: Role) -> Self {
        publishers::published(role)
    }
}

fn network_in(file: &TensorFile) -> Option<Role> {
    Role::ALL.into_iter().find(|&role| {
        let names = canonical(role, file.names());
        recognised(role, |name| file.shape(names.get(name)?))
    })
}

/// The path of `file` in `folder`.
fn below<'a>(folder: &Path, file: &'a Path) -> &'a Path {
    file.strip_prefix(folder).unwrap_or(file)
}

/// What the name of a file and the two folders above it say. A clone of the project's repository is called `MuseTalk` whatever
/// is in it, so 1.0 is told by the folder of the file alone.
fn version_of(path: &Path) -> Option<ModelVersion> {
    let above = path.iter().rev().take(3).map(|part| part.to_string_lossy().to_lowercase());
    let parts: Vec<String> = above.collect();
    let contains = |words: &[&str]| parts.iter().any(|part| words.iter().any(|word| part.contains(word)));
    let parent = parts.get(1).map(String::as_str);
    if contains(&["v15", "v1.5", "_15", "-1.5"]) {
        Some(ModelVersion::V15)
    } else if matches!(parent, Some("musetalk" | "musetalkv1")) {
        Some(ModelVersion::V1)
    } else {
        None
    }
}

/// The configuration beside a file, unless it says that it is another network's.
fn configuration(role: Role, file: &Path) -> Result<Option<Config>> {
    let folder = file.parent().unwrap_or(Path::new(""));
    for name in layout::configurations(role) {
        let path = folder.join(name);
        if !path.is_file() {
            continue;
        }
        let config = Config::read(&path)?;
        let owner = match config.declared() {
            Some("UNet2DConditionModel") => Some(Role::Unet),
            Some("AutoencoderKL") => Some(Role::Vae),
            Some("whisper") => Some(Role::Whisper),
            _ => None,
        };
        if owner.is_none_or(|owner| owner == role) {
            return Ok(Some(config));
        }
    }
    Ok(None)
}
