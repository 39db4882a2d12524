//! Taking the library out of the wheel: a zip archive from elsewhere, so nothing in it is believed.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use musetalk_core::runtime::TESTED_VERSION;
use musetalk_core::{Error, ErrorKind, Result};
use zip::ZipArchive;

/// The library is about 25 MB. Less than the one is none, more than the other is an attack.
const LIBRARY_BYTES: std::ops::RangeInclusive<u64> = 1 << 20..=512 << 20;
const LICENCE_BYTES: std::ops::RangeInclusive<u64> = 1..=8 << 20;
/// A wheel of this package has some 400 entries.
const ENTRIES: usize = 20_000;

/// Writes the library and its licence texts into this folder and returns the library's name there. Names inside the
/// archive choose what is taken, never where it is written.
pub(super) fn unpack(wheel: &Path, folder: &Path) -> Result<String> {
    let file = File::open(wheel).map_err(|e| Error::io("open the downloaded wheel", wheel, e))?;
    let mut archive =
        ZipArchive::new(file).map_err(|e| damaged("it is not a zip archive", wheel).caused_by(e))?;
    if archive.len() > ENTRIES {
        return Err(damaged("it has too many entries", wheel));
    }
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();

    let entry = names
        .iter()
        .find(|name| name.strip_prefix("onnxruntime/capi/").is_some_and(is_library))
        .ok_or_else(|| damaged("it holds no ONNX Runtime library for this system", wheel))?;
    let library = library_name();
    extract(&mut archive, entry, &folder.join(&library), LIBRARY_BYTES, wheel)?;

    for (ending, name) in [("/LICENSE", "LICENSE"), ("/ThirdPartyNotices.txt", "ThirdPartyNotices.txt")] {
        if let Some(entry) = names.iter().find(|entry| entry.ends_with(ending)) {
            extract(&mut archive, entry, &folder.join(name), LICENCE_BYTES, wheel)?;
        }
    }
    Ok(library)
}

/// What the search of the core knows it by; the version is part of it.
fn library_name() -> String {
    match std::env::consts::OS {
        "windows" => "onnxruntime.dll".to_owned(),
        "macos" => format!("libonnxruntime.{TESTED_VERSION}.dylib"),
        _ => format!("libonnxruntime.so.{TESTED_VERSION}"),
    }
}

fn is_library(name: &str) -> bool {
    match std::env::consts::OS {
        "windows" => name == "onnxruntime.dll",
        "macos" => name.starts_with("libonnxruntime.") && name.ends_with(".dylib"),
        _ => name.starts_with("libonnxruntime.so"),
    }
}

fn extract(
    archive: &mut ZipArchive<File>,
    entry: &str,
    to: &Path,
    bytes: std::ops::RangeInclusive<u64>,
    wheel: &Path,
) -> Result<()> {
    let from = archive.by_name(entry).map_err(|e| damaged("an entry cannot be read", wheel).caused_by(e))?;
    let promised = from.size();
    if !bytes.contains(&promised) {
        return Err(damaged(&format!("{entry} says that it has {promised} bytes"), wheel));
    }
    let mut file = File::create(to).map_err(|e| Error::io("write the library", to, e))?;
    // One byte more than promised is enough to know that the promise was false.
    let mut from = from.take(promised + 1);
    let mut block = vec![0; 1 << 16];
    let mut written = 0;
    loop {
        crate::cancel::check()?;
        // The reader checks the checksum when it reaches the end.
        let count = from
            .read(&mut block)
            .map_err(|e| damaged(&format!("{entry} cannot be unpacked"), wheel).caused_by(e))?;
        if count == 0 {
            break;
        }
        file.write_all(&block[..count]).map_err(|e| Error::io("write the library", to, e))?;
        written += count as u64;
    }
    if written != promised {
        return Err(damaged(&format!("{entry} has another size than it says"), wheel));
    }
    file.sync_all().map_err(|e| Error::io("write the library", to, e))
}

fn damaged(why: &str, wheel: &Path) -> Error {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy();
    Error::new(
        ErrorKind::Corrupt,
        format!("the downloaded wheel is of no use: {why}; run `musetalk setup` again: {name}"),
    )
}
