//! A pack that is missing, truncated, edited or of another format is refused with a kind that fits and its file named.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use musetalk_core::{Device, Engine, Error, ErrorKind, ModelPack};
use musetalk_tests::{runtime, scratch, tiny_pack};
use serde_json::{Value, json};

fn copy() -> PathBuf {
    // Tests run side by side: each copy is its own.
    static COPIES: AtomicU32 = AtomicU32::new(0);
    let folder = scratch(&format!("copy-{}", COPIES.fetch_add(1, Relaxed)));
    for entry in fs::read_dir(tiny_pack()).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, folder.join(from.file_name().unwrap())).unwrap();
    }
    folder
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("pack.json")).unwrap()).unwrap()
}

/// The tiny pack with a changed `pack.json`, opened.
fn edited(change: impl FnOnce(&mut Value)) -> (PathBuf, Result<ModelPack, Error>) {
    let folder = copy();
    let mut value = manifest(&folder);
    change(&mut value);
    fs::write(folder.join("pack.json"), serde_json::to_string(&value).unwrap()).unwrap();
    let opened = ModelPack::open(&folder);
    (folder, opened)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, file: &Path) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error} does not name {}", file.display());
    error.to_string()
}

fn graphs(folder: &Path) -> Vec<PathBuf> {
    let files: Vec<PathBuf> =
        manifest(folder)["files"].as_object().unwrap().keys().map(|name| folder.join(name)).collect();
    assert!(files.len() >= 4);
    files
}

fn build(folder: &Path) -> Result<Engine, Error> {
    runtime();
    Engine::builder(folder).device(Device::Cpu).threads(1).build()
}

#[test]
fn missing_folders_and_files() {
    let folder = scratch("missing");
    refused(ModelPack::open(folder.join("nowhere")), ErrorKind::NotFound, &folder.join("nowhere/pack.json"));
    refused(Engine::load(folder.join("nowhere")), ErrorKind::NotFound, &folder.join("nowhere"));
    refused(ModelPack::open(&folder), ErrorKind::NotFound, &folder.join("pack.json"));
    fs::write(folder.join("pack.json"), "").unwrap();
    refused(ModelPack::open(folder.join("pack.json")), ErrorKind::Io, &folder.join("pack.json"));
    let folder = copy();
    for graph in graphs(&folder) {
        let away = folder.join("away");
        fs::rename(&graph, &away).unwrap();
        refused(ModelPack::open(&folder), ErrorKind::NotFound, &graph);
        fs::rename(&away, &graph).unwrap();
    }
    ModelPack::open(&folder).unwrap();
}

#[test]
fn a_pack_json_that_is_none() {
    let folder = copy();
    let path = folder.join("pack.json");
    let whole = fs::read(&path).unwrap();
    for text in [
        b"".as_slice(),
        b"{",
        b"[]",
        b"null",
        b"42",
        b"\xff\xfe\x00",
        b"{\"format\": 1}",
        b"{\"format\": \"1\"}",
    ] {
        fs::write(&path, text).unwrap();
        refused(ModelPack::open(&folder), ErrorKind::Corrupt, &path);
    }
    for length in (0..whole.len().min(200)).chain((0..whole.len() - 2).step_by(97)) {
        fs::write(&path, &whole[..length]).unwrap();
        refused(ModelPack::open(&folder), ErrorKind::Corrupt, &path);
    }
    fs::write(&path, vec![b' '; 5 << 20]).unwrap();
    refused(ModelPack::open(&folder), ErrorKind::Corrupt, &path);
    let deep = format!("{{\"format\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    fs::write(&path, deep).unwrap();
    refused(ModelPack::open(&folder), ErrorKind::Corrupt, &path);
}

/// Which of two entries counts is not for each reader to choose.
#[test]
fn names_that_stand_there_twice() {
    let folder = copy();
    let path = folder.join("pack.json");
    let mut value = manifest(&folder);
    value["parity"] = json!({ "reference": null, "relative_error": { "decoder": 1e-6 } });
    let whole = value.to_string();
    let twice = |object: &Value, name: &str| {
        let once = object.to_string();
        whole.replacen(&once, &format!("{{\"{name}\":{},{}", object[name], &once[1..]), 1)
    };
    for (object, name) in [
        (&value["files"], "encoder.onnx"),
        (&value["networks"], "decoder"),
        (&value["parity"]["relative_error"], "decoder"),
    ] {
        let text = twice(object, name);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "another reader sees nothing");
        fs::write(&path, text).unwrap();
        let message = refused(ModelPack::open(&folder), ErrorKind::Corrupt, &path);
        assert!(message.contains(name) && message.contains("twice"), "{message}");
    }
    fs::write(&path, whole).unwrap();
    ModelPack::open(&folder).unwrap();
}

