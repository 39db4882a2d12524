//! Footage of a person becomes an avatar that speaks; what is decided is told, and an interruption costs nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use musetalk_core::AvatarAsset;
use serde_json::Value;
use support::{Folder, installed, musetalk, pack_with_faces, run, said, shared, still};

fn create(footage: &Path, pack: &Path, out: &Path, more: &[&str]) -> Output {
    let paths = [footage, pack, out].map(|path| path.to_str().unwrap());
    let mut args = vec!["avatar", "create", paths[0], "--pack", paths[1], "--out", paths[2], "--json"];
    args.extend(more);
    musetalk(&args).output().unwrap()
}

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The clip with one face, cut short.
fn clip(folder: &Folder, name: &str, frames: u32, options: &[&str]) -> Option<std::path::PathBuf> {
    let whole = shared("media/yongen.mp4")?;
    if !installed("ffmpeg") {
        return None;
    }
    let path = folder.join(name);
    let count = frames.to_string();
    let mut args = vec!["-v", "error", "-y", "-i", whole.to_str()?, "-frames:v", &count, "-an"];
    args.extend(options);
    args.push(path.to_str()?);
    run("ffmpeg", &args);
    Some(path)
}

#[test]
fn a_clip_becomes_an_avatar_that_speaks_and_the_report_says_what_was_decided() {
    let folder = Folder::new();
    let (Some(pack), Some(clip)) = (pack_with_faces(&folder), clip(&folder, "me.mp4", 60, &[])) else {
        return;
    };
    let (out, seen) = (folder.join("me.avatar"), folder.join("seen"));
    let done = told(&create(&clip, &pack, &out, &["--report", seen.to_str().unwrap()]));
    assert_eq!(done["frames"], 60);
    let used = done["used"][1].as_u64().unwrap() - done["used"][0].as_u64().unwrap();
    assert!(used >= 45, "{done}");
    // The lips of this clip are parted a little, and do not move.
    assert_eq!((&done["idle"], &done["masks_from"]), (&"footage".into(), &"landmarks".into()));

    let asset = AvatarAsset::open(&out).unwrap();
    assert_eq!(u64::from(asset.frames()), used);
    assert_eq!((asset.width(), asset.height(), asset.name()), (704, 1216, "me"));
    // Where a person sees the face, and as large.
    let face = asset.face_box(0);
    assert!((200..250).contains(&face.x1) && (440..500).contains(&face.x2), "{face:?}");
    assert!((500..560).contains(&face.y2), "{face:?}");

    let report: Value = serde_json::from_slice(&std::fs::read(seen.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["each"].as_array().unwrap().len(), 60);
    assert!(report["each"].as_array().unwrap().iter().all(|frame| frame["verdict"] == "ok"), "{report}");
    let sheet = image::open(seen.join("sheet.png")).unwrap();
    assert!(sheet.width() > 1_000 && sheet.height() > 1_000);
    // Nothing but what was asked for.
    assert_eq!(folder.names(), ["faces.pack", "me.avatar", "me.mp4", "seen"]);

    let (talk, voice) = (folder.join("talk"), folder.join("voice.wav"));
    run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            shared("media/eng.wav").unwrap().to_str().unwrap(),
            "-t",
            "1",
            voice.to_str().unwrap(),
        ],
    );
    let paths = [&pack, &out, &voice, &talk].map(|path| path.to_str().unwrap());
    let spoken = musetalk(&[
        "render", "--pack", paths[0], "--avatar", paths[1], "--audio", paths[2], "--out", paths[3],
    ])
    .output()
    .unwrap();
    assert!(spoken.status.success(), "{}", said(&spoken));
    assert!(std::fs::read_dir(&talk).unwrap().count() >= 25);
}

