//! The `.avatar` file, format 1: where what lies, as `docs/avatar-format.md` specifies it.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `MTAVATAR` |
//! | 8..12 | format, u32 little-endian like every number: 1 |
//! | 12..16 | 0 |
//! | 16..24 | where the index starts, u64 |
//! | 24..32 | its length, u64; it ends with the file |
//! | 32..64 | SHA-256 of the index |
//! | 64..96 | SHA-256 of the 64 bytes before |
//! | 96..index | the parts of every frame, one after another, without gaps |
//! | index | length of the description, u32; the description, JSON: [`Meta`]; one row for each frame |
//!
//! | bytes of a row | what |
//! |---|---|
//! | 0..16 | the face box: x1 y1 x2 y2, i32 |
//! | 16 + 36·p .. | length, u32, and SHA-256 of part p; both 0 for a part that the avatar does not have |
//!
//! A reader holds the index, and reads a part when it is needed: its digest is compared every time, so that damage is noticed
//! where it lies and a long avatar opens as fast as a short one.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::FaceBox;
use crate::{Error, ErrorKind, Result};

/// The format of `.avatar` files that this version reads and writes.
pub(crate) const AVATAR_FORMAT: u32 = 1;

pub(crate) const MAGIC: &[u8; 8] = b"MTAVATAR";
/// Bytes before the first part.
pub(crate) const HEAD: usize = 96;
/// Bytes of the head that its own digest covers.
const SIGNED: usize = 64;
const DIGEST: usize = 32;
/// Bytes of one row of the index.
pub(crate) const ROW: usize = 16 + PARTS * (4 + DIGEST);
/// Bytes of a description at most.
pub(crate) const LONGEST_META: usize = 64 << 10;

/// The parts of a frame, in the order in which they stand in the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// The frame, JPEG.
    Picture,
    /// Its alpha, grey PNG.
    Alpha,
    /// The mask over the crop of its face, grey PNG.
    Mask,
    /// \[2·c, l, l\] f32.
    Latent,
    /// The face with its mouth closed, JPEG.
    Closed,
}

impl Part {
    pub(crate) const ALL: [Self; PARTS] =
        [Self::Picture, Self::Alpha, Self::Mask, Self::Latent, Self::Closed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Alpha => "alpha",
            Self::Mask => "mask",
            Self::Latent => "latent",
            Self::Closed => "closed mouth",
        }
    }
}

pub(crate) const PARTS: usize = 5;

/// What an avatar is made for, and how big it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) made_by: String,
    pub(crate) frames: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fps: [u32; 2],
    pub(crate) image_size: u32,
    pub(crate) latent_channels: u32,
    pub(crate) latent_size: u32,
    /// SHA-256 of the network that made the latents.
    pub(crate) encoder: String,
    /// Every frame has an alpha.
    pub(crate) alpha: bool,
    /// Every frame has a face with its mouth closed.
    pub(crate) closed: bool,
    /// In the order in which their frames stand; the first is the default.
    pub(crate) clips: Vec<ClipMeta>,
}

/// A run of frames.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClipMeta {
    pub(crate) name: String,
    pub(crate) frames: u32,
}

impl Meta {
    /// Numbers in the latents of one frame.
    pub(crate) fn latent_len(&self) -> usize {
        2 * self.latent_channels as usize * (self.latent_size as usize).pow(2)
    }

    /// Whether every frame has this part.
    pub(crate) fn has(&self, part: Part) -> bool {
        match part {
            Part::Alpha => self.alpha,
            Part::Closed => self.closed,
            Part::Picture | Part::Mask | Part::Latent => true,
        }
    }
}

/// A row of the index: what is known of one frame before anything of it is read.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) face: FaceBox,
    /// Where its first part starts.
    pub(crate) offset: u64,
    pub(crate) lengths: [u32; PARTS],
    pub(crate) digests: [[u8; DIGEST]; PARTS],
}

impl Row {
    /// Where a part lies.
    pub(crate) fn place(&self, part: Part) -> std::ops::Range<u64> {
        let before = self.lengths[..part as usize].iter().map(|&length| u64::from(length)).sum::<u64>();
        let start = self.offset + before;
        start..start + u64::from(self.lengths[part as usize])
    }
}

/// What a head says of the index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Head {
    pub(crate) index: u64,
    pub(crate) length: u64,
    pub(crate) digest: [u8; DIGEST],
}

impl Head {
    pub(crate) fn bytes(&self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(MAGIC);
        head[8..12].copy_from_slice(&AVATAR_FORMAT.to_le_bytes());
        head[16..24].copy_from_slice(&self.index.to_le_bytes());
        head[24..32].copy_from_slice(&self.length.to_le_bytes());
        head[32..SIGNED].copy_from_slice(&self.digest);
        let digest = digest(&head[..SIGNED]);
        head[SIGNED..].copy_from_slice(&digest);
        head
    }

