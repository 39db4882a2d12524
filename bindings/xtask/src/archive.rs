//! A folder as a zip whose bytes depend on nothing but what is in it: no clock, no owner, no order of a file system.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::{Outcome, failed, uplugin};

/// Packs everything in `folder` below `inside/` into the new file `to`. Links stay links.
pub(crate) fn pack(folder: &Path, inside: &str, to: &Path) -> Outcome {
    let wrong = |what: String| format!("could not write {}: {what}", to.display());
    let file = File::create_new(to).map_err(failed("create", to))?;
    let mut zip = ZipWriter::new(BufWriter::new(file));
    // The first moment that a zip can tell.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::DEFAULT);
    for file in uplugin::list(folder)? {
        let path = folder.join(&file);
        let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
        let name = format!("{inside}/{}", parts.join("/"));
        let options = options.unix_permissions(if is_library(&name) { 0o755 } else { 0o644 });
        if path.is_symlink() {
            let target = fs::read_link(&path).map_err(failed("read", &path))?;
            let target = target.to_str().ok_or_else(|| wrong(format!("{name} leads to no text")))?;
            zip.add_symlink(name, target, options).map_err(|e| wrong(e.to_string()))?;
        } else {
            zip.start_file(name, options).map_err(|e| wrong(e.to_string()))?;
            let mut from = File::open(&path).map_err(failed("open", &path))?;
            io::copy(&mut from, &mut zip).map_err(|e| wrong(e.to_string()))?;
        }
    }
    let mut file = zip.finish().map_err(|e| wrong(e.to_string()))?;
    file.flush().map_err(failed("write", to))?;
    let file = file.into_inner().map_err(|e| wrong(e.to_string()))?;
    file.sync_all().map_err(failed("write", to))
}

/// Shared libraries are marked as such where programs are.
fn is_library(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.ends_with(".so") || file.contains(".so.") || file.ends_with(".dylib")
}
