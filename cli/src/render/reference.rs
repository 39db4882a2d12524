//! `musetalk render --reference`: the whole voice at once, as the official script for files renders it.

use std::time::Instant;

use musetalk_core::reference::{Clip, Footage, Reference, ReferenceOptions};
use musetalk_core::{EdgeBlur, Engine, FaceMask, FrameRate, Result};
use serde_json::json;

use crate::args;
use crate::audio_file::AudioFile;
use crate::progress::Progress;
use crate::report;
use crate::video::{Target, VideoFormat, VideoSink};

/// Renders, and says how long it took.
pub(super) fn command(args: &args::Render) -> Result<()> {
    let target = Target::of(&args.out)?;
    super::apart::check(&target, &args.out, &[&args.pack, &args.avatar, &args.audio])?;
    target.check(args.overwrite)?;
    let mut file = AudioFile::open(&args.audio)?;
    let mut builder = Engine::builder(&args.pack).device(args.device);
    if let Some(threads) = args.threads {
        builder = builder.threads(threads);
    }
    let progress = Progress::suitable(args.json);
    let step = progress.step("loading the pack");
    let mut reference = Reference::load(builder, Footage::open(&args.avatar)?, options(args))?;
    step.say("reading the voice");
    let mut voice = Voice { samples: Vec::new(), rate: file.sample_rate(), fps: reference.fps() };
    while let Some(block) = file.next_block()? {
        crate::cancel::check()?;
        voice.samples.extend_from_slice(block);
    }
    drop(step);
    let footage = reference.footage();
    let fps = (voice.fps.numerator(), voice.fps.denominator());
    let format = VideoFormat::new(footage.width(), footage.height(), fps, voice.rate)?;
    let mut sink = target.create(format, args.overwrite)?;

    let started = Instant::now();
    let mut clip = reference.speak(&voice.samples, voice.rate)?;
    let bar = progress.pictures(Some(clip.frames()));
    let drawn = draw(&mut clip, &voice, sink.as_mut(), &bar);
    bar.finish_and_clear();
    let frames = drawn?;
    sink.finish()?;

    let seconds = started.elapsed().as_secs_f64();
    // Standard output belongs to the pictures when they go there.
    let to_stdout = target == Target::Stdout;
    if args.json {
        let say = if to_stdout { report::note } else { report::line };
        let line = json!({
            "frames": frames, "seconds": seconds, "out": args.out.display().to_string(), "reference": true,
        });
        say(&line.to_string());
        return Ok(());
    }
    report::note(&format!("{:.1} frames/s, {seconds:.2} s in all", frames as f64 / seconds.max(1e-9)));
    if !to_stdout {
        report::line(&format!("{frames} frames in {}", args.out.display()));
    }
    Ok(())
}

fn options(args: &args::Render) -> ReferenceOptions {
    let mut options = ReferenceOptions::default();
    options.fps = args.fps;
    options.blur = match args.blur {
        args::Blur::Offline => EdgeBlur::Offline,
        args::Blur::Realtime => EdgeBlur::Realtime,
    };
    let (left, right) = args.cheek_width;
    options.mask = match args.mask {
        args::Mask::Jaw => FaceMask::Jaw { left, right },
        args::Mask::Neck => FaceMask::Neck,
        args::Mask::Raw => FaceMask::Raw,
    };
    options
}

struct Voice {
    samples: Vec<f32>,
    rate: u32,
    fps: FrameRate,
}

impl Voice {
    /// The sound of a frame; the last one's is all that is left.
    fn of(&self, frame: u64, last: bool) -> &[f32] {
        let all = self.samples.len();
        let at = |frame| (self.fps.first_sample(frame, self.rate) as usize).min(all);
        &self.samples[at(frame)..if last { all } else { at(frame + 1) }]
    }
}

fn draw(
    clip: &mut Clip<'_>,
    voice: &Voice,
    sink: &mut dyn VideoSink,
    bar: &indicatif::ProgressBar,
) -> Result<u64> {
    let frames = clip.frames();
    for index in 0..frames {
        crate::cancel::check()?;
        let Some(rgb) = clip.next_frame()? else { break };
        if sink.frame(rgb, voice.of(index, index + 1 == frames))?.is_break() {
            break;
        }
        bar.inc(1);
    }
    Ok(clip.done())
}
