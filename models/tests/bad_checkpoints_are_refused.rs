//! A damaged or contradictory checkpoint is an error of the right kind that names the file and the tensor.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use musetalk_models::{Error, ErrorKind};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use support::{Folder, expect, fixture, refused_build, tiny};

/// Builds a tiny checkpoint after `damage` was done to it.
fn refused(damage: impl FnOnce(&Path)) -> Error {
    let folder = Folder::new();
    let checkpoint = tiny(&folder);
    damage(&checkpoint);
    refused_build(&folder)
}

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";

/// Rewrites the JSON header of a safetensors file.
fn edit_header(file: &Path, edit: impl FnOnce(&mut Value)) {
    let bytes = std::fs::read(file).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    edit(&mut header);
    let header = serde_json::to_vec(&header).unwrap();
    let new = [&(header.len() as u64).to_le_bytes(), &header[..], &bytes[8 + length..]].concat();
    std::fs::write(file, new).unwrap();
}

/// Rewrites one tensor of a safetensors file.
fn edit_tensor(file: &Path, name: &str, edit: impl Fn(&mut Vec<usize>, &mut Vec<f32>)) {
    let bytes = std::fs::read(file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut edited: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, view)| (name.to_owned(), view.dtype(), view.shape().to_vec(), view.data().to_vec()))
        .collect();
    let (_, _, shape, raw) = edited.iter_mut().find(|(known, ..)| known == name).unwrap();
    let mut values: Vec<f32> =
        raw.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    edit(shape, &mut values);
    *raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let views = edited.iter().map(|(name, dtype, shape, raw)| {
        (name.as_str(), TensorView::new(*dtype, shape.clone(), raw).unwrap())
    });
    safetensors::serialize_to_file(views.collect::<Vec<_>>(), None, file).unwrap();
}

fn edit_config(file: &Path, key: &str, value: Value) {
    let mut config: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    config[key] = value;
    std::fs::write(file, config.to_string()).unwrap();
}

#[test]
fn truncated_file() {
    for keep in [0, 4, 100, 20_000] {
        let error = refused(|folder| {
            let bytes = std::fs::read(folder.join(UNET)).unwrap();
            std::fs::write(folder.join(UNET), &bytes[..keep]).unwrap();
        });
        expect(&error, ErrorKind::Corrupt, &["diffusion_pytorch_model.safetensors"]);
    }
}

#[test]
fn header_that_claims_more_than_there_is() {
    let hostile: [&[u8]; 4] = [
        &[255; 64],
        b"\x10\0\0\0\0\0\0\0{\"a\":[[[[[[[[[[[",
        b"\x48\0\0\0\0\0\0\0{\"conv_in.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,32]}}      ",
        b"\x60\0\0\0\0\0\0\0{\"conv_in.bias\":{\"dtype\":\"F32\",\"shape\":[18446744073709551615,2],\"data_offsets\":[0,8]}}       12345678",
    ];
    for bytes in hostile {
        let error = refused(|folder| std::fs::write(folder.join(UNET), bytes).unwrap());
        expect(&error, ErrorKind::Corrupt, &["diffusion_pytorch_model.safetensors"]);
    }
}

#[test]
fn missing_tensor() {
    let error = refused(|folder| {
        edit_header(&folder.join(UNET), |header| {
            let tensor = header.as_object_mut().unwrap().remove("conv_in.weight").unwrap();
            header["another.weight"] = tensor;
        });
    });
    expect(&error, ErrorKind::Incompatible, &["conv_in.weight", "[8, 8, 3, 3]", "missing", "unet"]);
}

#[test]
fn tensor_of_another_shape() {
    let error = refused(|folder| {
        edit_header(&folder.join(UNET), |header| header["conv_in.weight"]["shape"] = json!([8, 8, 9, 1]));
    });
    expect(&error, ErrorKind::Incompatible, &["conv_in.weight", "[8, 8, 3, 3]", "[8, 8, 9, 1]"]);
}

#[test]
fn tensor_of_another_type() {
    let error = refused(|folder| {
        edit_header(&folder.join(UNET), |header| header["conv_in.weight"]["dtype"] = json!("I32"));
    });
    expect(&error, ErrorKind::Unsupported, &["conv_in.weight", "I32"]);
}

#[test]
fn value_that_is_not_finite() {
    let error = refused(|folder| {
        let mut bytes = std::fs::read(folder.join(UNET)).unwrap();
        let last = bytes.len() - 4;
        bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(folder.join(UNET), bytes).unwrap();
    });
    expect(&error, ErrorKind::Corrupt, &["NaN", "tensor", "unet"]);
}

#[test]
fn missing_files() {
    let error = refused(|folder| std::fs::remove_file(folder.join(UNET)).unwrap());
    expect(&error, ErrorKind::NotFound, &["diffusion_pytorch_model.safetensors", "unet"]);
    // Without a configuration the published one is assumed, whose groups do not fit the tiny channels.
    let error = refused(|folder| std::fs::remove_file(folder.join("vae/config.json")).unwrap());
    expect(&error, ErrorKind::Incompatible, &["norm_num_groups 32", "vae"]);
}

