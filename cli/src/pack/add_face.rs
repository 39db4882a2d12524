//! `musetalk pack add-face`: networks that find faces, for a pack that has none.

use musetalk_core::{Engine, Error, Result};
use musetalk_models::FaceAdder;
use serde_json::json;

use crate::progress::Progress;
use crate::{args, report, setup};

/// Checks both files, runs them once, and writes the pack.
pub(super) fn command(args: &args::AddFace) -> Result<()> {
    let progress = Progress::suitable(args.json);
    let step = progress.step("checking the networks");
    if musetalk_core::runtime::search(None).found.is_none() {
        setup::ensure_runtime(progress)?;
    }
    let adder = FaceAdder::new(&args.pack, &args.detector, &args.landmarks);
    let folder = adder.add(args.out.as_deref(), |staged| {
        step.say("running them once");
        let tried = Engine::builder(staged).device(musetalk_core::Device::Cpu).try_faces();
        tried.map_err(|e| {
            let sentence = format!("{e}: {} and {}", args.detector.display(), args.landmarks.display());
            Error::new(e.kind(), sentence).caused_by(e)
        })
    })?;
    drop(step);
    if args.json {
        report::line(&json!({ "pack": folder.display().to_string() }).to_string());
    } else {
        report::line(&format!("face_detector and face_landmarks are in {}", folder.display()));
    }
    Ok(())
}
