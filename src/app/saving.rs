//! Saves the settings a while after the last change, and at the end.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::settings::Settings;

/// This long after the last change the file is written.
const QUIET: Duration = Duration::from_secs(1);

/// What is in the file and when it is to be written again.
pub struct Saving {
    path: PathBuf,
    saved: Settings,
    latest: Settings,
    changed: Option<Instant>,
}

impl Saving {
    /// For the file at `path`, of which `settings` are known.
    pub fn new(path: PathBuf, settings: Settings) -> Self {
        Self {
            path,
            latest: settings.clone(),
            saved: settings,
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
        if self.latest != self.saved {
            self.latest.save(&self.path)?;
            self.saved = self.latest.clone();
        }
        Ok(())
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
