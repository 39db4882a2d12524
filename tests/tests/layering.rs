//! An arrow only ever points down: which file may name what, read from the source.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// For each module of the core, the modules it may name. Those of one row know nothing of the others.
const MAY_NAME: &[(&str, &[&str])] = &[
    // what a user holds
    ("avatar", &["asset", "audio", "engine", "error", "frame", "session", "time"]),
    (
        "engine",
        &[
            "asset", "audio", "avatar", "device", "error", "files", "networks", "pack", "pool", "prepare",
            "runtime", "session", "time", "trial",
        ],
    ),
    (
        "preparation",
        &["asset", "audio", "compose", "engine", "error", "files", "networks", "pack", "prepare", "time"],
    ),
    (
        "reference",
        &["asset", "audio", "compose", "engine", "error", "frame", "networks", "pack", "prepare", "time"],
    ),
    ("trial", &["cache", "device", "error", "files", "pack", "runtime", "self_test"]),
    // what happens between push and frame
    ("session", &["asset", "audio", "compose", "error", "frame", "networks", "pool", "time"]),
    ("prepare", &["asset", "compose", "error", "networks", "pack", "time"]),
    // the networks, and what runs them
    ("networks", &["error", "pack", "runtime"]),
    ("runtime", &["cache", "device", "error", "pack"]),
    // files
    ("asset", &["compose", "error", "files", "frame", "pack", "time"]),
    ("pack", &["cache", "error", "files", "time"]),
    ("files", &["error"]),
    ("cache", &[]),
    // arithmetic on samples and pixels
    ("audio", &["error", "time"]),
    ("compose", &["error", "frame"]),
    ("self_test", &[]),
    // words that everyone shares
    ("frame", &["pool", "time"]),
    ("pool", &[]),
    ("time", &["error"]),
    ("device", &["error"]),
    ("error", &[]),
];

/// Words that only one folder may use.
const AT_HOME: &[(&str, &str)] = &[
    ("ort", "musetalk-core/src/runtime/"),
    ("ort_sys", "musetalk-core/src/runtime/"),
    ("tokio", "realtime-client/src/connection/"),
    ("tokio_tungstenite", "realtime-client/src/connection/"),
    ("tungstenite", "realtime-client/src/connection/"),
    ("pyo3", "bindings/python/"),
];

/// Files that may say `unsafe`. Add one only with the sentence that says why safe code could not do it.
const UNSAFE: &[&str] = &[
    // Pointers of the caller's are looked through here, and in the functions that are given them.
    "ffi/src/boundary.rs",
    "ffi/src/status.rs",
    "ffi/src/engine.rs",
    "ffi/src/avatar.rs",
    "ffi/src/avatar/clips.rs",
    "ffi/src/avatar/push.rs",
    "ffi/src/avatar/read.rs",
    "ffi/src/avatar/stats.rs",
    "ffi/src/callback.rs",
    "ffi/src/wake.rs",
    "ffi/src/frame.rs",
    "ffi/src/log.rs",
    "ffi/src/version.rs",
    "ffi/src/realtime.rs",
    "ffi/src/realtime/absent.rs",
    "ffi/src/realtime/event.rs",
    "ffi/src/realtime/start.rs",
    "ffi/src/realtime/talk.rs",
    // Who may be where at the same time is said by a flag and a count, which the compiler does not know.
    "ffi/src/half.rs",
    "ffi/src/object.rs",
    // Only the loader knows where a library lies.
    "ffi/src/place.rs",
    // ONNX Runtime's telemetry asks nothing but the environment, and changing that is a matter of who else reads it.
    "musetalk-core/src/runtime/telemetry.rs",
    // The buffer protocol is C: the interpreter hands over a view to be filled in.
    "bindings/python/src/buffer.rs",
    "bindings/python/src/frame.rs",
];

