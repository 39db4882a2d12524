//! `musetalk avatar create`: footage in, an avatar out.

mod bar;
mod options;
mod say;

use std::path::Path;
use std::time::Instant;

use musetalk_core::{
    Analysis, ClipFootage, Engine, Error, ErrorKind, FrameRate, FrameSource, Prepared, Preparer, Result,
};

use self::bar::Bar;
use crate::progress::Progress;
use crate::temp::{check_folder, check_room, write_whole};
use crate::{args, footage, report};

/// The clip of the footage that has no name of its own.
const FIRST: &str = "idle";

/// Footage on the command line: the name of the clip, and where it lies.
type Footage<'a> = (&'a str, &'a Path);

/// Prepares, and says what was decided.
pub(super) fn command(args: &args::Create) -> Result<()> {
    let named = args.clips.iter().map(|clip| (clip.name.as_str(), clip.footage.as_path()));
    let footage: Vec<Footage<'_>> = std::iter::once((FIRST, args.footage.as_path())).chain(named).collect();
    check(args, &footage)?;
    let started = Instant::now();
    let progress = Progress::suitable(args.json);
    let step = progress.step("loading the pack");
    let fps = musetalk_core::ModelPack::open(&args.pack)?.fps();
    step.say("opening the footage");
    let mut sources = open(args, &footage, fps)?;
    step.say("loading the pack");
    let mut builder = Engine::builder(&args.pack).device(args.device);
    if let Some(threads) = args.threads {
        builder = builder.threads(threads);
    }
    let preparer = Preparer::load(builder, options::of(args, fps))?;
    drop(step);
    let mut clips: Vec<ClipFootage<'_>> = footage
        .iter()
        .zip(&mut sources)
        .map(|((name, _), source)| ClipFootage::new(*name, source.as_mut()))
        .collect();
    let (prepared, looked) = prepare(args, preparer, &mut clips, progress).map_err(|e| match e.kind() {
        ErrorKind::Cancelled => Error::new(
            ErrorKind::Cancelled,
            "cancelled; no avatar was written. The same command goes on where this one stopped",
        ),
        _ => e,
    })?;
    if let Some(folder) = &args.report {
        say::write(folder, FIRST, &prepared.report, &prepared.sheet)?;
        for clip in &prepared.more {
            say::write(folder, &clip.name, &clip.report, &clip.sheet)?;
        }
    }
    say::done(args, &prepared, started.elapsed().as_secs_f64(), looked)
}

/// What would fail after minutes fails now.
fn check(args: &args::Create, footage: &[Footage<'_>]) -> Result<()> {
    let invalid = |what: String| Err(Error::new(ErrorKind::InvalidInput, what));
    for (at, (name, _)) in footage.iter().enumerate() {
        if footage[..at].iter().any(|(other, _)| other == name) {
            let of_first = if *name == FIRST { "; the first footage is the clip idle" } else { "" };
            return invalid(format!("two clips are named {name}{of_first}; give each a name of its own"));
        }
    }
    let paths: Vec<&Path> = footage.iter().map(|(_, path)| *path).collect();
    super::check_out(&args.out, &paths)?;
    check_room(&args.out)?;
    options::check(args)?;
    if args.fps.is_some() && !paths.iter().any(|path| path.is_dir()) {
        return invalid(
            "--fps says how fast the pictures of a folder were taken; a video brings its own rate, and a single picture has \
             none: leave --fps away"
                .to_owned(),
        );
    }
    if let Some(folder) = &args.report {
        check_folder("--report", folder)?;
        say::check_apart(folder, footage)?;
    }
    Ok(())
}

/// Opens all footage. What a folder holds beside its pictures is named, not dropped in silence.
fn open(args: &args::Create, footage: &[Footage<'_>], fps: FrameRate) -> Result<Vec<Box<dyn FrameSource>>> {
    let mut sources = Vec::new();
    for (_, path) in footage {
        sources.push(footage::open(path, fps, args.fps.unwrap_or(fps))?);
        if path.is_dir() && !args.json {
            report::ignored(path, &footage::ignored(path)?);
        }
    }
    Ok(sources)
}

/// Looks, decides and writes; also says how long the looking took.
fn prepare(
    args: &args::Create,
    preparer: Preparer,
    clips: &mut [ClipFootage<'_>],
    progress: Progress,
) -> Result<(Prepared, f64)> {
    let started = Instant::now();
    let mut bar = Bar::new(progress);
    let analysis = preparer.analyse_clips(clips, |at| bar.show(at))?;
    let looked = started.elapsed().as_secs_f64();
    if let Some(refusal) = analysis.refusal() {
        return Err(refused(args, analysis, clips, refusal, bar));
    }
    bar.looked();
    let prepared = analysis.write_clips(clips, &args.out, |at| bar.show(at))?;
    Ok((prepared, looked))
}

/// The refusal, with a picture of the best try.
fn refused(
    args: &args::Create,
    mut analysis: Analysis,
    clips: &mut [ClipFootage<'_>],
    refusal: Error,
    mut bar: Bar,
) -> Error {
    let last = analysis.clips().last().map(|(name, report)| (name.to_owned(), report.clone()));
    let clip =
        last.and_then(|(name, report)| Some((clips.iter_mut().find(|clip| clip.name == name)?, report)));
    let Some((clip, told)) = clip else { return refusal };
    bar.will_draw();
    let sheet = match analysis.clip_sheet(clip, |at| bar.show(at)) {
        Ok(sheet) => sheet,
        Err(e) if e.kind() == ErrorKind::Cancelled => return e,
        // The reason counts more than its picture.
        Err(_) => return refusal,
    };
    let (path, written) = match &args.report {
        Some(folder) => (say::sheet_in(folder, &clip.name), say::write(folder, &clip.name, &told, &sheet)),
        None => {
            let mut name = args.out.file_name().unwrap_or_default().to_owned();
            name.push(".refused.png");
            let path = args.out.with_file_name(name);
            let written = write_whole(&path, "the contact sheet", &sheet);
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
