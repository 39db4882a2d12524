//! The header is the one that the sources say, compiles alone in every dialect, is documented, and names what the library exports.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use support::{WARNINGS, cc, cxx, include, scratch, succeeds};

fn header() -> String {
    fs::read_to_string(include().join("musetalk.h")).unwrap()
}

/// The functions of the header, each with the comment before it.
fn functions() -> Vec<(String, String)> {
    let mut functions = Vec::new();
    let (mut comment, mut inside) = (String::new(), false);
    for line in header().lines() {
        inside |= line.starts_with("extern \"C\"");
        if let Some(text) = line.strip_prefix("//") {
            comment += text;
            comment += "\n";
        } else if line.trim().is_empty() {
            comment.clear();
        } else if inside && let Some((before, _)) = line.split_once('(') {
            let name = before.rsplit([' ', '*']).next().unwrap();
            if name.starts_with("musetalk_") && !line.starts_with(' ') {
                functions.push((name.to_owned(), std::mem::take(&mut comment)));
            }
        }
    }
    functions
}

#[test]
fn header_is_current() {
    xtask::header::check(&xtask::root()).unwrap();
}

#[test]
fn the_header_compiles_alone_and_twice_in_every_dialect() {
    let folder = scratch("dialects");
    let plain = "#include <musetalk.h>\n#include <musetalk.h>\nint nothing(void);\nint nothing(void) { return MUSETALK_ABI_VERSION; }\n";
    let wrapped = "#include <musetalk.hpp>\n#include <musetalk.hpp>\n";
    fs::write(folder.join("alone.c"), plain).unwrap();
    fs::write(folder.join("alone.cc"), plain).unwrap();
    fs::write(
        folder.join("wrapped.cc"),
        wrapped.to_owned() + "int nothing();\nint nothing() { return musetalk::compatible(); }\n",
    )
    .unwrap();
    fs::write(
        folder.join("other.cc"),
        wrapped.to_owned() + "int nothing();\nint main() { return nothing() == 7; }\n",
    )
    .unwrap();
    let compile = |compiler: &std::path::Path, standard: &str, file: &str, more: &[&str]| {
        let mut command = Command::new(compiler);
        command.arg(format!("-std={standard}")).args(WARNINGS).args(more).arg("-I").arg(include());
        command.arg("-c").arg(folder.join(file)).arg("-o").arg(folder.join(format!("{file}-{standard}.o")));
        succeeds(&mut command);
    };
    if let Some(cc) = cc() {
        for standard in ["c99", "c11", "c17"] {
            compile(&cc, standard, "alone.c", &["-Wstrict-prototypes"]);
        }
    }
    let Some(cxx) = cxx() else { return };
    for standard in ["c++17", "c++20"] {
        for more in [&[][..], &["-fno-exceptions", "-fno-rtti"]] {
            for file in ["alone.cc", "wrapped.cc", "other.cc"] {
                compile(&cxx, standard, file, more);
            }
        }
    }
    // Two files that include everything are one program.
    let mut link = Command::new(&cxx);
    link.args(["wrapped.cc-c++17.o", "other.cc-c++17.o"].map(|file| folder.join(file)));
    link.arg("-L").arg(support::prefix().join("lib")).arg("-lmusetalk").arg("-o").arg(folder.join("both"));
    succeeds(&mut link);
}

#[test]
fn every_function_says_which_threads_may_call_it_and_const_says_the_same() {
    let functions = functions();
    assert!(functions.len() > 40, "{functions:?}");
    for (name, comment) in &functions {
        let threads = comment.lines().find_map(|line| line.trim().strip_prefix("Thread safety: "));
        let threads = threads.unwrap_or_else(|| panic!("{name} does not say which threads may call it"));
        let text = header();
        // The last one: the example at the top calls some of them.
        let first = text.rsplit(&format!("{name}(")).next().unwrap().split([',', ')']).next().unwrap();
        if first.contains("musetalk_avatar *avatar") || first.contains("musetalk_conversation *conversation")
        {
            let shared = first.contains("const ") || name.ends_with("_free");
            assert_eq!(threads.starts_with("any thread"), shared, "{name}: {first}: {threads}");
        }
        if name.contains("_acquire_") {
            assert!(comment.contains("Ownership: "), "{name} does not say how to give back what it lends");
        }
    }
}

#[test]
fn every_field_and_value_is_documented() {
    let text = header();
    let lines: Vec<&str> = text.lines().collect();
    let (mut inside, mut looked) = (false, 0);
    for (number, line) in lines.iter().enumerate() {
        inside |=
            line.starts_with("enum musetalk_") || line.starts_with("typedef struct") && line.ends_with('{');
        inside &= !line.starts_with('}');
        let item = line.trim();
        if inside && (item.ends_with(';') || item.ends_with(',')) && !item.starts_with("//") {
            looked += 1;
            let before = lines[number - 1].trim();
            assert!(before.starts_with("//"), "musetalk.h:{}: {item} has no comment", number + 1);
        }
    }
    assert!(looked > 150, "{looked}");
}

