//! Whatever is given as footage: a correct avatar, or an error in words and no half file under the final name.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Output;

use musetalk_core::AvatarAsset;
use serde_json::Value;
use support::{Folder, installed, musetalk, pack_with_faces, run, said, shared, still};

struct Studio {
    folder: Folder,
    pack: PathBuf,
    clip: PathBuf,
}

impl Studio {
    fn new() -> Option<Self> {
        let folder = Folder::new();
        let pack = pack_with_faces(&folder)?;
        let clip = shared("media/yongen.mp4")?;
        installed("ffmpeg").then_some(Self { folder, pack, clip })
    }

    /// The clip with one face, remade.
    fn remade(&self, name: &str, options: &[&str]) -> PathBuf {
        let path = self.folder.join(name);
        let mut args = vec!["-v", "error", "-y", "-i", self.clip.to_str().unwrap(), "-an"];
        args.extend(options);
        args.push(path.to_str().unwrap());
        run("ffmpeg", &args);
        path
    }

    fn out(&self) -> PathBuf {
        self.folder.join("me.avatar")
    }

    fn create(&self, footage: &Path, more: &[&str]) -> Output {
        let out = self.out();
        let paths = [footage, &self.pack, &out].map(|path| path.to_str().unwrap());
        let mut args = vec!["avatar", "create", paths[0], "--pack", paths[1], "--out", paths[2], "--json"];
        args.extend(more);
        musetalk(&args).output().unwrap()
    }

    fn made(&self, footage: &Path, more: &[&str]) -> (Value, AvatarAsset) {
        let output = self.create(footage, more);
        assert!(output.status.success(), "{}", said(&output));
        (serde_json::from_slice(&output.stdout).unwrap(), AvatarAsset::open(self.out()).unwrap())
    }

    /// What is said; there is no avatar.
    fn refused(&self, footage: &Path) -> String {
        let output = self.create(footage, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(!self.out().exists(), "an avatar was left behind");
        said(&output)
    }
}

#[test]
fn what_is_no_footage_is_refused_in_words() {
    let Some(studio) = Studio::new() else { return };
    let text = studio.folder.join("notes.mp4");
    std::fs::write(&text, "dear diary").unwrap();
    assert!(studio.refused(&text).contains("cannot be read as a video"), "{}", studio.refused(&text));
    let empty = studio.folder.join("empty.mp4");
    std::fs::write(&empty, "").unwrap();
    assert!(studio.refused(&empty).contains("empty file"));
    assert!(studio.refused(&studio.folder.join("nothing.mp4")).contains("nothing.mp4"));
    let folder = studio.folder.join("pictures");
    std::fs::create_dir(&folder).unwrap();
    assert!(studio.refused(&folder).contains("no picture"));
    std::fs::write(folder.join("1.png"), b"\x89PNG\r\n\x1a\nrubbish").unwrap();
    assert!(studio.refused(&folder).contains("1.png"));
    // Sound, and no picture in it.
    let sound = shared("media/eng.wav").unwrap();
    assert!(studio.refused(&sound).contains("cannot be read as a video"));
}

#[test]
fn a_video_of_no_frames_or_without_a_face_is_refused_with_a_picture() {
    let Some(studio) = Studio::new() else { return };
    let none = studio.remade("none.mkv", &["-frames:v", "0"]);
    let said = studio.refused(&none);
    assert!(said.contains("no frame") || said.contains("cannot be read as a video"), "{said}");
    let path = studio.folder.join("bars.mp4");
    run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=320x240:rate=25",
            "-frames:v",
            "20",
            path.to_str().unwrap(),
        ],
    );
    let said = studio.refused(&path);
    assert!(said.contains("no face in 20 of 20 frames") && said.contains("me.avatar.refused.png"), "{said}");
    let picture = image::open(studio.folder.join("me.avatar.refused.png")).unwrap();
    assert!(picture.width() > 600);
}