/// What files that decide may not know: a clock, a thread, a lock.
const IMPURE: &[&str] = &["Instant", "SystemTime", "thread", "Mutex", "crossbeam_channel", "rtrb"];
const PURE: &[&str] = &["session/timeline.rs", "session/batcher.rs", "session/playhead.rs"];

/// Which crate may depend on which of the workspace, tests aside.
const CRATES: &[(&str, &[&str])] = &[
    ("musetalk-core", &[]),
    ("realtime-client", &["musetalk-core"]),
    ("models", &["musetalk-core"]),
    ("cli", &["musetalk-core", "musetalk-models", "realtime-client"]),
    ("ffi", &["musetalk-core", "realtime-client"]),
    ("bindings/python", &["musetalk-core", "musetalk-models", "realtime-client", "musetalk-cli"]),
    ("bindings/xtask", &[]),
    ("bindings/unreal", &[]),
];

/// And which of the heavy outside ones have one home.
const OUTSIDE: &[(&str, &str)] = &[
    ("ort", "musetalk-core"),
    ("tokio", "realtime-client"),
    ("tokio-tungstenite", "realtime-client"),
    ("pyo3", "bindings/python"),
];

const MOST_LINES: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file without comments, text in quotes and tests; the lines keep their numbers.
struct Source {
    /// Relative to the workspace, with `/`.
    path: String,
    lines: Vec<String>,
}

