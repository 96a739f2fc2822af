//! Gets to know a network by running it: its sizes, its codings, its styles. Runs in a process of
//! its own, for a network may hang or take all memory.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::files::{read_limited, sha256};
use super::super::generator::Generator;
use super::super::limit::LIVE;
use super::super::model::{DESCRIPTION, FILE_LIMIT, Model};
use super::super::runtime::Runtime;
use super::super::slow::SMALLEST;
use super::super::style_map::StyleMap;
use super::super::tensor::Channels;
use super::card::{Card, Colours};
use super::features::Features;
use super::fitting;
use super::network::{Extra, Network};
use super::onnx::{NotOnnx, Onnx};
use super::probe::{Pick, Probe};
use super::roles;
use super::sizing::{self, Sized};
use super::strength;
use super::write::{Findings, PortFindings};
use super::{Refusal, plain};
use crate::frame::{Picture, Size};

/// A network that takes longer for a picture of [`SMALLEST`] is slow, and people are told.
const SLOW: Duration = Duration::from_millis(200);
/// And a smaller thumbnail is drawn of one that takes longer.
const SLOW_TO_TRY: Duration = Duration::from_secs(2);
/// Thumbnails are drawn until this long after the start.
const THUMBNAILS_UNTIL: Duration = Duration::from_secs(6);
/// About the size of a thumbnail.
const THUMBNAIL: Size = Size::new(320, 256);
const SMALL_THUMBNAIL: Size = Size::new(160, 128);
/// The most numbers that an input for the number of a style is tried with.
const INDEX_LIMIT: usize = 64;

/// What a network is to be called.
pub struct Names<'a> {
    /// Of its model, and of its style when it has one alone.
    pub id: &'a str,
    /// For people.
    pub name: &'a str,
    /// How many pictures in the style there are.
    pub pictures: usize,
    /// Whether a network that turns them into numbers is there.
    pub features: bool,
}

