//! `musetalk avatar rebuild`: the same person for another pack.

use std::ops::ControlFlow;

use musetalk_core::{AvatarAsset, Engine, Result};

use super::check_out;
use crate::progress::Progress;
use crate::{args, cancel, report};

pub(super) fn command(args: &args::Rebuild) -> Result<()> {
    // What is read stays open until the new file takes its name, which may be the same.
    check_out(&args.out, &[])?;
    crate::temp::check_room(&args.out)?;
    let asset = AvatarAsset::open(&args.path)?;
    let bar = Progress::suitable(false).pictures(Some(u64::from(asset.frames())));
    let closed = args.idle.map(|idle| idle == args::RebuildIdle::Closed);
    let pack = Engine::builder(&args.pack).device(args.device);
    let rebuilt = asset.rebuild(pack, closed, &args.out, |done, _| {
        bar.set_position(done.into());
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    rebuilt?;
    report::line(&format!("{} frames of {} in {}", asset.frames(), asset.name(), args.out.display()));
    Ok(())
}
