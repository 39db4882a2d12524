use std::io::Cursor;
use std::path::Path;
use std::sync::OnceLock;

use image::{ColorType, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::format::{self, Meta, corrupt};
use super::{AvatarAsset, FaceBox};
use crate::compose::blend::MaskPlan;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// What a reader is willing to hold: 4 GB of decoded frames, ten minutes of footage, 8K pictures.
const MOST_FRAMES: u32 = 15_000;
const LONGEST_SIDE: u32 = 8_192;
const MOST_PIXEL_BYTES: u64 = 4 << 30;
const LARGEST_FILE: u64 = 4 << 30;

impl AvatarAsset {
    /// Reads and checks a whole `.avatar` file and decodes its frames. Takes about 2 ms a frame of 512×512.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`], [`ErrorKind::Io`]: the file cannot be read, or is a folder, a pipe or a device.
    /// - [`ErrorKind::Corrupt`]: it is truncated, was edited, or contradicts itself.
    /// - [`ErrorKind::Incompatible`]: it has another format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let about = std::fs::metadata(path).map_err(|e| Error::io("open the avatar", path, e))?;
        if !about.is_file() {
            // A pipe would block, a device never end.
            return Err(Error::new(ErrorKind::Io, format!("the avatar is not a file: {}", path.display())));
        }
        let size = about.len();
        if size > LARGEST_FILE {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the avatar has {size} bytes, more than {LARGEST_FILE}: {}", path.display()),
            ));
        }
        let file = std::fs::read(path).map_err(|e| Error::io("read the avatar", path, e))?;
        Self::parse(&file).map_err(|e| Error::new(e.kind(), format!("{e}: {}", path.display())).caused_by(e))
    }

    /// What [`open`](Self::open) does with a file that is already in memory.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`]: it is truncated, was edited, or contradicts itself.
    /// - [`ErrorKind::Incompatible`]: it has another format.
    pub fn parse(file: &[u8]) -> Result<Self> {
        let sections = format::take_apart(file)?;
        let section = |tag: &[u8; 8]| {
            let mut found = sections.iter().filter(|(name, _)| name == tag);
            let name = String::from_utf8_lossy(tag);
            match (found.next(), found.next()) {
                (Some((_, bytes)), None) => Ok(*bytes),
                _ => Err(corrupt(&format!("it does not have exactly one section {}", name.trim_end()))),
            }
        };
        let meta: Meta = serde_json::from_slice(section(format::META)?)
            .map_err(|e| corrupt(&format!("section META: {e}")).caused_by(e))?;
        let fps = check(&meta)?;
        let frames = meta.frames as usize;
        let boxes = read_boxes(section(format::BOXES)?, &meta)?;
        let latents = read_latents(section(format::LATENTS)?, &meta)?;
        let mask_bytes: u64 = boxes.iter().map(|face| (face.crop().width() as u64).pow(2)).sum();
        if mask_bytes > MOST_PIXEL_BYTES / 4 {
            return Err(corrupt("its masks are larger than this version holds"));
        }
        let masks = format::split(section(format::MASKS)?, frames)?
            .into_iter()
            .zip(&boxes)
            .map(|(blob, face)| {
                let side = face.crop().width() as u32;
                decode(blob, ImageFormat::Png, ColorType::L8, side, side)
            })
            .collect::<Result<Vec<_>>>()?;
        let bytes = frames * meta.width as usize * meta.height as usize * 3;
        let mut rgb = Vec::new();
        rgb.try_reserve_exact(bytes).map_err(|e| {
            Error::new(ErrorKind::OutOfMemory, format!("the frames of the avatar need {bytes} bytes"))
                .caused_by(e)
        })?;
        for blob in format::split(section(format::FRAMES)?, frames)? {
            rgb.extend_from_slice(&decode(
                blob,
                ImageFormat::Jpeg,
                ColorType::Rgb8,
                meta.width,
                meta.height,
            )?);
        }
        let size = (meta.width as usize, meta.height as usize);
        let plans = boxes
            .iter()
            .zip(&masks)
            .map(|(face, mask)| MaskPlan::new(size, (*face).into(), face.crop().into(), mask))
            .collect::<Result<_>>()
            .map_err(|e| corrupt(&e.to_string()).caused_by(e))?;
        Ok(Self { meta, fps, boxes, masks, plans, latents, rgb, four: [OnceLock::new(), OnceLock::new()] })
    }
}

