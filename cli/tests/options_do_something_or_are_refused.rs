//! No option of `avatar create` is taken and does nothing, and what can be refused is refused before the work.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Output;

use musetalk_core::{AvatarAsset, FrameRate, SourceFrame};
use serde_json::Value;
use support::{Folder, installed, musetalk, pack_with_faces, run, said, shared, still};

fn create(footage: &Path, pack: &Path, out: &Path, more: &[&str]) -> Output {
    let paths = [footage, pack, out].map(|path| path.to_str().unwrap());
    let mut args = vec!["avatar", "create", paths[0], "--pack", paths[1], "--out", paths[2]];
    args.extend(more);
    musetalk(&args).output().unwrap()
}

fn clip(folder: &Folder, frames: u32) -> Option<PathBuf> {
    let whole = shared("media/yongen.mp4")?;
    if !installed("ffmpeg") {
        return None;
    }
    let path = folder.join("me.mp4");
    let count = frames.to_string();
    let (whole, to) = (whole.to_str()?, path.to_str()?);
    run("ffmpeg", &["-v", "error", "-y", "-i", whole, "-frames:v", &count, "-an", to]);
    Some(path)
}

#[test]
fn what_would_do_nothing_is_refused() {
    let folder = Folder::new();
    let (Some(pack), Some(clip)) = (pack_with_faces(&folder), clip(&folder, 12)) else { return };
    let out = folder.join("me.avatar");
    let seen = folder.join("seen");
    std::fs::write(&seen, "a file").unwrap();
    let long = "n".repeat(257);
    let below = seen.join("below");
    for (more, code, words) in [
        (&["--mask", "neck"][..], 1, "neck"),
        (&["--fps", "30"], 1, "a video brings its own rate"),
        (&["--mask", "raw", "--cheek-width", "40"], 1, "--cheek-width"),
        (&["--name", &long], 2, "256 bytes"),
        (&["--name", ""], 2, "256 bytes"),
        (&["--report", seen.to_str().unwrap()], 1, "--report"),
        (&["--report", below.to_str().unwrap()], 1, "--report"),
    ] {
        let output = create(&clip, &pack, &out, more);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(code), "{more:?}: {text}");
        assert!(text.contains(words), "{more:?}: {text}");
        assert_eq!(folder.names(), ["faces.pack", "me.mp4", "seen"], "{more:?}");
    }
    // A sheet among the pictures would be footage the next time.
    let pictures = folder.join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    still().unwrap().save(pictures.join("1.png")).unwrap();
    let output = create(&pictures, &pack, &out, &["--report", pictures.to_str().unwrap()]);
    assert!(said(&output).contains("write elsewhere"), "{}", said(&output));
    // What a folder holds beside is named.
    std::fs::write(pictures.join("notes.txt"), "").unwrap();
    std::fs::write(pictures.join("2.bmp"), "").unwrap();
    let output = create(&pictures, &pack, &out, &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("2.bmp, notes.txt"), "{}", said(&output));
}

