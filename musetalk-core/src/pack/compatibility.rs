//! Which tensors this version expects of each network, derived from the numbers of the manifest.

use super::manifest::{Dimension, Manifest, NetworkEntry, TensorEntry};
use crate::{Error, ErrorKind, Result};

/// The roles of a pack that speaks, with what goes in and what comes out, in this order.
///
/// | network | takes | gives |
/// |---|---|---|
/// | `audio_encoder` | `mel` f32 \[batch, 80, 2·positions\] | `states` f32 \[batch, positions, states, width\] |
/// | `generator` | `latent` f32 \[batch, 2·c, l, l\], `audio` f32 \[batch, tokens·states, width\] | f32 \[batch, c, l, l\] |
/// | `decoder` | f32 \[batch, c, l, l\] | u8 \[batch, size, size, 3\], RGB |
/// | `encoder` | f32 \[batch, 3, size, size\] in −1…1 | f32 \[batch, c, l, l\] |
pub(crate) const ROLES: [&str; 4] = ["audio_encoder", "generator", "decoder", "encoder"];

/// The roles that find and cut out faces when an avatar is made from footage; a pack may lack any of them.
///
/// | network | takes | gives, by name |
/// |---|---|---|
/// | `face_detector`, S3FD | `image` f32 \[batch, 3, height, width\], RGB − (104, 117, 123) | `scores_k` f32 \[batch, 2, h, w\] (4 for k = 0), `boxes_k` f32 \[batch, 4, h, w\], k = 0…5, as the layers leave them |
/// | `face_detector`, light | `input` f32 \[1, 3, 240, 320\], (RGB − 127) / 128 | `scores` f32 \[1, 4420, 2\], `boxes` f32 \[1, 4420, 4\] |
/// | `face_landmarks`, DWPose | `input` f32 \[batch, 3, 384, 288\] | `simcc_x` f32 \[batch, 133, 576\], `simcc_y` f32 \[batch, 133, 768\] |
/// | `face_landmarks`, light | `input` f32 \[batch, 3, 112, 112\], RGB in 0…1 | `output` f32 \[batch, 136\] |
/// | `face_parser` | `image` f32 \[batch, 3, 512, 512\], normalised RGB | `classes` u8 \[batch, 512, 512\] |
pub(crate) const FACE_ROLES: [&str; 3] = ["face_detector", "face_landmarks", "face_parser"];

/// Compares every role that this version runs; the four that speak must be there.
pub(crate) fn check(manifest: &Manifest) -> Result<()> {
    for role in ROLES {
        network(manifest, role)?;
    }
    for role in FACE_ROLES.into_iter().filter(|role| manifest.networks.contains_key(*role)) {
        network(manifest, role)?;
    }
    Ok(())
}

/// The network of this role, after its tensors were compared with what the manifest's own numbers demand.
pub(crate) fn network<'m>(manifest: &'m Manifest, role: &str) -> Result<&'m NetworkEntry> {
    let entry = manifest.networks.get(role).ok_or_else(|| {
        Error::new(
            ErrorKind::Incompatible,
            format!("the pack has no network {role}; build it again from a complete checkpoint"),
        )
    })?;
    if FACE_ROLES.contains(&role) {
        let (inputs, outputs) = expected_of_face(role, light(role, entry));
        compare_by_name(role, "input", &entry.inputs, &inputs)?;
        compare_by_name(role, "output", &entry.outputs, &outputs)?;
    } else {
        let (inputs, outputs) = expected(manifest, role);
        compare_in_order(role, "input", &entry.inputs, &inputs)?;
        compare_in_order(role, "output", &entry.outputs, &outputs)?;
    }
    Ok(entry)
}

/// Whether a network that finds faces or landmarks is of the light kind; told by what goes in.
pub(crate) fn light(role: &str, entry: &NetworkEntry) -> bool {
    let Some(input) = entry.inputs.first() else { return false };
    match role {
        "face_detector" => input.name == "input",
        "face_landmarks" => input.shape.last() == Some(&Dimension::Fixed(112)),
        _ => false,
    }
}

