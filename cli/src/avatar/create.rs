//! `musetalk avatar create`: footage in, an avatar out.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::time::Instant;

use indicatif::ProgressBar;
use musetalk_core::{
    Analysis, Engine, Error, ErrorKind, FaceMask, FrameRate, FrameSource, Idle, Key, PreparationReport,
    PrepareOptions, PrepareStep, Prepared, Preparer, Preparing, Result,
};
use serde_json::{Value, json};

use crate::progress::Progress;
use crate::temp::Temp;
use crate::{args, cancel, footage, report};

/// Prepares, and says what was decided.
pub(super) fn command(args: &args::Create) -> Result<()> {
    super::check_out(&args.out, &[&args.footage])?;
    check_room(&args.out)?;
    let started = Instant::now();
    let progress = Progress::suitable(args.json);
    let step = progress.step("loading the pack");
    let fps = musetalk_core::ModelPack::open(&args.pack)?.fps();
    step.say("opening the footage");
    let mut source = footage::open(&args.footage, fps, args.fps.unwrap_or(fps))?;
    step.say("loading the pack");
    let mut builder = Engine::builder(&args.pack).device(args.device);
    if let Some(threads) = args.threads {
        builder = builder.threads(threads);
    }
    let preparer = Preparer::load(builder, options(args, fps)?)?;
    drop(step);
    let (prepared, looked) =
        prepare(args, preparer, source.as_mut(), progress).map_err(|e| match e.kind() {
            ErrorKind::Cancelled => Error::new(
                ErrorKind::Cancelled,
                "cancelled; no avatar was written. The same command goes on where this one stopped",
            ),
            _ => e,
        })?;
    if let Some(folder) = &args.report {
        write_report(folder, &prepared.report, &prepared.sheet)?;
    }
    say(args, &prepared.report, started.elapsed().as_secs_f64(), looked)
}

/// Looks, decides and writes; also says how long the looking took.
fn prepare(
    args: &args::Create,
    preparer: Preparer,
    source: &mut dyn FrameSource,
    progress: Progress,
) -> Result<(Prepared, f64)> {
    let started = Instant::now();
    let mut bar = Bar::new(progress);
    let analysis = preparer.analyse(source, |at| bar.show(at))?;
    let looked = started.elapsed().as_secs_f64();
    if let Some(refusal) = analysis.refusal() {
        return Err(refused(args, analysis, source, refusal, bar));
    }
    let prepared = analysis.write(source, &args.out, |at| bar.show(at))?;
    Ok((prepared, looked))
}

/// The refusal, with a picture of the best try.
fn refused(
    args: &args::Create,
    mut analysis: Analysis,
    source: &mut dyn FrameSource,
    refusal: Error,
    mut bar: Bar,
) -> Error {
    let sheet = match analysis.sheet(source, |at| bar.show(at)) {
        Ok(sheet) => sheet,
        Err(e) if e.kind() == ErrorKind::Cancelled => return e,
        // The reason counts more than its picture.
        Err(_) => return refusal,
    };
    let (path, written) = match &args.report {
        Some(folder) => (folder.join("sheet.png"), write_report(folder, analysis.report(), &sheet)),
        None => {
            let mut name = args.out.file_name().unwrap_or_default().to_owned();
            name.push(".refused.png");
            let path = args.out.with_file_name(name);
            let written = write_whole(&path, &sheet);
            (path, written)
        }
    };
    match written {
        Ok(()) => {
            Error::new(refusal.kind(), format!("{refusal}. What was seen is drawn in {}", path.display()))
        }
        Err(_) => refusal,
    }
}

