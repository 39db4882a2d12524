//! Every kind of video holds all pictures and all sound in step, and appears under its name complete or not at all.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::path::Path;

use musetalk_cli::video::{RawStream, Target, VideoFormat, VideoSink};
use musetalk_core::ErrorKind;
use support::{Folder, installed, run};

const RATE: u32 = 24_000;

/// Pictures that say where they belong in time: white flashes in every tenth, with a click; grey with a gradient between.
fn picture(format: &VideoFormat, index: usize) -> Vec<u8> {
    let flash = index % 10 == 5;
    (0..format.height)
        .flat_map(|y| {
            (0..format.width)
                .flat_map(move |x| if flash { [255; 3] } else { [(x * 2) as u8, (y * 2) as u8, 60] })
        })
        .collect()
}

fn sound(fps: (u32, u32), index: usize, last: bool) -> Vec<f32> {
    let start =
        |i: usize| (i as u64 * u64::from(RATE) * u64::from(fps.1)).div_ceil(u64::from(fps.0)) as usize;
    let count = start(index + 1) - start(index);
    let level = if index % 10 == 5 { 0.8 } else { 0.0 };
    let count = if last { count / 2 } else { count };
    (0..count).map(|n| level * (n as f32 * 0.3).sin()).collect()
}

fn write(path: &Path, width: u32, height: u32, fps: (u32, u32), frames: usize) -> usize {
    let format = VideoFormat::new(width, height, fps, RATE).unwrap();
    let mut sink = Target::of(path).unwrap().create(format, false).unwrap();
    let mut samples = 0;
    for index in 0..frames {
        let audio = sound(fps, index, index + 1 == frames);
        samples += audio.len();
        assert!(sink.frame(&picture(&format, index), &audio).unwrap().is_continue());
        assert!(!path.exists(), "half a video under the final name");
    }
    sink.finish().unwrap();
    samples
}

/// What ffprobe says of one stream, as `name=value` lines.
fn probe(path: &Path, stream: &str, entries: &str) -> String {
    let args = [
        "-v",
        "error",
        "-count_packets",
        "-select_streams",
        stream,
        "-show_entries",
        entries,
        "-of",
        "default=nw=1",
    ];
    let mut args = args.to_vec();
    args.push(path.to_str().unwrap());
    String::from_utf8(run("ffprobe", &args)).unwrap()
}

