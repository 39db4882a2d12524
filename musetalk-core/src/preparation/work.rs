//! What an interrupted preparation leaves for the next: what was seen of every frame, and the latents.
//!
//! One file of lines of JSON. The first states what it belongs to: the footage, the networks, the part that is looked at, the version of this
//! program. A line that is cut short, by a crash or a full disk, ends what is taken from it. Latents lie in a second file beside it, each
//! with its frame, its box and two digests: its own, and that of the picture that it was made of, which depends on more than the first file states.
//!
//! The names are known beforehand, and folders may be open to others: only files of our own kind are written to, no links are followed, and
//! two runs do not share them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::PrepareOptions;
use super::source::FrameSource;
use crate::asset::FaceBox;
use crate::files::{Found, open_own};
use crate::pack::{Manifest, hex};
use crate::prepare::Observation;
use crate::{Error, ErrorKind, Result};

/// Changes with everything that changes what is seen.
const VERSION: &str = "3";

/// What both files begin with; whatever begins otherwise is not ours.
const SEEN: &str = "musetalk work ";
const LATENTS: &[u8] = b"musetalk latents\n";

/// A line has some two kilobytes; one far beyond that is not ours.
const LONGEST_LINE: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct WorkFile {
    path: PathBuf,
    file: File,
    seen: Vec<Observation>,
    latents: Latents,
}

#[derive(Debug)]
struct Latents {
    path: PathBuf,
    file: File,
    /// Where the latent of a frame with this box lies, and how many numbers it has.
    places: HashMap<(usize, [i32; 4]), (u64, usize)>,
    end: u64,
}

impl WorkFile {
    /// Opens or begins the file that the options name for the clip with this number; nothing where they name none, or the footage has no
    /// identity.
    pub(super) fn open(
        options: &PrepareOptions,
        manifest: &Manifest,
        source: &dyn FrameSource,
        clip: usize,
    ) -> Result<Option<Self>> {
        let (Some(path), Some(identity)) = (&options.work_file, source.identity()) else { return Ok(None) };
        let path = &if clip == 0 { path.clone() } else { with_ending(path, &format!("-{clip}")) };
        let key = key(options, manifest, &identity, (source.width(), source.height()));
        let (mut file, found) = open_own(path, SEEN.as_bytes())?;
        let failed = |e| Error::io("read the work file", path, e);
        let mut seen = Vec::new();
        let mut good = 0;
        if found == Found::Own {
            let mut reader = BufReader::new(&mut file);
            let mut line = String::new();
            while let Ok(count @ 1..) = reader.by_ref().take(LONGEST_LINE).read_line(&mut line) {
                let whole = line.ends_with('\n');
                let text = line.trim_end();
                if !whole || (good == 0 && text != key) {
                    break;
                }
                if good > 0 {
                    let Ok(observation) = serde_json::from_str(text) else { break };
                    seen.push(observation);
                }
                good += count as u64;
                line.clear();
            }
        }
        let latents = Latents::open(&with_ending(path, "-latents"), good == 0)?;
        // What is of another preparation or not whole goes.
        file.set_len(good).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        if good == 0 {
            writeln!(file, "{key}").map_err(|e| Error::io("write the work file", path, e))?;
        }
        Ok(Some(Self { path: path.clone(), file, seen, latents }))
    }

    /// What was seen before the interruption.
    pub(super) fn take_seen(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.seen)
    }

    /// Keeps what was seen of the next frame.
    pub(super) fn keep(&mut self, observation: &Observation) -> Result<()> {
        let mut line = serde_json::to_string(observation).unwrap_or_default();
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(|e| Error::io("write the work file", &self.path, e))
    }

    /// A latent that was made before the interruption, of a picture with this digest.
    pub(super) fn latent(&mut self, frame: usize, face: &FaceBox, picture: [u8; 8]) -> Option<Vec<f32>> {
        self.latents.read(frame, face, picture)
    }

    /// Keeps a latent.
    pub(super) fn keep_latent(
        &mut self,
        frame: usize,
        face: &FaceBox,
        picture: [u8; 8],
        latent: &[f32],
    ) -> Result<()> {
        let path = self.latents.path.clone();
        let kept = self.latents.append(frame, face, picture, latent);
        kept.map_err(|e| Error::io("write the work file", &path, e))
    }

    /// The avatar is written, or never will be: nothing is left.
    pub(super) fn remove(self) {
        let Self { path, file, latents, .. } = self;
        drop((file, latents.file));
        // What resists is in nobody's way, and is recognised as done with by its age or key.
        let _gone = std::fs::remove_file(&path).is_ok() & std::fs::remove_file(&latents.path).is_ok();
    }
}

impl Latents {
    fn open(path: &Path, fresh: bool) -> Result<Self> {
        let (file, found) = open_own(path, LATENTS)?;
        let start = LATENTS.len() as u64;
        let mut this = Self { path: path.to_owned(), file, places: HashMap::new(), end: start };
        if !fresh && found == Found::Own {
            while let Some(((frame, face), count)) = this.header(this.end) {
                this.places.insert((frame, face), (this.end, count));
                this.end += HEAD + 4 * count as u64;
            }
        }
        // A last one that was cut short is found out by its digest.
        let cut = this.file.set_len(this.end).and_then(|()| this.file.seek(SeekFrom::Start(0)));
        cut.and_then(|_| this.file.write_all(LATENTS))
            .map_err(|e| Error::io("write the work file", path, e))?;
        Ok(this)
    }

