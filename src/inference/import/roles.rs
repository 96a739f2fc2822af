//! Which input takes the picture, what the others are for, and which output is the drawing: from
//! names, types and shapes.

use super::super::tensor::Layout;
use super::super::values::Element;
use super::Refusal;
use super::network::{Extra, ExtraInput, ImageInput, Output, sides};
use super::onnx::{Onnx, Port, Side};
use crate::frame::Size;

/// The most values of an input that holds numbers.
const NUMBERS_LIMIT: i64 = 4096;
/// The most styles of a network.
const STYLES_LIMIT: i64 = 256;

/// What was given with a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    Nothing,
    /// A network that turns a picture in the style into numbers for it.
    Features,
}

impl Beside {
    /// Whether a network of features is there.
    pub(super) fn of(features: bool) -> Self {
        if features {
            Self::Features
        } else {
            Self::Nothing
        }
    }
}

/// What the inputs are for.
pub(super) struct Roles {
    pub(super) image: ImageInput,
    pub(super) extras: Vec<ExtraInput>,
    /// Why, line by line.
    pub(super) reasons: Vec<String>,
    /// Whether nothing tells the layout, so that the other one has to be tried too.
    pub(super) layout_unknown: bool,
}

/// Finds out, or says why this is no network for pictures.
pub(super) fn find(onnx: &Onnx, beside: Beside) -> Result<Roles, Refusal> {
    let mut reasons = Vec::new();
    let pictures: Vec<(&Port, Looks)> = onnx
        .inputs
        .iter()
        .filter_map(|port| Some((port, looks(port)?)))
        .collect();
    let Some((image, found)) = choose_image(&pictures) else {
        if let Some(refusal) = onnx.inputs.iter().find_map(nearly) {
            return Err(refusal);
        }
        let list: Vec<String> = onnx.inputs.iter().map(describe).collect();
        return Err(Refusal::new(
            format!("none of its inputs takes a picture: {}", list.join(", ")),
            "Take a network that turns a picture into a picture",
        ));
    };
    let element = element(image)?;
    reasons.push(format!(
        "image: the input \"{}\", {}, because {}",
        image.name,
        found.words(),
        if pictures.len() == 1 {
            "it is the only one that takes a picture"
        } else {
            "of those that take pictures its name or place says so"
        }
    ));
    let mut extras = Vec::new();
    for port in onnx.inputs.iter().filter(|port| port.name != image.name) {
        let (extra, reason) = extra(port, looks(port).is_some(), beside)?;
        reasons.push(reason);
        extras.push(extra);
    }
    let needs = |kind| extras.iter().any(|extra| extra.kind == kind);
    if beside == Beside::Features && !needs(Extra::Features) {
        return Err(Refusal::new(
            "it takes no numbers that another network computes".to_owned(),
            "Add it without --features",
        ));
    }
    let chosen = extras.iter().filter(|extra| extra.kind != Extra::Constant);
    if chosen.count() > 1 {
        return Err(Refusal::new(
            "it has more than one input that chooses a style".to_owned(),
            "Export it with one",
        ));
    }
    Ok(Roles {
        layout_unknown: found.layout_unknown,
        image: ImageInput {
            name: image.name.clone(),
            element,
            layout: found.layout,
            rank: found.rank,
            channels: found.channels,
            size: found.size,
        },
        extras,
        reasons,
    })
}

/// What an input that takes pictures looks like.
#[derive(Clone, Copy)]
struct Looks {
    layout: Layout,
    layout_unknown: bool,
    rank: usize,
    channels: usize,
    size: Option<Size>,
}

impl Looks {
    fn words(&self) -> String {
        let layout = match self.layout {
            Layout::Planes => "a plane a channel (nchw)",
            Layout::Pixels => "channels last (nhwc)",
        };
        match self.size {
            Some(size) => format!("{layout}, {size} alone"),
            None => format!("{layout}, any size"),
        }
    }
}

