//! A video as a source: at its own speed, from the start again at its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::sender::Sender;
use super::video::probe;
use super::{CaptureError, Read, VideoReader};
use crate::ffmpeg::{Input, Killer, VideoInfo};
use crate::frame::Size;
use crate::status::{Severity, SourceState, Topic};
use crate::worker::Stop;

/// Waits between tries to open a lost stream again: the first, and the longest.
const RETRY: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(4)];
/// Behind by more than this, a video goes on from where it is: the machine is too slow for it.
const GIVE_UP_CATCHING_UP: Duration = Duration::from_millis(500);

/// Ends the ffmpeg that is running now, whichever it is, so that waiting for a frame ends.
#[derive(Clone, Default)]
pub(super) struct KillSwitch(Arc<Mutex<Option<Killer>>>);

impl KillSwitch {
    pub fn kill(&self) {
        if let Some(killer) = self.0.lock().as_ref() {
            killer.kill();
        }
    }
}

/// What is to be played.
pub(super) struct Clip {
    pub input: Input,
    pub need: Size,
    /// Known already for a file, which is checked before the source is started.
    pub info: Option<VideoInfo>,
    pub switch: KillSwitch,
}

/// Plays until asked to stop.
pub(super) fn run(mut clip: Clip, sender: &Sender, stop: &Stop) {
    let name = name_of(&clip.input);
    let mut wait = RETRY[0];
    let mut told = String::new();
    let mut shown = false;
    while !stop.asked() {
        match play(&mut clip, &name, sender, stop) {
            Ok(0) => {}
            Ok(_) => {
                (wait, shown) = (RETRY[0], true);
                told.clear();
                // A file, or a video of known length on a server, starts again at once.
                if clip
                    .info
                    .as_ref()
                    .is_some_and(|info| info.duration.is_some())
                {
                    continue;
                }
            }
            Err(error) if !stop.asked() => {
                let text = error.to_string();
                if told != text {
                    let severity = if shown {
                        Severity::Warning
                    } else {
                        Severity::Critical
                    };
                    sender.board.notice(Topic::Source, severity, &text);
                    told = text;
                }
            }
            Err(_) => {}
        }
        if stop.asked() {
            break;
        }
        sender.board.set_source(if shown {
            SourceState::Lost {
                name: name.clone(),
                retry_in: wait,
            }
        } else {
            SourceState::Failed
        });
        if matches!(clip.input, Input::Url(_)) {
            // Whatever comes back may have another size.
            clip.info = None;
        }
        stop.sleep(wait);
        wait = (wait * 2).min(RETRY[1]);
    }
}

/// Plays once and gives the number of frames.
fn play(clip: &mut Clip, name: &str, sender: &Sender, stop: &Stop) -> Result<u64, CaptureError> {
    let arm = |killer: Killer| {
        *clip.switch.0.lock() = Some(killer);
        // The stop may have come before there was anything to kill.
        if stop.asked() {
            clip.switch.kill();
        }
    };
    let info = match &clip.info {
        Some(info) => info.clone(),
        None => probe(&clip.input, arm)?,
    };
    let mut reader = VideoReader::start(clip.input.clone(), info.clone(), Some(clip.need))?;
    reader.killer().into_iter().for_each(arm);
    clip.info = Some(info.clone());
    // A live stream comes at its own pace; waiting would only add to its delay.
    let interval = info
        .duration
        .map(|_| Duration::from_secs_f64(1.0 / info.rate.as_f64()));
    let mut due = Instant::now();
    let mut frames = 0;
    while !stop.asked() {
        let started = Instant::now();
        let mut picture = sender.picture();
        if reader.read(&mut picture)? == Read::End {
            break;
        }
        let work = started.elapsed();
        frames += 1;
        if frames == 1 {
            due = Instant::now();
            sender.board.set_source(SourceState::Live {
                name: name.to_owned(),
                size: info.size,
                format: info.codec.clone(),
            });
        }
        if let Some(interval) = interval {
            while !stop.asked() && Instant::now() < due {
                stop.sleep(due.saturating_duration_since(Instant::now()));
            }
            let late = Instant::now().saturating_duration_since(due);
            if late > GIVE_UP_CATCHING_UP {
                due = Instant::now();
            }
            due += interval;
            // Nobody could see it before the next one replaces it.
            if late > interval && late <= GIVE_UP_CATCHING_UP {
                sender.skip();
                continue;
            }
        }
        let started = Instant::now();
        let picture = sender.turned(picture);
        sender.send(picture, started, work + started.elapsed());
    }
    Ok(frames)
}

fn name_of(input: &Input) -> String {
    match input {
        Input::File(path) => path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned(),
        Input::Url(_) => input.to_string(),
    }
}
