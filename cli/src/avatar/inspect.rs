//! `musetalk avatar inspect`: what an avatar holds, in words, in JSON and in pictures.

use std::ops::ControlFlow;
use std::path::Path;

use musetalk_core::{AvatarAsset, Clip, Error, ErrorKind, Result};
use serde_json::json;

use crate::pack::size;
use crate::progress::Progress;
use crate::temp::write_whole;
use crate::{args, cancel, report};

pub(super) fn command(args: &args::InspectAvatar) -> Result<()> {
    let asset = AvatarAsset::open(&args.path)?;
    if args.verify {
        verify(&asset, args.json)?;
    }
    if let Some(path) = &args.sheet {
        draw(&asset, &args.path, path)?;
    }
    if args.json {
        say_json(&asset, args.verify)
    } else {
        say(&asset, args.verify)
    }
    Ok(())
}

fn verify(asset: &AvatarAsset, json: bool) -> Result<()> {
    let bar = Progress::suitable(json).pictures(Some(u64::from(asset.frames())));
    let verified = asset.verify(|done, _| {
        bar.set_position(done.into());
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    verified
}

fn draw(asset: &AvatarAsset, avatar: &Path, path: &Path) -> Result<()> {
    // Neither a link nor another spelling may lead to the avatar itself.
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    if place(path).is_some_and(|place_of| Some(place_of) == place(avatar)) {
        let text = format!("--sheet names the avatar itself; name another file: {}", path.display());
        return Err(Error::new(ErrorKind::InvalidInput, text));
    }
    write_whole(path, "the contact sheet", &asset.contact_sheet()?)
}

fn seconds(asset: &AvatarAsset, frames: u32) -> f64 {
    asset.fps().time_of(u64::from(frames)).as_secs_f64()
}

fn say_json(asset: &AvatarAsset, verified: bool) {
    let fps = asset.fps();
    let clip = |clip: &Clip| json!({ "name": clip.name(), "frames": clip.frames(), "seconds": seconds(asset, clip.frames()) });
    let face = asset.face_box(0);
    let line = json!({
        "name": asset.name(),
        "made_by": asset.made_by(),
        "frames": asset.frames(),
        "width": asset.width(),
        "height": asset.height(),
        "fps": [fps.numerator(), fps.denominator()],
        "seconds": seconds(asset, asset.frames()),
        "clips": asset.clips().iter().map(clip).collect::<Vec<_>>(),
        "alpha": asset.has_alpha(),
        "closed_mouths": asset.has_closed_mouths(),
        "face_box": [face.x1, face.y1, face.x2, face.y2],
        "encoder": asset.encoder_identity(),
        "bytes": asset.file_bytes(),
        "verified": verified,
    });
    report::line(&line.to_string());
}

fn say(asset: &AvatarAsset, verified: bool) {
    report::one_line(&format!("avatar     {}", asset.name()));
    report::line(&format!(
        "footage    {} frames, {:.2} s, {}x{}{}",
        asset.frames(),
        seconds(asset, asset.frames()),
        asset.width(),
        asset.height(),
        if asset.has_alpha() { ", with a matte" } else { "" }
    ));
    for clip in asset.clips() {
        let length = seconds(asset, clip.frames());
        report::one_line(&format!("clip       {}, {} frames, {length:.2} s", clip.name(), clip.frames()));
    }
    report::line(&format!(
        "idle       {}",
        if asset.has_closed_mouths() { "mouths closed by the pack" } else { "the footage as it is" }
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
    report::one_line(&format!("made by    {}", asset.made_by()));
    report::line(&format!(
        "file       {}{}",
        size(asset.file_bytes()),
        if verified { ", every byte as it was written" } else { "" }
    ));
}
