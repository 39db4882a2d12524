//! An avatar that is truncated, edited, of another format or made for another pack is refused, with its file named; one
//! that cannot be written leaves nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use musetalk_core::{AvatarAsset, AvatarOptions, AvatarParts, Device, Engine, Error, ErrorKind, FaceBox};
use musetalk_tests::{engine, scratch, write_person};
use sha2::{Digest as _, Sha256};

const HEAD: usize = 16;
const ROW: usize = 8 + 8 + 8 + 32;
const SECTIONS: usize = 5;
const TABLE: usize = HEAD + SECTIONS * ROW + 32;

fn file(name: &str) -> (PathBuf, Vec<u8>) {
    let path = write_person(engine(), &scratch(name));
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

#[track_caller]
fn refused(path: &Path, kinds: &[ErrorKind], what: &str) -> String {
    let error = AvatarAsset::open(path).map(|asset| asset.name().to_owned()).expect_err(what);
    assert!(kinds.contains(&error.kind()), "{what}: {:?}: {error}", error.kind());
    assert!(error.to_string().contains(path.to_str().unwrap()), "{what}: {error} does not name the file");
    error.to_string()
}

const DAMAGED: &[ErrorKind] = &[ErrorKind::Corrupt];
const FOREIGN: &[ErrorKind] = &[ErrorKind::Incompatible];
const EITHER: &[ErrorKind] = &[ErrorKind::Corrupt, ErrorKind::Incompatible];

/// The file with the named section replaced and every digest made right again: what an editor with patience could do.
fn resealed(file: &[u8], tag: &str, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let number = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize;
    let mut change = Some(change);
    let sections: Vec<(&[u8], Vec<u8>)> = (0..SECTIONS)
        .map(|index| {
            let row = HEAD + index * ROW;
            let name = &file[row..row + 8];
            let bytes = &file[number(row + 8)..][..number(row + 16)];
            if name.starts_with(tag.as_bytes()) {
                (name, change.take().unwrap()(bytes))
            } else {
                (name, bytes.to_vec())
            }
        })
        .collect();
    assert!(change.is_none(), "section {tag} exists");
    let mut out = file[..HEAD].to_vec();
    let mut offset = TABLE as u64;
    for (name, bytes) in &sections {
        out.extend_from_slice(name);
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(&Sha256::digest(bytes));
        offset += bytes.len() as u64;
    }
    let digest = Sha256::digest(&out);
    out.extend_from_slice(&digest);
    sections.iter().for_each(|(_, bytes)| out.extend_from_slice(bytes));
    out
}

#[test]
fn missing_files_and_things_that_are_none() {
    let folder = scratch("no-avatar");
    refused(&folder.join("nobody.avatar"), &[ErrorKind::NotFound], "missing");
    refused(&folder, &[ErrorKind::Io], "a folder");
    let error = engine().open_avatar(folder.join("nobody.avatar")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nobody.avatar"), "{error}");
    let path = folder.join("text.avatar");
    for text in [b"".as_slice(), b"MTAVATAR", b"a text that is longer than any head of a file", &[0; 4096]] {
        fs::write(&path, text).unwrap();
        refused(&path, DAMAGED, "no avatar");
    }
}

#[test]
fn truncated_anywhere() {
    let (path, whole) = file("truncated");
    let lengths = (0..TABLE + 64).chain((TABLE + 64..whole.len()).step_by(whole.len() / 150 + 1));
    for length in lengths.chain([whole.len() - 1]) {
        fs::write(&path, &whole[..length]).unwrap();
        refused(&path, DAMAGED, &format!("{length} of {} bytes", whole.len()));
    }
    fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
    refused(&path, DAMAGED, "one byte more");
}

#[test]
fn any_byte_flipped() {
    let (path, mut bytes) = file("flipped");
    let places: Vec<usize> = (0..TABLE).chain((TABLE..bytes.len()).step_by(bytes.len() / 300 + 1)).collect();
    for at in places {
        for flip in [0x01, 0x80] {
            bytes[at] ^= flip;
            fs::write(&path, &bytes).unwrap();
            refused(&path, if (8..12).contains(&at) { FOREIGN } else { DAMAGED }, &format!("byte {at}"));
            bytes[at] ^= flip;
        }
    }
    fs::write(&path, &bytes).unwrap();
    AvatarAsset::open(&path).unwrap();
}

#[test]
fn other_formats() {
    let (path, mut bytes) = file("format");
    for format in [1_u32, 7, u32::MAX] {
        bytes[8..12].copy_from_slice(&format.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let message = refused(&path, FOREIGN, "another format");
        assert!(message.contains(&format!("format {format}")), "{message}");
    }
}

#[test]
fn contents_that_contradict_each_other_under_sound_digests() {
    let (path, whole) = file("edited");
    let check = |bytes: Vec<u8>, what: &str| {
        fs::write(&path, bytes).unwrap();
        refused(&path, EITHER, what);
    };
    assert!(resealed(&whole, "META", <[u8]>::to_vec) == whole);
    let meta = |field: &str, value: serde_json::Value| {
        resealed(&whole, "META", |json| {
            let mut meta: serde_json::Value = serde_json::from_slice(json).unwrap();
            meta[field] = value;
            serde_json::to_vec(&meta).unwrap()
        })
    };
    for field in ["frames", "width", "height", "image_size", "latent_channels", "latent_size"] {
        for value in [0, 1, 9, 11, 63, 4_096, 8_192, 15_000, u64::from(u32::MAX), u64::MAX] {
            // The tiny person's image size is no section's size; only the pack can tell that it is wrong.
            if field == "image_size" && (16..=2048).contains(&value) {
                continue;
            }
            check(meta(field, value.into()), &format!("{field} {value}"));
        }
    }
    for fps in [serde_json::json!([0, 1]), serde_json::json!([25, 0]), serde_json::json!([25])] {
        check(meta("fps", fps), "fps");
    }
    check(meta("surprise", 1.into()), "an unknown field");
    check(resealed(&whole, "META", |_| Vec::new()), "no meta");
    for edge in [i32::MIN, i32::MAX, -70_000, 0, 1_000_000] {
        for at in 0..4 {
            // A box that reaches beyond the picture is allowed; these are empty, absurd or fully outside.
            if edge == 0 && at < 2 {
                continue;
            }
            let changed = resealed(&whole, "BOXES", |boxes| {
                let mut boxes = boxes.to_vec();
                boxes[at * 4..at * 4 + 4].copy_from_slice(&edge.to_le_bytes());
                boxes
            });
            check(changed, &format!("edge {at} at {edge}"));
        }
    }
    for value in [f32::NAN, f32::INFINITY] {
        let changed = resealed(&whole, "LATENTS", |latents| [&value.to_le_bytes(), &latents[4..]].concat());
        check(changed, "a latent that is no number");
    }
    for section in ["BOXES", "MASKS", "LATENTS", "FRAMES"] {
        check(resealed(&whole, section, |_| Vec::new()), "an empty section");
        check(resealed(&whole, section, |bytes| bytes[..bytes.len() - 1].to_vec()), "a section cut short");
        check(resealed(&whole, section, |bytes| [bytes, b"x"].concat()), "a section too long");
    }
    for section in ["MASKS", "FRAMES"] {
        let absurd = resealed(&whole, section, |bytes| [&u32::MAX.to_le_bytes(), &bytes[4..]].concat());
        check(absurd, "a picture longer than the file");
    }
}

#[test]
fn damaged_pictures_under_sound_digests_never_panic() {
    let (_, whole) = file("pictures");
    for section in ["MASKS", "FRAMES"] {
        for step in 0..400 {
            let changed = resealed(&whole, section, |bytes| {
                let mut bytes = bytes.to_vec();
                let at = 40 + step * 7919 % (bytes.len() - 40);
                bytes[at] ^= 1 << (step % 8);
                bytes
            });
            // A picture may survive a flipped bit; what it may not do is take the process with it.
            if let Err(error) = AvatarAsset::parse(&changed) {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            }
        }
    }
}

/// An engine of another tiny pack, whose encoder makes other latents.
fn another() -> Engine {
    let folder = scratch("another-pack");
    musetalk_models::tiny::write_checkpoint(folder.join("checkpoint"), 8).unwrap();
    musetalk_models::PackBuilder::new(folder.join("checkpoint"))
        .build(folder.join("pack"), |_: musetalk_models::Progress<'_>| ControlFlow::Continue(()))
        .unwrap();
    Engine::builder(folder.join("pack")).device(Device::Cpu).threads(1).build().unwrap()
}

#[test]
fn made_for_another_pack() {
    let (path, bytes) = file("another");
    let other = another();
    let error = other.open_avatar(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible, "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    let asset = std::sync::Arc::new(AvatarAsset::open(&path).unwrap());
    let error = other.start_avatar(asset, AvatarOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible, "{error}");
    // The right identity and another size: edited by hand.
    let changed = resealed(&bytes, "META", |json| {
        let mut meta: serde_json::Value = serde_json::from_slice(json).unwrap();
        meta["image_size"] = 48.into();
        serde_json::to_vec(&meta).unwrap()
    });
    fs::write(&path, changed).unwrap();
    let error = engine().open_avatar(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible, "{error}");
}

fn parts() -> AvatarParts {
    let mut parts = AvatarParts::default();
    parts.name = "plain".to_owned();
    (parts.width, parts.height) = (48, 40);
    let face = FaceBox { x1: 10, y1: 8, x2: 34, y2: 32 };
    parts.frames = vec![vec![90; 48 * 40 * 3]];
    parts.boxes = vec![face];
    parts.masks = vec![vec![255; (face.crop().width() * face.crop().height()) as usize]];
    parts
}

#[test]
fn an_output_that_cannot_be_written_leaves_nothing() {
    let folder = scratch("unwritable");
    let listing = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    fs::write(folder.join("file"), b"in the way").unwrap();
    fs::create_dir(folder.join("taken.avatar")).unwrap();
    let before = listing(&folder);
    let targets = ["nowhere/x.avatar", "file/x.avatar", "taken.avatar", "taken.avatar/..", ""];
    for target in targets {
        let path = folder.join(target);
        let error: Error = AvatarAsset::write_parts(engine(), &parts(), &path).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::NotFound), "{target}: {error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{target}: {error}");
        assert_eq!(listing(&folder), before, "{target}");
    }
    assert!(listing(&folder.join("taken.avatar")).is_empty());
    assert_eq!(fs::read(folder.join("file")).unwrap(), b"in the way");
    // What cannot be prepared does not touch what is there.
    let path = folder.join("kept.avatar");
    AvatarAsset::write_parts(engine(), &parts(), &path).unwrap();
    let kept = fs::read(&path).unwrap();
    let mut bad = parts();
    bad.masks.clear();
    AvatarAsset::write_parts(engine(), &bad, &path).unwrap_err();
    assert!(fs::read(&path).unwrap() == kept);
}

#[test]
fn parts_that_do_not_fit_together_are_named() {
    let refused = |change: &dyn Fn(&mut AvatarParts), words: &str| {
        let mut parts = parts();
        change(&mut parts);
        let error = AvatarAsset::from_parts(engine(), &parts).map(|a| a.name().to_owned()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{words}: {error}");
        assert!(error.to_string().contains(words), "{error} does not say {words:?}");
    };
    refused(&|p| p.frames.clear(), "0 frames");
    refused(&|p| p.boxes.clear(), "0 boxes");
    refused(&|p| p.frames[0].truncate(7), "frame 0");
    refused(&|p| p.masks[0].truncate(7), "mask 0");
    refused(&|p| p.boxes[0].x2 = p.boxes[0].x1, "box of frame 0");
    refused(&|p| p.boxes[0].x1 = i32::MIN, "box of frame 0");
    refused(&|p| p.boxes[0].y2 = i32::MAX, "box of frame 0");
    refused(&|p| p.boxes[0] = FaceBox { x1: 100, y1: 8, x2: 140, y2: 32 }, "box of frame 0");
    refused(&|p| p.width = 0, "sizes");
    refused(&|p| p.height = u32::MAX, "sizes");
    let folder = scratch("parts");
    let error = AvatarParts::read(&folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("boxes.json"), "{error}");
    fs::write(folder.join("boxes.json"), "[[1, 2, 3]]").unwrap();
    assert_eq!(AvatarParts::read(&folder).unwrap_err().kind(), ErrorKind::Corrupt);
    fs::write(folder.join("boxes.json"), "[[1, 2, 30, 40]]").unwrap();
    let error = AvatarParts::read(&folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("00000000.png"), "{error}");
}
