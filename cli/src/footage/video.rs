//! A video, decoded by the `ffmpeg` program: upright, at the rate of the pack, one frame at a time.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use musetalk_core::{Error, ErrorKind, FrameRate, FrameSource, Result, SourceFrame};

use super::pam::{self, Header};
use crate::cancel;

/// A side longer than this fits into no avatar.
const LONGEST_SIDE: u32 = 8192;

#[derive(Debug)]
pub(super) struct Video {
    program: PathBuf,
    path: PathBuf,
    rate: FrameRate,
    size: (u32, u32),
    frames: Option<u64>,
    /// Whether its container leads to any time exactly.
    indexed: bool,
    reading: Option<Reading>,
}

/// A running ffmpeg. Killed when dropped before its end.
#[derive(Debug)]
struct Reading {
    child: Child,
    pictures: BufReader<ChildStdout>,
    complaints: Option<JoinHandle<String>>,
    /// The header of the next picture, where it was read before its time.
    next: Option<Header>,
}

impl Video {
    pub(super) fn open(path: &Path, rate: FrameRate) -> Result<Self> {
        let program = crate::programs::find("ffmpeg").ok_or_else(|| {
            let sentence = "ffmpeg is needed to read a video and was not found along PATH; install it, or give a folder of pictures";
            Error::new(ErrorKind::Unsupported, sentence)
        })?;
        // An absolute name, so that none is taken for an option or a protocol.
        let path = std::path::absolute(path).map_err(|e| Error::io("find the footage", path, e))?;
        let said = about(&program, &path);
        let frames = seconds(&said).map(|seconds| {
            let rate = f64::from(rate.numerator()) / f64::from(rate.denominator());
            (seconds * rate).round().max(1.0) as u64
        });
        let indexed = is_indexed(&said);
        let mut video = Self { program, path, rate, size: (0, 0), frames, indexed, reading: None };
        video.rewind()?;
        Ok(video)
    }

    /// What ffmpeg said when it gave up, or that there was nothing.
    fn explain(&mut self) -> Error {
        if let Err(cancelled) = cancel::check() {
            return cancelled;
        }
        let said = self.reading.take().map(Reading::end).unwrap_or_default();
        let last: Vec<&str> = said.0.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = last[last.len().saturating_sub(3)..].join(" / ");
        let what = match last.is_empty() {
            true => "the video has no frame".to_owned(),
            false => format!("this cannot be read as a video; ffmpeg says: {last}"),
        };
        Error::new(ErrorKind::InvalidInput, format!("{what}: {}", self.path.display()))
    }

    fn failed(&self, cause: std::io::Error) -> Error {
        Error::io("read the video", &self.path, cause)
    }
}

impl FrameSource for Video {
    fn width(&self) -> u32 {
        self.size.0
    }

    fn height(&self) -> u32 {
        self.size.1
    }

    fn frames(&self) -> Option<u64> {
        self.frames
    }

    fn identity(&self) -> Option<String> {
        super::digest(std::slice::from_ref(&self.path)).ok()
    }

    fn called(&self) -> Option<String> {
        Some(self.path.display().to_string())
    }

    fn rewind(&mut self) -> Result<()> {
        self.reading = None;
        let mut reading = Reading::start(&self.program, &self.path, self.rate, 0)?;
        let header = pam::header(&mut reading.pictures);
        reading.next = header.as_ref().ok().copied().flatten();
        let header = reading.next;
        self.reading = Some(reading);
        let Some(header) = header else { return Err(self.explain()) };
        if header.width.max(header.height) > LONGEST_SIDE {
            self.reading = None;
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "the video has {}×{} pixels, more than {LONGEST_SIDE} on a side; make it smaller first: {}",
                    header.width,
                    header.height,
                    self.path.display()
                ),
            ));
        }
        self.size = (header.width, header.height);
        Ok(())
    }

    fn skip(&mut self, frames: u64) -> Result<bool> {
        if frames == 0 {
            return Ok(true);
        }
        if self.indexed {
            self.reading = None;
            let mut reading = Reading::start(&self.program, &self.path, self.rate, frames)?;
            reading.next = pam::header(&mut reading.pictures).ok().flatten();
            if reading.next.is_some() {
                self.reading = Some(reading);
                return Ok(true);
            }
            // Beyond the end, or an index that is wrong: read from the start, and see.
            self.rewind()?;
        }
        let mut frame = SourceFrame::default();
        for _ in 0..frames {
            if !self.next_frame(&mut frame)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn next_frame(&mut self, frame: &mut SourceFrame) -> Result<bool> {
        cancel::check()?;
        let Some(reading) = self.reading.as_mut() else { return Ok(false) };
        let header = match reading.next.take() {
            Some(header) => Some(header),
            None => match pam::header(&mut reading.pictures) {
                Ok(header) => header,
                Err(e) => return Err(self.failed(e)),
            },
        };
        let Some(header) = header else {
            // Ctrl-C reaches ffmpeg, too, and looks like the end.
            cancel::check()?;
            let (said, success) = self.reading.take().map(Reading::end).unwrap_or_default();
            if !success {
                let said = said.lines().last().unwrap_or("nothing").trim().to_owned();
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!("the video breaks off; ffmpeg says: {said}: {}", self.path.display()),
                ));
            }
            return Ok(false);
        };
        if (header.width, header.height) != self.size || header.channels != 3 {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "the video changes its size from frame to frame; convert it first: {}",
                    self.path.display()
                ),
            ));
        }
        frame.alpha.clear();
        frame.rgb.resize(self.size.0 as usize * self.size.1 as usize * 3, 0);
        let read = reading.pictures.read_exact(&mut frame.rgb);
        if let Err(e) = read {
            cancel::check()?;
            return Err(self.failed(e));
        }
        Ok(true)
    }
}

