//! A video file made by the `ffmpeg` program, where it is installed.
//!
//! Pictures go to ffmpeg as they come; the sound is kept beside them as raw samples and joined at the end. One process
//! with two pipes would be shorter, but it can stall: ffmpeg reads one pipe while the other fills.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use musetalk_core::{Error, ErrorKind, Result};

use super::{VideoFormat, VideoSink, cannot_write};
use crate::cancel;
use crate::temp::Temp;

/// The program, and the best video encoder it was built with.
#[derive(Clone, Debug)]
pub struct Ffmpeg {
    program: PathBuf,
    encoder: &'static [&'static str],
}

/// From best to last. Many builds come without x264 for its licence; MPEG-4 is in all of them.
const ENCODERS: [&[&str]; 3] =
    [&["libx264", "-preset", "fast", "-crf", "18"], &["libopenh264", "-b:v", "6M"], &["mpeg4", "-q:v", "2"]];

impl Ffmpeg {
    /// Looks along PATH and asks the program what it can do (some 50 ms).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] when it is missing, does not start, or has no encoder for mp4.
    pub fn find() -> Result<Self> {
        let program = crate::programs::find("ffmpeg").ok_or_else(|| {
            let sentence = "ffmpeg is needed for this kind of video and was not found along PATH; \
                            install it, or write to a name that ends in .avi, which needs nothing";
            Error::new(ErrorKind::Unsupported, sentence)
        })?;
        let list = Command::new(&program)
            .args(["-hide_banner", "-encoders"])
            .stdin(Stdio::null())
            .output()
            .map_err(|e| does_not_start(&program, &e))?;
        let list = String::from_utf8_lossy(&list.stdout).into_owned();
        let offered = |name: &str| list.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
        let encoder = ENCODERS.into_iter().find(|encoder| offered(encoder[0])).ok_or_else(|| {
            let sentence =
                "this ffmpeg encodes neither H.264 nor MPEG-4; install another, or write to a name that ends in .avi";
            Error::new(ErrorKind::Unsupported, format!("{sentence}: {}", program.display()))
        })?;
        Ok(Self { program, encoder })
    }

    /// Where the program lies.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The name of the video encoder that is used.
    pub fn encoder(&self) -> &'static str {
        self.encoder[0]
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]);
        command
    }
}

/// One video on its way through ffmpeg.
#[derive(Debug)]
pub struct FfmpegFile {
    ffmpeg: Ffmpeg,
    path: PathBuf,
    format: VideoFormat,
    pictures: Option<Process>,
    silent: Temp,
    sound: BufWriter<File>,
    sound_path: Temp,
    samples: u64,
    finished: Temp,
}

impl FfmpegFile {
    /// Starts ffmpeg with a temporary name beside the final one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] or [`ErrorKind::Io`] when nothing can be written there or ffmpeg does not start.
    pub fn create(ffmpeg: &Ffmpeg, path: &Path, format: VideoFormat) -> Result<Self> {
        // Made before ffmpeg opens them by name: links that somebody planted are not followed.
        let taken = |temp: Temp| File::create_new(temp.path()).map(|file| (temp, file));
        let taken = |temp: Temp| taken(temp).map_err(|e| cannot_write(path, e));
        let (silent, _) = taken(Temp::beside(path)?)?;
        let (finished, _) = taken(Temp::beside(path)?)?;
        let (sound_path, sound) = taken(Temp::beside(&path.with_extension("f32"))?)?;

        let mut command = ffmpeg.command();
        command
            .args(["-f", "rawvideo", "-pixel_format", "rgb24"])
            .args(["-video_size", &format!("{}x{}", format.width, format.height)])
            .args(["-framerate", &format!("{}/{}", format.fps.0, format.fps.1)])
            .args(["-i", "pipe:0", "-an"])
            // 4:2:0 needs even sides: an odd one loses its last row or column. The matrix must be said twice, to
            // convert with it and to tell the player.
            .args(["-vf", concat!(
                "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,",
                "scale=flags=bicubic+accurate_rnd+full_chroma_int:out_color_matrix=bt709:out_range=tv,format=yuv420p"
            )])
            .args(["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"])
            .arg("-c:v")
            .args(ffmpeg.encoder)
            .arg(silent.path())
            .stdin(Stdio::piped());
        let pictures = Some(Process::start(command, &ffmpeg.program)?);
        Ok(Self {
            ffmpeg: ffmpeg.clone(),
            path: path.to_path_buf(),
            format,
            pictures,
            silent,
            sound: BufWriter::new(sound),
            sound_path,
            samples: 0,
            finished,
        })
    }

