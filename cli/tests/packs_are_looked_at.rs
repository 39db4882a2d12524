//! `pack inspect`, `pack verify` and `doctor --pack` say what a pack is, what it costs and whether it is sound.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use musetalk_core::ModelPack;
use musetalk_models::PackBuilder;
use serde_json::{Value, json};
use support::{Folder, musetalk, said};

/// What another program found the tiny networks to answer.
const RECORD: &[u8] = include_bytes!("../../tests/fixtures/tiny_self_test.json");

/// The tiny pack with a record, changed.
fn pack(folder: &Folder, record: &[u8], change: impl FnOnce(&mut Value)) -> PathBuf {
    let (checkpoint, pack) = (folder.join("checkpoint"), folder.join("pack"));
    musetalk_models::tiny::write_checkpoint(&checkpoint, 7).unwrap();
    PackBuilder::new(&checkpoint).build(&pack, |_| ControlFlow::Continue(())).unwrap();
    std::fs::write(pack.join("record.json"), record).unwrap();
    let path = pack.join("pack.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["self_test"] = json!("record.json");
    manifest["files"]["record.json"] = json!({ "bytes": record.len(), "sha256": "unknown" });
    std::fs::write(&path, manifest.to_string()).unwrap();
    manifest["files"]["record.json"]["sha256"] = json!(digest(&pack));
    change(&mut manifest);
    std::fs::write(&path, manifest.to_string()).unwrap();
    pack
}

/// Its SHA-256, as the library says it when it refuses a wrong one.
fn digest(pack: &Path) -> String {
    let refused = ModelPack::open(pack).unwrap().verify(|_, _| ControlFlow::Continue(())).unwrap_err();
    let text = refused.to_string();
    text.split("SHA-256 is ").nth(1).unwrap()[..64].to_owned()
}

fn ready() {
    musetalk_cli::setup::ensure_runtime(musetalk_cli::progress::Progress::Plain).unwrap();
}

fn json_of(args: &[&str], path: &Path) -> (Option<i32>, Value) {
    let output = musetalk(args).arg(path).output().unwrap();
    let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&output)));
    (output.status.code(), value)
}

#[test]
fn a_sound_pack_is_verified_in_words_and_in_json() {
    ready();
    let folder = Folder::new();
    let pack = pack(&folder, RECORD, |_| {});
    let output = musetalk(&["pack", "verify", "--device", "cpu"]).arg(&pack).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for word in ["as it was packed", "ran on cpu", "generator", "decoder", "mean difference of 255", "sound"]
    {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    // The limits as they are, and not rounded to a power of ten.
    for (network, limit) in [("generator", " 0.001 "), ("decoder", " 0.5 ")] {
        let row = text.lines().find(|line| line.starts_with(network)).unwrap();
        assert!(row.contains(limit), "{row}");
    }
    let (code, value) = json_of(&["pack", "verify", "--device", "cpu", "--json"], &pack);
    assert_eq!(code, Some(0));
    assert_eq!(value["self_test"]["passed"], true);
    assert_eq!(value["self_test"]["networks"].as_array().unwrap().len(), 4);
    let (code, value) = json_of(&["pack", "verify", "--no-run", "--json"], &pack);
    assert_eq!((code, &value["self_test"]), (Some(0), &Value::Null));
    assert!(value["files"].as_u64().unwrap() >= 5, "four graphs and a record: {value}");
}

#[test]
fn nonsense_is_exit_code_1_with_the_network_and_what_to_do() {
    ready();
    let folder = Folder::new();
    let mut record: Value = serde_json::from_slice(RECORD).unwrap();
    for number in record["generator"].as_array_mut().unwrap() {
        *number = json!(-number.as_f64().unwrap());
    }
    let pack = pack(&folder, record.to_string().as_bytes(), |_| {});
    let output = musetalk(&["pack", "verify", "--device", "cpu"]).arg(&pack).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for word in ["NONSENSE", "network generator computes nonsense on cpu", "musetalk setup --force"] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    let (code, value) = json_of(&["pack", "verify", "--device", "cpu", "--json"], &pack);
    assert_eq!(code, Some(1));
    assert_eq!(value["self_test"]["passed"], false);
    // The checksums alone are sound.
    let output = musetalk(&["pack", "verify", "--no-run"]).arg(&pack).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_record_that_says_nothing_passes_nothing() {
    ready();
    let folder = Folder::new();
    let pack = pack(&folder, b"{}", |_| {});
    let (code, value) = json_of(&["pack", "verify", "--device", "cpu", "--json"], &pack);
    assert_eq!((code, &value["self_test"]["passed"]), (Some(0), &Value::Null), "{value}");
    assert!(value["self_test"]["reason"].as_str().unwrap().contains("no record"), "{value}");
    let output = musetalk(&["pack", "verify", "--device", "cpu"]).arg(&pack).output().unwrap();
    let text = said(&output);
    assert!(text.contains("no record") && text.contains("nothing was run"), "{text}");
}

#[test]
fn a_network_without_a_record_is_named() {
    ready();
    let folder = Folder::new();
    let mut record: Value = serde_json::from_slice(RECORD).unwrap();
    record.as_object_mut().unwrap().remove("decoder").unwrap();
    let pack = pack(&folder, record.to_string().as_bytes(), |_| {});
    let output = musetalk(&["pack", "verify", "--device", "cpu"]).arg(&pack).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("NOT TESTED, for want of a record: decoder"), "{text}");
    let (_, value) = json_of(&["pack", "verify", "--device", "cpu", "--json"], &pack);
    assert_eq!(value["self_test"]["untested"], json!(["decoder"]));
}

#[test]
fn a_device_that_this_build_lacks_is_said_so() {
    ready();
    let folder = Folder::new();
    let pack = pack(&folder, RECORD, |_| {});
    let output = musetalk(&["pack", "verify", "--device", "openvino"]).arg(&pack).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("openvino is not in this build"), "{}", said(&output));
}

