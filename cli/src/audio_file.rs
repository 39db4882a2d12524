//! Any WAV, FLAC, MP3 or Ogg Vorbis file as mono samples, block by block.
//!
//! Channels are averaged; the rate stays what the file says, because the session resamples. A file is never held in
//! memory as a whole. A damaged file is an error of kind [`ErrorKind::Corrupt`] that says at which second it breaks:
//! half a voice would make half a video, and nobody would notice. Padding and unknown chunks around the sound are no damage.

use std::fs::File;
use std::io::{ErrorKind as IoKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};
use symphonia::core::audio::SampleBuffer;
use symphonia::core::codecs::{CODEC_TYPE_NULL, Decoder, DecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::probe::Hint;

/// The sound of a file, read from the front.
pub struct AudioFile {
    path: PathBuf,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn Decoder>,
    track: u32,
    sample_rate: u32,
    expected: Option<u64>,
    read: u64,
    planes: Option<SampleBuffer<f32>>,
    mono: Vec<f32>,
    ended: bool,
}

impl std::fmt::Debug for AudioFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AudioFile").field("sample_rate", &self.sample_rate).field("path", &self.path).finish()
    }
}

impl AudioFile {
    /// Opens a file and reads its header. The content decides what it is; the ending of the name is only a hint.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::Io`]; [`ErrorKind::InvalidInput`] for an empty file, a folder, a pipe or a device;
    /// [`ErrorKind::Unsupported`] for anything that is not WAV, FLAC, MP3 or Ogg Vorbis; [`ErrorKind::Corrupt`]
    /// for a damaged header.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        // Looked at before it is opened: opening a pipe waits for somebody who writes, and a device never ends.
        let about = std::fs::metadata(&path).map_err(|e| Error::io("open the audio file", &path, e))?;
        if !about.is_file() {
            let what = if about.is_dir() { "a folder" } else { "a pipe or a device" };
            let sentence = format!("the audio must be a file, and this is {what}");
            return Err(say(ErrorKind::InvalidInput, &sentence, &path));
        }
        let file = File::open(&path).map_err(|e| Error::io("open the audio file", &path, e))?;
        if about.len() == 0 {
            return Err(say(ErrorKind::InvalidInput, "the audio file is empty", &path));
        }

        let mut hint = Hint::new();
        if let Some(ending) = path.extension().and_then(|ending| ending.to_str()) {
            hint.with_extension(ending);
        }
        let source = MediaSourceStream::new(Box::new(file), Default::default());
        let format = FormatOptions { enable_gapless: true, ..FormatOptions::default() };
        let probed = symphonia::default::get_probe()
            .format(&hint, source, &format, &MetadataOptions::default())
            .map_err(|e| not_audio(e, &path))?;
        let reader = probed.format;

        let track = reader
            .tracks()
            .iter()
            .find(|track| track.codec_params.codec != CODEC_TYPE_NULL)
            .ok_or_else(|| say(ErrorKind::Unsupported, KINDS, &path))?;
        let sample_rate =
            track.codec_params.sample_rate.filter(|&rate| rate > 0).ok_or_else(|| {
                say(ErrorKind::Corrupt, "the audio file does not state its sample rate", &path)
            })?;
        let decoder = symphonia::default::get_codecs()
            .make(&track.codec_params, &DecoderOptions::default())
            .map_err(|e| say(ErrorKind::Unsupported, KINDS, &path).caused_by(e))?;
        let parameters = &track.codec_params;
        let sample_bytes = u64::from(parameters.bits_per_sample.unwrap_or(8).div_ceil(8));
        let channels = parameters.channels.map_or(1, |channels| channels.count()) as u64;
        let expected = parameters
            .n_frames
            .filter(|&frames| frames > 0 && frames.saturating_mul(sample_bytes * channels) < UNKNOWN_LENGTH);
        let track = track.id;

