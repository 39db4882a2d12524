//! A checkpoint of random weights for tests: every layer of the real networks at the smallest width, a fraction of a
//! millisecond a frame.
//!
//! The pictures it makes mean nothing, but they use the whole range of a byte and change with the sound.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use crate::Precision;
use crate::checkpoint::{Checkpoint, Config};
use crate::graph::Graph;
use crate::networks::Ending;
use crate::onnx::WeightStore;
use crate::pack::Shapes;
use crate::tensor::Tensor;

/// Writes `whisper/`, `unet/`, `vae/` and `origin.json` into `folder`, which [`PackBuilder`](crate::PackBuilder) reads.
///
/// Equal seeds give equal files on every machine. Pictures of 32 pixels, windows of 250 tokens, 3 states of 16 values.
///
/// ```no_run
/// use std::ops::ControlFlow;
///
/// musetalk_models::tiny::write_checkpoint("tiny", 1)?;
/// musetalk_models::PackBuilder::new("tiny").build("tiny.pack", |_| ControlFlow::Continue(()))?;
/// # Ok::<(), musetalk_models::Error>(())
/// ```
///
/// # Errors
///
/// - `Io`, `NotFound`: a file could not be written.
pub fn write_checkpoint(folder: impl AsRef<Path>, seed: u64) -> Result<()> {
    write_checkpoint_of(folder, seed, Sizes::default())
}

/// How large a drawn checkpoint is, as multiples of the smallest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sizes {
    /// Side of the pictures in units of 32 pixels. Work grows with its square.
    pub picture: usize,
    /// Channels of generator and decoder. Work and weights grow with its square.
    pub channels: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { picture: 1, channels: 1 }
    }
}

/// As [`write_checkpoint`], of any size: to load a machine as much as one wishes.
///
/// # Errors
///
/// - `InvalidInput`: a size is 0.
/// - `Io`, `NotFound`: a file could not be written.
pub fn write_checkpoint_of(folder: impl AsRef<Path>, seed: u64, sizes: Sizes) -> Result<()> {
    let folder = folder.as_ref();
    if sizes.picture == 0 || sizes.channels == 0 {
        return Err(Error::new(ErrorKind::InvalidInput, format!("{sizes:?} must not hold a 0")));
    }
    let draw = |name: &str, shape: &[usize]| drawn(seed, name, shape);
    let open = |value: &Value| Checkpoint::drawn(Config::from_value(Path::new("tiny"), value), &draw);
    let configs = [("whisper", whisper()), ("unet", unet(sizes)), ("vae", vae(sizes))];
    let [whisper, unet, vae] = [&configs[0], &configs[1], &configs[2]].map(|(_, config)| open(config));
    // The graphs ask for their tensors; what they ask for is what a checkpoint holds.
    let shapes = Shapes::configured(&whisper, &unet, &vae)?;
    let mut graph = Graph::new("tiny", WeightStore::Inside, Precision::Fp32);
    shapes.whisper.build(&whisper, &mut graph)?;
    shapes.unet.build(&unet, &mut graph, shapes.vae.latent_size(), shapes.rows())?;
    shapes.vae.build_encoder(&vae, &mut graph)?;
    shapes.vae.build_decoder(&vae, &mut graph, Ending::Bytes)?;
    for ((name, config), checkpoint) in configs.iter().zip([whisper, unet, vae]) {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        write_json(&folder.join("config.json"), config)?;
        let file =
            if *name == "whisper" { "model.safetensors" } else { "diffusion_pytorch_model.safetensors" };
        write_tensors(&folder.join(file), &checkpoint.into_drawn())?;
    }
    write_json(
        &folder.join("origin.json"),
        &json!({
            "name": "tiny", "description": "random weights for tests",
            "origin": format!("musetalk_models::tiny, seed {seed}"), "licence": "MIT OR Apache-2.0",
        }),
    )
}

fn whisper() -> Value {
    json!({
        "model_type": "whisper", "d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2,
        "encoder_ffn_dim": 32, "num_mel_bins": 80, "max_source_positions": 250, "activation_function": "gelu",
    })
}

fn unet(sizes: Sizes) -> Value {
    let [narrow, wide] = [8, 16].map(|channels| channels * sizes.channels);
    json!({
        "_class_name": "UNet2DConditionModel", "in_channels": 8, "out_channels": 4, "sample_size": 8 * sizes.picture,
        "block_out_channels": [narrow, wide, wide, wide], "layers_per_block": 1, "attention_head_dim": 2,
        "cross_attention_dim": 16, "norm_num_groups": 4, "norm_eps": 1e-5, "act_fn": "silu",
        "flip_sin_to_cos": true, "freq_shift": 0,
        "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    })
}

fn vae(sizes: Sizes) -> Value {
    let [narrow, wide] = [4, 8].map(|channels| channels * sizes.channels);
    json!({
        "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": 4,
        "sample_size": 32 * sizes.picture,
        "block_out_channels": [narrow, wide, wide], "layers_per_block": 1, "norm_num_groups": 2, "act_fn": "silu",
        "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"], "scaling_factor": 0.5,
    })
}

/// Norms near 1, biases near 0, and weights that keep the size of what passes through them.
fn drawn(seed: u64, name: &str, shape: &[usize]) -> Tensor {
    // FNV-1a of the name: the values do not depend on the order in which tensors are asked for.
    let start = name
        .bytes()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut state = start;
    let (mean, spread) = match shape {
        [_] if name.ends_with(".weight") => (1.0, 0.1),
        [_] => (0.0, 0.1),
        _ => {
            let inputs = shape[1..].iter().product::<usize>() as f32;
            // A picture of full contrast, and a mouth that listens.
            let gain = match name {
                "decoder.conv_out.weight" => 1.6,
                _ if name.contains("attn2.to_out") => 3.0,
                _ if name.contains("embed_positions") => inputs.sqrt() * 0.5,
                _ => 1.2,
            };
            (0.0, gain / inputs.sqrt())
        }
    };
    let values = (0..shape.iter().product()).map(|_| mean + spread * bell(&mut state));
    Tensor::new(shape, values.collect())
}

/// About a normal distribution: the sum of four uniform ones, in arithmetic that is the same everywhere.
fn bell(state: &mut u64) -> f32 {
    let bits = next(state);
    let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
    // The sum has mean 4 · 32767.5 and deviation √(4 / 12) · 65536.
    (sum as f32 - 131_070.0) / 37_837.0
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn write_tensors(path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
    let raw: Vec<(&String, &Tensor, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| (name, tensor, tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect()))
        .collect();
    let failed = |e: safetensors::SafeTensorError| {
        Error::new(ErrorKind::Io, format!("could not write: {e}: {}", path.display())).caused_by(e)
    };
    let mut views = Vec::with_capacity(raw.len());
    for (name, tensor, bytes) in &raw {
        views.push((name, TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(failed)?));
    }
    safetensors::serialize_to_file(views, None, path).map_err(failed)
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    fs::write(path, format!("{value:#}\n")).map_err(|e| Error::io("write", path, e))
}
