//! BiSeNet over a ResNet-18: a picture of a face to the part of the face, or of what is around it, that each pixel shows.
//!
//! | | name | type | shape | range |
//! |---|---|---|---|---|
//! | in | `image` | f32 | `[batch, 3, 512, 512]` | RGB: (x / 255 − mean) / deviation, see below |
//! | out | `classes` | u8 | `[batch, 512, 512]` | 0…18, the first of equally likely ones |
//!
//! | | R | G | B |
//! |---|---|---|---|
//! | mean | 0.485 | 0.456 | 0.406 |
//! | deviation | 0.229 | 0.224 | 0.225 |
//!
//! Classes: 0 background, 1 skin, 2 and 3 left and right eyebrow, 4 and 5 eyes, 6 glasses, 7 and 8 ears, 9 earring, 10 nose,
//! 11 inside of the mouth, 12 and 13 upper and lower lip, 14 neck, 15 necklace, 16 cloth, 17 hair, 18 hat.
//!
//! Widths come from the shapes of the tensors: these checkpoints have no configuration. Folded: every BatchNorm into the
//! convolution before it, and enlarged pixels into the convolution after them. The two heads that only training uses, and
//! the counters of the norms, are not read.

use musetalk_core::{Error, ErrorKind, Result};

use super::Ending;
use crate::checkpoint::{Checkpoint, Part};
use crate::graph::{Graph, Value, layers};
use crate::onnx::Element;
use crate::tensor::Tensor;

/// Side of the picture.
const SIDE: usize = 512;

/// How much smaller the picture is in which the classes are told apart.
const SHRINK: usize = 8;

/// Parts of a face and of what is around it.
const CLASSES: usize = 19;

/// What a BatchNorm adds to a variance.
const EPSILON: f64 = 1e-5;

/// Where the tensors lie that the graph is made of.
pub(crate) const PREFIXES: [&str; 3] = ["cp.", "ffm.", "conv_out."];

/// The widths that shape the graph.
#[derive(Clone, Debug)]
pub(crate) struct Bisenet {
    stem: usize,
    stages: [usize; 4],
    context: usize,
    fused: usize,
    gate: usize,
    head: usize,
}

impl Bisenet {
    /// Reads the widths off the tensors.
    pub(crate) fn derived(checkpoint: &Checkpoint<'_>) -> Result<Self> {
        let stage = |n: usize| checkpoint.leaving(&format!("cp.resnet.layer{n}.0.conv1.weight"));
        let this = Self {
            stem: checkpoint.leaving("cp.resnet.conv1.weight")?,
            stages: [stage(1)?, stage(2)?, stage(3)?, stage(4)?],
            context: checkpoint.leaving("cp.conv_avg.conv.weight")?,
            fused: checkpoint.leaving("ffm.convblk.conv.weight")?,
            gate: checkpoint.leaving("ffm.conv1.weight")?,
            head: checkpoint.leaving("conv_out.conv.conv.weight")?,
        };
        let classes = checkpoint.leaving("conv_out.conv_out.weight")?;
        if classes != CLASSES {
            let text = format!(
                "the face parser tells {classes} classes apart, not the {CLASSES} that masks are made from: {}",
                checkpoint.root().place().display()
            );
            return Err(Error::new(ErrorKind::Incompatible, text));
        }
        Ok(this)
    }

