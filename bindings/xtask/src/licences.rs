//! The licences of everything that is linked into a library: what a host must ship beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Outcome;
use crate::install::metadata;

/// The crates that `package` is built from on this system, without what only builds or tests it, and the text of every licence
/// that they come with.
///
/// # Errors
///
/// Cargo could not say what is linked.
pub fn of(root: &Path, package: &str) -> Outcome<String> {
    let metadata = metadata(root, &["--filter-platform", host().as_str()])?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let nodes: BTreeMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|node| (text(&node["id"]), node)).collect();
    let start = packages.iter().find(|(_, known)| known["name"] == package);
    let mut open = vec![start.ok_or_else(|| format!("the workspace has no package {package}"))?.0.clone()];
    let mut linked = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !linked.insert(id.clone()) {
            continue;
        }
        for dependency in list(&nodes[&id]["deps"]) {
            // A kind of null is an ordinary dependency.
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                open.push(text(&dependency["pkg"]));
            }
        }
    }
    let mut out = String::from("What is linked into this library besides itself, and under which licence.\n");
    let mut papers = String::new();
    for package in linked.iter().map(|id| &packages[id]).filter(|package| !package["source"].is_null()) {
        let (name, version) = (text(&package["name"]), text(&package["version"]));
        // A string takes whatever is written into it.
        let _written = writeln!(out, "{name} {version}: {}", text(&package["license"])).is_ok();
        for (file, paper) in papers_of(Path::new(&text(&package["manifest_path"]))) {
            let _written =
                write!(papers, "\n──── {name} {version}: {file} ────\n\n{}\n", paper.trim_end()).is_ok();
        }
    }
    Ok(out + &papers)
}

/// The licence files of a crate, in order of their names.
fn papers_of(manifest: &Path) -> BTreeMap<String, String> {
    let is_paper = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT"]
            .iter()
            .any(|word| name.starts_with(word))
    };
    let folder = manifest.parent().map(fs::read_dir).and_then(Result::ok);
    folder
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            (is_paper(&name) && path.is_file()).then(|| Some((name, fs::read_to_string(&path).ok()?)))?
        })
        .collect()
}

/// The system this program was built for, which is the one it stages for.
fn host() -> String {
    env!("XTASK_TARGET").to_owned()
}
