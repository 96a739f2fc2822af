//! Saves the settings a while after the last change, and at the end.
//!
//! Only what was changed in the window goes into the file: an option of the command line holds
//! for one run.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::settings::{
    CaptureSettings, InferenceSettings, LookSettings, ProgramSettings, RetouchSettings,
    ServerSettings, Settings, ShotSettings, WindowSettings,
};

/// This long after the last change the file is written.
const QUIET: Duration = Duration::from_secs(1);

/// What is in the file and when it is to be written again.
pub struct Saving {
    path: PathBuf,
    /// What the window started with: the file, and the command line over it.
    start: Settings,
    /// What is in the file.
    file: Settings,
    latest: Settings,
    changed: Option<Instant>,
}

impl Saving {
    /// For the file at `path`; the window starts with `start`.
    pub fn new(path: PathBuf, start: Settings) -> Self {
        // Its warnings were told by whoever read it first.
        let (file, _) = Settings::load(&path);
        Self {
            path,
            latest: start.clone(),
            start,
            file,
            changed: None,
        }
    }

    /// The settings file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at `settings`; writes them when they have been quiet long enough. Gives how long to
    /// wait before asking again, `None` when there is nothing to write.
    ///
    /// # Errors
    /// When the file cannot be written. It is tried again only after the next change.
    pub fn follow(&mut self, settings: &Settings) -> io::Result<Option<Duration>> {
        if *settings != self.latest {
            self.latest = settings.clone();
            self.changed = Some(Instant::now());
        }
        let Some(changed) = self.changed else {
            return Ok(None);
        };
        let quiet = changed.elapsed();
        if quiet < QUIET {
            return Ok(Some(QUIET.saturating_sub(quiet)));
        }
        self.changed = None;
        self.write()?;
        Ok(None)
    }

    /// Writes `settings` now when they are not in the file yet.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_now(&mut self, settings: &Settings) -> io::Result<()> {
        self.latest = settings.clone();
        self.changed = None;
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let wanted = with_changes(&self.file, &self.start, &self.latest);
        if wanted != self.file {
            wanted.save(&self.path)?;
            self.file = wanted;
            // From here on the file has these: changing one back is a change too.
            self.start = self.latest.clone();
        }
        Ok(())
    }
}

/// `file` with what differs between `start` and `now`.
fn with_changes(file: &Settings, start: &Settings, now: &Settings) -> Settings {
    fn pick<T: PartialEq + Clone>(file: &T, start: &T, now: &T) -> T {
        if start == now { file } else { now }.clone()
    }
    macro_rules! section {
        ($section:ident: $name:ident { $($field:ident),* }) => {
            $name {
                $($field: pick(
                    &file.$section.$field,
                    &start.$section.$field,
                    &now.$section.$field,
                ),)*
            }
        };
    }
    Settings {
        capture: section!(capture: CaptureSettings { source, format, turn }),
        look: section!(look: LookSettings { style, strength, page, mirror, effects_off, effect_strengths, texts }),
        retouch: section!(retouch: RetouchSettings { skin_tone, smoothing, lines, transition }),
        program: section!(program: ProgramSettings { size, fps }),
        shots: section!(shots: ShotSettings { countdown, goes_on, file, print, clip, scroll }),
        inference: section!(inference: InferenceSettings { provider, threads, quality, close_ups, memory_mb }),
        server: section!(server: ServerSettings { enabled, listen, token }),
        window: section!(window: WindowSettings { language, panel_open, size }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_written_once_it_is_quiet_and_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let mut settings = Settings::default();
        let mut saving = Saving::new(path.clone(), settings.clone());
        saving.save_now(&settings).unwrap();
        assert!(!path.exists(), "nothing has changed");

        settings.look.mirror = !settings.look.mirror;
        assert!(saving.follow(&settings).unwrap().is_some());
        assert!(!path.exists());
        saving.changed = saving.changed.map(|changed| changed - QUIET);
        assert_eq!(saving.follow(&settings).unwrap(), None);
        assert_eq!(Settings::load(&path).0, settings);

        settings.look.strength = 0.5;
        saving.save_now(&settings).unwrap();
        assert_eq!(Settings::load(&path).0, settings);
    }

    #[test]
    fn options_of_the_command_line_are_not_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let mut file = Settings::default();
        file.look.style = "noir".to_owned();
        file.save(&path).unwrap();

        let mut settings = file.clone();
        settings.look.style = "clean".to_owned();
        settings.program.fps = 24;
        let mut saving = Saving::new(path.clone(), settings.clone());
        settings.look.strength = 0.25;
        saving.save_now(&settings).unwrap();
        let saved = Settings::load(&path).0;
        assert_eq!(
            (saved.look.style.as_str(), saved.look.strength),
            ("noir", 0.25)
        );
        assert_eq!(saved.program.fps, file.program.fps);

        settings.look.style = "ink".to_owned();
        saving.save_now(&settings).unwrap();
        assert_eq!(Settings::load(&path).0.look.style, "ink");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        let mut saving = Saving::new(folder.path().to_owned(), settings.clone());
        settings.look.mirror = !settings.look.mirror;
        saving.follow(&settings).unwrap();
        saving.changed = saving.changed.map(|changed| changed - QUIET);
        assert!(saving.follow(&settings).is_err());
        assert_eq!(saving.follow(&settings).unwrap(), None);
    }
}
