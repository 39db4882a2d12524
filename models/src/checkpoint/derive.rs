//! The options of a configuration that the tensors decide, read off their shapes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::names::Role;

/// Options and their values, as `config.json` would state them.
pub(crate) type Facts = Vec<(&'static str, Value)>;

/// What the shapes under canonical names say. A tensor that is missing decides nothing; the graphs will ask for it.
pub(crate) fn facts<'a>(role: Role, shape: impl Fn(&str) -> Option<&'a [usize]>) -> Facts {
    let side = |name: &str, side: usize| shape(name).and_then(|sides| sides.get(side).copied());
    let count =
        |name: &dyn Fn(usize) -> String| (0..).take_while(|&index| shape(&name(index)).is_some()).count();
    let holds = |name: &str| shape(name).is_some();
    let mut facts = Facts::new();
    let mut state = |key: &'static str, value: Option<Value>| facts.extend(value.map(|value| (key, value)));
    match role {
        Role::Unet => {
            let blocks = count(&|block| format!("down_blocks.{block}.resnets.0.conv1.weight"));
            let per_block = |of: &dyn Fn(usize) -> Option<Value>| -> Option<Value> {
                let values: Option<Vec<Value>> = (0..blocks).map(of).collect();
                values.filter(|values| !values.is_empty()).map(Value::Array)
            };
            let kind = |block: usize, side: &str, plain: &str, with: &str| {
                let first = format!("{side}_blocks.{block}.attentions.0.proj_in.weight");
                Some(json!(if holds(&first) { with } else { plain }))
            };
            let audio = |place: &str| side(&format!("{place}.transformer_blocks.0.attn2.to_k.weight"), 1);
            let deeper = holds("mid_block.attentions.0.transformer_blocks.1.norm1.weight");
            state("in_channels", side("conv_in.weight", 1).map(Value::from));
            state("out_channels", side("conv_out.weight", 0).map(Value::from));
            state(
                "block_out_channels",
                per_block(&|b| side(&format!("down_blocks.{b}.resnets.0.conv1.weight"), 0).map(Value::from)),
            );
            state(
                "layers_per_block",
                per_block(&|block| {
                    let layers = count(&|layer| format!("down_blocks.{block}.resnets.{layer}.conv1.weight"));
                    Some(json!(layers))
                }),
            );
            state(
                "down_block_types",
                per_block(&|block| kind(block, "down", "DownBlock2D", "CrossAttnDownBlock2D")),
            );
            state("up_block_types", per_block(&|block| kind(block, "up", "UpBlock2D", "CrossAttnUpBlock2D")));
            state("cross_attention_dim", audio("mid_block.attentions.0").map(Value::from));
            state("transformer_layers_per_block", deeper.then(|| json!(2)));
        }
        Role::Vae => {
            let blocks = count(&|block| format!("encoder.down_blocks.{block}.resnets.0.conv1.weight"));
            let channels: Option<Vec<usize>> = (0..blocks)
                .map(|block| side(&format!("encoder.down_blocks.{block}.resnets.0.conv1.weight"), 0))
                .collect();
            let layers = count(&|layer| format!("encoder.down_blocks.0.resnets.{layer}.conv1.weight"));
            state("latent_channels", side("decoder.conv_in.weight", 1).map(Value::from));
            state("block_out_channels", channels.filter(|c| !c.is_empty()).map(Value::from));
            state("layers_per_block", (layers > 0).then(|| json!(layers)));
            // Without the middle nothing can be said of what may be left out.
            if holds("decoder.conv_in.weight") {
                state("use_quant_conv", Some(json!(holds("quant_conv.weight"))));
                state("use_post_quant_conv", Some(json!(holds("post_quant_conv.weight"))));
                let attends = holds("decoder.mid_block.attentions.0.to_q.weight");
                state("mid_block_add_attention", Some(json!(attends)));
            }
        }
        Role::Whisper => {
            let layers = count(&|layer| format!("layers.{layer}.self_attn.q_proj.weight"));
            state("d_model", side("conv1.weight", 0).map(Value::from));
            state("num_mel_bins", side("conv1.weight", 1).map(Value::from));
            state("max_source_positions", side("embed_positions.weight", 0).map(Value::from));
            state("encoder_layers", (layers > 0).then(|| json!(layers)));
            state("encoder_ffn_dim", side("layers.0.fc1.weight", 0).map(Value::from));
        }
        Role::FaceParser | Role::FaceDetector => {}
    }
    facts
}

/// Options that shapes cannot decide, as the published networks have them; `dims` is OpenAI's own record.
pub(crate) fn defaults(role: Role, facts: &Facts, dims: &BTreeMap<String, u64>) -> Facts {
    let number =
        |key: &str| facts.iter().find(|(known, _)| *known == key).and_then(|(_, value)| value.as_u64());
    match role {
        Role::Unet => vec![("attention_head_dim", json!(8))],
        Role::Vae => {
            let blocks = facts.iter().find(|(key, _)| *key == "block_out_channels");
            let blocks = blocks.and_then(|(_, channels)| channels.as_array()).map_or(0, Vec::len);
            vec![
                ("down_block_types", json!(vec!["DownEncoderBlock2D"; blocks])),
                ("up_block_types", json!(vec!["UpDecoderBlock2D"; blocks])),
            ]
        }
        // Every published Whisper has heads of 64.
        Role::Whisper => {
            let heads = dims.get("n_audio_head").copied();
            let heads = heads.or_else(|| number("d_model").map(|width| (width / 64).max(1)));
            heads.map(|heads| ("encoder_attention_heads", json!(heads))).into_iter().collect()
        }
        Role::FaceParser | Role::FaceDetector => Facts::new(),
    }
}