/// A face that the demonstration pack made speak, as footage.
#[test]
fn somebody_who_spoke_gets_closed_mouths_and_somebody_silent_keeps_the_footage() {
    let folder = Folder::new();
    let Some(pack) = pack_with_faces(&folder) else { return };
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/demo");
    let (voice, silence) = (demo.join("voice.wav"), folder.join("silence.wav"));
    support::write_wav(&silence, 16_000, &vec![0; 32_000]);
    for (name, audio, idle) in [("spoke", &voice, "closed"), ("silent", &silence, "footage")] {
        let talk = folder.join(name);
        let (speaker, avatar) = (demo.join("pack"), demo.join("iris.avatar"));
        let paths = [&speaker, &avatar, audio, &talk].map(|path| path.to_str().unwrap());
        let args =
            ["render", "--pack", paths[0], "--avatar", paths[1], "--audio", paths[2], "--out", paths[3]];
        let rendered = musetalk(&args).output().unwrap();
        assert!(rendered.status.success(), "{}", said(&rendered));
        let done = told(&create(&talk, &pack, &folder.join("me.avatar"), &["--max-frames", "75"]));
        println!("{name}: {}", done["mouth"]);
        assert_eq!(done["idle"], idle, "{name}: {}", done["mouth"]);
        // Neither is decided by a hair.
        let open = done["mouth"]["open"].as_f64().unwrap();
        assert!(if idle == "closed" { open > 0.2 } else { open == 0.0 }, "{name}: {open}");
    }
}

#[test]
fn options_choose_the_part_the_mask_and_the_silence() {
    let folder = Folder::new();
    let (Some(pack), Some(clip)) = (pack_with_faces(&folder), clip(&folder, "me.mp4", 50, &[])) else {
        return;
    };
    let out = folder.join("me.avatar");
    let done = told(&create(
        &clip,
        &pack,
        &out,
        &["--range", "0.4..1.2", "--idle", "closed", "--extra-margin", "0"],
    ));
    assert_eq!(
        (&done["frames"], &done["first_frame"], &done["idle"]),
        (&20.into(), &10.into(), &"closed".into())
    );
    let plain = AvatarAsset::open(&out).unwrap().face_box(0);
    told(&create(&clip, &pack, &out, &["--range", "0.4..1.2", "--extra-margin", "20", "--max-frames", "15"]));
    let asset = AvatarAsset::open(&out).unwrap();
    assert!((asset.face_box(0).y2 - plain.y2 - 20).abs() <= 1, "{:?} {plain:?}", asset.face_box(0));
    assert!(asset.frames() <= 15);
    // Twice as far up as the line goes down.
    told(&create(&clip, &pack, &out, &["--range", "0.4..1.2", "--extra-margin", "0", "--bbox-shift", "6"]));
    let shifted = AvatarAsset::open(&out).unwrap().face_box(0);
    assert!((shifted.y1 - plain.y1 - 12).abs() <= 1, "{shifted:?} {plain:?}");

    let refused = create(&clip, &pack, &out, &["--reference"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("S3FD, DWPose and BiSeNet"), "{}", said(&refused));
    let refused =
        create(&clip, &Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/demo/pack"), &out, &[]);
    assert!(said(&refused).contains("musetalk pack add-face"), "{}", said(&refused));
}

#[test]
fn pictures_with_alpha_and_a_green_screen_become_transparent_avatars() {
    let folder = Folder::new();
    let (Some(pack), Some(still)) = (pack_with_faces(&folder), still()) else { return };
    let pictures = folder.join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for name in ["1.png", "2.png", "10.png"] {
        let rgba = image::RgbaImage::from_fn(480, 640, |x, y| {
            let image::Rgb([r, g, b]) = *still.get_pixel(x + 90, y + 80);
            image::Rgba([r, g, b, if y < 20 { 0 } else { 255 }])
        });
        rgba.save(pictures.join(name)).unwrap();
    }
    let out = folder.join("me.avatar");
    let done = told(&create(&pictures, &pack, &out, &[]));
    assert_eq!((&done["frames"], &done["used"]), (&3.into(), &serde_json::json!([0, 3])));
    // Pictures carry the matte on, videos have none; who judges sees a board behind it.
    let voice = folder.join("voice.wav");
    support::write_wav(&voice, 16_000, &vec![0; 1_600]);
    let render = |name: &str| {
        let talk = folder.join(name);
        let paths = [&pack, &out, &voice, &talk].map(|path| path.to_str().unwrap());
        let args =
            ["render", "--pack", paths[0], "--avatar", paths[1], "--audio", paths[2], "--out", paths[3]];
        let spoken = musetalk(&args).output().unwrap();
        assert!(spoken.status.success(), "{}", said(&spoken));
        talk
    };
    let picture = image::open(render("talk").join("00000001.png")).unwrap();
    assert_eq!(picture.color(), image::ColorType::Rgba8);
    let picture = picture.into_rgba8();
    assert_eq!((picture.get_pixel(240, 5).0[3], picture.get_pixel(240, 300).0[3]), (0, 255));
    let video = image::load_from_memory(&run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            render("talk.avi").to_str().unwrap(),
            "-frames:v",
            "1",
            "-f",
            "image2pipe",
            "-c:v",
            "png",
            "-",
        ],
    ));
    assert_eq!((video.unwrap().width(), picture.width()), (480, 480));
    let sheet = folder.join("sheet.png");
    let sheet_of = ["avatar", "inspect", out.to_str().unwrap(), "--sheet", sheet.to_str().unwrap()];
    assert!(musetalk(&sheet_of).output().unwrap().status.success());
    let sheet = image::open(&sheet).unwrap().into_rgb8();
    let squares = |value: u8| sheet.pixels().filter(|pixel| pixel.0 == [value; 3]).count();
    assert!(squares(102) > 30 && squares(153) > 30, "{} and {}", squares(102), squares(153));
    // Pictures made at twice the rate: every second one.
    assert_eq!(told(&create(&pictures, &pack, &out, &["--fps", "50"]))["frames"], 2);

    // The person before a green wall: the grey one of the still, exchanged.
    let green = image::RgbImage::from_fn(480, 640, |x, y| {
        let pixel = *still.get_pixel(x + 90, y + 80);
        let edge = x < 60 || y < 25;
        if edge { image::Rgb([38, 196, 64]) } else { pixel }
    });
    let picture = folder.join("green.png");
    green.save(&picture).unwrap();
    told(&create(&picture, &pack, &out, &["--key", "green"]));
    let refused = create(&pictures, &pack, &out, &["--key", "blue"]);
    assert!(said(&refused).contains("no blue screen"), "{}", said(&refused));
}

