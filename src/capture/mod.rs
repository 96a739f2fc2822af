//! Sources of frames: cameras, videos, photos, the demo and the test pattern.
//!
//! [`start`] runs a source on threads of its own. Each frame goes, as one shared [`Frame`], to the
//! mailboxes of the inference and the compositor; nothing here ever waits for them. `convert`
//! reads with [`read_photo`] and [`VideoReader`], which leave no frame out.

mod camera;
mod demo;
mod error;
mod live_video;
mod made;
mod pattern;
mod photo;
mod sender;
mod turn;
mod video;

use std::path::Path;
use std::sync::Arc;

pub use camera::{DecodeError, Decoder, Device, Format, FourCc, devices};
pub use demo::Demo;
pub use error::CaptureError;
pub use pattern::{Pattern, sequence_in};
pub use photo::{FileKind, kind_of, read_photo};
pub use video::{Read, VideoReader};

use camera::{Plan, Wanted, supervise};
use live_video::{Clip, KillSwitch};
use made::Made;
use sender::Sender;

use crate::ffmpeg::Input;
use crate::frame::{Frame, Size};
use crate::mailbox::Mailbox;
use crate::source::{CameraChoice, Source, Turn};
use crate::status::{Board, SourceState};
use crate::worker::Worker;

/// How often a photo is sent again.
const PHOTO_FPS: u32 = 5;

/// What a person wants to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Where frames come from.
    pub source: Source,
    /// A camera format such as `MJPEG 1280x720 30`; `None`: the best by measured rate.
    pub format: Option<String>,
    /// How frames of a camera or a URL are turned.
    pub turn: Turn,
    /// Size of the frames that the stages behind need, turned. Cameras, files and URLs give at least
    /// this where they can; the demo and the pattern exactly this.
    pub size: Size,
    /// Frames a second: of the demo and the pattern, and wanted of a camera. Files have their own.
    pub fps: u32,
}

/// Where frames go.
pub struct Outbox {
    /// To be drawn.
    pub inference: Arc<Mailbox<Arc<Frame>>>,
    /// To be shown as they are.
    pub compositor: Arc<Mailbox<Arc<Frame>>>,
}

/// A running source. Dropping it stops and joins its threads.
pub struct Capture {
    worker: Worker,
    switch: KillSwitch,
}

impl Drop for Capture {
    fn drop(&mut self) {
        // First the flag, then the child: otherwise it would be started anew.
        self.worker.ask_to_stop();
        self.switch.kill();
    }
}

/// Starts the source of `request`. How it is doing is on `board` from then on.
///
/// # Errors
/// At once for what will not get better by waiting: a file that cannot be used, a camera that is
/// not there while others are, a format that cannot be understood. A camera that is absent, busy
/// or lost, and a server that does not answer, are tried again and again.
pub fn start(request: Request, outbox: Outbox, board: Arc<Board>) -> Result<Capture, CaptureError> {
    let Request {
        source,
        format,
        turn,
        size,
        fps,
    } = request;
    board.set_source(SourceState::Opening);
    let turn = if source.is_live() { turn } else { Turn::None };
    let sender = Arc::new(Sender::new(outbox, turn, board));
    let switch = KillSwitch::default();
    let worker = match source {
        Source::Auto => camera(Wanted::FirstOrDemo, format, size, fps, sender),
        Source::Camera(choice) => {
            refuse_wrong_camera(&choice)?;
            camera(Wanted::Chosen(choice), format, size, fps, sender)
        }
        Source::Demo => made(Made::Demo(Demo::new(size)?), fps, sender),
        Source::Pattern => made(Made::Pattern(Pattern::new(size)), fps, sender),
        Source::File(path) => match kind_of(&path)? {
            FileKind::Photo => made(photo(&path, size)?, PHOTO_FPS, sender),
            FileKind::Video => {
                let input = Input::File(path);
                let info = Some(video::probe(&input, |_| {})?);
                clip(input, info, size, &switch, sender)
            }
        },
        Source::Url(url) => clip(Input::Url(url), None, turn.size(size), &switch, sender),
    }?;
    Ok(Capture { worker, switch })
}

fn refuse_wrong_camera(choice: &CameraChoice) -> Result<(), CaptureError> {
    match camera::find(&devices()?, choice) {
        Err(error @ CaptureError::WrongCamera { .. }) => Err(error),
        _ => Ok(()),
    }
}

fn camera(
    wanted: Wanted,
    format: Option<String>,
    need: Size,
    fps: u32,
    sender: Arc<Sender>,
) -> Result<Worker, CaptureError> {
    let plan = Plan {
        wanted,
        format: format.map(|text| text.parse()).transpose()?,
        need,
        fps,
        sender,
    };
    Ok(Worker::spawn("capture", move |stop| {
        supervise(&plan, stop);
    })?)
}

fn made(made: Made, fps: u32, sender: Arc<Sender>) -> Result<Worker, CaptureError> {
    Ok(Worker::spawn("capture", move |stop| {
        made::run(made, fps, &sender, stop);
    })?)
}

fn clip(
    input: Input,
    info: Option<crate::ffmpeg::VideoInfo>,
    need: Size,
    switch: &KillSwitch,
    sender: Arc<Sender>,
) -> Result<Worker, CaptureError> {
    let clip = Clip {
        input,
        need,
        info,
        switch: switch.clone(),
    };
    Ok(Worker::spawn("capture", move |stop| {
        live_video::run(clip, &sender, stop);
    })?)
}

fn photo(path: &Path, need: Size) -> Result<Made, CaptureError> {
    Ok(Made::Photo {
        picture: photo::fitted(read_photo(path)?, need),
        name: path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned(),
    })
}
