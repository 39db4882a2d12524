//! A video file that needs no other program: Motion JPEG and 16-bit PCM in AVI.
//!
//! Sound and picture alternate, frame by frame. The file has both indexes: `idx1` for old players, and the OpenDML one
//! that lets it grow past the first RIFF chunk.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageError};
use musetalk_core::{Error, ErrorKind, Result};

use super::{VideoFormat, VideoSink, cannot_write};
use crate::temp::Temp;

/// High enough that skin shows no blocks; about 40 kB for a 512×512 picture.
const JPEG_QUALITY: u8 = 92;
/// Bytes in one RIFF chunk. Old readers take lengths as signed 32-bit numbers.
const SEGMENT: u64 = 1 << 30;
/// RIFF chunks in one file: as many as the first one holds index entries for, 256 GiB in all.
const SEGMENTS: usize = 256;

/// One AVI file being written.
#[derive(Debug)]
pub struct AviFile {
    file: Counted,
    temp: Temp,
    path: PathBuf,
    format: VideoFormat,
    streams: [Stream; 2],
    segment: Segment,
    segment_limit: u64,
    first: Option<FirstSegment>,
    jpeg: Vec<u8>,
    pcm: Vec<u8>,
}

/// What the header says of one stream at the end.
#[derive(Debug, Default)]
struct Stream {
    /// Pictures, or samples.
    length: u64,
    largest_chunk: u32,
    indexes: Vec<SuperEntry>,
}

#[derive(Debug)]
struct SuperEntry {
    offset: u64,
    size: u32,
    duration: u32,
}

/// The RIFF chunk being written.
#[derive(Debug)]
struct Segment {
    riff: u64,
    /// Where the word `movi` stands: `idx1` counts from here.
    movi: u64,
    chunks: Vec<Chunk>,
}

/// One picture or one block of sound: where its header stands, and the size of what follows it.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    stream: usize,
    offset: u64,
    size: u32,
    duration: u32,
}

#[derive(Debug)]
struct FirstSegment {
    riff_size: u32,
    movi_size: u32,
    pictures: u32,
}

const VIDEO: usize = 0;
const AUDIO: usize = 1;
const IDS: [&[u8; 4]; 2] = [b"00dc", b"01wb"];
const INDEX_IDS: [&[u8; 4]; 2] = [b"ix00", b"ix01"];

impl AviFile {
    /// Starts a file under a temporary name beside the final one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] or [`ErrorKind::Io`] when nothing can be written there.
    pub fn create(path: &Path, format: VideoFormat) -> Result<Self> {
        Self::with_segments(path, format, SEGMENT)
    }

    fn with_segments(path: &Path, format: VideoFormat, segment_limit: u64) -> Result<Self> {
        let temp = Temp::beside(path)?;
        let file = File::create_new(temp.path()).map_err(|e| cannot_write(path, e))?;
        let mut avi = Self {
            file: Counted { file: BufWriter::with_capacity(1 << 18, file), position: 0 },
            temp,
            path: path.to_path_buf(),
            format,
            streams: Default::default(),
            segment: Segment { riff: 0, movi: 0, chunks: Vec::new() },
            segment_limit,
            first: None,
            jpeg: Vec::new(),
            pcm: Vec::new(),
        };
        let header = avi.header();
        avi.write(|file| file.put(&header))?;
        avi.segment.movi = header.len() as u64 - 4;
        Ok(avi)
    }

    fn write(&mut self, step: impl FnOnce(&mut Counted) -> std::io::Result<()>) -> Result<()> {
        step(&mut self.file).map_err(|e| cannot_write(&self.path, e))
    }

    fn chunk(&mut self, stream: usize, data: &[u8], duration: u32) -> Result<()> {
        let size = u32::try_from(data.len()).map_err(|e| {
            Error::new(ErrorKind::Unsupported, "one picture is too large for AVI").caused_by(e)
        })?;
        let chunk = Chunk { stream, offset: self.file.position, size, duration };
        self.write(|file| file.chunk(IDS[stream], data))?;
        self.segment.chunks.push(chunk);
        self.streams[stream].length += u64::from(duration);
        self.streams[stream].largest_chunk = self.streams[stream].largest_chunk.max(size);
        Ok(())
    }

