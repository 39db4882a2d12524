//! `musetalk render`: a voice and a face in, a video out.

pub(crate) mod apart;
mod reference;

use std::ops::ControlFlow;

use musetalk_core::{AvatarAsset, Engine, FrameRate, PixelFormat, Result};

use crate::args;
use crate::audio_file::AudioFile;
use crate::figures::{Clock, Figures};
use crate::progress::Progress;
use crate::report;
use crate::retime::Retime;
use crate::speech::Speech;
use crate::video::{Target, VideoFormat, VideoSink};

/// Renders, and says how long it took.
///
/// # Errors
///
/// Of any kind: the pack, the avatar, the audio, the device or the place to write to can fail. No half-written file is left.
pub fn command(args: &args::Render) -> Result<()> {
    if args.reference {
        return reference::command(args);
    }
    let target = Target::of(&args.out)?;
    apart::check(&target, &args.out, &[&args.pack, &args.avatar, &args.audio])?;
    target.check(args.overwrite)?;
    let file = AudioFile::open(&args.audio)?;
    let mut builder = Engine::builder(&args.pack).device(args.device);
    if let Some(threads) = args.threads {
        builder = builder.threads(threads);
    }
    let engine = builder.build()?;
    // The person is opened once more for the voice; only its index is read here.
    let matte = target.keeps_alpha() && AvatarAsset::open(&args.avatar)?.has_alpha();
    let pixels = if matte { PixelFormat::Rgba8 } else { PixelFormat::Rgb8 };
    let speech = Speech::open(&engine, &args.avatar, file, pixels)?;
    if let Some(clip) = &args.clip {
        // Before the first word, so that it begins there.
        speech.avatar().director().request_clip(clip)?;
    }
    // Standard output belongs to the pictures when they go there.
    let to_stdout = target == Target::Stdout;
    let say = if to_stdout { report::note } else { report::line };
    let progress = Progress::suitable(args.json);
    let rendered =
        render(speech, &target, &Options { fps: args.fps, overwrite: args.overwrite, ahead: 0 }, progress)?;
    if args.json {
        say(&rendered.figures.json(rendered.frames, &args.out).to_string());
        return Ok(());
    }
    for line in rendered.figures.in_words() {
        report::note(&line);
    }
    if !to_stdout {
        report::line(&format!("{} frames in {}", rendered.frames, args.out.display()));
    }
    Ok(())
}

/// How to render.
pub(crate) struct Options {
    pub(crate) fps: Option<FrameRate>,
    pub(crate) overwrite: bool,
    /// Pictures that are made and measured before the video encoder starts and takes its share of the cores.
    pub(crate) ahead: usize,
}

/// What came of it.
pub(crate) struct Rendered {
    pub(crate) frames: u64,
    pub(crate) figures: Figures,
}

/// Speaks the whole voice into a video.
pub(crate) fn render(
    mut speech: Speech,
    target: &Target,
    options: &Options,
    progress: Progress,
) -> Result<Rendered> {
    let rate = speech.file().sample_rate();
    let own = speech.avatar().fps();
    let fps = options.fps.unwrap_or(own);
    let asset = speech.avatar().asset();
    let format = VideoFormat::new(asset.width(), asset.height(), (fps.numerator(), fps.denominator()), rate)?;
    let format = format.with_alpha(speech.format() != PixelFormat::Rgb8);
    let mut out = Writer {
        sink: target.create(format, options.overwrite)?,
        retime: (fps != own).then(|| Retime::new(fps, rate)),
        frames: 0,
    };
    let bar = progress.pictures(speech.file().promised().map(|samples| own.frames_for(samples, rate)));
    let done = draw(&mut speech, &mut out, options.ahead, rate, &bar);
    bar.finish_and_clear();
    let figures = done?;
    let frames = out.finish()?;
    Ok(Rendered { frames, figures })
}

fn draw(
    speech: &mut Speech,
    out: &mut Writer,
    ahead: usize,
    rate: u32,
    bar: &indicatif::ProgressBar,
) -> Result<Figures> {
    let mut clock = Clock::start();
    let mut kept: Vec<(Vec<u8>, Vec<f32>)> = Vec::new();
    while kept.len() < ahead
        && let Some(frame) = speech.next_frame()?
    {
        clock.frame(frame.audio().len());
        kept.push((frame.pixels().to_vec(), frame.audio().to_vec()));
        bar.inc(1);
    }
    let measured = (ahead > 0).then(|| clock.read(rate, speech.stats()));
    for (rgb, audio) in kept {
        if out.frame(&rgb, &audio)?.is_break() {
            return Ok(measured.unwrap_or_else(|| clock.read(rate, speech.stats())));
        }
    }
    while let Some(frame) = speech.next_frame()? {
        clock.frame(frame.audio().len());
        if out.frame(frame.pixels(), frame.audio())?.is_break() {
            break;
        }
        bar.inc(1);
    }
    Ok(measured.unwrap_or_else(|| clock.read(rate, speech.stats())))
}

/// A video at its own rate.
struct Writer {
    sink: Box<dyn VideoSink>,
    retime: Option<Retime>,
    frames: u64,
}

impl Writer {
    fn frame(&mut self, rgb: &[u8], audio: &[f32]) -> Result<ControlFlow<()>> {
        let (sink, frames) = (&mut self.sink, &mut self.frames);
        let mut give = |rgb: &[u8], audio: &[f32]| {
            *frames += 1;
            sink.frame(rgb, audio)
        };
        match &mut self.retime {
            Some(retime) => retime.frame(rgb, audio, give),
            None => give(rgb, audio),
        }
    }

    fn finish(self) -> Result<u64> {
        let Self { mut sink, retime, mut frames } = self;
        if let Some(retime) = retime {
            retime.finish(|rgb, audio| {
                frames += 1;
                sink.frame(rgb, audio)
            })?;
        }
        sink.finish()?;
        Ok(frames)
    }
}
