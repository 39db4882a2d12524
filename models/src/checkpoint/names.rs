//! The names under which publishers stored the same tensor.

/// Prefixes before the keys of a Whisper encoder: a whole `WhisperForConditionalGeneration`, a `WhisperModel`, an encoder.
pub(crate) const WHISPER_PREFIXES: [&str; 3] = ["model.encoder.", "encoder.", ""];

/// Attention of the VAE's middle block: today's name, and that of uploads made before diffusers 0.14.
const OLD_ATTENTION: [(&str, &str); 4] =
    [("to_q.", "query."), ("to_k.", "key."), ("to_v.", "value."), ("to_out.0.", "proj_attn.")];

/// The other name of a tensor of the VAE's attention, if it has one.
pub(crate) fn old_attention_name(name: &str) -> Option<String> {
    OLD_ATTENTION.iter().find(|(new, _)| name.contains(new)).map(|(new, old)| name.replacen(new, old, 1))
}
