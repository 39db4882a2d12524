//! What was decided, on the screen and in files.

use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, PreparationReport, Prepared, Result};
use serde_json::{Value, json};

use super::{FIRST, Footage};
use crate::temp::write_whole;
use crate::{args, report};

/// Where the contact sheet of a clip goes.
pub(super) fn sheet_in(folder: &Path, clip: &str) -> PathBuf {
    file_in(folder, "sheet", clip, "png")
}

fn file_in(folder: &Path, what: &str, clip: &str, ending: &str) -> PathBuf {
    let name = if clip == FIRST { format!("{what}.{ending}") } else { format!("{what}-{clip}.{ending}") };
    folder.join(name)
}

/// Writes report and sheet of a clip.
pub(super) fn write(folder: &Path, clip: &str, told: &PreparationReport, sheet: &[u8]) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create the folder", folder, e))?;
    write_whole(&file_in(folder, "report", clip, "json"), "the report", told.json().as_bytes())?;
    write_whole(&sheet_in(folder, clip), "the contact sheet", sheet)
}

/// A sheet among the pictures would be footage the next time, and none may take the place of what is read.
pub(super) fn check_apart(folder: &Path, footage: &[Footage<'_>]) -> Result<()> {
    let place = |path: &Path| path.canonicalize().ok();
    for (_, source) in footage {
        let read = place(source);
        let written = footage.iter().map(|(name, _)| sheet_in(folder, name)).chain([folder.to_owned()]);
        if read.is_some() && written.into_iter().any(|written| place(&written) == read) {
            let sentence =
                format!("--report lies where this command reads; write elsewhere: {}", source.display());
            return Err(Error::new(ErrorKind::InvalidInput, sentence));
        }
    }
    Ok(())
}

/// After everything is written.
pub(super) fn done(args: &args::Create, done: &Prepared, seconds: f64, looked: f64) -> Result<()> {
    let bytes = std::fs::metadata(&args.out).map_err(|e| Error::io("read the avatar", &args.out, e))?.len();
    let more = done.more.iter().map(|clip| (clip.name.as_str(), &clip.report));
    let clips: Vec<(&str, &PreparationReport)> = std::iter::once((FIRST, &done.report)).chain(more).collect();
    let rate = clips.iter().map(|(_, told)| told.frames.len()).sum::<usize>() as f64 / seconds.max(1e-9);
    if args.json {
        let mut line = short(&done.report);
        line.insert("out".into(), json!(args.out.display().to_string()));
        line.insert("bytes".into(), json!(bytes));
        line.insert("seconds".into(), json!(seconds));
        line.insert("seconds_looking".into(), json!(looked));
        line.insert("frames_per_second".into(), json!(rate));
        let named = |(name, told): &(&str, &PreparationReport)| {
            let mut clip = short(told);
            clip.insert("name".into(), json!(name));
            Value::Object(clip)
        };
        line.insert("clips".into(), clips.iter().map(named).collect());
        report::line(&Value::Object(line).to_string());
        return Ok(());
    }
    for (name, told) in &clips {
        let whose = if clips.len() == 1 { String::new() } else { format!("{name}: ") };
        told.notes().iter().for_each(|note| report::note(&format!("{whose}{note}")));
    }
    report::note(&format!("{seconds:.1} s, {rate:.1} frames/s"));
    for (name, _) in args.report.iter().flat_map(|_| &clips) {
        let sheet = args.report.as_ref().map(|folder| sheet_in(folder, name));
        sheet.iter().for_each(|sheet| {
            report::note(&format!("what was decided, frame by frame: {}", sheet.display()));
        });
    }
    let used: usize = clips.iter().map(|(_, told)| told.used.len()).sum();
    let of_clips = if clips.len() == 1 { String::new() } else { format!(" of {} clips", clips.len()) };
    report::line(&format!("{used} frames{of_clips} in {}, {}", args.out.display(), crate::pack::size(bytes)));
    Ok(())
}

/// A report for a glance; every frame stands in the file.
fn short(told: &PreparationReport) -> serde_json::Map<String, Value> {
    let whole: Value = serde_json::from_str(&told.json()).unwrap_or_default();
    let Value::Object(mut object) = whole else { return serde_json::Map::new() };
    object.remove("each");
    object
}