/// Mean brightness of every decoded picture, and the decoded sound.
fn decode(path: &Path) -> (Vec<f64>, Vec<f32>) {
    let path = path.to_str().unwrap();
    let small = run(
        "ffmpeg",
        &["-v", "error", "-i", path, "-vf", "scale=8:8", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
    );
    let brightness =
        small.chunks_exact(64).map(|p| p.iter().map(|&b| f64::from(b)).sum::<f64>() / 64.0).collect();
    let pcm = run("ffmpeg", &["-v", "error", "-i", path, "-f", "f32le", "-ac", "1", "-"]);
    (brightness, pcm.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect())
}

/// Every flash must have its click within the same picture.
fn assert_in_step(path: &Path, fps: (u32, u32), frames: usize, samples: usize, sound_slack: usize) {
    let (brightness, pcm) = decode(path);
    assert_eq!(brightness.len(), frames, "{}", path.display());
    assert!(pcm.len() >= samples, "sound is cut: {} of {samples} samples", pcm.len());
    assert!(pcm.len() <= samples + sound_slack, "sound is too long: {} of {samples} samples", pcm.len());
    for (index, &level) in brightness.iter().enumerate() {
        assert_eq!(level > 200.0, index % 10 == 5, "picture {index}: {level}");
        let at = |i: usize| (i as u64 * u64::from(RATE) * u64::from(fps.1) / u64::from(fps.0)) as usize;
        let (from, to) = (at(index) + 200, (at(index + 1) - 200).min(pcm.len()));
        if from < to {
            let loud = support::rms(&pcm[from..to]);
            assert_eq!(loud > 0.2, index % 10 == 5, "sound of picture {index}: {loud}");
        }
    }
}

#[test]
fn an_avi_holds_every_picture_with_its_sound() {
    let folder = Folder::new();
    let path = folder.join("talk.avi");
    let samples = write(&path, 64, 48, (25, 1), 73);
    assert_eq!(folder.names(), ["talk.avi"]);
    let bytes = std::fs::read(&path).unwrap();
    check_avi(&bytes, 73, samples);
    if installed("ffprobe") && installed("ffmpeg") {
        let video = probe(&path, "v:0", "stream=codec_name,width,height,r_frame_rate,nb_read_packets");
        for line in ["codec_name=mjpeg", "width=64", "height=48", "r_frame_rate=25/1", "nb_read_packets=73"] {
            assert!(video.contains(line), "{line} in {video}");
        }
        let audio = probe(&path, "a:0", "stream=codec_name,sample_rate,channels");
        assert!(audio.contains("codec_name=pcm_s16le") && audio.contains("sample_rate=24000"), "{audio}");
        assert_in_step(&path, (25, 1), 73, samples, 0);
    }
}

#[test]
fn an_avi_at_a_broadcast_rate_and_odd_sizes_stays_in_step() {
    let folder = Folder::new();
    let path = folder.join("talk.avi");
    let samples = write(&path, 61, 47, (30_000, 1001), 95);
    check_avi(&std::fs::read(&path).unwrap(), 95, samples);
    if installed("ffmpeg") {
        assert_in_step(&path, (30_000, 1001), 95, samples, 0);
    }
}

#[test]
fn an_mp4_holds_every_picture_with_its_sound() {
    if !installed("ffmpeg") || !installed("ffprobe") {
        return;
    }
    for (width, height, fps) in [(64, 48, (25, 1)), (61, 47, (30_000, 1001))] {
        let folder = Folder::new();
        let path = folder.join("talk.mp4");
        let samples = write(&path, width, height, fps, 73);
        assert_eq!(folder.names(), ["talk.mp4"]);
        let video = probe(
            &path,
            "v:0",
            "stream=pix_fmt,width,height,r_frame_rate,color_space,color_primaries,color_range",
        );
        let (width, height) = (format!("width={}", width & !1), format!("height={}", height & !1));
        let rate = format!("r_frame_rate={}/{}", fps.0, fps.1);
        let lines = [
            &width,
            &height,
            &rate,
            "pix_fmt=yuv420p",
            "color_space=bt709",
            "color_primaries=bt709",
            "color_range=tv",
        ];
        for line in lines {
            assert!(video.contains(line), "{line} in {video}");
        }
        assert_in_step(&path, fps, 73, samples, 2048);
    }
}

#[test]
fn colours_survive_every_kind_of_video() {
    if !installed("ffmpeg") {
        return;
    }
    let folder = Folder::new();
    let colours: [[u8; 3]; 5] =
        [[220, 40, 30], [40, 200, 60], [30, 60, 210], [224, 172, 140], [128, 128, 128]];
    for name in ["talk.avi", "talk.mp4"] {
        let path = folder.join(name);
        let format = VideoFormat::new(64, 64, (25, 1), RATE).unwrap();
        let mut sink = Target::of(&path).unwrap().create(format, false).unwrap();
        for colour in colours {
            assert!(sink.frame(&colour.repeat(64 * 64), &[0.0; 960]).unwrap().is_continue());
        }
        sink.finish().unwrap();
        let rgb = run(
            "ffmpeg",
            &["-v", "error", "-i", path.to_str().unwrap(), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        );
        for (index, colour) in colours.iter().enumerate() {
            let at = index * 64 * 64 * 3 + (32 * 64 + 32) * 3;
            for channel in 0..3 {
                let off = rgb[at + channel].abs_diff(colour[channel]);
                assert!(off <= 6, "{name}, colour {index}: {:?} for {colour:?}", &rgb[at..at + 3]);
            }
        }
    }
}

#[test]
fn a_folder_holds_numbered_pictures_that_are_exact() {
    let folder = Folder::new();
    let path = folder.join("frames");
    write(&path, 20, 10, (25, 1), 12);
    assert_eq!(folder.names(), ["frames"]);
    let format = VideoFormat::new(20, 10, (25, 1), RATE).unwrap();
    for index in 0..12 {
        let file = path.join(format!("{index:08}.png"));
        let bytes = std::fs::read(file).unwrap();
        let decoded = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert_eq!(decoded.as_raw(), &picture(&format, index));
    }
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 12);

    let target = Target::of(&path).unwrap();
    assert_eq!(target.create(format, false).err().unwrap().kind(), ErrorKind::InvalidInput);
    let mut again = target.create(format, true).unwrap();
    assert!(again.frame(&picture(&format, 3), &[]).unwrap().is_continue());
    again.finish().unwrap();
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
    std::fs::write(path.join("letter.txt"), "mine").unwrap();
    assert_eq!(target.create(format, true).err().unwrap().kind(), ErrorKind::InvalidInput);
    assert_eq!(folder.names(), ["frames"]);
}

#[test]
fn raw_pictures_are_bytes_and_nothing_else() {
    let format = VideoFormat::new(6, 4, (25, 1), RATE).unwrap();
    let mut bytes = Vec::new();
    let mut sink: Box<dyn VideoSink + '_> = Box::new(RawStream::new(&mut bytes));
    for index in 0..3 {
        assert!(sink.frame(&picture(&format, index), &[0.0]).unwrap().is_continue());
    }
    sink.finish().unwrap();
    let expected: Vec<u8> = (0..3).flat_map(|index| picture(&format, index)).collect();
    assert_eq!(bytes, expected);
}

#[test]
fn a_video_given_up_leaves_nothing_behind() {
    let folder = Folder::new();
    let format = VideoFormat::new(64, 48, (25, 1), RATE).unwrap();
    for name in ["talk.avi", "talk.mp4", "frames"] {
        if name == "talk.mp4" && !installed("ffmpeg") {
            continue;
        }
        let mut sink = Target::of(&folder.join(name)).unwrap().create(format, false).unwrap();
        for index in 0..5 {
            assert!(sink.frame(&picture(&format, index), &[0.1; 960]).unwrap().is_continue());
        }
        drop(sink);
        assert_eq!(folder.names(), Vec::<String>::new(), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_says_so_and_leaves_nothing() {
    // /dev/full takes no byte. Linked under the name of a temporary file it would be written through, so it is
    // tested where the library opens a stream.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut sink: Box<dyn VideoSink> = Box::new(RawStream::new(full));
    let error = sink.frame(&[0; 300], &[]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("No space"), "{error}");
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_any_work() {
    let folder = Folder::new();
    let nowhere = folder.join("missing");
    for name in ["talk.avi", "talk.mp4", "frames/"] {
        if name == "talk.mp4" && !installed("ffmpeg") {
            continue;
        }
        let error = Target::of(&nowhere.join(name)).unwrap().check(false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("missing"), "{error}");
    }
    let error = Target::of(Path::new("talk.gif")).unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains(".mp4"), "{error}");
    assert_eq!(folder.names(), Vec::<String>::new());
}

/// Walks the file by its own lengths: every chunk ends where it says, and every index entry points at its chunk.
fn check_avi(bytes: &[u8], frames: usize, samples: usize) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(&bytes[..4], b"RIFF");
    assert_eq!(word(4) + 8, bytes.len());
    assert_eq!(&bytes[8..12], b"AVI ");
    let (mut at, mut pictures, mut pcm, mut indexed, mut movi) = (12, 0, 0, 0, 0);
    while at < bytes.len() {
        let (id, size) = (&bytes[at..at + 4], word(at + 4));
        if id == b"LIST" && &bytes[at + 8..at + 12] == b"movi" {
            movi = at + 8;
            let end = at + 8 + size;
            at += 12;
            while at < end {
                let (id, size) = (&bytes[at..at + 4], word(at + 4));
                match id {
                    b"00dc" => {
                        assert_eq!(&bytes[at + 8..at + 10], [0xff, 0xd8]);
                        pictures += 1;
                    }
                    b"01wb" => pcm += size,
                    b"ix00" | b"ix01" => {}
                    _ => panic!("unknown chunk {id:?}"),
                }
                at += 8 + size + size % 2;
            }
            assert_eq!(at, end);
            continue;
        }
        if id == b"idx1" {
            for entry in bytes[at + 8..at + 8 + size].chunks_exact(16) {
                let offset = movi + u32::from_le_bytes(entry[8..12].try_into().unwrap()) as usize;
                assert_eq!(&bytes[offset..offset + 4], &entry[..4]);
                assert_eq!(&bytes[offset + 4..offset + 8], &entry[12..]);
                indexed += 1;
            }
        }
        at += 8 + size + size % 2;
    }
    assert_eq!((at, pictures, pcm), (bytes.len(), frames, samples * 2));
    assert!(indexed >= frames);
}
