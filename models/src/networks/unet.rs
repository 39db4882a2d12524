//! MuseTalk's generator: `UNet2DConditionModel` at timestep 0, from the latents of a face and a window of sound to the
//! latents of the face that speaks it.
//!
//! | | name | type | shape | range |
//! |---|---|---|---|---|
//! | in | `latent` | f32 | `[batch, 2·latent, h, h]` | masked, then reference latents, each about −4…4 |
//! | in | `audio` | f32 | `[batch, rows, width]` | encoder states, row = states · token + state |
//! | out | `prediction` | f32 | `[batch, latent, h, h]` | about −4…4, as the decoder takes it |
//!
//! Folded: the whole time path, constant at timestep 0, into the first bias of every residual block; the scale of the
//! queries into their weights; a GroupNorm's weights into the projection after it. The sinusoidal positions of the
//! audio rows are added inside.

use musetalk_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::checkpoint::{Checkpoint, Config, Part};
use crate::graph::layers::{self, Groups, Projected};
use crate::graph::{Graph, Value};
use crate::onnx::Element;
use crate::tensor::Tensor;

/// Options that change what the network computes, with the only values that are built. Null and absent pass.
fn refuse_unknown(config: &Config) -> Result<()> {
    let (no, one, three) = (json!(false), json!(1), json!(3));
    let known: [(&str, &[serde_json::Value]); 31] = [
        ("act_fn", &[json!("silu"), json!("swish")]),
        ("mid_block_type", &[json!("UNetMidBlock2DCrossAttn")]),
        ("resnet_time_scale_shift", &[json!("default")]),
        ("time_embedding_type", &[json!("positional")]),
        ("attention_type", &[json!("default")]),
        ("center_input_sample", std::slice::from_ref(&no)),
        ("dual_cross_attention", std::slice::from_ref(&no)),
        ("only_cross_attention", std::slice::from_ref(&no)),
        ("mid_block_only_cross_attention", std::slice::from_ref(&no)),
        ("class_embeddings_concat", std::slice::from_ref(&no)),
        ("resnet_skip_time_act", std::slice::from_ref(&no)),
        ("mid_block_scale_factor", std::slice::from_ref(&one)),
        ("resnet_out_scale_factor", std::slice::from_ref(&one)),
        ("transformer_layers_per_block", std::slice::from_ref(&one)),
        ("downsample_padding", std::slice::from_ref(&one)),
        ("conv_in_kernel", std::slice::from_ref(&three)),
        ("conv_out_kernel", std::slice::from_ref(&three)),
        ("reverse_transformer_layers_per_block", &[]),
        ("num_attention_heads", &[]),
        ("encoder_hid_dim", &[]),
        ("encoder_hid_dim_type", &[]),
        ("class_embed_type", &[]),
        ("addition_embed_type", &[]),
        ("addition_time_embed_dim", &[]),
        ("num_class_embeds", &[]),
        ("projection_class_embeddings_input_dim", &[]),
        ("time_cond_proj_dim", &[]),
        ("timestep_post_act", &[]),
        ("time_embedding_act_fn", &[]),
        ("time_embedding_dim", &[]),
        ("cross_attention_norm", &[]),
    ];
    known.iter().try_for_each(|(key, values)| config.only(key, values))
}

/// The options that shape the graph.
#[derive(Clone, Debug)]
pub(crate) struct Unet {
    pub(crate) in_channels: usize,
    pub(crate) out_channels: usize,
    /// Of the audio rows.
    pub(crate) width: usize,
    channels: Vec<usize>,
    layers: Vec<usize>,
    heads: Vec<usize>,
    down_attends: Vec<bool>,
    up_attends: Vec<bool>,
    groups: Groups,
    flipped: bool,
    shift: f64,
}

/// What is the same in every block.
struct Shared<'a> {
    audio: &'a Value,
    /// SiLU of the time embedding.
    time: &'a Tensor,
}

