//! The licences of everything that is linked into a library: what a host must ship beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Outcome;
use crate::install::{metadata, rustc};

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
    let (version, notices) = standard_library(root)?;
    let name = "Rust's standard library";
    let _written =
        writeln!(out, "{name} {version}: MIT OR Apache-2.0, parts under what is said below").is_ok();
    let _written =
        write!(papers, "\n──── {name} {version}: COPYRIGHT-library ────\n\n{}\n", notices.trim_end()).is_ok();
    Ok(out + &papers)
}

/// Rust's standard library is linked in too, and no package of cargo's: its version, and the notices that the toolchain carries.
fn standard_library(root: &Path) -> Outcome<(String, String)> {
    let version = rustc(root, &["--version"])?.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let notices =
        Path::new(&rustc(root, &["--print", "sysroot"])?).join("share/doc/rust/COPYRIGHT-library.html");
    let page = fs::read_to_string(&notices).map_err(|e| {
        format!("the notices of Rust's standard library must go along ({e}): {}", notices.display())
    })?;
    Ok((version, plain(&page)))
}

/// The text of a page of HTML, without its tags and without more than one empty line at a time.
fn plain(page: &str) -> String {
    let mut text = String::new();
    let body = page.split_once("<body>").map_or(page, |(_, body)| body);
    for (at, part) in body.split('<').enumerate() {
        // What stands before the first tag is in none.
        text.push_str(if at == 0 { part } else { part.split_once('>').map_or("", |(_, after)| after) });
    }
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    let text = named.iter().fold(text, |text, (name, letter)| text.replace(name, letter));
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n")
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
pub(crate) fn host() -> String {
    env!("XTASK_TARGET").to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_page_becomes_its_text() {
        let page = "<html><title>not this</title><body>\n<h1>A &#34;library&#34;</h1>\n\n\n<p>1 &lt; 2 &amp;lt;</p></body>";
        assert_eq!(super::plain(page), "A \"library\"\n\n1 < 2 &lt;");
    }
}
