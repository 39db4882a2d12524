//! An avatar written frame by frame: memory does not grow with the footage, but for a row of 250 bytes a frame.

use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::budget::Budget;
use super::format::{self, ClipMeta, HEAD, Head, Meta, PARTS, Part, Row};
use super::limits::{MOST_FRAMES, check_box, check_clip_name, check_meta};
use super::picture::{self, Kind};
use super::{AvatarAsset, FaceBox, Reading};
use crate::files::Unfinished;
use crate::pack::ModelPack;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// The clip of an avatar that names none.
pub(crate) const DEFAULT_CLIP: &str = "idle";

/// What is the same for every frame of an avatar that is about to be written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AvatarHeader {
    /// The name of the person, up to 256 bytes.
    pub name: String,
    /// Pixels per row of every frame, 16 to 8 192.
    pub width: u32,
    /// Rows of every frame, 16 to 8 192.
    pub height: u32,
    /// The rate at which the footage plays: that of the pack, or no engine of it opens the avatar.
    pub fps: FrameRate,
    /// Every frame brings a matte.
    pub alpha: bool,
    /// Every frame brings a face with its mouth closed.
    pub closed: bool,
}

impl AvatarHeader {
    /// Without matte and closed mouths.
    pub fn new(name: impl Into<String>, width: u32, height: u32, fps: FrameRate) -> Self {
        Self { name: name.into(), width, height, fps, alpha: false, closed: false }
    }
}

/// One frame of an avatar, ready to be written.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever makes a frame must know all of it")]
pub struct PreparedFrame<'a> {
    /// RGB8, rows from top to bottom without padding.
    pub rgb: &'a [u8],
    /// How opaque each pixel is, one byte a pixel, 255 = opaque: if, and only if, [`AvatarHeader::alpha`].
    pub alpha: Option<&'a [u8]>,
    /// The face.
    pub face_box: FaceBox,
    /// Where speech may change the frame: one byte a pixel of the box's [`crop`](FaceBox::crop), 255 = replaced.
    pub mask: &'a [u8],
    /// \[2·c, l, l\] of the pack: the latent of the face with its lower half blacked, then of the whole face.
    pub latent: &'a [f32],
    /// The face with its mouth closed as the pack's decoder paints it, `size · size` RGB8 of the pack's image size: if, and
    /// only if, [`AvatarHeader::closed`].
    pub closed: Option<&'a [u8]>,
}

/// Writes an `.avatar` file frame by frame, under a temporary name beside it. Dropped before [`finish`](Self::finish), it
/// leaves nothing.
///
/// ```no_run
/// use musetalk_core::{AvatarHeader, AvatarWriter, ModelPack, PreparedFrame, Result};
///
/// fn write(pack: &ModelPack, frames: &[PreparedFrame<'_>]) -> Result<()> {
///     let header = AvatarHeader::new("iris", 512, 512, pack.fps());
///     let mut writer = AvatarWriter::create("iris.avatar", pack, header)?;
///     for frame in frames {
///         writer.frame(frame)?;
///     }
///     writer.finish()
/// }
/// ```
#[derive(Debug)]
pub struct AvatarWriter {
    recorder: Recorder<BufWriter<Unfinished>>,
}

impl AvatarWriter {
    /// Begins a file for avatars of this pack. Under the final name there is nothing new until [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the header is out of range.
    /// - [`ErrorKind::Io`], [`ErrorKind::NotFound`]: the file cannot be made.
    pub fn create(path: impl AsRef<Path>, pack: &ModelPack, header: AvatarHeader) -> Result<Self> {
        let path = path.as_ref();
        let meta = meta_of(pack, header)?;
        let out = BufWriter::new(Unfinished::create(path)?);
        Ok(Self { recorder: Recorder::new(out, path, meta)? })
    }

    /// Begins a clip: the frames that follow belong to it. The first clip is the default; an avatar whose first frame comes
    /// without one has a clip named `idle`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the name is empty, too long, or taken; the clip before has no frame; there are 64 clips.
    pub fn begin_clip(&mut self, name: &str) -> Result<()> {
        self.recorder.begin_clip(name)
    }

    /// The picture as it will be on screen, RGB8: the way through JPEG changes it a little. Latents are best made of this.
    ///
    /// The next [`frame`](Self::frame) with the same picture does not encode it again.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the picture does not have the size of the avatar.
    pub fn shown(&mut self, rgb: &[u8]) -> Result<&[u8]> {
        self.recorder.shown(rgb)
    }

