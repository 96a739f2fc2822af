//! Reads an ONNX file as far as needed to describe it: its inputs and outputs, the kinds of its
//! operators, small constants, and where its weights are. A file is hostile: every length is
//! compared with what is there, nesting and counts are limited, and what is not understood is
//! skipped. The format is protobuf: <https://protobuf.dev/programming-guides/encoding/>,
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.

use std::collections::{BTreeMap, BTreeSet};

/// How deep graphs may lie in graphs (`If`, `Loop`, functions).
const DEPTH_LIMIT: usize = 16;
/// The most operators, inputs or constants that are looked at.
const COUNT_LIMIT: usize = 200_000;
/// Constants with more values are not read.
const VALUES_LIMIT: usize = 64;

/// What an ONNX file says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Onnx {
    /// The program that wrote it.
    pub(super) producer: String,
    /// Versions of the operator sets, by domain; the standard's domain is empty.
    pub(super) opsets: BTreeMap<String, i64>,
    /// Keys and values that its makers added.
    pub(super) notes: Vec<(String, String)>,
    /// What has to be fed: inputs without a constant of their name.
    pub(super) inputs: Vec<Port>,
    /// What it computes.
    pub(super) outputs: Vec<Port>,
    /// Operators of the outermost graph, in order.
    pub(super) nodes: Vec<Node>,
    /// How often each kind of operator occurs, in all graphs.
    pub(super) kinds: BTreeMap<String, usize>,
    /// Small constants by name.
    pub(super) constants: BTreeMap<String, Vec<f32>>,
    /// Those of them that are bytes with a sign.
    pub(super) signed: BTreeSet<String>,
    /// Files with weights beside it, as it names them.
    pub(super) external: Vec<String>,
    /// Bytes of weights within it.
    pub(super) weights: usize,
}

/// An input or output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Port {
    pub(super) name: String,
    /// As numbered by ONNX: 1 float32, 2 uint8, 10 float16, 6 int32, 7 int64 …; 0 when it is not
    /// a tensor.
    pub(super) element: i64,
    /// Absent when nothing is said about it.
    pub(super) shape: Option<Vec<Side>>,
}

/// One side of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Always this long.
    Fixed(i64),
    /// Any length; what it is called.
    Free(String),
}

/// An operator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    pub(super) kind: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    /// `min` and `max` of a `Clip` of old operator sets.
    pub(super) limits: [Option<f32>; 2],
}

/// Why a file is no ONNX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotOnnx;

