//! The encoder of Whisper: log-mel pictures of sound to hidden states.
//!
//! | | name | type | shape | range |
//! |---|---|---|---|---|
//! | in | `mel` | f32 | `[batch, mels, 2·positions]` | about −1.5…1.5, as `WhisperFeatureExtractor` scales it |
//! | out | `states` | f32 | `[batch, positions, layers + 1, width]` | unbounded, mostly −10…10 |
//!
//! State 0 is the convolutional stem with positions, state l the output of layer l − 1; the last one is taken after the
//! final LayerNorm. Folded: the scale of the queries into their weights, the bias of the values into the output's.

use musetalk_core::Result;
use serde_json::json;

use crate::checkpoint::{Checkpoint, Part, WHISPER_PREFIXES};
use crate::graph::layers::{self, Projected};
use crate::graph::{Graph, Value};
use crate::onnx::Element;

/// The options that shape the graph.
#[derive(Clone, Debug)]
pub(crate) struct Whisper {
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) mels: usize,
    pub(crate) positions: usize,
    heads: usize,
    feed_forward: usize,
}

impl Whisper {
    /// Reads and checks `config.json`.
    pub(crate) fn configured(checkpoint: &Checkpoint<'_>) -> Result<Self> {
        let config = checkpoint.config();
        config.only("model_type", &[json!("whisper")])?;
        config.only("activation_function", &[json!("gelu")])?;
        let this = Self {
            width: config.count("d_model")?,
            layers: config.count("encoder_layers")?,
            mels: config.count_or("num_mel_bins", 80)?,
            positions: config.count_or("max_source_positions", 1500)?,
            heads: config.count("encoder_attention_heads")?,
            feed_forward: config.count("encoder_ffn_dim")?,
        };
        config.divisible("d_model", this.width, "encoder_attention_heads", this.heads)?;
        Ok(this)
    }

    /// Builds the graph.
    pub(crate) fn build(&self, checkpoint: &Checkpoint<'_>, graph: &mut Graph) -> Result<()> {
        let part = checkpoint.root().under_first(&WHISPER_PREFIXES, "conv1.weight");
        let mel = graph.input("mel", &[self.mels, 2 * self.positions]);
        let mut x = self.stem(&part, graph, &mel)?;
        let mut states = vec![x.clone()];
        for index in 0..self.layers {
            x = self.layer(&part.part(&format!("layers.{index}")), graph, &x)?;
            if index + 1 == self.layers {
                graph.enter(part.path());
                x = layers::layer_norm(graph, &part, "layer_norm", &x)?;
            }
            states.push(x.clone());
        }
        graph.enter("states");
        let shape = [self.positions, 1, self.width];
        let states: Vec<Value> = states.iter().map(|state| graph.reshape(state, &shape)).collect();
        let states = graph.concat(&states.iter().collect::<Vec<_>>(), 1);
        graph.output("states", &states, Element::F32);
        Ok(())
    }

    fn stem(&self, part: &Part<'_>, graph: &mut Graph, mel: &Value) -> Result<Value> {
        graph.enter(part.path());
        let mut x = mel.clone();
        for (name, stride) in [("conv1", 1), ("conv2", 2)] {
            let weight = part.weight(name, &[self.width, x.shape[0], 3])?;
            let weight = graph.constant(&format!("{name}.weight"), &weight)?;
            let bias = graph.constant(&format!("{name}.bias"), &part.bias(name, self.width)?)?;
            x = graph.conv_1d(&x, &weight, &bias, stride, 1);
            x = graph.gelu(&x);
        }
        let tokens = graph.transpose(&x, &[1, 0]);
        let positions = part.weight("embed_positions", &[self.positions, self.width])?;
        let positions = graph.constant("embed_positions.weight", &positions)?;
        Ok(graph.add_constant(&tokens, &positions))
    }

    fn layer(&self, part: &Part<'_>, graph: &mut Graph, x: &Value) -> Result<Value> {
        graph.enter(part.path());
        let normal = layers::layer_norm(graph, part, "self_attn_layer_norm", x)?;
        let attended = self.attention(&part.part("self_attn"), graph, &normal)?;
        let x = graph.add(x, &attended);
        graph.enter(part.path());
        let normal = layers::layer_norm(graph, part, "final_layer_norm", &x)?;
        let weight = part.weight("fc1", &[self.feed_forward, self.width])?;
        let hidden =
            layers::linear(graph, "fc1", &normal, &weight, Some(&part.bias("fc1", self.feed_forward)?))?;
        let hidden = graph.gelu(&hidden);
        let weight = part.weight("fc2", &[self.width, self.feed_forward])?;
        let hidden = layers::linear(graph, "fc2", &hidden, &weight, Some(&part.bias("fc2", self.width)?))?;
        Ok(graph.add(&x, &hidden))
    }

    fn attention(&self, part: &Part<'_>, graph: &mut Graph, x: &Value) -> Result<Value> {
        graph.enter(part.path());
        let square = [self.width, self.width];
        let scale = layers::attention_scale(self.width / self.heads);
        let weight = part.weight("q_proj", &square)?.scaled(scale);
        let bias = part.bias("q_proj", self.width)?.scaled(scale);
        let queries = layers::linear(graph, "q_proj", x, &weight, Some(&bias))?;
        let keys = layers::linear(graph, "k_proj", x, &part.weight("k_proj", &square)?, None)?;
        let values = layers::linear(graph, "v_proj", x, &part.weight("v_proj", &square)?, None)?;
        let mixed = layers::attend(graph, &Projected { queries, keys, values }, self.heads);
        // The shares of a softmax add up to one, so the bias of the values passes through unchanged.
        let weight = part.weight("out_proj", &square)?;
        let passed = weight.times(&part.bias("v_proj", self.width)?);
        let bias = part.bias("out_proj", self.width)?.plus(&passed);
        layers::linear(graph, "out_proj", &mixed, &weight, Some(&bias))
    }
}
