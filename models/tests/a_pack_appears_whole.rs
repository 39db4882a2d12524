//! A pack appears under its name complete or not at all, and never over something else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use musetalk_models::{ErrorKind, PackBuilder};
use serde_json::Value;
use sha2::{Digest, Sha256};
use support::{Folder, build, go_on, tiny};

#[test]
fn every_file_is_listed_with_its_size_and_digest() {
    let folder = Folder::new();
    let pack = folder.join("tiny.pack");
    let built = build(&tiny(&folder), &pack).unwrap();
    assert_eq!(folder.names(), ["checkpoint", "tiny.pack"]);
    let manifest: Value = serde_json::from_slice(&std::fs::read(pack.join("pack.json")).unwrap()).unwrap();
    assert_eq!(manifest["format"], 1);
    let mut total = std::fs::metadata(pack.join("pack.json")).unwrap().len();
    for (name, entry) in manifest["files"].as_object().unwrap() {
        let bytes = std::fs::read(pack.join(name)).unwrap();
        assert_eq!(entry["bytes"], bytes.len());
        let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(entry["sha256"], digest);
        total += bytes.len() as u64;
    }
    assert_eq!(built.bytes, total);
    assert_eq!(std::fs::read_dir(&pack).unwrap().count(), manifest["files"].as_object().unwrap().len() + 1);
    for network in ["audio_encoder", "generator", "decoder", "encoder"] {
        assert!(manifest["files"][manifest["networks"][network]["file"].as_str().unwrap()].is_object());
    }
    assert_eq!(manifest["audio"]["groups"], serde_json::json!([1, 1, 1, 2]));
    assert_eq!(manifest["weights"].as_array().unwrap().len(), 3);
}

