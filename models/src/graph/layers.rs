//! The layers that more than one network is made of, with what can be computed beforehand folded into their weights.

use musetalk_core::Result;

use super::{Constant, Graph, Pads, Value};
use crate::checkpoint::Part;
use crate::tensor::Tensor;

/// How a network normalises over groups of channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    pub(crate) count: usize,
    pub(crate) epsilon: f32,
    /// For pictures with large even areas, where a sum in one go rounds the same way a hundred thousand times.
    pub(crate) in_parts: bool,
}

/// A zero on every side.
const AROUND: Pads = [1; 4];

/// Convolution 3×3 that keeps the size.
pub(crate) fn conv_3x3(
    graph: &mut Graph,
    part: &Part<'_>,
    name: &str,
    x: &Value,
    out: usize,
) -> Result<Value> {
    let weight = part.weight(name, &[out, x.shape[0], 3, 3])?;
    let bias = part.bias(name, out)?;
    conv(graph, name, x, &weight, &bias, 1, AROUND)
}

/// Convolution with weights at hand.
pub(crate) fn conv(
    graph: &mut Graph,
    name: &str,
    x: &Value,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
    pads: Pads,
) -> Result<Value> {
    let weight = graph.constant(&format!("{name}.weight"), weight)?;
    let bias = graph.constant(&format!("{name}.bias"), bias)?;
    Ok(graph.conv(x, &weight, &bias, stride, pads))
}

/// Merged rows times `weight` [out, in], plus a bias if there is one.
pub(crate) fn linear(
    graph: &mut Graph,
    name: &str,
    x: &Value,
    weight: &Tensor,
    bias: Option<&Tensor>,
) -> Result<Value> {
    let weight = graph.constant(&format!("{name}.weight"), weight)?;
    let bias = bias.map(|bias| graph.constant(&format!("{name}.bias"), bias)).transpose()?;
    Ok(graph.gemm(x, &weight, bias.as_ref()))
}

/// LayerNorm over the last side.
pub(crate) fn layer_norm(graph: &mut Graph, part: &Part<'_>, name: &str, x: &Value) -> Result<Value> {
    let width = x.shape[x.shape.len() - 1];
    let weight = graph.constant(&format!("{name}.weight"), &part.weight(name, &[width])?)?;
    let bias = graph.constant(&format!("{name}.bias"), &part.bias(name, width)?)?;
    Ok(graph.layer_norm(x, &weight, &bias, 1e-5))
}

/// GroupNorm without its weights: mean 0 and variance 1 in every group, flat within it.
pub(crate) fn group_norm_plain(graph: &mut Graph, x: &Value, groups: Groups) -> Result<Value> {
    let rest = x.shape.iter().product::<usize>() / groups.count;
    if groups.in_parts {
        let grouped = graph.reshape(x, &parted(groups.count, rest));
        return graph.norm_in_parts(&grouped, groups.epsilon);
    }
    let (ones, zeros) = (graph.filled(groups.count, 1.0)?, graph.filled(groups.count, 0.0)?);
    let grouped = graph.reshape(x, &[groups.count, rest]);
    Ok(graph.instance_norm(&grouped, &ones, &zeros, groups.epsilon))
}

/// `rest` numbers of each group as about equally many and long parts.
fn parted(count: usize, rest: usize) -> [usize; 3] {
    let part = (1..=rest.isqrt()).rev().find(|part| rest.is_multiple_of(*part)).unwrap_or(1);
    [count, part, rest / part]
}

/// GroupNorm, then SiLU.
pub(crate) fn group_norm_silu(
    graph: &mut Graph,
    part: &Part<'_>,
    name: &str,
    x: &Value,
    groups: Groups,
) -> Result<Value> {
    let channels = x.shape[0];
    let normal = group_norm_plain(graph, x, groups)?;
    let normal = graph.reshape(&normal, &x.shape);
    let weight = graph.constant(&format!("{name}.weight"), &part.weight(name, &[channels])?)?;
    let bias = graph.constant(&format!("{name}.bias"), &part.bias(name, channels)?)?;
    let moved = graph.channel_affine(&normal, &weight, &bias)?;
    let gate = graph.sigmoid(&moved);
    Ok(graph.mul(&moved, &gate))
}

/// A GroupNorm's weights moved into the linear layer that follows: W(γx + β) + b = (Wγ)x + (Wβ + b).
pub(crate) fn absorb_group_norm(
    part: &Part<'_>,
    norm: &str,
    weight: Tensor,
    bias: Option<Tensor>,
) -> Result<(Tensor, Tensor)> {
    let channels = weight.shape[1];
    let shift = weight.times(&part.bias(norm, channels)?);
    let bias = match bias {
        Some(bias) => bias.plus(&shift),
        None => shift,
    };
    Ok((weight.columns_scaled(&part.weight(norm, &[channels])?), bias))
}

/// Two convolutions with a way around them. `extra` is added to the first one's bias: the folded time path.
pub(crate) fn resnet(
    graph: &mut Graph,
    part: &Part<'_>,
    x: &Value,
    out: usize,
    groups: Groups,
    extra: Option<&Tensor>,
) -> Result<Value> {
    graph.enter(part.path());
    let hidden = group_norm_silu(graph, part, "norm1", x, groups)?;
    let weight = part.weight("conv1", &[out, x.shape[0], 3, 3])?;
    let mut bias = part.bias("conv1", out)?;
    if let Some(extra) = extra {
        bias = bias.plus(extra);
    }
    let hidden = conv(graph, "conv1", &hidden, &weight, &bias, 1, AROUND)?;
    let hidden = group_norm_silu(graph, part, "norm2", &hidden, groups)?;
    let hidden = conv_3x3(graph, part, "conv2", &hidden, out)?;
    let around = if x.shape[0] == out {
        x.clone()
    } else {
        let weight = part.weight("conv_shortcut", &[out, x.shape[0], 1, 1])?;
        conv(graph, "conv_shortcut", x, &weight, &part.bias("conv_shortcut", out)?, 1, [0; 4])?
    };
    Ok(graph.add(&hidden, &around))
}

