//! `render --reference` equals the official script, as an oracle of PyTorch, OpenCV and Pillow renders it.
//!
//! `tests/parity/oracle.py` is the oracle, `tests/parity/make_reference_fixture.py` wrote what it made of a drawn person.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use clap::Parser as _;
use musetalk_cli::args::Args;
use musetalk_cli::audio_file::AudioFile;
use musetalk_core::reference::{Footage, Reference, ReferenceOptions};
use musetalk_core::{Device, EdgeBlur, Engine, EngineBuilder, Error, ErrorKind, FaceMask, FrameRate};
use musetalk_models::PackBuilder;

#[derive(serde::Deserialize)]
struct Fixture {
    checkpoint: PathBuf,
    cases: Vec<Case>,
}

#[derive(Debug, serde::Deserialize)]
struct Case {
    name: String,
    samples: usize,
    fps: f64,
    blur: String,
    mask: String,
    cheeks: (u16, u16),
    frames: usize,
    face_deviation: f64,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn folder() -> PathBuf {
    root().join("tests/fixtures/reference")
}

fn fixture() -> Fixture {
    serde_json::from_str(&std::fs::read_to_string(folder().join("cases.json")).unwrap()).unwrap()
}

fn pack() -> &'static Path {
    static PACK: OnceLock<PathBuf> = OnceLock::new();
    PACK.get_or_init(|| {
        musetalk_tests::runtime();
        let pack = musetalk_tests::scratch("reference-pack").join("pack");
        let progress = |_: musetalk_models::Progress<'_>| ControlFlow::Continue(());
        PackBuilder::new(root().join(fixture().checkpoint)).build(&pack, progress).unwrap();
        pack
    })
}

fn builder() -> EngineBuilder {
    Engine::builder(pack()).device(Device::Cpu).threads(1)
}

fn voice() -> Vec<f32> {
    let mut file = AudioFile::open(folder().join("voice.wav")).unwrap();
    let mut voice = Vec::new();
    while let Some(block) = file.next_block().unwrap() {
        voice.extend_from_slice(block);
    }
    voice
}

fn options(case: &Case) -> ReferenceOptions {
    let mut options = ReferenceOptions::default();
    options.fps = Some(FrameRate::new((case.fps * 1000.0) as u32, 1000).unwrap());
    options.blur = if case.blur == "realtime" { EdgeBlur::Realtime } else { EdgeBlur::Offline };
    options.mask = match case.mask.as_str() {
        "raw" => FaceMask::Raw,
        "neck" => FaceMask::Neck,
        _ => FaceMask::Jaw { left: case.cheeks.0, right: case.cheeks.1 },
    };
    options
}

fn all_frames(reference: &mut Reference, pcm: &[f32]) -> Vec<Vec<u8>> {
    let mut clip = reference.speak(pcm, 16_000).unwrap();
    let mut frames = Vec::new();
    while let Some(rgb) = clip.next_frame().unwrap() {
        frames.push(rgb.to_vec());
    }
    assert_eq!(frames.len() as u64, clip.frames());
    assert!(clip.next_frame().unwrap().is_none());
    frames
}

fn png(path: &Path) -> Vec<u8> {
    image::open(path).unwrap().into_rgb8().into_raw()
}

/// The frame of the footage that an output frame shows: forth and back.
fn source(index: usize, frames: usize) -> Vec<u8> {
    let at = index % (2 * frames);
    let at = if at < frames { at } else { 2 * frames - 1 - at };
    png(&folder().join(format!("frames/{at:08}.png")))
}

/// At least 99.9 % of the pixels that speech changed are within 1 of 255; nothing else changed.
fn check(case: &Case, frames: &[Vec<u8>]) {
    let sheet = png(&folder().join(format!("expected/{}.png", case.name)));
    assert_eq!(frames.len(), case.frames, "{case:?}");
    let (mut changed, mut near, mut equal) = (0_u64, 0_u64, 0_u64);
    for (index, (frame, difference)) in frames.iter().zip(sheet.chunks_exact(frames[0].len())).enumerate() {
        let source = source(index, 5);
        for ((pixel, source), difference) in
            frame.chunks_exact(3).zip(source.chunks_exact(3)).zip(difference.chunks_exact(3))
        {
            let expected: [u8; 3] = std::array::from_fn(|c| source[c].wrapping_add(difference[c]));
            let worst = (0..3).map(|c| pixel[c].abs_diff(expected[c])).max().unwrap();
            if difference == [0; 3] {
                assert!(worst <= 1, "frame {index} changed where the oracle's did not: {case:?}");
                continue;
            }
            changed += 1;
            near += u64::from(worst <= 1);
            equal += u64::from(worst == 0);
        }
    }
    println!("{}: of {changed} changed pixels {equal} are equal, {near} within 1", case.name);
    assert!(changed > 500 * frames.len() as u64, "the comparison is not of footage alone: {case:?}");
    assert!(near as f64 >= 0.999 * changed as f64, "{near} of {changed} pixels are within 1: {case:?}");
}

