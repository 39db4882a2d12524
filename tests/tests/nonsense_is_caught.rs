//! A device or a record that is wrong is told from one that is sound, network by network and in words.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use musetalk_core::{Device, Engine, Error, ErrorKind, Measure, ModelPack, SelfTest};
use musetalk_models::PackBuilder;
use musetalk_tests::{runtime, scratch};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What ONNX Runtime computes when Python asks it, without rewriting a graph; `record_tiny.py` beside it made it.
const RECORD: &[u8] = include_bytes!("../fixtures/tiny_self_test.json");

const ROLES: [&str; 4] = ["audio_encoder", "generator", "decoder", "encoder"];

/// The tiny pack, with its weights beside the graphs and a record that another program made.
fn recorded_pack(folder: &Path) -> PathBuf {
    let (checkpoint, pack) = (folder.join("checkpoint"), folder.join("pack"));
    musetalk_models::tiny::write_checkpoint(&checkpoint, 7).unwrap();
    let builder = PackBuilder::new(&checkpoint).with_largest_inside(0);
    builder.build(&pack, |_: musetalk_models::Progress<'_>| ControlFlow::Continue(())).unwrap();
    put(&pack, "record.json", RECORD);
    let path = pack.join("pack.json");
    let mut manifest = read(&path);
    manifest["self_test"] = json!("record.json");
    fs::write(&path, manifest.to_string()).unwrap();
    pack
}

fn run(pack: &Path) -> Result<SelfTest, Error> {
    runtime();
    Engine::builder(pack).device(Device::Cpu).threads(1).self_test(|_, _, _| ControlFlow::Continue(()))
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Puts another text in the place of a file of the pack, with its size and digest in `pack.json`.
fn put(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).unwrap();
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join("pack.json");
    let mut manifest = read(&path);
    manifest["files"][name] = json!({ "bytes": bytes.len(), "sha256": digest });
    fs::write(&path, manifest.to_string()).unwrap();
}

/// A tiny pack whose record was changed; its hashes are sound.
fn edited(name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let folder = recorded_pack(&scratch(name));
    let record = record_of(&folder);
    let mut value = read(&record);
    change(&mut value);
    put(&folder, record.file_name().unwrap().to_str().unwrap(), value.to_string().as_bytes());
    let pack = ModelPack::open(&folder).unwrap();
    pack.verify(|_, _| ControlFlow::Continue(())).unwrap();
    folder
}

fn record_of(folder: &Path) -> PathBuf {
    folder.join(read(&folder.join("pack.json"))["self_test"].as_str().unwrap())
}

#[test]
fn what_was_recorded_elsewhere_is_computed_here() {
    let found = run(&recorded_pack(&scratch("sound"))).unwrap();
    found.check().unwrap();
    assert!(found.passed() && found.untested.is_empty(), "{found:?}");
    let networks: Vec<&str> = found.networks.iter().map(|test| test.network.as_str()).collect();
    assert_eq!(networks, ROLES);
    assert_eq!(found.device, Device::Cpu);
    for test in &found.networks {
        // The record is no engine's: equal to the last bit would mean that it was made by this one.
        let most = if test.measure == Measure::Bytes { 0.1 } else { 1e-5 };
        assert!(test.error <= most && test.error < test.limit, "{test:?}");
    }
}

#[test]
fn a_wrong_answer_of_any_network_is_caught() {
    for role in ROLES {
        let folder = edited(&format!("wrong-{role}"), |record| {
            let answer = record[role].as_array_mut().unwrap();
            for number in answer.iter_mut() {
                let other = number.as_f64().unwrap();
                *number =
                    if role == "decoder" { json!((other - 2.0).max(0.0)) } else { json!(other * 1.002) };
            }
        });
        let found = run(&folder).unwrap();
        let failed: Vec<&str> =
            found.networks.iter().filter(|test| !test.passed()).map(|test| test.network.as_str()).collect();
        assert_eq!(failed, [role]);
        let error = found.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        for word in [role, "cpu", "nonsense", "ONNX Runtime", folder.to_str().unwrap()] {
            assert!(error.to_string().contains(word), "{word} is missing: {error}");
        }
    }
}

#[test]
fn answers_that_are_not_finite_are_caught() {
    let folder = recorded_pack(&scratch("not-finite"));
    // Weights of one network are overwritten with what a broken driver leaves behind; the record is sound.
    let mut weights = fs::read(folder.join("generator.onnx.data")).unwrap();
    weights[..4096].chunks_exact_mut(4).for_each(|number| number.copy_from_slice(&f32::NAN.to_le_bytes()));
    put(&folder, "generator.onnx.data", &weights);
    let found = run(&folder).unwrap();
    let generator = found.networks.iter().find(|test| test.network == "generator").unwrap();
    assert!(!generator.finite && !generator.passed(), "{generator:?}");
    let error = found.check().unwrap_err();
    assert!(error.to_string().contains("not finite") && error.to_string().contains("generator"), "{error}");
}

#[test]
fn lists_of_another_length_are_refused() {
    for (name, change) in [
        ("short", (|list| drop(list.pop())) as fn(&mut Vec<Value>)),
        ("long", |list| list.push(json!(0.5))),
        ("empty", Vec::clear),
    ] {
        let folder = edited(name, |record| change(record["generator"].as_array_mut().unwrap()));
        let error = run(&folder).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        for word in ["generator", record_of(&folder).to_str().unwrap()] {
            assert!(error.to_string().contains(word), "{word} is missing: {error}");
        }
    }
}

#[test]
fn networks_without_a_record_are_named_and_strangers_refused() {
    let folder = edited("missing", |record| {
        record.as_object_mut().unwrap().remove("decoder").unwrap();
    });
    let found = run(&folder).unwrap();
    assert_eq!(found.untested, ["decoder"]);
    assert_eq!(found.networks.len(), 3);
    found.check().unwrap();

    let folder = edited("stranger", |record| record["painter"] = json!([1.0]));
    let error = run(&folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("painter"), "{error}");
}

#[test]
fn a_record_that_is_none_is_refused() {
    let folder = recorded_pack(&scratch("none"));
    let record = record_of(&folder);
    let name = record.file_name().unwrap().to_str().unwrap();
    for text in [
        "",
        "{",
        "null",
        "[]",
        "{\"generator\": null}",
        "{\"generator\": [null]}",
        "{\"generator\": [NaN]}",
        "{\"generator\": [1e999]}",
        "{\"generator\": [\"1\"]}",
        "\u{feff}{}",
        "{} {}",
        "{\"generator\": [1], \"generator\": [1]}",
        &"[".repeat(100_000),
        &" ".repeat(5 << 20),
    ] {
        put(&folder, name, text.as_bytes());
        let error = run(&folder).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains(record.to_str().unwrap()), "{error}");
    }
    fs::remove_file(&record).unwrap();
    assert_eq!(run(&folder).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_pack_without_a_record_runs_nothing_and_says_so() {
    let folder = recorded_pack(&scratch("unrecorded"));
    let path = folder.join("pack.json");
    let mut manifest = read(&path);
    manifest.as_object_mut().unwrap().remove("self_test").unwrap();
    fs::write(&path, manifest.to_string()).unwrap();
    let found = run(&folder).unwrap();
    assert!(found.networks.is_empty() && !found.passed());
    assert_eq!(found.untested, ROLES);
}

#[test]
fn it_can_be_cancelled_and_says_what_it_does() {
    runtime();
    let folder = recorded_pack(&scratch("cancelled"));
    let mut heard = Vec::new();
    let builder = || Engine::builder(&folder).device(Device::Cpu).threads(1);
    let outcome = builder().self_test(|network, done, total| {
        heard.push((network.to_owned(), done, total));
        if done == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
    let expected: Vec<_> =
        ROLES[..3].iter().enumerate().map(|(done, role)| (role.to_string(), done, 4)).collect();
    assert_eq!(heard, expected);
    let wrong = builder().threads(0).self_test(|_, _, _| ControlFlow::Continue(()));
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::InvalidInput);
    let nowhere = Engine::builder(folder.join("nowhere")).self_test(|_, _, _| ControlFlow::Continue(()));
    assert_eq!(nowhere.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_processor_takes_the_widened_graph() {
    let folder = recorded_pack(&scratch("widened"));
    let graph = fs::read(folder.join("encoder.onnx")).unwrap();
    put(&folder, "encoder.fp32.onnx", &graph);
    // Only one of the two can be loaded at all.
    put(&folder, "encoder.onnx", b"halves");
    let path = folder.join("pack.json");
    let mut manifest = read(&path);
    manifest["precision"] = json!("fp16");
    manifest["networks"]["encoder"]["widened"] = json!("encoder.fp32.onnx");
    fs::write(&path, manifest.to_string()).unwrap();
    let found = run(&folder).unwrap();
    let encoder = found.networks.iter().find(|test| test.network == "encoder").unwrap();
    assert_eq!(encoder.file, folder.join("encoder.fp32.onnx"));
    found.check().unwrap();
}
