//! `build FROM OUT [--floats]`: a pack from a folder of checkpoints. `build --tiny SEED DIR`: a checkpoint for tests.

use std::ops::ControlFlow;

fn main() -> musetalk_models::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--tiny", seed, folder] => {
            musetalk_models::tiny::write_checkpoint(folder, seed.parse().unwrap_or(0))
        }
        [from, out, ..] => {
            let mut builder = musetalk_models::PackBuilder::new(from).replace(true);
            if words.len() > 2 {
                builder = builder.with_float_decoder();
            }
            let built = builder.build(out, |_| ControlFlow::Continue(()))?;
            println!("{} parameters, {} bytes: {}", built.parameters, built.bytes, built.folder.display());
            Ok(())
        }
        _ => {
            println!("usage: build FROM OUT [--floats] | build --tiny SEED DIR");
            Ok(())
        }
    }
}
