//! The `.avatar` file, format 0.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `MTAVATAR` |
//! | 8..12 | format, u32 little-endian: 0 |
//! | 12..16 | number of sections, u32 |
//! | 16.. | the section table: per section its tag (8 bytes, padded with spaces), offset u64, length u64, SHA-256 (32 bytes) |
//! | after the table | SHA-256 of everything before it |
//! | then | the sections, one after another, in the order of the table, up to the end of the file |
//!
//! | section | what |
//! |---|---|
//! | `META` | JSON: [`Meta`] |
//! | `BOXES` | per frame x1 y1 x2 y2, i32 |
//! | `FRAMES` | per frame its length, u32; then the frames as JPEG |
//! | `MASKS` | per frame its length, u32; then the masks as grey PNG over the crop box |
//! | `LATENTS` | per frame \[2·c, l, l\] f32: masked, then whole |

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, ErrorKind, Result};

/// The format of `.avatar` files that this version reads and writes.
pub(crate) const AVATAR_FORMAT: u32 = 0;

pub(crate) const MAGIC: &[u8; 8] = b"MTAVATAR";
pub(crate) const META: &[u8; 8] = b"META    ";
pub(crate) const BOXES: &[u8; 8] = b"BOXES   ";
pub(crate) const FRAMES: &[u8; 8] = b"FRAMES  ";
pub(crate) const MASKS: &[u8; 8] = b"MASKS   ";
pub(crate) const LATENTS: &[u8; 8] = b"LATENTS ";

const HEAD: usize = 16;
const ROW: usize = 8 + 8 + 8 + 32;
const DIGEST: usize = 32;
const MOST_SECTIONS: usize = 64;

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
}

/// A whole file from its sections.
pub(crate) fn assemble(sections: &[(&[u8; 8], Vec<u8>)]) -> Vec<u8> {
    let table = HEAD + sections.len() * ROW;
    let mut offset = (table + DIGEST) as u64;
    let mut file =
        Vec::with_capacity(sections.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() + table + DIGEST);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&AVATAR_FORMAT.to_le_bytes());
    file.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    for (tag, bytes) in sections {
        file.extend_from_slice(*tag);
        file.extend_from_slice(&offset.to_le_bytes());
        file.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        file.extend_from_slice(&Sha256::digest(bytes));
        offset += bytes.len() as u64;
    }
    let digest = Sha256::digest(&file);
    file.extend_from_slice(&digest);
    for (_, bytes) in sections {
        file.extend_from_slice(bytes);
    }
    file
}

/// The sections of a file, each checked against its digest before anything in it is believed.
pub(crate) fn take_apart(file: &[u8]) -> Result<Vec<([u8; 8], &[u8])>> {
    if file.len() < HEAD || &file[..8] != MAGIC {
        return Err(corrupt("it is not an .avatar file"));
    }
    let format = u32_at(file, 8);
    if format != AVATAR_FORMAT {
        return Err(Error::new(
            ErrorKind::Incompatible,
            format!(
                "the avatar has format {format}, this version reads format {AVATAR_FORMAT}; make it again"
            ),
        ));
    }
    let count = u32_at(file, 12) as usize;
    let table = HEAD + count.min(MOST_SECTIONS) * ROW;
    if count > MOST_SECTIONS || file.len() < table + DIGEST {
        return Err(corrupt("it is truncated in its section table"));
    }
    if file[table..table + DIGEST] != Sha256::digest(&file[..table])[..] {
        return Err(corrupt("its section table does not have the digest it states"));
    }
    let mut next = (table + DIGEST) as u64;
    let mut sections = Vec::with_capacity(count);
    for row in file[HEAD..table].chunks_exact(ROW) {
        let mut tag = [0; 8];
        tag.copy_from_slice(&row[..8]);
        let (offset, length) = (u64_at(row, 8), u64_at(row, 16));
        // Sections stand one after another: overlaps and gaps could hide content from a reader.
        let end = offset.checked_add(length).filter(|&end| offset == next && end <= file.len() as u64);
        let end = end.ok_or_else(|| corrupt("it is truncated, or its sections do not follow one another"))?;
        let bytes = &file[offset as usize..end as usize];
        if row[24..] != Sha256::digest(bytes)[..] {
            let name = String::from_utf8_lossy(&tag);
            return Err(corrupt(&format!("section {} does not have the digest it states", name.trim_end())));
        }
        sections.push((tag, bytes));
        next = end;
    }
    if next != file.len() as u64 {
        return Err(corrupt("something follows its last section"));
    }
    Ok(sections)
}

/// Blobs of different lengths as one section: their lengths, then they.
pub(crate) fn join(blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut section = Vec::with_capacity(blobs.iter().map(|blob| blob.len() + 4).sum());
    for blob in blobs {
        section.extend_from_slice(&(blob.len() as u32).to_le_bytes());
    }
    blobs.iter().for_each(|blob| section.extend_from_slice(blob));
    section
}

/// What [`join`] joined.
pub(crate) fn split(section: &[u8], count: usize) -> Result<Vec<&[u8]>> {
    let lengths = count.checked_mul(4).and_then(|bytes| section.get(..bytes));
    let lengths = lengths.ok_or_else(|| corrupt("a section is shorter than its list of lengths"))?;
    let mut rest = &section[lengths.len()..];
    let mut blobs = Vec::with_capacity(count);
    for length in lengths.chunks_exact(4) {
        let length = u32_at(length, 0) as usize;
        let (blob, after) =
            rest.split_at_checked(length).ok_or_else(|| corrupt("a section is shorter than its parts"))?;
        blobs.push(blob);
        rest = after;
    }
    if rest.is_empty() { Ok(blobs) } else { Err(corrupt("a section is longer than its parts")) }
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
