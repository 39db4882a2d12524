//! Every network computes what transformers and diffusers compute, in single precision: relative error at most 1e-5.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;
#[path = "support/tensors.rs"]
mod tensors;

use musetalk_models::PackBuilder;
use support::{Folder, fixture, go_on, session, tiny};
use tensors::{Case, NETWORKS, run};

/// What single precision leaves: PyTorch's own f32 differs from its f64 by 1.4e-6 on these UNets.
const BOUND: f64 = 1e-5;

fn compare(name: &str, prepare: impl FnOnce(PackBuilder) -> PackBuilder) {
    let (folder, fixture) = (Folder::new(), fixture(name));
    let (pack, cases) = (folder.join("floats.pack"), fixture.join("cases.safetensors"));
    prepare(PackBuilder::new(&fixture).with_float_decoder()).build(&pack, go_on).unwrap();
    for (network, inputs, output) in NETWORKS {
        let mut session = session(&pack.join(format!("{network}.onnx")));
        let given: Vec<(&str, Case)> =
            inputs.iter().map(|(input, key)| (*input, Case::read(&cases, key))).collect();
        let expected = Case::read(&cases, output);
        let together: Vec<(&str, &Case)> = given.iter().map(|(input, case)| (*input, case)).collect();
        let error = run(&mut session, &together).relative_error(&expected);
        println!("{name}/{network}: relative error {error:.2e}");
        assert!(error <= BOUND, "{name}/{network}: {error}");
        // The second item on its own: the batch is a free side everywhere.
        let alone: Vec<(&str, Case)> = given.iter().map(|(input, case)| (*input, case.item(1))).collect();
        let alone: Vec<(&str, &Case)> = alone.iter().map(|(input, case)| (*input, case)).collect();
        let error = run(&mut session, &alone).relative_error(&expected.item(1));
        assert!(error <= BOUND, "{name}/{network} alone: {error}");
    }
}

#[test]
fn small_networks_with_old_names_and_halves() {
    compare("small", |builder| builder);
}

#[test]
fn other_networks_with_lists_linear_projections_and_bfloat16() {
    compare("other", |builder| builder);
}

#[test]
fn weights_in_a_file_beside_the_graph() {
    compare("other", |builder| builder.with_largest_inside(0));
}

#[test]
fn the_decoders_bytes_are_its_floats_clamped_and_rounded() {
    for name in ["small", "other"] {
        let (folder, fixture) = (Folder::new(), fixture(name));
        let pack = folder.join("bytes.pack");
        // With ears of 80 bands, which one of the fixtures has not and a pack must have.
        let checkpoint = tiny(&folder);
        for network in if name == "small" { &["unet", "vae", "whisper"][..] } else { &["unet", "vae"] } {
            for file in std::fs::read_dir(fixture.join(network)).unwrap().map(|file| file.unwrap()) {
                std::fs::copy(file.path(), checkpoint.join(network).join(file.file_name())).unwrap();
            }
        }
        PackBuilder::new(&checkpoint).build(&pack, go_on).unwrap();
        let cases = fixture.join("cases.safetensors");
        let mut session = session(&pack.join("decoder.onnx"));
        let bytes = run(&mut session, &[("latent", &Case::read(&cases, "given_latent"))]);
        let floats = Case::read(&cases, "decoded");
        let [batch, channels, height, width] = floats.shape[..] else { panic!("{:?}", floats.shape) };
        assert_eq!(bytes.shape, [batch, height, width, channels]);
        let mut differing = 0;
        for (index, &byte) in bytes.values.iter().enumerate() {
            let (pixel, channel) = (index / channels, index % channels);
            let (item, pixel) = (pixel / (height * width), pixel % (height * width));
            let float = floats.values[(item * channels + channel) * height * width + pixel];
            let expected = float.clamp(0.0, 255.0).round_ties_even();
            assert!((byte - expected).abs() <= 1.0, "{name}: byte {index} is {byte}, expected {expected}");
            differing += usize::from(byte != expected);
        }
        println!("{name}: {differing} of {} bytes differ by one", bytes.values.len());
        assert!(differing * 1000 < bytes.values.len(), "{name}: {differing}");
    }
}
