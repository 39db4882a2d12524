//! `musetalk avatar`: preparing people, and reading what was prepared.

mod create;

use musetalk_core::{AvatarAsset, AvatarParts, Engine, Error, ErrorKind, Result};
use serde_json::json;

use crate::args;
use crate::pack::size;
use crate::progress::Progress;
use crate::report;

/// Runs one of its commands.
///
/// # Errors
///
/// Of the kinds of [`AvatarAsset::open`], [`AvatarParts::read`] and [`AvatarAsset::write_parts`].
pub fn command(args: &args::Avatar) -> Result<()> {
    match args {
        args::Avatar::Create(args) => create::command(args),
        args::Avatar::Inspect(args) => inspect(args),
        args::Avatar::FromParts(args) => from_parts(args),
    }
}

fn inspect(args: &args::Inspect) -> Result<()> {
    let asset = AvatarAsset::open(&args.path)?;
    let bytes = std::fs::metadata(&args.path).map_err(|e| Error::io("read the avatar", &args.path, e))?.len();
    let fps = asset.fps();
    let seconds = fps.time_of(u64::from(asset.frames())).as_secs_f64();
    if args.json {
        let line = json!({
            "name": asset.name(),
            "frames": asset.frames(),
            "width": asset.width(),
            "height": asset.height(),
            "fps": [fps.numerator(), fps.denominator()],
            "seconds": seconds,
            "encoder": asset.encoder_identity(),
            "bytes": bytes,
        });
        report::line(&line.to_string());
        return Ok(());
    }
    report::one_line(&format!("avatar     {}", asset.name()));
    report::line(&format!(
        "footage    {} frames, {seconds:.2} s, {}x{}",
        asset.frames(),
        asset.width(),
        asset.height()
    ));
    let face = asset.face_box(0);
    report::line(&format!(
        "face       {}x{} pixels at {}, {} in the first frame",
        face.width(),
        face.height(),
        face.x1,
        face.y1
    ));
    report::one_line(&format!("encoder    {}", asset.encoder_identity()));
    report::line(&format!("file       {}", size(bytes)));
    Ok(())
}

fn from_parts(args: &args::FromParts) -> Result<()> {
    if args.out.is_dir() {
        let sentence =
            format!("--out is a folder; name the file, such as face.avatar: {}", args.out.display());
        return Err(Error::new(ErrorKind::InvalidInput, sentence));
    }
    let step = Progress::suitable(false).step("reading the pictures");
    let mut parts = AvatarParts::read(&args.parts)?;
    if let Some(name) = &args.name {
        parts.name = name.clone();
    }
    step.say("loading the pack");
    let engine = Engine::load(&args.pack)?;
    step.say("preparing every frame");
    let asset = AvatarAsset::write_parts(&engine, &parts, &args.out)?;
    drop(step);
    report::line(&format!("{} frames of {} in {}", asset.frames(), asset.name(), args.out.display()));
    Ok(())
}