#[test]
fn option_that_is_not_built() {
    for (file, key, value) in [
        ("unet/config.json", "class_embed_type", json!("timestep")),
        ("unet/config.json", "resnet_time_scale_shift", json!("scale_shift")),
        ("unet/config.json", "transformer_layers_per_block", json!(2)),
        ("vae/config.json", "shift_factor", json!(0.1)),
        ("whisper/config.json", "activation_function", json!("relu")),
    ] {
        let error = refused(|folder| edit_config(&folder.join(file), key, value));
        expect(&error, ErrorKind::Unsupported, &[key, "config.json"]);
    }
}

#[test]
fn option_of_the_wrong_type_or_size() {
    for (key, value) in [
        ("block_out_channels", json!("wide")),
        ("block_out_channels", json!([])),
        ("in_channels", json!(-1)),
        ("in_channels", json!(1_u64 << 40)),
        ("norm_eps", json!("small")),
    ] {
        let error = refused(|folder| edit_config(&folder.join("unet/config.json"), key, value));
        expect(&error, ErrorKind::Corrupt, &[key, "config.json"]);
    }
    let error = refused(|folder| std::fs::write(folder.join("unet/config.json"), "[").unwrap());
    expect(&error, ErrorKind::Corrupt, &["config.json"]);
}

#[test]
fn networks_that_do_not_fit_together() {
    let error = refused(|folder| {
        let other = fixture("small").join("whisper");
        for file in ["config.json", "model.safetensors"] {
            std::fs::copy(other.join(file), folder.join("whisper").join(file)).unwrap();
        }
    });
    expect(&error, ErrorKind::Incompatible, &["cross_attention_dim", "24", "16"]);
    let error = refused(|folder| edit_config(&folder.join("unet/config.json"), "norm_num_groups", json!(3)));
    expect(&error, ErrorKind::Incompatible, &["norm_num_groups", "3"]);
    let error = refused(|folder| edit_config(&folder.join("vae/config.json"), "sample_size", json!(36)));
    expect(&error, ErrorKind::Incompatible, &["latents", "9"]);
}

const WHISPER: &str = "whisper/model.safetensors";
const VAE: &str = "vae/diffusion_pytorch_model.safetensors";

#[test]
fn sizes_that_no_pack_has() {
    for size in [65536, 4096, 2052, 8] {
        let error =
            refused(|folder| edit_config(&folder.join("vae/config.json"), "sample_size", json!(size)));
        expect(&error, ErrorKind::Unsupported, &["sample_size", &size.to_string(), "16 to 2048", "vae"]);
    }
    for positions in [30_000, 6_001, 19] {
        let error = refused(|folder| {
            edit_tensor(&folder.join(WHISPER), "model.encoder.embed_positions.weight", |shape, values| {
                shape[0] = positions;
                values.resize(positions * shape[1], 0.0);
            });
        });
        let words = ["max_source_positions", &positions.to_string(), "20 to 6000", "whisper"];
        expect(&error, ErrorKind::Unsupported, &words);
    }
    let error = refused(|folder| {
        edit_tensor(&folder.join(WHISPER), "model.encoder.conv1.weight", |shape, _| *shape = vec![16, 40, 6]);
    });
    expect(&error, ErrorKind::Unsupported, &["num_mel_bins", "40", "80", "whisper"]);
    let error = refused(|folder| {
        edit_tensor(&folder.join(VAE), "decoder.conv_in.weight", |shape, _| *shape = vec![1, 72, 4, 1]);
        edit_tensor(&folder.join(UNET), "conv_in.weight", |shape, values| {
            *shape = vec![1, 144, 4, 1];
            values.resize(576, 0.0);
        });
        edit_tensor(&folder.join(UNET), "conv_out.weight", |shape, values| {
            *shape = vec![72, 1, 2, 2];
            values.resize(288, 0.0);
        });
    });
    expect(&error, ErrorKind::Unsupported, &["latent_channels", "72", "1 to 64", "vae"]);
}

#[test]
fn norms_that_divide_by_nothing() {
    for epsilon in [json!(-1.0), json!(0.0), json!(1e-60), json!(1e60)] {
        let error = refused(|folder| edit_config(&folder.join("unet/config.json"), "norm_eps", epsilon));
        expect(&error, ErrorKind::Unsupported, &["norm_eps", "config.json"]);
    }
}

#[test]
fn weights_of_which_no_engine_could_make_anything() {
    let all = |value: f32| move |_: &mut Vec<usize>, values: &mut Vec<f32>| values.fill(value);
    // Beyond all numbers where it is folded.
    let error = refused(|folder| edit_tensor(&folder.join(VAE), "decoder.conv_out.weight", all(3e38)));
    expect(&error, ErrorKind::Corrupt, &["decoder.conv_out.weight", "inf"]);
    // Beyond them where it is used.
    let error = refused(|folder| edit_tensor(&folder.join(UNET), "conv_in.weight", all(3e38)));
    expect(&error, ErrorKind::Corrupt, &["network generator", "Conv", "no number", UNET]);
    // In the very last node.
    let error = refused(|folder| edit_tensor(&folder.join(UNET), "conv_out.weight", all(3e38)));
    expect(&error, ErrorKind::Corrupt, &["network generator", "Conv", "no number", UNET]);
}