    /// The head of a file of `size` bytes, from its first bytes: as many as it has, up to [`HEAD`].
    pub(crate) fn parse(bytes: &[u8], size: u64) -> Result<Self> {
        if bytes.len() < 12 || &bytes[..8] != MAGIC {
            return Err(corrupt("it is not an .avatar file"));
        }
        let format = u32_at(bytes, 8);
        if format != AVATAR_FORMAT {
            let remedy = if format < AVATAR_FORMAT {
                "make it again from its footage or its parts: `musetalk avatar --help`"
            } else {
                "a newer version of this program reads it"
            };
            let text = format!(
                "the avatar has format {format}, this version reads format {AVATAR_FORMAT}; {remedy}"
            );
            return Err(Error::new(ErrorKind::Incompatible, text));
        }
        if bytes.len() < HEAD {
            return Err(corrupt("it is truncated in its head"));
        }
        if bytes[SIGNED..HEAD] != digest(&bytes[..SIGNED]) || bytes[12..16] != [0; 4] {
            return Err(corrupt("its head does not have the digest it states"));
        }
        let (index, length) = (u64_at(bytes, 16), u64_at(bytes, 24));
        if index < HEAD as u64 || index.checked_add(length) != Some(size) {
            return Err(corrupt("it is truncated, or something follows its index"));
        }
        let mut digest = [0; DIGEST];
        digest.copy_from_slice(&bytes[32..SIGNED]);
        Ok(Self { index, length, digest })
    }
}

/// The index of these frames.
pub(crate) fn index(meta: &Meta, rows: &[Row]) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(meta).map_err(|e| corrupt(&e.to_string()).caused_by(e))?;
    if json.len() > LONGEST_META {
        let text = format!("the names of the avatar and its clips take more than {LONGEST_META} bytes");
        return Err(Error::new(ErrorKind::InvalidInput, text));
    }
    let mut bytes = Vec::with_capacity(4 + json.len() + rows.len() * ROW);
    bytes.extend_from_slice(&(json.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&json);
    for row in rows {
        let FaceBox { x1, y1, x2, y2 } = row.face;
        [x1, y1, x2, y2].iter().for_each(|edge| bytes.extend_from_slice(&edge.to_le_bytes()));
        for (length, digest) in row.lengths.iter().zip(&row.digests) {
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(digest);
        }
    }
    Ok(bytes)
}

/// The description in an index, and the bytes of its rows: as many as the description states.
pub(crate) fn description(index: &[u8]) -> Result<(Meta, &[u8])> {
    let length = index.get(..4).map(|bytes| u32_at(bytes, 0) as usize).filter(|&n| n <= LONGEST_META);
    let parts = length.and_then(|length| index[4..].split_at_checked(length));
    let (json, rows) = parts.ok_or_else(|| corrupt("its index is shorter than its description"))?;
    let meta: Meta =
        serde_json::from_slice(json).map_err(|e| corrupt(&format!("its description: {e}")).caused_by(e))?;
    if (meta.frames as usize).checked_mul(ROW) != Some(rows.len()) {
        return Err(corrupt("its index does not have one row for each frame"));
    }
    Ok((meta, rows))
}

/// One row of an index; `offset` is where its first part starts.
pub(crate) fn row(bytes: &[u8], offset: u64) -> Row {
    let edge = |at: usize| u32_at(bytes, 4 * at).cast_signed();
    let face = FaceBox { x1: edge(0), y1: edge(1), x2: edge(2), y2: edge(3) };
    let mut row = Row { face, offset, lengths: [0; PARTS], digests: [[0; DIGEST]; PARTS] };
    for (part, entry) in bytes[16..].chunks_exact(4 + DIGEST).enumerate() {
        row.lengths[part] = u32_at(entry, 0);
        row.digests[part].copy_from_slice(&entry[4..]);
    }
    row
}

pub(crate) fn digest(bytes: &[u8]) -> [u8; DIGEST] {
    Sha256::digest(bytes).into()
}

pub(crate) fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the avatar cannot be used: {what}; copy or make it again"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::limits::{MOST_CLIPS, MOST_FRAMES};

    /// The specification, with thin spaces of numbers and the marks of code taken out.
    fn page() -> String {
        include_str!("../../docs/avatar-format.md").replace('`', "")
    }

    fn number(number: usize) -> String {
        let digits = number.to_string();
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        grouped
    }

    #[test]
    fn the_specification_is_what_the_code_does() {
        let page = page();
        let says =
            |text: String| assert!(page.contains(&text), "docs/avatar-format.md does not say {text:?}");
        says(format!("| 8..12 | u32 | the format: {AVATAR_FORMAT} |"));
        says(format!("| 0..8 | text | {} |", String::from_utf8_lossy(MAGIC)));
        says(format!("| {SIGNED}..{HEAD} | bytes | SHA-256 of bytes 0..{SIGNED} |"));
        says(format!("one row of {ROW} bytes for each frame"));
        says(format!("at most {} |", number(LONGEST_META)));
        says(format!("1 to {}", number(MOST_FRAMES as usize)));
        says(format!("| 1 to {MOST_CLIPS}, each"));
        says(format!("{} bytes.", number(4 + LONGEST_META + MOST_FRAMES as usize * ROW)));
        for part in Part::ALL {
            let start = 16 + part as usize * (4 + DIGEST);
            says(format!("| {start}..{} | u32, bytes |", start + 4 + DIGEST));
            says(format!("| {} |", part.name()));
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_no_other() {
        let head = Head { index: 1_000, length: 234, digest: [7; DIGEST] };
        let bytes = head.bytes();
        assert_eq!(Head::parse(&bytes, 1_234).unwrap(), head);
        assert!(Head::parse(&bytes, 1_235).is_err());
        for at in 0..HEAD {
            let mut changed = bytes;
            changed[at] ^= 0x10;
            assert!(Head::parse(&changed, 1_234).is_err(), "byte {at}");
        }
    }
}
