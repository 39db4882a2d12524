use std::ops::ControlFlow;
use std::path::Path;
use std::sync::OnceLock;

use super::format::{self, HEAD, Head, LONGEST_META, Meta, PARTS, Part, ROW, Row, corrupt};
use super::limits::{MOST_FRAMES, check_box, check_meta};
use super::picture::{self, Kind};
use super::source::Source;
use super::{AvatarAsset, Clip, Layer, Reading};
use crate::compose::blend::MaskPlan;
use crate::frame::PixelFormat;
use crate::{Error, ErrorKind, Result};

/// An index above this size is none.
const LONGEST_INDEX: u64 = (4 + LONGEST_META + MOST_FRAMES as usize * ROW) as u64;

/// What the headers of a picture may take beside its pixels.
const HEADERS: u64 = 64 << 10;

impl AvatarAsset {
    /// Opens an `.avatar` file: reads and checks its index, about 250 bytes a frame. Frames are read, and compared with their
    /// digests, when they are needed; [`verify`](Self::verify) reads them all.
    ///
    /// The file stays open. Replacing it by another one changes nothing for this asset; a file that is overwritten or cut
    /// short in place gives [`ErrorKind::Corrupt`] when a frame of it is read.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`], [`ErrorKind::Io`]: the file cannot be read, or is a folder, a pipe or a device.
    /// - [`ErrorKind::Corrupt`]: its index is truncated, was edited, or contradicts itself.
    /// - [`ErrorKind::Incompatible`]: it has another format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let (source, size) = Source::open(path.as_ref())?;
        let named = |e: Error| match e.kind() {
            ErrorKind::Io => e,
            kind => Error::new(kind, format!("{e}: {}", path.as_ref().display())).caused_by(e),
        };
        let index = read_index(&source, size).map_err(named)?;
        Self::from_index(source, size, &index).map_err(named)
    }

    /// What [`open`](Self::open) does with a file that is already in memory.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`]: its index is truncated, was edited, or contradicts itself.
    /// - [`ErrorKind::Incompatible`]: it has another format.
    pub fn parse(file: Vec<u8>) -> Result<Self> {
        let size = file.len() as u64;
        let source = Source::Memory(file);
        let index = read_index(&source, size)?;
        Self::from_index(source, size, &index)
    }

    fn from_index(source: Source, size: u64, index: &[u8]) -> Result<Self> {
        let (meta, bytes) = format::description(index)?;
        let fps = check_meta(&meta).map_err(|e| corrupt(&e.to_string()).caused_by(e))?;
        let rows = rows(bytes, &meta, size - index.len() as u64)?;
        let mut first = 0;
        let mut clips = Vec::with_capacity(meta.clips.len());
        for clip in &meta.clips {
            clips.push(Clip::new(clip.name.clone(), first, clip.frames));
            first += clip.frames;
        }
        let held = [const { OnceLock::new() }; 3];
        Ok(Self { meta, fps, clips, rows, source, size, held, layers: OnceLock::new() })
    }

    /// Reads the whole file, compares every digest and decodes every picture. `progress` hears of frames done and of all, and
    /// may stop.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`]: something is not as it was written; the message names the first frame.
    /// - [`ErrorKind::Io`]: reading failed.
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it.
    pub fn verify(&self, mut progress: impl FnMut(u32, u32) -> ControlFlow<()>) -> Result<()> {
        let (mut reading, mut pixels, mut layer) = (Reading::default(), Vec::new(), Layer::default());
        let mut latent = vec![0.0; self.latent_len()];
        for frame in 0..self.frames() {
            self.picture(frame, PixelFormat::Rgba8, &mut reading, &mut pixels)?;
            self.layer(frame, &mut reading, &mut layer)?;
            self.latent(frame, &mut reading, &mut latent)?;
            if progress(frame + 1, self.frames()).is_break() {
                return Err(Error::new(
                    ErrorKind::Cancelled,
                    "cancelled; the avatar was not read to its end",
                ));
            }
        }
        Ok(())
    }

    /// A part of a frame as it stands in the file, compared with its digest.
    pub(crate) fn part<'b>(&self, frame: u32, part: Part, blob: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let row = &self.rows[frame as usize];
        let place = row.place(part);
        let length = (place.end - place.start) as usize;
        blob.clear();
        blob.try_reserve_exact(length).map_err(|e| {
            let text = format!("a part of the avatar needs {length} bytes");
            self.named(Error::new(ErrorKind::OutOfMemory, text).caused_by(e))
        })?;
        blob.resize(length, 0);
        self.source.read(place.start, blob).map_err(|e| self.source.named(e))?;
        if format::digest(blob) != row.digests[part as usize] {
            return Err(
                self.damaged(frame, &format!("its {} does not have the digest it states", part.name()))
            );
        }
        Ok(blob)
    }

    /// A frame in a host's format. `RGB8` has the stored colours, whatever the alpha.
    pub(crate) fn picture(
        &self,
        frame: u32,
        format: PixelFormat,
        reading: &mut Reading,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let Reading { blob, pixels, alpha } = reading;
        let (width, height) = (self.meta.width, self.meta.height);
        let broken = |e: Error| self.of_frame(frame, e);
        let jpeg = self.part(frame, Part::Picture, blob)?;
        if format == PixelFormat::Rgb8 {
            return picture::decode(jpeg, Kind::Rgb, width, height, out).map_err(broken);
        }
        picture::decode(jpeg, Kind::Rgb, width, height, pixels).map_err(broken)?;
        let alpha = if self.meta.alpha {
            let png = self.part(frame, Part::Alpha, blob)?;
            picture::decode(png, Kind::Grey, width, height, alpha).map_err(broken)?;
            Some(alpha.as_slice())
        } else {
            None
        };
        picture::widen(pixels, alpha, format, out);
        Ok(())
    }

    /// A frame as it is stored, RGB8.
    pub(crate) fn colours(&self, frame: u32, reading: &mut Reading, out: &mut Vec<u8>) -> Result<()> {
        self.picture(frame, PixelFormat::Rgb8, reading, out)
    }

    /// A frame as filmed, RGB8, and how opaque its pixels are, one byte each; none without a matte.
    pub(crate) fn colours_and_matte(&self, frame: u32) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut pixels = Vec::new();
        if !self.meta.alpha {
            self.colours(frame, &mut Reading::default(), &mut pixels)?;
            return Ok((pixels, Vec::new()));
        }
        self.picture(frame, PixelFormat::Rgba8, &mut Reading::default(), &mut pixels)?;
        let (pixels, _) = pixels.as_chunks::<4>();
        let rgb = pixels.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Ok((rgb, pixels.iter().map(|pixel| pixel[3]).collect()))
    }

    /// What is laid over a frame: its mask, and its face with the mouth closed.
    pub(crate) fn layer(&self, frame: u32, reading: &mut Reading, out: &mut Layer) -> Result<()> {
        let broken = |e: Error| self.of_frame(frame, e);
        let face = self.rows[frame as usize].face;
        let side = face.crop().width() as u32;
        let png = self.part(frame, Part::Mask, &mut reading.blob)?;
        picture::decode(png, Kind::Grey, side, side, &mut out.mask).map_err(broken)?;
        let size = (self.meta.width as usize, self.meta.height as usize);
        let plan = MaskPlan::new(size, face.into(), face.crop().into(), &out.mask);
        out.plan = plan.map_err(|e| broken(corrupt(&e.to_string()).caused_by(e)))?;
        if self.meta.closed {
            let size = self.meta.image_size;
            let jpeg = self.part(frame, Part::Closed, &mut reading.blob)?;
            picture::decode(jpeg, Kind::Rgb, size, size, &mut out.closed).map_err(broken)?;
        }
        Ok(())
    }

    /// \[2·c, l, l\]: the latent of the crop with its lower half blacked, then of the whole crop.
    pub(crate) fn latent(&self, frame: u32, reading: &mut Reading, out: &mut [f32]) -> Result<()> {
        let bytes = self.part(frame, Part::Latent, &mut reading.blob)?;
        let (bytes, _) = bytes.as_chunks::<4>();
        let mut finite = true;
        for (out, bytes) in out.iter_mut().zip(bytes) {
            *out = f32::from_le_bytes(*bytes);
            finite &= out.is_finite();
        }
        if finite { Ok(()) } else { Err(self.damaged(frame, "its latent holds numbers that are not finite")) }
    }

    /// The same error with the avatar's file named, if it is one.
    pub(crate) fn named(&self, error: Error) -> Error {
        self.source.named(error)
    }

    fn damaged(&self, frame: u32, what: &str) -> Error {
        self.of_frame(frame, corrupt(what))
    }

    fn of_frame(&self, frame: u32, error: Error) -> Error {
        let text = format!("frame {frame}: {error}");
        self.source.named(Error::new(error.kind(), text).caused_by(error))
    }
}