#[test]
fn frames_equal_the_oracle_s() {
    let voice = voice();
    for case in fixture().cases {
        assert!(case.face_deviation > 40.0, "the faces use the range of a byte");
        let footage = Footage::open(folder()).unwrap();
        let mut reference = Reference::load(builder(), footage, options(&case)).unwrap();
        check(&case, &all_frames(&mut reference, &voice[..case.samples]));
    }
}

#[test]
fn the_command_writes_the_same_frames_without_loss() {
    let case = &fixture().cases[0];
    let out = musetalk_tests::scratch("reference-out").join("frames");
    let (pack, parts, voice) = (pack(), folder(), folder().join("voice.wav"));
    let mut args: Vec<&std::ffi::OsStr> = Vec::new();
    for (name, path) in [
        ("--pack", pack),
        ("--avatar", &parts),
        ("--audio", &voice),
        ("--out", &out),
        ("--device", Path::new("cpu")),
    ] {
        args.extend([name.as_ref(), path.as_os_str()]);
    }
    let words = ["musetalk", "render", "--reference", "--json"].map(std::ffi::OsStr::new);
    musetalk_cli::run(Args::try_parse_from(words.into_iter().chain(args)).unwrap()).unwrap();
    let frames: Vec<_> = (0..case.frames).map(|index| png(&out.join(format!("{index:08}.png")))).collect();
    assert!(!out.join(format!("{:08}.png", case.frames)).exists());
    check(case, &frames);
}

#[test]
fn frame_counts_are_the_reference_s() {
    let footage = Footage::open(folder()).unwrap();
    let reference = Reference::load(builder(), footage, ReferenceOptions::default()).unwrap();
    for (samples, frames) in
        [(16_000, 25), (18_560, 28), (36_480, 56), (480_000, 750), (480_001, 750), (1_440_000, 2250)]
    {
        assert_eq!(reference.frames_for(samples), frames, "{samples} samples");
    }
}

#[test]
fn other_rates_are_resampled_to_the_reference_s_length() {
    let footage = Footage::open(folder()).unwrap();
    let mut reference = Reference::load(builder(), footage, ReferenceOptions::default()).unwrap();
    // ⌈3 × 44 100 · 16 000 / 44 100⌉ = 48 000.
    assert_eq!(reference.speak(&vec![0.1; 132_300], 44_100).unwrap().frames(), 75);
    assert_eq!(reference.speak(&vec![0.1; 24_000], 48_000).unwrap().frames(), 12);
}

#[test]
fn an_avatar_is_rendered_from_its_own_frames_and_masks() {
    let engine = musetalk_tests::engine();
    let asset = musetalk_tests::person(engine);
    let tiny = || Engine::builder(musetalk_tests::tiny_pack()).device(Device::Cpu).threads(1);
    let mut reference =
        Reference::load(tiny(), Arc::clone(&asset).into(), ReferenceOptions::default()).unwrap();
    let voice = musetalk_tests::babble(1.0, 16_000, 5);
    let frames = all_frames(&mut reference, &voice);
    assert_eq!(frames.len(), 25);
    let mut changed = 0;
    for (index, frame) in frames.iter().enumerate() {
        let (base, face) = (asset.base_frame(index as u32).unwrap(), asset.face_box(index as u32));
        for (at, (pixel, base)) in frame.chunks_exact(3).zip(base.chunks_exact(3)).enumerate() {
            let (x, y) = ((at % 64) as i32, (at / 64) as i32);
            let inside = (face.x1..face.x2).contains(&x) && (face.y1..face.y2).contains(&y);
            assert!(inside || pixel == base);
            changed += u32::from(pixel != base);
        }
    }
    assert!(changed > 5_000, "{changed}");

    // Latents of another pack's encoder are not this pack's.
    let error = Reference::load(builder(), asset.into(), ReferenceOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
}

/// A copy of the fixture's parts that a test may spoil.
fn parts(name: &str) -> PathBuf {
    let copy = musetalk_tests::scratch(name);
    for part in ["frames", "classes"] {
        std::fs::create_dir(copy.join(part)).unwrap();
        for entry in std::fs::read_dir(folder().join(part)).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, copy.join(part).join(from.file_name().unwrap())).unwrap();
        }
    }
    std::fs::copy(folder().join("boxes.json"), copy.join("boxes.json")).unwrap();
    copy
}