impl Onnx {
    /// Reads the bytes of a file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, NotOnnx> {
        let mut onnx = Self::default();
        let mut graphs = 0;
        for field in Fields(bytes) {
            match field? {
                (2, Value::Bytes(text)) => onnx.producer = string(text),
                (7, Value::Bytes(graph)) => {
                    graphs += 1;
                    onnx.graph(graph, 0)?;
                }
                (8, Value::Bytes(opset)) => {
                    let (mut domain, mut version) = (String::new(), 0);
                    for field in Fields(opset) {
                        match field? {
                            (1, Value::Bytes(text)) => domain = string(text),
                            (2, Value::Number(number)) => version = number as i64,
                            _ => {}
                        }
                    }
                    onnx.opsets.insert(domain, version);
                }
                (14, Value::Bytes(entry)) if onnx.notes.len() < 64 => {
                    onnx.notes.push(pair(entry)?);
                }
                (25, Value::Bytes(function)) => onnx.function(function)?,
                _ => {}
            }
        }
        if graphs != 1 || onnx.outputs.is_empty() {
            return Err(NotOnnx);
        }
        let constants = std::mem::take(&mut onnx.constants);
        // Old writers list constants among the inputs.
        onnx.inputs
            .retain(|input| !constants.contains_key(&input.name));
        onnx.constants = constants
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .collect();
        Ok(onnx)
    }

    fn graph(&mut self, bytes: &[u8], depth: usize) -> Result<(), NotOnnx> {
        if depth > DEPTH_LIMIT {
            return Err(NotOnnx);
        }
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(node)) => {
                    let node = self.node(node, depth)?;
                    if depth == 0 {
                        if self.nodes.len() >= COUNT_LIMIT {
                            return Err(NotOnnx);
                        }
                        self.nodes.push(node);
                    }
                }
                (5, Value::Bytes(tensor)) => {
                    let (name, values) = self.tensor(tensor)?;
                    if depth == 0 {
                        if self.constants.len() >= COUNT_LIMIT {
                            return Err(NotOnnx);
                        }
                        self.constants.insert(name, values.unwrap_or_default());
                    }
                }
                (11, Value::Bytes(port)) if depth == 0 => {
                    if self.inputs.len() >= COUNT_LIMIT {
                        return Err(NotOnnx);
                    }
                    self.inputs.push(Port::parse(port)?);
                }
                (12, Value::Bytes(port)) if depth == 0 => {
                    if self.outputs.len() >= COUNT_LIMIT {
                        return Err(NotOnnx);
                    }
                    self.outputs.push(Port::parse(port)?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn function(&mut self, bytes: &[u8]) -> Result<(), NotOnnx> {
        for field in Fields(bytes) {
            if let (7, Value::Bytes(node)) = field? {
                self.node(node, 1)?;
            }
        }
        Ok(())
    }

    fn node(&mut self, bytes: &[u8], depth: usize) -> Result<Node, NotOnnx> {
        let mut node = Node::default();
        let mut domain = String::new();
        let mut constant = None;
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(name)) => node.inputs.push(string(name)),
                (2, Value::Bytes(name)) => node.outputs.push(string(name)),
                (4, Value::Bytes(kind)) => node.kind = string(kind),
                (7, Value::Bytes(text)) => domain = string(text),
                (5, Value::Bytes(attribute)) => {
                    let mut name = String::new();
                    let mut number = None;
                    for field in Fields(attribute) {
                        match field? {
                            (1, Value::Bytes(text)) => name = string(text),
                            (2, Value::Float(value)) => number = Some(value),
                            (5, Value::Bytes(tensor)) => constant = self.tensor(tensor)?.1,
                            (6 | 11, Value::Bytes(graph)) => self.graph(graph, depth + 1)?,
                            _ => {}
                        }
                    }
                    match name.as_str() {
                        "min" => node.limits[0] = number,
                        "max" => node.limits[1] = number,
                        "value_float" => constant = number.map(|number| vec![number]),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        if !matches!(domain.as_str(), "" | "ai.onnx") {
            node.kind = format!("{domain}:{}", node.kind);
        }
        if self.kinds.len() < COUNT_LIMIT {
            *self.kinds.entry(node.kind.clone()).or_default() += 1;
        }
        if let (0, "Constant", Some(values), Some(name)) =
            (depth, node.kind.as_str(), constant, node.outputs.first())
        {
            self.constants.insert(name.clone(), values);
        }
        Ok(node)
    }

    /// A constant's name, and its values when there are few.
    fn tensor(&mut self, bytes: &[u8]) -> Result<(String, Option<Vec<f32>>), NotOnnx> {
        let mut name = String::new();
        let (mut element, mut raw, mut typed) = (0, None, Vec::new());
        let (mut location, mut whole) = (None, Vec::new());
        for field in Fields(bytes) {
            match field? {
                (2, Value::Number(number)) => element = number,
                (4, Value::Bytes(packed)) => {
                    self.weights = self.weights.saturating_add(packed.len());
                    if packed.len() <= VALUES_LIMIT * 4 {
                        typed.extend(
                            packed
                                .as_chunks::<4>()
                                .0
                                .iter()
                                .map(|c| f32::from_le_bytes(*c)),
                        );
                    }
                }
                (4, Value::Float(value)) if typed.len() < VALUES_LIMIT => typed.push(value),
                (5, Value::Bytes(packed)) => {
                    self.weights = self.weights.saturating_add(packed.len());
                    let mut rest = Fields(packed);
                    while whole.len() < VALUES_LIMIT
                        && let Some(number) = rest.varint()
                    {
                        whole.push(number as i32 as f32);
                    }
                    if !rest.0.is_empty() {
                        whole.clear();
                    }
                }
                (5, Value::Number(number)) if whole.len() < VALUES_LIMIT => {
                    whole.push(number as i32 as f32);
                }
                (8, Value::Bytes(text)) => name = string(text),
                (9, Value::Bytes(data)) => {
                    self.weights = self.weights.saturating_add(data.len());
                    raw = Some(data);
                }
                (13, Value::Bytes(entry)) => {
                    let (key, value) = pair(entry)?;
                    if key == "location" {
                        location = Some(value);
                    }
                }
                _ => {}
            }
        }
        if let Some(location) = location
            && !self.external.contains(&location)
        {
            if self.external.len() >= 1024 {
                return Err(NotOnnx);
            }
            self.external.push(location);
        }
        let values = match (element, raw) {
            (1, Some(raw)) if raw.len() <= VALUES_LIMIT * 4 => Some(
                raw.as_chunks::<4>()
                    .0
                    .iter()
                    .map(|c| f32::from_le_bytes(*c))
                    .collect(),
            ),
            (10, Some(raw)) if raw.len() <= VALUES_LIMIT * 2 => Some(
                raw.as_chunks::<2>()
                    .0
                    .iter()
                    .map(|c| half::f16::from_le_bytes(*c).to_f32())
                    .collect(),
            ),
            (2, Some(raw)) if raw.len() <= VALUES_LIMIT => {
                Some(raw.iter().map(|byte| f32::from(*byte)).collect())
            }
            (3, Some(raw)) if raw.len() <= VALUES_LIMIT => {
                Some(raw.iter().map(|byte| f32::from(*byte as i8)).collect())
            }
            (1, None) if !typed.is_empty() => Some(typed),
            (2 | 3, None) if !whole.is_empty() => Some(whole),
            _ => None,
        };
        if element == 3 && values.is_some() && self.signed.len() < COUNT_LIMIT {
            self.signed.insert(name.clone());
        }
        Ok((name, values))
    }
}

impl Port {
    fn parse(bytes: &[u8]) -> Result<Self, NotOnnx> {
        let mut port = Self::default();
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(name)) => port.name = string(name),
                (2, Value::Bytes(kind)) => {
                    for field in Fields(kind) {
                        if let (1, Value::Bytes(tensor)) = field? {
                            port.tensor(tensor)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(port)
    }

    fn tensor(&mut self, bytes: &[u8]) -> Result<(), NotOnnx> {
        for field in Fields(bytes) {
            match field? {
                (1, Value::Number(number)) => self.element = number as i64,
                (2, Value::Bytes(sides)) => {
                    let mut shape = Vec::new();
                    for field in Fields(sides) {
                        let (1, Value::Bytes(side)) = field? else {
                            continue;
                        };
                        let mut found = Side::Free(String::new());
                        for field in Fields(side) {
                            match field? {
                                (1, Value::Number(length)) => found = Side::Fixed(length as i64),
                                (2, Value::Bytes(name)) => found = Side::Free(string(name)),
                                _ => {}
                            }
                        }
                        if shape.len() >= 16 {
                            return Err(NotOnnx);
                        }
                        // Some writers mean a free side with 0 or -1.
                        shape.push(match found {
                            Side::Fixed(length) if length <= 0 => Side::Free(String::new()),
                            found => found,
                        });
                    }
                    self.shape = Some(shape);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A key and its value.
fn pair(bytes: &[u8]) -> Result<(String, String), NotOnnx> {
    let mut pair = (String::new(), String::new());
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(text)) => pair.0 = string(text),
            (2, Value::Bytes(text)) => pair.1 = string(text),
            _ => {}
        }
    }
    Ok(pair)
}

/// The first of a text; names are not longer.
fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).into_owned()
}

/// A field's value.
enum Value<'a> {
    Number(u64),
    Float(f32),
    Bytes(&'a [u8]),
}

/// The fields of a message, each with its number.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), NotOnnx>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(NotOnnx))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => {
                self.take(8)?;
                // No field that is read has 64 bits.
                Value::Number(0)
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Float(f32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for at in 0..10 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(name: &str) -> Vec<u8> {
        let path = format!(
            "{}/tests/models/{name}/{name}.onnx",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_network_is_read() {
        let onnx = Onnx::parse(&file("colours")).unwrap();
        let names = |ports: &[Port]| -> Vec<String> {
            ports.iter().map(|port| port.name.clone()).collect()
        };
        assert_eq!(names(&onnx.inputs), ["image", "style"]);
        assert_eq!(names(&onnx.outputs), ["picture", "matte"]);
        assert_eq!(
            onnx.inputs[0].shape.as_deref(),
            Some(
                &[
                    Side::Fixed(1),
                    Side::Fixed(3),
                    Side::Free("height".into()),
                    Side::Free("width".into())
                ][..]
            )
        );
        assert_eq!((onnx.inputs[0].element, onnx.opsets[""]), (1, 17));
        assert_eq!(onnx.kinds["Resize"], 1);
        assert_eq!(onnx.constants["scales"], [1.0, 1.0, 16.0, 16.0]);
        assert!(onnx.external.is_empty());
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bytes in [
            &b""[..],
            b"\0",
            b"\x3a\x00",
            b"PK\x03\x04 a zip",
            &[0xff; 64],
        ] {
            assert_eq!(Onnx::parse(bytes), Err(NotOnnx), "{bytes:?}");
        }
        let whole = file("colours");
        for cut in 0..whole.len() {
            let _ = Onnx::parse(&whole[..cut]);
        }
    }

    #[test]
    fn graphs_without_end_are_refused() {
        // A graph whose operator has a graph as attribute, again and again.
        let wrap = |field: u8, inner: Vec<u8>| {
            let mut bytes = vec![field << 3 | 2];
            let mut length = inner.len();
            while length > 127 {
                bytes.push(length as u8 | 0x80);
                length >>= 7;
            }
            bytes.push(length as u8);
            bytes.extend(inner);
            bytes
        };
        let mut graph = Vec::new();
        for _ in 0..1_000 {
            graph = wrap(1, wrap(5, wrap(6, graph)));
        }
        assert_eq!(Onnx::parse(&wrap(7, graph)), Err(NotOnnx));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let _ = Onnx::parse(&bytes);
        }

        #[test]
        fn any_change_is_read_or_refused(
            name in prop_oneof!["colours", "pixels", "noise"],
            changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = file(&name);
            for (at, byte) in changes {
                let length = bytes.len();
                bytes[at % length] = byte;
            }
            let _ = Onnx::parse(&bytes);
        }
    }
}
