//! ffmpeg as a child process.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::FfmpegError;
use crate::worker::Worker;

/// How much of standard error is kept: the last bytes.
const KEPT_STDERR: usize = 8 * 1024;

/// A running ffmpeg or ffprobe. Dropping it ends the child and waits for it.
pub struct Process {
    /// Its standard input, when the command pipes it.
    pub stdin: Option<ChildStdin>,
    /// Its standard output, when the command pipes it.
    pub stdout: Option<ChildStdout>,
    child: Arc<Mutex<Child>>,
    words: Arc<Mutex<Vec<u8>>>,
    listener: Option<Worker>,
    input: String,
}

/// Ends a [`Process`] from another thread, so that a read of its output returns.
#[derive(Clone)]
pub struct Killer(Arc<Mutex<Child>>);

impl Killer {
    /// Ends the child at once. Harmless when it has ended already.
    pub fn kill(&self) {
        // The only error is that it has ended already.
        let _ = self.0.lock().kill();
    }
}

impl Process {
    /// Starts `command`; what it says on standard error is kept. `about` is the file or URL that
    /// errors name.
    ///
    /// # Errors
    /// [`FfmpegError::Start`].
    pub fn spawn(mut command: Command, about: impl ToString) -> Result<Self, FfmpegError> {
        let program = PathBuf::from(command.get_program());
        let started = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| FfmpegError::Start {
                path: program,
                error,
            });
        let mut child = started?;
        let words = Arc::new(Mutex::new(Vec::new()));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let heard = Arc::clone(&words);
        let listener = child
            .stderr
            .take()
            .and_then(|stderr| Worker::spawn("ffmpeg words", move |_| listen(stderr, &heard)).ok());
        Ok(Self {
            stdin,
            stdout,
            child: Arc::new(Mutex::new(child)),
            words,
            listener,
            input: about.to_string(),
        })
    }

    /// A handle that ends this child from another thread.
    pub fn killer(&self) -> Killer {
        Killer(Arc::clone(&self.child))
    }

    /// What it complained about so far: its last line without ffmpeg's own prefixes.
    pub fn said(&self) -> Option<String> {
        last_words(&self.words.lock(), &self.input)
    }

    /// Closes its input, waits until it has ended and gives what it complained about.
    ///
    /// # Errors
    /// [`FfmpegError::Failed`] with its own words when it ended with an error.
    pub fn finish(mut self) -> Result<Option<String>, FfmpegError> {
        self.stdin = None;
        self.stdout = None;
        let status = self.wait();
        if let Some(listener) = self.listener.take() {
            listener.join();
        }
        match status {
            Ok(status) if status.success() => Ok(self.said()),
            Ok(status) => Err(FfmpegError::Failed {
                said: self
                    .said()
                    .unwrap_or_else(|| format!("it ended with {status}")),
                input: self.input.clone(),
            }),
            Err(error) => Err(FfmpegError::Failed {
                said: error.to_string(),
                input: self.input.clone(),
            }),
        }
    }

    /// Waits without holding the lock, so that a [`Killer`] still gets through.
    fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.lock().try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        self.stdout = None;
        let mut child = self.child.lock();
        // Both fail only when the child has been waited for already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Keeps the last bytes of `stderr` until its end.
fn listen(mut stderr: ChildStderr, words: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut chunk) {
        let mut words = words.lock();
        words.extend_from_slice(&chunk[..count]);
        let surplus = words.len().saturating_sub(KEPT_STDERR);
        words.drain(..surplus);
    }
}

/// The last line, without `[demuxer @ 0x…]` in front and without the input's own name.
fn last_words(words: &[u8], input: &str) -> Option<String> {
    let text = String::from_utf8_lossy(words);
    let mut line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    while let Some((_, rest)) = line
        .strip_prefix('[')
        .and_then(|inner| inner.split_once("] "))
    {
        line = rest;
    }
    let line = line
        .replace(&format!("file:{input}"), "")
        .replace(input, "");
    let line = line.trim_start_matches(": ").trim_end_matches(['.', ' ']);
    (!line.is_empty()).then(|| line.chars().take(300).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_one_short_line() {
        let words = b"[mov,mp4 @ 0x55] moov atom not found\nfile:/a/b.mp4: Invalid data found.\n\n";
        assert_eq!(
            last_words(words, "/a/b.mp4").as_deref(),
            Some("Invalid data found")
        );
        assert_eq!(last_words(b" \n", "x"), None);
        assert_eq!(
            last_words(b"[a @ 0x1] [b @ 0x2] bad", "x").as_deref(),
            Some("bad")
        );
    }
}
