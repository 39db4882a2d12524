//! `musetalk avatar from-parts`: pictures, boxes and masks in, an avatar out.

use musetalk_core::{AvatarAsset, AvatarParts, Engine, Result};

use super::check_out;
use crate::progress::Progress;
use crate::{args, report};

pub(super) fn command(args: &args::FromParts) -> Result<()> {
    check_out(&args.out, &[&args.parts])?;
    crate::temp::check_room(&args.out)?;
    let step = Progress::suitable(false).step("reading the pictures");
    let mut parts = AvatarParts::read(&args.parts)?;
    if let Some(name) = &args.name {
        parts.name = name.clone();
    }
    step.say("loading the pack");
    let engine = Engine::load(&args.pack)?;
    step.say("preparing every frame");
    let asset =
        AvatarAsset::write_parts(&engine, &parts, &args.out).map_err(|e| super::naming(&args.parts, e))?;
    drop(step);
    report::line(&format!("{} frames of {} in {}", asset.frames(), asset.name(), args.out.display()));
    Ok(())
}
