//! An avatar for one pack becomes one for another without touching its pictures, and the folder that MuseTalk's script left becomes an
//! avatar without executing anything.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use musetalk_cli::args::Args;
use musetalk_core::{AvatarAsset, Device, Engine, ErrorKind, Result};
use musetalk_tests::{babble, engine, scratch, tiny_pack, write_clips};

fn run(words: &[&str]) -> Result<()> {
    musetalk_tests::runtime();
    musetalk_cli::run(Args::try_parse_from([&["musetalk", "avatar"], words].concat()).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An engine of another tiny pack, whose encoder makes other latents; and its folder.
fn another() -> (PathBuf, Engine) {
    let folder = scratch("rebuild-pack");
    musetalk_models::tiny::write_checkpoint(folder.join("checkpoint"), 8).unwrap();
    musetalk_models::PackBuilder::new(folder.join("checkpoint"))
        .build(folder.join("pack"), |_: musetalk_models::Progress<'_>| ControlFlow::Continue(()))
        .unwrap();
    let pack = folder.join("pack");
    musetalk_tests::runtime();
    let engine = Engine::builder(&pack).device(Device::Cpu).threads(1).build().unwrap();
    (pack, engine)
}

#[test]
fn rebuilt_for_another_pack_and_back_it_is_the_same() {
    let folder = scratch("rebuild");
    let first = write_clips(&folder, &[("idle", 4), ("listening", 3)], true, true);
    let (pack, other) = another();
    let error = other.open_avatar(&first).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert!(error.to_string().contains("musetalk avatar rebuild"), "{error}");
    let (second, third) = (folder.join("second.avatar"), folder.join("third.avatar"));
    run(&["rebuild", text(&first), "--pack", text(&pack), "--out", text(&second), "--device", "cpu"])
        .unwrap();
    let mut avatar = other.open_avatar(&second).unwrap();
    avatar.push(&babble(0.4, 24_000, 1)).unwrap();
    avatar.finish().unwrap();
    assert!(avatar.next_frame().unwrap().is_some());
    let (a, b) = (AvatarAsset::open(&first).unwrap(), AvatarAsset::open(&second).unwrap());
    b.verify(|_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!((a.clips(), a.has_alpha(), b.has_closed_mouths()), (b.clips(), b.has_alpha(), true));
    assert_ne!(a.encoder_identity(), b.encoder_identity());
    for position in 0..14 {
        assert!(a.base_frame(position).unwrap() == b.base_frame(position).unwrap());
        assert!(a.mask(position).unwrap() == b.mask(position).unwrap());
        assert_eq!(a.face_box(position), b.face_box(position));
    }
    run(&["rebuild", text(&second), "--pack", text(tiny_pack()), "--out", text(&third), "--device", "cpu"])
        .unwrap();
    assert!(fs::read(&first).unwrap() == fs::read(&third).unwrap(), "there and back, bit for bit");
    // Rebuilt without closed mouths it is smaller; over itself it is replaced whole.
    run(&[
        "rebuild",
        text(&third),
        "--pack",
        text(tiny_pack()),
        "--out",
        text(&third),
        "--idle",
        "footage",
        "--device",
        "cpu",
    ])
    .unwrap();
    assert!(!AvatarAsset::open(&third).unwrap().has_closed_mouths());
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing else is left: {names:?}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn official() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/fixtures/official")
}

#[test]
fn the_folder_of_the_real_time_script_becomes_an_avatar() {
    let folder = scratch("import");
    let mut files = Vec::new();
    // The protocols that Python has written since 3.0, and before.
    for protocol in [".p2", ".p3", "", ".p5"] {
        let from = folder.join(format!("official{protocol}"));
        copy(&official(), &from);
        for name in ["coords", "mask_coords"] {
            fs::copy(official().join(format!("{name}{protocol}.pkl")), from.join(format!("{name}.pkl")))
                .unwrap();
        }
        let out = folder.join(format!("out{protocol}.avatar"));
        let (pack, name) = (text(tiny_pack()), "small");
        run(&["import", text(&from), "--pack", pack, "--out", text(&out), "--name", name, "--device", "cpu"])
            .unwrap();
        files.push(fs::read(&out).unwrap());
    }
    assert!(files.iter().all(|file| *file == files[0]));
    let path = folder.join("out.avatar");
    let asset = AvatarAsset::open(&path).unwrap();
    assert_eq!(
        (asset.name(), asset.frames(), asset.width()),
        ("small", 3, 64),
        "back and forth is kept once"
    );
    for frame in 0..3 {
        let face = asset.face_box(frame);
        let left = 16 + frame as i32;
        assert_eq!([face.x1, face.y1, face.x2, face.y2], [left, 12, left + 32, 54]);
        let png = official().join(format!("mask/{frame:08}.png"));
        assert!(asset.mask(frame).unwrap() == image::open(png).unwrap().into_luma8().into_raw());
        let png = image::open(official().join(format!("full_imgs/{frame:08}.png"))).unwrap().into_rgb8();
        let shown = asset.base_frame(frame).unwrap().into_owned();
        let worst = png.iter().zip(&shown).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst < 40, "{worst}");
    }
    let mut avatar = engine().open_avatar(&path).unwrap();
    avatar.push(&babble(0.4, 24_000, 1)).unwrap();
    avatar.finish().unwrap();
    assert!(avatar.next_frame().unwrap().is_some());
}

#[test]
fn frames_without_a_face_leave_the_cycle_and_are_named() {
    let folder = scratch("import-faceless");
    let from = folder.join("official");
    copy(&official().with_file_name("official_faceless"), &from);
    let read = musetalk_models::OfficialAvatar::read(&from).unwrap();
    assert_eq!((read.frames.len(), &read.faceless, read.mirrored), (3, &vec![1, 3], true));
    assert_eq!(read.ignored, ["full_imgs/notes.txt"]);
    let import = |name: &str| {
        let out = folder.join(name);
        let pack = text(tiny_pack());
        run(&["import", text(&from), "--pack", pack, "--out", text(&out), "--name", "x", "--device", "cpu"])
            .unwrap();
        fs::read(&out).unwrap()
    };
    let all = import("all.avatar");
    let asset = AvatarAsset::open(folder.join("all.avatar")).unwrap();
    assert_eq!(asset.frames(), 3);
    for (frame, place) in [0, 2, 4].into_iter().enumerate() {
        let face = asset.face_box(frame as u32);
        assert_eq!([face.x1, face.y1, face.x2, face.y2], [16 + place, 12, 48 + place, 54]);
    }
    // Scripts that give such frames no mask at all.
    for frame in [1, 3, 6, 8] {
        fs::remove_file(from.join(format!("mask/{frame:08}.png"))).unwrap();
    }
    assert!(import("fewer.avatar") == all);
    // Nobody in any frame: `[(0.0, 0.0, 0.0, 0.0)]` for every one.
    let nobody = from.join("coords.pkl");
    let zero = b"G\0\0\0\0\0\0\0\0".repeat(4);
    let tuple = [b"(", &zero[..], b"t"].concat();
    fs::write(&nobody, [b"\x80\x02](", &tuple.repeat(10)[..], b"e."].concat()).unwrap();
    fs::write(from.join("mask_coords.pkl"), fs::read(&nobody).unwrap()).unwrap();
    for place in 0..10 {
        image::GrayImage::new(1, 1).save(from.join(format!("mask/{place:08}.png"))).unwrap();
    }
    let error = musetalk_models::OfficialAvatar::read(&from).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains("none of the 5 frames shows a face"), "{error}");
}

#[test]
fn folders_that_cannot_be_imported_are_refused_and_nothing_is_written() {
    let folder = scratch("import-bad");
    let refused = |what: &str, kinds: &[ErrorKind], words: &str, change: &dyn Fn(&Path)| {
        let from = folder.join(what);
        copy(&official(), &from);
        change(&from);
        let out = folder.join("out.avatar");
        let pack = text(tiny_pack());
        let error = run(&["import", text(&from), "--pack", pack, "--out", text(&out), "--device", "cpu"])
            .unwrap_err();
        assert!(kinds.contains(&error.kind()), "{what}: {:?} {error}", error.kind());
        assert!(error.to_string().contains(words), "{what}: {error}");
        assert!(!out.exists(), "{what}");
    };
    use ErrorKind::{Corrupt, Incompatible, InvalidInput, NotFound, Unsupported};
    refused("no-boxes", &[NotFound], "coords.pkl", &|at| fs::remove_file(at.join("coords.pkl")).unwrap());
    refused("no-frames", &[NotFound], "full_imgs", &|at| fs::remove_dir_all(at.join("full_imgs")).unwrap());
    refused("a-mask-less", &[InvalidInput], "5 masks", &|at| {
        fs::remove_file(at.join("mask/00000002.png")).unwrap()
    });
    refused("no-picture", &[Corrupt], "00000001.png", &|at| {
        fs::write(at.join("full_imgs/00000001.png"), "x").unwrap()
    });
    refused("other-size", &[Corrupt], "00000001.png", &|at| {
        fs::copy(at.join("mask/00000000.png"), at.join("mask/x.png")).unwrap();
        image::RgbImage::new(60, 64).save(at.join("full_imgs/00000001.png")).unwrap();
    });
    refused("other-crop", &[Corrupt], "mask", &|at| {
        image::GrayImage::new(9, 9).save(at.join("mask/00000001.png")).unwrap()
    });
    refused("a-box-of-text", &[Corrupt], "box 0", &|at| {
        fs::write(at.join("coords.pkl"), b"\x80\x02]X\x01\0\0\0aa.").unwrap()
    });
    // os.system, by every way a pickle has of calling something.
    let calls: [&[u8]; 3] = [
        b"cos\nsystem\n(X\x04\0\0\0truetR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"\x80\x02c__builtin__\neval\nX\x01\0\0\x001\x85R.",
    ];
    for (at, call) in calls.into_iter().enumerate() {
        let words = "nothing was executed";
        refused(&format!("code-{at}"), &[Unsupported], words, &|at| {
            fs::write(at.join("coords.pkl"), call).unwrap()
        });
    }
    // Every byte of a pickle changed, and every length: refused or read, never worse.
    let sound = fs::read(official().join("coords.pkl")).unwrap();
    let at = folder.join("fuzzed");
    copy(&official(), &at);
    for place in 0..sound.len() {
        for flip in [0x01, 0x40, 0xff] {
            let mut bytes = sound.clone();
            bytes[place] ^= flip;
            fs::write(at.join("coords.pkl"), bytes).unwrap();
            if let Err(error) = musetalk_models::OfficialAvatar::read(&at) {
                assert!(
                    [Corrupt, Unsupported, InvalidInput, Incompatible].contains(&error.kind()),
                    "{error}"
                );
            }
        }
        fs::write(at.join("coords.pkl"), &sound[..place]).unwrap();
        let error = musetalk_models::OfficialAvatar::read(&at).unwrap_err();
        assert_eq!(error.kind(), Corrupt, "{place} bytes: {error}");
    }
}

#[test]
fn inspecting_says_what_there_is_and_draws_it() {
    let folder = scratch("inspect");
    let path = write_clips(&folder, &[("idle", 4), ("listening", 3)], true, true);
    let sheet = folder.join("sheet.png");
    run(&["inspect", text(&path), "--verify", "--sheet", text(&sheet), "--json"]).unwrap();
    let drawn = image::open(&sheet).unwrap();
    assert!(drawn.width() > 1_000 && drawn.height() > 400);
    let error = run(&["inspect", text(&path), "--sheet", text(&path)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5_000] ^= 1;
    fs::write(&path, bytes).unwrap();
    run(&["inspect", text(&path)]).unwrap();
    assert_eq!(run(&["inspect", text(&path), "--verify"]).unwrap_err().kind(), ErrorKind::Corrupt);
}