fn say(args: &args::Create, done: &PreparationReport, seconds: f64, looked: f64) -> Result<()> {
    let bytes = std::fs::metadata(&args.out).map_err(|e| Error::io("read the avatar", &args.out, e))?.len();
    let rate = done.frames.len() as f64 / seconds.max(1e-9);
    if args.json {
        let mut line: Value = serde_json::from_str(&done.json()).unwrap_or_default();
        if let Some(object) = line.as_object_mut() {
            // One line is for a glance; every frame stands in the report.
            object.remove("each");
            object.insert("out".into(), json!(args.out.display().to_string()));
            object.insert("bytes".into(), json!(bytes));
            object.insert("seconds".into(), json!(seconds));
            object.insert("seconds_looking".into(), json!(looked));
            object.insert("frames_per_second".into(), json!(rate));
        }
        report::line(&line.to_string());
        return Ok(());
    }
    done.notes().iter().for_each(|note| report::note(note));
    report::note(&format!("{seconds:.1} s, {rate:.1} frames/s"));
    if let Some(folder) = &args.report {
        report::note(&format!("what was decided, frame by frame: {}", folder.join("sheet.png").display()));
    }
    report::line(&format!(
        "{} frames in {}, {}",
        done.used.len(),
        args.out.display(),
        crate::pack::size(bytes)
    ));
    Ok(())
}

/// Something can be written there; before minutes of work.
fn check_room(out: &Path) -> Result<()> {
    let temp = Temp::beside(out)?;
    match std::fs::File::create(temp.path()) {
        Ok(_) => Ok(()),
        Err(e) => Err(Error::io("write beside --out", out, e)),
    }
}

fn options(args: &args::Create, fps: FrameRate) -> Result<PrepareOptions> {
    let mut options = PrepareOptions::default();
    let stem = args.out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    options.name = args.name.clone().unwrap_or(stem);
    options.bbox_shift = args.bbox_shift;
    options.extra_margin = args.extra_margin;
    let (left, right) = args.cheek_width;
    options.mask = match args.mask {
        args::CreateMask::Jaw | args::CreateMask::Landmarks => FaceMask::Jaw { left, right },
        args::CreateMask::Neck => FaceMask::Neck,
        args::CreateMask::Raw => FaceMask::Raw,
    };
    options.mask_of_landmarks = args.mask == args::CreateMask::Landmarks;
    options.idle = match args.idle {
        args::CreateIdle::Auto => Idle::Auto,
        args::CreateIdle::Closed => Idle::Closed,
        args::CreateIdle::Footage => Idle::Footage,
    };
    options.key = args.key.map(|key| match key {
        args::CreateKey::Green => Key::Green,
        args::CreateKey::Blue => Key::Blue,
    });
    options.range = args.range.as_ref().map(|range| frames(range, fps));
    options.max_frames = args.max_frames;
    options.reference = args.reference;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(args.out.file_name().unwrap_or_default());
    hidden.push(".work");
    options.work_file = Some(args.out.with_file_name(hidden));
    Ok(options)
}

/// Seconds to frames.
fn frames(range: &Range<f64>, fps: FrameRate) -> Range<u64> {
    let rate = f64::from(fps.numerator()) / f64::from(fps.denominator());
    let at = |seconds: f64| (seconds * rate).round() as u64;
    at(range.start)..at(range.end).max(at(range.start).saturating_add(1))
}

fn write_report(folder: &Path, done: &PreparationReport, sheet: &[u8]) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create the folder", folder, e))?;
    write_whole(&folder.join("report.json"), done.json().as_bytes())?;
    write_whole(&folder.join("sheet.png"), sheet)
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let temp = Temp::beside(path)?;
    std::fs::write(temp.path(), bytes).map_err(|e| Error::io("write the report", path, e))?;
    temp.keep_as(path)
}

/// A line for each step, and Ctrl-C.
struct Bar {
    progress: Progress,
    step: Option<PrepareStep>,
    bar: ProgressBar,
}

impl Bar {
    fn new(progress: Progress) -> Self {
        Self { progress, step: None, bar: ProgressBar::hidden() }
    }

    fn show(&mut self, at: Preparing) -> ControlFlow<()> {
        if self.step != Some(at.step) {
            self.bar.finish_and_clear();
            let what = match at.step {
                PrepareStep::Looking => "1 of 2, looking:",
                _ => "2 of 2, writing:",
            };
            self.bar = self.progress.frames(what, at.total);
            self.step = Some(at.step);
        }
        // Containers round: what was counted is true, what they state is not.
        if at.total.is_some_and(|total| at.done > total) {
            self.bar.set_length(at.done);
        }
        self.bar.set_position(at.done);
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
