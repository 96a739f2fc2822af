//! What a user chose and panelcam remembers.
//!
//! Priority: command line, then the settings file, then these defaults. Reading is infallible: a
//! section that is wrong becomes its default and a warning says so. Keys that this version does
//! not know survive rewriting.

mod retouch;
mod server;
mod shots;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use retouch::{RetouchSettings, Transition};
pub use server::{Listen, NoAddress, ServerSettings};
pub use shots::{ShotSettings, StripClip, StripFile};

use crate::frame::Size;
use crate::source::{Source, Turn};

/// All settings, a section a part of the program.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Settings {
    /// Where frames come from.
    pub capture: CaptureSettings,
    /// How people are drawn.
    pub look: LookSettings,
    /// What is done to drawings, whatever the model.
    pub retouch: RetouchSettings,
    /// The final picture.
    pub program: ProgramSettings,
    /// How shots are taken and strips are saved.
    pub shots: ShotSettings,
    /// The generator's engine.
    pub inference: InferenceSettings,
    /// Whether other programs may ask for things, and where.
    pub server: ServerSettings,
    /// The window.
    pub window: WindowSettings,
}

/// Where frames come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaptureSettings {
    /// The source.
    pub source: Source,
    /// The camera format asked for, written `MJPEG 1280x720 30`; `None`: the best by measured rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// How a camera's pictures are turned to stand upright.
    pub turn: Turn,
}

impl CaptureSettings {
    /// How the pictures of the source are turned: those of files stand as they should.
    pub const fn turn_of_source(&self) -> Turn {
        if self.source.is_live() {
            self.turn
        } else {
            Turn::None
        }
    }
}

/// How people are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookSettings {
    /// Id of the style.
    pub style: String,
    /// 0 is the camera's picture, 1 the full drawing.
    pub strength: f32,
    /// Id of the page, a path to an SVG, or `none`.
    pub page: String,
    /// Whether people see themselves as in a mirror.
    pub mirror: bool,
    /// Effects of pages that are switched off: kinds (`rain`), or all that follows `fx-` in a name
    /// (`rain-left`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effects_off: Vec<String>,
    /// How strong effects of pages are, by kind: 0 to 2, 1 is as the artist drew them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub effect_strengths: BTreeMap<String, f32>,
    /// What words and bubbles say in place of what the artist wrote. Keys are `page/name`; an
    /// empty text shows nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
}

impl LookSettings {
    /// The most letters of a text that are kept.
    pub const LONGEST_TEXT: usize = 2000;

    /// How strong effects of this kind are.
    pub fn effect_strength(&self, kind: &str) -> f32 {
        self.effect_strengths.get(kind).copied().unwrap_or(1.0)
    }

    /// Makes effects of this kind so strong.
    pub fn set_effect_strength(&mut self, kind: &str, strength: f32) {
        // As the artist drew it is nothing to be kept.
        if strength == 1.0 {
            self.effect_strengths.remove(kind);
        } else {
            self.effect_strengths.insert(kind.to_owned(), strength);
        }
    }

    /// The texts of the page with this id, by the names of its words and bubbles.
    pub fn texts_of(&self, page: &str) -> BTreeMap<String, String> {
        let name = |key: &str| Some(key.strip_prefix(page)?.strip_prefix('/')?.to_owned());
        self.texts
            .iter()
            .filter_map(|(key, text)| Some((name(key)?, text.clone())))
            .collect()
    }

    /// Says `text` at `name` of a page; `None`: what the artist wrote.
    pub fn set_text(&mut self, page: &str, name: &str, text: Option<String>) {
        let key = format!("{page}/{name}");
        match text {
            Some(text) => self.texts.insert(key, text),
            None => self.texts.remove(&key),
        };
    }
}

/// The final picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgramSettings {
    /// Size of the program. The page is fitted into it. `None`: as large as the page says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Pictures a second at most, 1 to 240.
    pub fps: u32,
}

/// The generator's engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InferenceSettings {
    /// What runs the generator.
    pub provider: Provider,
    /// CPU threads; `None`: as measured at the first start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// How large the generator draws.
    pub quality: Quality,
    /// Whether faces that are small in a drawing are drawn again, larger.
    pub close_ups: bool,
    /// Memory for models that are not in use but may be again, in MiB: styles that are in it are
    /// switched to at once.
    pub memory_mb: u32,
}

/// The window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowSettings {
    /// Language of the control panel.
    pub language: Language,
    /// Whether the control panel is shown.
    pub panel_open: bool,
    /// Size of the window in points when it is neither full screen nor maximised; `None` until
    /// somebody changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