#[test]
#[cfg(unix)]
fn an_interrupted_preparation_leaves_no_avatar_and_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let (Some(pack), Some(clip)) = (pack_with_faces(&folder), clip(&folder, "me.mp4", 120, &[])) else {
        return;
    };
    let (out, whole) = (folder.join("me.avatar"), folder.join("whole.avatar"));
    let expected = told(&create(&clip, &pack, &whole, &["--name", "me"]));

    let paths = [&clip, &pack, &out].map(|path| path.to_str().unwrap());
    let args = ["avatar", "create", paths[0], "--pack", paths[1], "--out", paths[2], "--json"];
    let work = folder.join(".me.avatar.work");
    let lines = || std::fs::read_to_string(&work).map_or(0, |text| text.lines().count());
    let child = musetalk(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while lines() < 30 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    run("kill", &["-INT", &child.id().to_string()]);
    let stopped = child.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(1), "{}", said(&stopped));
    assert!(said(&stopped).contains("goes on where this one stopped"), "{}", said(&stopped));
    assert!(!out.exists() && lines() >= 30);
    // A crash may cut the last line short.
    let text = std::fs::read(&work).unwrap();
    std::fs::write(&work, &text[..text.len() - 40]).unwrap();

    let done = told(&musetalk(&args).output().unwrap());
    assert_eq!((&done["used"], &done["counts"]), (&expected["used"], &expected["counts"]));
    assert_eq!(folder.names(), ["faces.pack", "me.avatar", "me.mp4", "whole.avatar"]);
    let (a, b) = (AvatarAsset::open(&out).unwrap(), AvatarAsset::open(&whole).unwrap());
    for frame in 0..a.frames() {
        let (a, b) = (a.face_box(frame), b.face_box(frame));
        let off = [a.x1 - b.x1, a.y1 - b.y1, a.x2 - b.x2, a.y2 - b.y2];
        // Numbers go through decimals on their way through the file.
        assert!(off.iter().all(|off| off.abs() <= 1), "frame {frame}: {a:?} {b:?}");
    }
}
