//! The C# core package drives the real library: whole utterances, live, interrupted, misused, a thousand times over.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use musetalk_unity::mono;
use support::{given, run, tests};

fn test(name: &str) -> Option<String> {
    let [pack, avatar, voice] = given();
    mono().then(|| run(tests(), &[name, pack, avatar, voice]))
}

#[test]
fn a_whole_utterance_is_the_same_as_in_rust() {
    let Some(told) = test("whole") else { return };
    let mut avatar = musetalk_tests::engine()
        .start_avatar(musetalk_tests::person(musetalk_tests::engine()), Default::default())
        .unwrap();
    avatar.push(&musetalk_tests::babble(2.01, 24_000, 5)).unwrap();
    avatar.finish().unwrap();
    let mut ours = String::new();
    while let Some(frame) = avatar.next_frame().unwrap() {
        let hash = frame.pixels().iter().fold(14_695_981_039_346_656_037_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211)
        });
        ours += &format!("frame {hash:016x}\n");
    }
    assert_eq!(told, ours);
}

#[test]
fn live_reading_follows_what_was_heard() {
    test("live");
}

#[test]
fn paced_reading_loses_no_sample() {
    test("paced");
}

#[test]
fn an_interruption_refuses_late_chunks() {
    test("interrupt");
}

#[test]
fn misuse_is_an_exception_and_never_a_crash() {
    test("misuse");
}

#[test]
fn two_threads_in_one_end_and_all_other_races_end_well() {
    test("threads");
}

#[test]
fn a_domain_may_go_with_everything_in_it() {
    test("reload");
}

#[test]
fn a_thousand_avatars_leave_nothing_behind() {
    if cfg!(target_os = "linux") {
        test("thousand");
    }
}

#[test]
fn refusals_have_a_class_and_a_sentence() {
    let scratch = musetalk_tests::scratch("errors").display().to_string();
    let [pack, avatar, _] = given();
    if mono() {
        run(tests(), &["errors", pack, avatar, &scratch]);
    }
}

#[test]
fn the_log_reaches_the_host_and_cannot_hurt_the_library() {
    if mono() {
        run(tests(), &["log", given()[0]]);
    }
}

/// With `--release -- --nocapture what_a_call_costs` its figures are those of the documentation.
#[test]
fn what_a_call_costs_is_no_garbage() {
    let Some(_) = test("cost") else { return };
    let mut options = musetalk_core::AvatarOptions::default();
    options.buffer_seconds = 3_600;
    let engine = musetalk_tests::engine();
    let (mut ears, mut face) = engine.start_avatar(musetalk_tests::person(engine), options).unwrap().split();
    let interrupter = face.interrupter();
    let (mut push, mut look, mut looks) = (0.0, 0.0, 0);
    for call in 0..20_000 {
        let start = std::time::Instant::now();
        if call % 1_000 == 0 {
            interrupter.interrupt();
            ears.begin().unwrap();
        }
        ears.push(&[0.0; 480]).unwrap();
        let pushed = std::time::Instant::now();
        if face.latest_at(None).unwrap().is_none() {
            look += pushed.elapsed().as_secs_f64();
            looks += 1;
        }
        push += (pushed - start).as_secs_f64();
    }
    println!(
        "in Rust: push of 480 samples {:.2} µs, latest with nothing due {:.2} µs",
        push * 1e6 / 20_000.0,
        look * 1e6 / f64::from(looks)
    );
}