    /// Builds the graph.
    pub(crate) fn build(&self, checkpoint: &Checkpoint<'_>, graph: &mut Graph, ending: Ending) -> Result<()> {
        let root = checkpoint.root();
        let image = graph.input("image", &[3, SIDE, SIDE]);
        let [eighth, sixteenth, deep] = self.resnet(&root.part("cp.resnet"), graph, &image)?;
        let context = self.context(&root.part("cp"), graph, &sixteenth, &deep)?;
        let fused = self.fuse(&root.part("ffm"), graph, &eighth, &context)?;
        let part = root.part("conv_out");
        let hidden = unit(&part.part("conv"), graph, &fused, self.head, 3)?;
        graph.enter(part.path());
        let logits = plain_1x1(&part, graph, "conv_out", &hidden, CLASSES)?;
        graph.enter("classes");
        let logits = graph.enlarged(&logits, SHRINK)?;
        match ending {
            Ending::Floats => graph.output("logits", &logits, Element::F32),
            Ending::Bytes => {
                let classes = graph.largest_channel(&logits);
                graph.output("classes", &classes, Element::U8);
            }
        }
        Ok(())
    }

    /// Features at an eighth, a sixteenth and a thirty-second of the size.
    fn resnet(&self, part: &Part<'_>, graph: &mut Graph, image: &Value) -> Result<[Value; 3]> {
        graph.enter(part.path());
        let x = conv_norm(part, graph, ["conv1", "bn1"], image, self.stem, [7, 2])?;
        let x = graph.relu(&x);
        let x = graph.max_pool(&x, 3, 2, 1);
        let quarter = self.stage(part, graph, 1, &x)?;
        let eighth = self.stage(part, graph, 2, &quarter)?;
        let sixteenth = self.stage(part, graph, 3, &eighth)?;
        let deep = self.stage(part, graph, 4, &sixteenth)?;
        Ok([eighth, sixteenth, deep])
    }

    /// Two blocks; from the second stage on the first of them halves the size.
    fn stage(&self, part: &Part<'_>, graph: &mut Graph, n: usize, x: &Value) -> Result<Value> {
        let (part, width) = (part.part(&format!("layer{n}")), self.stages[n - 1]);
        let x = block(&part.part("0"), graph, x, width, if n == 1 { 1 } else { 2 })?;
        block(&part.part("1"), graph, &x, width, 1)
    }

    /// What the whole picture says about each of its pixels, at an eighth of the size.
    fn context(&self, part: &Part<'_>, graph: &mut Graph, sixteenth: &Value, deep: &Value) -> Result<Value> {
        let refined = self.refine(&part.part("arm32"), graph, deep)?;
        let mean = graph.channel_means(deep);
        let mean = unit(&part.part("conv_avg"), graph, &mean, self.context, 1)?;
        let x = graph.add_to_channels(&refined, &mean);
        let x = enlarged(&part.part("conv_head32"), graph, &x)?;
        let refined = self.refine(&part.part("arm16"), graph, sixteenth)?;
        let x = graph.add(&refined, &x);
        enlarged(&part.part("conv_head16"), graph, &x)
    }

    /// Attention over channels.
    fn refine(&self, part: &Part<'_>, graph: &mut Graph, x: &Value) -> Result<Value> {
        let x = unit(&part.part("conv"), graph, x, self.context, 3)?;
        graph.enter(part.path());
        let mean = graph.channel_means(&x);
        let gate = conv_norm(part, graph, ["conv_atten", "bn_atten"], &mean, self.context, [1, 1])?;
        let gate = graph.sigmoid(&gate);
        Ok(graph.scale_channels(&x, &gate))
    }

    /// Details and context as one, the channels that matter in this picture counted twice.
    fn fuse(&self, part: &Part<'_>, graph: &mut Graph, details: &Value, context: &Value) -> Result<Value> {
        graph.enter(part.path());
        let both = graph.concat(&[details, context], 0);
        let x = unit(&part.part("convblk"), graph, &both, self.fused, 1)?;
        graph.enter(part.path());
        let mean = graph.channel_means(&x);
        let gate = plain_1x1(part, graph, "conv1", &mean, self.gate)?;
        let gate = graph.relu(&gate);
        let gate = plain_1x1(part, graph, "conv2", &gate, self.fused)?;
        let gate = graph.sigmoid(&gate);
        let weighted = graph.scale_channels(&x, &gate);
        Ok(graph.add(&x, &weighted))
    }
}

