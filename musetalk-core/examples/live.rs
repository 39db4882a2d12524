//! Two threads and a clock, as in a game: sound arrives while pictures are shown, and is then interrupted.
//! `cargo run --release -p musetalk-core --example live`

use std::time::{Duration, Instant};

use musetalk_core::{Engine, Heard, Result};

fn main() -> Result<()> {
    let engine = Engine::load("models/demo/pack")?;
    let avatar = engine.open_avatar("models/demo/iris.avatar")?;
    let interrupter = avatar.interrupter();
    let (mut ears, mut face) = avatar.split();

    // The network thread: 20 ms of sound every 20 ms, until somebody interrupts.
    let talker = std::thread::spawn(move || {
        for chunk in voice(5).chunks(480) {
            if ears.push(chunk).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });

    // The render thread: 60 pictures a second. The sound starts once the first frames are ready.
    let opened = Instant::now();
    let mut sound = None;
    while opened.elapsed() < Duration::from_secs(3) {
        if sound.is_none() {
            sound = face.ready()?.map(|ready| (ready.utterance, Instant::now()));
        }
        let heard = sound
            .map(|(utterance, since)| Heard { utterance, samples: since.elapsed().as_millis() as u64 * 24 });
        if let Some(frame) = face.latest_at(heard)? {
            println!("{:?}: {:?} frame {}", opened.elapsed(), frame.utterance(), frame.utterance_frame());
        }
        if opened.elapsed() > Duration::from_secs(2) {
            interrupter.interrupt();
        }
        std::thread::sleep(Duration::from_millis(16));
    }
    println!("{:?}", face.stats());
    drop(talker.join());
    Ok(())
}

/// A buzz that swells four times a second, at 24 000 Hz.
fn voice(seconds: usize) -> Vec<f32> {
    let sample = |n: usize| {
        let t = n as f32 / 24_000.0;
        let buzz: f32 =
            (1..20).map(|k| (std::f32::consts::TAU * 120.0 * k as f32 * t).sin() / k as f32).sum();
        0.2 * buzz * (0.5 - 0.5 * (std::f32::consts::TAU * 4.0 * t).cos())
    };
    (0..seconds * 24_000).map(sample).collect()
}
