//! `build FROM OUT [--floats] [--fp16]`: a pack from a folder of checkpoints. `build --tiny SEED DIR`: a checkpoint for tests.

use std::ops::ControlFlow;

fn main() -> musetalk_models::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--tiny", seed, folder] => {
            musetalk_models::tiny::write_checkpoint(folder, seed.parse().unwrap_or(0))
        }
        [from, out, ref options @ ..] => {
            let mut builder = musetalk_models::PackBuilder::new(from).replace(true);
            if options.contains(&"--floats") {
                builder = builder.with_float_decoder();
            }
            if options.contains(&"--fp16") {
                builder = builder.precision(musetalk_models::Precision::Fp16);
            }
            let built = builder.build(out, |_| ControlFlow::Continue(()))?;
            println!("{} parameters, {} bytes: {}", built.parameters, built.bytes, built.folder.display());
            Ok(())
        }
        _ => {
            println!("usage: build FROM OUT [--floats] [--fp16] | build --tiny SEED DIR");
            Ok(())
        }
    }
}
