//! The autoencoder between pictures and latents, as two graphs.
//!
//! | graph | | name | type | shape | range |
//! |---|---|---|---|---|---|
//! | encoder | in | `image` | f32 | `[batch, 3, size, size]` | RGB, −1…1 |
//! | encoder | out | `latent` | f32 | `[batch, latent, h, h]` | mean of the posterior × scaling factor, about −4…4 |
//! | decoder | in | `latent` | f32 | `[batch, latent, h, h]` | as the encoder gives it |
//! | decoder | out | `image` | u8 | `[batch, size, size, 3]` | RGB, 0…255, halves rounded to even |
//!
//! h = size / 2^(blocks − 1). Folded: the scaling factor into the 1×1 convolutions (or the ones next to them), the way
//! from −1…1 to 0…255 into the last convolution, the attention's GroupNorm, scale and value bias into its projections.
//! A key's bias adds the same to every score of a query, which a softmax ignores: it is left out.

use musetalk_core::{Error, ErrorKind, Result};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Ending;
use crate::checkpoint::{Checkpoint, Part};
use crate::graph::layers::{self, Groups, Projected};
use crate::graph::{Graph, Value};
use crate::onnx::{Element, hex};
use crate::tensor::Tensor;

/// The options that shape the graphs.
#[derive(Clone, Debug)]
pub(crate) struct Vae {
    pub(crate) size: usize,
    pub(crate) latent_channels: usize,
    channels: Vec<usize>,
    layers: usize,
    groups: Groups,
    scaling: f64,
    quant: bool,
    post_quant: bool,
    attention: bool,
}