impl Unet {
    /// Reads and checks `config.json`.
    pub(crate) fn configured(checkpoint: &Checkpoint<'_>) -> Result<Self> {
        let config = checkpoint.config();
        refuse_unknown(config)?;
        let channels = config.list("block_out_channels")?;
        let blocks = channels.len();
        let width = config.counts("cross_attention_dim", blocks)?;
        if width.iter().any(|w| *w != width[0]) {
            return Err(config.unsupported("a cross_attention_dim that differs between blocks"));
        }
        let attends = |key: &str, plain: &str, with: &str| -> Result<Vec<bool>> {
            let kinds = config.names(key, blocks)?;
            let attends = kinds.iter().map(|kind| match kind.as_str() {
                kind if kind == with => Ok(true),
                kind if kind == plain => Ok(false),
                kind => Err(config.unsupported(format_args!("{kind} in {key}"))),
            });
            attends.collect()
        };
        let this = Self {
            in_channels: config.count("in_channels")?,
            out_channels: config.count("out_channels")?,
            width: width[0],
            layers: config.counts("layers_per_block", blocks)?,
            heads: config.counts("attention_head_dim", blocks)?,
            down_attends: attends("down_block_types", "DownBlock2D", "CrossAttnDownBlock2D")?,
            up_attends: attends("up_block_types", "UpBlock2D", "CrossAttnUpBlock2D")?,
            groups: Groups {
                count: config.count_or("norm_num_groups", 32)?,
                epsilon: config.number_or("norm_eps", 1e-5)? as f32,
                in_parts: false,
            },
            flipped: config.flag_or("flip_sin_to_cos", true)?,
            shift: config.number_or("freq_shift", 0.0)?,
            channels,
        };
        if !this.groups.epsilon.is_normal() || this.groups.epsilon < 0.0 {
            return Err(config.unsupported(format_args!("norm_eps = {}", this.groups.epsilon)));
        }
        for (&channels, &heads) in this.channels.iter().zip(&this.heads) {
            config.divisible("block_out_channels", channels, "norm_num_groups", this.groups.count)?;
            config.divisible("block_out_channels", channels, "attention_head_dim (heads)", heads)?;
        }
        config.divisible("block_out_channels[0]", this.channels[0], "sine and cosine,", 2)?;
        Ok(this)
    }

    /// Builds the graph for latents with sides of `size` and `rows` rows of audio.
    pub(crate) fn build(
        &self,
        checkpoint: &Checkpoint<'_>,
        graph: &mut Graph,
        size: usize,
        rows: usize,
    ) -> Result<()> {
        let smallest = 1 << (self.channels.len() - 1);
        checkpoint.config().divisible(
            "the side of the latents",
            size,
            "the UNet's smallest picture",
            smallest,
        )?;
        let part = checkpoint.root();
        let latent = graph.input("latent", &[self.in_channels, size, size]);
        let audio = graph.input("audio", &[rows, self.width]);
        graph.enter("audio");
        let positions = graph.constant("positions", &row_positions(rows, self.width))?;
        let audio = graph.add_constant(&audio, &positions);
        let audio = graph.merge_rows(&audio);
        let shared = Shared { audio: &audio, time: &self.time(&part)? };

        graph.enter("");
        let mut x = layers::conv_3x3(graph, &part, "conv_in", &latent, self.channels[0])?;
        let mut skips = vec![x.clone()];
        for index in 0..self.channels.len() {
            x =
                self.down(&part.part(&format!("down_blocks.{index}")), graph, x, &shared, index, &mut skips)?;
        }
        x = self.middle(&part.part("mid_block"), graph, &x, &shared)?;
        for index in 0..self.channels.len() {
            x = self.up(&part.part(&format!("up_blocks.{index}")), graph, x, &shared, index, &mut skips)?;
        }
        graph.enter("");
        x = layers::group_norm_silu(graph, &part, "conv_norm_out", &x, self.groups)?;
        x = layers::conv_3x3(graph, &part, "conv_out", &x, self.out_channels)?;
        graph.output("prediction", &x, Element::F32);
        Ok(())
    }

    /// SiLU of the embedding of timestep 0, the one input of every `time_emb_proj`.
    fn time(&self, part: &Part<'_>) -> Result<Tensor> {
        let (width, wide) = (self.channels[0], 4 * self.channels[0]);
        let half = width / 2;
        if self.shift == half as f64 {
            return Err(part.config().unsupported(format_args!("freq_shift = {}", self.shift)));
        }
        // At 0 every sine is 0 and every cosine 1, whatever the frequencies.
        let mut wave = vec![0.0; width];
        let cosines = if self.flipped { 0..half } else { half..width };
        wave[cosines].fill(1.0);
        let part = part.part("time_embedding");
        let hidden = part.weight("linear_1", &[wide, width])?.times(&Tensor::new(&[width], wave));
        let hidden = silu(hidden.plus(&part.bias("linear_1", wide)?));
        let time = part.weight("linear_2", &[wide, wide])?.times(&hidden);
        Ok(silu(time.plus(&part.bias("linear_2", wide)?)))
    }

