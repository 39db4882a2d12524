//! SHA-256, as `sha256sum` writes it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Outcome, failed};

/// The digest of a file, in small hexadecimal letters.
pub(crate) fn of(path: &Path) -> Outcome<String> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut block).map_err(failed("read", path))?;
        if count == 0 {
            break;
        }
        digest.update(&block[..count]);
    }
    Ok(letters(digest))
}

/// The digest of a text.
pub(crate) fn of_text(text: &str) -> String {
    letters(Sha256::new_with_prefix(text))
}

fn letters(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
