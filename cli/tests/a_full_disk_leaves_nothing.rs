//! A disk that fills while a video is written: an error that names the file and what to do, and nothing under its name.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::process::Command;

use support::{Folder, said};

/// Runs the command with a disk of `kilobytes` at `disk`, then lists what is left there. `None` where no disk can be
/// mounted: that takes a system that lets this user have namespaces of his own.
fn on_a_small_disk(kilobytes: u32, disk: &Path, args: &[&str]) -> Option<(i32, String, String)> {
    let script = r#"mount -t tmpfs -o size="$1"k tmpfs "$2" || exit 99
        disk=$2; shift 2; "$@"; code=$?; printf 'LEFT:'; ls -A "$disk"; exit $code"#;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh", &kilobytes.to_string()])
        .arg(disk)
        .arg(env!("CARGO_BIN_EXE_musetalk"))
        .args(args)
        .output();
    let Some(output) = output.ok().filter(|output| !said(output).contains("unshare:")) else {
        eprintln!("SKIPPED: this user may not mount a small disk");
        return None;
    };
    let code = output.status.code().unwrap();
    if code == 99 {
        eprintln!("SKIPPED: this user may not mount a small disk: {}", said(&output));
        return None;
    }
    let text = said(&output);
    let left = String::from_utf8_lossy(&output.stdout).split_once("LEFT:").unwrap().1.trim().to_owned();
    Some((code, text, left))
}

#[test]
fn a_render_ends_in_words_and_leaves_no_half_video() {
    musetalk_cli::setup::place_runtime(musetalk_cli::progress::Progress::Plain).unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/demo");
    let (pack, avatar) = (models.join("pack"), models.join("iris.avatar"));
    let voice = models.join("voice.wav");
    let folder = Folder::new();
    // An AVI of stills needs a multiple of this for the whole voice; a folder fills within some pictures.
    for name in ["talk.avi", "pictures/"] {
        let out = folder.join(name);
        let paths = [&pack, &avatar, &voice, &out].map(|path| path.to_str().unwrap().to_owned());
        let args =
            ["render", "--pack", &paths[0], "--avatar", &paths[1], "--audio", &paths[2], "--out", &paths[3]];
        let Some((code, text, left)) = on_a_small_disk(900, folder.path(), &args) else { return };
        assert_eq!(code, 1, "{text}");
        assert_eq!(left, "", "{name} left something behind: {text}");
        assert!(text.contains("No space left") && text.contains(name.trim_end_matches('/')), "{text}");
    }
}

#[test]
fn a_preparation_ends_in_words_and_leaves_no_half_avatar() {
    musetalk_cli::setup::place_runtime(musetalk_cli::progress::Progress::Plain).unwrap();
    let (folder, disk) = (Folder::new(), Folder::new());
    let (Some(pack), Some(still)) = (support::pack_with_faces(&folder), support::still()) else { return };
    let pictures = folder.join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for index in 0..12 {
        still.save(pictures.join(format!("{index}.png"))).unwrap();
    }
    let out = disk.join("me.avatar");
    let paths = [&pictures, &pack, &out].map(|path| path.to_str().unwrap());
    let args = ["avatar", "create", paths[0], "--pack", paths[1], "--out", paths[2]];
    let Some((code, text, left)) = on_a_small_disk(400, disk.path(), &args) else { return };
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("No space left") || text.contains("disk is full"), "{text}");
    // What was seen stays for the next try; there is no avatar, and no half of one.
    assert!(left.lines().all(|name| name.starts_with(".me.avatar.work")), "{left}");
}