#[test]
fn uneven_time_and_rotation_are_put_right() {
    let Some(studio) = Studio::new() else { return };
    // 50 a second for a while, then 12.5.
    let uneven = "setpts=if(lt(N\\,20)\\,N/50\\,0.4+(N-20)/12.5)/TB";
    let path = studio.remade("uneven.mkv", &["-vf", uneven, "-fps_mode", "vfr", "-frames:v", "40"]);
    let times = run(
        "ffprobe",
        &["-v", "error", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path.to_str().unwrap()],
    );
    let last =
        String::from_utf8(times).unwrap().lines().last().unwrap().trim_matches(',').parse::<f64>().unwrap();
    let (done, _) = studio.made(&path, &[]);
    let frames = done["frames"].as_u64().unwrap();
    assert!(frames.abs_diff((last * 25.0) as u64 + 1) <= 1, "{frames} frames up to {last} s");

    let plain = studio.remade("plain.mp4", &["-frames:v", "12", "-vf", "transpose=1"]);
    let path = studio.folder.join("rotated.mp4");
    let paths = [&plain, &path].map(|path| path.to_str().unwrap());
    // Older versions of ffmpeg turn clockwise and by a word, newer ones the other way and by an option.
    let newer = ["-v", "error", "-y", "-display_rotation", "90", "-i", paths[0], "-c", "copy", paths[1]];
    if !std::process::Command::new("ffmpeg").args(newer).status().unwrap().success() {
        run(
            "ffmpeg",
            &["-v", "error", "-y", "-i", paths[0], "-c", "copy", "-metadata:s:v:0", "rotate=90", paths[1]],
        );
    }
    let (_, asset) = studio.made(&path, &[]);
    assert_eq!((asset.width(), asset.height()), (704, 1216));
    assert!((200..250).contains(&asset.face_box(0).x1), "{:?}", asset.face_box(0));
}

#[test]
fn pixels_become_square() {
    let Some(studio) = Studio::new() else { return };
    // The same face, its columns or rows kept at three quarters: pixels of 4:3, and of 3:4.
    for (scale, ratio, size) in [("528:1216", "4/3", (704, 1216)), ("704:912", "3/4", (704, 1216))] {
        let filter = format!("scale={scale},setsar={ratio}");
        let path = studio.remade("wide.mp4", &["-vf", &filter, "-frames:v", "12"]);
        let (_, asset) = studio.made(&path, &[]);
        assert_eq!((asset.width(), asset.height()), size, "{ratio}");
        let face = asset.face_box(0);
        assert!((200..250).contains(&face.x1) && face.width() > 150, "{ratio}: {face:?}");
    }
}

#[test]
fn odd_sizes_and_a_face_at_the_border_work() {
    let Some(studio) = Studio::new() else { return };
    let path = studio.remade("odd.mkv", &["-vf", "scale=353:609", "-c:v", "ffv1", "-frames:v", "12"]);
    let (_, asset) = studio.made(&path, &[]);
    assert_eq!((asset.width(), asset.height()), (353, 609));
    // The side of the face touches the left border.
    let path =
        studio.remade("border.mkv", &["-vf", "crop=470:700:224:100", "-c:v", "ffv1", "-frames:v", "12"]);
    let (done, asset) = studio.made(&path, &[]);
    assert_eq!(done["counts"]["ok"], 12, "{done}");
    assert!((-8..8).contains(&asset.face_box(0).x1), "{:?}", asset.face_box(0));
    // Half of it is outside.
    let path =
        studio.remade("leaving.mkv", &["-vf", "crop=360:700:300:100", "-c:v", "ffv1", "-frames:v", "12"]);
    std::fs::remove_file(studio.out()).unwrap();
    let said = studio.refused(&path);
    assert!(said.contains("leaving") || said.contains("no face"), "{said}");
}

#[test]
fn footage_out_of_focus_throughout_is_named_and_short_footage_is_used() {
    let Some(studio) = Studio::new() else { return };
    // The face is 244 pixels wide: a fortieth of that.
    let path = studio.remade("soft.mkv", &["-vf", "gblur=sigma=6.1:steps=3", "-frames:v", "12"]);
    let said = studio.refused(&path);
    assert!(said.contains("blurred in 12 of 12 frames") && said.contains("focus"), "{said}");
    // Ten frames, with one of them black in the end, and one frame alone.
    let path = studio.remade("ten.mkv", &["-frames:v", "10"]);
    let (done, _) = studio.made(&path, &[]);
    assert!(done["frames"].as_u64().unwrap() >= 8, "{done}");
    let black = "drawbox=color=black:t=fill:enable=eq(n\\,9)";
    let path = studio.remade("nine.mkv", &["-vf", black, "-frames:v", "10"]);
    let (done, _) = studio.made(&path, &[]);
    assert!(done["frames"].as_u64().unwrap() >= 7, "{done}");
    let path = studio.remade("one.mkv", &["-frames:v", "1"]);
    let (done, _) = studio.made(&path, &[]);
    assert_eq!(done["frames"], 1, "{done}");
}