/// What runs the generator.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The fastest that gives right pictures.
    #[default]
    Auto,
    /// ONNX Runtime's own CPU code.
    Cpu,
    /// Any GPU, through WebGPU.
    Webgpu,
    /// NVIDIA.
    Cuda,
    /// NVIDIA, compiled engines.
    Tensorrt,
    /// NVIDIA RTX, compiled engines.
    #[serde(rename = "tensorrt-rtx")]
    #[value(name = "tensorrt-rtx")]
    TensorrtRtx,
    /// Apple.
    Coreml,
    /// Windows GPUs.
    Directml,
    /// Intel.
    Openvino,
}

impl Provider {
    /// As written on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Webgpu => "webgpu",
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
            Self::TensorrtRtx => "tensorrt-rtx",
            Self::Coreml => "coreml",
            Self::Directml => "directml",
            Self::Openvino => "openvino",
        }
    }

    /// As its makers write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto | Self::Cpu => "CPU",
            Self::Webgpu => "WebGPU",
            Self::Cuda => "CUDA",
            Self::Tensorrt => "TensorRT",
            Self::TensorrtRtx => "TensorRT-RTX",
            Self::Coreml => "Core ML",
            Self::Directml => "DirectML",
            Self::Openvino => "OpenVINO",
        }
    }
}

/// How large the generator draws; the program may be larger.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// The largest that keeps the camera's rate on this machine.
    #[default]
    Auto,
    /// Long side about 448 pixels.
    Fast,
    /// Long side about 640 pixels.
    Balanced,
    /// Long side about 960 pixels.
    Fine,
    /// As large as the frame.
    Full,
}

impl Quality {
    /// All but `Auto`, from the quickest to the finest.
    pub const STEPS: [Self; 4] = [Self::Fast, Self::Balanced, Self::Fine, Self::Full];

    /// Longest side of the generator's picture in pixels; `None` for `Auto` and `Full`.
    pub fn long_side(self) -> Option<u32> {
        match self {
            Self::Auto | Self::Full => None,
            Self::Fast => Some(448),
            Self::Balanced => Some(640),
            Self::Fine => Some(960),
        }
    }
}

/// Language of what people read.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];

    /// As ISO 639-1 names it.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language the system speaks (`LC_ALL`, `LC_MESSAGES`, `LANG`), English when it is
    /// neither of ours.
    pub fn of_system() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        match locale {
            Some(locale) if locale.starts_with("ko") => Self::Ko,
            _ => Self::En,
        }
    }
}

impl Default for LookSettings {
    fn default() -> Self {
        Self {
            style: "clean".to_owned(),
            strength: 1.0,
            page: "webtoon".to_owned(),
            mirror: true,
            effects_off: Vec::new(),
            effect_strengths: BTreeMap::new(),
            texts: BTreeMap::new(),
        }
    }
}

impl Default for InferenceSettings {
    fn default() -> Self {
        Self {
            provider: Provider::default(),
            threads: None,
            quality: Quality::default(),
            close_ups: true,
            memory_mb: 1536,
        }
    }
}

impl Default for ProgramSettings {
    fn default() -> Self {
        Self {
            size: None,
            fps: 60,
        }
    }
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self {
            language: Language::of_system(),
            panel_open: true,
            size: None,
        }
    }
}

/// What is published to the running stages: the settings and what lasts only while a key is held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Control {
    /// The settings now.
    pub settings: Settings,
    /// Whether the camera's picture is shown in place of the drawing, to compare.
    pub compare: bool,
}

/// Keys that mean something by being absent: an old one must not survive rewriting.
const OPTIONAL_KEYS: [&str; 7] = [
    "format",
    "size",
    "threads",
    "effects_off",
    "effect_strengths",
    "texts",
    "token",
];