    fn down(
        &self,
        part: &Part<'_>,
        graph: &mut Graph,
        mut x: Value,
        shared: &Shared<'_>,
        index: usize,
        skips: &mut Vec<Value>,
    ) -> Result<Value> {
        for layer in 0..self.layers[index] {
            x = self.resnet(
                &part.part(&format!("resnets.{layer}")),
                graph,
                &x,
                self.channels[index],
                shared,
            )?;
            if self.down_attends[index] {
                x = self.transformer(
                    &part.part(&format!("attentions.{layer}")),
                    graph,
                    &x,
                    shared,
                    self.heads[index],
                )?;
            }
            skips.push(x.clone());
        }
        if index + 1 < self.channels.len() {
            x = layers::downsample(graph, &part.part("downsamplers.0"), &x, [1; 4])?;
            skips.push(x.clone());
        }
        Ok(x)
    }

    fn middle(&self, part: &Part<'_>, graph: &mut Graph, x: &Value, shared: &Shared<'_>) -> Result<Value> {
        let (channels, heads) = (x.shape[0], self.heads[self.heads.len() - 1]);
        let x = self.resnet(&part.part("resnets.0"), graph, x, channels, shared)?;
        let x = self.transformer(&part.part("attentions.0"), graph, &x, shared, heads)?;
        self.resnet(&part.part("resnets.1"), graph, &x, channels, shared)
    }

    /// Block `index` of the way up has the channels, layers and heads of its mirror image on the way down.
    fn up(
        &self,
        part: &Part<'_>,
        graph: &mut Graph,
        mut x: Value,
        shared: &Shared<'_>,
        index: usize,
        skips: &mut Vec<Value>,
    ) -> Result<Value> {
        let mirror = self.channels.len() - 1 - index;
        let channels = self.channels[mirror];
        for layer in 0..=self.layers[mirror] {
            let skip =
                skips.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "the UNet ran out of skips"))?;
            graph.enter(part.path());
            let joined = graph.concat(&[&x, &skip], 0);
            x = self.resnet(&part.part(&format!("resnets.{layer}")), graph, &joined, channels, shared)?;
            if self.up_attends[index] {
                x = self.transformer(
                    &part.part(&format!("attentions.{layer}")),
                    graph,
                    &x,
                    shared,
                    self.heads[mirror],
                )?;
            }
        }
        if mirror > 0 {
            x = layers::upsample(graph, &part.part("upsamplers.0"), &x)?;
        }
        Ok(x)
    }

    fn resnet(
        &self,
        part: &Part<'_>,
        graph: &mut Graph,
        x: &Value,
        out: usize,
        shared: &Shared<'_>,
    ) -> Result<Value> {
        if !x.shape[0].is_multiple_of(self.groups.count) {
            let what = format!("{}: {} channels in {} groups", part.path(), x.shape[0], self.groups.count);
            return Err(part.config().unsupported(what));
        }
        let projection = part.weight("time_emb_proj", &[out, shared.time.values.len()])?;
        let time = projection.times(shared.time).plus(&part.bias("time_emb_proj", out)?);
        layers::resnet(graph, part, x, out, self.groups, Some(&time))
    }

    /// Self-attention, attention to the audio, and a gated feed-forward layer, over the pixels as tokens.
    fn transformer(
        &self,
        part: &Part<'_>,
        graph: &mut Graph,
        x: &Value,
        shared: &Shared<'_>,
        heads: usize,
    ) -> Result<Value> {
        graph.enter(part.path());
        let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2]);
        let square = [channels, channels];
        let normal = layers::group_norm_plain(graph, x, Groups { epsilon: 1e-6, ..self.groups })?;
        let tokens = layers::to_tokens(graph, &normal, channels);
        // 1×1 convolutions, or linear layers under `use_linear_projection`: the same numbers.
        let weight = part.weight("proj_in", &square)?;
        let (weight, bias) =
            layers::absorb_group_norm(part, "norm", weight, Some(part.bias("proj_in", channels)?))?;
        let mut tokens = layers::linear(graph, "proj_in", &tokens, &weight, Some(&bias))?;

        let block = part.part("transformer_blocks.0");
        graph.enter(block.path());
        let normal = layers::layer_norm(graph, &block, "norm1", &tokens)?;
        let mixed = attention(&block.part("attn1"), graph, &normal, &normal, heads)?;
        tokens = graph.add(&tokens, &mixed);
        graph.enter(block.path());
        let normal = layers::layer_norm(graph, &block, "norm2", &tokens)?;
        let mixed = attention(&block.part("attn2"), graph, &normal, shared.audio, heads)?;
        tokens = graph.add(&tokens, &mixed);
        graph.enter(block.path());
        let normal = layers::layer_norm(graph, &block, "norm3", &tokens)?;
        let mixed = feed_forward(&block.part("ff"), graph, &normal)?;
        tokens = graph.add(&tokens, &mixed);

        graph.enter(part.path());
        let bias = part.bias("proj_out", channels)?;
        let tokens =
            layers::linear(graph, "proj_out", &tokens, &part.weight("proj_out", &square)?, Some(&bias))?;
        let picture = layers::to_picture(graph, &tokens, height, width);
        Ok(graph.add(&picture, x))
    }
}

