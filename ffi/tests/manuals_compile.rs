//! The programs in the manuals of C and C++, and the one at the top of the header, compile against an installed prefix. What a program takes for
//! granted (its loudspeaker, its upload) is declared around it.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{cc, cxx, prefix, scratch, succeeds};

const AROUND_C: &str = "\
#include <musetalk.h>
#include <stdio.h>
static musetalk_error error;
static musetalk_engine *engine;
static musetalk_avatar *avatar;
static musetalk_conversation *conversation;
static musetalk_conversation_options talk;
static musetalk_heard heard;
static musetalk_frame frame;
static const float *pcm;
static const int16_t *chunk;
static size_t sample_count, count;
static uint64_t utterance;
static int playing;
void show(const uint8_t *pixels, uint32_t width, uint32_t height, int64_t pts_nanos);
void upload(const musetalk_frame *frame);
int start_the_loudspeaker(uint64_t utterance);
uint64_t played_by_the_loudspeaker(void);
int everything_was_played(void);
void queue(uint64_t answer, const int16_t *samples, size_t sample_count);
void stop(uint64_t answer);
void subtitle(const char *text);
const char *run(const char *name, const char *arguments);
";

const AROUND_CPP: &str = "\
#include <musetalk.hpp>
#include <cstdio>
#include <optional>
#include <vector>
struct Loudspeaker { void start(); uint64_t played(); bool is_empty(); };
extern Loudspeaker loudspeaker;
extern musetalk::Engine engine;
extern musetalk::Avatar avatar;
extern std::vector<float> voice;
extern const float *chunk;
extern size_t count;
extern bool it_was_the_last;
void later(const float *chunk);
void upload(const musetalk::Frame &frame);
template <class... Of> void show(const Of &...);
";

/// The blocks of one language in a manual.
fn blocks(manual: &Path, language: &str) -> Vec<String> {
    let text = fs::read_to_string(manual).unwrap();
    let begin = format!("```{language}\n");
    text.split(&begin).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

/// A whole program stands for itself; the rest is a part of a function.
fn whole(block: &str, around: &str) -> String {
    let (head, body): (Vec<&str>, Vec<&str>) =
        block.lines().partition(|line| line.trim_start().starts_with("#include"));
    let (head, body) = (head.join("\n"), body.join("\n"));
    match body.contains("int main(") {
        true => format!("{around}\n{head}\n{body}\n"),
        false => {
            format!("{around}\n{head}\nint part(void);\nint part(void) {{\n{body}\nreturn 0;\n}}\n")
        }
    }
}

fn check(compiler: &Path, standard: &str, source: &Path) {
    let mut command = Command::new(compiler);
    command.args([standard, "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]);
    // Sketches: a struct is filled where it matters, and not every result is looked at.
    command.args(["-Wno-missing-field-initializers", "-Wno-unused"]);
    succeeds(command.arg("-I").arg(prefix().join("include")).arg(source));
}

#[test]
fn of_c() {
    let Some(cc) = cc() else { return };
    let folder = scratch("manual-c");
    let programs = blocks(&xtask::root().join("docs/hosts/c.md"), "c");
    assert!(programs.len() >= 4, "{programs:?}");
    for (number, program) in programs.iter().enumerate() {
        let source = folder.join(format!("block{number}.c"));
        fs::write(&source, whole(program, AROUND_C)).unwrap();
        for standard in ["-std=c11", "-std=c17"] {
            check(&cc, standard, &source);
        }
    }
    // The example at the top of the header, as it is written there.
    let header = fs::read_to_string(prefix().join("include/musetalk.h")).unwrap();
    let example: Vec<&str> = header.lines().filter_map(|line| line.strip_prefix(" *     ")).collect();
    assert!(example.len() > 10, "{example:?}");
    let source = folder.join("header.c");
    fs::write(&source, whole(&example.join("\n"), AROUND_C)).unwrap();
    check(&cc, "-std=c11", &source);
}

#[test]
fn of_cpp() {
    let Some(cxx) = cxx() else { return };
    let folder = scratch("manual-cpp");
    let programs = blocks(&xtask::root().join("docs/hosts/cpp.md"), "cpp");
    assert!(programs.len() >= 4, "{programs:?}");
    for (number, program) in programs.iter().enumerate() {
        let source = folder.join(format!("block{number}.cpp"));
        fs::write(&source, whole(program, AROUND_CPP)).unwrap();
        for standard in ["-std=c++17", "-std=c++20"] {
            check(&cxx, standard, &source);
        }
    }
}
