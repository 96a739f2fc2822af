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
    let constant = |name: &String| constant(onnx, name).filter(|values| is_even(values));
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
    let constant = |name: &String| constant(onnx, name).and_then(|values| three(&values));
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

/// Between which values the picture at `input` lies: what the operator says that turns it into 8 bits.
pub(super) fn fed(onnx: &Onnx, input: &str) -> Option<[f32; 2]> {
    let mut name = input;
    for _ in 0..STEPS {
        let mut users =
            (onnx.nodes.iter()).filter(|node| node.inputs.iter().any(|from| from == name));
        let node = users.next()?;
        if node.kind != "QuantizeLinear" {
            if !only_moves(&node.kind) || users.next().is_some() {
                return None;
            }
            name = node.outputs.first()?;
            continue;
        }
        let one = |at: usize| {
            onnx.constants
                .get(node.inputs.get(at)?)
                .map(|values| values.first())
        };
        let scale = *one(1)??;
        let zero = one(2).flatten().copied().unwrap_or_default();
        let signed = (node.inputs.get(2)).is_some_and(|name| onnx.signed.contains(name));
        let [least, most] = if signed {
            [-128.0, 127.0]
        } else {
            [0.0, 255.0]
        };
        let range = [least, most].map(|byte: f32| (byte - zero) * scale);
        return (range.iter().all(|end| end.is_finite()) && range[1] > range[0]).then_some(range);
    }
    None
}

/// The values of a constant, which may be kept in 8 bits.
fn constant(onnx: &Onnx, name: &str) -> Option<Vec<f32>> {
    if let Some(values) = onnx.constants.get(name) {
        return Some(values.clone());
    }
    let made = |node: &&Node| node.outputs.iter().any(|output| output == name);
    let node = onnx.nodes.iter().find(made)?;
    if node.kind != "DequantizeLinear" {
        return None;
    }
    let values = |at: usize| onnx.constants.get(node.inputs.get(at)?);
    let (bytes, scale) = (values(0)?, values(1)?);
    // A scale for each of them, or one for all.
    let of = |all: &Vec<f32>, at: usize| all.get(at).or(all.first()).copied();
    let value = |(at, byte): (usize, &f32)| {
        let zero = values(2)
            .and_then(|zeros| of(zeros, at))
            .unwrap_or_default();
        Some((byte - zero) * of(scale, at)?)
    };
    bytes.iter().enumerate().map(value).collect()
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

    /// As tools for 8 bits write it: constants are kept in bytes, and so is all between operators.
    #[test]
    fn eight_bits_hide_neither_end() {
        let mut onnx = network(
            &[
                ("QuantizeLinear", &["in", "1", "u0"], "a"),
                ("DequantizeLinear", &["a", "1", "u0"], "b"),
                ("Tanh", &["b"], "c"),
                ("DequantizeLinear", &["255", "scale", "u0"], "150"),
                ("Mul", &["c", "150"], "d"),
                ("QuantizeLinear", &["d", "1", "u0"], "e"),
                ("DequantizeLinear", &["e", "1", "u0"], "f"),
                ("Add", &["f", "127"], "out"),
            ],
            &[
                ("1", &[1.0]),
                ("u0", &[0.0]),
                ("255", &[255.0]),
                ("scale", &[150.0 / 255.0]),
                ("127", &[127.0]),
            ],
        );
        let tail = tail(&onnx, "out").unwrap();
        assert!((tail.range[0] + 23.0).abs() < 0.01 && (tail.range[1] - 277.0).abs() < 0.01);
        assert_eq!(fed(&onnx, "in"), Some([0.0, 255.0]));
        onnx.signed.insert("u0".to_owned());
        assert_eq!(fed(&onnx, "in"), Some([-128.0, 127.0]));
        assert_eq!(fed(&onnx, "c"), None);
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