fn attention(part: &Part<'_>, graph: &mut Graph, x: &Value, context: &Value, heads: usize) -> Result<Value> {
    graph.enter(part.path());
    let (channels, width) = (x.shape[0], context.shape[0]);
    let weight =
        part.weight("to_q", &[channels, channels])?.scaled(layers::attention_scale(channels / heads));
    let queries = layers::linear(graph, "to_q", x, &weight, None)?;
    let keys = layers::linear(graph, "to_k", context, &part.weight("to_k", &[channels, width])?, None)?;
    let values = layers::linear(graph, "to_v", context, &part.weight("to_v", &[channels, width])?, None)?;
    let mixed = layers::attend(graph, &Projected { queries, keys, values }, heads);
    let weight = part.weight("to_out.0", &[channels, channels])?;
    layers::linear(graph, "to_out.0", &mixed, &weight, Some(&part.bias("to_out.0", channels)?))
}

/// GEGLU: the first half of the projection, gated by the GELU of the second.
fn feed_forward(part: &Part<'_>, graph: &mut Graph, x: &Value) -> Result<Value> {
    graph.enter(part.path());
    let (channels, wide) = (x.shape[0], 4 * x.shape[0]);
    let weight = part.weight("net.0.proj", &[2 * wide, channels])?;
    let bias = part.bias("net.0.proj", 2 * wide)?;
    // Two products instead of one that is cut in two: the cut would copy both halves.
    let value = layers::linear(graph, "net.0.value", x, &weight.rows(0, wide), Some(&bias.rows(0, wide)))?;
    let gate =
        layers::linear(graph, "net.0.gate", x, &weight.rows(wide, wide), Some(&bias.rows(wide, wide)))?;
    let gate = graph.gelu(&gate);
    let hidden = graph.mul(&value, &gate);
    let weight = part.weight("net.2", &[channels, wide])?;
    layers::linear(graph, "net.2", &hidden, &weight, Some(&part.bias("net.2", channels)?))
}

fn silu(mut x: Tensor) -> Tensor {
    x.values.iter_mut().for_each(|v| *v = (f64::from(*v) / (1.0 + f64::from(-*v).exp())) as f32);
    x
}

/// Row r: sin(r·10000^(−2k/width)) and its cosine side by side. The divisor is rounded to f32 as the reference rounds it.
fn row_positions(rows: usize, width: usize) -> Tensor {
    let step = (-(10000_f64.ln()) / width as f64) as f32;
    let mut values = Vec::with_capacity(rows * width);
    for row in 0..rows {
        for column in 0..width {
            let divisor = f64::from((column / 2 * 2) as f32 * step).exp() as f32;
            let angle = f64::from(row as f32 * divisor);
            values.push(if column % 2 == 0 { angle.sin() } else { angle.cos() } as f32);
        }
    }
    Tensor::new(&[rows, width], values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_agree_with_the_published_vectors() {
        let table = row_positions(50, 384);
        let close = |found: f32, expected: f64| {
            assert!((f64::from(found) - expected).abs() < 1e-6, "{found} {expected}")
        };
        for (column, expected) in [0.84147098, 0.54030231, 0.81525065, 0.57910826].into_iter().enumerate() {
            close(table.values[384 + column], expected);
        }
        close(table.values[50 * 384 - 2], 0.00514076);
        close(table.values[50 * 384 - 1], 0.99998679);
        let sum: f64 = table.values.iter().map(|&v| f64::from(v)).sum();
        assert!((sum - 7580.561306).abs() < 1e-2, "{sum}");
    }
}