#[test]
fn other_formats_are_told_from_damage() {
    for format in [0, 2, u32::MAX] {
        let (folder, opened) = edited(|pack| {
            pack["format"] = json!(format);
            pack["something new"] = json!({});
        });
        let message = refused(opened, ErrorKind::Incompatible, &folder.join("pack.json"));
        assert!(
            message.contains(&format!("format {format}")) && message.contains("musetalk pack build"),
            "{message}"
        );
    }
}

#[test]
fn numbers_that_contradict_each_other() {
    let edits: &[(&str, Value)] = &[
        ("/fps", json!([0, 1])),
        ("/fps", json!([25, 0])),
        ("/fps", json!([1000, 1])),
        ("/fps", json!([25])),
        ("/fps", json!([-25, 1])),
        ("/fps", json!(25)),
        ("/image/size", json!(0)),
        ("/image/size", json!(33)),
        ("/image/size", json!(1_000_000)),
        ("/image/latent_size", json!(0)),
        ("/image/latent_channels", json!(0)),
        ("/audio/sample_rate", json!(8000)),
        ("/audio/hop", json!(0)),
        ("/audio/mels", json!(128)),
        ("/audio/positions", json!(0)),
        ("/audio/positions", json!(u32::MAX)),
        ("/audio/states", json!(0)),
        ("/audio/width", json!(0)),
        ("/audio/tokens_before", json!(u32::MAX)),
        ("/audio/tokens_after", json!(0)),
        ("/audio/look_ahead", json!(u32::MAX)),
        ("/audio/look_ahead", json!(3_201)),
        ("/audio/groups", json!([])),
        ("/audio/groups", json!([0])),
        ("/audio/groups", json!([17])),
        ("/audio/groups", json!([u32::MAX, 1])),
        ("/audio/groups", json!(vec![1; 65])),
        ("/audio/groups", json!([1.5])),
        ("/networks/decoder/file", json!("another.onnx")),
        ("/networks/decoder/inputs/0/shape", json!([[1]])),
        ("/networks/decoder/optimisation", json!("basic")),
        ("/networks/decoder/optimisation", json!(3)),
        ("/networks", json!([])),
        ("/files", json!(null)),
        ("/precision", json!("fp8")),
        ("/precision", json!(null)),
        ("/encoder_identity", json!("")),
        ("/encoder_identity", json!("0".repeat(63))),
        ("/encoder_identity", json!("F".repeat(64))),
        ("/encoder_identity", json!("é".repeat(32))),
        ("/name", json!(7)),
    ];
    for (pointer, value) in edits {
        let (folder, opened) = edited(|pack| *pack.pointer_mut(pointer).unwrap() = value.clone());
        let message = refused(opened, ErrorKind::Corrupt, &folder.join("pack.json"));
        println!("{pointer} = {value}: {message}");
    }
    for parent in ["", "/image", "/audio", "/networks/decoder", "/networks/decoder/inputs/0"] {
        let (folder, opened) = edited(|pack| pack.pointer_mut(parent).unwrap()["surprise"] = json!(1));
        let message = refused(opened, ErrorKind::Corrupt, &folder.join("pack.json"));
        assert!(message.contains("surprise"), "{message}");
    }
    for field in ["precision", "encoder_identity", "image", "fps", "audio", "networks", "files"] {
        let (folder, opened) = edited(|pack| drop(pack.as_object_mut().unwrap().remove(field)));
        let message = refused(opened, ErrorKind::Corrupt, &folder.join("pack.json"));
        assert!(message.contains(field), "{message}");
    }
}

