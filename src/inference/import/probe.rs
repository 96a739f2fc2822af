//! A test picture, drawn by a network in every usual coding, and the coding that is right.

use super::super::tensor::{Channels, Coding, Layout};
use super::super::values::Element;
use super::Refusal;
use super::card::{Card, Colours, Likeness};
use super::coding::{self, Found, INPUTS, OF_BYTES, Trial};
use super::evidence::{self, Head, Tail};
use super::network::{Network, Output, out_of_memory};
use super::onnx::Onnx;
use super::roles::{self, Drawn};
use super::sizing::Sized;
use crate::frame::{Picture, Size};

/// About the side of the pictures that codings are compared with.
const PROBE_SIDE: u32 = 144;
/// Pictures are compared at most at this side.
const COMPARED_SIDE: u32 = 160;
/// One channel with fewer edges, and less like those of the picture, is a mask: a drawing in grey
/// has lines within what it shows.
const MASK_BUSY: f32 = 0.25;
const MASK_EDGES: f32 = 0.6;
/// A drawing of lines alone has many, and they lie along the picture's edges: on both sides of
/// one, so that its own edges are less like the picture's.
const LINED_BUSY: f32 = 0.35;
const LINED: f32 = 0.55;
/// Four channels whose first three are less like the picture's colours and edges are parts of it.
const FOUR_TINTS: f32 = 0.35;
const FOUR_EDGES: f32 = 0.35;

/// The pictures that codings are compared with.
pub(super) struct Probe {
    pub(super) picture: Picture,
    /// It, at the size at which pictures are compared.
    pub(super) seen: Colours,
    shrink: u32,
    /// Outputs that may be drawings.
    drawings: Vec<(String, Drawn, bool)>,
    head: Option<Head>,
    /// What the network turns into 8 bits first, and which range that is.
    fed: Option<([f32; 2], coding::Range)>,
    tails: Vec<Option<Tail>>,
}

/// The output and coding that were found.
pub(super) struct Pick {
    pub(super) found: Found,
    pub(super) output: String,
    pub(super) drawn: Drawn,
    pub(super) matte: Option<String>,
    pub(super) reasons: Vec<String>,
}