    /// Appends a frame. Blocks for the encoding of its pictures and for the disk.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: a part has another size than it should, is missing or is not announced in the header; the
    ///   box is outside the picture; there are 15 000 frames. The message names the frame.
    /// - [`ErrorKind::Io`]: the disk is full, or writing failed. The file can no longer be finished.
    pub fn frame(&mut self, frame: &PreparedFrame<'_>) -> Result<()> {
        self.recorder.frame(frame)
    }

    /// The same, and the beginning of a digest that tells it from any other picture.
    pub(crate) fn shown_with_digest(&mut self, rgb: &[u8]) -> Result<(&[u8], [u8; 8])> {
        self.recorder.shown(rgb)?;
        let seen = &self.recorder.seen;
        let digest = format::digest(&seen.blob);
        Ok((&seen.shown, std::array::from_fn(|at| digest[at])))
    }

    pub(crate) fn recorder(&mut self) -> &mut Recorder<BufWriter<Unfinished>> {
        &mut self.recorder
    }

    /// Frames written so far.
    pub fn frames(&self) -> u32 {
        self.recorder.rows.len() as u32
    }

    /// Completes the file and gives it its name, in place of one that may be there.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: there is no frame, or none in the last clip.
    /// - [`ErrorKind::Io`]: the disk is full, or writing failed; nothing is left behind.
    pub fn finish(self) -> Result<()> {
        let path = self.recorder.path.clone();
        let out = self.recorder.finish()?;
        out.into_inner().map_err(|e| Error::io("write the avatar", &path, e.into_error()))?.publish()
    }
}

/// What a pack and a header make of a file before its first frame.
pub(crate) fn meta_of(pack: &ModelPack, header: AvatarHeader) -> Result<Meta> {
    let image = pack.manifest().image;
    let meta = Meta {
        name: header.name,
        made_by: concat!("musetalk-core ", env!("CARGO_PKG_VERSION")).to_owned(),
        frames: 1,
        width: header.width,
        height: header.height,
        fps: [header.fps.numerator(), header.fps.denominator()],
        image_size: image.size,
        latent_channels: image.latent_channels,
        latent_size: image.latent_size,
        encoder: pack.encoder_identity().to_owned(),
        alpha: header.alpha,
        closed: header.closed,
        clips: vec![ClipMeta { name: DEFAULT_CLIP.to_owned(), frames: 1 }],
    };
    // Sizes now; how many frames there are is known at the end.
    check_meta(&meta)?;
    Ok(Meta { frames: 0, clips: Vec::new(), ..meta })
}

/// The bytes of an avatar, on their way to a file or to memory.
#[derive(Debug)]
pub(crate) struct Recorder<W> {
    out: W,
    /// For messages; empty for memory.
    path: PathBuf,
    meta: Meta,
    rows: Vec<Row>,
    /// Where the next part goes.
    next: u64,
    budget: Budget,
    /// The picture that was asked for last, before and after its way through JPEG.
    seen: Seen,
    /// A write failed: what is there is not what the rows say.
    broken: bool,
}

#[derive(Debug, Default)]
struct Seen {
    rgb: Vec<u8>,
    blob: Vec<u8>,
    shown: Vec<u8>,
}

impl<W: Write + Seek> Recorder<W> {
    pub(crate) fn new(mut out: W, path: &Path, meta: Meta) -> Result<Self> {
        // Its place is kept; what it says is known at the end.
        out.write_all(&[0; HEAD]).map_err(|e| Error::io("write the avatar", path, e))?;
        Ok(Self {
            out,
            path: path.to_owned(),
            budget: Budget::of(&meta),
            meta,
            rows: Vec::new(),
            next: HEAD as u64,
            seen: Seen::default(),
            broken: false,
        })
    }

    pub(crate) fn begin_clip(&mut self, name: &str) -> Result<()> {
        check_clip_name(name)?;
        let clips = &self.meta.clips;
        let invalid = |what: String| Err(Error::new(ErrorKind::InvalidInput, what));
        if let Some(empty) = clips.last().filter(|clip| clip.frames == 0) {
            return invalid(format!("clip {:?} has no frame", empty.name));
        }
        if clips.iter().any(|clip| clip.name == name) {
            return invalid(format!("two clips are named {name:?}"));
        }
        if clips.len() == super::limits::MOST_CLIPS {
            return invalid(format!("an avatar has at most {} clips", clips.len()));
        }
        self.meta.clips.push(ClipMeta { name: name.to_owned(), frames: 0 });
        Ok(())
    }