#[test]
fn inspect_tells_what_a_frame_costs() {
    let folder = Folder::new();
    let pack = pack(&folder, RECORD, |manifest| {
        for (role, macs) in
            [("audio_encoder", 6_000_000_u64), ("generator", 5_000_000), ("decoder", 4_000_000)]
        {
            manifest["networks"][role]["macs"] = json!(macs);
        }
        manifest["audio"]["groups"] = json!([1, 3]);
    });
    let output = musetalk(&["pack", "inspect"]).arg(&pack).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    // 5 + 4 + 6/3 million.
    for word in ["fp32", "0.011 GMAC", "optimisation all", "batch, 80, 500", "record.json"] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    let (code, value) = json_of(&["pack", "inspect", "--json"], &pack);
    assert_eq!(code, Some(0));
    assert_eq!(value["format"], 1);
    assert_eq!(value["derived"]["gmac_per_frame"]["total"], 0.011);
}

#[test]
fn a_name_in_a_pack_neither_steers_the_terminal_nor_makes_lines() {
    let folder = Folder::new();
    let pack = pack(&folder, RECORD, |manifest| {
        manifest["name"] = json!("\u{1b}[2Jpack\nfiles      0, every one sound");
    });
    let output = musetalk(&["pack", "inspect"]).arg(&pack).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("pack       \\u001b[2Jpack\\nfiles "), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    let (_, value) = json_of(&["pack", "inspect", "--json"], &pack);
    assert_eq!(value["name"], "\u{1b}[2Jpack\nfiles      0, every one sound");
}

#[test]
fn inspect_tells_what_a_pack_was_compared_with() {
    let folder = Folder::new();
    let pack = pack(&folder, RECORD, |_| {});
    let inspect = || said(&musetalk(&["pack", "inspect"]).arg(&pack).output().unwrap());
    // As the builder leaves it.
    let text = inspect();
    assert!(text.contains("parity     never compared with a reference"), "{text}");
    let path = pack.join("pack.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["parity"] = json!({ "reference": "PyTorch 2.9", "relative_error": { "decoder": 2e-6 } });
    std::fs::write(&path, manifest.to_string()).unwrap();
    let text = inspect();
    for word in ["with PyTorch 2.9", "decoder: relative error 2.0e-6"] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    assert!(!text.contains("never compared"), "{text}");
}

#[test]
fn doctor_says_which_build_suits_a_processor() {
    let folder = Folder::new();
    let pack = pack(&folder, RECORD, |_| {});
    let said_of = |pack: &Path| said(&musetalk(&["doctor", "--pack"]).arg(pack).output().unwrap());
    let text = said_of(&pack);
    assert!(text.contains("tiny, fp32") && text.contains("musetalk pack verify"), "{text}");
    assert!(!text.contains("better build"), "{text}");
    let path = pack.join("pack.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["precision"] = json!("fp16");
    std::fs::write(&path, manifest.to_string()).unwrap();
    let text = said_of(&pack);
    assert!(text.contains("fp32 is the better build"), "{text}");
    assert!(text.contains("cpu would run it"), "{text}");
    let text = said_of(&folder.join("nowhere"));
    assert!(text.contains("nowhere"), "{text}");
}
