//! A stand-in of the published file is taken as it is; hostile and wrong ones are refused in words.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use musetalk_core::ModelPack;
use prost::Message;
use serde_json::{Value, json};

use super::*;
use crate::graph::{Graph, layers};
use crate::onnx::{Model, TensorMessage, WeightStore};
use crate::tensor::Tensor;
use crate::{PackBuilder, Precision, tiny};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name =
            format!("musetalk-landmarks-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(path.join("out")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A network with the inputs and outputs of DWPose.
fn stand_in(folder: &Path) -> PathBuf {
    let mut graph = Graph::new("pose", WeightStore::Inside, Precision::Fp32);
    let input = graph.input("input", &[3, 384, 288]);
    let mean = graph.channel_means(&input);
    for (name, bins) in [("simcc_x", 576), ("simcc_y", 768)] {
        let weight = Tensor::zeros(&[133 * bins, 3, 1, 1]).offset(0.5);
        let x =
            layers::conv(&mut graph, name, &mean, &weight, &Tensor::zeros(&[133 * bins]), 1, [0; 4]).unwrap();
        let x = graph.reshape(&x, &[133, bins]);
        graph.output(name, &x, Element::F32);
    }
    graph.write(folder, "pose").unwrap();
    folder.join("pose.onnx")
}

/// What is said to a stand-in after `edit` changed it; nothing is written.
fn refused(edit: impl FnOnce(&mut Model)) -> Error {
    refused_bytes(|bytes| {
        let mut model = Model::decode(&bytes[..]).unwrap();
        edit(&mut model);
        model.encode_to_vec()
    })
}

fn refused_bytes(edit: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Error {
    let folder = Folder::new();
    let path = stand_in(&folder.0);
    std::fs::write(&path, edit(std::fs::read(&path).unwrap())).unwrap();
    let error = take(&path, &folder.0.join("out")).map(|_| ()).unwrap_err();
    println!("{:?}: {error}", error.kind());
    assert!(error.to_string().contains("pose.onnx"), "{error}");
    assert_eq!(std::fs::read_dir(folder.0.join("out")).unwrap().count(), 0, "nothing is written");
    error
}

fn expect(error: &Error, kind: ErrorKind, words: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{words:?} is missing from: {error}");
}

/// A field of bytes, as the format writes it.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    prost::encode_length_delimiter(content.len(), &mut bytes).unwrap();
    // Numbers above 15 take two bytes.
    let key = (u16::from(number) << 3) | 2;
    let key: Vec<u8> =
        if key < 128 { vec![key as u8] } else { vec![(key as u8 & 127) | 128, (key >> 7) as u8] };
    [&key[..], &bytes[1..], content].concat()
}

/// The stand-in with one more node in its graph.
fn with_node(bytes: Vec<u8>, node: &[u8]) -> Vec<u8> {
    let model = Model::decode(&bytes[..]).unwrap();
    let graph = [model.graph.unwrap().encode_to_vec(), field(1, node)].concat();
    field(7, &graph)
}

fn outside() -> TensorMessage {
    let entry = |key: &str, value: &str| crate::onnx::Entry { key: key.into(), value: value.into() };
    TensorMessage {
        dims: vec![1],
        data_type: 1,
        name: "stolen".into(),
        external_data: vec![entry("location", "../../../etc/passwd")],
        data_location: Some(1),
        ..TensorMessage::default()
    }
}

#[test]
fn a_pack_takes_the_published_file_as_it_is() {
    let folder = Folder::new();
    let from = folder.0.join("checkpoint");
    tiny::write_checkpoint(&from, 1).unwrap();
    std::fs::create_dir(from.join("dwpose")).unwrap();
    let published = from.join("dwpose/dw-ll_ucoco_384.onnx");
    std::fs::rename(stand_in(&folder.0), &published).unwrap();
    let mut steps = Vec::new();
    let built = PackBuilder::new(&from).build(folder.0.join("out/pack"), |progress| {
        assert!(progress.done <= progress.total);
        steps.push(progress.step.to_owned());
        ControlFlow::Continue(())
    });
    let pack = built.unwrap().folder;
    ModelPack::open(&pack).expect("the core takes the pack");
    assert!(steps.iter().any(|step| step == ROLE), "{steps:?}");
    assert!(std::fs::read(&published).unwrap() == std::fs::read(pack.join("face_landmarks.onnx")).unwrap());
    let manifest: Value = serde_json::from_slice(&std::fs::read(pack.join("pack.json")).unwrap()).unwrap();
    let network = &manifest["networks"][ROLE];
    assert_eq!(network["inputs"][0]["shape"], json!(["batch", 3, 384, 288]));
    assert_eq!(network["outputs"][1]["name"], "simcc_y");
    assert_eq!(network["outputs"][1]["shape"], json!(["batch", 133, 768]));
    assert_eq!(network["parameters"], 133 * (576 + 768) * 4);
    let weights = manifest["weights"].as_array().unwrap();
    let entry = weights.iter().find(|entry| entry["network"] == ROLE).unwrap();
    assert_eq!(entry["sha256"], manifest["files"]["face_landmarks.onnx"]["sha256"]);
    let recorded = std::fs::read_to_string(pack.join("self_test.json")).unwrap();
    assert!(!recorded.contains(ROLE), "no engine-free record of a network that was not built here");
}

#[test]
fn a_batch_of_one_is_stated() {
    let folder = Folder::new();
    let path = stand_in(&folder.0);
    let mut model = Model::decode(&std::fs::read(&path).unwrap()[..]).unwrap();
    let graph = model.graph.as_mut().unwrap();
    for port in graph.input.iter_mut().chain(&mut graph.output) {
        let shape = port.kind.as_mut().unwrap().tensor.as_mut().unwrap().shape.as_mut().unwrap();
        shape.side[0] = crate::onnx::Side { length: Some(1), name: None };
    }
    std::fs::write(&path, model.encode_to_vec()).unwrap();
    let (network, _) = take(&path, &folder.0.join("out")).unwrap();
    let network = serde_json::to_value(&network).unwrap();
    assert_eq!(network["inputs"][0]["shape"], json!([1, 3, 384, 288]));
    assert_eq!(network["outputs"][0]["shape"], json!([1, 133, 576]));
}

#[test]
fn every_truncation_is_refused() {
    for part in 0..64 {
        let error = refused_bytes(|bytes| bytes[..bytes.len() * part / 64].to_vec());
        expect(&error, ErrorKind::Corrupt, "it ");
    }
}

#[test]
fn a_flipped_bit_is_survived_wherever_it_falls() {
    let folder = Folder::new();
    let mut model = Model::decode(&std::fs::read(stand_in(&folder.0)).unwrap()[..]).unwrap();
    for weight in &mut model.graph.as_mut().unwrap().initializer {
        (weight.dims, weight.raw_data) = (vec![], Some(vec![0; if weight.data_type == 1 { 4 } else { 8 }]));
    }
    let sound = model.encode_to_vec();
    Foreign::read(&sound).unwrap();
    let mut refused = 0;
    for at in 0..8 * sound.len() {
        let mut bytes = sound.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        // Most names may be any; what matters is that it ends, in one way or the other.
        refused += usize::from(Foreign::read(&bytes).is_err());
    }
    println!("{refused} of {} flips refused", 8 * sound.len());
    assert!(refused > sound.len(), "{refused}");
}

#[test]
fn another_network_is_refused() {
    let error = refused(|model| model.graph.as_mut().unwrap().output[1].name = "heatmap".into());
    expect(&error, ErrorKind::Incompatible, "no output simcc_y, only [\"simcc_x\", \"heatmap\"]");
    let error = refused(|model| {
        let input = model.graph.as_mut().unwrap().input[0].kind.as_mut().unwrap().tensor.as_mut().unwrap();
        input.shape.as_mut().unwrap().side[2].length = Some(256);
    });
    expect(&error, ErrorKind::Incompatible, "[free, 3, 256, 288], expected [batch, 3, 384, 288]");
    let error = refused(|model| {
        let input = model.graph.as_mut().unwrap().input[0].kind.as_mut().unwrap().tensor.as_mut().unwrap();
        input.element = Element::F16 as i32;
    });
    expect(&error, ErrorKind::Incompatible, "32-bit floats");
    let error = refused(|model| {
        let graph = model.graph.as_mut().unwrap();
        let mut more = graph.output[0].clone();
        more.name = "more".into();
        graph.output.push(more);
    });
    expect(&error, ErrorKind::Incompatible, "3 outputs, expected 2");
}

#[test]
fn weights_outside_the_file_are_refused_wherever_they_hide() {
    let error = refused(|model| model.graph.as_mut().unwrap().initializer.push(outside()));
    expect(&error, ErrorKind::Unsupported, "\"stolen\" lies outside");
    // In a constant node, and in a graph inside a node.
    let tensor = outside().encode_to_vec();
    let constant = field(5, &field(5, &tensor));
    expect(&refused_bytes(|bytes| with_node(bytes, &constant)), ErrorKind::Unsupported, "outside");
    let nested = field(5, &field(6, &field(5, &tensor)));
    expect(&refused_bytes(|bytes| with_node(bytes, &nested)), ErrorKind::Unsupported, "outside");
}

#[test]
fn operators_that_no_engine_has_or_that_never_end_are_refused() {
    let custom = [field(4, b"Sneak"), field(7, b"org.example")].concat();
    expect(
        &refused_bytes(|bytes| with_node(bytes, &custom)),
        ErrorKind::Unsupported,
        "Sneak, an operator of org.example",
    );
    expect(&refused_bytes(|bytes| with_node(bytes, &field(4, b"Loop"))), ErrorKind::Unsupported, "Loop");
    let nested = |graph: Vec<u8>, _| field(5, &field(6, &field(1, &graph)));
    let deep = (0..200).fold(Vec::new(), nested);
    expect(&refused_bytes(|bytes| with_node(bytes, &deep)), ErrorKind::Unsupported, "deep");
    let functions = |bytes: Vec<u8>| [bytes, field(25, b"")].concat();
    expect(&refused_bytes(functions), ErrorKind::Unsupported, "functions");
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    for dims in [vec![1 << 40], vec![1 << 62, 1 << 62], vec![-1], vec![3]] {
        let error = refused(|model| {
            let weight = TensorMessage { dims, data_type: 1, raw_data: Some(vec![0; 8]), ..outside() };
            let weight = TensorMessage { external_data: vec![], data_location: None, ..weight };
            model.graph.as_mut().unwrap().initializer.push(weight);
        });
        expect(&error, ErrorKind::Corrupt, "\"stolen\" has not as many numbers");
    }
    let crowd = field(1, b"").repeat(70_000);
    let error = refused_bytes(|_| field(7, &crowd));
    expect(&error, ErrorKind::Unsupported, "65536 nodes");
    let folder = Folder::new();
    let path = folder.0.join("pose.onnx");
    std::fs::File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
    expect(&take(&path, &folder.0).map(|_| ()).unwrap_err(), ErrorKind::Corrupt, "more than 268435456 bytes");
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = Folder::new();
    expect(&take(&folder.0, &folder.0).map(|_| ()).unwrap_err(), ErrorKind::Corrupt, "no file");
    let error = take(&folder.0.join("absent.onnx"), &folder.0).map(|_| ()).unwrap_err();
    expect(&error, ErrorKind::NotFound, "absent.onnx");
}