fn looks(port: &Port) -> Option<Looks> {
    if !matches!(port.element, 1 | 2 | 10) {
        return None;
    }
    let Some(shape) = &port.shape else {
        return Some(Looks {
            layout: Layout::Planes,
            layout_unknown: true,
            rank: 4,
            channels: 3,
            size: None,
        });
    };
    let all = sides(shape);
    let inner = match (all.len(), all.first()) {
        (4, Some(None | Some(1))) => &all[1..],
        (3, _) => &all[..],
        _ => return None,
    };
    let colours = |side: Option<i64>| matches!(side, Some(1 | 3));
    let (layout, channels, height, width, layout_unknown) = match *inner {
        [c, h, w] if colours(c) && !colours(w) => (Layout::Planes, c, h, w, false),
        [h, w, c] if colours(c) && !colours(h) => (Layout::Pixels, c, h, w, false),
        // Three of everything, or nothing said.
        [Some(3), h, w @ Some(3)] => (Layout::Planes, Some(3), h, w, true),
        [None, h, w] if all.len() == 4 => (Layout::Planes, Some(3), h, w, true),
        _ => return None,
    };
    let side = |side: i64| {
        u32::try_from(side)
            .ok()
            .filter(|side| (8..=Size::MAX_SIDE).contains(side))
    };
    let size = match (width, height) {
        (None, None) => None,
        // One side is free: the other decides.
        (Some(fixed), None) | (None, Some(fixed)) => {
            let fixed = side(fixed)?;
            Some(Size::new(fixed, fixed))
        }
        (Some(width), Some(height)) => Some(Size::new(side(width)?, side(height)?)),
    };
    Some(Looks {
        layout,
        layout_unknown,
        rank: all.len(),
        channels: channels.unwrap_or(3) as usize,
        size,
    })
}

/// Why an input that would take a picture but for its batch or its type is refused.
fn nearly(port: &Port) -> Option<Refusal> {
    let mut usual = port.clone();
    let batch = match (&mut usual.shape, &port.shape) {
        (Some(shape), Some(sides)) if sides.len() == 4 => match &sides[0] {
            Side::Fixed(batch) if *batch > 1 => {
                shape[0] = Side::Fixed(1);
                Some(*batch)
            }
            _ => None,
        },
        _ => None,
    };
    let fed = matches!(port.element, 1 | 2 | 10);
    if !fed && port.shape.is_none() {
        return None;
    }
    usual.element = 1;
    looks(&usual)?;
    let what = describe(port);
    Some(match batch {
        Some(batch) => Refusal::new(
            format!(
                "its input {what} takes {batch} pictures at once (a batch of {batch}), and panelcam feeds one"
            ),
            "Export it with a batch of 1",
        ),
        None if fed => return None,
        None => Refusal::new(
            format!("its input {what} takes a picture, but of a type that panelcam does not feed"),
            "Export it with float32, float16 or uint8",
        ),
    })
}

/// The one that is called after a picture and not after a style, else the first.
fn choose_image<'a>(pictures: &[(&'a Port, Looks)]) -> Option<(&'a Port, Looks)> {
    let says = |port: &Port, words: &[&str]| {
        let name = port.name.to_lowercase();
        words.iter().any(|word| name.contains(word))
    };
    pictures
        .iter()
        .find(|(port, _)| says(port, &["content", "photo", "source"]) && !says(port, &["style"]))
        .or_else(|| {
            pictures.iter().find(|(port, _)| {
                !says(port, &["style", "reference", "exemplar"]) && !is_earlier(&port.name)
            })
        })
        .or_else(|| pictures.first())
        .copied()
}

/// Whether an input is called after a picture of the past: the frame or the drawing before.
fn is_earlier(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    let beginnings = [
        "prev", "last", "before", "histor", "hidden", "state", "recurr", "warp",
    ];
    words.any(|word| {
        beginnings
            .iter()
            .any(|beginning| word.starts_with(beginning))
    })
}

/// Why a network with a second picture of the size of the first at input `name` is refused.
pub(super) fn twin(name: &str) -> Refusal {
    Refusal::new(
        format!(
            "its input \"{name}\" takes a second picture, of the same size as the first: not one in a style, and panelcam knows no other"
        ),
        "Export it with one picture",
    )
}