    /// Writes the indexes of this RIFF chunk and, where it is the first, `idx1`.
    fn close_segment(&mut self) -> Result<()> {
        let chunks = std::mem::take(&mut self.segment.chunks);
        for stream in [VIDEO, AUDIO] {
            let own = || chunks.iter().filter(|chunk| chunk.stream == stream);
            let mut index = Vec::new();
            index.extend_from_slice(&2u16.to_le_bytes()); // two words an entry
            index.extend_from_slice(&[0, 1]); // an index of chunks
            index.extend_from_slice(&(own().count() as u32).to_le_bytes());
            index.extend_from_slice(IDS[stream]);
            index.extend_from_slice(&self.segment.riff.to_le_bytes());
            index.extend_from_slice(&0u32.to_le_bytes());
            for chunk in own() {
                index.extend_from_slice(&((chunk.offset + 8 - self.segment.riff) as u32).to_le_bytes());
                index.extend_from_slice(&chunk.size.to_le_bytes());
            }
            let entry = SuperEntry {
                offset: self.file.position,
                size: index.len() as u32 + 8,
                duration: own().map(|chunk| chunk.duration).sum(),
            };
            self.write(|file| file.chunk(INDEX_IDS[stream], &index))?;
            self.streams[stream].indexes.push(entry);
        }
        let movi_size = (self.file.position - self.segment.movi) as u32;
        if self.first.is_none() {
            let mut index = Vec::with_capacity(chunks.len() * 16);
            for chunk in &chunks {
                index.extend_from_slice(IDS[chunk.stream]);
                index.extend_from_slice(&0x10u32.to_le_bytes()); // every chunk stands on its own
                index.extend_from_slice(&((chunk.offset - self.segment.movi) as u32).to_le_bytes());
                index.extend_from_slice(&chunk.size.to_le_bytes());
            }
            self.write(|file| file.chunk(b"idx1", &index))?;
        }
        let riff_size = (self.file.position - self.segment.riff - 8) as u32;
        if self.first.is_none() {
            let pictures = self.streams[VIDEO].length as u32;
            self.first = Some(FirstSegment { riff_size, movi_size, pictures });
            return Ok(());
        }
        let (riff, movi) = (self.segment.riff, self.segment.movi);
        self.write(|file| {
            file.patch(riff + 4, &riff_size.to_le_bytes())?;
            file.patch(movi - 4, &movi_size.to_le_bytes())
        })
    }

