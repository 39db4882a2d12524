//! Files of PyTorch from 1.6 on: a zip archive of stored entries, `NAME/data.pkl` and `NAME/data/KEY` for each storage.
//!
//! Entries are never unpacked: their place in the file is looked up, and values are read from there.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};
use zip::{CompressionMethod, ZipArchive};

use super::{pickle, state};
use crate::checkpoint::file::{Contents, damaged};
use crate::checkpoint::stored::Storage;

/// Entries of an archive; MuseTalk's UNet has 700.
const MOST_ENTRIES: u64 = 1 << 16;

/// Bytes of the table of an archive's entries.
const LONGEST_DIRECTORY: u64 = 16 << 20;

pub(crate) fn contents(file: &mut File, path: &Path, bytes: u64) -> Result<Contents> {
    check_end(file, path, bytes)?;
    let entries = entries(file, path)?;
    let folder = folder(&entries, path)?;
    if let Some(order) = entries.get(&format!("{folder}/byteorder")) {
        let order = read(file, path, "byteorder", order)?;
        if order.trim_ascii() != b"little" {
            let order = String::from_utf8_lossy(&order);
            let text = format!(
                "its values are in {order:.20}-endian order; save the file again on a little-endian machine: {}",
                path.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
    }
    let text = read(file, path, "data.pkl", &entries[&format!("{folder}/data.pkl")])?;
    let (built, end) = pickle::read(&mut Cursor::new(&text), path, " of data.pkl", 0)?;
    if end != text.len() as u64 {
        return Err(damaged(
            path,
            format!("{} bytes follow the pickle in data.pkl", text.len() as u64 - end),
        ));
    }
    state::contents(&built, path, |view| match entries.get(&format!("{folder}/data/{}", view.key)) {
        Some(storage) if Some(length(&storage.bytes)) == state::size(&view.element, view.count) => {
            Ok(storage.clone())
        }
        Some(storage) => {
            let (key, found) = (&view.key, length(&storage.bytes));
            Err(format!("has storage {key} of {} {}, which has {found} bytes", view.count, view.element))
        }
        None => Err(format!("has storage {}, which is not in the archive", view.key)),
    })
}

/// Refuses archives whose end is not where it should be, or whose table of entries would take much memory to read.
fn check_end(file: &mut File, path: &Path, bytes: u64) -> Result<()> {
    let cut = || damaged(path, "the end of the zip archive is missing: the file was cut short");
    let mut tail = vec![0; usize::try_from(bytes.min(22 + 20)).unwrap_or(0)];
    file.seek(SeekFrom::Start(bytes - tail.len() as u64))
        .and_then(|_| file.read_exact(&mut tail))
        .map_err(|e| Error::io("read the end of", path, e))?;
    let (locator, end) = tail.split_at(tail.len().checked_sub(22).ok_or_else(cut)?);
    if !end.starts_with(b"PK\x05\x06") || end[20..] != [0, 0] {
        return Err(cut());
    }
    let mut directory = Directory {
        entries: number(&end[10..12]),
        bytes: number(&end[12..16]),
        start: number(&end[16..20]),
        end: bytes - 22,
    };
    if locator.starts_with(b"PK\x06\x07") {
        let at = number(&locator[8..16]);
        let mut record = [0; 56];
        file.seek(SeekFrom::Start(at.min(bytes)))
            .and_then(|_| file.read_exact(&mut record))
            .map_err(|e| cut().caused_by(e))?;
        if !record.starts_with(b"PK\x06\x06") {
            return Err(cut());
        }
        directory = Directory {
            entries: number(&record[32..40]),
            bytes: number(&record[40..48]),
            start: number(&record[48..56]),
            end: at,
        };
    }
    // With the table right before its end, no reader can take another one for it.
    if directory.start.checked_add(directory.bytes) != Some(directory.end) {
        return Err(damaged(path, "the table of the zip archive is not at its end"));
    }
    if directory.entries > MOST_ENTRIES || directory.bytes > LONGEST_DIRECTORY {
        let Directory { entries, bytes, .. } = directory;
        let text = format!("the zip archive has {entries} entries in a table of {bytes} bytes, too many");
        return Err(damaged(path, text));
    }
    Ok(())
}

/// The table of entries, as an archive's end describes it.
struct Directory {
    entries: u64,
    bytes: u64,
    start: u64,
    /// Where the table should end.
    end: u64,
}

/// Where every entry lies, by name. Only stored entries with harmless names that do not overlap are let through.
fn entries(file: &mut File, path: &Path) -> Result<HashMap<String, Storage>> {
    let broken = |e: zip::result::ZipError| match e {
        zip::result::ZipError::Io(e) => Error::io("read the header of", path, e),
        e => damaged(path, format!("the zip archive is damaged ({e})")).caused_by(e),
    };
    let mut archive = ZipArchive::new(&mut *file).map_err(broken)?;
    if archive.offset() != 0 || archive.has_duplicate_names() {
        return Err(damaged(path, "the zip archive has entries of one name, or something before it"));
    }
    let mut entries = HashMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(broken)?;
        let name = entry_name(entry.name_raw(), path)?;
        if entry.encrypted() || entry.compression() != CompressionMethod::Stored {
            let text = format!(
                "entry {name} is compressed or encrypted, which torch.save never does: {}",
                path.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let end = entry.data_start().and_then(|start| start.checked_add(entry.size()));
        let (Some(start), Some(end), true) =
            (entry.data_start(), end, entry.size() == entry.compressed_size())
        else {
            return Err(damaged(path, format!("entry {name} has two sizes, or no place")));
        };
        // Files can be written without checksums; then zero stands in their place.
        let checksum = Some(entry.crc32()).filter(|checksum| *checksum != 0);
        entries.insert(name, Storage { bytes: start..end, checksum });
    }
    if archive.has_overlapping_entries().map_err(broken)? {
        return Err(damaged(path, "entries of the zip archive overlap, or reach beyond its table"));
    }
    Ok(entries)
}

fn entry_name(raw: &[u8], path: &Path) -> Result<String> {
    let name = std::str::from_utf8(raw).ok().filter(|name| {
        let plain = |part: &str| !part.is_empty() && part != ".." && part != ".";
        name.len() <= 1024 && !name.contains(['\\', ':', '\0']) && name.split('/').all(plain)
    });
    match name {
        Some(name) => Ok(name.to_owned()),
        None => {
            let name = String::from_utf8_lossy(raw);
            Err(damaged(path, format!("the zip archive has an entry named {name:.100?}")))
        }
    }
}

/// The one folder that the archive is written in.
fn folder(entries: &HashMap<String, Storage>, path: &Path) -> Result<String> {
    let roots: Vec<&str> = entries.keys().filter_map(|name| name.strip_suffix("/data.pkl")).collect();
    let [root] = roots[..] else {
        return Err(damaged(
            path,
            format!("the zip archive has {} data.pkl; torch.save writes one", roots.len()),
        ));
    };
    if entries.contains_key(&format!("{root}/constants.pkl")) {
        let text = format!("a TorchScript archive holds code; a state dict is needed: {}", path.display());
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    Ok(root.to_owned())
}

/// A small entry as a whole.
fn read(file: &mut File, path: &Path, name: &str, entry: &Storage) -> Result<Vec<u8>> {
    let length = length(&entry.bytes);
    if length > pickle::LONGEST {
        return Err(damaged(path, format!("its {name} of {length} bytes is longer than any checkpoint's")));
    }
    let mut raw = vec![0; usize::try_from(length).unwrap_or(0)];
    file.seek(SeekFrom::Start(entry.bytes.start))
        .and_then(|_| file.read_exact(&mut raw))
        .map_err(|e| Error::io(&format!("read {name} of"), path, e))?;
    if entry.checksum.is_some_and(|expected| expected != crc32fast::hash(&raw)) {
        return Err(damaged(path, format!("the checksum of its {name} differs: it was altered")));
    }
    Ok(raw)
}

fn length(bytes: &Range<u64>) -> u64 {
    bytes.end - bytes.start
}

/// Little-endian, of up to 8 bytes.
fn number(raw: &[u8]) -> u64 {
    raw.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