impl Vae {
    /// Reads and checks `config.json`.
    pub(crate) fn configured(checkpoint: &Checkpoint<'_>) -> Result<Self> {
        let config = checkpoint.config();
        let channels = config.list("block_out_channels")?;
        for (key, known) in
            [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")]
        {
            let names = config.names(key, channels.len())?;
            if let Some(other) = names.iter().find(|name| name.as_str() != known) {
                return Err(config.unsupported(format_args!("{other} in {key}")));
            }
        }
        config.only("act_fn", &[json!("silu"), json!("swish")])?;
        config.only("in_channels", &[json!(3)])?;
        config.only("out_channels", &[json!(3)])?;
        config.only("shift_factor", &[json!(0)])?;
        config.only("latents_mean", &[])?;
        config.only("latents_std", &[])?;
        let this = Self {
            size: config.count_or("sample_size", 256)?,
            latent_channels: config.count_or("latent_channels", 4)?,
            layers: config.count_or("layers_per_block", 1)?,
            groups: Groups { count: config.count_or("norm_num_groups", 32)?, epsilon: 1e-6, in_parts: false },
            scaling: config.number_or("scaling_factor", 0.18215)?,
            quant: config.flag_or("use_quant_conv", true)?,
            post_quant: config.flag_or("use_post_quant_conv", true)?,
            attention: config.flag_or("mid_block_add_attention", true)?,
            channels,
        };
        if !this.scaling.is_normal() {
            return Err(config.unsupported(format_args!("scaling_factor = {}", this.scaling)));
        }
        for &channels in &this.channels {
            config.divisible("block_out_channels", channels, "norm_num_groups", this.groups.count)?;
        }
        config.divisible("sample_size", this.size, "the picture of one latent,", this.shrink())?;
        Ok(this)
    }

    /// The side of the latents.
    pub(crate) fn latent_size(&self) -> usize {
        self.size / self.shrink()
    }

    /// The identity of the encoder: of its tensors, and of the options that change its latents beside them.
    pub(crate) fn identity(&self, mut tensors: Sha256) -> String {
        tensors.update(format!("{} {} {}", self.size, self.latent_channels, self.scaling));
        hex(tensors)
    }

    /// Builds the encoder's graph.
    ///
    /// One of its two pictures is half black. Statistics of sums in one go put its latents 1e-4 off, in parts 1.5e-6; an encoder
    /// call takes 5 % longer for it, and there is none while somebody speaks.
    pub(crate) fn build_encoder(&self, checkpoint: &Checkpoint<'_>, graph: &mut Graph) -> Result<()> {
        Self { groups: Groups { in_parts: true, ..self.groups }, ..self.clone() }.encoder(checkpoint, graph)
    }

    fn encoder(&self, checkpoint: &Checkpoint<'_>, graph: &mut Graph) -> Result<()> {
        let part = checkpoint.root().part("encoder");
        let image = graph.input("image", &[3, self.size, self.size]);
        graph.enter(part.path());
        let mut x = layers::conv_3x3(graph, &part, "conv_in", &image, self.channels[0])?;
        for (index, &channels) in self.channels.iter().enumerate() {
            let block = part.part(&format!("down_blocks.{index}"));
            for layer in 0..self.layers {
                x = self.resnet(&block.part(&format!("resnets.{layer}")), graph, &x, channels)?;
            }
            if index + 1 < self.channels.len() {
                // Zeros to the right and below only.
                x = layers::downsample(graph, &block.part("downsamplers.0"), &x, [0, 0, 1, 1])?;
            }
        }
        x = self.middle(&part.part("mid_block"), graph, &x)?;
        graph.enter(part.path());
        x = layers::group_norm_silu(graph, &part, "conv_norm_out", &x, self.groups)?;
        let latent = self.means(checkpoint, &part, graph, &x)?;
        graph.output("latent", &latent, Element::F32);
        Ok(())
    }

    /// Builds the decoder's graph.
    pub(crate) fn build_decoder(
        &self,
        checkpoint: &Checkpoint<'_>,
        graph: &mut Graph,
        ending: Ending,
    ) -> Result<()> {
        let part = checkpoint.root().part("decoder");
        let side = self.latent_size();
        let latent = graph.input("latent", &[self.latent_channels, side, side]);
        let mut x = self.unscaled(checkpoint, &part, graph, &latent)?;
        x = self.middle(&part.part("mid_block"), graph, &x)?;
        for (index, &channels) in self.channels.iter().rev().enumerate() {
            let block = part.part(&format!("up_blocks.{index}"));
            for layer in 0..=self.layers {
                x = self.resnet(&block.part(&format!("resnets.{layer}")), graph, &x, channels)?;
            }
            if index + 1 < self.channels.len() {
                x = layers::upsample(graph, &block.part("upsamplers.0"), &x)?;
            }
        }
        graph.enter(part.path());
        x = layers::group_norm_silu(graph, &part, "conv_norm_out", &x, self.groups)?;
        // (x / 2 + 1/2) · 255
        let weight = part.weight("conv_out", &[3, x.shape[0], 3, 3])?.scaled(127.5);
        let bias = part.bias("conv_out", 3)?.scaled(127.5).offset(127.5);
        x = layers::conv(graph, "conv_out", &x, &weight, &bias, 1, [1; 4])?;
        graph.enter("image");
        if ending == Ending::Floats {
            graph.output("image", &x, Element::F32);
            return Ok(());
        }
        let low = layers::scalar(graph, "black", 0.0)?;
        let high = layers::scalar(graph, "white", 255.0)?;
        x = graph.clip(&x, &low, &high);
        x = graph.round(&x);
        x = graph.cast(&x, Element::U8);
        x = graph.transpose(&x, &[1, 2, 0]);
        graph.output("image", &x, Element::U8);
        Ok(())
    }

    fn shrink(&self) -> usize {
        1 << (self.channels.len() - 1)
    }

    fn resnet(&self, part: &Part<'_>, graph: &mut Graph, x: &Value, out: usize) -> Result<Value> {
        layers::resnet(graph, part, x, out, self.groups, None)
    }

    fn middle(&self, part: &Part<'_>, graph: &mut Graph, x: &Value) -> Result<Value> {
        let channels = x.shape[0];
        let mut x = self.resnet(&part.part("resnets.0"), graph, x, channels)?;
        if self.attention {
            x = self.attend(&part.part("attentions.0"), graph, &x)?;
        }
        self.resnet(&part.part("resnets.1"), graph, &x, channels)
    }

    fn attend(&self, part: &Part<'_>, graph: &mut Graph, x: &Value) -> Result<Value> {
        graph.enter(part.path());
        let [channels, height, width] = x.shape[..] else {
            return Err(Error::new(ErrorKind::Internal, "the attention of the VAE was given no picture"));
        };
        let normal = layers::group_norm_plain(graph, x, self.groups)?;
        let tokens = layers::to_tokens(graph, &normal, channels);
        let square = [channels, channels];
        let project = |graph: &mut Graph, name: &str, bias: Option<Tensor>, scale: f32| {
            let with_bias = bias.is_some();
            let (weight, bias) =
                layers::absorb_group_norm(part, "group_norm", part.weight(name, &square)?, bias)?;
            let (weight, bias) = (weight.scaled(scale), bias.scaled(scale));
            layers::linear(graph, name, &tokens, &weight, with_bias.then_some(&bias))
        };
        let queries =
            project(graph, "to_q", Some(part.bias("to_q", channels)?), layers::attention_scale(channels))?;
        // Read, so that a damaged one is found, and left out: see above.
        part.bias("to_k", channels)?;
        let keys = project(graph, "to_k", None, 1.0)?;
        let values = project(graph, "to_v", None, 1.0)?;
        let mixed = layers::attend(graph, &Projected { queries, keys, values }, 1);
        // What the values lack: their bias, and the shift of the norm.
        let shift = Some(part.bias("to_v", channels)?);
        let (_, shift) = layers::absorb_group_norm(part, "group_norm", part.weight("to_v", &square)?, shift)?;
        let weight = part.weight("to_out.0", &square)?;
        let bias = part.bias("to_out.0", channels)?.plus(&weight.times(&shift));
        let mixed = layers::linear(graph, "to_out.0", &mixed, &weight, Some(&bias))?;
        let picture = layers::to_picture(graph, &mixed, height, width);
        Ok(graph.add(&picture, x))
    }

    /// The last convolution of the encoder and `quant_conv` as one, reduced to the means.
    fn means(
        &self,
        checkpoint: &Checkpoint<'_>,
        part: &Part<'_>,
        graph: &mut Graph,
        x: &Value,
    ) -> Result<Value> {
        let (latent, moments, scaling) =
            (self.latent_channels, 2 * self.latent_channels, self.scaling as f32);
        let weight = part.weight("conv_out", &[moments, x.shape[0], 3, 3])?;
        let bias = part.bias("conv_out", moments)?;
        if !self.quant {
            let (weight, bias) = (weight.rows(0, latent), bias.rows(0, latent));
            return layers::conv(
                graph,
                "conv_out",
                x,
                &weight.scaled(scaling),
                &bias.scaled(scaling),
                1,
                [1; 4],
            );
        }
        // A 1×1 convolution after a convolution is one convolution: Q(Wx + b) + q = (QW)x + (Qb + q).
        let root = checkpoint.root();
        let quant = root.weight("quant_conv", &[moments, moments])?.rows(0, latent).scaled(scaling);
        let shift = root.bias("quant_conv", moments)?.rows(0, latent).scaled(scaling);
        let bias = quant.times(&bias).plus(&shift);
        let flat = weight.reshaped(&[moments, x.shape[0] * 9]);
        let weight = quant.matrix(&flat).reshaped(&[latent, x.shape[0], 3, 3]);
        layers::conv(graph, "conv_out", x, &weight, &bias, 1, [1; 4])
    }

    /// `post_quant_conv` and the first convolution. They stay two: the zeros around the picture come between them.
    fn unscaled(
        &self,
        checkpoint: &Checkpoint<'_>,
        part: &Part<'_>,
        graph: &mut Graph,
        x: &Value,
    ) -> Result<Value> {
        let (latent, top) = (self.latent_channels, self.channels[self.channels.len() - 1]);
        let unscale = (1.0 / self.scaling) as f32;
        let mut weight = part.weight("conv_in", &[top, latent, 3, 3])?;
        let bias = part.bias("conv_in", top)?;
        let mut x = x.clone();
        graph.enter("");
        if self.post_quant {
            let root = checkpoint.root();
            let post = root.weight("post_quant_conv", &[latent, latent, 1, 1])?.scaled(unscale);
            x = layers::conv(
                graph,
                "post_quant_conv",
                &x,
                &post,
                &root.bias("post_quant_conv", latent)?,
                1,
                [0; 4],
            )?;
        } else {
            weight = weight.scaled(unscale);
        }
        graph.enter(part.path());
        layers::conv(graph, "conv_in", &x, &weight, &bias, 1, [1; 4])
    }
}