    fn open_segment(&mut self) -> Result<()> {
        if self.streams[VIDEO].indexes.len() >= SEGMENTS {
            let sentence = format!(
                "the video would pass {} GiB, more than an AVI file holds; install ffmpeg and end --out in .mp4: {}",
                (SEGMENTS as u64 * self.segment_limit) >> 30,
                self.path.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, sentence));
        }
        let riff = self.file.position;
        self.write(|file| {
            file.put(b"RIFF\0\0\0\0AVIX")?;
            file.put(b"LIST\0\0\0\0movi")
        })?;
        self.segment = Segment { riff, movi: riff + 20, chunks: Vec::new() };
        Ok(())
    }

    /// Everything before the first picture: always of the same length, so that it can be written again at the end.
    fn header(&self) -> Vec<u8> {
        let VideoFormat { width, height, fps, sample_rate, .. } = self.format;
        let picture = &self.streams[VIDEO];
        let sound = &self.streams[AUDIO];
        let first = self.first.as_ref();

        let mut hdrl = b"hdrl".to_vec();
        put_chunk(
            &mut hdrl,
            b"avih",
            &words(&[
                (1_000_000 * u64::from(fps.1) / u64::from(fps.0)) as u32,
                0,
                0,
                0x110, // has an index; sound and pictures alternate
                first.map_or(0, |first| first.pictures),
                0,
                2,
                picture.largest_chunk,
                width,
                height,
                0,
                0,
                0,
                0,
            ]),
        );

        let mut strl = b"strl".to_vec();
        let mut strh = b"vidsMJPG".to_vec();
        strh.extend(words(&[
            0,
            0,
            0,
            fps.1,
            fps.0,
            0,
            picture.length as u32,
            picture.largest_chunk,
            u32::MAX,
            0,
            0,
        ]));
        strh.extend_from_slice(&(width as u16).to_le_bytes());
        strh.extend_from_slice(&(height as u16).to_le_bytes());
        put_chunk(&mut strl, b"strh", &strh);
        let mut strf = words(&[40, width, height]);
        strf.extend_from_slice(&[1, 0, 24, 0]); // one plane, 24 bits
        strf.extend_from_slice(b"MJPG");
        strf.extend(words(&[width * height * 3, 0, 0, 0, 0]));
        put_chunk(&mut strl, b"strf", &strf);
        put_chunk(&mut strl, b"indx", &super_index(VIDEO, picture));
        put_chunk(&mut hdrl, b"LIST", &strl);

        let mut strl = b"strl".to_vec();
        let mut strh = b"auds\0\0\0\0".to_vec();
        let bytes_a_second = sample_rate.saturating_mul(2);
        strh.extend(words(&[
            0,
            0,
            0,
            2,
            bytes_a_second,
            0,
            sound.length as u32,
            sound.largest_chunk,
            u32::MAX,
            2,
            0,
            0,
        ]));
        put_chunk(&mut strl, b"strh", &strh);
        let mut strf = vec![1, 0, 1, 0]; // PCM, one channel
        strf.extend(words(&[sample_rate, bytes_a_second]));
        strf.extend_from_slice(&[2, 0, 16, 0, 0, 0]); // two bytes a sample, 16 bits, nothing more to say
        put_chunk(&mut strl, b"strf", &strf);
        put_chunk(&mut strl, b"indx", &super_index(AUDIO, sound));
        put_chunk(&mut hdrl, b"LIST", &strl);

        let mut odml = b"odml".to_vec();
        let mut dmlh = words(&[picture.length as u32]);
        dmlh.resize(248, 0);
        put_chunk(&mut odml, b"dmlh", &dmlh);
        put_chunk(&mut hdrl, b"LIST", &odml);

        let mut header = b"RIFF".to_vec();
        header.extend(words(&[first.map_or(0, |first| first.riff_size)]));
        header.extend_from_slice(b"AVI ");
        put_chunk(&mut header, b"LIST", &hdrl);
        header.extend_from_slice(b"LIST");
        header.extend(words(&[first.map_or(0, |first| first.movi_size)]));
        header.extend_from_slice(b"movi");
        header
    }
}

impl VideoSink for AviFile {
    fn frame(&mut self, rgb: &[u8], audio: &[f32]) -> Result<ControlFlow<()>> {
        crate::cancel::check()?;
        let mut jpeg = std::mem::take(&mut self.jpeg);
        jpeg.clear();
        JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
            .encode(rgb, self.format.width, self.format.height, ExtendedColorType::Rgb8)
            .map_err(|e| match e {
                ImageError::IoError(e) => cannot_write(&self.path, e),
                e => Error::new(ErrorKind::Internal, format!("could not encode a picture: {e}")),
            })?;
        let mut pcm = std::mem::take(&mut self.pcm);
        pcm.clear();
        pcm.extend(audio.iter().flat_map(|sample| ((sample * 32767.0).round() as i16).to_le_bytes()));

        // Both index entries of every chunk come at the end of the segment: 16 + 8 bytes each.
        let indexes = (self.segment.chunks.len() as u64 + 2) * 24;
        let used = self.file.position - self.segment.riff + indexes;
        if !self.segment.chunks.is_empty() && used + (jpeg.len() + pcm.len()) as u64 + 64 > self.segment_limit
        {
            self.close_segment()?;
            self.open_segment()?;
        }
        if !pcm.is_empty() {
            self.chunk(AUDIO, &pcm, audio.len() as u32)?;
        }
        self.chunk(VIDEO, &jpeg, 1)?;
        (self.jpeg, self.pcm) = (jpeg, pcm);
        Ok(ControlFlow::Continue(()))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.close_segment()?;
        let header = self.header();
        self.write(|file| {
            file.patch(0, &header)?;
            file.file.flush()?;
            file.file.get_ref().sync_all()
        })?;
        let Self { file, temp, path, .. } = *self;
        drop(file);
        temp.keep_as(&path)
    }
}

