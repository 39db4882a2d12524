//! The networks that find and cut out faces compute what PyTorch computes, in single precision in every pack, at any width,
//! and a pack without them is a pack.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;
#[path = "support/tensors.rs"]
mod tensors;

use std::path::{Path, PathBuf};

use musetalk_core::{ModelPack, self_test};
use musetalk_models::{Error, ErrorKind, PackBuilder, Precision};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use support::{Folder, build, expect, fixture, go_on, refused_build, session, tiny};
use tensors::{Case, run, run_all};

const BOUND: f64 = 1e-5;

/// Side of the face parser's picture, and of the pixels kept of its answer: see `make_face_fixtures.py`.
const SIDE: usize = 512;
const STEP: usize = 23;

/// A tiny checkpoint with the face networks of the fixtures.
fn with_faces(folder: &Folder) -> PathBuf {
    let checkpoint = tiny(folder);
    for name in ["face-parse-bisent", "s3fd"] {
        std::fs::create_dir(checkpoint.join(name)).unwrap();
        for file in std::fs::read_dir(fixture("faces").join(name)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), checkpoint.join(name).join(file.file_name())).unwrap();
        }
    }
    checkpoint
}

fn cases(name: &str) -> Case {
    Case::read(&fixture("faces").join("cases.safetensors"), name)
}

/// `pictures` of `make_face_fixtures.py`.
fn pictures(batch: usize) -> Case {
    let item = |b: usize| {
        let squares = self_test::input(2 * b, 3 * 16 * 16);
        let fine = self_test::input(2 * b + 1, 3 * SIDE * SIDE);
        let square = move |at: usize| {
            let (channel, y, x) = (at / (SIDE * SIDE), at / SIDE % SIDE, at % SIDE);
            squares[(channel * 16 + y / 32) * 16 + x / 32]
        };
        fine.into_iter().enumerate().map(move |(at, fine)| square(at) + fine * 0.25)
    };
    Case { shape: vec![batch, 3, SIDE, SIDE], values: (0..batch).flat_map(item).collect() }
}

/// `frames` of `make_face_fixtures.py`.
fn frames(batch: usize, height: usize, width: usize) -> Case {
    let item = |b| self_test::input(b, 3 * height * width).into_iter().map(|x| 64.0 * x);
    Case { shape: vec![batch, 3, height, width], values: (0..batch).flat_map(item).collect() }
}

/// The pixels of a picture that the fixtures keep.
fn kept(picture: &Case) -> Case {
    let rows = picture.shape[..picture.shape.len() - 2].iter().product::<usize>() * SIDE;
    let kept_rows = (0..rows).filter(|row| (row % SIDE).is_multiple_of(STEP));
    let values = kept_rows
        .flat_map(|row| picture.values[row * SIDE..][..SIDE].iter().step_by(STEP).copied())
        .collect();
    let side = SIDE.div_ceil(STEP);
    Case { shape: [&picture.shape[..picture.shape.len() - 2], &[side, side]].concat(), values }
}