    /// The frame, box and count of the latent at a place, if it is whole.
    fn header(&mut self, at: u64) -> Option<((usize, [i32; 4]), usize)> {
        let mut head = [0; HEAD as usize];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut head).ok()?;
        let number = |at: usize| i32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (frame, count) = (usize::try_from(number(0)).ok()?, usize::try_from(number(20)).ok()?);
        let end = at + HEAD + 4 * count as u64;
        let length = self.file.metadata().ok()?.len();
        (count > 0 && count < 1 << 24 && end <= length)
            .then(|| ((frame, [number(4), number(8), number(12), number(16)]), count))
    }

    fn read(&mut self, frame: usize, face: &FaceBox, picture: [u8; 8]) -> Option<Vec<f32>> {
        let &(at, count) = self.places.get(&(frame, edges(face)))?;
        let mut head = [0; HEAD as usize];
        let mut bytes = vec![0; 4 * count];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut head).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        let sound = head[24..32] == picture && head[32..] == Sha256::digest(&bytes)[..8];
        sound.then(|| bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    fn append(
        &mut self,
        frame: usize,
        face: &FaceBox,
        picture: [u8; 8],
        latent: &[f32],
    ) -> std::io::Result<()> {
        let bytes: Vec<u8> = latent.iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut record = Vec::with_capacity(bytes.len() + HEAD as usize);
        let numbers = [frame as i32].into_iter().chain(edges(face)).chain([latent.len() as i32]);
        numbers.for_each(|number| record.extend_from_slice(&number.to_le_bytes()));
        record.extend_from_slice(&picture);
        record.extend_from_slice(&Sha256::digest(&bytes)[..8]);
        record.extend_from_slice(&bytes);
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&record)?;
        self.places.insert((frame, edges(face)), (self.end, latent.len()));
        self.end += record.len() as u64;
        Ok(())
    }
}

/// Frame, box, count, and the beginnings of two digests.
const HEAD: u64 = 6 * 4 + 2 * 8;

fn edges(face: &FaceBox) -> [i32; 4] {
    [face.x1, face.y1, face.x2, face.y2]
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    name.push(ending);
    path.with_file_name(name)
}

/// Whether the next run can go on after an error of this kind. Footage that is refused is refused again.
pub(super) fn worth_keeping(kind: ErrorKind) -> bool {
    use ErrorKind::{Corrupt, Incompatible, InvalidInput, Unsupported};
    !matches!(kind, Corrupt | Incompatible | InvalidInput | Unsupported)
}

/// What everything in the file depends on.
fn key(options: &PrepareOptions, manifest: &Manifest, identity: &str, size: (u32, u32)) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(VERSION);
    add(env!("CARGO_PKG_VERSION"));
    add(identity);
    add(&format!("{size:?} {:?} {:?}", manifest.fps, manifest.encoder_identity));
    add(&format!("{:?} {:?} {:?} {}", options.range, options.max_frames, options.key, options.reference));
    for role in ["encoder", "face_detector", "face_landmarks"] {
        let file = manifest.networks.get(role).and_then(|network| manifest.files.get(&network.file));
        add(file.map_or("", |file| &file.sha256));
    }
    format!("{SEEN}{}", hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latent_is_recalled_for_its_frame_its_box_and_its_picture_alone() {
        let path = std::env::temp_dir().join(format!("musetalk-latents-{}", std::process::id()));
        drop(std::fs::remove_file(&path));
        let face = FaceBox { x1: 10, y1: 20, x2: 60, y2: 80 };
        let moved = FaceBox { x1: 11, ..face };
        let (picture, worse) = ([7; 8], [8; 8]);
        let mut latents = Latents::open(&path, true).unwrap();
        latents.append(3, &face, picture, &[1.0, -2.5]).unwrap();
        latents.append(4, &face, picture, &[3.0, 4.0]).unwrap();
        drop(latents);
        let mut latents = Latents::open(&path, false).unwrap();
        assert_eq!(latents.read(3, &face, picture), Some(vec![1.0, -2.5]));
        assert_eq!(latents.read(4, &face, picture), Some(vec![3.0, 4.0]));
        assert_eq!(latents.read(5, &face, picture), None);
        assert_eq!(latents.read(3, &moved, picture), None);
        // The same frame at another quality, because other options leave less room for it.
        assert_eq!(latents.read(3, &face, worse), None);
        // It is made again, and from then on that one counts.
        latents.append(3, &face, worse, &[5.0, 6.0]).unwrap();
        assert_eq!(latents.read(3, &face, worse), Some(vec![5.0, 6.0]));
        drop(latents);
        // Cut short by a crash: the last one is gone, the others are there. A changed bit is found out.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 3);
        let second = LATENTS.len() + (HEAD as usize + 8) + HEAD as usize;
        bytes[second] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let mut latents = Latents::open(&path, false).unwrap();
        assert_eq!(latents.read(3, &face, worse), None);
        assert_eq!(latents.read(3, &face, picture), Some(vec![1.0, -2.5]));
        assert_eq!(latents.read(4, &face, picture), None);
        drop(latents);
        std::fs::remove_file(&path).unwrap();
    }
}
