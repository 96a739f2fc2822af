//! Gets to know a network by running it: its sizes, its codings, its styles. Runs in a process of
//! its own, for a network may hang or take all memory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::files::{read_limited, sha256};
use super::super::generator::Generator;
use super::super::model::{DESCRIPTION, FILE_LIMIT, Model};
use super::super::runtime::Runtime;
use super::super::style_map::StyleMap;
use super::super::tensor::{Channels, Coding, Layout};
use super::Refusal;
use super::card::{Card, Colours};
use super::coding::{self, Found, INPUTS, OF_BYTES, Trial};
use super::evidence::{self, Head, Tail};
use super::fitting;
use super::network::{Extra, Network, Output};
use super::onnx::Onnx;
use super::roles::{self, Drawn};
use super::write::{Findings, PortFindings};
use crate::frame::{Picture, Size};

/// Sizes that are tried, as a multiple and two odd numbers of it: a network that takes a size
/// takes all multiples of its multiple.
const SIZES: [(u32, u32, u32); 9] = [
    (1, 71, 73),
    (2, 35, 37),
    (4, 17, 19),
    (8, 9, 11),
    (16, 5, 7),
    (32, 3, 5),
    (64, 1, 3),
    (128, 1, 1),
    (256, 1, 1),
];
/// About the side of the pictures that codings are compared with.
const PROBE_SIDE: u32 = 144;
/// Pictures are compared at most at this side.
const COMPARED_SIDE: u32 = 160;
/// A network that takes longer for a picture of [`LIVE_SIZE`] is refused.
const SLOWEST: Duration = Duration::from_secs(10);
/// What a small live picture measures.
const LIVE_SIZE: Size = Size::new(320, 192);
/// Thumbnails are drawn until this long after the start.
const THUMBNAILS_UNTIL: Duration = Duration::from_secs(6);
/// About the size of a thumbnail.
const THUMBNAIL: Size = Size::new(320, 256);
/// One channel with fewer edges, and less like those of the picture, is a mask: a drawing in grey
/// has lines within what it shows.
const MASK_BUSY: f32 = 0.12;
const MASK_EDGES: f32 = 0.6;
/// A run is timed so often; the shortest counts, for other programs only slow it down.
const TIMED: usize = 3;
/// The most numbers that an input for the number of a style is tried with.
const INDEX_LIMIT: usize = 64;

/// What a network is to be called.
pub(super) struct Names<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    /// How many pictures in the style there are.
    pub(super) pictures: usize,
}

/// Describes the network `file` in `folder`: writes `model.toml` and thumbnails there. Lines of
/// reasoning go to `say` as they are found; `step` is called whenever it got anywhere.
pub(super) fn describe(
    runtime: &Runtime,
    folder: &Path,
    file: &str,
    names: &Names<'_>,
    step: Box<dyn Fn()>,
    say: &mut dyn FnMut(&str),
) -> Result<(), Refusal> {
    let started = Instant::now();
    let bytes = read_limited(&folder.join(file), FILE_LIMIT).map_err(|error| unreadable(&error))?;
    let onnx = Onnx::parse(&bytes).map_err(|_| Refusal::not_onnx())?;
    let mut external = Vec::new();
    for name in &onnx.external {
        let bytes = read_limited(&folder.join(name), FILE_LIMIT).map_err(|error| unreadable(&error))?;
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
    let roles = roles::find(&onnx)?;
    roles.reasons.into_iter().for_each(&mut tell);
    let mut network = Network::load(
        runtime,
        &bytes,
        external,
        roles.image,
        roles.extras,
        &onnx,
        step,
    )?;
    let card = Card::new().ok_or_else(|| Refusal::new("the program is damaged".to_owned(), "Install it again"))?;

    let sized = find_size(&mut network, &card, roles.layout_unknown)?;
    tell(sized.reason.clone());
    let probe = Probe::new(&network, &card, &sized, &onnx);
    let pick = probe.find_coding(&mut network)?;
    pick.reasons.iter().cloned().for_each(&mut tell);
    settle_constants(&mut network, &probe, &pick).into_iter().for_each(&mut tell);
    let styles = styles(&mut network, &probe, &pick, names)?;
    if styles.len() > 1 {
        tell(format!("styles: {}, each becomes one of its own", styles.len()));
    }
    let overlap = match network.image.size {
        Some(size) => {
            let (overlap, reason) =
                fitting::tiles_or_letterbox(&mut network, &card, size, &pick, sized.time);
            tell(reason);
            overlap
        }
        None => None,
    };
    let time = time(&mut network, &card, &sized, &pick);
    let drawn = sized.size.area() as f64 * f64::from(pick.drawn.scale).powi(2);
    // A network of one size takes its time for any picture.
    let pictures = if network.image.size.is_some() { 1.0 } else { LIVE_SIZE.area() as f64 / drawn };
    let live = Duration::from_secs_f64(time.as_secs_f64() * pictures);
    if live > SLOWEST {
        return Err(Refusal::new(
            format!(
                "it needs about {} seconds for a picture of {LIVE_SIZE} on this machine, too slow to draw live",
                live.as_secs()
            ),
            "Take a smaller network",
        ));
    }
    tell(format!(
        "speed: about {:.0} ms for a picture of {LIVE_SIZE} on this machine's CPU",
        live.as_secs_f64() * 1000.0
    ));

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
        reasons,
    };
    std::fs::write(folder.join(DESCRIPTION), findings.toml())
        .map_err(|error| Refusal::new(error.to_string(), "Check the folder of added styles"))?;
    drop(network);
    prove(runtime, folder, &card, started)
}

