//! Finds a pip that goes on where a connection was cut.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::fetch::download;
use super::table::Machine;
use super::wheel;
use super::{ProviderError, table::Wheel};

/// The first pip that goes on instead of beginning anew.
const RESUMES: (u32, u32) = (25, 1);
/// The pip that is fetched where the machine's own is older: it runs out of its wheel.
const NEWER: (&str, &str) = (
    "25.3",
    "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd",
);
/// What runs Python, with what comes before the rest.
const PYTHONS: [(&str, &[&str]); 3] = [("python3", &[]), ("python", &[]), ("py", &["-3"])];

/// A pip.
#[derive(Clone, Debug)]
pub(super) struct Pip {
    pub(super) program: OsString,
    /// What comes before what pip is told.
    pub(super) first: Vec<OsString>,
}

impl Pip {
    /// The machine's own pip, or a newer one out of `cache` where that is too old to go on with a
    /// cut file. That one is fetched the first time; if it cannot be, the machine's own serves.
    pub(super) fn find(cache: &Path, say: &mut dyn FnMut(&str)) -> Result<Self, ProviderError> {
        let own = PYTHONS.into_iter().find_map(|(program, first)| {
            let own = Self::of(program, first, "-m".into(), Some("pip".into()));
            own.version().map(|version| (program, first, own, version))
        });
        let (program, first, own, version) = own.ok_or(ProviderError::NoPip)?;
        if version >= RESUMES {
            return Ok(own);
        }
        let newer = wheel::find(cache, NEWER.1).or_else(|| {
            say(&format!("Fetching pip {}.", NEWER.0));
            let wheel = Wheel {
                package: "pip",
                version: NEWER.0,
                machine: Machine::here()?,
                sha256: NEWER.1,
                unpacked: 0,
            };
            download(&own, &wheel, cache, say).ok()
        });
        let newer =
            newer.map(|wheel: PathBuf| Self::of(program, first, wheel.join("pip").into(), None));
        // A Python that is too old for it does not run it.
        Ok(newer.filter(|pip| pip.version().is_some()).unwrap_or(own))
    }

    fn of(program: &str, first: &[&str], runs: OsString, what: Option<OsString>) -> Self {
        let first = first.iter().map(OsString::from);
        Self {
            program: program.into(),
            first: first.chain([runs]).chain(what).collect(),
        }
    }

    /// Whether it goes on with a cut file.
    #[cfg(test)]
    pub(super) fn resumes(&self) -> bool {
        self.version() >= Some(RESUMES)
    }

    /// A command that runs it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.first);
        command
    }

    /// `None` when it does not run.
    fn version(&self) -> Option<(u32, u32)> {
        let said = self
            .command()
            .arg("--version")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|said| said.status.success())?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        // `pip 25.3 from ...`
        let mut numbers = said.split_whitespace().nth(1)?.split('.');
        let major = numbers.next()?.parse().ok()?;
        Some((major, numbers.next().and_then(|minor| minor.parse().ok())?))
    }
}
