//! The C header: generated from `ffi/src`, committed, compared.

use std::fs;
use std::path::Path;

use crate::Outcome;

const HEADER: &str = "include/musetalk.h";

/// Writes it.
///
/// # Errors
///
/// The sources cannot be understood, or the file cannot be written.
pub fn write(root: &Path) -> Outcome {
    let path = root.join(HEADER);
    fs::write(&path, generate(root)?).map_err(|e| format!("could not write {}: {e}", path.display()))?;
    println!("{HEADER}");
    Ok(())
}

/// Compares it.
///
/// # Errors
///
/// It differs; the sentence names the line and what to do.
pub fn check(root: &Path) -> Outcome {
    let path = root.join(HEADER);
    let committed =
        fs::read_to_string(&path).map_err(|e| format!("could not read {}: {e}", path.display()))?;
    let generated = generate(root)?;
    if committed.replace("\r\n", "\n") == generated {
        return Ok(());
    }
    let differs = committed.lines().zip(generated.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| committed.lines().count().min(generated.lines().count())) + 1;
    Err(format!("{HEADER}:{line} is not what ffi/src says; run `cargo xtask header`"))
}

fn generate(root: &Path) -> Result<String, String> {
    let config = root.join("ffi/cbindgen.toml");
    let config = cbindgen::Config::from_file(&config).map_err(|e| format!("{}: {e}", config.display()))?;
    let mut builder = cbindgen::Builder::new().with_config(config);
    // In reading order: what is defined first is shown first.
    for file in [
        "version",
        "status",
        "engine",
        "avatar",
        "avatar/clips",
        "avatar/push",
        "avatar/read",
        "avatar/stats",
        "frame",
        "realtime/options",
        "realtime/event",
        "realtime",
        "callback",
        "wake",
        "log",
    ] {
        let path = root.join("ffi/src").join(file).with_extension("rs");
        builder = builder.with_src(path);
    }
    let bindings = builder.generate().map_err(|e| format!("cbindgen: {e}"))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).map_err(|e| format!("cbindgen wrote no UTF-8: {e}"))
}