pub(super) fn check(meta: &Meta) -> Result<FrameRate> {
    let sides = 16..=LONGEST_SIDE;
    let pixels = u64::from(meta.frames) * u64::from(meta.width) * u64::from(meta.height) * 3;
    let sane = (1..=MOST_FRAMES).contains(&meta.frames)
        && sides.contains(&meta.width)
        && sides.contains(&meta.height)
        && pixels <= MOST_PIXEL_BYTES
        && (16..=2048).contains(&meta.image_size)
        && (1..=64).contains(&meta.latent_channels)
        && (1..=512).contains(&meta.latent_size);
    if !sane {
        return Err(corrupt("its sizes are outside what this version holds"));
    }
    FrameRate::new(meta.fps[0], meta.fps[1]).map_err(|e| corrupt(&e.to_string()).caused_by(e))
}

/// A box that is empty, or far larger than the frame, would ask the compositor for absurd memory.
pub(crate) fn check_box(face: &FaceBox, width: u32, height: u32) -> bool {
    let (w, h) = (width as i32, height as i32);
    let edges = [face.x1, face.y1, face.x2, face.y2];
    edges.iter().all(|edge| (-65_536..=65_536).contains(edge))
        && face.width() >= 8
        && face.height() >= 8
        && face.width() <= 2 * w
        && face.height() <= 2 * h
        && face.x1 < w
        && face.y1 < h
        && face.x2 > 0
        && face.y2 > 0
}

fn read_boxes(section: &[u8], meta: &Meta) -> Result<Vec<FaceBox>> {
    if section.len() != meta.frames as usize * 16 {
        return Err(corrupt("section BOXES does not have one box per frame"));
    }
    let edge = |bytes: &[u8]| i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let boxes: Vec<FaceBox> = section
        .chunks_exact(16)
        .map(|b| FaceBox { x1: edge(b), y1: edge(&b[4..]), x2: edge(&b[8..]), y2: edge(&b[12..]) })
        .collect();
    match boxes.iter().position(|face| !check_box(face, meta.width, meta.height)) {
        None => Ok(boxes),
        Some(frame) => {
            Err(corrupt(&format!("the face box of frame {frame} is empty or outside the picture")))
        }
    }
}

fn read_latents(section: &[u8], meta: &Meta) -> Result<Vec<f32>> {
    let count = meta.frames as usize * 2 * meta.latent_channels as usize * (meta.latent_size as usize).pow(2);
    if section.len() != count * 4 {
        return Err(corrupt("section LATENTS does not have one latent per frame"));
    }
    let latents: Vec<f32> =
        section.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if latents.iter().all(|value| value.is_finite()) {
        Ok(latents)
    } else {
        Err(corrupt("section LATENTS holds numbers that are not finite"))
    }
}

/// Decodes one picture that must have exactly this size and colour; nothing is allocated before that is known.
fn decode(blob: &[u8], kind: ImageFormat, color: ColorType, width: u32, height: u32) -> Result<Vec<u8>> {
    let broken = |e: image::ImageError| corrupt(&format!("a picture in it: {e}")).caused_by(e);
    let mut reader = ImageReader::with_format(Cursor::new(blob), kind);
    let mut limits = Limits::default();
    limits.max_image_width = Some(width);
    limits.max_image_height = Some(height);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(broken)?;
    if decoder.dimensions() != (width, height) || decoder.color_type() != color {
        return Err(corrupt("a picture in it does not have the size or the colours it should"));
    }
    let bytes = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    let mut pixels = vec![0; bytes];
    decoder.read_image(&mut pixels).map_err(broken)?;
    Ok(pixels)
}