#[test]
fn the_library_exports_what_is_pinned_and_the_header_names() {
    let pinned = fs::read_to_string(xtask::root().join("ffi/exports.txt")).unwrap();
    let pinned: BTreeSet<&str> = pinned.lines().collect();
    let functions = functions();
    let named: BTreeSet<&str> = functions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(named, pinned, "the header and ffi/exports.txt");
    if !cfg!(target_os = "linux") || !support::has("nm") {
        eprintln!("SKIPPED: the library's own list");
        return;
    }
    let library = support::prefix().join("lib/libmusetalk.so");
    let listed = support::said(&succeeds(Command::new("nm").args(["-D", "--defined-only"]).arg(library)));
    let exported: BTreeSet<&str> = listed.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(exported, pinned, "the library and ffi/exports.txt");
}

#[test]
fn the_name_says_the_version() {
    if !cfg!(target_os = "linux") || !support::has("readelf") {
        eprintln!("SKIPPED: the name of the library");
        return;
    }
    let library = support::prefix().join("lib/libmusetalk.so");
    let listed = support::said(&succeeds(Command::new("readelf").arg("-d").arg(library)));
    let expected = format!("[libmusetalk.so.{}]", musetalk::MUSETALK_ABI_VERSION);
    assert!(listed.contains(&expected), "{listed}");
}

#[test]
fn one_table_joins_kinds_and_statuses() {
    use musetalk::musetalk_status as Status;
    use musetalk_core::ErrorKind as Core;
    use realtime_client::ErrorKind as Talk;
    let core = [
        (Core::InvalidInput, Status::InvalidInput, 16),
        (Core::NotFound, Status::NotFound, 17),
        (Core::Corrupt, Status::Corrupt, 18),
        (Core::Incompatible, Status::Incompatible, 19),
        (Core::Unsupported, Status::Unsupported, 20),
        (Core::BufferFull, Status::BufferFull, 21),
        (Core::Interrupted, Status::Interrupted, 22),
        (Core::Cancelled, Status::Cancelled, 23),
        (Core::TimedOut, Status::TimedOut, 24),
        (Core::Io, Status::Io, 25),
        (Core::DeviceUnavailable, Status::DeviceUnavailable, 26),
        (Core::OutOfMemory, Status::OutOfMemory, 27),
        (Core::Closed, Status::Closed, 28),
        (Core::Internal, Status::Internal, 255),
    ];
    let talk = [
        (Talk::InvalidInput, Status::InvalidInput, 16),
        (Talk::NotFound, Status::NotFound, 17),
        (Talk::Incompatible, Status::Incompatible, 19),
        (Talk::Unsupported, Status::Unsupported, 20),
        (Talk::BufferFull, Status::BufferFull, 21),
        (Talk::TimedOut, Status::TimedOut, 24),
        (Talk::Closed, Status::Closed, 28),
        (Talk::Unauthorized, Status::Unauthorized, 48),
        (Talk::Quota, Status::Quota, 49),
        (Talk::Untrusted, Status::Untrusted, 50),
        (Talk::Busy, Status::Busy, 51),
        (Talk::Refused, Status::Refused, 52),
        (Talk::Network, Status::Network, 53),
        (Talk::Internal, Status::Internal, 255),
    ];
    let mut named: BTreeSet<u32> =
        [Status::Ok, Status::NoFrame, Status::EndOfUtterance, Status::EndOfConversation]
            .map(|status| status as u32)
            .into();
    assert_eq!(named, BTreeSet::from([0, 1, 2, 3]));
    for (kind, status, number) in core {
        assert_eq!((Status::from(kind), status as u32), (status, number));
        named.insert(number);
    }
    for (kind, status, number) in talk {
        assert_eq!((Status::from(kind), status as u32), (status, number));
        named.insert(number);
    }
    // Kinds are open lists to other crates, so their own sources are counted.
    for (file, rows) in
        [("musetalk-core/src/error.rs", core.len()), ("realtime-client/src/error.rs", talk.len())]
    {
        let text = fs::read_to_string(xtask::root().join(file)).unwrap();
        let body = text.split("pub enum ErrorKind {").nth(1).unwrap().split("\n}").next().unwrap();
        let kinds = body
            .lines()
            .filter(|line| line.trim_end().ends_with(',') && !line.trim().starts_with("///"))
            .count();
        assert_eq!(kinds, rows, "{file} has a kind without a row in this table");
    }
    let text = header();
    let values = text.lines().filter(|line| line.trim().starts_with("MUSETALK_STATUS_"));
    let values: Vec<u32> =
        values.map(|line| line.rsplit(' ').next().unwrap().trim_end_matches(',').parse().unwrap()).collect();
    assert_eq!(values.iter().copied().collect::<BTreeSet<_>>(), named);
    assert_eq!(values.len(), named.len(), "a value is used once");
}