/// Two convolutions with a way around them.
fn block(part: &Part<'_>, graph: &mut Graph, x: &Value, out: usize, stride: usize) -> Result<Value> {
    graph.enter(part.path());
    let hidden = conv_norm(part, graph, ["conv1", "bn1"], x, out, [3, stride])?;
    let hidden = graph.relu(&hidden);
    let hidden = conv_norm(part, graph, ["conv2", "bn2"], &hidden, out, [3, 1])?;
    let around = if stride == 1 && x.shape[0] == out {
        x.clone()
    } else {
        conv_norm(part, graph, ["downsample.0", "downsample.1"], x, out, [1, stride])?
    };
    let sum = graph.add(&hidden, &around);
    Ok(graph.relu(&sum))
}

/// Convolution, BatchNorm and ReLU that keep the size.
fn unit(part: &Part<'_>, graph: &mut Graph, x: &Value, out: usize, size: usize) -> Result<Value> {
    graph.enter(part.path());
    let x = conv_norm(part, graph, ["conv", "bn"], x, out, [size, 1])?;
    Ok(graph.relu(&x))
}

/// As [`unit`], on a picture of which every pixel becomes a square of four.
fn enlarged(part: &Part<'_>, graph: &mut Graph, x: &Value) -> Result<Value> {
    graph.enter(part.path());
    let channels = x.shape[0];
    let (weight, bias) = folded(part, ["conv", "bn"], &[channels, channels, 3, 3])?;
    let x = layers::upsample_conv(graph, x, &weight, &bias)?;
    Ok(graph.relu(&x))
}

/// A convolution and the BatchNorm after it, by name, of a kernel of `size`.
fn conv_norm(
    part: &Part<'_>,
    graph: &mut Graph,
    names: [&str; 2],
    x: &Value,
    out: usize,
    [size, stride]: [usize; 2],
) -> Result<Value> {
    let (weight, bias) = folded(part, names, &[out, x.shape[0], size, size])?;
    layers::conv(graph, names[0], x, &weight, &bias, stride, [size / 2; 4])
}

/// A convolution 1×1 with neither norm nor bias.
fn plain_1x1(part: &Part<'_>, graph: &mut Graph, name: &str, x: &Value, out: usize) -> Result<Value> {
    let weight = part.weight(name, &[out, x.shape[0], 1, 1])?;
    layers::conv(graph, name, x, &weight, &Tensor::zeros(&[out]), 1, [0; 4])
}

/// Weight and bias of a convolution without bias and its BatchNorm: γ(Wx − μ)/√(σ² + ε) + β, in double precision.
fn folded(part: &Part<'_>, [conv, norm]: [&str; 2], shape: &[usize]) -> Result<(Tensor, Tensor)> {
    let mut weight = part.weight(conv, shape)?;
    let [scales, shifts, means, variances] = ["weight", "bias", "running_mean", "running_var"]
        .map(|name| part.tensor(&format!("{norm}.{name}"), &shape[..1]).map(|tensor| tensor.values));
    let (scales, shifts, means, variances) = (scales?, shifts?, means?, variances?);
    let mut bias = Vec::with_capacity(shape[0]);
    for (channel, kernel) in weight.values.chunks_exact_mut(shape[1..].iter().product()).enumerate() {
        let scale = f64::from(scales[channel]) / (f64::from(variances[channel]) + EPSILON).sqrt();
        kernel.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
        bias.push((f64::from(shifts[channel]) - f64::from(means[channel]) * scale) as f32);
    }
    // A variance below zero, or numbers no network has.
    if !weight.values.iter().chain(&bias).all(|value| value.is_finite()) {
        let text = format!(
            "the statistics of {}.{norm} give weights that are not finite: {}",
            part.path(),
            part.place().display()
        );
        return Err(Error::new(ErrorKind::Corrupt, text));
    }
    Ok((weight, Tensor::new(&shape[..1], bias)))
}
