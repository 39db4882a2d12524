//! A pack of halves computes nearly what the reference computes, on a device that has halves and, widened, on one that has not;
//! and what a pack says of its own outputs is what an engine finds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;
#[path = "support/tensors.rs"]
mod tensors;
#[path = "support/torch.rs"]
mod torch;

use std::path::Path;

use musetalk_models::tiny::{Sizes, write_checkpoint_of};
use musetalk_models::{ErrorKind, PackBuilder, Precision};
use serde_json::Value;
use support::{Folder, expect, fixture, go_on, session, tiny};
use tensors::{Case, NETWORKS, run};

/// Ten bits of a half, through some twenty layers.
const BOUND: f64 = 1e-2;

fn read(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn build(fixture: &Path, pack: &Path, precision: Precision) {
    PackBuilder::new(fixture).precision(precision).with_float_decoder().build(pack, go_on).unwrap();
}

#[test]
fn halves_stay_close_to_the_reference() {
    for name in ["small", "other"] {
        let (folder, fixture) = (Folder::new(), fixture(name));
        let (pack, cases) = (folder.join("halves.pack"), fixture.join("cases.safetensors"));
        build(&fixture, &pack, Precision::Fp16);
        let manifest = read(&pack.join("pack.json"));
        assert_eq!(manifest["precision"], "fp16");
        for (network, inputs, output) in NETWORKS {
            let given: Vec<(&str, Case)> =
                inputs.iter().map(|(input, key)| (*input, Case::read(&cases, key))).collect();
            let given: Vec<(&str, &Case)> = given.iter().map(|(input, case)| (*input, case)).collect();
            let expected = Case::read(&cases, output);
            for kind in ["file", "widened"] {
                let file = manifest["networks"][network][kind].as_str().unwrap();
                let error = run(&mut session(&pack.join(file)), &given).relative_error(&expected);
                println!("{name}/{file}: relative error {error:.2e}");
                assert!(error <= BOUND && error > 0.0, "{name}/{file}: {error}");
            }
        }
    }
}

#[test]
fn halves_are_stored_once_in_less_space() {
    let (folder, fixture) = (Folder::new(), fixture("small"));
    let size = |name: &str, precision| {
        let pack = folder.join(name);
        let builder = PackBuilder::new(&fixture).precision(precision).with_largest_inside(0);
        builder.build(&pack, go_on).unwrap();
        let files = read(&pack.join("pack.json"))["files"].as_object().unwrap().clone();
        files["generator.onnx.data"]["bytes"].as_u64().unwrap()
    };
    let (singles, halves) = (size("singles.pack", Precision::Fp32), size("halves.pack", Precision::Fp16));
    // Weights begin at pages, so networks as small as these do not shrink to half.
    assert!(halves < singles, "{halves} of {singles}");
}

#[test]
fn one_checkpoint_is_one_encoder_whatever_its_precision() {
    let folder = Folder::new();
    let identity = |name: &str, precision| {
        let pack = folder.join(&format!("{name}-{precision:?}.pack"));
        build(&fixture(name), &pack, precision);
        read(&pack.join("pack.json"))["encoder_identity"].as_str().unwrap().to_owned()
    };
    let small = identity("small", Precision::Fp32);
    assert_eq!(small.len(), 64);
    assert_eq!(small, identity("small", Precision::Fp16));
    assert_ne!(small, identity("other", Precision::Fp32));
}

#[test]
fn what_a_pack_says_of_its_outputs_is_what_an_engine_finds() {
    for (name, precision) in
        [("small", Precision::Fp32), ("other", Precision::Fp32), ("other", Precision::Fp16)]
    {
        let folder = Folder::new();
        let pack = folder.join("pack");
        build(&fixture(name), &pack, precision);
        let (manifest, recorded) = (read(&pack.join("pack.json")), read(&pack.join("self_test.json")));
        for (network, entry) in manifest["networks"].as_object().unwrap() {
            let inputs: Vec<(&str, Case)> =
                entry["inputs"].as_array().unwrap().iter().enumerate().map(given).collect();
            let inputs: Vec<(&str, &Case)> = inputs.iter().map(|(name, case)| (*name, case)).collect();
            let file = entry["widened"].as_str().or(entry["file"].as_str()).unwrap();
            let found = run(&mut session(&pack.join(file)), &inputs).values;
            let places = musetalk_core::self_test::places(found.len());
            let found: Vec<f32> = places.map(|place| found[place]).collect();
            let recorded: Vec<f32> = serde_json::from_value(recorded[network].clone()).unwrap();
            let case = |values: Vec<f32>| Case { shape: vec![values.len()], values };
            let error = case(found).relative_error(&case(recorded));
            println!("{name} {precision:?}/{network}: {error:.1e}");
            assert!(error < 1e-5, "{name} {precision:?}/{network}: {error}");
        }
    }
}

/// What the self-test gives an input.
fn given((index, input): (usize, &Value)) -> (&str, Case) {
    let sides = input["shape"].as_array().unwrap().iter().skip(1).map(|side| side.as_u64().unwrap() as usize);
    let shape: Vec<usize> = std::iter::once(1).chain(sides).collect();
    let values = musetalk_core::self_test::input(index, shape.iter().product());
    (input["name"].as_str().unwrap(), Case { shape, values })
}

#[test]
fn a_network_that_outgrows_halves_is_refused_in_halves_alone() {
    let folder = Folder::new();
    let checkpoint = tiny(&folder);
    let file = checkpoint.join("unet/diffusion_pytorch_model.safetensors");
    let mut weights = torch::weights(&file);
    let louder = weights.iter_mut().filter(|weight| weight.name.ends_with("ff.net.0.proj.weight"));
    for weight in louder {
        let values = weight.raw.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
        weight.raw = values.flat_map(|value| (200.0 * value).to_le_bytes()).collect();
    }
    std::fs::remove_file(file).unwrap();
    std::fs::write(checkpoint.join("unet/diffusion_pytorch_model.bin"), torch::zip_file(&weights)).unwrap();
    let halves = PackBuilder::new(&checkpoint).precision(Precision::Fp16);
    let error = halves.build(folder.join("halves.pack"), go_on).unwrap_err();
    println!("{error}");
    expect(
        &error,
        ErrorKind::Unsupported,
        &["network generator", "ff/Mul", "16 bits", "fp32", "diffusion_pytorch_model.bin"],
    );
    assert_eq!(folder.names(), ["checkpoint"]);
    PackBuilder::new(&checkpoint).build(folder.join("singles.pack"), go_on).unwrap();
}

#[test]
fn no_file_is_written_for_weights_that_stay_in_the_graph() {
    let folder = Folder::new();
    let pack = folder.join("halves.pack");
    PackBuilder::new(tiny(&folder)).precision(Precision::Fp16).build(&pack, go_on).unwrap();
    let sizes = std::fs::read_dir(&pack).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    assert!(sizes.min().unwrap() > 0);
    // Its longest weight has 8·8·3·3 halves.
    assert!(!pack.join("decoder.onnx.data").exists());
    assert!(read(&pack.join("pack.json"))["files"]["decoder.onnx.data"].is_null());
    session(&pack.join("decoder.onnx"));
}

#[test]
fn networks_too_large_to_be_tried_have_no_record() {
    let folder = Folder::new();
    let (checkpoint, pack) = (folder.join("checkpoint"), folder.join("large.pack"));
    let mut sizes = Sizes::default();
    sizes.picture = 16;
    write_checkpoint_of(&checkpoint, 1, sizes).unwrap();
    let built = PackBuilder::new(&checkpoint).build(&pack, go_on).unwrap();
    for network in ["generator", "decoder", "encoder"] {
        let told = built.notes.iter().any(|note| note.contains(&format!("network {network} is too large")));
        assert!(told, "{network}: {:?}", built.notes);
    }
    let recorded = read(&pack.join("self_test.json"));
    assert_eq!(recorded.as_object().unwrap().keys().collect::<Vec<_>>(), ["audio_encoder"]);
}