    /// The quality of the pictures so far, 1 to 100.
    #[cfg(test)]
    pub(super) fn quality(&self) -> u8 {
        self.budget.quality()
    }

    pub(crate) fn shown(&mut self, rgb: &[u8]) -> Result<&[u8]> {
        self.check_rgb(rgb)?;
        let (width, height) = (self.meta.width, self.meta.height);
        self.seen.blob = self.budget.encode(rgb, width, height);
        self.seen.rgb.clear();
        self.seen.rgb.extend_from_slice(rgb);
        picture::decode(&self.seen.blob, Kind::Rgb, width, height, &mut self.seen.shown)?;
        Ok(&self.seen.shown)
    }

    pub(crate) fn frame(&mut self, frame: &PreparedFrame<'_>) -> Result<()> {
        self.check(frame)?;
        let (width, height, size) = (self.meta.width, self.meta.height, self.meta.image_size);
        let side = frame.face_box.crop().width() as u32;
        let latent: Vec<u8> = frame.latent.iter().flat_map(|value| value.to_le_bytes()).collect();
        let alpha =
            frame.alpha.map(|alpha| picture::png(alpha, width, height)).transpose()?.unwrap_or_default();
        let mask = picture::png(frame.mask, side, side)?;
        let closed = frame.closed.map(|face| picture::closed(face, size)).unwrap_or_default();
        self.budget.beside(alpha.len() + mask.len() + latent.len() + closed.len());
        let picture = if self.seen.rgb == frame.rgb {
            std::mem::take(&mut self.seen.blob)
        } else {
            self.budget.encode(frame.rgb, width, height)
        };
        self.seen.rgb.clear();
        self.append(frame.face_box, [picture, alpha, mask, latent, closed])
    }

    /// The picture of another avatar's frame as it will be on screen, RGB8: as it is stored there, or, where what is added to the frame would
    /// make it cost more than it may, encoded anew.
    pub(crate) fn recall(&mut self, from: &AvatarAsset, frame: u32, reading: &mut Reading) -> Result<&[u8]> {
        let (width, height) = (self.meta.width, self.meta.height);
        let Seen { rgb, blob, shown } = &mut self.seen;
        rgb.clear();
        from.colours(frame, reading, shown)?;
        from.part(frame, Part::Picture, blob)?;
        let grows = self.meta.closed && !from.has(Part::Closed) || self.meta.latent_len() > from.latent_len();
        if grows && !self.budget.fits(blob.len()) {
            *blob = self.budget.encode(shown, width, height);
            picture::decode(blob, Kind::Rgb, width, height, shown)?;
        }
        Ok(shown)
    }

    /// Appends a frame of another avatar of the same size, whose picture was [recalled](Self::recall), with another latent and another closed
    /// mouth.
    pub(crate) fn copy(
        &mut self,
        from: &AvatarAsset,
        frame: u32,
        latent: &[f32],
        closed: Option<&[u8]>,
    ) -> Result<()> {
        let part = |part: Part| {
            let mut blob = Vec::new();
            if from.has(part) {
                from.part(frame, part, &mut blob)?;
            }
            Ok::<_, Error>(blob)
        };
        let size = self.meta.image_size;
        let (picture, alpha, mask) =
            (std::mem::take(&mut self.seen.blob), part(Part::Alpha)?, part(Part::Mask)?);
        let latent: Vec<u8> = latent.iter().flat_map(|value| value.to_le_bytes()).collect();
        let closed = closed.map(|face| picture::closed(face, size)).unwrap_or_default();
        self.budget.beside(alpha.len() + mask.len() + latent.len() + closed.len());
        self.append(from.face_of(frame), [picture, alpha, mask, latent, closed])
    }

