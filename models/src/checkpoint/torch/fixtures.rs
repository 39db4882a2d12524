//! Files that PyTorch itself wrote (`models/fixtures/make_torch_files.py`) give back the values of `fixtures/small`.

use std::path::{Path, PathBuf};

use crate::checkpoint::file::TensorFile;
use crate::checkpoint::names::{Role, canonical};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Every tensor of the torch file equals the one of `small/` under the same canonical name, after `rounding`.
fn compare(role: Role, name: &str, expected: usize, rounding: impl Fn(f32) -> f32) {
    let original = match role {
        Role::Whisper => "small/whisper/model.safetensors",
        Role::Vae => "small/vae/diffusion_pytorch_model.safetensors",
        _ => "small/unet/diffusion_pytorch_model.safetensors",
    };
    let mut original = TensorFile::open(&fixture(original)).unwrap();
    let mut file = TensorFile::open(&fixture("torch").join(name)).unwrap();
    let names: Vec<(String, String)> =
        canonical(role, file.names()).into_iter().map(|(name, stored)| (name, stored.to_owned())).collect();
    let originals: std::collections::HashMap<String, String> = canonical(role, original.names())
        .into_iter()
        .map(|(name, stored)| (name, stored.to_owned()))
        .collect();
    let mut compared = 0;
    for (name, stored) in &names {
        let Some(theirs) = originals.get(name) else { continue };
        assert_eq!(file.shape(stored), original.shape(theirs), "{name}");
        let expected: Vec<f32> = original.values(theirs).unwrap().into_iter().map(&rounding).collect();
        assert!(file.values(stored).unwrap() == expected, "{name} has other values");
        compared += 1;
    }
    assert_eq!(compared, expected, "{name}: tensors in common, of {} and {}", names.len(), originals.len());
}

/// The file holds so many tensors of the network; each of them is compared.
fn equal(role: Role, name: &str, tensors: usize) {
    compare(role, name, tensors, |value| value);
}

#[test]
fn zip_and_legacy_files_in_every_float_format() {
    equal(Role::Whisper, "whisper_f16.bin", 37);
    equal(Role::Whisper, "whisper_f32_legacy.bin", 37);
    equal(Role::Whisper, "whisper_f64_p4.bin", 12);
    compare(Role::Unet, "unet_bf16.pth", 95, |value| half::bf16::from_f32(value).to_f32());
}

#[test]
fn views_and_shared_storages() {
    equal(Role::Vae, "vae_views.bin", 78);
    equal(Role::Vae, "vae_shared_legacy.bin", 156);
}

#[test]
fn wrappers_prefixes_and_parameters() {
    equal(Role::Unet, "unet_wrapped.pth", 95);
    equal(Role::Unet, "unet_parameters_legacy.pth", 95);
}

#[test]
fn openai_names_its_tensors_otherwise() {
    equal(Role::Whisper, "tiny.pt", 37);
    let file = TensorFile::open(&fixture("torch/tiny.pt")).unwrap();
    assert_eq!(file.dims().get("n_audio_head"), Some(&3));
}

#[test]
fn what_is_no_weight_is_refused_when_asked_for() {
    let mut file = TensorFile::open(&fixture("torch/unet_bf16.pth")).unwrap();
    assert!(file.values("empty").unwrap().is_empty());
    let error = file.values("bn.num_batches_tracked").unwrap_err();
    assert_eq!(error.kind(), musetalk_core::ErrorKind::Unsupported);
    assert!(error.to_string().contains("bn.num_batches_tracked is I64"), "{error}");
}
