//! The ffmpeg and ffprobe programs: finding them, asking what a video holds, running them.
//!
//! They run as child processes that are always ended and waited for: no zombie, no orphan.
//! What they say on standard error is kept, bounded, so that an error can say it in one line.

mod probe;
mod process;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

pub use probe::{Rational, VideoInfo, probe, probe_killable};
pub use process::{Killer, Process};

/// How to install both programs on this system.
#[cfg(target_os = "linux")]
pub const INSTALL: &str = "sudo apt install ffmpeg";
/// How to install both programs on this system.
#[cfg(target_os = "macos")]
pub const INSTALL: &str = "brew install ffmpeg";
/// How to install both programs on this system.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub const INSTALL: &str = "winget install ffmpeg";

/// Why ffmpeg or ffprobe could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum FfmpegError {
    /// The program is not on this machine.
    #[error(
        "{program} was not found, and videos need it. Install it with `{INSTALL}` and try again."
    )]
    Missing {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
    },
    /// The program is there and does not start.
    #[error("ffmpeg cannot be started: {error}. ({})", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It ended with an error.
    #[error("ffmpeg says: {said}. ({input})")]
    Failed {
        /// Its own last words, one line.
        said: String,
        /// The file or URL.
        input: String,
    },
    /// It gave no answer in time and was ended.
    #[error("The video gave no answer within {} seconds. Check that it can be reached. ({input})", limit.as_secs())]
    TimedOut {
        /// How long it had.
        limit: Duration,
        /// The file or URL.
        input: String,
    },
    /// There is no moving picture in it.
    #[error("There is no video in this file, only {holds}. Choose another one. ({input})")]
    NoVideo {
        /// What is in it.
        holds: &'static str,
        /// The file or URL.
        input: String,
    },
    /// ffprobe's answer makes no sense.
    #[error("The video's size or rate cannot be used: {why}. Convert it to mp4 first. ({input})")]
    Unusable {
        /// What is wrong with it.
        why: String,
        /// The file or URL.
        input: String,
    },
}

/// Where `program`, `ffmpeg` or `ffprobe`, is: beside panelcam's executable or on the `PATH`. A
/// folder named by `PANELCAM_FFMPEG_DIR` is the only place when it is set.
///
/// # Errors
/// [`FfmpegError::Missing`] with the command that installs it.
pub fn find(program: &'static str) -> Result<PathBuf, FfmpegError> {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let folders: Vec<PathBuf> = match std::env::var_os("PANELCAM_FFMPEG_DIR") {
        Some(folder) => vec![folder.into()],
        None => {
            let beside = std::env::current_exe()
                .ok()
                .and_then(|path| path.parent().map(Path::to_owned));
            let path = std::env::var_os("PATH").unwrap_or_default();
            beside
                .into_iter()
                .chain(std::env::split_paths(&path))
                .collect()
        }
    };
    folders
        .into_iter()
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
        .ok_or(FfmpegError::Missing { program })
}

/// A command that runs `program`, `ffmpeg` or `ffprobe`, quietly, with nothing on standard input.
///
/// # Errors
/// [`FfmpegError::Missing`].
pub fn command(program: &'static str) -> Result<Command, FfmpegError> {
    let mut command = Command::new(find(program)?);
    command.args(["-hide_banner", "-loglevel", "error"]);
    if program == "ffmpeg" {
        command.arg("-nostdin");
    }
    command.stdin(Stdio::null());
    Ok(command)
}

/// The arguments that make ffmpeg write every decoded frame exactly once, whatever its time:
/// `-fps_mode passthrough`, or what versions before 5.1 call it.
pub fn every_frame_once() -> [&'static str; 2] {
    static KNOWS_FPS_MODE: OnceLock<bool> = OnceLock::new();
    let modern = *KNOWS_FPS_MODE.get_or_init(|| {
        let Ok(mut command) = command("ffmpeg") else {
            return true;
        };
        let answer = command.arg("-version").stderr(Stdio::null()).output();
        // Builds from the development tree have no number ("N-112…"): they are new.
        answer
            .ok()
            .and_then(|answer| version_of(&String::from_utf8_lossy(&answer.stdout)))
            .is_none_or(|version| version >= (5, 1))
    });
    if modern {
        ["-fps_mode", "passthrough"]
    } else {
        ["-vsync", "passthrough"]
    }
}

fn version_of(banner: &str) -> Option<(u32, u32)> {
    let number = banner.strip_prefix("ffmpeg version ")?;
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    Some((
        parts.next()?.parse().ok()?,
        parts.next().and_then(|part| part.parse().ok()).unwrap_or(0),
    ))
}

/// What a video is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file on this machine. Whatever it says inside, nothing is fetched from a network.
    File(PathBuf),
    /// A video on a server. Whatever it says inside, no file of this machine is read.
    Url(String),
}

impl Input {
    /// The arguments that open it, `-i` included.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        match self {
            Self::File(path) => {
                arguments.extend(["-protocol_whitelist", "file,crypto,data"].map(Into::into));
                // The prefix keeps a name that looks like an option or a protocol a name.
                let mut named = OsString::from("file:");
                named.push(path);
                arguments.extend([OsString::from("-i"), named]);
            }
            Self::Url(url) => {
                let network = "http,https,httpproxy,tcp,tls,udp,rtp,rtsp,rtsps,srtp,rtmp,rtmps,\
                               rtmpt,srt,hls,crypto,data";
                arguments.extend(["-protocol_whitelist", network].map(Into::into));
                let scheme = url.split(':').next().unwrap_or_default();
                match scheme {
                    "http" | "https" => arguments
                        .extend(["-rw_timeout", "10000000", "-fflags", "nobuffer"].map(Into::into)),
                    "rtsp" | "rtsps" => arguments
                        .extend(["-rtsp_transport", "tcp", "-fflags", "nobuffer"].map(Into::into)),
                    _ => {}
                }
                arguments.extend(["-i".into(), OsString::from(url)]);
            }
        }
        arguments
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&without_password(url)),
        }
    }
}

/// A URL fit for a log: what stands before the `@` is left out.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let host_end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(
            version_of("ffmpeg version 5.1.9-0+deb12u1 Copy"),
            Some((5, 1))
        );
        assert_eq!(version_of("ffmpeg version 4.4.2"), Some((4, 4)));
        assert_eq!(version_of("ffmpeg version 7 Copyright"), Some((7, 0)));
        assert_eq!(version_of("ffmpeg version N-112-gabc"), None);
    }

    #[test]
    fn a_password_is_not_shown() {
        let url = Input::Url("rtsp://user:pass@cam.local/live?x=a@b".to_owned());
        assert_eq!(url.to_string(), "rtsp://cam.local/live?x=a@b");
        let plain = Input::Url("http://host/a@b.mp4".to_owned());
        assert_eq!(plain.to_string(), "http://host/a@b.mp4");
    }
}