#[test]
fn cancelling_at_any_moment_leaves_nothing() {
    let folder = Folder::new();
    let checkpoint = tiny(&folder);
    let mut reports = 0;
    PackBuilder::new(&checkpoint)
        .build(folder.join("counted.pack"), |progress| {
            assert!(progress.done <= progress.total);
            reports += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    for last in [1, 2, reports / 2, reports - 1, reports] {
        let mut seen = 0;
        let result = PackBuilder::new(&checkpoint).build(folder.join("cancelled.pack"), |_| {
            seen += 1;
            if seen == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(folder.names(), ["checkpoint", "counted.pack"]);
    }
}

#[test]
fn a_pack_is_replaced_only_when_asked() {
    let folder = Folder::new();
    let (checkpoint, pack) = (tiny(&folder), folder.join("tiny.pack"));
    build(&checkpoint, &pack).unwrap();
    assert_eq!(build(&checkpoint, &pack).unwrap_err().kind(), ErrorKind::InvalidInput);
    let again = PackBuilder::new(&checkpoint).name("second").replace(true).build(&pack, go_on).unwrap();
    let manifest = std::fs::read_to_string(again.folder.join("pack.json")).unwrap();
    assert!(manifest.contains("\"name\": \"second\""));
    assert_eq!(folder.names(), ["checkpoint", "tiny.pack"]);
}

#[test]
fn a_failed_replacement_keeps_the_old_pack() {
    let folder = Folder::new();
    let (checkpoint, pack) = (tiny(&folder), folder.join("tiny.pack"));
    build(&checkpoint, &pack).unwrap();
    let before = std::fs::read(pack.join("pack.json")).unwrap();
    std::fs::remove_file(checkpoint.join("vae/config.json")).unwrap();
    PackBuilder::new(&checkpoint).replace(true).build(&pack, go_on).unwrap_err();
    assert_eq!(std::fs::read(pack.join("pack.json")).unwrap(), before);
    assert_eq!(folder.names(), ["checkpoint", "tiny.pack"]);
}

#[test]
fn a_folder_that_is_no_pack_is_never_touched() {
    let folder = Folder::new();
    let checkpoint = tiny(&folder);
    for out in ["checkpoint", "checkpoint/origin.json"] {
        let error = PackBuilder::new(&checkpoint).replace(true).build(folder.join(out), go_on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    std::fs::create_dir(folder.join("empty")).unwrap();
    build(&checkpoint, &folder.join("empty")).unwrap();
    assert!(folder.join("empty/pack.json").is_file());
}

#[test]
fn what_a_killed_build_left_goes_with_the_next_one_and_what_is_being_built_stays() {
    let folder = Folder::new();
    let checkpoint = tiny(&folder);
    let abandoned = folder.join(".tiny.pack.partial-1-0");
    std::fs::create_dir_all(&abandoned).unwrap();
    std::fs::write(abandoned.join(".being-filled"), "").unwrap();
    let busy = folder.join(".tiny.pack.partial-1-1");
    std::fs::create_dir_all(&busy).unwrap();
    let lock = std::fs::File::create(busy.join(".being-filled")).unwrap();
    lock.lock().unwrap();
    build(&checkpoint, &folder.join("tiny.pack")).unwrap();
    assert_eq!(folder.names(), [".tiny.pack.partial-1-1", "checkpoint", "tiny.pack"]);
    assert!(!folder.join("tiny.pack").join(".being-filled").exists());
}

#[test]
fn a_folder_without_a_lock_goes_once_it_is_old() {
    let folder = Folder::new();
    let checkpoint = tiny(&folder);
    for (name, minutes) in [("1-0", 20), ("1-1", 2), ("mine", 20)] {
        let path = folder.join(&format!(".tiny.pack.partial-{name}"));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("generator.onnx"), "half of it").unwrap();
        let then = SystemTime::now() - Duration::from_secs(60 * minutes);
        std::fs::File::open(&path).unwrap().set_modified(then).unwrap();
    }
    build(&checkpoint, &folder.join("tiny.pack")).unwrap();
    let left = [".tiny.pack.partial-1-1", ".tiny.pack.partial-mine", "checkpoint", "tiny.pack"];
    assert_eq!(folder.names(), left);
}

#[test]
fn a_pack_that_a_killed_build_put_aside_comes_back() {
    let folder = Folder::new();
    let (checkpoint, pack) = (tiny(&folder), folder.join("tiny.pack"));
    build(&checkpoint, &pack).unwrap();
    let aside = folder.join(".tiny.pack.replaced-1-0");
    std::fs::rename(&pack, &aside).unwrap();
    let error = build(&checkpoint, &pack).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(folder.names(), ["checkpoint", "tiny.pack"]);
    assert!(pack.join("pack.json").is_file());
    // Killed a moment later: the new pack is there, and the old one only takes up space.
    std::fs::create_dir(&aside).unwrap();
    std::fs::write(aside.join("pack.json"), "old").unwrap();
    PackBuilder::new(&checkpoint).replace(true).build(&pack, go_on).unwrap();
    assert_eq!(folder.names(), ["checkpoint", "tiny.pack"]);
}

#[test]
fn a_pack_that_was_put_aside_never_goes_while_it_is_the_only_one() {
    let folder = Folder::new();
    let (checkpoint, pack) = (tiny(&folder), folder.join("tiny.pack"));
    let aside = folder.join(".tiny.pack.replaced-1-0");
    build(&checkpoint, &aside).unwrap();
    std::fs::create_dir(&pack).unwrap();
    std::fs::write(pack.join("something"), "else").unwrap();
    build(&checkpoint, &pack).unwrap_err();
    assert!(aside.join("pack.json").is_file());
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_to_the_folder_that_it_names() {
    let folder = Folder::new();
    let (checkpoint, link) = (tiny(&folder), folder.join("link"));
    std::os::unix::fs::symlink(folder.join("real.pack"), &link).unwrap();
    let mut reports = 0;
    let error = PackBuilder::new(&checkpoint)
        .build(&link, |progress| {
            reports += 1;
            go_on(progress)
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains("leads nowhere") && reports == 0, "{error}");
    build(&checkpoint, &folder.join("real.pack")).unwrap();
    for out in ["link", "link/"] {
        PackBuilder::new(&checkpoint).name("again").replace(true).build(folder.join(out), go_on).unwrap();
        assert!(link.is_symlink());
        let manifest = std::fs::read_to_string(folder.join("real.pack/pack.json")).unwrap();
        assert!(manifest.contains("\"name\": \"again\""));
    }
    assert_eq!(folder.names(), ["checkpoint", "link", "real.pack"]);
}
