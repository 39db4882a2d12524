//! How long opening a pack takes: `cargo run --release -p musetalk-core --example open -- PACK` prints one line of JSON.

use std::time::Instant;

use musetalk_core::{Engine, Error, ErrorKind, Result};

fn main() -> Result<()> {
    let pack = std::env::args_os()
        .nth(1)
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "name the folder of a pack"))?;
    let started = Instant::now();
    let _engine = Engine::load(pack)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{{\"seconds\": {seconds:.3}}}");
    Ok(())
}
