//! Which tensors this version expects of each network, derived from the numbers of the manifest.

use super::manifest::{Dimension, Manifest, NetworkEntry, TensorEntry};
use crate::{Error, ErrorKind, Result};

/// The roles of a pack that speaks, with what goes in and what comes out.
///
/// | network | takes | gives |
/// |---|---|---|
/// | `audio_encoder` | `mel` f32 \[batch, 80, 2·positions\] | `states` f32 \[batch, positions, states, width\] |
/// | `generator` | `latent` f32 \[batch, 2·c, l, l\], `audio` f32 \[batch, tokens·states, width\] | f32 \[batch, c, l, l\] |
/// | `decoder` | f32 \[batch, c, l, l\] | u8 \[batch, size, size, 3\], RGB |
/// | `encoder` | f32 \[batch, 3, size, size\] in −1…1 | f32 \[batch, c, l, l\] |
pub(crate) const ROLES: [&str; 4] = ["audio_encoder", "generator", "decoder", "encoder"];

/// The network of this role, after its tensors were compared with what the manifest's own numbers demand.
pub(crate) fn network<'m>(manifest: &'m Manifest, role: &str) -> Result<&'m NetworkEntry> {
    let entry = manifest.networks.get(role).ok_or_else(|| {
        Error::new(
            ErrorKind::Incompatible,
            format!("the pack has no network {role}; build it again from a complete checkpoint"),
        )
    })?;
    let (inputs, outputs) = expected(manifest, role);
    compare(role, "input", &entry.inputs, &inputs)?;
    compare(role, "output", &entry.outputs, &outputs)?;
    Ok(entry)
}

type Expected = Vec<(&'static str, Vec<u64>)>;

fn expected(manifest: &Manifest, role: &str) -> (Expected, Expected) {
    let (image, audio) = (&manifest.image, &manifest.audio);
    let (c, l, size) =
        (u64::from(image.latent_channels), u64::from(image.latent_size), u64::from(image.size));
    let (positions, states, width) =
        (u64::from(audio.positions), u64::from(audio.states), u64::from(audio.width));
    let rows = u64::from(audio.tokens_before + audio.tokens_after) * states;
    let latent = || ("f32", vec![c, l, l]);
    match role {
        "audio_encoder" => {
            (vec![("f32", vec![80, 2 * positions])], vec![("f32", vec![positions, states, width])])
        }
        "generator" => (vec![("f32", vec![2 * c, l, l]), ("f32", vec![rows, width])], vec![latent()]),
        "decoder" => (vec![latent()], vec![("u8", vec![size, size, 3])]),
        _ => (vec![("f32", vec![3, size, size])], vec![latent()]),
    }
}

fn compare(role: &str, side: &str, stated: &[TensorEntry], expected: &Expected) -> Result<()> {
    let fits = stated.len() == expected.len()
        && stated.iter().zip(expected).all(|(tensor, (element, shape))| {
            tensor.element == *element
                && tensor.shape.len() == shape.len() + 1
                && matches!(tensor.shape[0], Dimension::Named(_) | Dimension::Fixed(1))
                && tensor.shape[1..].iter().zip(shape).all(|(d, n)| *d == Dimension::Fixed(*n))
        });
    if fits {
        return Ok(());
    }
    let list: Vec<String> =
        expected.iter().map(|(element, shape)| format!("{element} [batch, {}]", join(shape))).collect();
    Err(Error::new(
        ErrorKind::Incompatible,
        format!(
            "pack.json: {side}s of network {role} do not fit image and audio; expected {}",
            list.join(" and ")
        ),
    ))
}

fn join(shape: &[u64]) -> String {
    shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
