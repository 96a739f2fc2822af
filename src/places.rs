//! Where panelcam keeps its files.

use std::path::{Path, PathBuf};

/// The folders of this user. `PANELCAM_HOME` puts all of them under one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `settings.toml`.
    pub config: PathBuf,
    /// Added styles, pages and runtimes.
    pub data: PathBuf,
    /// Measurements of this machine; may be deleted at any time.
    pub cache: PathBuf,
    /// Saved photos.
    pub pictures: PathBuf,
}

impl Places {
    /// The folders the system names; below the current folder when it names none.
    pub fn of_user() -> Self {
        if let Some(home) = std::env::var_os("PANELCAM_HOME").filter(|home| !home.is_empty()) {
            return Self::under(Path::new(&home));
        }
        let Some(project) = directories::ProjectDirs::from("", "", "panelcam") else {
            return Self::under(Path::new("panelcam-home"));
        };
        let pictures = directories::UserDirs::new()
            .and_then(|user| Some(user.picture_dir()?.join("panelcam")))
            .unwrap_or_else(|| project.data_dir().join("pictures"));
        Self {
            config: project.config_dir().to_owned(),
            data: project.data_dir().to_owned(),
            cache: project.cache_dir().to_owned(),
            pictures,
        }
    }

    /// All folders under `home`.
    pub fn under(home: &Path) -> Self {
        Self {
            config: home.join("config"),
            data: home.join("data"),
            cache: home.join("cache"),
            pictures: home.join("pictures"),
        }
    }

    /// The settings file.
    pub fn settings(&self) -> PathBuf {
        self.config.join("settings.toml")
    }
}