impl Reading {
    /// Reads from the frame with this number on.
    fn start(program: &Path, path: &Path, rate: FrameRate, first: u64) -> Result<Self> {
        // The decoder begins a second before, so that the rate is brought about as it is when everything is read.
        let begins = first as f64 * f64::from(rate.denominator()) / f64::from(rate.numerator());
        let sought = format!("{:.6}", (begins - 1.0).max(0.0));
        let (seek, from) = match first {
            0 => (Vec::new(), String::new()),
            _ => (vec!["-ss", &sought, "-copyts", "-start_at_zero"], format!(":start_time={begins:.6}")),
        };
        // The rate in the filter and not as an option: uneven footage is brought to even time by it. Pixels become square, by making
        // the shorter of their sides longer; a ratio that is nonsense is cut where sizes are refused.
        let most = LONGEST_SIDE + 1;
        let filters = format!(
            "fps={}/{}{from},scale=w=if(gt(sar\\,1)\\,min(round(iw*sar)\\,max(iw\\,{most}))\\,iw):\
             h=if(lt(sar\\,1)\\,min(round(ih/sar)\\,max(ih\\,{most}))\\,ih):\
             flags=bicubic+accurate_rnd+full_chroma_int,setsar=1,format=rgb24",
            rate.numerator(),
            rate.denominator()
        );
        let mut child = Command::new(program)
            .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
            .args(seek)
            .arg("-i")
            .arg(path)
            .args(["-map", "0:v:0", "-an", "-sn", "-vf", &filters])
            .args(["-f", "image2pipe", "-c:v", "pam", "pipe:1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| {
                let sentence = format!("ffmpeg does not start ({e}); repair it: {}", program.display());
                Error::new(ErrorKind::Unsupported, sentence).caused_by(e)
            })?;
        let gone = || Error::new(ErrorKind::Internal, "ffmpeg has no standard output");
        let pictures = BufReader::with_capacity(1 << 18, child.stdout.take().ok_or_else(gone)?);
        // Read beside the work: a full pipe would stop ffmpeg in the middle of a sentence.
        let complaints = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                drop(stderr.by_ref().take(64 << 10).read_to_end(&mut text));
                drop(std::io::copy(&mut stderr, &mut std::io::sink()));
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        Ok(Self { child, pictures, complaints, next: None })
    }

    /// What it said, and whether it ended well.
    fn end(mut self) -> (String, bool) {
        let success = self.child.wait().is_ok_and(|status| status.success());
        let said = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        (said, success)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What ffmpeg says of a file. Nothing where it does not start.
fn about(program: &Path, path: &Path) -> String {
    let said = Command::new(program)
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output();
    said.map(|said| String::from_utf8_lossy(&said.stderr).into_owned()).unwrap_or_default()
}

/// Seconds of the video, as its container states them; only for the progress line.
fn seconds(said: &str) -> Option<f64> {
    let stated = said.split("Duration: ").nth(1)?.split(',').next()?;
    let parts: Vec<f64> = stated.split(':').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    Some((hours * 60.0 + minutes) * 60.0 + seconds)
}

/// Whether the container states times that ffmpeg can go to: MP4 and Matroska with their kin. Transport streams and raw ones do not.
fn is_indexed(said: &str) -> bool {
    let format = said.split("Input #0, ").nth(1).and_then(|rest| rest.split(", from").next());
    format.is_some_and(|format| format.split(',').any(|name| matches!(name, "mp4" | "matroska")))
}

#[cfg(test)]
mod tests {
    use super::{is_indexed, seconds};

    #[test]
    fn only_containers_with_times_are_gone_into() {
        assert!(is_indexed("Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'a, b.mp4':"));
        assert!(is_indexed("Input #0, matroska,webm, from 'x.mkv':"));
        assert!(!is_indexed("Input #0, mpegts, from 'mp4':"));
        assert!(!is_indexed(""));
    }

    #[test]
    fn the_duration_is_found_in_what_ffmpeg_says() {
        assert_eq!(seconds("  Duration: 00:01:10.72, start: 0.000000, bitrate: 1 kb/s"), Some(70.72));
        assert_eq!(seconds("  Duration: N/A, start: 0"), None);
        assert_eq!(seconds("nothing"), None);
    }
}
