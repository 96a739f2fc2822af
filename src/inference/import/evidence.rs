//! What a network's first and last operators say about the values it reads and writes.

use std::collections::HashMap;

use super::onnx::{Node, Onnx};

/// How many operators are followed from an input or output.
const STEPS: usize = 24;

/// The values a network can write, and which operator says so.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tail {
    pub(super) range: [f32; 2],
    pub(super) operator: String,
}

/// What a network does to its picture first: each channel times `scale` plus `shift`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) scale: [f32; 3],
    pub(super) shift: [f32; 3],
}

/// Operators that move values without changing them.
fn only_moves(kind: &str) -> bool {
    matches!(
        kind,
        "Identity"
            | "Transpose"
            | "Reshape"
            | "Squeeze"
            | "Unsqueeze"
            | "Cast"
            | "Slice"
            | "QuantizeLinear"
            | "DequantizeLinear"
            | "Flatten"
            | "Pad"
    )
}

/// Follows the network back from `output`.
pub(super) fn tail(onnx: &Onnx, output: &str) -> Option<Tail> {
    let makers: HashMap<&str, &Node> = onnx
        .nodes
        .iter()
        .flat_map(|node| node.outputs.iter().map(move |name| (name.as_str(), node)))
        .collect();
    let constant = |name: &String| onnx.constants.get(name).filter(|values| is_even(values));
    let (mut scale, mut shift) = (1.0, 0.0);
    let mut name = output.to_owned();
    for _ in 0..STEPS {
        let node = *makers.get(name.as_str())?;
        let ends = |range: [f32; 2]| {
            let ends = range.map(|end| end * scale + shift);
            Some(Tail {
                range: [ends[0].min(ends[1]), ends[0].max(ends[1])],
                operator: node.kind.clone(),
            })
        };
        let first = node.inputs.first()?;
        match node.kind.as_str() {
            "Tanh" | "Softsign" | "Sin" => return ends([-1.0, 1.0]),
            "Sigmoid" | "HardSigmoid" | "Softmax" => return ends([0.0, 1.0]),
            "Clip" => {
                let limit = |at: usize| {
                    node.limits[at].or_else(|| Some(constant(node.inputs.get(at + 1)?)?[0]))
                };
                return ends([limit(0)?, limit(1)?]).filter(|tail| tail.range[1] > tail.range[0]);
            }
            "Min" | "Max" => name.clone_from(first),
            "Add" | "Mul" | "Sub" | "Div" => {
                let second = node.inputs.get(1)?;
                let (value, other) = match (constant(second), constant(first)) {
                    (Some(values), _) => (values[0], first),
                    (None, Some(values)) if matches!(node.kind.as_str(), "Add" | "Mul") => {
                        (values[0], second)
                    }
                    _ => return None,
                };
                match node.kind.as_str() {
                    "Add" => shift += scale * value,
                    "Sub" => shift -= scale * value,
                    "Mul" => scale *= value,
                    _ => scale /= value,
                }
                name.clone_from(other);
            }
            kind if only_moves(kind) => name.clone_from(first),
            _ => return None,
        }
    }
    None
}

/// Follows the network from `input`, as long as it is one path of sums and products.
pub(super) fn head(onnx: &Onnx, input: &str) -> Option<Head> {
    let constant = |name: &String| onnx.constants.get(name).and_then(|values| three(values));
    let mut head = Head {
        scale: [1.0; 3],
        shift: [0.0; 3],
    };
    let mut found = false;
    let mut name = input.to_owned();
    for _ in 0..STEPS {
        let mut users = onnx.nodes.iter().filter(|node| node.inputs.contains(&name));
        let (Some(node), None) = (users.next(), users.next()) else {
            break;
        };
        let Some(output) = node.outputs.first() else {
            break;
        };
        if only_moves(&node.kind) && node.kind != "Pad" {
            name.clone_from(output);
            continue;
        }
        let picture_first = node.inputs.first() == Some(&name);
        let other = node.inputs.get(usize::from(picture_first));
        let Some(values) = other.and_then(constant) else {
            break;
        };
        for (at, value) in values.into_iter().enumerate() {
            match (node.kind.as_str(), picture_first) {
                ("Add", _) => head.shift[at] += value,
                ("Sub", true) => head.shift[at] -= value,
                ("Sub", false) => {
                    head.scale[at] = -head.scale[at];
                    head.shift[at] = value - head.shift[at];
                }
                ("Mul", _) => {
                    head.scale[at] *= value;
                    head.shift[at] *= value;
                }
                ("Div", true) => {
                    head.scale[at] /= value;
                    head.shift[at] /= value;
                }
                _ => return found.then_some(head),
            }
        }
        found = true;
        name.clone_from(output);
    }
    let sound = |values: [f32; 3]| values.iter().all(|value| value.is_finite());
    (found && sound(head.scale) && sound(head.shift)).then_some(head)
}

/// Whether all values are the same.
fn is_even(values: &[f32]) -> bool {
    !values.is_empty() && values.iter().all(|value| (value - values[0]).abs() < 1e-6)
}

/// One value for each channel.
fn three(values: &[f32]) -> Option<[f32; 3]> {
    match *values {
        [value] => Some([value; 3]),
        [a, b, c] => Some([a, b, c]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(nodes: &[(&str, &[&str], &str)], constants: &[(&str, &[f32])]) -> Onnx {
        Onnx {
            nodes: nodes
                .iter()
                .map(|(kind, inputs, output)| Node {
                    kind: (*kind).to_owned(),
                    inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
                    outputs: vec![(*output).to_owned()],
                    limits: [None; 2],
                })
                .collect(),
            constants: constants
                .iter()
                .map(|(name, values)| ((*name).to_owned(), values.to_vec()))
                .collect(),
            ..Onnx::default()
        }
    }

    #[test]
    fn the_end_of_a_network_tells_its_range() {
        // Johnson's: tanh * 150 + 127.5.
        let onnx = network(
            &[
                ("Tanh", &["a"], "b"),
                ("Mul", &["b", "150"], "c"),
                ("Add", &["127.5", "c"], "d"),
                ("Transpose", &["d"], "out"),
            ],
            &[("150", &[150.0]), ("127.5", &[127.5])],
        );
        let tail = tail(&onnx, "out").unwrap();
        assert_eq!(tail.range, [-22.5, 277.5]);
        assert_eq!(tail.operator, "Tanh");
        assert_eq!(super::tail(&onnx, "a"), None);
        let clip = network(
            &[("Clip", &["a", "0", "1"], "out")],
            &[("0", &[0.0]), ("1", &[1.0])],
        );
        assert_eq!(super::tail(&clip, "out").unwrap().range, [0.0, 1.0]);
        let endless = network(&[("Identity", &["out"], "out")], &[]);
        assert_eq!(super::tail(&endless, "out"), None);
    }

    #[test]
    fn the_start_of_a_network_tells_what_it_makes_of_its_picture() {
        let onnx = network(
            &[
                ("Cast", &["in"], "a"),
                ("Sub", &["a", "mean"], "b"),
                ("Div", &["b", "2"], "c"),
                ("Conv", &["c", "w"], "d"),
            ],
            &[("mean", &[104.0, 117.0, 124.0]), ("2", &[2.0])],
        );
        let head = head(&onnx, "in").unwrap();
        assert_eq!(head.shift, [-52.0, -58.5, -62.0]);
        assert_eq!(head.scale, [0.5; 3]);
        assert_eq!(super::head(&onnx, "d"), None);
    }
}
