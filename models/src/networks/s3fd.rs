//! S3FD over a VGG-16: a frame of any size to raw scores and boxes of faces, at six sizes.
//!
//! | | name | type | shape | range |
//! |---|---|---|---|---|
//! | in | `image` | f32 | `[batch, 3, height, width]`, both at least 32 | RGB − (104, 117, 123), as published: the means are those of B, G, R |
//! | out | `scores_k` | f32 | `[batch, 2, h_k, w_k]`, `[batch, 4, h_0, w_0]` for k = 0 | logits: nothing, then face; for k = 0 three of nothing, of which the largest counts |
//! | out | `boxes_k` | f32 | `[batch, 4, h_k, w_k]` | shift of the centre x, y and growth of width, height, against an anchor of 16·2^k pixels |
//!
//! k = 0…5; neighbours at level k are 4·2^k pixels apart. The outputs lie in the order `scores_0`, `boxes_0`, `scores_1`, ….
//! h = height/4, /8, /16, halved and cut off at each pooling, then ⌊height/32⌋ + 4 for k = 3: the published padding of 3 before
//! `fc6` adds two rows on either side. Each further level is half of that, rounded up.
//!
//! Widths come from the shapes of the tensors: these checkpoints have no configuration. Folded: the weights of the three
//! norms into the heads that read them.

use musetalk_core::Result;

use crate::checkpoint::{Checkpoint, Part};
use crate::graph::{Graph, Value, layers};
use crate::onnx::Element;
use crate::tensor::Tensor;

/// Convolutions before each pooling.
const STAGES: [usize; 5] = [2, 2, 3, 3, 3];

/// The layers after the last pooling: name, size of the kernel, stride, zeros around the picture, and whether faces are looked for there.
const TAIL: [(&str, usize, usize, usize, bool); 6] = [
    ("fc6", 3, 1, 3, false),
    ("fc7", 1, 1, 0, true),
    ("conv6_1", 1, 1, 0, false),
    ("conv6_2", 3, 2, 1, true),
    ("conv7_1", 1, 1, 0, false),
    ("conv7_2", 3, 2, 1, true),
];

/// What is added to the length of a pixel before it divides.
const EPSILON: f32 = 1e-10;

/// Height and width of the frame of the self-test.
const NOMINAL: usize = 256;

/// The widths that shape the graph.
#[derive(Clone, Debug)]
pub(crate) struct S3fd {
    stages: [usize; STAGES.len()],
    tail: [usize; TAIL.len()],
}

impl S3fd {
    /// Reads the widths off the tensors.
    pub(crate) fn derived(checkpoint: &Checkpoint<'_>) -> Result<Self> {
        let (mut stages, mut tail) = ([0; STAGES.len()], [0; TAIL.len()]);
        for (index, width) in stages.iter_mut().enumerate() {
            *width = checkpoint.leaving(&format!("conv{}_1.weight", index + 1))?;
        }
        for ((name, ..), width) in TAIL.iter().zip(&mut tail) {
            *width = checkpoint.leaving(&format!("{name}.weight"))?;
        }
        Ok(Self { stages, tail })
    }

    /// Builds the graph.
    pub(crate) fn build(&self, checkpoint: &Checkpoint<'_>, graph: &mut Graph) -> Result<()> {
        let root = checkpoint.root();
        let mut x = graph.input_free("image", &[3, NOMINAL, NOMINAL], &["height", "width"]);
        graph.enter("");
        let mut level = 0;
        for (index, (&convs, &width)) in STAGES.iter().zip(&self.stages).enumerate() {
            let stage = index + 1;
            for n in 1..=convs {
                x = conv(&root, graph, &format!("conv{stage}_{n}"), &x, width, [3, 1, 1])?;
                x = graph.relu(&x);
            }
            if stage >= 3 {
                let name = format!("conv{stage}_3_norm");
                let pixels = graph.unit_pixels(&x, EPSILON)?;
                heads(&root, graph, level, &name, &pixels, Some(&root.weight(&name, &[width])?))?;
                level += 1;
            }
            x = graph.max_pool(&x, 2, 2, 0);
        }
        for (&(name, size, stride, pad, found), &width) in TAIL.iter().zip(&self.tail) {
            x = conv(&root, graph, name, &x, width, [size, stride, pad])?;
            x = graph.relu(&x);
            if found {
                heads(&root, graph, level, name, &x, None)?;
                level += 1;
            }
        }
        Ok(())
    }
}

/// Scores and boxes at one level; `norm` are weights of the channels that enter.
fn heads(
    root: &Part<'_>,
    graph: &mut Graph,
    level: usize,
    name: &str,
    x: &Value,
    norm: Option<&Tensor>,
) -> Result<()> {
    let scores = if level == 0 { 4 } else { 2 };
    let sides = [format!("h_{level}"), format!("w_{level}")];
    for (output, kind, channels) in [("scores", "conf", scores), ("boxes", "loc", 4)] {
        let name = format!("{name}_mbox_{kind}");
        let mut weight = root.weight(&name, &[channels, x.shape[0], 3, 3])?;
        if let Some(norm) = norm {
            let kernels = weight.values.chunks_exact_mut(9).zip(norm.values.iter().cycle());
            kernels.for_each(|(kernel, scale)| kernel.iter_mut().for_each(|w| *w *= scale));
        }
        let found = layers::conv(graph, &name, x, &weight, &root.bias(&name, channels)?, 1, [1; 4])?;
        let sides = sides.each_ref().map(String::as_str);
        graph.output_free(&format!("{output}_{level}"), &found, Element::F32, &sides);
    }
    Ok(())
}

/// A convolution of the checkpoint: size of the kernel, stride, zeros around the picture.
fn conv(
    root: &Part<'_>,
    graph: &mut Graph,
    name: &str,
    x: &Value,
    out: usize,
    [size, stride, pad]: [usize; 3],
) -> Result<Value> {
    let weight = root.weight(name, &[out, x.shape[0], size, size])?;
    layers::conv(graph, name, x, &weight, &root.bias(name, out)?, stride, [pad; 4])
}
