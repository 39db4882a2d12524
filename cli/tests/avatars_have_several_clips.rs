//! One person in several clips: prepared by one command, told apart in reports, asked for by a session.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use musetalk_core::{
    AvatarAsset, ClipFootage, Device, Engine, ErrorKind, FrameSource, PrepareOptions, PrepareStep, Preparer,
    Preparing,
};
use serde_json::Value;
use support::{Folder, installed, musetalk, pack_with_faces, run, said, shared, still, wait_for, write_wav};

struct Studio {
    folder: Folder,
    pack: PathBuf,
    rest: PathBuf,
    nods: PathBuf,
}

impl Studio {
    /// Two parts of the clip with one face.
    fn new() -> Option<Self> {
        let folder = Folder::new();
        let (pack, whole) = (pack_with_faces(&folder)?, shared("media/yongen.mp4")?);
        if !installed("ffmpeg") {
            return None;
        }
        let part = |name: &str, from: &str, frames: &str| {
            let path = folder.join(name);
            let (whole, to) = (whole.to_str().unwrap(), path.to_str().unwrap());
            run("ffmpeg", &["-v", "error", "-ss", from, "-i", whole, "-an", "-frames:v", frames, to]);
            path
        };
        let (rest, nods) = (part("rest.mp4", "0", "30"), part("nods.mp4", "4", "24"));
        Some(Self { folder, pack, rest, nods })
    }

    fn out(&self) -> PathBuf {
        self.folder.join("me.avatar")
    }

    fn args(&self, clips: &[(&str, &Path)], more: &[&str]) -> Vec<String> {
        let paths = [&self.rest, &self.pack, &self.out()].map(|path| path.to_str().unwrap().to_owned());
        let [rest, pack, out] = paths;
        let mut args =
            ["avatar", "create", &rest, "--pack", &pack, "--out", &out].map(str::to_owned).to_vec();
        for (name, footage) in clips {
            args.extend(["--clip".to_owned(), format!("{name}={}", footage.display())]);
        }
        args.extend(more.iter().map(ToString::to_string));
        args
    }