/// A small pack with a network that parses faces, which never learned to: its classes lie anywhere.
fn pack_that_parses(folder: &Folder) -> Option<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/fixtures");
    let checkpoint = folder.join("checkpoint");
    for (from, network) in ["unet", "vae", "whisper"]
        .map(|network| ("small", network))
        .into_iter()
        .chain([("faces", "face-parse-bisent")])
    {
        let to = checkpoint.join(network);
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(fixtures.join(from).join(network)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    let (pack, out) = (folder.join("small.pack"), folder.join("parses.pack"));
    let go_on = |_: musetalk_models::Progress<'_>| std::ops::ControlFlow::Continue(());
    musetalk_models::PackBuilder::new(&checkpoint).build(&pack, go_on).unwrap();
    let (detector, landmarks) = (shared("face/ultraface-rfb-320.onnx")?, shared("face/pfld-68.onnx")?);
    musetalk_models::FaceAdder::new(&pack, detector, landmarks).add(Some(&out), |_| Ok(())).unwrap();
    Some(out)
}

#[test]
fn every_mask_is_made_as_it_is_asked_for() {
    let folder = Folder::new();
    let (Some(light), Some(still)) = (pack_with_faces(&folder), still()) else { return };
    let Some(parses) = pack_that_parses(&folder) else { return };
    let picture = folder.join("me.png");
    still.save(&picture).unwrap();
    let mask = |pack: &Path, more: &[&str], from: &str| {
        let out = folder.join("me.avatar");
        let output = create(&picture, pack, &out, &[more, &["--json"]].concat());
        assert!(output.status.success(), "{more:?}: {}", said(&output));
        let done: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(done["masks_from"], from, "{more:?}");
        AvatarAsset::open(&out).unwrap().mask(0).unwrap()
    };
    // Of landmarks: jaw is the default, and landmarks another name for it where there is no parser.
    let of_landmarks = |more: &[&str]| mask(&light, more, "landmarks");
    let jaw = of_landmarks(&[]);
    assert!(jaw == of_landmarks(&["--mask", "jaw", "--cheek-width", "90"]));
    assert!(jaw == of_landmarks(&["--mask", "landmarks"]));
    let (raw, narrow) = (of_landmarks(&["--mask", "raw"]), of_landmarks(&["--cheek-width", "20,30"]));
    assert!(jaw != raw && jaw != narrow && raw != narrow);
    // Of a parser: the neck comes to what the face is; landmarks pass it by.
    let (raw, neck) =
        (mask(&parses, &["--mask", "raw"], "parser"), mask(&parses, &["--mask", "neck"], "parser"));
    assert!(neck.iter().zip(&raw).all(|(neck, raw)| neck >= raw));
    assert!(mask(&parses, &["--mask", "landmarks"], "landmarks") == jaw);
}

#[test]
fn a_wrong_screen_is_said_at_once_and_no_work_is_kept() {
    let folder = Folder::new();
    let (Some(pack), Some(clip)) = (pack_with_faces(&folder), clip(&folder, 30)) else { return };
    let output = create(&clip, &pack, &folder.join("me.avatar"), &["--key", "green"]);
    let text = said(&output);
    assert!(text.contains("no green screen"), "{text}");
    assert!(!text.contains("looking: 30"), "not looked at first: {text}");
    assert_eq!(folder.names(), ["faces.pack", "me.mp4"]);
}

#[test]
fn frames_of_a_range_keep_the_numbers_of_the_footage() {
    let folder = Folder::new();
    let (Some(pack), Some(clip)) = (pack_with_faces(&folder), clip(&folder, 50)) else { return };
    let (out, seen) = (folder.join("me.avatar"), folder.join("seen"));
    let more = ["--range", "0.4..1.2", "--json", "--report", seen.to_str().unwrap()];
    let output = create(&clip, &pack, &out, &more);
    assert!(output.status.success(), "{}", said(&output));
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (first, end) = (done["used"][0].as_u64().unwrap(), done["used"][1].as_u64().unwrap());
    assert!(first >= 10 && end <= 30 && end > first, "{done}");
    let note = format!("frames are used: {first} to {}", end - 1);
    assert!(done["notes"][0].as_str().unwrap().contains(&note), "{done}");
    let report: Value = serde_json::from_slice(&std::fs::read(seen.join("report.json")).unwrap()).unwrap();
    for frame in report["each"].as_array().unwrap() {
        let number = frame["frame"].as_u64().unwrap();
        assert_eq!(frame["used"], (first..end).contains(&number), "{frame}");
    }
}

#[test]
fn going_into_a_video_gives_the_frames_that_reading_all_of_it_gives() {
    let folder = Folder::new();
    let Some(clip) = clip(&folder, 100) else { return };
    let remade = |name: &str, options: &[&str]| {
        let path = folder.join(name);
        let args =
            [&["-v", "error", "-y", "-i", clip.to_str().unwrap(), "-an"], options, &[path.to_str().unwrap()]];
        run("ffmpeg", &args.concat());
        path
    };
    let uneven = "setpts=if(lt(N\\,20)\\,N/50\\,0.4+(N-20)/12.5)/TB";
    let videos = [
        clip.clone(),
        remade("uneven.mkv", &["-vf", uneven, "-fps_mode", "vfr"]),
        remade("ntsc.mp4", &["-r", "30000/1001"]),
        // Containers that cannot be gone into.
        remade("stream.ts", &["-c", "copy"]),
    ];
    let rate = FrameRate::new(25, 1).unwrap();
    for video in videos {
        let mut source = musetalk_cli::footage::open(&video, rate, rate).unwrap();
        let (mut frames, mut frame) = (Vec::new(), SourceFrame::default());
        source.rewind().unwrap();
        while source.next_frame(&mut frame).unwrap() {
            frames.push(frame.rgb.clone());
        }
        assert!(frames.len() >= 90, "{}", video.display());
        for first in [1, 7, 33, 80] {
            source.rewind().unwrap();
            assert!(source.skip(first as u64).unwrap());
            for expected in &frames[first..(first + 4)] {
                assert!(source.next_frame(&mut frame).unwrap());
                assert!(frame.rgb == *expected, "{} from {first}", video.display());
            }
        }
        source.rewind().unwrap();
        let there = source.skip(frames.len() as u64 + 5).unwrap() && source.next_frame(&mut frame).unwrap();
        assert!(!there, "{} has no such frame", video.display());
    }
}

/// A refusal leaves nothing that only a further try could use, and a stranger's link is no place to write to.
#[test]
#[cfg(unix)]
fn work_is_not_left_by_a_refusal_nor_written_through_a_link() {
    let folder = Folder::new();
    let (Some(pack), Some(clip)) = (pack_with_faces(&folder), clip(&folder, 12)) else { return };
    let out = folder.join("me.avatar");
    let bars = folder.join("bars.mp4");
    let bars = bars.to_str().unwrap();
    run(
        "ffmpeg",
        &["-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-frames:v", "12", bars],
    );
    let output = create(Path::new(bars), &pack, &out, &[]);
    assert!(said(&output).contains("no face"), "{}", said(&output));
    assert_eq!(folder.names(), ["bars.mp4", "faces.pack", "me.avatar.refused.png", "me.mp4"]);

    let victim = folder.join("victim");
    std::fs::write(&victim, "precious").unwrap();
    for name in [".me.avatar.work", ".me.avatar.work-latents"] {
        let planted = folder.join(name);
        std::os::unix::fs::symlink(&victim, &planted).unwrap();
        let output = create(&clip, &pack, &out, &[]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(name) && text.contains("remove it or write elsewhere"), "{text}");
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        assert!(!out.exists());
        std::fs::remove_file(&planted).unwrap();
    }
}
