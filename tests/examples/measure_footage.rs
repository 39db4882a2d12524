//! What a long avatar costs: its file, opening it, a picture of its footage, and a second session.
//!
//! `cargo run -p musetalk-tests --example measure_footage -- PACK AVATAR [PARTS]`, which makes the avatar of a folder of parts first.

use std::time::Instant;

use musetalk_core::{AvatarAsset, AvatarOptions, AvatarParts, Engine, PixelFormat, Result};

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let (pack, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let engine = Engine::load(pack)?;
    if let Some(parts) = words.next() {
        let parts = AvatarParts::read(parts)?;
        let started = Instant::now();
        let frames = AvatarAsset::write_parts(&engine, &parts, &path)?.frames();
        println!("written in {:?} a frame, the encoder's two calls included", started.elapsed() / frames);
    }
    let started = Instant::now();
    let asset = AvatarAsset::open(&path)?;
    println!(
        "{:.1} MB, {} frames, index in {:?}",
        asset.file_bytes() as f64 / 1e6,
        asset.frames(),
        started.elapsed()
    );
    drop(asset);
    let started = Instant::now();
    let mut avatar = engine.open_avatar(&path)?;
    let frame = avatar.paced()?;
    println!("to first frame {:?}", started.elapsed());
    drop(frame);
    let asset = AvatarAsset::open(&path)?;
    for format in [PixelFormat::Rgb8, PixelFormat::Rgba8] {
        let bytes = asset.width() as usize * asset.height() as usize * format.bytes();
        let mut out = vec![0; bytes];
        let started = Instant::now();
        for frame in 0..asset.frames() {
            asset.copy_base_frame(frame, format, &mut out)?;
        }
        println!("{format:?} {:?} a frame, with a copy", started.elapsed() / asset.frames());
    }
    let started = Instant::now();
    asset.verify(|_, _| std::ops::ControlFlow::Continue(()))?;
    println!("verify {:?} a frame", started.elapsed() / asset.frames());
    // Idle for two seconds each, by the clock.
    let mut sessions = Vec::new();
    for count in 0..3 {
        let before = resident();
        let mut avatar = engine.open_avatar_with(&path, AvatarOptions::default())?;
        let mut longest = std::time::Duration::ZERO;
        for _ in 0..50 {
            let started = Instant::now();
            drop(avatar.paced()?);
            longest = longest.max(started.elapsed());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        sessions.push(avatar);
        println!("session {count}: {} kB more, longest call {longest:?}", resident() - before);
    }
    Ok(())
}

fn resident() -> i64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}
