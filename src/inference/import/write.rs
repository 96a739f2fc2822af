//! The description of a network as a `model.toml` that a person can correct.

use super::super::tensor::{Channels, Layout};
use super::coding::Range;
use super::network::{Extra, ExtraInput};
use crate::frame::Size;

/// All that goes into a `model.toml`.
pub(super) struct Findings {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) sha256: String,
    /// Names and hashes.
    pub(super) external: Vec<(String, String)>,
    pub(super) size_multiple: u32,
    pub(super) fixed: Option<Size>,
    /// Pixels that tiles share; `None` for a letterbox.
    pub(super) overlap: Option<u32>,
    pub(super) scale: u32,
    pub(super) image: PortFindings,
    pub(super) picture: PortFindings,
    pub(super) matte: Option<String>,
    pub(super) extras: Vec<ExtraInput>,
    /// Ids, and names for people.
    pub(super) styles: Vec<(String, String)>,
    /// Numbers of each style, of a network that takes those.
    pub(super) features: Vec<Vec<f32>>,
    /// Lines of reasoning.
    pub(super) reasons: Vec<String>,
}

/// An input or output that holds a picture.
pub(super) struct PortFindings {
    pub(super) name: String,
    pub(super) layout: Layout,
    pub(super) channels: Channels,
    pub(super) range: Range,
}

/// File name of a style's picture, below the model's folder.
pub(super) fn style_picture(channel: usize) -> String {
    format!("styles/{}.png", channel + 1)
}

impl Findings {
    /// The text of `model.toml`.
    pub(super) fn toml(&self) -> String {
        let mut lines =
            vec!["# Written by `panelcam styles add`. What was found, and why:".to_owned()];
        lines.extend(
            self.reasons
                .iter()
                .map(|reason| format!("# - {}", plain(reason))),
        );
        lines.extend([
            "# Where that is wrong, correct it below; the program reads it at its next start."
                .to_owned(),
            String::new(),
            format!("id = {}", quoted(&self.id)),
            format!("name = {}", quoted(&self.name)),
            "kind = \"generator\"".to_owned(),
            format!("file = {}", quoted(&self.file)),
            format!("sha256 = \"{}\"", self.sha256),
            "licence = \"unknown\" # ask its makers before it is used in public".to_owned(),
        ]);
        match self.fixed {
            Some(size) => {
                lines.push(format!("size = [{}, {}]", size.width, size.height));
                match self.overlap {
                    Some(overlap) => {
                        lines.push("fit = \"tiles\" # or \"letterbox\"".to_owned());
                        lines.push(format!("overlap = {overlap}"));
                    }
                    None => lines
                        .push("fit = \"letterbox\" # or \"tiles\", with overlap = 32".to_owned()),
                }
            }
            None => lines.push(format!("size_multiple = {}", self.size_multiple)),
        }
        if self.scale != 1 {
            lines.push(format!("scale = {}", self.scale));
        }
        for (file, sha256) in &self.external {
            lines.extend([
                String::new(),
                "[[external]]".to_owned(),
                format!("file = {}", quoted(file)),
                format!("sha256 = \"{sha256}\""),
            ]);
        }
        lines.extend([String::new(), "[image]".to_owned()]);
        lines.extend(self.image.lines());
        for extra in &self.extras {
            lines.push(String::new());
            lines.extend(extra_lines(extra));
        }
        lines.extend([String::new(), "[picture]".to_owned()]);
        lines.extend(self.picture.lines());
        if let Some(matte) = &self.matte {
            lines.extend([
                String::new(),
                "[matte]".to_owned(),
                format!("name = {}", quoted(matte)),
            ]);
        }
        let pictures = self
            .extras
            .iter()
            .any(|extra| extra.kind == Extra::StylePicture);
        for (channel, (id, name)) in self.styles.iter().enumerate() {
            lines.extend([
                String::new(),
                "[[styles]]".to_owned(),
                format!("id = {}", quoted(id)),
                format!("channel = {channel}"),
                format!("name.en = {}", quoted(name)),
            ]);
            if pictures {
                lines.push(format!("picture = {}", quoted(&style_picture(channel))));
            }
            if let Some(numbers) = self.features.get(channel) {
                lines.push(format!("values = {numbers:?}"));
            }
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

impl PortFindings {
    fn lines(&self) -> Vec<String> {
        let Self {
            name,
            layout,
            channels,
            range,
        } = self;
        let even = |values: [f32; 3]| values.iter().all(|value| *value == values[0]);
        let ends = if even(range.black) && even(range.white) {
            format!("[{:?}, {:?}]", range.black[0], range.white[0])
        } else {
            let each: Vec<String> = (0..3)
                .map(|at| format!("[{:?}, {:?}]", range.black[at], range.white[at]))
                .collect();
            format!("[{}] # red, green, blue", each.join(", "))
        };
        vec![
            format!("name = {}", quoted(name)),
            format!(
                "layout = \"{}\"",
                match layout {
                    Layout::Planes => "nchw",
                    Layout::Pixels => "nhwc",
                }
            ),
            format!("range = {ends}"),
            format!(
                "channels = \"{}\"",
                match channels {
                    Channels::Rgb => "rgb",
                    Channels::Bgr => "bgr",
                    Channels::Grey => "grey",
                }
            ),
        ]
    }
}

fn extra_lines(extra: &ExtraInput) -> Vec<String> {
    let name = format!("name = {}", quoted(&extra.name));
    let style = |kind: &str, more: &[String]| {
        let mut lines = vec![
            "[style]".to_owned(),
            name.clone(),
            format!("kind = \"{kind}\""),
        ];
        lines.extend_from_slice(more);
        lines
    };
    match extra.kind {
        Extra::Constant => {
            let fed = match (extra.weakest, &extra.values[..]) {
                (Some(weakest), [full]) => {
                    format!("strength = [{weakest:?}, {full:?}] # at strength 0, at strength 1")
                }
                (_, [value]) => format!("value = {value:?}"),
                (_, values) => format!("value = {values:?}"),
            };
            vec!["[[inputs]]".to_owned(), name, fed]
        }
        Extra::Weights => style("weights", &[format!("channels = {}", extra.values.len())]),
        Extra::Index => style("index", &[]),
        Extra::StylePicture => style("picture", &[]),
        Extra::Features => style("values", &[]),
        Extra::Map(cell) => style(
            "map",
            &[
                format!("cell = {cell}"),
                format!("channels = {}", extra.values.len()),
            ],
        ),
    }
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Without line ends: it becomes a comment.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