    /// Appends a frame whose parts are encoded already, and sound.
    fn append(&mut self, face: FaceBox, parts: [Vec<u8>; PARTS]) -> Result<()> {
        let mut row = Row { face, offset: self.next, lengths: [0; PARTS], digests: [[0; 32]; PARTS] };
        for (part, blob) in Part::ALL.into_iter().zip(&parts) {
            if !self.meta.has(part) {
                continue;
            }
            row.lengths[part as usize] = u32::try_from(blob.len()).unwrap_or(u32::MAX);
            row.digests[part as usize] = format::digest(blob);
            if let Err(error) = self.out.write_all(blob) {
                self.broken = true;
                return Err(Error::io("write the avatar", &self.path, error));
            }
            self.next += blob.len() as u64;
        }
        self.rows.push(row);
        if self.meta.clips.is_empty() {
            self.meta.clips.push(ClipMeta { name: DEFAULT_CLIP.to_owned(), frames: 0 });
        }
        if let Some(clip) = self.meta.clips.last_mut() {
            clip.frames += 1;
        }
        Ok(())
    }

    /// The index, and the head that leads to it.
    pub(crate) fn finish(mut self) -> Result<W> {
        if self.broken {
            return Err(Error::new(
                ErrorKind::Io,
                format!("an earlier write of the avatar failed: {}", self.path.display()),
            ));
        }
        self.meta.frames = self.rows.len() as u32;
        if self.meta.frames == 0 {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "an avatar needs at least one frame, this has 0 frames",
            ));
        }
        check_meta(&self.meta)?;
        let index = format::index(&self.meta, &self.rows)?;
        let head = Head { index: self.next, length: index.len() as u64, digest: format::digest(&index) };
        let written = self
            .out
            .write_all(&index)
            .and_then(|()| self.out.seek(SeekFrom::Start(0)))
            .and_then(|_| self.out.write_all(&head.bytes()))
            .and_then(|()| self.out.flush());
        written.map_err(|e| Error::io("write the avatar", &self.path, e))?;
        Ok(self.out)
    }

    /// What must hold before a network looks at a face.
    pub(crate) fn check_picture(&self, rgb: &[u8], face: &FaceBox) -> Result<()> {
        self.check_rgb(rgb)?;
        if check_box(face, self.meta.width, self.meta.height) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidInput,
            format!("the face box of frame {} is empty or outside the picture", self.rows.len()),
        ))
    }

    fn check_rgb(&self, rgb: &[u8]) -> Result<()> {
        let (width, height) = (self.meta.width, self.meta.height);
        self.expect(rgb.len(), width as usize * height as usize * 3, &format!("{width}×{height} RGB"))
    }

    fn check(&self, frame: &PreparedFrame<'_>) -> Result<()> {
        let meta = &self.meta;
        if self.rows.len() == MOST_FRAMES as usize {
            return Err(self.invalid(&format!("is one too many: an avatar has at most {MOST_FRAMES}")));
        }
        self.check_picture(frame.rgb, &frame.face_box)?;
        let side = frame.face_box.crop().width() as usize;
        if frame.mask.len() != side * side {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "mask {} has {} bytes, its crop of {side}×{side} has {}",
                    self.rows.len(),
                    frame.mask.len(),
                    side * side
                ),
            ));
        }
        for (is, wanted, name) in [
            (frame.alpha.is_some(), meta.alpha, "alpha"),
            (frame.closed.is_some(), meta.closed, "closed mouth"),
        ] {
            if is != wanted {
                let what = if wanted { "lacks" } else { "has" };
                return Err(self.invalid(&format!(
                    "{what} the {name} that the header does{} announce",
                    if wanted { "" } else { " not" }
                )));
            }
        }
        if let Some(alpha) = frame.alpha {
            let pixels = meta.width as usize * meta.height as usize;
            self.expect(alpha.len(), pixels, &format!("the alpha of {}×{}", meta.width, meta.height))?;
        }
        if let Some(closed) = frame.closed {
            let size = meta.image_size as usize;
            self.expect(closed.len(), size * size * 3, &format!("the closed mouth of {size}×{size} RGB"))?;
        }
        if frame.latent.len() != meta.latent_len() {
            return Err(self.invalid(&format!(
                "has a latent of {} numbers, the pack's have {}",
                frame.latent.len(),
                meta.latent_len()
            )));
        }
        if frame.latent.iter().all(|value| value.is_finite()) {
            Ok(())
        } else {
            Err(self.invalid("has a latent with numbers that are not finite"))
        }
    }

    fn expect(&self, bytes: usize, expected: usize, what: &str) -> Result<()> {
        if bytes == expected {
            return Ok(());
        }
        Err(self.invalid(&format!("has {bytes} bytes, {what} has {expected}")))
    }

    fn invalid(&self, what: &str) -> Error {
        Error::new(ErrorKind::InvalidInput, format!("frame {} {what}", self.rows.len()))
    }
}