#[test]
fn two_people_small_faces_and_cuts_are_named() {
    let Some(studio) = Studio::new() else { return };
    let twice = "split[a][b];[a][b]hstack";
    let path = studio.remade("two.mkv", &["-vf", twice, "-c:v", "ffv1", "-frames:v", "12"]);
    let said = studio.refused(&path);
    assert!(said.contains("two people in 12 of 12 frames") && said.contains("be alone"), "{said}");
    // A face 24 pixels wide, for a pack whose picture has 128.
    let path = studio.remade("small.mkv", &["-vf", "scale=70:-2", "-c:v", "ffv1", "-frames:v", "12"]);
    let said = studio.refused(&path);
    assert!(said.contains("too small in 12 of 12 frames") && said.contains("come closer"), "{said}");
    // Another picture for five frames: the first of it and the first after it begin shots, and nothing leads across.
    let bars = "testsrc=size=704x1216:rate=25[c];[0:v][c]overlay=enable=between(n\\,15\\,19):shortest=1";
    let path = studio.remade("cut.mkv", &["-filter_complex", bars, "-c:v", "ffv1", "-frames:v", "32"]);
    let (done, _) = studio.made(&path, &[]);
    assert_eq!((&done["counts"]["cut"], &done["counts"]["no face"]), (&2.into(), &4.into()), "{done}");
    let (from, to) = (done["used"][0].as_u64().unwrap(), done["used"][1].as_u64().unwrap());
    assert!(to <= 15 && to - from >= 12, "{done}");
}

#[test]
fn a_covered_face_is_bridged_for_a_moment_and_ends_the_stretch_for_longer() {
    let Some(studio) = Studio::new() else { return };
    let covered = |name: &str, last: u32| {
        let board =
            format!("drawbox=x=190:y=230:w=320:h=330:color=gray:t=fill:enable=between(n\\,12\\,{last})");
        studio.remade(name, &["-vf", &board, "-c:v", "ffv1", "-frames:v", "30"])
    };
    let (done, _) = studio.made(&covered("moment.mkv", 14), &[]);
    assert_eq!((&done["counts"]["interpolated"], &done["counts"]["ok"]), (&3.into(), &27.into()), "{done}");
    assert!(done["used"][1].as_u64().unwrap() - done["used"][0].as_u64().unwrap() >= 24, "{done}");
    let (done, _) = studio.made(&covered("longer.mkv", 19), &[]);
    assert_eq!(done["counts"]["no face"], 8, "{done}");
    assert!(done["used"][1].as_u64().unwrap() <= 12, "{done}");
}

#[test]
fn more_footage_than_an_avatar_holds_is_refused_before_it_is_looked_at() {
    let Some(studio) = Studio::new() else { return };
    let path = studio.folder.join("hours.mp4");
    let source = "color=gray:size=64x64:rate=25";
    let path_text = path.to_str().unwrap();
    run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            source,
            "-frames:v",
            "15100",
            "-preset",
            "ultrafast",
            path_text,
        ],
    );
    let said = studio.refused(&path);
    assert!(
        said.contains("15000 frames") && said.contains("--range") && said.contains("--max-frames"),
        "{said}"
    );
}

#[test]
fn very_large_frames_work_and_larger_ones_are_refused() {
    let Some(studio) = Studio::new() else { return };
    let path = studio.remade(
        "8k.avi",
        &["-vf", "scale=7680:4320,setsar=1", "-c:v", "mjpeg", "-q:v", "3", "-frames:v", "2"],
    );
    let (_, asset) = studio.made(&path, &[]);
    assert_eq!((asset.width(), asset.height()), (7680, 4320));
    std::fs::remove_file(studio.out()).unwrap();
    let path =
        studio.remade("larger.avi", &["-vf", "scale=9000:200,setsar=1", "-c:v", "mjpeg", "-frames:v", "1"]);
    assert!(studio.refused(&path).contains("9000×200"));
}

