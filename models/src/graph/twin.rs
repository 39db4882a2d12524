//! The second graph of a network of halves, for devices that compute in single precision.

use crate::onnx::{Attribute, Element, GraphMessage, Node};

/// The graph in single precision over the same weights: halves are widened where they enter, and casts between the two
/// have nothing to do.
pub(super) fn twin(graph: &GraphMessage) -> GraphMessage {
    let half = Element::F16 as i32;
    let mut twin = graph.clone();
    let mut widening = Vec::new();
    for weight in twin.initializer.iter_mut().filter(|weight| weight.data_type == half) {
        let stored = format!("{}:half", weight.name);
        let name = std::mem::replace(&mut weight.name, stored.clone());
        widening.push(Node {
            input: vec![stored],
            output: vec![name.clone()],
            name: format!("{name}/widened"),
            op_type: "Cast".into(),
            attribute: vec![Attribute::int("to", Element::F32 as i64)],
        });
    }
    for node in twin.node.iter_mut().filter(|node| node.op_type == "Cast") {
        if [Element::F16, Element::F32].iter().any(|&element| node.attribute[0].i == Some(element as i64)) {
            *node = Node { op_type: "Identity".into(), attribute: vec![], ..std::mem::take(node) };
        }
    }
    widening.append(&mut twin.node);
    GraphMessage { node: widening, ..twin }
}