/// Describes the network `file` in `folder`: writes `model.toml` and thumbnails there. Lines of
/// reasoning go to `say` as they are found; `step` is called whenever it got anywhere. Gives what people
/// should be told of its speed, when it is slow.
pub(super) fn describe(
    runtime: &Runtime,
    folder: &Path,
    file: &str,
    names: &Names<'_>,
    step: Rc<dyn Fn()>,
    say: &mut dyn FnMut(&str),
) -> Result<Option<String>, Refusal> {
    let started = Instant::now();
    let bytes = read_limited(&folder.join(file), FILE_LIMIT).map_err(|error| unreadable(&error))?;
    let onnx = Onnx::parse(&bytes).map_err(|NotOnnx| Refusal::not_onnx())?;
    let mut external = Vec::new();
    for name in &onnx.external {
        let bytes =
            read_limited(&folder.join(name), FILE_LIMIT).map_err(|error| unreadable(&error))?;
        external.push((name.clone(), bytes));
    }
    let hashes = external
        .iter()
        .map(|(name, bytes)| (name.clone(), sha256(bytes)))
        .collect();
    let mut reasons = Vec::new();
    let mut tell = |line: String| {
        say(&line);
        reasons.push(line);
    };
    tell(about(&bytes, &onnx));
    let roles = roles::find(&onnx, roles::Beside::of(names.features))?;
    roles.reasons.into_iter().for_each(&mut tell);
    let mut network = Network::load(
        runtime,
        &bytes,
        external,
        roles.image,
        roles.extras,
        &onnx,
        Rc::clone(&step),
    )?;
    let mut features = if names.features {
        Features::load(runtime, folder, names.pictures, &mut network, step)?
    } else {
        None
    };
    let card = Card::new()
        .ok_or_else(|| Refusal::new("the program is damaged".to_owned(), "Install it again"))?;

    let sized = sizing::find(&mut network, &card, roles.layout_unknown)?;
    tell(sized.reason.clone());
    let probe = Probe::new(&network, &card, &sized, &onnx);
    let pick = probe.find_coding(&mut network)?;
    pick.reasons.iter().cloned().for_each(&mut tell);
    let numbers = match &mut features {
        Some(features) => {
            let (numbers, reason) = features.settle(&mut network, pick.found.input)?;
            tell(reason);
            numbers
        }
        None => Vec::new(),
    };
    strength::settle(&mut network, &probe, &pick)
        .into_iter()
        .for_each(&mut tell);
    let styles = styles(&mut network, &probe, &pick, names)?;
    if styles.len() > 1 {
        tell(format!(
            "styles: {}, each becomes one of its own",
            styles.len()
        ));
    }
    let time = time(&mut network, &card, &sized, &pick);
    let overlap = match network.image.size {
        Some(size) => {
            let (overlap, reason) =
                fitting::tiles_or_letterbox(&mut network, &card, size, &pick, time);
            tell(reason);
            overlap
        }
        None => None,
    };
    let scale = f64::from(pick.drawn.scale);
    let pictures = match (network.image.size, overlap) {
        (None, _) => SMALLEST.area() as f64 / (sized.size.area() as f64 * scale.powi(2)),
        (Some(_), None) => 1.0,
        (Some(tile), Some(overlap)) => {
            let tiles = |side: u32, tile: u32| {
                let rest = (f64::from(side) / scale - f64::from(tile)).max(0.0);
                1.0 + (rest / f64::from(tile.saturating_sub(overlap).max(1))).ceil()
            };
            tiles(SMALLEST.width, tile.width) * tiles(SMALLEST.height, tile.height)
        }
    };
    let live = Duration::from_secs_f64(time.as_secs_f64() * pictures);
    // Its run would be ended.
    if live >= LIVE {
        return Err(Refusal::new(
            format!(
                "it needs about {:.0} seconds for a picture of {SMALLEST}, the smallest that is drawn live, on this machine: too slow",
                live.as_secs_f64()
            ),
            "Take a smaller network",
        ));
    }
    tell(format!(
        "speed: about {:.0} ms for a picture of {SMALLEST} on this machine's CPU",
        live.as_secs_f64() * 1000.0
    ));
    let slow = (live > SLOW).then(|| {
        format!(
            "It is slow on this machine: live, about {:.1} pictures a second at {SMALLEST}, the smallest size ({:.1} s each). Photos and clips take as long for each picture, or longer",
            1.0 / live.as_secs_f64(),
            live.as_secs_f64()
        )
    });
    if let Some(slow) = &slow {
        tell(format!("warning: {slow}"));
    }

    let found = &pick.found;
    let findings = Findings {
        id: names.id.to_owned(),
        name: names.name.to_owned(),
        file: file.to_owned(),
        sha256: sha256(&bytes),
        external: hashes,
        size_multiple: sized.multiple,
        fixed: network.image.size,
        overlap,
        scale: pick.drawn.scale,
        image: PortFindings {
            name: network.image.name.clone(),
            layout: network.image.layout,
            channels: found.input_order,
            range: found.input,
        },
        picture: PortFindings {
            name: pick.output.clone(),
            layout: pick.drawn.layout,
            channels: if pick.drawn.channels == 1 {
                Channels::Grey
            } else {
                found.output_order
            },
            range: found.output,
        },
        matte: pick.matte.clone(),
        extras: network.extras.clone(),
        styles,
        features: numbers,
        reasons,
    };
    std::fs::write(folder.join(DESCRIPTION), findings.toml())
        .map_err(|error| Refusal::new(error.to_string(), "Check the folder of added styles"))?;
    drop(network);
    let thumbnail = if live > SLOW_TO_TRY {
        SMALL_THUMBNAIL
    } else {
        THUMBNAIL
    };
    prove(runtime, folder, &card, thumbnail, started)?;
    Ok(slow)
}

/// How long a run takes on a picture of `sized`.
fn time(network: &mut Network, card: &Card, sized: &Sized, pick: &Pick) -> Duration {
    let picture = card.draw(sized.size);
    let coding = pick
        .found
        .input
        .coding(network.image.layout, pick.found.input_order);
    sizing::shortest(sized.time, || {
        let started = Instant::now();
        network.run(&picture, coding).ok()?;
        Some(started.elapsed())
    })
}

