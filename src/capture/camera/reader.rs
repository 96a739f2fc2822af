//! One opened camera on a thread of its own.
//!
//! nokhwa's call for a frame has no time limit: with a camera that hangs it never returns. So the
//! thread only reports what it does in a [`Link`], and whoever started it watches that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nokhwa::Camera;
use nokhwa::utils::{
    CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};
use parking_lot::Mutex;

use super::{Decoder, Device, Format, FourCc};
use crate::capture::CaptureError;
use crate::capture::sender::Sender;
use crate::frame::Size;
use crate::worker::Stop;

/// What to read.
pub(super) struct Job {
    pub device: Device,
    pub format: Format,
    pub need: Size,
    pub sender: Arc<Sender>,
}

/// What a reader tells about itself.
#[derive(Default)]
pub(super) struct Link(Mutex<Report>);

/// How reading goes so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Report {
    /// When the first frame came, good or not.
    pub first: Option<Instant>,
    /// When the newest came.
    pub last: Option<Instant>,
    /// Frames that were shown.
    pub good: u64,
}

impl Report {
    /// From the first frame to the newest. Judging by it, a camera that hangs is not a slow one.
    pub fn span(&self) -> Duration {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last.duration_since(first),
            _ => Duration::ZERO,
        }
    }

    /// Good frames a second over that time; 0 before the second frame.
    pub fn rate(&self) -> f64 {
        let seconds = self.span().as_secs_f64();
        if self.good > 1 && seconds > 0.0 {
            (self.good - 1) as f64 / seconds
        } else {
            0.0
        }
    }
}

impl Link {
    pub fn report(&self) -> Report {
        *self.0.lock()
    }

    fn frame_came(&self, at: Instant) {
        let mut report = self.0.lock();
        report.first.get_or_insert(at);
        report.last = Some(at);
    }

    fn frame_was_good(&self) {
        self.0.lock().good += 1;
    }
}

/// Opens the camera and sends its frames until asked to stop.
///
/// # Errors
/// When it cannot be opened, or gives no frames any more.
pub(super) fn read(job: &Job, link: &Link, stop: &Stop) -> Result<(), CaptureError> {
    let Job {
        device,
        format,
        need,
        sender,
    } = job;
    let need = sender.turn.size(*need);
    let wrong = |error: &dyn ToString| explain(device, &error.to_string());
    let mut decoder = Decoder::new().map_err(|error| wrong(&error))?;
    let exact = CameraFormat::new(
        Resolution::new(format.size.width, format.size.height),
        format.fourcc.to_nokhwa(),
        format.fps,
    );
    let accepted = FourCc::ALL.map(FourCc::to_nokhwa);
    let mut camera = Camera::new(
        CameraIndex::Index(device.node),
        RequestedFormat::with_formats(RequestedFormatType::Exact(exact), &accepted),
    )
    .map_err(|error| wrong(&error))?;
    let result = camera
        .open_stream()
        .map_err(|error| wrong(&error))
        .and_then(|()| {
            while !stop.asked() {
                let bytes = camera.frame_raw().map_err(|error| wrong(&error))?;
                let captured = Instant::now();
                // A thread that was given up for hanging must not send when it comes back.
                if stop.asked() {
                    break;
                }
                link.frame_came(captured);
                let mut picture = sender.picture();
                match decoder.decode(format.fourcc, format.size, &bytes, need, &mut picture) {
                    Ok(()) => {
                        link.frame_was_good();
                        let picture = sender.turned(picture);
                        sender.send(picture, captured, captured.elapsed());
                    }
                    Err(error) => {
                        tracing::debug!("{}: {error}", device.name);
                        sender.skip();
                    }
                }
            }
            Ok(())
        });
    // The v4l crate panics when a stream cannot be stopped, as with some drivers after an unplug.
    if catch_unwind(AssertUnwindSafe(|| drop(camera))).is_err() {
        tracing::debug!("{} could not be closed properly.", device.name);
    }
    result
}

/// nokhwa's errors are texts; the system's number is in them.
fn explain(device: &Device, reason: &str) -> CaptureError {
    let (name, path) = (device.name.clone(), device.place());
    let system = |number: u32| reason.contains(&format!("(os error {number})"));
    if system(16) {
        CaptureError::Busy { name, path }
    } else if system(13) || system(1) {
        CaptureError::Denied { name, path }
    } else if system(19) || system(2) || system(6) {
        CaptureError::Unplugged { name, path }
    } else if system(4) {
        // The call was interrupted: the camera hung and was told to let go.
        CaptureError::Stalled { name, path }
    } else {
        let reason = reason.trim_end_matches('.').to_owned();
        CaptureError::Camera { name, reason, path }
    }
}

impl FourCc {
    pub(super) fn to_nokhwa(self) -> FrameFormat {
        match self {
            Self::Mjpeg => FrameFormat::MJPEG,
            Self::Yuyv => FrameFormat::YUYV,
            Self::Nv12 => FrameFormat::NV12,
            Self::Rgb => FrameFormat::RAWRGB,
            Self::Bgr => FrameFormat::RAWBGR,
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn of_nokhwa(format: FrameFormat) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.to_nokhwa() == format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_numbers_are_understood() {
        let device = Device {
            index: 0,
            name: "HD Webcam".to_owned(),
            path: Some("/dev/video0".into()),
            formats: Vec::new(),
            node: 0,
        };
        let text = |reason: &str| explain(&device, reason).to_string();
        assert_eq!(
            text("V4L2 Error: Device or resource busy (os error 16)"),
            "HD Webcam is in use by another program. Close it or choose another camera. (/dev/video0)"
        );
        assert!(text("Permission denied (os error 13)").contains("usermod"));
        assert!(text("No such device (os error 19)").contains("is gone"));
        assert!(text("Something odd (os error 22)").contains("Something odd"));
    }
}