#[test]
fn a_frame_without_a_face_is_shown_as_it_is() {
    let parts = parts("reference-faceless");
    std::fs::write(
        parts.join("boxes.json"),
        "[[24, 18, 66, 68], [0, 0, 0, 0], [31, 22, 76, 74], [3, 2, 40, 47], [59, 44, 99, 95]]",
    )
    .unwrap();
    std::fs::remove_file(parts.join("classes/00000001.png")).unwrap();
    let mut reference =
        Reference::load(builder(), Footage::open(&parts).unwrap(), ReferenceOptions::default()).unwrap();
    let frames = all_frames(&mut reference, &voice());
    assert_eq!(frames.len(), 28);
    for (index, frame) in frames.iter().enumerate() {
        let faceless = [1, 8].contains(&(index % 10));
        assert_eq!(*frame == source(index, 5), faceless, "{index}");
    }
    // The frames with a face are what they are beside one without.
    let whole = Footage::open(folder()).unwrap();
    let mut reference = Reference::load(builder(), whole, ReferenceOptions::default()).unwrap();
    assert_eq!(all_frames(&mut reference, &voice())[2], frames[2]);

    std::fs::write(parts.join("boxes.json"), "[[0, 0, 0, 0]]").unwrap();
    let error = Footage::open(&parts).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("no frame shows a face"));
}

fn grey(path: &Path, side: u32, value: u8) {
    image::GrayImage::from_pixel(side, side, image::Luma([value])).save(path).unwrap();
}

#[test]
fn bad_parts_and_options_are_refused_in_words() {
    let open = |spoil: &dyn Fn(&Path)| -> Error {
        let parts = parts("reference-bad");
        spoil(&parts);
        let render = || -> musetalk_core::Result<()> {
            let footage = Footage::open(&parts)?;
            let mut reference = Reference::load(builder(), footage, ReferenceOptions::default())?;
            let mut clip = reference.speak(&[0.0; 6_400], 16_000)?;
            while clip.next_frame()?.is_some() {}
            Ok(())
        };
        render().unwrap_err()
    };
    let boxes =
        |text: &'static str| move |parts: &Path| std::fs::write(parts.join("boxes.json"), text).unwrap();
    type Spoil = Box<dyn Fn(&Path)>;
    let cases: Vec<(ErrorKind, &str, Spoil)> = vec![
        (
            ErrorKind::NotFound,
            "boxes.json",
            Box::new(|p| std::fs::remove_file(p.join("boxes.json")).unwrap()),
        ),
        (ErrorKind::Corrupt, "boxes.json", Box::new(boxes("[[1, 2, 3]]"))),
        (ErrorKind::InvalidInput, "no frame", Box::new(boxes("[]"))),
        (ErrorKind::Corrupt, "frame 0 is empty or outside", Box::new(boxes("[[200, 0, 260, 60]]"))),
        (ErrorKind::Corrupt, "frame 0 is empty or outside", Box::new(boxes("[[60, 60, 20, 20]]"))),
        (
            ErrorKind::NotFound,
            "frames",
            Box::new(boxes(
                "[[24, 18, 66, 68],[24, 18, 66, 68],[24, 18, 66, 68],[24, 18, 66, 68],[24, 18, 66, 68],[24, 18, 66, 68]]",
            )),
        ),
        (
            ErrorKind::NotFound,
            "classes",
            Box::new(|p| std::fs::remove_file(p.join("classes/00000002.png")).unwrap()),
        ),
        (ErrorKind::Corrupt, "512×512", Box::new(|p| grey(&p.join("classes/00000002.png"), 256, 1))),
        (ErrorKind::Corrupt, "class 19", Box::new(|p| grey(&p.join("classes/00000002.png"), 512, 19))),
        (
            ErrorKind::Corrupt,
            "grey",
            Box::new(|p| image::RgbImage::new(512, 512).save(p.join("classes/00000002.png")).unwrap()),
        ),
        (
            ErrorKind::Corrupt,
            "size of the first frame",
            Box::new(|p| image::RgbImage::new(90, 96).save(p.join("frames/00000002.png")).unwrap()),
        ),
        (
            ErrorKind::Corrupt,
            "00000003.png",
            Box::new(|p| std::fs::write(p.join("frames/00000003.png"), b"no picture").unwrap()),
        ),
        (ErrorKind::NotFound, "masks", Box::new(|p| std::fs::remove_dir_all(p.join("classes")).unwrap())),
        (
            ErrorKind::Corrupt,
            "not 74×74",
            Box::new(|p| {
                std::fs::rename(p.join("classes"), p.join("masks")).unwrap();
            }),
        ),
    ];
    for (kind, words, spoil) in cases {
        let error = open(&*spoil);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error} does not say {words}");
    }

    let load = |change: &dyn Fn(&mut ReferenceOptions)| {
        let mut options = ReferenceOptions::default();
        change(&mut options);
        Reference::load(builder(), Footage::open(folder()).unwrap(), options)
    };
    let error = load(&|options| options.fps = Some(FrameRate::new(50, 1).unwrap())).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("below 50"), "{error}");
    let error = load(&|options| options.mask = FaceMask::Jaw { left: 90, right: 257 }).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("257"), "{error}");
    let mut reference = load(&|_| ()).unwrap();
    for (pcm, rate) in
        [(&[0.0; 639][..], 16_000), (&[], 16_000), (&[f32::NAN; 6400], 16_000), (&[0.0; 9000], 7_999)]
    {
        assert_eq!(reference.speak(pcm, rate).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