/// Draws with the description that was written, as the program will.
fn prove(
    runtime: &Runtime,
    folder: &Path,
    card: &Card,
    thumbnail: Size,
    started: Instant,
) -> Result<(), Refusal> {
    let wrong = |error: super::InferenceError| {
        Refusal::new(
            format!("drawing with what was found fails: {}", plain(&error)),
            "Export it again, or describe it by hand in a model.toml",
        )
    };
    let model = Arc::new(Model::read(folder).map_err(wrong)?);
    let size = super::super::size_within(thumbnail, thumbnail.width, model.size_multiple());
    let mut generator =
        Generator::open(runtime, &model, size, super::super::cores().min(4)).map_err(wrong)?;
    let portrait = card.portrait(generator.size());
    let mut drawing = Picture::default();
    for (at, style) in model.styles().iter().enumerate() {
        if at > 0 && started.elapsed() > THUMBNAILS_UNTIL {
            break;
        }
        let map = StyleMap::uniform(&model, generator.size(), style.channel, 1.0).map_err(wrong)?;
        generator
            .stylize(&portrait, &map, &mut drawing)
            .map_err(wrong)?;
        // Without one, the window draws it when it has time.
        if let Err(error) = save_thumbnail(&drawing, folder, &style.id) {
            tracing::warn!("No thumbnail of {}: {error}", style.id);
        }
    }
    Ok(())
}

fn save_thumbnail(drawing: &Picture, folder: &Path, id: &str) -> Result<(), String> {
    let folder = folder.join("thumbnails");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let colours = drawing.rgba().as_chunks::<4>().0.iter();
    let rgb: Vec<u8> = colours.flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    image::save_buffer(
        folder.join(format!("{id}.png")),
        &rgb,
        drawing.width(),
        drawing.height(),
        image::ColorType::Rgb8,
    )
    .map_err(|error| error.to_string())
}

fn unreadable(error: &super::InferenceError) -> Refusal {
    Refusal::new(plain(error), "Check the file and its rights")
}

fn about(bytes: &[u8], onnx: &Onnx) -> String {
    let writer = if onnx.producer.is_empty() {
        String::new()
    } else {
        format!(", written by {}", onnx.producer)
    };
    let opset = onnx.opsets.get("").copied().unwrap_or_default();
    let quantised = [
        "QuantizeLinear",
        "DequantizeLinear",
        "QLinearConv",
        "ConvInteger",
    ];
    let quantised = if quantised.iter().any(|kind| onnx.kinds.contains_key(*kind)) {
        ", its weights in 8 bits"
    } else {
        ""
    };
    format!(
        "file: {:.1} MB{writer}, operator set {opset}, {} operators{quantised}",
        bytes.len() as f64 / 1e6,
        onnx.kinds.values().sum::<usize>()
    )
}

/// Ids and names of the styles.
fn styles(
    network: &mut Network,
    probe: &Probe,
    pick: &Pick,
    names: &Names<'_>,
) -> Result<Vec<(String, String)>, Refusal> {
    let count = match network
        .extras
        .iter()
        .position(|extra| extra.kind != Extra::Constant)
    {
        None => 1,
        Some(at) => match network.extras[at].kind {
            Extra::Weights | Extra::Map(_) => network.extras[at].values.len(),
            Extra::StylePicture | Extra::Features => names.pictures.max(1),
            Extra::Constant => 1,
            Extra::Index => {
                let mut last: Option<Colours> = None;
                let mut count = 0;
                while count < INDEX_LIMIT {
                    network.extras[at].values = vec![count as f32];
                    let Some(drawing) = probe.draw(network, pick) else {
                        break;
                    };
                    if last.is_some_and(|last| last.distance(&drawing) < 1e-4) {
                        break;
                    }
                    last = Some(drawing);
                    count += 1;
                }
                network.extras[at].values = vec![0.0];
                count.max(1)
            }
        },
    };
    if count == 1 {
        return Ok(vec![(names.id.to_owned(), names.name.to_owned())]);
    }
    Ok((1..=count)
        .map(|at| (format!("{}-{at}", names.id), format!("{} {at}", names.name)))
        .collect())
}