/// A file that knows where it is without asking.
#[derive(Debug)]
struct Counted {
    file: BufWriter<File>,
    position: u64,
}

impl Counted {
    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn chunk(&mut self, id: &[u8; 4], data: &[u8]) -> std::io::Result<()> {
        self.put(id)?;
        self.put(&(data.len() as u32).to_le_bytes())?;
        self.put(data)?;
        if data.len() % 2 == 1 { self.put(&[0]) } else { Ok(()) }
    }

    /// Writes over what is there, and returns to the end.
    fn patch(&mut self, at: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)?;
        self.file.seek(SeekFrom::Start(self.position)).map(drop)
    }
}

fn super_index(stream: usize, of: &Stream) -> Vec<u8> {
    let mut index = vec![4, 0, 0, 0]; // four words an entry; an index of indexes
    index.extend(words(&[of.indexes.len() as u32]));
    index.extend_from_slice(IDS[stream]);
    index.extend(words(&[0, 0, 0]));
    for entry in &of.indexes {
        index.extend_from_slice(&entry.offset.to_le_bytes());
        index.extend(words(&[entry.size, entry.duration]));
    }
    index.resize(24 + 16 * SEGMENTS, 0);
    index
}

fn put_chunk(into: &mut Vec<u8>, id: &[u8; 4], data: &[u8]) {
    into.extend_from_slice(id);
    into.extend_from_slice(&(data.len() as u32).to_le_bytes());
    into.extend_from_slice(data);
    if data.len() % 2 == 1 {
        into.push(0);
    }
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_many_riff_chunks_states_its_sizes_and_loses_nothing() {
        let folder = Temp::folder_in(&std::env::temp_dir()).unwrap();
        let path = folder.path().join("long.avi");
        let format = VideoFormat::new(64, 48, (25, 1), 24_000).unwrap();
        let mut avi = Box::new(AviFile::with_segments(&path, format, 40_000).unwrap());
        for index in 0..60u8 {
            assert!(avi.frame(&[index * 4; 64 * 48 * 3], &[0.25; 960]).unwrap().is_continue());
        }
        avi.finish().unwrap();

        let bytes = std::fs::read(&path).unwrap();
        let (mut at, mut kinds) = (0, Vec::new());
        while at < bytes.len() {
            assert_eq!(&bytes[at..at + 4], b"RIFF");
            kinds.push(&bytes[at + 8..at + 12]);
            at += 8 + u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        }
        assert_eq!(at, bytes.len());
        assert!(kinds.len() > 3 && kinds[0] == b"AVI " && kinds[1..].iter().all(|kind| *kind == b"AVIX"));

        let ffmpeg = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&path)
            .args(["-f", "rawvideo", "-pix_fmt", "gray", "-vf", "scale=1:1", "-"])
            .output();
        let Ok(decoded) = ffmpeg else {
            eprintln!("SKIPPED: ffmpeg is not installed");
            return;
        };
        assert_eq!(decoded.stdout.len(), 60, "{}", String::from_utf8_lossy(&decoded.stderr));
        assert!(decoded.stdout.iter().enumerate().all(|(index, &level)| level.abs_diff(index as u8 * 4) < 5));
        let sound = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&path)
            .args(["-f", "s16le", "-"])
            .output()
            .unwrap();
        assert_eq!(sound.stdout.len(), 60 * 960 * 2);
    }
}