#[test]
fn shapes_that_this_version_does_not_run() {
    let edits: &[(&str, Value)] = &[
        ("/networks/decoder/outputs/0/shape/1", json!(31)),
        ("/networks/decoder/outputs/0/type", json!("f32")),
        ("/networks/generator/inputs/0/shape", json!([])),
        ("/networks/generator/inputs", json!([])),
        ("/networks/audio_encoder/outputs/0/shape/2", json!("free")),
        ("/networks/audio_encoder/inputs/0/shape/0", json!(2)),
        ("/networks/encoder/outputs/0/shape/1", json!(u64::MAX)),
        ("/audio/states", json!(4)),
        ("/audio/positions", json!(251)),
        ("/image/size", json!(64)),
    ];
    for (pointer, value) in edits {
        let (folder, opened) = edited(|pack| *pack.pointer_mut(pointer).unwrap() = value.clone());
        refused(opened, ErrorKind::Incompatible, &folder.join("pack.json"));
    }
    for role in ["audio_encoder", "generator", "decoder", "encoder"] {
        let (folder, opened) = edited(|pack| {
            drop(pack["networks"].as_object_mut().unwrap().remove(role));
        });
        let message = refused(opened, ErrorKind::Incompatible, &folder.join("pack.json"));
        assert!(message.contains(role), "{message}");
    }
}

#[test]
fn files_that_the_list_of_files_lacks() {
    let (folder, opened) = edited(|pack| pack["self_test"] = json!("elsewhere.json"));
    let message = refused(opened, ErrorKind::Corrupt, &folder.join("pack.json"));
    assert!(message.contains("self_test") && message.contains("elsewhere.json"), "{message}");
    let (folder, opened) = edited(|pack| {
        pack["precision"] = json!("fp16");
        pack["networks"]["decoder"]["widened"] = json!("decoder.fp32.onnx");
    });
    let message = refused(opened, ErrorKind::Corrupt, &folder.join("pack.json"));
    assert!(message.contains("decoder.fp32.onnx"), "{message}");
    // Only halves can be widened.
    let (folder, opened) = edited(|pack| {
        let file = pack["networks"]["decoder"]["file"].clone();
        pack["precision"] = json!("fp32");
        pack["networks"]["decoder"]["widened"] = file;
    });
    refused(opened, ErrorKind::Corrupt, &folder.join("pack.json"));
}

/// Weights that no checksum covers could be any.
#[test]
fn files_that_nobody_vouches_for() {
    let folder = scratch("unlisted");
    let (checkpoint, pack) = (folder.join("checkpoint"), folder.join("pack"));
    musetalk_models::tiny::write_checkpoint(&checkpoint, 7).unwrap();
    musetalk_models::PackBuilder::new(&checkpoint)
        .with_largest_inside(0)
        .build(&pack, |_: musetalk_models::Progress<'_>| ControlFlow::Continue(()))
        .unwrap();
    let path = pack.join("pack.json");
    let whole = manifest(&pack);
    let check = || ModelPack::open(&pack)?.verify(|_, _| ControlFlow::Continue(()));
    check().unwrap();
    drop(build(&pack).unwrap());
    // The graph still names the file beside it.
    let data = pack.join("generator.onnx.data");
    let mut value = whole.clone();
    value["files"].as_object_mut().unwrap().remove("generator.onnx.data").unwrap();
    fs::write(&path, value.to_string()).unwrap();
    let sound = fs::read(&data).unwrap();
    let mut changed = sound.clone();
    changed[sound.len() / 2] ^= 1;
    fs::write(&data, &changed).unwrap();
    refused(check(), ErrorKind::Corrupt, &data);
    refused(build(&pack), ErrorKind::Corrupt, &data);
    fs::write(&data, &sound).unwrap();
    fs::write(&path, whole.to_string()).unwrap();
    check().unwrap();
    // A graph could name any of these.
    for name in [".weights", "weights.bin", "decoder.onnx.data.bak"] {
        let stranger = pack.join(name);
        fs::write(&stranger, b"weights").unwrap();
        refused(check(), ErrorKind::Corrupt, &stranger);
        refused(build(&pack), ErrorKind::Corrupt, &stranger);
        fs::remove_file(&stranger).unwrap();
    }
    // Papers and what a desktop leaves are in nobody's way.
    for name in ["README.md", "LICENSE", ".DS_Store", "._pack.json"] {
        fs::write(pack.join(name), b"paper").unwrap();
    }
    check().unwrap();
    let below = pack.join("below");
    fs::create_dir(&below).unwrap();
    refused(check(), ErrorKind::Corrupt, &below);
    fs::remove_dir(&below).unwrap();
    drop(build(&pack).unwrap());
}

#[cfg(unix)]
#[test]
fn files_that_are_no_files() {
    let folder = copy();
    let graph = graphs(&folder).remove(0);
    fs::remove_file(&graph).unwrap();
    fs::create_dir(&graph).unwrap();
    refused(ModelPack::open(&folder), ErrorKind::Corrupt, &graph);
    // Reading a pipe would wait for somebody who writes.
    fs::remove_dir(&graph).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&graph).status().unwrap().success());
    refused(ModelPack::open(&folder), ErrorKind::Corrupt, &graph);
}

