//! An avatar that is truncated, edited, of another format or made for another pack is refused, with its file named; one
//! that cannot be written leaves nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use musetalk_core::{AvatarAsset, AvatarOptions, AvatarParts, Device, Engine, Error, ErrorKind, FaceBox};
use musetalk_tests::{babble, engine, scratch, write_person};
use sha2::{Digest as _, Sha256};

const HEAD: usize = 96;
const PARTS: usize = 5;
const ROW: usize = 16 + PARTS * 36;
/// Numbers of the parts.
const PICTURE: usize = 0;
const MASK: usize = 2;
const LATENT: usize = 3;

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

fn go_on(_: u32, _: u32) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

fn index_of(file: &[u8]) -> usize {
    u64::from_le_bytes(file[16..24].try_into().unwrap()) as usize
}

/// A file taken apart, to be changed and put together again with every digest right: what an editor with patience could do.
#[derive(Clone)]
struct Pieces {
    meta: serde_json::Value,
    rows: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    after: Vec<u8>,
}

impl Pieces {
    fn of(file: &[u8]) -> Self {
        let index = &file[index_of(file)..];
        let json = 4 + u32_at(index, 0);
        let mut at = HEAD;
        let rows = index[json..]
            .chunks_exact(ROW)
            .map(|row| {
                let part = |part: usize| {
                    let length = u32_at(row, 16 + 36 * part);
                    at += length;
                    file[at - length..at].to_vec()
                };
                (row[..16].to_vec(), (0..PARTS).map(part).collect())
            })
            .collect();
        Self { meta: serde_json::from_slice(&index[4..json]).unwrap(), rows, after: Vec::new() }
    }

    fn file(&self) -> Vec<u8> {
        let json = serde_json::to_vec(&self.meta).unwrap();
        let mut index = (json.len() as u32).to_le_bytes().to_vec();
        index.extend(json);
        let mut out = vec![0; HEAD];
        for (face, parts) in &self.rows {
            index.extend(face);
            for part in parts {
                index.extend((part.len() as u32).to_le_bytes());
                let digest: [u8; 32] = Sha256::digest(part).into();
                index.extend(if part.is_empty() { [0; 32] } else { digest });
                out.extend(part);
            }
        }
        index.extend(&self.after);
        seal(&mut out, &index);
        out
    }
}

/// Appends the index and writes the head that leads to it.
fn seal(out: &mut Vec<u8>, index: &[u8]) {
    let mut head = b"MTAVATAR\x01\0\0\0\0\0\0\0".to_vec();
    head.extend((out.len() as u64).to_le_bytes());
    head.extend((index.len() as u64).to_le_bytes());
    head.extend(Sha256::digest(index));
    head.extend(Sha256::digest(&head));
    out[..HEAD].copy_from_slice(&head);
    out.extend(index);
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
    let lengths = (0..HEAD + 64).chain((HEAD + 64..whole.len()).step_by(whole.len() / 150 + 1));
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
    let index = index_of(&bytes);
    let places = (0..HEAD).chain((HEAD..index).step_by(index / 300 + 1)).chain(index..bytes.len());
    for at in places.collect::<Vec<_>>() {
        for flip in [0x01, 0x80] {
            bytes[at] ^= flip;
            fs::write(&path, &bytes).unwrap();
            let what = format!("byte {at}");
            if (HEAD..index).contains(&at) {
                // A part: found when its frame is read, and named.
                let error = AvatarAsset::open(&path).unwrap().verify(go_on).expect_err(&what);
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
                let text = error.to_string();
                assert!(text.contains("frame ") && text.contains(path.to_str().unwrap()), "{what}: {text}");
            } else {
                refused(&path, if (8..12).contains(&at) { FOREIGN } else { DAMAGED }, &what);
            }
            bytes[at] ^= flip;
        }
    }
    fs::write(&path, &bytes).unwrap();
    AvatarAsset::open(&path).unwrap().verify(go_on).unwrap();
}

