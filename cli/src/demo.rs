//! `musetalk demo`: the bundled voice on a bundled avatar.

use std::path::{Path, PathBuf};

use musetalk_core::{Engine, PixelFormat, Result};

use crate::args;
use crate::audio_file::AudioFile;
use crate::demo_files::DemoFiles;
use crate::progress::Progress;
use crate::render::{Options, apart, render};
use crate::report;
use crate::setup;
use crate::speech::Speech;
use crate::video::{Ffmpeg, Target};

/// Pictures that are measured before the video encoder starts: 12 seconds, 240 MB at 512×512.
const MEASURED: usize = 300;

/// Makes the video and says what it took.
///
/// # Errors
///
/// Of any kind: ONNX Runtime may have to be fetched, and the place to write to may refuse. No half-written file is left.
pub fn command(args: &args::Demo) -> Result<()> {
    let files = DemoFiles::find()?;
    let avatar = files.avatar(args.avatar.as_deref())?;
    let voice: &Path = match &args.audio {
        Some(voice) => voice,
        None => files.voice()?,
    };
    let out = args.out.clone().unwrap_or_else(default_out);
    let target = Target::of(&out)?;
    apart::check(&target, &out, &[&files.pack(), avatar, voice])?;
    target.check(false)?;
    let file = AudioFile::open(voice)?;

    let progress = Progress::suitable(args.json);
    setup::ensure_runtime(progress)?;
    let engine = Engine::load(files.pack())?;
    let speech = Speech::open(&engine, avatar, file, PixelFormat::Rgb8)?;
    let rendered =
        render(speech, &target, &Options { fps: None, overwrite: false, ahead: MEASURED }, progress)?;

    let say = if target == Target::Stdout { report::note } else { report::line };
    if args.json {
        say(&rendered.figures.json(rendered.frames, &out).to_string());
        return Ok(());
    }
    for line in rendered.figures.in_words() {
        say(&line);
    }
    say(&format!("{} frames in {}", rendered.frames, out.display()));
    Ok(())
}

fn default_out() -> PathBuf {
    PathBuf::from(if Ffmpeg::find().is_ok() { "musetalk-demo.mp4" } else { "musetalk-demo.avi" })
}