/// A network's entry as the format has it, over a file that the pack has.
fn face_network(role: &str) -> Value {
    let tensor = |name: &str, element: &str, shape: &[Value]| {
        let shape: Vec<Value> = [json!("batch")].iter().chain(shape).cloned().collect();
        json!({ "name": name, "type": element, "shape": shape })
    };
    let (inputs, outputs) = match role {
        "face_detector" => {
            let free = |name: &str, k: u32| json!(format!("{name}_{k}"));
            let level = |k: u32| {
                let sides = |channels: u32| [json!(channels), free("height", k), free("width", k)];
                let scores = if k == 0 { 4 } else { 2 };
                [
                    tensor(&format!("scores_{k}"), "f32", &sides(scores)),
                    tensor(&format!("boxes_{k}"), "f32", &sides(4)),
                ]
            };
            let image = tensor("image", "f32", &[json!(3), json!("height"), json!("width")]);
            (vec![image], (0..6).flat_map(level).collect())
        }
        "face_landmarks" => (
            vec![tensor("input", "f32", &[json!(3), json!(384), json!(288)])],
            vec![
                // In whatever order they were published.
                tensor("simcc_y", "f32", &[json!(133), json!(768)]),
                tensor("simcc_x", "f32", &[json!(133), json!(576)]),
            ],
        ),
        _ => (
            vec![tensor("image", "f32", &[json!(3), json!(512), json!(512)])],
            vec![tensor("classes", "u8", &[json!(512), json!(512)])],
        ),
    };
    json!({ "file": "encoder.onnx", "optimisation": "all", "inputs": inputs, "outputs": outputs })
}

#[test]
fn face_networks_may_be_absent_but_not_wrong() {
    for role in ["face_detector", "face_landmarks", "face_parser"] {
        let (_, opened) = edited(|pack| pack["networks"][role] = face_network(role));
        opened.unwrap();
        let edits: &[(&str, Value)] = &[
            ("/inputs/0/name", json!("picture")),
            ("/inputs/0/shape/1", json!(4)),
            ("/inputs/0/type", json!("u8")),
            ("/inputs", json!([])),
            ("/outputs/0/name", json!("elsewhere")),
            ("/outputs/0/shape/1", json!(7)),
            ("/outputs/0/shape", json!([1])),
            ("/outputs", json!([])),
        ];
        for (pointer, value) in edits {
            let (folder, opened) = edited(|pack| {
                pack["networks"][role] = face_network(role);
                *pack["networks"][role].pointer_mut(pointer).unwrap() = value.clone();
            });
            let message = refused(opened, ErrorKind::Incompatible, &folder.join("pack.json"));
            assert!(message.contains(role), "{message}");
        }
        let (folder, opened) = edited(|pack| {
            let mut network = face_network(role);
            let again = network["outputs"][0].clone();
            network["outputs"].as_array_mut().unwrap().push(again);
            pack["networks"][role] = network;
        });
        refused(opened, ErrorKind::Incompatible, &folder.join("pack.json"));
    }
    // A side that must be free and one that must not.
    for (role, pointer, value) in [
        ("face_detector", "/inputs/0/shape/2", json!(720)),
        ("face_parser", "/inputs/0/shape/2", json!("height")),
    ] {
        let (folder, opened) = edited(|pack| {
            pack["networks"][role] = face_network(role);
            *pack["networks"][role].pointer_mut(pointer).unwrap() = value.clone();
        });
        refused(opened, ErrorKind::Incompatible, &folder.join("pack.json"));
    }
}