#[test]
fn other_formats() {
    let (path, mut bytes) = file("format");
    for format in [0_u32, 2, 7, u32::MAX] {
        bytes[8..12].copy_from_slice(&format.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let message = refused(&path, FOREIGN, "another format");
        assert!(message.contains(&format!("format {format}")), "{message}");
        let remedy = if format == 0 { "make it again" } else { "newer version" };
        assert!(message.contains(remedy), "{message}");
    }
}

#[test]
fn contents_that_contradict_each_other_under_sound_digests() {
    let (path, whole) = file("edited");
    let sound = Pieces::of(&whole);
    fs::write(&path, sound.file()).unwrap();
    AvatarAsset::open(&path).unwrap().verify(go_on).unwrap();
    let check = |what: &str, change: &dyn Fn(&mut Pieces)| {
        let mut pieces = sound.clone();
        change(&mut pieces);
        fs::write(&path, pieces.file()).unwrap();
        refused(&path, EITHER, what);
    };
    // Wrong sizes of pictures and latents are found when they are read, absurd ones at once.
    let check_whole = |what: &str, change: &dyn Fn(&mut Pieces)| {
        let mut pieces = sound.clone();
        change(&mut pieces);
        let read = AvatarAsset::parse(pieces.file()).and_then(|asset| asset.verify(go_on));
        assert_eq!(read.expect_err(what).kind(), ErrorKind::Corrupt, "{what}");
    };
    for field in ["frames", "width", "height", "image_size", "latent_channels", "latent_size"] {
        for value in [0, 1, 9, 11, 63, 4_096, 8_192, 15_000, u64::from(u32::MAX), u64::MAX] {
            // Without closed mouths the image size is no part's; only the pack can tell that it is wrong.
            if field == "image_size" && (16..=2048).contains(&value) {
                continue;
            }
            check_whole(&format!("{field} {value}"), &|p| p.meta[field] = value.into());
        }
    }
    for (field, value) in [
        ("fps", serde_json::json!([0, 1])),
        ("fps", serde_json::json!([25, 0])),
        ("fps", serde_json::json!([25])),
        ("surprise", 1.into()),
        ("alpha", true.into()),
        ("closed", true.into()),
        ("name", "x".repeat(300).into()),
        ("made_by", "x".repeat(70_000).into()),
        ("clips", serde_json::json!([])),
        ("clips", serde_json::json!([{"name": "a", "frames": 9}])),
        ("clips", serde_json::json!([{"name": "a", "frames": 11}])),
        ("clips", serde_json::json!([{"name": "a", "frames": 10}, {"name": "b", "frames": 0}])),
        ("clips", serde_json::json!([{"name": "a", "frames": 5}, {"name": "a", "frames": 5}])),
        ("clips", serde_json::json!([{"name": "", "frames": 10}])),
        ("clips", serde_json::json!([{"name": "a", "frames": u32::MAX}, {"name": "b", "frames": 11}])),
    ] {
        check(&format!("{field} {value:.80}"), &|p| p.meta[field] = value.clone());
    }
    check("no description", &|p| p.meta = serde_json::Value::Null);
    check("something after the rows", &|p| p.after = b"x".to_vec());
    check("no rows", &|p| p.rows.clear());
    check("a row less", &|p| p.rows.truncate(9));
    // Each side is one that there is, and both together are more than 8K; a mask larger than anything it could lie on.
    check("a square of 8192", &|p| (p.meta["width"], p.meta["height"]) = (8_192.into(), 8_192.into()));
    check("a crop of nine pictures", &|p| {
        let (width, height) = (p.meta["width"].as_i64().unwrap(), p.meta["height"].as_i64().unwrap());
        for (at, edge) in [0, 0, 2 * width as i32, 2 * height as i32].into_iter().enumerate() {
            p.rows[0].0[at * 4..at * 4 + 4].copy_from_slice(&edge.to_le_bytes());
        }
    });
    for edge in [i32::MIN, i32::MAX, -70_000, 0, 1_000_000] {
        for at in 0..4 {
            // A box that reaches beyond the picture is allowed; these are empty, absurd or fully outside.
            if edge == 0 && at < 2 {
                continue;
            }
            check(&format!("edge {at} at {edge}"), &|p| {
                p.rows[0].0[at * 4..at * 4 + 4].copy_from_slice(&edge.to_le_bytes());
            });
        }
    }
    for value in [f32::NAN, f32::INFINITY] {
        let what = "a latent that is no number";
        check_whole(what, &|p| p.rows[3].1[LATENT][..4].copy_from_slice(&value.to_le_bytes()));
    }
    for part in 0..PARTS {
        check_whole("an empty part", &|p| {
            p.rows[1].1[part] = if p.rows[1].1[part].is_empty() { vec![1] } else { vec![] }
        });
        check_whole("a part of rubbish", &|p| p.rows[1].1[part] = b"rubbish".to_vec());
        check("a part that is too long", &|p| p.rows[1].1[part].resize(1 << 20, 0));
    }
    check("a latent cut short", &|p| p.rows[2].1[LATENT].truncate(8));
    check_whole("a mask in the place of a picture", &|p| p.rows[4].1[PICTURE] = p.rows[4].1[MASK].clone());
    check_whole("a picture of another size", &|p| {
        p.meta["width"] = 63.into();
    });
}

#[test]
fn counts_that_no_file_has_cost_no_memory() {
    let (path, whole) = file("counts");
    let index = index_of(&whole);
    // The head alone decides how much of an index is read: its own digest is right each time.
    let at = HEAD as u64;
    let sizes =
        [(at, u64::MAX), (u64::MAX, at), (at, u64::MAX - at + 1), (0, whole.len() as u64), (index as u64, 0)];
    for (start, length) in sizes {
        let mut bytes = whole.clone();
        bytes[16..24].copy_from_slice(&start.to_le_bytes());
        bytes[24..32].copy_from_slice(&length.to_le_bytes());
        let digest = Sha256::digest(&bytes[..64]);
        bytes[64..96].copy_from_slice(&digest);
        fs::write(&path, bytes).unwrap();
        refused(&path, DAMAGED, &format!("an index of {length} bytes at {start}"));
    }
    // An index that is longer than that of any avatar, in a file with a hole in it.
    let file = fs::File::create(&path).unwrap();
    let length = 64_u64 << 30;
    let mut head = whole[..HEAD].to_vec();
    head[16..24].copy_from_slice(&at.to_le_bytes());
    head[24..32].copy_from_slice(&length.to_le_bytes());
    let digest = Sha256::digest(&head[..64]);
    head[64..96].copy_from_slice(&digest);
    std::io::Write::write_all(&mut &file, &head).unwrap();
    if file.set_len(at + length).is_ok() {
        refused(&path, DAMAGED, "an index of 64 GiB");
    }
    let mut bytes = whole[..index].to_vec();
    seal(&mut bytes, &[&u32::MAX.to_le_bytes(), &whole[index + 4..]].concat());
    fs::write(&path, bytes).unwrap();
    refused(&path, DAMAGED, "a description longer than its index");
}

#[test]
fn damaged_pictures_under_sound_digests_never_panic() {
    let (_, whole) = file("pictures");
    let sound = Pieces::of(&whole);
    for part in [PICTURE, MASK] {
        for step in 0..400 {
            let mut pieces = sound.clone();
            let blob = &mut pieces.rows[step % 10].1[part];
            let at = step * 7919 % blob.len();
            blob[at] ^= 1 << (step % 8);
            if step % 3 == 0 {
                blob.truncate(step * 31 % blob.len() + 1);
            }
            // A picture may survive a flipped bit; what it may not do is take the process with it.
            let read = AvatarAsset::parse(pieces.file()).and_then(|asset| asset.verify(go_on));
            if let Err(error) = read {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            }
        }
    }
}

#[test]
fn damage_that_a_session_meets_is_its_error_and_nobody_elses() {
    for preload in [0, 1 << 30] {
        for part in [PICTURE, MASK, LATENT] {
            let (path, whole) = file("met");
            let mut at = HEAD;
            // Frame 2 of the file, some bytes into the part.
            let pieces = Pieces::of(&whole);
            let lengths =
                |row: usize, parts: usize| pieces.rows[row].1[..parts].iter().map(Vec::len).sum::<usize>();
            at += lengths(0, PARTS) + lengths(1, PARTS) + lengths(2, part) + 20;
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).unwrap();
            let mut options = AvatarOptions::default();
            options.preload_limit = preload;
            let speak = || -> musetalk_core::Result<u32> {
                let mut avatar = engine().open_avatar_with(&path, options.clone())?;
                avatar.push(&babble(1.0, 24_000, 3))?;
                avatar.finish()?;
                let mut frames = 0;
                while avatar.next_frame()?.is_some() {
                    frames += 1;
                }
                Ok(frames)
            };
            let error = speak().expect_err("frame 2 is damaged");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            let text = error.to_string();
            assert!(text.contains("frame 2") && text.contains(path.to_str().unwrap()), "{text}");
            // The engine goes on with others.
            fs::write(&path, &whole).unwrap();
            assert_eq!(speak().unwrap(), 25, "preload {preload}, part {part}");
        }
    }
}

#[test]
fn a_file_that_is_cut_short_while_it_is_open_is_an_error() {
    let (path, whole) = file("shrinking");
    let asset = AvatarAsset::open(&path).unwrap();
    asset.verify(go_on).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(whole.len() as u64 / 3).unwrap();
    let error = asset.verify(go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    // One that is replaced is still there for those who have it open.
    fs::write(&path, &whole).unwrap();
    let asset = AvatarAsset::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"another").unwrap();
    asset.verify(go_on).unwrap();
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
    let mut pieces = Pieces::of(&bytes);
    pieces.meta["image_size"] = 48.into();
    fs::write(&path, pieces.file()).unwrap();
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