/// A disk that failed, or a battery that died.
#[test]
fn a_video_that_was_cut_short_is_used_as_far_as_it_goes_and_that_is_said() {
    let Some(studio) = Studio::new() else { return };
    let whole =
        studio.remade("whole.mp4", &["-frames:v", "60", "-movflags", "faststart", "-preset", "ultrafast"]);
    let cut = studio.folder.join("cut.mp4");
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let out = studio.out();
    let paths = [&cut, &studio.pack, &out].map(|path| path.to_str().unwrap());
    let output =
        musetalk(&["avatar", "create", paths[0], "--pack", paths[1], "--out", paths[2]]).output().unwrap();
    let text = said(&output);
    if output.status.success() {
        assert!(text.contains("the footage states 60 frames and has"), "{text}");
        assert!((10..60).contains(&AvatarAsset::open(&out).unwrap().frames()), "{text}");
    } else {
        // Some versions of ffmpeg end with an error.
        assert!(text.contains("cut.mp4") && !out.exists(), "{text}");
    }
}

#[test]
fn one_picture_is_an_avatar() {
    let Some(studio) = Studio::new() else { return };
    let path = studio.folder.join("me.jpg");
    still().unwrap().save(&path).unwrap();
    let (done, asset) = studio.made(&path, &[]);
    assert_eq!((done["frames"].as_u64(), asset.frames()), (Some(1), 1));
}

/// Runs to its end and gives the most memory it had, in megabytes, and what it said.
#[cfg(target_os = "linux")]
fn watched(mut command: std::process::Command) -> (f64, Output) {
    let child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let watch = std::thread::spawn(move || {
        let mut most = 0.0_f64;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find(|line| line.starts_with("VmHWM:"));
            let Some(kilobytes) = line.and_then(|line| line.split_whitespace().nth(1)) else { break };
            most = most.max(kilobytes.parse::<f64>().unwrap() / 1e3);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        most
    });
    let output = child.wait_with_output().unwrap();
    (watch.join().unwrap(), output)
}

#[test]
#[cfg(target_os = "linux")]
fn two_thousand_frames_need_no_more_memory_than_a_hundred() {
    let Some(studio) = Studio::new() else { return };
    let path = studio.folder.join("long.mp4");
    let clip = studio.clip.to_str().unwrap();
    let there_and_back = "[0:v]scale=176:304,split[a][b];[b]reverse[c];[a][c]concat";
    run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-i",
            clip,
            "-filter_complex",
            there_and_back,
            "-an",
            studio.folder.join("loop.mp4").to_str().unwrap(),
        ],
    );
    run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-stream_loop",
            "3",
            "-i",
            studio.folder.join("loop.mp4").to_str().unwrap(),
            "-frames:v",
            "2000",
            "-c",
            "copy",
            path.to_str().unwrap(),
        ],
    );
    let out = studio.out();
    let paths = [&path, &studio.pack, &out].map(|path| path.to_str().unwrap());
    let args = ["avatar", "create", paths[0], "--pack", paths[1], "--out", paths[2], "--json"];
    let (few, output) = watched(musetalk(&[&args[..], &["--max-frames", "100"]].concat()));
    assert!(output.status.success(), "{}", said(&output));
    let (many, output) = watched(musetalk(&args));
    assert!(output.status.success(), "{}", said(&output));
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["frames"], 2000, "{done}");
    println!("{few:.0} MB with 100 frames, {many:.0} MB with 2000");
    // Two kilobytes of what was seen of each, in a few copies; a frame of this size has 160.
    assert!(many < few + 40.0, "{few:.0} MB with 100 frames, {many:.0} MB with 2000");
}

#[test]
fn output_never_replaces_the_footage() {
    let folder = Folder::new();
    let picture = folder.join("me.png");
    image::RgbImage::new(64, 64).save(&picture).unwrap();
    let before = std::fs::read(&picture).unwrap();
    for footage in [picture.as_path(), picture.parent().unwrap()] {
        let output = musetalk(&[
            "avatar",
            "create",
            footage.to_str().unwrap(),
            "--pack",
            "nowhere",
            "--out",
            picture.to_str().unwrap(),
        ])
        .output()
        .unwrap();
        assert!(!output.status.success());
        assert!(said(&output).contains("write elsewhere"), "{}", said(&output));
    }
    assert_eq!(std::fs::read(&picture).unwrap(), before);
}
