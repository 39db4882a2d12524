//! The names under which publishers stored the same tensor, and which network a file's names belong to.

use std::collections::{BTreeMap, HashMap};

/// A network that a checkpoint can hold.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Role {
    Unet,
    Vae,
    Whisper,
    FaceParser,
    FaceDetector,
}

impl Role {
    pub(crate) const ALL: [Self; 5] =
        [Self::Unet, Self::Vae, Self::Whisper, Self::FaceParser, Self::FaceDetector];

    /// A tensor that no file of the network lacks.
    fn probe(self) -> &'static str {
        match self {
            Self::Unet => "conv_in.weight",
            Self::Vae => "encoder.conv_in.weight",
            Self::Whisper => "conv1.weight",
            Self::FaceParser => "cp.resnet.conv1.weight",
            Self::FaceDetector => "conv1_1.weight",
        }
    }

    /// What programs put before the names of this network's tensors.
    fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Unet => &["module.", "model.", "unet."],
            Self::Vae => &["module.", "model.", "vae."],
            // A `WhisperForConditionalGeneration`, a `WhisperModel`, an encoder.
            Self::Whisper => &["module.", "model.", "whisper.", "encoder."],
            Self::FaceParser | Self::FaceDetector => &["module.", "model.", "net."],
        }
    }
}

/// Attention of the VAE's middle block: today's name, and that of uploads made before diffusers 0.14.
const OLD_ATTENTION: [(&str, &str); 4] =
    [("to_q.", "query."), ("to_k.", "key."), ("to_v.", "value."), ("to_out.0.", "proj_attn.")];

/// Whisper's encoder: the name in Hugging Face's uploads, and in OpenAI's own files.
const OPENAI_WHISPER: [(&str, &str); 10] = [
    ("embed_positions.weight", "positional_embedding"),
    ("layer_norm.", "ln_post."),
    ("self_attn.q_proj.", "attn.query."),
    ("self_attn.k_proj.", "attn.key."),
    ("self_attn.v_proj.", "attn.value."),
    ("self_attn.out_proj.", "attn.out."),
    ("self_attn_layer_norm.", "attn_ln."),
    ("fc1.", "mlp.0."),
    ("fc2.", "mlp.2."),
    ("final_layer_norm.", "mlp_ln."),
];

/// From the names that the graphs ask for to the stored ones. What belongs to another network is left out.
pub(crate) fn canonical<'a>(role: Role, stored: impl Iterator<Item = &'a str>) -> HashMap<String, &'a str> {
    let stored: Vec<&str> = stored.collect();
    let prefix = prefix(role, &stored);
    let mut names: BTreeMap<String, (bool, &str)> = BTreeMap::new();
    for name in stored.iter().filter_map(|name| name.strip_prefix(prefix).map(|rest| (rest, *name))) {
        let (rest, stored) = name;
        let renamed = renamed(role, rest);
        let entry = (renamed != rest, stored);
        // Where a tensor is there under both names, today's is meant.
        names.entry(renamed).and_modify(|known| *known = (*known).min(entry)).or_insert(entry);
    }
    names.into_iter().map(|(name, (_, stored))| (name, stored)).collect()
}

/// Whether canonical names with these shapes are those of the network, at any width.
pub(crate) fn recognised<'a>(role: Role, shape: impl Fn(&str) -> Option<&'a [usize]>) -> bool {
    let holds = |name: &str| shape(name).is_some();
    match role {
        // Twice as many channels go in as come out: a Stable Diffusion UNet has as many.
        Role::Unet => match (shape("conv_in.weight"), shape("conv_out.weight")) {
            (Some([_, inputs, 3, 3]), Some([outputs, ..])) => {
                *inputs == 2 * outputs && holds("down_blocks.0.resnets.0.time_emb_proj.weight")
            }
            _ => false,
        },
        Role::Vae => {
            holds("encoder.conv_in.weight")
                && holds("encoder.down_blocks.0.resnets.0.conv1.weight")
                && holds("decoder.conv_in.weight")
        }
        Role::Whisper => {
            matches!(shape("conv1.weight"), Some([_, _, 3])) && holds("layers.0.self_attn.q_proj.weight")
        }
        Role::FaceParser => holds("cp.resnet.conv1.weight") && holds("conv_out.conv_out.weight"),
        Role::FaceDetector => holds("conv1_1.weight") && holds("conv3_3_norm.weight"),
    }
}

/// What stands before the probe, if that is made of known prefixes only; the shortest of several.
fn prefix<'a>(role: Role, stored: &[&'a str]) -> &'a str {
    let known = |mut prefix: &str| {
        while let Some(rest) = role.prefixes().iter().find_map(|known| prefix.strip_prefix(known)) {
            prefix = rest;
        }
        prefix.is_empty()
    };
    let found =
        stored.iter().filter_map(|name| name.strip_suffix(role.probe())).filter(|prefix| known(prefix));
    found.min_by_key(|prefix| prefix.len()).unwrap_or_default()
}

fn renamed(role: Role, name: &str) -> String {
    match role {
        Role::Vae => {
            let old = OLD_ATTENTION.iter().find(|(_, old)| name.contains(old));
            old.map_or_else(|| name.to_owned(), |(new, old)| name.replacen(old, new, 1))
        }
        Role::Whisper => {
            let layer = name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.'));
            let (before, rest) =
                layer.map_or((String::new(), name), |(n, rest)| (format!("layers.{n}."), rest));
            let theirs = OPENAI_WHISPER.iter().find(|(_, theirs)| rest.starts_with(theirs));
            let rest = theirs.map_or_else(|| rest.to_owned(), |(new, theirs)| rest.replacen(theirs, new, 1));
            before + &rest
        }
        Role::Unet | Role::FaceParser | Role::FaceDetector => name.to_owned(),
    }
}
