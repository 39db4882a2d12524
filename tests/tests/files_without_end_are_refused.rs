//! A pipe, a device or a file of many gigabytes in the place of a small file is refused at once, and named.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use musetalk_core::reference::Footage;
use musetalk_core::{AvatarParts, Device, Engine, Error, ErrorKind, ModelPack};
use musetalk_tests::{pack_at, runtime, scratch};

/// What lies where a file should.
fn intruders() -> [fn(&Path); 3] {
    [
        |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
        // Sparse: it takes no room on the disk, and all memory of whoever reads it.
        |path| fs::File::create(path).unwrap().set_len(20 << 30).unwrap(),
    ]
}

/// Puts each intruder in the place of the file; reading must fail, and not wait.
fn assert_refused(path: &Path, read: fn(&Path) -> Result<(), Error>, argument: &Path) {
    let aside = path.with_extension("aside");
    fs::rename(path, &aside).unwrap();
    for put in intruders() {
        put(path);
        let (tell, told) = mpsc::sync_channel(1);
        let argument: PathBuf = argument.to_owned();
        std::thread::spawn(move || tell.send(read(&argument)));
        let error = told.recv_timeout(Duration::from_secs(60)).expect("it waits").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        fs::remove_file(path).unwrap();
    }
    fs::rename(&aside, path).unwrap();
    read(argument).unwrap();
}

#[test]
fn in_a_pack() {
    runtime();
    let pack = pack_at(&scratch("endless-pack"), 25, 1);
    let open: fn(&Path) -> Result<(), Error> = |pack| ModelPack::open(pack).map(drop);
    assert_refused(&pack.join("pack.json"), open, &pack);
    assert_refused(&pack.join("self_test.json"), open, &pack);
    assert_refused(
        &pack.join("self_test.json"),
        |pack| {
            let builder = Engine::builder(pack).device(Device::Cpu).threads(1);
            builder.self_test(|_, _, _| ControlFlow::Continue(())).map(drop)
        },
        &pack,
    );
}

#[test]
fn in_the_parts_of_an_avatar() {
    let folder = scratch("endless-parts");
    for part in ["frames", "masks"] {
        fs::create_dir(folder.join(part)).unwrap();
    }
    image::RgbImage::new(48, 40).save(folder.join("frames/00000000.png")).unwrap();
    image::GrayImage::new(36, 36).save(folder.join("masks/00000000.png")).unwrap();
    fs::write(folder.join("boxes.json"), "[[10, 8, 34, 32]]").unwrap();
    let parts: fn(&Path) -> Result<(), Error> = |folder| AvatarParts::read(folder).map(drop);
    let footage: fn(&Path) -> Result<(), Error> = |folder| Footage::open(folder).map(drop);
    for file in ["boxes.json", "frames/00000000.png"] {
        assert_refused(&folder.join(file), parts, &folder);
        assert_refused(&folder.join(file), footage, &folder);
    }
    assert_refused(&folder.join("masks/00000000.png"), parts, &folder);
}