/// Half the size.
pub(crate) fn downsample(graph: &mut Graph, part: &Part<'_>, x: &Value, pads: Pads) -> Result<Value> {
    graph.enter(part.path());
    let weight = part.weight("conv", &[x.shape[0], x.shape[0], 3, 3])?;
    conv(graph, "conv", x, &weight, &part.bias("conv", x.shape[0])?, 2, pads)
}

/// Twice the size: every pixel becomes a square of four, then a convolution 3×3.
///
/// Two neighbouring rows of the enlarged picture are equal, so a convolution sees two different rows, not three: one
/// with 2×3 weights makes the even rows, another the odd ones, at two thirds of the work. The rows interleave as whole
/// rows, which is cheap. Folding the columns too would save as much again, but interleaving single pixels costs more
/// than that (DepthToSpace 1.8 ms for 32×128×128, the whole convolution 2.3 ms); ConvTranspose is no faster either.
pub(crate) fn upsample(graph: &mut Graph, part: &Part<'_>, x: &Value) -> Result<Value> {
    graph.enter(part.path());
    let kernel = part.weight("conv", &[x.shape[0], x.shape[0], 3, 3])?;
    upsample_conv(graph, x, &kernel, &part.bias("conv", x.shape[0])?)
}

/// As [`upsample`], with weights `[channels, channels, 3, 3]` at hand.
pub(crate) fn upsample_conv(graph: &mut Graph, x: &Value, kernel: &Tensor, bias: &Tensor) -> Result<Value> {
    let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2]);
    let wide = graph.widened(x)?;
    // Per kind of row: onto which of the two rows each row of the kernel falls, and the zeros around the picture.
    let even = row_conv(graph, "even", &wide, kernel, bias, [0, 1, 1], [1, 1, 0, 1])?;
    let odd = row_conv(graph, "odd", &wide, kernel, bias, [0, 0, 1], [0, 1, 1, 1])?;
    // An even row and the odd one after it, side by side, are two rows one after the other.
    let pairs = graph.concat(&[&even, &odd], 2);
    Ok(graph.reshape(&pairs, &[channels, 2 * height, 2 * width]))
}

fn row_conv(
    graph: &mut Graph,
    name: &str,
    x: &Value,
    kernel: &Tensor,
    bias: &Tensor,
    falls_on: [usize; 3],
    pads: Pads,
) -> Result<Value> {
    let channels = x.shape[0];
    let mut folded = Tensor::zeros(&[channels, channels, 2, 3]);
    for (two, three) in folded.values.chunks_exact_mut(6).zip(kernel.values.chunks_exact(9)) {
        for (row, &target) in falls_on.iter().enumerate() {
            for column in 0..3 {
                two[3 * target + column] += three[3 * row + column];
            }
        }
    }
    conv(graph, name, x, &folded, bias, 1, pads)
}

/// A picture of `channels` as tokens: one merged row per pixel.
pub(crate) fn to_tokens(graph: &mut Graph, x: &Value, channels: usize) -> Value {
    let pixels = x.shape.iter().product::<usize>() / channels;
    let flat = graph.reshape(x, &[channels, pixels]);
    let rows = graph.transpose(&flat, &[1, 0]);
    graph.merge_rows(&rows)
}

/// The way back from [`to_tokens`].
pub(crate) fn to_picture(graph: &mut Graph, x: &Value, height: usize, width: usize) -> Value {
    let channels = x.shape[0];
    let parted = graph.reshape(x, &[height * width, channels]);
    let flat = graph.transpose(&parted, &[1, 0]);
    graph.reshape(&flat, &[channels, height, width])
}

/// Queries, keys and values of one attention, projected and not yet split into heads: merged rows.
pub(crate) struct Projected {
    pub(crate) queries: Value,
    pub(crate) keys: Value,
    pub(crate) values: Value,
}

/// Softmax(queries · keysᵀ) · values, head by head, as merged rows. The scale is in the queries already.
pub(crate) fn attend(graph: &mut Graph, projected: &Projected, heads: usize) -> Value {
    let Projected { queries, keys, values } = projected;
    let (tokens, width) = (queries.rows, queries.shape[0]);
    let split = |graph: &mut Graph, x: &Value, order: &[usize]| {
        let parted = graph.reshape(x, &[x.rows, heads, width / heads]);
        graph.transpose(&parted, order)
    };
    let queries = split(graph, queries, &[1, 0, 2]);
    let keys = split(graph, keys, &[1, 2, 0]);
    let values = split(graph, values, &[1, 0, 2]);
    let scores = graph.product(&queries, &keys);
    let shares = graph.softmax(&scores);
    let mixed = graph.product(&shares, &values);
    let joined = graph.transpose(&mixed, &[1, 0, 2]);
    let joined = graph.reshape(&joined, &[tokens, width]);
    graph.merge_rows(&joined)
}

/// The factor of a head of this width, 1/√width.
pub(crate) fn attention_scale(width: usize) -> f32 {
    (1.0 / (width as f64).sqrt()) as f32
}

/// A scalar constant.
pub(crate) fn scalar(graph: &mut Graph, name: &str, value: f32) -> Result<Constant> {
    graph.constant(name, &Tensor::new(&[], vec![value]))
}