/// How long a run takes on a picture of `sized`.
fn time(network: &mut Network, card: &Card, sized: &Sized, pick: &Pick) -> Duration {
    let picture = card.draw(sized.size);
    let coding = pick
        .found
        .input
        .coding(network.image.layout, pick.found.input_order);
    (0..TIMED)
        .filter_map(|_| {
            let started = Instant::now();
            network.run(&picture, coding).ok()?;
            Some(started.elapsed())
        })
        .min()
        .unwrap_or(sized.time)
}

/// Draws with the description that was written, as the program will.
fn prove(runtime: &Runtime, folder: &Path, card: &Card, started: Instant) -> Result<(), Refusal> {
    let wrong = |error: super::InferenceError| {
        Refusal::new(
            format!("drawing with what was found fails: {error}"),
            "Please report it",
        )
    };
    let model = Arc::new(Model::read(folder).map_err(wrong)?);
    let size = super::super::size_within(THUMBNAIL, THUMBNAIL.width, model.size_multiple());
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
    Refusal::new(error.to_string(), "Check the file and its rights")
}

fn about(bytes: &[u8], onnx: &Onnx) -> String {
    let writer = if onnx.producer.is_empty() {
        String::new()
    } else {
        format!(", written by {}", onnx.producer)
    };
    let opset = onnx.opsets.get("").copied().unwrap_or_default();
    let quantised = ["QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger"];
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

/// A size that works, and what came of it.
struct Sized {
    size: Size,
    multiple: u32,
    outputs: Vec<Output>,
    time: Duration,
    reason: String,
}

fn find_size(network: &mut Network, card: &Card, layout_unknown: bool) -> Result<Sized, Refusal> {
    let coding = |network: &Network| base_coding(network);
    let mut last = String::new();
    let mut nothing_drawn = None;
    if let Some(size) = network.image.size {
        let started = Instant::now();
        let picture = card.draw(size);
        let coding = coding(network);
        return match network.run(&picture, coding) {
            Ok(outputs) => Ok(Sized {
                size,
                multiple: 1,
                time: started.elapsed(),
                outputs,
                reason: format!("size: {size} alone, because its input says so"),
            }),
            Err(why) => Err(does_not_run(&why)),
        };
    }
    let layouts: &[Layout] = if layout_unknown {
        &[Layout::Planes, Layout::Pixels]
    } else {
        &[network.image.layout]
    };
    for layout in layouts.to_vec() {
        network.image.layout = layout;
        for (multiple, across, down) in SIZES {
            let size = Size::new(multiple * across, multiple * down);
            let picture = card.draw(size);
            let started = Instant::now();
            match network.run(&picture, coding(network)) {
                Ok(outputs) => {
                    if outputs.iter().any(|output| roles::drawn(&output.shape, size).is_some()) {
                        let reason = if multiple == 1 {
                            format!("size: any, because it draws {size}")
                        } else {
                            format!(
                                "size: multiples of {multiple}, because it draws {size} and no smaller step"
                            )
                        };
                        return Ok(Sized {
                            size,
                            multiple,
                            time: started.elapsed(),
                            outputs,
                            reason,
                        });
                    }
                    nothing_drawn = Some((outputs, size));
                }
                Err(why) => last = why,
            }
        }
    }
    // A style map may have other cells than were assumed.
    for extra in &mut network.extras {
        if let Extra::Map(cell) = extra.kind
            && cell > 1
        {
            extra.kind = Extra::Map(cell / 2);
            return find_size(network, card, layout_unknown);
        }
    }
    Err(match nothing_drawn {
        Some((outputs, size)) => roles::no_drawing(&outputs, size),
        None => does_not_run(&last),
    })
}

fn does_not_run(why: &str) -> Refusal {
    Refusal::new(
        format!("it loads, but does not run on a small picture: {why}"),
        "Export it with pictures of any size",
    )
}

fn base_coding(network: &Network) -> Coding {
    let range = if network.image.element == super::super::values::Element::U8 {
        OF_BYTES[0]
    } else {
        INPUTS[0]
    };
    range.coding(network.image.layout, order(network, Channels::Rgb))
}

fn order(network: &Network, colours: Channels) -> Channels {
    if network.image.channels == 1 {
        Channels::Grey
    } else {
        colours
    }
}

/// The pictures that codings are compared with.
pub(super) struct Probe {
    picture: Picture,
    /// It, at the size at which pictures are compared.
    seen: Colours,
    shrink: u32,
    /// Outputs that may be drawings.
    drawings: Vec<(String, Drawn, bool)>,
    head: Option<Head>,
    tails: Vec<Option<Tail>>,
}

/// The output and coding that were found.
pub(super) struct Pick {
    pub(super) found: Found,
    pub(super) output: String,
    pub(super) drawn: Drawn,
    pub(super) matte: Option<String>,
    reasons: Vec<String>,
}

impl Probe {
    fn new(network: &Network, card: &Card, sized: &Sized, onnx: &Onnx) -> Self {
        let step = sized.multiple.max(1);
        let size = match network.image.size {
            Some(size) => size,
            None => {
                let side = PROBE_SIDE.div_ceil(step) * step;
                let size = Size::new(side, side);
                let time = sized.time.as_secs_f64() * size.area() as f64 / sized.size.area() as f64;
                // A dozen runs have to fit.
                if time > 0.6 { sized.size } else { size }
            }
        };
        let drawings: Vec<(String, Drawn, bool)> = sized
            .outputs
            .iter()
            .filter_map(|output| {
                let drawn = roles::drawn(&output.shape, sized.size)?;
                (!output.values.is_empty()).then(|| (output.name.clone(), drawn, output.bytes))
            })
            .take(16)
            .collect();
        let picture = card.draw(size);
        let shrink = size.width.max(size.height).div_ceil(COMPARED_SIDE).max(1);
        let tails = drawings
            .iter()
            .map(|(name, ..)| evidence::tail(onnx, name))
            .collect();
        Self {
            seen: Colours::of(&picture).shrunk(shrink),
            picture,
            shrink,
            drawings,
            head: evidence::head(onnx, &network.image.name),
            tails,
        }
    }

    /// The raw values of output `at`, at the size at which pictures are compared; `None` when
    /// some are not numbers.
    fn values(&self, outputs: &[Output], at: usize) -> Option<Colours> {
        let (name, drawn, _) = self.drawings.get(at)?;
        let output = outputs.iter().find(|output| output.name == *name)?;
        raw(output, *drawn, self.picture.size()).map(|raw| raw.shrunk(self.shrink * drawn.scale))
    }

    fn find_coding(&self, network: &mut Network) -> Result<Pick, Refusal> {
        let in_bytes = network.image.element == super::super::values::Element::U8;
        let ranges: &[coding::Range] = if in_bytes { &OF_BYTES } else { &INPUTS };
        let layout = network.image.layout;
        let mut all: Vec<(usize, Found)> = Vec::new();
        let (mut failure, mut not_numbers) = (String::new(), false);
        let mut attempt = |network: &mut Network, range: coding::Range, order: Channels| {
            let outputs = match network.run(&self.picture, range.coding(layout, order)) {
                Ok(outputs) => outputs,
                Err(why) => {
                    failure = why;
                    return Vec::new();
                }
            };
            let mut found = Vec::new();
            for (at, (_, _, bytes)) in self.drawings.iter().enumerate() {
                match self.values(&outputs, at) {
                    Some(values) => {
                        let trial = Trial {
                            input: range,
                            order,
                            values,
                        };
                        let tail = self.tails.get(at).and_then(Option::as_ref);
                        let readings =
                            coding::readings(&trial, &self.seen, self.head.as_ref(), tail, *bytes);
                        found.extend(readings.into_iter().map(|found| (at, found)));
                    }
                    None => not_numbers = true,
                }
            }
            found
        };
        for range in ranges {
            let colours = order(network, Channels::Rgb);
            all.extend(attempt(network, *range, colours));
        }
        // Three colours before one: the other is a matte.
        let colours_first = |all: &mut Vec<(usize, Found)>| {
            if all.iter().any(|(at, _)| self.drawings[*at].1.channels == 3) {
                all.retain(|(at, _)| self.drawings[*at].1.channels == 3);
            }
            all.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        };
        colours_first(&mut all);
        if network.image.channels == 3 {
            let mut likely: Vec<coding::Range> = Vec::new();
            for (_, found) in &all {
                if !likely.contains(&found.input) && likely.len() < 2 {
                    likely.push(found.input);
                }
            }
            if !in_bytes && !likely.iter().any(|range| range.name == INPUTS[4].name) {
                likely.push(INPUTS[4]);
            }
            for range in likely {
                all.extend(attempt(network, range, Channels::Bgr));
            }
            colours_first(&mut all);
        }
        let Some((at, found)) = all.first().cloned() else {
            return Err(if not_numbers {
                Refusal::new(
                    "it draws values that are not numbers".to_owned(),
                    "Export it again, in float32 if this is float16",
                )
            } else {
                does_not_run(&failure)
            });
        };
        let (output, drawn, _) = self.drawings[at].clone();
        self.judge(&found, drawn)?;
        let matte = self.matte(network, &found, at);
        let reasons = self.reasons(&all, &found, at, matte.as_deref());
        Ok(Pick {
            found,
            output,
            drawn,
            matte,
            reasons,
        })
    }

    /// Refuses what is no drawing of the picture.
    fn judge(&self, found: &Found, drawn: Drawn) -> Result<(), Refusal> {
        let likeness = &found.likeness;
        let fix = "Take a network that turns a picture into a picture";
        if likeness.contrast < 0.05 {
            return Err(Refusal::new(
                "what it draws is one flat colour, whatever is fed to it".to_owned(),
                fix,
            ));
        }
        if drawn.channels == 1 && likeness.busy < MASK_BUSY && likeness.edges < MASK_EDGES {
            return Err(Refusal::new(
                format!(
                    "its only output is one channel, flat but for outlines ({:.0} % of it are edges): a mask that tells parts of a picture apart, not a drawing",
                    likeness.busy * 100.0
                ),
                fix,
            ));
        }
        if !coding::is_a_drawing(likeness) {
            return Err(Refusal::new(
                format!(
                    "what it draws has nothing to do with the picture it sees (light {:.0} %, edges {:.0} % alike)",
                    likeness.light * 100.0,
                    likeness.edges * 100.0
                ),
                fix,
            ));
        }
        Ok(())
    }

    /// Another output of one channel from 0 to 1.
    fn matte(&self, network: &mut Network, found: &Found, picture: usize) -> Option<String> {
        let scale = self.drawings[picture].1.scale;
        let candidates: Vec<usize> = (0..self.drawings.len())
            .filter(|at| *at != picture)
            .filter(|at| {
                let drawn = self.drawings[*at].1;
                drawn.channels == 1 && drawn.scale == scale
            })
            .collect();
        if candidates.is_empty() {
            return None;
        }
        let coding = found.input.coding(network.image.layout, found.input_order);
        let outputs = network.run(&self.picture, coding).ok()?;
        candidates
            .into_iter()
            .find(|at| {
                self.values(&outputs, *at).is_some_and(|values| {
                    let all = values.values.iter().map(|value| value[0]);
                    let (least, most) = all.fold((f32::MAX, f32::MIN), |(least, most), value| {
                        (least.min(value), most.max(value))
                    });
                    least >= -0.02 && most <= 1.02 && most - least > 0.05
                })
            })
            .map(|at| self.drawings[at].0.clone())
    }

    fn reasons(
        &self,
        all: &[(usize, Found)],
        found: &Found,
        at: usize,
        matte: Option<&str>,
    ) -> Vec<String> {
        let (name, drawn, bytes) = &self.drawings[at];
        let mut reasons = vec![format!(
            "picture: the output \"{name}\"{}, because {}",
            match drawn.scale {
                1 => String::new(),
                scale => format!(", {scale} times the size of what it sees"),
            },
            if self.drawings.len() == 1 {
                "it is the only one with the shape of a picture".to_owned()
            } else {
                format!("it is most like the picture of {} outputs", self.drawings.len())
            }
        )];
        let percent = |value: f32| format!("{:.0} %", value * 100.0);
        let likeness = &found.likeness;
        let alike = format!(
            "light {}, edges {}, colours {} alike",
            percent(likeness.light),
            percent(likeness.edges),
            percent(likeness.tints)
        );
        let head = self
            .head
            .as_ref()
            .is_some_and(|head| coding::prepares(head, found.input, found.input_order));
        let rival = all
            .iter()
            .find(|(other, rival)| *other == at && rival.input != found.input)
            .map(|(_, rival)| rival);
        let mut why = if head {
            "its first operators turn just that into what networks are trained on".to_owned()
        } else if *bytes && all.iter().all(|(_, other)| other.input == found.input) {
            "it takes bytes".to_owned()
        } else {
            format!("the drawing is then most like the picture ({alike})")
        };
        if let Some(rival) = rival
            && !head
        {
            let lead = found.score - rival.score;
            why += &if lead < 0.04 {
                format!(
                    "; with {} it is nearly the same: correct it here if colours look wrong",
                    rival.input.name
                )
            } else {
                format!("; next is {}, worse by {:.2}", rival.input.name, lead)
            };
        }
        reasons.push(format!("value range: {}, because {why}", found.input.name));
        let output = if found.output.name.is_empty() {
            format!("[{}, {}]", found.output.black[0], found.output.white[0])
        } else {
            found.output.name.to_owned()
        };
        let why = match self.tails.get(at).and_then(Option::as_ref) {
            _ if *bytes => "it gives bytes".to_owned(),
            Some(tail) => format!(
                "its last operators, after {}, give {:.4} to {:.4}",
                tail.operator, tail.range[0], tail.range[1]
            ),
            None => "the drawing then has the picture's light and little of it is cut off".to_owned(),
        };
        reasons.push(format!("value range of the drawing: {output}, because {why}"));
        let order = |order: Channels| match order {
            Channels::Rgb => "red, green, blue",
            Channels::Bgr => "blue, green, red",
            Channels::Grey => "grey",
        };
        let other = all
            .iter()
            .find(|(other, rival)| {
                *other == at
                    && (rival.input_order, rival.output_order)
                        != (found.input_order, found.output_order)
            })
            .map_or(0.0, |(_, rival)| rival.likeness.tints);
        let own = likeness.tints;
        let why = match found.input_order {
            Channels::Grey => "it takes one channel".to_owned(),
            _ if drawn.channels == 1 => "that is usual, and it draws in grey".to_owned(),
            Channels::Bgr if head => {
                "its first operators take the means of blue, green and red off".to_owned()
            }
            _ if other + 0.02 > own => format!(
                "that is usual, and another order draws the same (colours {} and {} alike)",
                percent(own),
                percent(other)
            ),
            _ => format!(
                "colours are {} alike, in another order {}",
                percent(own),
                percent(other)
            ),
        };
        reasons.push(format!(
            "channels: {} in, {} out, because {why}",
            order(found.input_order),
            order(if drawn.channels == 1 { Channels::Grey } else { found.output_order }),
        ));
        if let Some(matte) = matte {
            reasons.push(format!(
                "matte: the output \"{matte}\", because it is one channel from 0 to 1 of the same size"
            ));
        }
        reasons
    }

    /// What the network draws now, as colours.
    pub(super) fn draw(&self, network: &mut Network, pick: &Pick) -> Option<Colours> {
        let coding = pick
            .found
            .input
            .coding(network.image.layout, pick.found.input_order);
        let outputs = network.run(&self.picture, coding).ok()?;
        let at = self
            .drawings
            .iter()
            .position(|(name, ..)| *name == pick.output)?;
        let mut colours = self.values(&outputs, at)?;
        normalise(&mut colours, &pick.found);
        Some(colours)
    }
}

/// Raw values to colours from 0 to 1.
pub(super) fn normalise(colours: &mut Colours, found: &Found) {
    for value in &mut colours.values {
        if found.output_order == Channels::Bgr {
            value.swap(0, 2);
        }
        for at in 0..3 {
            let (black, white) = (found.output.black[at], found.output.white[at]);
            value[at] = ((value[at] - black) / (white - black)).clamp(0.0, 1.0);
        }
    }
}

/// An output's values, three a pixel; `None` when some are not numbers.
pub(super) fn raw(output: &Output, drawn: Drawn, size: Size) -> Option<Colours> {
    let size = Size::new(size.width * drawn.scale, size.height * drawn.scale);
    let area = size.area();
    if output.values.len() != area * drawn.channels {
        return None;
    }
    if !output.values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let values = (0..area)
        .map(|at| match (drawn.channels, drawn.layout) {
            (1, _) => [output.values[at]; 3],
            (_, Layout::Planes) => [0, 1, 2].map(|plane| output.values[plane * area + at]),
            (_, Layout::Pixels) => [0, 1, 2].map(|channel| output.values[at * 3 + channel]),
        })
        .collect();
    Some(Colours { size, values })
}

/// Sets inputs of one number to what draws most.
fn settle_constants(network: &mut Network, probe: &Probe, pick: &Pick) -> Vec<String> {
    let mut reasons = Vec::new();
    for at in 0..network.extras.len() {
        if network.extras[at].kind != Extra::Constant || network.extras[at].values != [1.0] {
            continue;
        }
        let mut distance = |value: f32| {
            network.extras[at].values = vec![value];
            probe
                .draw(network, pick)
                .map_or(0.0, |drawing| drawing.distance(&probe.seen))
        };
        let (at_zero, at_one) = (distance(0.0), distance(1.0));
        let value = if at_zero > at_one * 1.15 + 0.005 { 0.0 } else { 1.0 };
        network.extras[at].values = vec![value];
        let name = &network.extras[at].name;
        reasons.push(if (at_zero - at_one).abs() < 0.003 {
            format!("input \"{name}\": 1; 0 draws the same")
        } else {
            format!(
                "input \"{name}\": {value}, because that changes the picture more ({:.3} against {:.3}); how strong a drawing is seen is mixed in afterwards",
                at_zero.max(at_one),
                at_zero.min(at_one)
            )
        });
    }
    reasons
}

/// Ids and names of the styles.
fn styles(
    network: &mut Network,
    probe: &Probe,
    pick: &Pick,
    names: &Names<'_>,
) -> Result<Vec<(String, String)>, Refusal> {
    let count = match network.extras.iter().position(|extra| extra.kind != Extra::Constant) {
        None => 1,
        Some(at) => match network.extras[at].kind {
            Extra::Weights | Extra::Map(_) => network.extras[at].values.len(),
            Extra::StylePicture => names.pictures.max(1),
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
        .map(|at| {
            (
                format!("{}-{at}", names.id),
                format!("{} {at}", names.name),
            )
        })
        .collect())
}