impl Settings {
    /// Reads the file at `path`. A missing file gives the defaults and no warning; everything
    /// wrong gives a default and a warning.
    pub fn load(path: &Path) -> (Self, Vec<String>) {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Self::default(), Vec::new()),
            Err(error) => (
                Self::default(),
                vec![format!(
                    "The settings cannot be read: {error}. Defaults are used. ({})",
                    path.display()
                )],
            ),
        }
    }

    fn parse(text: &str, path: &Path) -> (Self, Vec<String>) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let error: toml::de::Error = error;
                return (
                    Self::default(),
                    vec![format!(
                        "The settings are not valid TOML: {}. Defaults are used. ({})",
                        error.message(),
                        path.display()
                    )],
                );
            }
        };
        let mut warnings = Vec::new();
        let mut settings = Self {
            capture: section(&table, "capture", path, &mut warnings),
            look: section(&table, "look", path, &mut warnings),
            retouch: section(&table, "retouch", path, &mut warnings),
            program: section(&table, "program", path, &mut warnings),
            shots: section(&table, "shots", path, &mut warnings),
            inference: section(&table, "inference", path, &mut warnings),
            server: section(&table, "server", path, &mut warnings),
            window: section(&table, "window", path, &mut warnings),
        };
        settings.look.strength = share(settings.look.strength, 1.0);
        for strength in settings.look.effect_strengths.values_mut() {
            *strength = 2.0 * share(*strength / 2.0, 0.5);
        }
        let RetouchSettings {
            skin_tone,
            smoothing,
            lines,
            transition: _,
        } = &mut settings.retouch;
        for value in [skin_tone, smoothing, lines] {
            *value = share(*value, 0.0);
        }
        settings.program.fps = settings.program.fps.clamp(1, 240);
        settings.shots.countdown = settings.shots.countdown.min(10);
        (settings, warnings)
    }

    /// Writes the settings to `path`, whole or not at all. Keys in the file that panelcam does
    /// not know are kept.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let mut table: toml::Table = fs::read_to_string(path)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        let ours = toml::Table::try_from(self).map_err(io::Error::other)?;
        for (name, section) in ours {
            let entry = table
                .entry(name.clone())
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            match (entry.as_table_mut(), section) {
                (Some(old), toml::Value::Table(new)) => {
                    for key in OPTIONAL_KEYS {
                        old.remove(key);
                    }
                    old.extend(new);
                }
                (_, new) => *entry = new,
            }
        }
        let text = toml::to_string_pretty(&table).map_err(io::Error::other)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// A number from 0 to 1.
fn share(value: f32, otherwise: f32) -> f32 {
    if value.is_finite() {
        value.clamp(0.0, 1.0)
    } else {
        otherwise
    }
}

fn section<T: DeserializeOwned + Default>(
    table: &toml::Table,
    name: &str,
    path: &Path,
    warnings: &mut Vec<String>,
) -> T {
    let Some(value) = table.get(name) else {
        return T::default();
    };
    value
        .clone()
        .try_into()
        .unwrap_or_else(|error: toml::de::Error| {
            warnings.push(format!(
                "The settings under [{name}] are wrong: {}. Their defaults are used. ({})",
                error.message().trim(),
                path.display()
            ));
            T::default()
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> (Settings, Vec<String>) {
        Settings::parse(text, Path::new("settings.toml"))
    }

    #[test]
    fn a_wrong_section_is_its_default_and_the_others_stay() {
        let (settings, warnings) =
            parse("[look]\nstrength = \"much\"\n[program]\nfps = 25\nsize = \"640x360\"");
        assert_eq!(settings.look, LookSettings::default());
        assert_eq!(
            settings.program,
            ProgramSettings {
                size: Some(Size::new(640, 360)),
                fps: 25
            }
        );
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("[look]"), "{warnings:?}");
    }

    #[test]
    fn values_out_of_range_are_brought_back() {
        let (settings, _) = parse("[look]\nstrength = 7.5\n[program]\nfps = 0");
        assert_eq!((settings.look.strength, settings.program.fps), (1.0, 1));
        assert_eq!(parse("[look]\nstrength = nan").0.look.strength, 1.0);
        let (settings, _) = parse("[look.effect_strengths]\nrain = 9.0\nfocus = nan\ngloom = 0.5");
        let strength = |kind| settings.look.effect_strength(kind);
        assert_eq!(
            ["rain", "focus", "gloom", "shock"].map(strength),
            [2.0, 1.0, 0.5, 1.0]
        );
    }

    #[test]
    fn what_is_saved_is_loaded_and_unknown_keys_survive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/settings.toml");
        let mut settings = Settings::default();
        settings.look.style = "noir".to_owned();
        settings.inference.threads = Some(3);
        settings.look.set_effect_strength("rain", 0.4);
        settings.look.effects_off.push("focus".to_owned());
        settings.save(&path).unwrap();
        assert_eq!(Settings::load(&path), (settings.clone(), vec![]));

        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("\n[kiosk]\nidle_secs = 30\n");
        fs::write(&path, &text).unwrap();
        settings.inference.threads = None;
        settings.look.set_effect_strength("rain", 1.0);
        settings.look.effects_off.clear();
        settings.save(&path).unwrap();
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .contains("idle_secs = 30")
        );
        assert_eq!(Settings::load(&path), (settings, vec![]));
    }

    #[test]
    fn a_folder_in_place_of_the_file_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let (settings, warnings) = Settings::load(folder.path());
        assert_eq!(settings, Settings::default());
        assert_eq!(warnings.len(), 1);
        assert!(settings.save(folder.path()).is_err());
    }

    proptest! {
        #[test]
        fn any_text_gives_settings(text in ".*") {
            let (settings, _) = parse(&text);
            prop_assert!((0.0..=1.0).contains(&settings.look.strength));
        }
    }
}