/// Type and sides of one item. A side of [`FREE`] is as long as the call brings.
type Expected = (&'static str, Vec<u64>);

const FREE: u64 = 0;

/// A tensor that is found by its name.
type Named = (String, Expected);

fn expected(manifest: &Manifest, role: &str) -> (Vec<Expected>, Vec<Expected>) {
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

fn expected_of_face(role: &str, light: bool) -> (Vec<Named>, Vec<Named>) {
    let f32 = |name: &str, sides: &[u64]| (name.to_owned(), ("f32", sides.to_vec()));
    match (role, light) {
        ("face_detector", true) => {
            (vec![f32("input", &[3, 240, 320])], vec![f32("scores", &[4420, 2]), f32("boxes", &[4420, 4])])
        }
        ("face_landmarks", true) => (vec![f32("input", &[3, 112, 112])], vec![f32("output", &[136])]),
        ("face_detector", false) => {
            let levels = (0..6).flat_map(|k| {
                // The finest level has three scores for "no face", of which the best counts.
                let scores = if k == 0 { 4 } else { 2 };
                [
                    f32(&format!("scores_{k}"), &[scores, FREE, FREE]),
                    f32(&format!("boxes_{k}"), &[4, FREE, FREE]),
                ]
            });
            (vec![f32("image", &[3, FREE, FREE])], levels.collect())
        }
        ("face_landmarks", false) => (
            vec![f32("input", &[3, 384, 288])],
            vec![f32("simcc_x", &[133, 576]), f32("simcc_y", &[133, 768])],
        ),
        _ => (vec![f32("image", &[3, 512, 512])], vec![("classes".to_owned(), ("u8", vec![512, 512]))]),
    }
}

fn fits(tensor: &TensorEntry, (element, sides): &Expected) -> bool {
    tensor.element == *element
        && tensor.shape.len() == sides.len() + 1
        && matches!(tensor.shape[0], Dimension::Named(_) | Dimension::Fixed(1))
        && tensor.shape[1..].iter().zip(sides).all(|(dimension, side)| match dimension {
            Dimension::Named(_) => *side == FREE,
            Dimension::Fixed(n) => *side != FREE && n == side,
        })
}

fn compare_in_order(role: &str, side: &str, stated: &[TensorEntry], expected: &[Expected]) -> Result<()> {
    if stated.len() == expected.len() && stated.iter().zip(expected).all(|(tensor, e)| fits(tensor, e)) {
        return Ok(());
    }
    let list: Vec<String> = expected.iter().map(in_words).collect();
    Err(Error::new(
        ErrorKind::Incompatible,
        format!(
            "pack.json: {side}s of network {role} do not fit image and audio; expected {}",
            list.join(" and ")
        ),
    ))
}

/// Networks that others published have their tensors in whatever order they were written.
fn compare_by_name(role: &str, side: &str, stated: &[TensorEntry], expected: &[Named]) -> Result<()> {
    let found = |name: &str, wanted: &Expected| {
        stated.iter().any(|tensor| tensor.name == name && fits(tensor, wanted))
    };
    if let Some((name, wanted)) = expected.iter().find(|(name, wanted)| !found(name, wanted)) {
        return Err(Error::new(
            ErrorKind::Incompatible,
            format!("pack.json: network {role} has no {side} {name} of {}", in_words(wanted)),
        ));
    }
    if stated.len() != expected.len() {
        return Err(Error::new(
            ErrorKind::Incompatible,
            format!("pack.json: network {role} has {} {side}s, expected {}", stated.len(), expected.len()),
        ));
    }
    Ok(())
}

fn in_words((element, sides): &Expected) -> String {
    let side = |side: &u64| if *side == FREE { "free".to_owned() } else { side.to_string() };
    format!("{element} [batch, {}]", sides.iter().map(side).collect::<Vec<_>>().join(", "))
}