impl Source {
    /// Every word with its line, `::` and braces included.
    fn tokens(&self) -> Vec<(usize, String)> {
        let mut tokens = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            let mut rest = line.as_str();
            while let Some(first) = rest.chars().next() {
                let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let length = match word {
                    0 if rest.starts_with("::") => 2,
                    0 => first.len_utf8(),
                    _ => word,
                };
                if !first.is_whitespace() {
                    tokens.push((number + 1, rest[..length].to_owned()));
                }
                rest = &rest[length..];
            }
        }
        tokens
    }

    fn code_lines(&self) -> usize {
        self.lines.iter().filter(|line| !line.trim().is_empty()).count()
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    walk(&root().join(folder), &mut files);
    assert!(!files.is_empty(), "{folder} holds Rust files");
    files.sort();
    let mut tests = Vec::new();
    let texts: Vec<(PathBuf, Vec<String>)> = files
        .into_iter()
        .map(|path| {
            let lines = without_tests(&blanked(&fs::read_to_string(&path).unwrap()), &path, &mut tests);
            (path, lines)
        })
        .collect();
    texts
        .into_iter()
        .filter(|(path, _)| !tests.contains(path))
        .map(|(path, lines)| {
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            Source { path, lines }
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Comments and what stands in quotes become spaces; lines stay.
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let keep_lines = |part: &str| part.chars().filter(|&c| c == '\n').collect::<String>();
    while at < bytes.len() {
        let rest = &text[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(body) = rest.strip_prefix("r\"") {
            2 + body.find('"').unwrap() + 1
        } else if let Some(body) = rest.strip_prefix("r#\"") {
            3 + body.find("\"#").unwrap() + 2
        } else if rest.starts_with('"') {
            quoted(rest, '"')
        } else if rest.starts_with("'\\") {
            quoted(rest, '\'')
        } else if rest.starts_with('\'') && rest.chars().nth(2) == Some('\'') {
            rest.char_indices().nth(3).map_or(rest.len(), |(end, _)| end)
        } else {
            let length = rest.chars().next().unwrap().len_utf8();
            out.push_str(&rest[..length]);
            at += length;
            continue;
        };
        out.push_str(&keep_lines(&rest[..length]));
        out.push(' ');
        at += length;
    }
    out
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Blanks every item under `#[cfg(test)]`; a module that is a file of its own goes to `tests`.
fn without_tests(text: &str, path: &Path, tests: &mut Vec<PathBuf>) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut at = 0;
    while at < lines.len() {
        if !lines[at].contains("#[cfg(test)]") {
            at += 1;
            continue;
        }
        let mut depth = 0;
        loop {
            let line = std::mem::take(&mut lines[at]);
            if let Some(name) = line.trim().strip_suffix(';').and_then(|item| item.split("mod ").nth(1)) {
                let stem = path.file_stem().unwrap().to_str().unwrap();
                let folder = path.parent().unwrap();
                let own = matches!(stem, "mod" | "lib" | "main");
                let folder = if own { folder.to_owned() } else { folder.join(stem) };
                tests.push(folder.join(format!("{name}.rs")));
            }
            depth += line.matches('{').count() as i32 - line.matches('}').count() as i32;
            at += 1;
            let ended = line.trim_end().ends_with(['}', ';']) && depth == 0;
            if ended || at == lines.len() {
                break;
            }
        }
    }
    lines
}

/// What stands behind a path such as `crate::a::{b, c::d}`: its first names below the root, with their lines.
fn first_names(tokens: &[(usize, String)]) -> Vec<(usize, String)> {
    match tokens.first() {
        Some((line, open)) if open == "{" => {
            let (mut names, mut depth, mut expects) = (Vec::new(), 1, true);
            for (inner, word) in &tokens[1..] {
                match word.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    "," if depth == 1 => expects = true,
                    word if expects && depth == 1 => {
                        names.push((*inner, word.to_owned()));
                        expects = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            assert!(depth == 0, "line {line}: a brace that opens in a path closes");
            names
        }
        Some((line, word)) => vec![(*line, word.clone())],
        None => Vec::new(),
    }
}

/// The paths of a file that leave its own top module, as `(line, name at the root of the crate)`.
fn named_at_root(source: &Source) -> Vec<(usize, String)> {
    let inside = source.path.split_once("/src/").unwrap().1;
    let own: Vec<&str> = inside.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
    let tokens = source.tokens();
    let mut names = Vec::new();
    for at in 0..tokens.len() {
        let continued = at > 0 && tokens[at - 1].1 == "::";
        match tokens[at].1.as_str() {
            "crate" if tokens.get(at + 1).is_some_and(|(_, next)| next == "::") => {
                names.extend(first_names(&tokens[at + 2..]));
            }
            "super" if !continued => {
                let mut ups = 1;
                while tokens.get(at + 2 * ups).is_some_and(|(_, next)| next == "super") {
                    ups += 1;
                }
                if ups >= own.len() {
                    names.extend(first_names(&tokens[at + 2 * ups..]));
                }
            }
            _ => {}
        }
    }
    names
}

/// The names that lib.rs lifts to the root, and the module of each.
fn lifted() -> BTreeMap<String, String> {
    let text = blanked(&fs::read_to_string(root().join("musetalk-core/src/lib.rs")).unwrap());
    let source = Source { path: String::new(), lines: text.lines().map(str::to_owned).collect() };
    let tokens = source.tokens();
    let mut names = BTreeMap::new();
    for at in 0..tokens.len() {
        if tokens[at].1 == "use" {
            let module = &tokens[at + 1].1;
            for (_, name) in first_names(&tokens[at + 3..]) {
                names.insert(name, module.clone());
            }
        }
    }
    assert_eq!(names.get("ErrorKind").map(String::as_str), Some("error"));
    names
}

#[test]
fn modules_of_the_core_name_only_what_lies_below_them() {
    let lifted = lifted();
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for source in sources("musetalk-core/src") {
        let inside = source.path.strip_prefix("musetalk-core/src/").unwrap();
        let module = inside.split('/').next().unwrap().trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let Some((_, below)) = MAY_NAME.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}:1: module {module} has no row in the table of layers", source.path));
            continue;
        };
        seen.push(module.to_owned());
        for (line, name) in named_at_root(&source) {
            let target = lifted.get(&name).unwrap_or(&name);
            let is_module = MAY_NAME.iter().any(|(known, _)| known == target);
            if !is_module {
                wrong.push(format!("{}:{line}: `{name}` is no module and no name of the root", source.path));
            } else if target != module && !below.contains(&target.as_str()) {
                wrong.push(format!(
                    "{}:{line}: {module} names {target}, which does not lie below it",
                    source.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows point up:\n{}", wrong.join("\n"));
    for (module, _) in MAY_NAME {
        assert!(seen.iter().any(|name| name == module), "the table names {module}, which does not exist");
    }
}

const PRODUCT: &[&str] = &[
    "musetalk-core/src",
    "realtime-client/src",
    "models/src",
    "cli/src",
    "ffi/src",
    "bindings/python/src",
    "bindings/xtask/src",
];

#[test]
fn ort_tokio_and_unsafe_stay_at_home() {
    let mut wrong = Vec::new();
    for source in PRODUCT.iter().flat_map(|folder| sources(folder)) {
        for (line, word) in source.tokens() {
            if let Some((_, home)) = AT_HOME.iter().find(|(name, _)| *name == word)
                && !source.path.starts_with(home)
            {
                wrong.push(format!("{}:{line}: `{word}` is named outside {home}", source.path));
            }
            if word == "unsafe" && !UNSAFE.contains(&source.path.as_str()) {
                wrong.push(format!(
                    "{}:{line}: `unsafe` stands in a file that is not listed for it",
                    source.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_decides_knows_no_clock_thread_or_lock() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for source in sources("musetalk-core/src") {
        let pure = ["/audio/", "/compose/"].iter().any(|folder| source.path.contains(folder));
        if !pure && !PURE.iter().any(|file| source.path.ends_with(file)) {
            continue;
        }
        found += 1;
        for (line, word) in source.tokens() {
            if IMPURE.contains(&word.as_str()) {
                wrong.push(format!("{}:{line}: a pure file names `{word}`", source.path));
            }
        }
    }
    assert!(found > PURE.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_depend_only_downwards() {
    let mut wrong = Vec::new();
    for (folder, below) in CRATES {
        let path = format!("{folder}/Cargo.toml");
        let mut section = String::new();
        for (number, line) in fs::read_to_string(root().join(&path)).unwrap().lines().enumerate() {
            if line.starts_with('[') {
                section = line.to_owned();
            }
            if !section.contains("dependencies]") || section.contains("dev-dependencies") {
                continue;
            }
            let name = line.split(['.', '=', ' ']).next().unwrap_or("");
            let ours = name.starts_with("musetalk") || name == "realtime-client" || name == "xtask";
            if ours && !below.contains(&name) {
                wrong.push(format!("{path}:{}: {folder} depends on {name}", number + 1));
            }
            if let Some((_, home)) = OUTSIDE.iter().find(|(outside, _)| *outside == name)
                && home != folder
            {
                wrong.push(format!("{path}:{}: {name} is a dependency outside {home}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_has_more_than_600_lines_of_code() {
    for source in PRODUCT.iter().flat_map(|folder| sources(folder)) {
        let lines = source.code_lines();
        assert!(
            lines <= MOST_LINES,
            "{}:{MOST_LINES}: {lines} lines of code; split the file by what it holds",
            source.path
        );
    }
}

#[test]
fn the_reader_of_sources_sees_what_it_should() {
    let text = "use crate::{Error, asset::{A, B}, time};\n// crate::session\nlet a = \"crate::session\";\n\
                let c = '\"'; super::super::pack::x();\n#[cfg(test)]\nmod tests {\n use crate::engine;\n}\n";
    let lines = without_tests(&blanked(text), Path::new("a/src/b/c.rs"), &mut Vec::new());
    let source = Source { path: "a/src/b/c.rs".to_owned(), lines };
    let names: Vec<(usize, String)> = named_at_root(&source);
    let expected = [(1, "Error"), (1, "asset"), (1, "time"), (4, "pack")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
}
