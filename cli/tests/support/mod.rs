//! What the tests of the command share.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("musetalk-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Every name inside, also hidden ones, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The command under test.
pub(crate) fn musetalk(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_musetalk"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Both streams as text, for messages.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether a program is there. Says so aloud when a test skips for want of it.
pub(crate) fn installed(program: &str) -> bool {
    let there =
        Command::new(program).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        eprintln!("SKIPPED: {program} is not installed");
    }
    there
}

/// Runs ffmpeg or ffprobe, which must succeed, and returns what it printed.
pub(crate) fn run(program: &str, args: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", said(&output));
    output.stdout
}

/// The root mean square of samples.
pub(crate) fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

/// Waits for something that another process does.
pub(crate) fn wait_for(mut there: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if there() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("it did not happen within two minutes");
}

/// A WAV file of 16 bits and one channel.
pub(crate) fn write_wav(path: &Path, rate: u32, pcm: &[i16]) {
    let length = pcm.len() as u32 * 2;
    let mut bytes = Vec::from(*b"RIFF");
    bytes.extend((36 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend([1_u16, 1].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend([rate, rate * 2].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend([2_u16, 16].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend(b"data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
    std::fs::write(path, bytes).unwrap();
}

/// A file among the data that lie beside the project; says so aloud when a test skips for want of it.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above.map(|folder| folder.join("shared/data").join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: shared/data/{name} does not lie beside the project");
    }
    found
}

/// The demonstration pack with the two small face networks, in `folder`. The pack in the project stays as it is.
pub(crate) fn pack_with_faces(folder: &Folder) -> Option<PathBuf> {
    let detector = shared("face/ultraface-rfb-320.onnx")?;
    let landmarks = shared("face/pfld-68.onnx")?;
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/demo/pack");
    let pack = folder.join("faces.pack");
    musetalk_models::FaceAdder::new(demo, detector, landmarks).add(Some(&pack), |_| Ok(())).unwrap();
    Some(pack)
}

/// A frame of the clip with one face, 704×1216 RGB.
pub(crate) fn still() -> Option<image::RgbImage> {
    if !installed("ffmpeg") {
        return None;
    }
    let clip = shared("media/yongen.mp4")?;
    let png = run(
        "ffmpeg",
        &["-v", "error", "-i", clip.to_str()?, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"],
    );
    Some(image::load_from_memory(&png).unwrap().into_rgb8())
}

/// Pictures of one size as a video in `path`, 25 a second.
pub(crate) fn film(
    path: &Path,
    (width, height): (u32, u32),
    options: &[&str],
    frames: impl Iterator<Item = Vec<u8>>,
) {
    use std::io::Write as _;
    let size = format!("{width}x{height}");
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", &size])
        .args(["-framerate", "25", "-i", "-"])
        .args(options)
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    frames.for_each(|frame| input.write_all(&frame).unwrap());
    drop(input);
    assert!(child.wait().unwrap().success());
}