fn read_index(source: &Source, size: u64) -> Result<Vec<u8>> {
    let mut head = [0; HEAD];
    let there = usize::try_from(size).unwrap_or(HEAD).min(HEAD);
    source.read(0, &mut head[..there])?;
    let head = Head::parse(&head[..there], size)?;
    if head.length > LONGEST_INDEX {
        return Err(corrupt("its index is longer than that of any avatar"));
    }
    let mut index = vec![0; head.length as usize];
    source.read(head.index, &mut index)?;
    if format::digest(&index) != head.digest {
        return Err(corrupt("its index does not have the digest it states"));
    }
    Ok(index)
}

/// The rows of an index whose parts must fill the file up to `end`.
fn rows(bytes: &[u8], meta: &Meta, end: u64) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(meta.frames as usize);
    let mut offset = HEAD as u64;
    for (frame, bytes) in bytes.chunks_exact(ROW).enumerate() {
        let row = format::row(bytes, offset);
        let wrong = |what: &str| corrupt(&format!("frame {frame}: {what}"));
        if !check_box(&row.face, meta.width, meta.height) {
            return Err(wrong("its face box is empty or outside the picture"));
        }
        for part in Part::ALL {
            let length = u64::from(row.lengths[part as usize]);
            let fits = match part {
                _ if !meta.has(part) => length == 0 && row.digests[part as usize] == [0; 32],
                Part::Latent => length == 4 * meta.latent_len() as u64,
                _ => (1..=most_bytes(part, meta, &row)).contains(&length),
            };
            if !fits {
                return Err(wrong(&format!("its {} cannot have {length} bytes", part.name())));
            }
        }
        offset = row.place(Part::ALL[PARTS - 1]).end;
        rows.push(row);
    }
    if offset != end {
        return Err(corrupt("its parts do not fill it up to its index"));
    }
    Ok(rows)
}

/// More than a picture takes that no encoder could make smaller.
fn most_bytes(part: Part, meta: &Meta, row: &Row) -> u64 {
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let pixels = match part {
        Part::Picture => 3 * area(meta.width, meta.height),
        Part::Alpha => area(meta.width, meta.height),
        Part::Mask => (row.face.crop().width() as u64).pow(2),
        Part::Closed => 3 * area(meta.image_size, meta.image_size),
        Part::Latent => 0,
    };
    2 * pixels + HEADERS
}