#[test]
fn graphs_that_are_not_what_pack_json_states() {
    let (folder, opened) =
        edited(|pack| pack["networks"]["decoder"]["inputs"][0]["name"] = json!("elsewhere"));
    opened.unwrap();
    let file = manifest(&folder)["networks"]["decoder"]["file"].as_str().unwrap().to_owned();
    refused(build(&folder), ErrorKind::Incompatible, &folder.join(file));
    // Two networks with each other's files: both are there, whole, and wrong.
    let (folder, opened) = edited(|pack| {
        let decoder = pack["networks"]["decoder"]["file"].take();
        let encoder = pack["networks"]["encoder"]["file"].take();
        pack["networks"]["decoder"]["file"] = encoder;
        pack["networks"]["encoder"]["file"] = decoder;
    });
    opened.unwrap();
    refused(build(&folder), ErrorKind::Incompatible, &folder);
}

#[test]
fn names_that_leave_the_folder() {
    for name in ["../outside.onnx", "/etc/hostname", "a/b.onnx", "..", ".", "", "a\\b", "C:x", "nul\0"] {
        let (folder, opened) = edited(|pack| {
            let old = pack["networks"]["decoder"]["file"].as_str().unwrap().to_owned();
            let entry = pack["files"].as_object_mut().unwrap().remove(&old).unwrap();
            pack["files"][name] = entry;
            pack["networks"]["decoder"]["file"] = json!(name);
        });
        refused(opened, ErrorKind::Corrupt, &folder.join("pack.json"));
    }
}

/// A file that was read once is not read again, but one that was damaged since is noticed, its times put back or not.
#[test]
fn damage_after_a_first_opening_is_noticed() {
    let folder = copy();
    // Whoever reads a file within two seconds of its last change cannot know whether it was the last.
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    drop(build(&folder).unwrap());
    drop(build(&folder).unwrap());
    for graph in graphs(&folder) {
        let whole = fs::read(&graph).unwrap();
        let modified = fs::metadata(&graph).unwrap().modified().unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 3] ^= 1;
        fs::write(&graph, &changed).unwrap();
        if cfg!(unix) {
            let file = fs::File::options().write(true).open(&graph).unwrap();
            file.set_times(fs::FileTimes::new().set_modified(modified)).unwrap();
        }
        refused(build(&folder), ErrorKind::Corrupt, &graph);
        fs::write(&graph, &whole).unwrap();
    }
    drop(build(&folder).unwrap());
}

#[test]
fn truncated_and_changed_graphs() {
    let folder = copy();
    for graph in graphs(&folder) {
        let whole = fs::read(&graph).unwrap();
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&graph, &whole[..length]).unwrap();
            refused(ModelPack::open(&folder), ErrorKind::Corrupt, &graph);
        }
        let mut changed = whole.clone();
        changed[whole.len() / 3] ^= 1;
        fs::write(&graph, &changed).unwrap();
        let pack = ModelPack::open(&folder).unwrap();
        refused(pack.verify(|_, _| ControlFlow::Continue(())), ErrorKind::Corrupt, &graph);
        fs::write(&graph, vec![0xa5; whole.len()]).unwrap();
        let manifest = manifest(&folder);
        // The encoder is loaded when a person is first prepared, and not before.
        let loaded = ["audio_encoder", "generator", "decoder"]
            .map(|role| folder.join(manifest["networks"][role]["file"].as_str().unwrap()));
        if loaded.contains(&graph) {
            refused(build(&folder), ErrorKind::Corrupt, &graph);
        }
        fs::write(&graph, &whole).unwrap();
        // The file may even vanish after the pack was opened.
        fs::remove_file(&graph).unwrap();
        refused(pack.verify(|_, _| ControlFlow::Continue(())), ErrorKind::NotFound, &graph);
        fs::write(&graph, &whole).unwrap();
    }
    let pack = ModelPack::open(&folder).unwrap();
    pack.verify(|done, total| {
        assert!(done <= total);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(pack.verify(|_, _| ControlFlow::Break(())).unwrap_err().kind(), ErrorKind::Cancelled);
}
