//! A picture, or a folder of them.

use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageReader, Limits};
use musetalk_core::{Error, ErrorKind, FrameRate, FrameSource, Result, SourceFrame};

use crate::cancel;

/// Pictures of one size, in the order of their names.
#[derive(Debug)]
pub(super) struct Pictures {
    /// The picture, or the folder of them.
    path: PathBuf,
    files: Vec<PathBuf>,
    size: (u32, u32),
    alpha: bool,
    /// Frames that are given, and the picture of each: pictures repeat or are left out where the rates differ.
    frames: u64,
    rate: FrameRate,
    own_rate: FrameRate,
    next: u64,
    held: Option<(usize, SourceFrame)>,
}

/// An hour at 30 frames a second.
const MOST: usize = 108_000;

/// Sides and bytes of a picture that is decoded; avatars hold 8K.
const LONGEST_SIDE: u32 = 16_384;
const MOST_BYTES: u64 = 1 << 30;

impl Pictures {
    pub(super) fn single(path: &Path) -> Result<Self> {
        let rate = FrameRate::new(25, 1)?;
        Self::of(path, vec![path.to_owned()], rate, rate)
    }

    pub(super) fn folder(folder: &Path, rate: FrameRate, own_rate: FrameRate) -> Result<Self> {
        let (files, _) = listed(folder)?;
        if files.is_empty() {
            return Err(invalid(folder, "the folder holds no picture that ends in .png, .jpg or .jpeg"));
        }
        Self::of(folder, files, rate, own_rate)
    }

    fn of(path: &Path, files: Vec<PathBuf>, rate: FrameRate, own_rate: FrameRate) -> Result<Self> {
        let first = read(&files[0])?;
        // Picture p begins at p/own_rate; frames up to the end of the last are wanted.
        let wide = |a: u32, b: u32| u128::from(a) * u128::from(b);
        let per_picture = wide(rate.numerator(), own_rate.denominator());
        let per_frame = wide(rate.denominator(), own_rate.numerator());
        let frames = (files.len() as u128 * per_picture).div_ceil(per_frame).max(1) as u64;
        Ok(Self {
            path: path.to_owned(),
            size: (first.width(), first.height()),
            alpha: first.color().has_alpha(),
            files,
            frames,
            rate,
            own_rate,
            next: 0,
            held: None,
        })
    }

    fn picture_of(&self, frame: u64) -> usize {
        let wide = |a: u32, b: u32| u128::from(a) * u128::from(b);
        let at = u128::from(frame) * wide(self.rate.denominator(), self.own_rate.numerator())
            / wide(self.rate.numerator(), self.own_rate.denominator());
        (at as usize).min(self.files.len() - 1)
    }
}

/// The pictures of a folder in the order of their names, and the names of what else it holds.
pub(super) fn listed(folder: &Path) -> Result<(Vec<PathBuf>, Vec<String>)> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("list the folder", folder, e))?;
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for entry in entries {
        let path = entry.map_err(|e| Error::io("list the folder", folder, e))?.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg")) && path.is_file() {
            files.push(path);
        } else {
            others.push(name);
        }
        if files.len().max(others.len()) > MOST {
            return Err(invalid(folder, &format!("the folder holds more than {MOST} pictures")));
        }
    }
    files.sort_by_key(|path| in_order(&path.file_name().unwrap_or_default().to_string_lossy()));
    others.sort();
    Ok((files, others))
}

impl FrameSource for Pictures {
    fn width(&self) -> u32 {
        self.size.0
    }