fn extra(
    port: &Port,
    takes_pictures: bool,
    beside: Beside,
) -> Result<(ExtraInput, String), Refusal> {
    let name = port.name.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let shape = port.shape.as_deref().map(sides).unwrap_or_default();
    let unknown = |what: &str| {
        Refusal::new(
            format!("it needs the input {}, {what}", describe(port)),
            "Export it with that input as a constant, or describe it by hand in a model.toml",
        )
    };
    let Ok(element) = element(port) else {
        return Err(unknown("of a type that panelcam does not feed"));
    };
    let known: i64 = shape.iter().flatten().product();
    let free = shape.iter().filter(|side| side.is_none()).count();
    let make = |kind, values| ExtraInput {
        name: port.name.clone(),
        element,
        kind,
        shape: shape.clone(),
        values,
        weakest: None,
    };
    if takes_pictures && is_earlier(&port.name) {
        return Err(Refusal::new(
            format!(
                "its input \"{}\" takes a second picture, by its name one from before, and panelcam feeds the present one alone",
                port.name
            ),
            "Export it with one picture",
        ));
    }
    if takes_pictures && !says(&["mask", "noise", "depth"]) && shape.len() == 4 {
        let reason = format!(
            "style: the input \"{}\" takes a picture in the style, because it is the other one that takes a picture",
            port.name
        );
        return Ok((make(Extra::StylePicture, vec![0.0]), reason));
    }
    if !element.holds_pictures() || says(&["index", "style_id", "label"]) && known == 1 {
        return match known {
            1 if shape.len() <= 2 => Ok((
                make(Extra::Index, vec![0.0]),
                format!(
                    "style: the input \"{}\" takes the number of a style",
                    port.name
                ),
            )),
            count if (2..=STYLES_LIMIT).contains(&count) && free == 0 => {
                Ok(weights(port, count, make))
            }
            _ => Err(unknown("which panelcam does not know")),
        };
    }
    if shape.len() == 4 && free == 2 && shape[2].is_none() && shape[3].is_none() {
        let channels = shape[1].unwrap_or(0);
        if (2..=64).contains(&channels) {
            let reason = format!(
                "style: the input \"{}\" takes weights of {channels} styles for every part of the picture",
                port.name
            );
            return Ok((make(Extra::Map(16), vec![0.0; channels as usize]), reason));
        }
    }
    if known == 1 && shape.len() <= 4 {
        let reason = format!(
            "input \"{}\": one number; tried with 0 and 1, because 1 is full strength wherever a network has such an input",
            port.name
        );
        return Ok((make(Extra::Constant, vec![1.0]), reason));
    }
    if (2..=NUMBERS_LIMIT).contains(&known) && says(&["noise", "latent", "random"]) {
        let reason = format!(
            "input \"{}\": {known} numbers, kept at 0, because its name speaks of chance",
            port.name
        );
        return Ok((make(Extra::Constant, vec![0.0]), reason));
    }
    let computed =
        says(&["feature", "bottleneck", "embed", "latent", "vector"]) || known > STYLES_LIMIT;
    if beside == Beside::Features && (2..=NUMBERS_LIMIT).contains(&known) {
        let reason = format!(
            "style: the input \"{}\" takes {known} numbers that another network computes from a picture in the style",
            port.name
        );
        return Ok((make(Extra::Features, vec![0.0; known as usize]), reason));
    }
    if computed {
        return Err(Refusal::new(
            format!(
                "it needs the input {}, which another network computes from a picture of the style",
                describe(port)
            ),
            "Give that network with it: panelcam styles add FILE --features OTHER.onnx --art PICTURE",
        ));
    }
    if (2..=STYLES_LIMIT).contains(&known) && shape.len() <= 4 {
        return Ok(weights(port, known, make));
    }
    Err(unknown("which panelcam does not know"))
}