fn check(what: &str, found: &Case, expected: &Case) {
    let error = found.relative_error(expected);
    println!("{what}: relative error {error:.2e}");
    assert!(error <= BOUND, "{what}: {error}");
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn the_detector_takes_frames_of_any_size() {
    let folder = Folder::new();
    let pack = folder.join("pack");
    build(&with_faces(&folder), &pack).unwrap();
    let mut session = session(&pack.join("face_detector.onnx"));
    for (batch, height, width) in [(2, 75, 101), (1, 32, 47)] {
        let input = frames(batch, height, width);
        let found = run_all(&mut session, &[("image", &input)]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        let expected = (0..6).flat_map(|k| [format!("scores_{k}"), format!("boxes_{k}")]);
        assert!(expected.eq(names.iter().copied()), "{names:?}");
        let expected: Vec<Case> =
            names.iter().map(|name| cases(&format!("{name}@{height}x{width}"))).collect();
        for ((name, found), expected) in found.iter().zip(&expected) {
            check(&format!("{name} at {height}×{width}"), found, expected);
        }
        // The last item on its own: the batch is a free side.
        for ((name, found), expected) in
            run_all(&mut session, &[("image", &input.item(batch - 1))]).iter().zip(&expected)
        {
            check(&format!("{name} at {height}×{width} alone"), found, &expected.item(batch - 1));
        }
    }
}

#[test]
fn the_parser_enlarges_logits_corner_to_corner_and_takes_the_largest() {
    let folder = Folder::new();
    let (checkpoint, floats, bytes) = (with_faces(&folder), folder.join("floats"), folder.join("bytes"));
    PackBuilder::new(&checkpoint).with_float_decoder().build(&floats, go_on).unwrap();
    build(&checkpoint, &bytes).unwrap();
    let (input, expected) = (pictures(2), cases("logits"));
    let logits = run(&mut session(&floats.join("face_parser.onnx")), &[("image", &input)]);
    assert_eq!(logits.shape, [2, 19, SIDE, SIDE]);
    let logits = kept(&logits);
    check("logits", &logits, &expected);
    let mut parser = session(&bytes.join("face_parser.onnx"));
    let classes = run(&mut parser, &[("image", &input)]);
    assert_eq!(classes.shape, [2, SIDE, SIDE]);
    let classes = kept(&classes);
    let (plane, mut seen) = (classes.values.len() / 2, [0; 19]);
    for (at, &class) in classes.values.iter().enumerate() {
        let (item, pixel) = (at / plane, at % plane);
        let logit = |class: usize| expected.values[(item * 19 + class) * plane + pixel];
        let most = (0..19).map(logit).fold(f32::NEG_INFINITY, f32::max);
        assert!(most - logit(class as usize) <= 1e-4, "pixel {at} is class {class}");
        seen[class as usize] += 1;
    }
    println!("pixels of each class: {seen:?}");
    assert!(seen.iter().filter(|&&pixels| pixels > 0).count() >= 5, "{seen:?}");
    let alone = kept(&run(&mut parser, &[("image", &input.item(1))]));
    assert_eq!(alone.values, classes.values[plane..]);
}

#[test]
fn faces_are_found_in_single_precision_in_a_pack_of_halves() {
    let folder = Folder::new();
    let (checkpoint, pack) = (with_faces(&folder), folder.join("pack"));
    let mut steps = Vec::new();
    let builder = PackBuilder::new(&checkpoint).precision(Precision::Fp16);
    let built = builder.build(&pack, |progress| {
        steps.push(progress.step.to_owned());
        go_on(progress)
    });
    built.unwrap();
    ModelPack::open(&pack).expect("the core takes the pack");
    let manifest = read(&pack.join("pack.json"));
    for role in ["face_detector", "face_parser"] {
        let network = &manifest["networks"][role];
        assert_eq!(network["widened"], Value::Null);
        assert!(manifest["files"][network["file"].as_str().unwrap()].is_object());
        assert!(network["macs"].as_u64().unwrap() > 0);
        assert!(steps.iter().any(|step| step == role));
        assert!(manifest["weights"].as_array().unwrap().iter().any(|entry| entry["network"] == role));
    }
    let detector = &manifest["networks"]["face_detector"];
    assert_eq!(detector["inputs"][0]["shape"], json!(["batch", 3, "height", "width"]));
    assert_eq!(detector["outputs"][0]["shape"], json!(["batch", 4, "h_0", "w_0"]));
    assert_eq!(detector["outputs"][11]["name"], "boxes_5");
    assert_eq!(detector["outputs"][11]["shape"], json!(["batch", 4, "h_5", "w_5"]));
    let classes = json!([{ "name": "classes", "type": "u8", "shape": ["batch", 512, 512] }]);
    assert_eq!(manifest["networks"]["face_parser"]["outputs"], classes);
    // What the pack says of its own outputs is what an engine finds.
    let recorded = read(&pack.join("self_test.json"));
    for (role, sides) in [("face_detector", [256, 256]), ("face_parser", [SIDE, SIDE])] {
        let shape = vec![1, 3, sides[0], sides[1]];
        let input = Case { values: self_test::input(0, shape.iter().product()), shape };
        let found = run(&mut session(&pack.join(format!("{role}.onnx"))), &[("image", &input)]).values;
        let found: Vec<f32> = self_test::places(found.len()).map(|place| found[place]).collect();
        let recorded: Vec<f32> = serde_json::from_value(recorded[role].clone()).unwrap();
        let case = |values: &[f32]| Case { shape: vec![values.len()], values: values.to_vec() };
        check(&format!("record of {role}"), &case(&found), &case(&recorded));
    }
}

#[test]
fn a_pack_without_faces_is_a_pack() {
    let folder = Folder::new();
    let pack = folder.join("pack");
    build(&tiny(&folder), &pack).unwrap();
    assert_eq!(read(&pack.join("pack.json"))["networks"].as_object().unwrap().len(), 4);
}

/// Builds a checkpoint one of whose face networks has a tensor changed.
fn refused(network: &str, change: impl Fn(&str, &[usize], &[u8]) -> (Vec<usize>, Vec<u8>)) -> Error {
    let folder = Folder::new();
    let checkpoint = with_faces(&folder);
    let file = checkpoint.join(network).join("model.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let changed: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, view)| {
            let (shape, data) = change(name, view.shape(), view.data());
            (name.to_owned(), view.dtype(), shape, data)
        })
        .collect();
    let views = changed.iter().filter(|(_, _, shape, _)| !shape.is_empty());
    let views: Vec<(&str, TensorView<'_>)> = views
        .map(|(name, dtype, shape, data)| {
            (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap())
        })
        .collect();
    safetensors::serialize_to_file(views, None, &file).unwrap();
    refused_build(&folder)
}

#[test]
fn a_damaged_face_network_is_refused_by_the_name_of_its_tensor() {
    // An empty shape takes the tensor out.
    for (network, tensor) in
        [("s3fd", "conv4_1.weight"), ("s3fd", "fc7.bias"), ("face-parse-bisent", "ffm.conv1.weight")]
    {
        let error = refused(network, |name, shape, data| match name == tensor {
            true => (vec![], vec![]),
            false => (shape.to_vec(), data.to_vec()),
        });
        expect(&error, ErrorKind::Incompatible, &[tensor, "missing", network]);
    }
    let error = refused("s3fd", |name, shape, data| match name {
        "fc6.weight" => (vec![0, 8, 3, 3], vec![]),
        _ => (shape.to_vec(), data.to_vec()),
    });
    expect(&error, ErrorKind::Incompatible, &["fc6.weight", "0 channels"]);
    let error = refused("s3fd", |name, shape, data| match name {
        "fc6.weight" => (vec![shape[0] * 9, shape[1], 1, 1], data.to_vec()),
        _ => (shape.to_vec(), data.to_vec()),
    });
    expect(&error, ErrorKind::Incompatible, &["fc6.weight", "[81, 8, 3, 3]", "[81, 8, 1, 1]"]);
}

#[test]
fn a_parser_of_other_classes_or_impossible_statistics_is_refused() {
    let error = refused("face-parse-bisent", |name, shape, data| match name {
        "conv_out.conv_out.weight" => (vec![11, 19, 1, 1], data.to_vec()),
        _ => (shape.to_vec(), data.to_vec()),
    });
    expect(&error, ErrorKind::Incompatible, &["11 classes", "19", "face-parse-bisent"]);
    let error = refused("face-parse-bisent", |name, shape, data| match name {
        // Variances of −1, in halves.
        "cp.conv_avg.bn.running_var" => (shape.to_vec(), [0x00, 0xbc].repeat(shape[0])),
        _ => (shape.to_vec(), data.to_vec()),
    });
    expect(&error, ErrorKind::Corrupt, &["cp.conv_avg.bn", "not finite", "face-parse-bisent"]);
}