    fn height(&self) -> u32 {
        self.size.1
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn has_alpha(&self) -> bool {
        self.alpha
    }

    fn identity(&self) -> Option<String> {
        super::digest(&self.files).ok()
    }

    fn called(&self) -> Option<String> {
        Some(self.path.display().to_string())
    }

    fn rewind(&mut self) -> Result<()> {
        self.next = 0;
        Ok(())
    }

    fn skip(&mut self, frames: u64) -> Result<bool> {
        let there = self.frames - self.next;
        self.next += frames.min(there);
        Ok(frames <= there)
    }

    fn next_frame(&mut self, frame: &mut SourceFrame) -> Result<bool> {
        cancel::check()?;
        if self.next == self.frames {
            return Ok(false);
        }
        let wanted = self.picture_of(self.next);
        self.next += 1;
        if self.held.as_ref().is_none_or(|(held, _)| *held != wanted) {
            let path = &self.files[wanted];
            let picture = read(path)?;
            if (picture.width(), picture.height()) != self.size {
                return Err(invalid(
                    path,
                    &format!(
                        "the picture has {}×{} pixels and the first has {}×{}; all must have one size",
                        picture.width(),
                        picture.height(),
                        self.size.0,
                        self.size.1
                    ),
                ));
            }
            self.held = Some((wanted, split(picture, self.alpha)));
        }
        if let Some((_, held)) = &self.held {
            frame.clone_from(held);
        }
        Ok(true)
    }
}

/// Colour and alpha apart. Where only some pictures have alpha, the others are opaque.
fn split(picture: DynamicImage, alpha: bool) -> SourceFrame {
    let mut frame = SourceFrame::default();
    if alpha {
        let rgba = picture.into_rgba8().into_raw();
        frame.alpha = rgba.chunks_exact(4).map(|pixel| pixel[3]).collect();
        frame.rgb = rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    } else {
        frame.rgb = picture.into_rgb8().into_raw();
    }
    frame
}

fn read(path: &Path) -> Result<DynamicImage> {
    let failed = |e: image::ImageError| match e {
        image::ImageError::IoError(e) => Error::io("read the picture", path, e),
        e => Error::new(ErrorKind::Corrupt, format!("the picture cannot be read ({e}): {}", path.display()))
            .caused_by(e),
    };
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|e| Error::io("open the picture", path, e))?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST_SIDE), Some(LONGEST_SIDE));
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    if decoder.total_bytes() > MOST_BYTES {
        let (width, height) = decoder.dimensions();
        return Err(invalid(
            path,
            &format!("the picture has {width}×{height} pixels, too many to be decoded"),
        ));
    }
    // Cameras keep pictures as the sensor lies, and say beside them how they were held. Pictures without it are upright.
    let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    picture.apply_orientation(turned);
    Ok(picture)
}

/// Names in the order of the numbers in them: 9.png before 10.png.
fn in_order(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let (mut words, mut digits) = (String::new(), String::new());
    for c in name.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            if !digits.is_empty() {
                parts.push((std::mem::take(&mut words), digits.parse().unwrap_or(u64::MAX)));
                digits.clear();
            }
            words.push(c);
        }
    }
    parts.push((words, digits.parse().unwrap_or(0)));
    parts
}

fn invalid(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("{what}: {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG of 3×2 pixels, its left column red, with what EXIF says of how the camera was held.
    fn held(orientation: u8) -> Vec<u8> {
        let mut picture = image::RgbImage::from_pixel(24, 16, image::Rgb([20, 20, 200]));
        for (_, _, pixel) in picture.enumerate_pixels_mut().filter(|(x, _, _)| *x < 8) {
            *pixel = image::Rgb([220, 20, 20]);
        }
        let mut jpeg = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
        let jpeg = jpeg.into_inner();
        // One entry: tag 0x112, a short.
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let length = (exif.len() as u16 + 2).to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn pictures_are_turned_as_the_camera_was_held() {
        let folder = std::env::temp_dir().join(format!("musetalk-exif-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let red = |(orientation, size, place): (u8, (u32, u32), (usize, usize))| {
            let path = folder.join(format!("{orientation}.jpg"));
            std::fs::write(&path, held(orientation)).unwrap();
            let mut pictures = Pictures::single(&path).unwrap();
            assert_eq!((pictures.width(), pictures.height()), size, "{orientation}");
            let mut frame = SourceFrame::default();
            assert!(pictures.next_frame(&mut frame).unwrap());
            let at = (place.1 * size.0 as usize + place.0) * 3;
            assert!(
                frame.rgb[at] > 150 && frame.rgb[at + 2] < 90,
                "{orientation}: {:?}",
                &frame.rgb[at..at + 3]
            );
        };
        // Upright, mirrored, upside down, and on both sides.
        [
            (1, (24, 16), (2, 8)),
            (2, (24, 16), (21, 8)),
            (3, (24, 16), (21, 8)),
            (6, (16, 24), (8, 2)),
            (8, (16, 24), (8, 21)),
        ]
        .into_iter()
        .for_each(red);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn names_are_in_the_order_of_their_numbers() {
        let mut names = ["10.png", "9.png", "a2b10.png", "a2b9.png", "a10b1.png", "08.png"];
        names.sort_by_key(|name| in_order(name));
        assert_eq!(names, ["08.png", "9.png", "10.png", "a2b9.png", "a2b10.png", "a10b1.png"]);
    }
}
