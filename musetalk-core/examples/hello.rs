//! Ten lines: a voice in, a face out. `cargo run --release -p musetalk-core --example hello`

use musetalk_core::{Engine, Frame, Result};

fn main() -> Result<()> {
    let engine = Engine::load("models/demo/pack")?;
    let mut avatar = engine.open_avatar("models/demo/iris.avatar")?;

    avatar.push(&voice())?;
    avatar.finish()?;

    while let Some(frame) = avatar.next_frame()? {
        show(&frame);
    }
    Ok(())
}

/// Two seconds of a buzz that swells four times a second, at 24 000 Hz: enough to move a mouth.
fn voice() -> Vec<f32> {
    let sample = |n: i32| {
        let t = n as f32 / 24_000.0;
        let buzz: f32 =
            (1..20).map(|k| (std::f32::consts::TAU * 120.0 * k as f32 * t).sin() / k as f32).sum();
        0.2 * buzz * (0.5 - 0.5 * (std::f32::consts::TAU * 4.0 * t).cos())
    };
    (0..48_000).map(sample).collect()
}

fn show(frame: &Frame) {
    println!(
        "frame {:2} at {:?}: {}×{}, {} samples of sound, {:?} differs from the footage",
        frame.utterance_frame(),
        frame.pts(),
        frame.width(),
        frame.height(),
        frame.audio().len(),
        frame.region()
    );
}