    fn create(&self, clips: &[(&str, &Path)], more: &[&str]) -> Output {
        let args = self.args(clips, more);
        musetalk(&args.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap()
    }
}

#[test]
fn two_clips_are_prepared_told_apart_and_asked_for() {
    let Some(studio) = Studio::new() else { return };
    let seen = studio.folder.join("seen");
    let output =
        studio.create(&[("listening", &studio.nods)], &["--json", "--report", seen.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> =
        done["clips"].as_array().unwrap().iter().map(|clip| clip["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["idle", "listening"]);
    assert_eq!((&done["clips"][0]["frames"], &done["clips"][1]["frames"]), (&30.into(), &24.into()));

    let mut files: Vec<String> = std::fs::read_dir(&seen)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, ["report-listening.json", "report.json", "sheet-listening.png", "sheet.png"]);
    let told: Value =
        serde_json::from_slice(&std::fs::read(seen.join("report-listening.json")).unwrap()).unwrap();
    assert_eq!(told["each"].as_array().unwrap().len(), 24);
    assert!(image::open(seen.join("sheet-listening.png")).unwrap().width() > 1_000);
    assert_eq!(studio.folder.names(), ["faces.pack", "me.avatar", "nods.mp4", "rest.mp4", "seen"]);

    // What the file says of itself.
    let out = studio.out();
    let inspected = musetalk(&["avatar", "inspect", out.to_str().unwrap(), "--json"]).output().unwrap();
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    let clips = inspected["clips"].as_array().unwrap();
    let used = |clip: &Value| clip["used"][1].as_u64().unwrap() - clip["used"][0].as_u64().unwrap();
    for (clip, told) in clips.iter().zip(done["clips"].as_array().unwrap()) {
        assert_eq!((&clip["name"], clip["frames"].as_u64().unwrap()), (&told["name"], used(told)));
    }
    assert_eq!(clips.len(), 2);

    // A session that asks for it gets it at the next turn of the footage, and not before.
    let engine = Engine::builder(&studio.pack).device(Device::Cpu).build().unwrap();
    let mut avatar = engine.open_avatar(&out).unwrap();
    let first = avatar.asset().clips()[0].frames() as usize;
    let mut shown = vec![avatar.paced().unwrap().clip()];
    avatar.director().request_clip("listening").unwrap();
    shown.extend((1..2 * first).map(|_| avatar.paced().unwrap().clip()));
    assert_eq!(shown.iter().position(|&clip| clip == 1), Some(first), "{shown:?}");

    // Built again for a pack it keeps both.
    let again = studio.folder.join("again.avatar");
    let paths = [&out, &studio.pack, &again].map(|path| path.to_str().unwrap());
    let rebuilt =
        musetalk(&["avatar", "rebuild", paths[0], "--pack", paths[1], "--out", paths[2]]).output().unwrap();
    assert!(rebuilt.status.success(), "{}", said(&rebuilt));
    let (a, b) = (AvatarAsset::open(&out).unwrap(), AvatarAsset::open(&again).unwrap());
    assert_eq!(a.clips(), b.clips());

    // And one that speaks in it begins there.
    let voice = studio.folder.join("voice.wav");
    write_wav(&voice, 16_000, &vec![0; 3_200]);
    let rendered = |more: &[&str], name: &str| {
        let talk = studio.folder.join(name);
        let paths = [&studio.pack, &out, &voice, &talk].map(|path| path.to_str().unwrap());
        let args =
            ["render", "--pack", paths[0], "--avatar", paths[1], "--audio", paths[2], "--out", paths[3]];
        let output = musetalk(&[&args[..], more].concat()).output().unwrap();
        (output.status.success(), said(&output), talk)
    };
    let (_, text, talk) = rendered(&["--clip", "listening"], "listening");
    let last = image::open(talk.join("00000004.png")).unwrap_or_else(|e| panic!("{e}: {text}")).into_rgb8();
    let base = |clip: usize| {
        let position = a.clips()[clip].positions().start + 4;
        a.base_frame(position).unwrap().into_owned()
    };
    let difference = |a: &[u8], b: &[u8]| {
        a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>() as f64 / a.len() as f64
    };
    let (own, other) = (difference(&last, &base(1)), difference(&last, &base(0)));
    assert!(own < 0.5 * other, "{own} from the clip asked for, {other} from the first");
    let (success, text, _) = rendered(&["--clip", "dancing"], "dancing");
    assert!(!success && text.contains("dancing") && text.contains("listening"), "{text}");
}

#[test]
fn clips_that_cannot_be_are_refused_before_the_work() {
    let Some(studio) = Studio::new() else { return };
    let refused = |clips: &[(&str, &Path)], code: i32, words: &[&str]| {
        let output = studio.create(clips, &[]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(code), "{text}");
        words.iter().for_each(|word| assert!(text.contains(word), "{word}: {text}"));
        assert!(!studio.out().exists());
    };
    refused(&[("idle", &studio.nods)], 1, &["two clips are named idle", "the first footage"]);
    refused(&[("a", &studio.nods), ("a", &studio.rest)], 1, &["two clips are named a"]);
    refused(&[("a/b", &studio.nods)], 2, &["NAME=FOOTAGE"]);
    refused(&[("", &studio.nods)], 2, &["NAME=FOOTAGE"]);
    refused(&[("a", &studio.folder.join("nothing.mp4"))], 1, &["nothing.mp4"]);
    refused(&[("a", &studio.out())], 1, &["me.avatar"]);
    let small = studio.folder.join("small.png");
    image::RgbImage::new(64, 64).save(&small).unwrap();
    refused(&[("small", &small)], 1, &["\"small\"", "64×64", "704×1216"]);
    // Nobody in the second: named, drawn, and no work is kept.
    let empty = studio.folder.join("empty.png");
    image::RgbImage::new(704, 1216).save(&empty).unwrap();
    refused(&[("empty", &empty)], 1, &["clip \"empty\"", "no face", "me.avatar.refused.png"]);
    let names = studio.folder.names();
    assert!(names.iter().all(|name| !name.contains("work") && !name.contains("part")), "{names:?}");
}

#[test]
#[cfg(unix)]
fn an_interruption_in_the_second_clip_goes_on_there() {
    let Some(studio) = Studio::new() else { return };
    let clips: [(&str, &Path); 1] = [("listening", &studio.nods)];
    let args = studio.args(&clips, &["--json"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let work = studio.folder.join(".me.avatar.work-1");
    let lines = || std::fs::read_to_string(&work).map_or(0, |text| text.lines().count());
    let child = musetalk(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(|| lines() >= 8);
    run("kill", &["-INT", &child.id().to_string()]);
    let stopped = child.wait_with_output().unwrap();
    assert!(said(&stopped).contains("goes on where this one stopped"), "{}", said(&stopped));
    assert!(!studio.out().exists() && lines() >= 8);
    // Without --json: a line of each reading says what was known.
    let output = studio.create(&clips, &[]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    let known: u64 = text
        .split("1 of 2, looking: 54 frames, ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("{text}"));
    assert!((37..=54).contains(&known), "{text}");
    assert_eq!(studio.folder.names(), ["faces.pack", "me.avatar", "nods.mp4", "rest.mp4"]);
}

/// Pictures from memory.
struct Still {
    rgb: Vec<u8>,
    size: (u32, u32),
    /// How many frames it claims, and how many it has.
    claimed: Option<u64>,
    frames: u64,
    next: u64,
}

impl FrameSource for Still {
    fn width(&self) -> u32 {
        self.size.0
    }

    fn height(&self) -> u32 {
        self.size.1
    }

    fn frames(&self) -> Option<u64> {
        self.claimed
    }

    fn rewind(&mut self) -> musetalk_core::Result<()> {
        self.next = 0;
        Ok(())
    }

    fn next_frame(&mut self, frame: &mut musetalk_core::SourceFrame) -> musetalk_core::Result<bool> {
        self.next += 1;
        frame.rgb.clone_from(&self.rgb);
        Ok(self.next <= self.frames)
    }
}

#[test]
fn progress_counts_the_frames_of_all_clips_and_is_full_at_the_end_only() {
    let folder = Folder::new();
    let (Some(pack), Some(still)) = (pack_with_faces(&folder), still()) else { return };
    let source = |claimed: Option<u64>, frames: u64| Still {
        rgb: still.as_raw().clone(),
        size: still.dimensions(),
        claimed,
        frames,
        next: 0,
    };
    // The second has less than it claims, as truncated videos do.
    let (mut a, mut b) = (source(Some(15), 15), source(Some(14), 12));
    let out = folder.join("me.avatar");
    let builder = Engine::builder(&pack).device(Device::Cpu);
    let preparer = Preparer::load(builder, PrepareOptions::default()).unwrap();
    let mut clips = [ClipFootage::new("idle", &mut a), ClipFootage::new("waving", &mut b)];
    let mut told: Vec<Preparing> = Vec::new();
    let mut listen = |at: Preparing| {
        told.push(at);
        ControlFlow::Continue(())
    };
    let analysis = preparer.analyse_clips(&mut clips, &mut listen).unwrap();
    assert!(analysis.refusal().is_none());
    let prepared = analysis.write_clips(&mut clips, &out, &mut listen).unwrap();
    assert_eq!((prepared.report.used.clone(), prepared.more[0].report.used.clone()), (0..15, 0..12));
    for (step, first_total) in [(PrepareStep::Looking, 29), (PrepareStep::Writing, 27)] {
        let of: Vec<&Preparing> = told.iter().filter(|at| at.step == step).collect();
        let done: Vec<u64> = of.iter().map(|at| at.done).collect();
        assert_eq!(done, (1..=27).collect::<Vec<u64>>(), "every frame once");
        assert_eq!(of[0].total, Some(first_total));
        let full = of.iter().position(|at| Some(at.done) >= at.total);
        assert!(full.is_none_or(|at| at == 26), "full at frame {full:?} of 27");
    }
    assert_eq!(AvatarAsset::open(&out).unwrap().frames(), 27);

    // The clips that are written are those that were looked at.
    let builder = Engine::builder(&pack).device(Device::Cpu);
    let preparer = Preparer::load(builder, PrepareOptions::default()).unwrap();
    let analysis = preparer.analyse_clips(&mut clips, |_| ControlFlow::Continue(())).unwrap();
    let other = folder.join("other.avatar");
    let error = analysis.write_clips(&mut clips[..1], &other, |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!other.exists());
}

#[test]
fn one_call_makes_an_avatar_of_frames_and_may_be_stopped_in_either_step() {
    let folder = Folder::new();
    let (Some(pack), Some(still)) = (pack_with_faces(&folder), still()) else { return };
    let (rgb, size) = (still.as_raw().clone(), still.dimensions());
    let mut frames = Still { rgb, size, claimed: None, frames: 12, next: 0 };
    let out = folder.join("me.avatar");
    let mut make = |stop: Option<(PrepareStep, u64)>| {
        let mut options = PrepareOptions::default();
        options.name = "somebody".to_owned();
        let pack = Engine::builder(&pack).device(Device::Cpu);
        AvatarAsset::from_frames(pack, &mut frames, options, &out, |at: Preparing| {
            if stop == Some((at.step, at.done)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    };
    for step in [PrepareStep::Looking, PrepareStep::Writing] {
        let error = make(Some((step, 7))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
        assert_eq!(folder.names(), ["faces.pack"], "{step:?}");
    }
    let made = make(None).unwrap();
    assert_eq!((made.report.used.clone(), made.report.frames.len()), (0..12, 12));
    assert!(image::load_from_memory(&made.sheet).unwrap().width() > 600);
    let asset = AvatarAsset::open(&out).unwrap();
    assert_eq!((asset.name(), asset.frames()), ("somebody", 12));
    asset.verify(|_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(folder.names(), ["faces.pack", "me.avatar"]);
}
