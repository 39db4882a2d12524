//! The structs, values, functions and exceptions of the C# core package are those of `include/musetalk.h`, as a C compiler reads it.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use musetalk_unity::{mono, root};
use support::{run, tests};

#[test]
fn every_failure_has_its_exception() {
    if mono() {
        run(tests(), &["statuses"]);
    }
}

#[test]
fn structs_values_and_functions_are_those_of_the_header() {
    if !mono() {
        return;
    }
    let told = run(tests(), &["describe"]);
    let theirs: BTreeSet<String> = told.lines().map(str::to_owned).collect();
    let header = std::fs::read_to_string(root().join("include/musetalk.h")).unwrap();

    // What the header declares, by name.
    let functions: BTreeSet<String> = words(&header)
        .filter(|word| word.starts_with("musetalk_"))
        // Mono waits without end for a thread of the library that has called into a domain which goes, as Unity's do.
        .filter(|word| !word.ends_with("_set_wake"))
        .filter(|word| header.contains(&format!(" {word}(")) || header.contains(&format!("*{word}(")))
        .map(|word| format!("function {word}"))
        .collect();
    assert!(functions.len() > 40, "{functions:?}");
    let declared: BTreeSet<String> =
        theirs.iter().filter(|line| line.starts_with("function ")).cloned().collect();
    assert_eq!(functions, declared);

    let values: BTreeSet<String> = header
        .lines()
        .filter_map(|line| {
            let (name, number) =
                line.trim().strip_prefix("MUSETALK_")?.strip_suffix(',')?.split_once(" = ")?;
            Some(format!("{} {number}", name.to_lowercase()))
        })
        .collect();
    let known: BTreeSet<String> = theirs
        .iter()
        .filter_map(|line| {
            let [_, of, name, number] =
                line.strip_prefix("enum ").map(|_| line.split(' ').collect::<Vec<_>>())?[..]
            else {
                return None;
            };
            Some(format!("{of}_{name} {number}"))
        })
        .collect();
    assert!(values.len() > 60, "{values:?}");
    assert_eq!(values, known);

    // What a C compiler makes of it.
    let mut program = "#include <stdio.h>\n#include \"musetalk.h\"\nint main(void) {\n".to_owned();
    for line in &theirs {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["struct", name, _] => {
                writeln!(program, r#"printf("struct {name} %zu\n", sizeof(musetalk_{name}));"#).unwrap();
            }
            ["field", of, name, _] => {
                writeln!(program, r#"printf("field {of} {name} %zu\n", offsetof(musetalk_{of}, {name}));"#)
                    .unwrap();
            }
            _ => {}
        }
    }
    program += "return 0;\n}\n";
    let folder = musetalk_tests::scratch("layout");
    std::fs::write(folder.join("layout.c"), program).unwrap();
    let compiled = Command::new("cc")
        .args(["-std=c11", "-I"])
        .arg(root().join("include"))
        .arg("-o")
        .arg(folder.join("layout"))
        .arg(folder.join("layout.c"))
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let said = Command::new(folder.join("layout")).output().unwrap();
    let said: BTreeSet<String> = String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect();
    let ours: BTreeSet<String> =
        theirs.into_iter().filter(|line| line.starts_with("struct ") || line.starts_with("field ")).collect();
    assert_eq!(said, ours);

    // And no struct of the header is missing.
    let structs =
        header.lines().filter_map(|line| line.strip_prefix("typedef struct musetalk_")?.strip_suffix(" {"));
    for name in structs {
        assert!(ours.iter().any(|line| line.starts_with(&format!("struct {name} "))), "{name}");
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}