    /// ffmpeg closed its end: what it said is worth more than "broken pipe".
    fn died(&mut self, cause: std::io::Error) -> Error {
        match self.pictures.take().map(|process| process.wait(&self.path)) {
            Some(Err(e)) => e,
            Some(Ok(())) | None => cannot_write(&self.path, cause),
        }
    }
}

impl VideoSink for FfmpegFile {
    fn frame(&mut self, rgb: &[u8], audio: &[f32]) -> Result<ControlFlow<()>> {
        cancel::check()?;
        let written = match self.pictures.as_mut().and_then(|process| process.input.as_mut()) {
            Some(input) => input.write_all(rgb),
            None => return Err(Error::new(ErrorKind::Closed, "this video has already failed")),
        };
        if let Err(e) = written {
            return Err(self.died(e));
        }
        for sample in audio {
            self.sound.write_all(&sample.to_le_bytes()).map_err(|e| cannot_write(&self.path, e))?;
        }
        self.samples += audio.len() as u64;
        Ok(ControlFlow::Continue(()))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let pictures = self
            .pictures
            .take()
            .ok_or_else(|| Error::new(ErrorKind::Closed, "this video has already failed"))?;
        pictures.wait(&self.path)?;
        self.sound.flush().map_err(|e| cannot_write(&self.path, e))?;

        let mut command = self.ffmpeg.command();
        command.arg("-i").arg(self.silent.path());
        if self.samples > 0 {
            command
                .args(["-f", "f32le", "-ar", &self.format.sample_rate.to_string(), "-ac", "1", "-i"])
                .arg(self.sound_path.path())
                .args(["-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "160k"]);
        }
        command.args(["-c:v", "copy"]);
        if self.path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("mkv")) {
            command.args(["-movflags", "+faststart"]);
        }
        command.arg(self.finished.path()).stdin(Stdio::null());
        Process::start(command, &self.ffmpeg.program)?.wait(&self.path)?;
        let Self { finished, path, .. } = *self;
        finished.keep_as(&path)
    }
}

/// A running ffmpeg. Killed when dropped before its end.
#[derive(Debug)]
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    complaints: Option<JoinHandle<String>>,
}

impl Process {
    fn start(mut command: Command, program: &Path) -> Result<Self> {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| does_not_start(program, &e))?;
        let input = child.stdin.take();
        // Read beside the work: a full pipe would stop ffmpeg in the middle of a sentence.
        let complaints = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                // Whatever came before a read failed is still the best explanation there is.
                drop(stderr.by_ref().take(64 << 10).read_to_end(&mut text));
                drop(std::io::copy(&mut stderr, &mut std::io::sink()));
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        Ok(Self { child, input, complaints })
    }

    /// Closes the input and waits for the end, which Ctrl-C brings nearer.
    fn wait(mut self, path: &Path) -> Result<()> {
        drop(self.input.take());
        let status = loop {
            cancel::check()?;
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Err(e) => return Err(cannot_write(path, e)),
            }
        };
        let said = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        cancel::check()?;
        let last: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = last[last.len().saturating_sub(4)..].join(" / ");
        let advice = if said.contains("No space left") {
            "the disk is full; make room or write elsewhere"
        } else {
            "nothing was left under that name"
        };
        let said =
            if last.is_empty() { format!("it ended with {status}") } else { format!("it says: {last}") };
        Err(Error::new(
            ErrorKind::Io,
            format!("ffmpeg could not make the video; {said}; {advice}: {}", path.display()),
        ))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.input.take());
        // Already ended is as good as killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn does_not_start(program: &Path, cause: &std::io::Error) -> Error {
    let sentence = format!(
        "ffmpeg does not start ({cause}); repair it, or write to a name that ends in .avi: {}",
        program.display()
    );
    Error::new(ErrorKind::Unsupported, sentence)
}