impl Probe {
    pub(super) fn new(network: &Network, card: &Card, sized: &Sized, onnx: &Onnx) -> Self {
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
            fed: evidence::fed(onnx, &network.image.name)
                .and_then(|range| Some((range, coding::fed(range)?))),
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

    pub(super) fn find_coding(&self, network: &mut Network) -> Result<Pick, Refusal> {
        let in_bytes = network.image.element == Element::U8;
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
                            fed: self.fed.is_some_and(|(_, meant)| meant == range),
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
        // Three colours before four channels or one: the other is a matte or parts.
        let colours_first = |all: &mut Vec<(usize, Found)>| {
            let channels = |at: usize| self.drawings[at].1.channels;
            let has = |count: &usize| all.iter().any(|(at, _)| channels(*at) == *count);
            if let Some(most) = [3, 4].into_iter().find(has) {
                all.retain(|(at, _)| channels(*at) == most);
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
            } else if failure.is_empty() {
                flat()
            } else {
                does_not_run(&failure)
            });
        };
        let (output, drawn, _) = self.drawings[at].clone();
        self.judge(&all, &found, at)?;
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
    fn judge(&self, all: &[(usize, Found)], found: &Found, at: usize) -> Result<(), Refusal> {
        let drawn = self.drawings[at].1;
        let likeness = &found.likeness;
        let fix = "Take a network that turns a picture into a picture";
        if drawn.channels == 4 && (likeness.tints.abs() < FOUR_TINTS || likeness.edges < FOUR_EDGES)
        {
            return Err(Refusal::new(
                format!(
                    "it gives 4 channels, and the first three are not a drawing's red, green and blue (colours {:.0} %, edges {:.0} % alike): they seem to tell parts of a picture apart",
                    likeness.tints * 100.0,
                    likeness.edges * 100.0
                ),
                "Take a network that turns a picture into a picture, or export it with three channels",
            ));
        }
        if likeness.contrast < 0.05 {
            return Err(flat());
        }
        // A wrong input makes noise of a mask: any right one tells.
        let flattest = all
            .iter()
            .filter(|(other, _)| *other == at)
            .map(|(_, found)| found.likeness)
            .filter(|likeness| likeness.busy < MASK_BUSY && !follows(likeness))
            .map(|likeness| likeness.busy)
            .reduce(f32::min);
        if let Some(busy) = flattest
            && drawn.channels == 1
            && !follows(likeness)
        {
            return Err(Refusal::new(
                format!(
                    "its only output is one channel, flat but for outlines ({:.0} % of it are edges): a mask that tells parts of a picture apart, not a drawing",
                    busy * 100.0
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
            "picture: the output \"{name}\"{}{}, because {}",
            match drawn.scale {
                1 => String::new(),
                scale => format!(", {scale} times the size of what it sees"),
            },
            if drawn.channels == 4 {
                ", its fourth channel left out"
            } else {
                ""
            },
            if self.drawings.len() == 1 {
                "it is the only one with the shape of a picture".to_owned()
            } else {
                format!(
                    "it is most like the picture of {} outputs",
                    self.drawings.len()
                )
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
        } else if let Some(([least, most], meant)) = self.fed
            && meant == found.input
        {
            format!("it turns values from {least:.2} to {most:.2} into 8 bits first")
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
                    "; with {} it is nearly the same: correct it in model.toml if colours look wrong",
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
            None => {
                "the drawing then has the picture's light and little of it is cut off".to_owned()
            }
        };
        reasons.push(format!(
            "value range of the drawing: {output}, because {why}"
        ));
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
        // A negative is the more like its picture, the more unlike it is in colours.
        let (sign, alike) = if likeness.light < 0.0 {
            (-1.0, "alike, as of a negative")
        } else {
            (1.0, "alike")
        };
        let (own, other) = (sign * likeness.tints, sign * other);
        let why = match found.input_order {
            Channels::Grey => "it takes one channel".to_owned(),
            _ if drawn.channels == 1 => "that is usual, and it draws in grey".to_owned(),
            Channels::Bgr if head => {
                "its first operators take the means of blue, green and red off".to_owned()
            }
            Channels::Rgb if found.output_order == Channels::Rgb && other + 0.02 > own => format!(
                "that is usual, and another order {} (colours {} and {} {alike})",
                if other - 0.02 > own {
                    "is not clearly better"
                } else {
                    "draws the same"
                },
                percent(own),
                percent(other)
            ),
            _ => format!(
                "colours are {} {alike}, in another order {}",
                percent(own),
                percent(other)
            ),
        };
        reasons.push(format!(
            "channels: {} in, {} out, because {why}",
            order(found.input_order),
            order(if drawn.channels == 1 {
                Channels::Grey
            } else {
                found.output_order
            }),
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

/// Whether one channel has its edges or lines where the picture has edges, as no mask has.
fn follows(likeness: &Likeness) -> bool {
    likeness.edges >= MASK_EDGES || likeness.lines >= LINED && likeness.busy >= LINED_BUSY
}

fn flat() -> Refusal {
    Refusal::new(
        "what it draws is one flat colour, whatever is fed to it".to_owned(),
        "Take a network that turns a picture into a picture",
    )
}

/// Raw values to colours from 0 to 1.
pub(super) fn normalise(colours: &mut Colours, found: &Found) {
    for value in &mut colours.values {
        if found.output_order == Channels::Bgr {
            value.swap(0, 2);
        }
        let ends = found.output.black.iter().zip(&found.output.white);
        for (value, (black, white)) in value.iter_mut().zip(ends) {
            *value = ((*value - black) / (white - black)).clamp(0.0, 1.0);
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
            (count, Layout::Pixels) => [0, 1, 2].map(|channel| output.values[at * count + channel]),
        })
        .collect();
    Some(Colours { size, values })
}

pub(super) fn does_not_run(why: &str) -> Refusal {
    out_of_memory(why).unwrap_or_else(|| {
        Refusal::new(
            format!("it loads, but does not run on a small picture: {why}"),
            "Export it with pictures of any size",
        )
    })
}

pub(super) fn base_coding(network: &Network) -> Coding {
    let range = if network.image.element == Element::U8 {
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
