//! The notices of everything that is linked into what is shipped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// One text with the licences of all crates that `package` links, build tools aside.
pub(crate) fn of(package: &str) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--format-version", "1", "--locked"]);
    let out = metadata.output().map_err(|e| format!("cargo metadata could not be started: {e}"))?;
    if !out.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&out.stderr)));
    }
    let metadata: Value = serde_json::from_slice(&out.stdout).map_err(|e| e.to_string())?;
    let packages: BTreeMap<&str, &Value> =
        list(&metadata["packages"]).filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let start = packages.iter().find(|(_, known)| known["name"] == package);
    let mut open = vec![*start.ok_or_else(|| format!("no package is called {package}"))?.0];
    let mut linked = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !linked.insert(id) {
            continue;
        }
        for dependency in nodes.get(id).into_iter().flat_map(|node| list(&node["deps"])) {
            // A kind of `null` is linked; `build` and `dev` are not.
            if list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null()) {
                open.extend(dependency["pkg"].as_str());
            }
        }
    }
    let mut text = String::from("# What is linked into this package, and under which licences\n");
    let mut known: Vec<&&Value> = linked.iter().filter_map(|id| packages.get(id)).collect();
    known.sort_by_key(|package| package["name"].as_str());
    for package in known.into_iter().filter(|package| !package["source"].is_null()) {
        let word = |key: &str| package[key].as_str().unwrap_or("").to_owned();
        text += &format!("\n## {} {}: {}\n\n", word("name"), word("version"), word("license"));
        let folder = Path::new(package["manifest_path"].as_str().unwrap_or("")).parent().map(notices);
        for notice in folder.unwrap_or_default() {
            text += &format!("```text\n{}\n```\n\n", notice.trim());
        }
    }
    Ok(text)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The files in which a crate says what must be said. Of two licences to choose from, the text of the Apache licence is not repeated: it is
/// in the package once.
fn notices(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let notice = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"].iter().any(|start| name.starts_with(start))
            && !name.contains("APACHE")
    };
    files
        .retain(|path| path.is_file() && path.file_name().and_then(|name| name.to_str()).is_some_and(notice));
    files.iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
}
