//! What `push` and `latest_at` cost without a door: the other half of `door.py`.
//!
//! `cargo run --release -p musetalk-python --example door -- models/demo`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use musetalk_core::{AvatarOptions, Device, Engine, Result};

/// Calls that are measured; as in `door.py`.
const CALLS: usize = 20_000;
/// 20 ms at 24 kHz.
const CHUNK: usize = 480;

fn main() -> Result<()> {
    let demo = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "models/demo".to_owned()));
    let engine = Engine::builder(demo.join("pack")).device(Device::Cpu).threads(1).build()?;
    let mut options = AvatarOptions::default();
    // Room for all of it, however late the engine takes it.
    options.buffer_seconds = 600;
    let mut avatar = engine.open_avatar_with(demo.join("iris.avatar"), options)?;
    // Silence: the networks have nothing to do, and what is left is the calls.
    let chunk = vec![0.0; CHUNK];
    let interrupter = avatar.interrupter();
    let mut pushing = Vec::with_capacity(CALLS);
    for call in 0..CALLS {
        if call % 1000 == 0 {
            interrupter.interrupt();
            avatar.begin()?;
        }
        let start = Instant::now();
        avatar.push(&chunk)?;
        pushing.push(start.elapsed());
    }
    interrupter.interrupt();
    let mut looking = Vec::with_capacity(CALLS);
    while looking.len() < CALLS {
        let start = Instant::now();
        let frame = avatar.latest_at(None)?;
        // Drawing is the same on both sides of the door.
        if frame.is_none() {
            looking.push(start.elapsed());
        }
    }
    println!("push {:?}, latest_at {:?} a call (medians)", median(pushing), median(looking));
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