        Ok(Self {
            path,
            reader,
            decoder,
            track,
            sample_rate,
            expected,
            read: 0,
            planes: None,
            mono: Vec::new(),
            ended: false,
        })
    }

    /// The next samples, −1…1, averaged over the channels; `None` at the end. Their number varies with the format:
    /// a packet at a time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] where the file breaks off or cannot be decoded, with the second at which it happens;
    /// [`ErrorKind::InvalidInput`] when it ends without a single sample; [`ErrorKind::Io`].
    pub fn next_block(&mut self) -> Result<Option<&[f32]>> {
        while !self.ended {
            let packet = match self.reader.next_packet() {
                Ok(packet) => packet,
                Err(SymphoniaError::IoError(e)) if e.kind() == IoKind::UnexpectedEof => {
                    self.ended = true;
                    self.check_length()?;
                    break;
                }
                // A chained Ogg file starts another stream here; what was heard so far is a whole one.
                Err(SymphoniaError::ResetRequired) => {
                    self.ended = true;
                    break;
                }
                Err(e) => return Err(self.broken(e)),
            };
            if packet.track_id() != self.track {
                continue;
            }
            match self.decoder.decode(&packet) {
                Ok(decoded) => {
                    let (spec, frames) = (*decoded.spec(), decoded.frames());
                    if spec.rate != self.sample_rate {
                        let sentence = format!(
                            "the sample rate changes from {} to {} Hz in the middle of the audio file; convert it first",
                            self.sample_rate, spec.rate
                        );
                        return Err(say(ErrorKind::Unsupported, &sentence, &self.path));
                    }
                    if frames == 0 {
                        continue;
                    }
                    let channels = spec.channels.count().max(1);
                    let capacity = decoded.capacity() as u64;
                    if self.planes.as_ref().is_none_or(|p| p.capacity() < decoded.capacity() * channels) {
                        self.planes = Some(SampleBuffer::new(capacity, spec));
                    }
                    let Some(planes) = self.planes.as_mut() else { continue };
                    planes.copy_interleaved_ref(decoded);
                    self.mono.clear();
                    let scale = 1.0 / channels as f32;
                    self.mono.extend(
                        planes.samples().chunks_exact(channels).map(|c| c.iter().sum::<f32>() * scale),
                    );
                    if let Some(at) = self.mono.iter().position(|sample| !sample.is_finite()) {
                        let sentence = format!(
                            "a sample of the audio file is no number, at {:.2} s; export it again",
                            self.seconds(self.read + at as u64)
                        );
                        return Err(say(ErrorKind::Corrupt, &sentence, &self.path));
                    }
                    // The last packet of Vorbis is a whole one; where the sound ends is written elsewhere.
                    if let Some(left) = self.expected.map(|expected| expected.saturating_sub(self.read)) {
                        self.mono.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                        if self.mono.is_empty() {
                            continue;
                        }
                    }
                    self.read += self.mono.len() as u64;
                    return Ok(Some(&self.mono));
                }
                Err(e) => return Err(self.broken(e)),
            }
        }
        if self.read == 0 {
            return Err(say(
                ErrorKind::InvalidInput,
                "there is no sound in the audio file: it holds no samples",
                &self.path,
            ));
        }
        Ok(None)
    }

    /// Samples per second, as the file states them.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Samples that the header promises; `None` where it does not say.
    pub fn promised(&self) -> Option<u64> {
        self.expected
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An end before the promised one is damage. MP3 and Vorbis count their padding differently, hence the margin.
    fn check_length(&self) -> Result<()> {
        match self.promised() {
            Some(promised) if self.read > 0 && self.read + u64::from(self.sample_rate) / 10 < promised => {
                let sentence = format!(
                    "the audio file breaks off after {:.2} s of {:.2} s; fetch or export it again",
                    self.seconds(self.read),
                    self.seconds(promised)
                );
                Err(say(ErrorKind::Corrupt, &sentence, &self.path))
            }
            _ if ogg_is_cut(&self.path).unwrap_or(false) => {
                let sentence = format!(
                    "the audio file breaks off after {:.2} s; fetch or export it again",
                    self.seconds(self.read)
                );
                Err(say(ErrorKind::Corrupt, &sentence, &self.path))
            }
            _ => Ok(()),
        }
    }

    fn broken(&self, cause: SymphoniaError) -> Error {
        if let SymphoniaError::IoError(e) = cause {
            return Error::io("read the audio file", &self.path, e);
        }
        let sentence = format!(
            "the audio file is damaged at {:.2} s: {cause}; fetch or export it again",
            self.seconds(self.read)
        );
        say(ErrorKind::Corrupt, &sentence, &self.path).caused_by(cause)
    }

    fn seconds(&self, samples: u64) -> f64 {
        samples as f64 / f64::from(self.sample_rate)
    }
}

/// Who writes a WAV file into a pipe cannot go back to say how long it is, and says the most that fits.
const UNKNOWN_LENGTH: u64 = 0x7fff_f000;

const KINDS: &str = "this is not an audio file that can be read; give a WAV, FLAC, MP3 or Ogg Vorbis file";

/// Whether the last page of an Ogg file is longer than what is left of the file. Ogg states no length, and the reader takes
/// the end of the file for that of the sound.
fn ogg_is_cut(path: &Path) -> std::io::Result<bool> {
    const LONGEST_PAGE: u64 = 27 + 255 + 255 * 255;
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    file.read_exact(&mut magic)?;
    if &magic != b"OggS" {
        return Ok(false);
    }
    let start = file.metadata()?.len().saturating_sub(LONGEST_PAGE);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(LONGEST_PAGE).read_to_end(&mut tail)?;
    // The fifth byte is the version, always 0: the name alone may occur inside a page by chance.
    let Some(page) = tail.windows(5).rposition(|bytes| bytes == b"OggS\0").map(|at| &tail[at..]) else {
        return Ok(false);
    };
    let whole = page.get(26).and_then(|&segments| {
        let lengths = page.get(27..27 + usize::from(segments))?;
        Some(27 + lengths.len() + lengths.iter().map(|&length| usize::from(length)).sum::<usize>())
    });
    Ok(whole.is_none_or(|whole| whole > page.len()))
}

fn not_audio(cause: SymphoniaError, path: &Path) -> Error {
    match cause {
        SymphoniaError::IoError(e) if e.kind() != IoKind::UnexpectedEof => {
            Error::io("read the audio file", path, e)
        }
        SymphoniaError::DecodeError(_) => {
            let sentence =
                format!("the header of the audio file is damaged: {cause}; fetch or export it again");
            say(ErrorKind::Corrupt, &sentence, path).caused_by(cause)
        }
        // Reached the end without a header of any known kind, or met a kind that is not built in.
        cause => say(ErrorKind::Unsupported, KINDS, path).caused_by(cause),
    }
}

fn say(kind: ErrorKind, sentence: &str, path: &Path) -> Error {
    Error::new(kind, format!("{sentence}: {}", path.display()))
}