fn weights(
    port: &Port,
    count: i64,
    make: impl Fn(Extra, Vec<f32>) -> ExtraInput,
) -> (ExtraInput, String) {
    let mut values = vec![0.0; count as usize];
    values[0] = 1.0;
    let reason = format!(
        "style: the input \"{}\" takes a weight for each of {count} styles, because it has {count} numbers",
        port.name
    );
    (make(Extra::Weights, values), reason)
}

fn element(port: &Port) -> Result<Element, Refusal> {
    match port.element {
        1 => Ok(Element::F32),
        2 => Ok(Element::U8),
        6 => Ok(Element::I32),
        7 => Ok(Element::I64),
        10 => Ok(Element::F16),
        _ => Err(Refusal::new(
            format!(
                "its input {} has a type that panelcam does not feed",
                describe(port)
            ),
            "Export it with float32, float16 or uint8",
        )),
    }
}

/// An input or output for people.
pub(super) fn describe(port: &Port) -> String {
    let kind = match port.element {
        1 => "float32",
        2 => "uint8",
        3 => "int8",
        6 => "int32",
        7 => "int64",
        8 => "text",
        9 => "bool",
        10 => "float16",
        11 => "float64",
        16 => "bfloat16",
        _ => "another type",
    };
    let shape = match &port.shape {
        None => "of unknown shape".to_owned(),
        Some(shape) => {
            let sides: Vec<String> = sides(shape)
                .into_iter()
                .map(|side| side.map_or("any".to_owned(), |side| side.to_string()))
                .collect();
            format!("[{}]", sides.join(", "))
        }
    };
    format!("\"{}\" ({kind} {shape})", port.name)
}

/// How an output compares with the picture it was drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drawn {
    pub(super) layout: Layout,
    /// 1, 3, or 4 of which the last is no colour.
    pub(super) channels: usize,
    /// How many times larger.
    pub(super) scale: u32,
}

/// Whether an output of `shape` may be a drawing of a picture of `size`.
pub(super) fn drawn(shape: &[i64], size: Size) -> Option<Drawn> {
    let inner = match shape {
        [1, a, b, c] => [*a, *b, *c],
        [a, b, c] => [*a, *b, *c],
        [a, b] => [1, *a, *b],
        _ => return None,
    };
    let scale = |width: i64, height: i64| {
        let times = width / i64::from(size.width);
        let fits = (1..=8).contains(&times)
            && width == i64::from(size.width) * times
            && height == i64::from(size.height) * times;
        fits.then_some(times as u32)
    };
    let [a, b, c] = inner;
    let colours = |count: i64| matches!(count, 1 | 3 | 4);
    let planes = colours(a).then(|| scale(c, b)).flatten();
    let pixels = colours(c).then(|| scale(b, a)).flatten();
    match (planes, pixels) {
        (Some(scale), _) => Some(Drawn {
            layout: Layout::Planes,
            channels: a as usize,
            scale,
        }),
        (None, Some(scale)) => Some(Drawn {
            layout: Layout::Pixels,
            channels: c as usize,
            scale,
        }),
        _ => None,
    }
}

/// Why none of `outputs` is a drawing of a picture of `size`.
pub(super) fn no_drawing(outputs: &[Output], size: Size) -> Refusal {
    let list: Vec<String> = outputs
        .iter()
        .take(6)
        .map(|output| format!("\"{}\" {:?}", output.name, output.shape))
        .collect();
    let list = list.join(", ");
    let channels = outputs.iter().find_map(|output| match output.shape[..] {
        [1, c, h, w] | [1, h, w, c]
            if (4..1024).contains(&c) && h >= i64::from(size.height) / 8 && w >= 8 =>
        {
            Some(c)
        }
        _ => None,
    });
    let why = if let Some(channels) = channels {
        format!(
            "it tells parts of a picture apart ({channels} channels) and draws none: for a picture of {size} it gives {list}"
        )
    } else if outputs.iter().all(|output| output.shape.len() < 3) {
        format!("it gives numbers and no picture: {list}")
    } else {
        format!(
            "what it gives is no picture of the size it sees, or 2 to 8 times that: for {size} it gives {list}"
        )
    };
    Refusal::new(why, "Take a network that turns a picture into a picture")
}
