//! The cameras of this machine.

use std::path::PathBuf;

use super::Format;
use crate::capture::CaptureError;
use crate::source::CameraChoice;

/// A camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its place in the list of [`devices`], from 0.
    pub index: u32,
    /// Its name, for people.
    pub name: String,
    /// Its device file, where the system has one.
    pub path: Option<PathBuf>,
    /// What it offers of the formats that panelcam reads; empty when it may not be opened.
    pub formats: Vec<Format>,
    /// The number that nokhwa opens it by.
    pub(super) node: u32,
}

impl Device {
    /// Its device file or number, for messages.
    pub(super) fn place(&self) -> String {
        self.path.as_ref().map_or_else(
            || format!("camera:{}", self.index),
            |path| path.display().to_string(),
        )
    }
}

/// Lists the cameras. Device nodes that give no pictures, like a webcam's node for metadata, are
/// left out. Opens no stream: a camera in use is listed and not disturbed.
///
/// # Errors
/// When the system cannot be asked. No camera is an empty list.
pub fn devices() -> Result<Vec<Device>, CaptureError> {
    let mut devices = system::devices()?;
    for (index, device) in devices.iter_mut().enumerate() {
        device.index = index as u32;
    }
    Ok(devices)
}

/// The camera that `choice` means among `devices`.
///
/// # Errors
/// [`CaptureError::NoCamera`] with no camera at all, [`CaptureError::WrongCamera`] when there are
/// others.
pub(in crate::capture) fn find<'a>(
    devices: &'a [Device],
    choice: &CameraChoice,
) -> Result<&'a Device, CaptureError> {
    let same = |device: &&Device| match choice {
        CameraChoice::First => true,
        CameraChoice::Index(index) => device.index == *index,
        CameraChoice::Path(path) => device.path.as_ref().is_some_and(|own| {
            own == path
                // Stable names such as /dev/v4l/by-id/… are links.
                || path.canonicalize().is_ok_and(|path| path == *own)
        }),
        CameraChoice::Name(name) => {
            let (own, name) = (device.name.to_lowercase(), name.to_lowercase());
            own.starts_with(&name)
        }
    };
    if let Some(device) = devices.iter().find(same) {
        return Ok(device);
    }
    if devices.is_empty() {
        return Err(CaptureError::NoCamera);
    }
    let names: Vec<String> = devices
        .iter()
        .map(|device| format!("{} \"{}\"", device.index, device.name))
        .collect();
    Err(CaptureError::WrongCamera {
        wanted: match choice {
            CameraChoice::First => String::new(),
            CameraChoice::Index(index) => index.to_string(),
            CameraChoice::Path(path) => path.display().to_string(),
            CameraChoice::Name(name) => name.clone(),
        },
        present: names.join(", "),
    })
}

/// `Video4Linux` is asked directly: nokhwa's list needs to open a stream for the formats, and has
/// the metadata nodes in it.
#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::path::{Path, PathBuf};

    use v4l::capability::Flags;
    use v4l::frameinterval::FrameIntervalEnum;
    use v4l::framesize::FrameSizeEnum;
    use v4l::video::Capture as _;
    use v4l::{Device as Node, FourCC as V4lFourCc};

    use super::{CaptureError, Device, Format};
    use crate::capture::camera::FourCc;
    use crate::frame::Size;

    /// Sizes that are looked for where a driver scales to any.
    const USUAL_SIZES: [(u32, u32); 6] = [
        (640, 360),
        (640, 480),
        (960, 540),
        (1280, 720),
        (1920, 1080),
        (3840, 2160),
    ];
    /// Rates that are looked for where a driver takes any.
    const USUAL_RATES: [u32; 3] = [15, 30, 60];

    pub(super) fn devices() -> Result<Vec<Device>, CaptureError> {
        let folder = Path::new("/dev");
        let entries = std::fs::read_dir(folder).map_err(|error| CaptureError::Read {
            error,
            path: folder.into(),
        })?;
        let mut nodes: Vec<u32> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name();
                name.to_str()?.strip_prefix("video")?.parse().ok()
            })
            .collect();
        nodes.sort_unstable();
        let mut devices: Vec<Device> = Vec::new();
        for node in nodes {
            let path = PathBuf::from(format!("/dev/video{node}"));
            let (name, formats) = match Node::with_path(&path) {
                Ok(opened) => match about(&opened) {
                    Some(about) => about,
                    None => continue,
                },
                // Listed all the same, so that a person learns why it cannot be used.
                Err(error) if refused(&error) => {
                    let name = sysfs_name(node).unwrap_or_else(|| format!("Camera {node}"));
                    if devices.iter().any(|device| device.name == name) {
                        continue;
                    }
                    (name, Vec::new())
                }
                Err(_) => continue,
            };
            devices.push(Device {
                index: 0,
                name,
                path: Some(path),
                formats,
                node,
            });
        }
        Ok(devices)
    }

    fn refused(error: &io::Error) -> bool {
        matches!(
            error.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ResourceBusy
        )
    }

    fn sysfs_name(node: u32) -> Option<String> {
        let name =
            std::fs::read_to_string(format!("/sys/class/video4linux/video{node}/name")).ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// Name and formats; `None` for a node that gives no pictures.
    fn about(node: &Node) -> Option<(String, Vec<Format>)> {
        let caps = node.query_caps().ok()?;
        if !caps.capabilities.contains(Flags::VIDEO_CAPTURE) {
            return None;
        }
        let packings = node.enum_formats().ok()?;
        if packings.is_empty() {
            return None;
        }
        let mut formats = Vec::new();
        for packing in packings {
            let Some(fourcc) = fourcc_of(packing.fourcc) else {
                continue;
            };
            for size in sizes(node, packing.fourcc) {
                for fps in rates(node, packing.fourcc, size) {
                    let format = Format { fourcc, size, fps };
                    if !formats.contains(&format) {
                        formats.push(format);
                    }
                }
            }
        }
        Some((caps.card.trim().to_owned(), formats))
    }

    /// Those that nokhwa passes on.
    fn fourcc_of(fourcc: V4lFourCc) -> Option<FourCc> {
        match &fourcc.repr {
            b"MJPG" => Some(FourCc::Mjpeg),
            b"YUYV" => Some(FourCc::Yuyv),
            b"NV12" => Some(FourCc::Nv12),
            b"RGB3" => Some(FourCc::Rgb),
            b"BGR3" => Some(FourCc::Bgr),
            _ => None,
        }
    }

    fn sizes(node: &Node, fourcc: V4lFourCc) -> Vec<Size> {
        let mut sizes = Vec::new();
        for found in node.enum_framesizes(fourcc).unwrap_or_default() {
            match found.size {
                FrameSizeEnum::Discrete(size) => sizes.push(Size::new(size.width, size.height)),
                FrameSizeEnum::Stepwise(range) => sizes.extend(
                    USUAL_SIZES
                        .into_iter()
                        .filter(|(width, height)| {
                            (range.min_width..=range.max_width).contains(width)
                                && (range.min_height..=range.max_height).contains(height)
                                && (width - range.min_width) % range.step_width.max(1) == 0
                                && (height - range.min_height) % range.step_height.max(1) == 0
                        })
                        .map(|(width, height)| Size::new(width, height)),
                ),
            }
        }
        sizes.retain(|size| {
            (1..=Size::MAX_SIDE).contains(&size.width)
                && (1..=Size::MAX_SIDE).contains(&size.height)
        });
        sizes
    }

    /// Whole rates only: nokhwa refuses others.
    fn rates(node: &Node, fourcc: V4lFourCc, size: Size) -> Vec<u32> {
        let mut rates = Vec::new();
        let intervals = node.enum_frameintervals(fourcc, size.width, size.height);
        for found in intervals.unwrap_or_default() {
            match found.interval {
                FrameIntervalEnum::Discrete(interval) => {
                    if interval.numerator == 1 && interval.denominator > 0 {
                        rates.push(interval.denominator);
                    }
                }
                FrameIntervalEnum::Stepwise(range) => {
                    let seconds = |fraction: v4l::Fraction| {
                        f64::from(fraction.numerator) / f64::from(fraction.denominator.max(1))
                    };
                    rates.extend(USUAL_RATES.into_iter().filter(|rate| {
                        let interval = 1.0 / f64::from(*rate);
                        interval >= seconds(range.min) - 1e-6
                            && interval <= seconds(range.max) + 1e-6
                    }));
                }
            }
        }
        rates
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use nokhwa::pixel_format::RgbFormat;
    use nokhwa::utils::{ApiBackend, CameraIndex, RequestedFormat, RequestedFormatType};

    use super::{CaptureError, Device, Format};
    use crate::capture::camera::FourCc;
    use crate::frame::Size;

    pub(super) fn devices() -> Result<Vec<Device>, CaptureError> {
        let found = nokhwa::query(ApiBackend::Auto).map_err(|error| CaptureError::Camera {
            name: "The list of cameras".to_owned(),
            reason: error.to_string(),
            path: "camera".to_owned(),
        })?;
        Ok(found
            .into_iter()
            .enumerate()
            .map(|(place, info)| {
                let node = info.index().as_index().unwrap_or(place as u32);
                Device {
                    index: place as u32,
                    name: info.human_name(),
                    path: None,
                    formats: formats(node),
                    node,
                }
            })
            .collect())
    }

    fn formats(node: u32) -> Vec<Format> {
        let any = RequestedFormat::new::<RgbFormat>(RequestedFormatType::None);
        let Ok(mut camera) = nokhwa::Camera::new(CameraIndex::Index(node), any) else {
            return Vec::new();
        };
        let mut formats: Vec<Format> = camera
            .compatible_camera_formats()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|format| {
                Some(Format {
                    fourcc: FourCc::of_nokhwa(format.format())?,
                    size: Size::new(format.width(), format.height()),
                    fps: format.frame_rate(),
                })
            })
            .collect();
        formats.dedup();
        formats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(index: u32, name: &str) -> Device {
        Device {
            index,
            name: name.to_owned(),
            path: Some(format!("/dev/video{}", index * 2).into()),
            formats: Vec::new(),
            node: index * 2,
        }
    }

    #[test]
    fn a_camera_is_found_by_index_path_or_beginning_of_its_name() {
        use CameraChoice as C;
        let devices = [device(0, "Integrated Camera"), device(1, "HD Pro Webcam")];
        let index_of = |choice: C| find(&devices, &choice).map(|device| device.index).ok();
        assert_eq!(index_of(C::First), Some(0));
        assert_eq!(index_of(C::Index(1)), Some(1));
        assert_eq!(index_of(C::Index(2)), None);
        assert_eq!(index_of(C::Path("/dev/video2".into())), Some(1));
        assert_eq!(index_of(C::Name("hd pro".into())), Some(1));
        assert_eq!(index_of(C::Name("Pro".into())), None);
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_right_ones() {
        let devices = [device(0, "Integrated Camera")];
        let error = find(&devices, &CameraChoice::Name("Logi".into())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "There is no camera \"Logi\". Choose one of these: 0 \"Integrated Camera\"."
        );
        let error = find(&[], &CameraChoice::Index(3)).unwrap_err();
        assert!(matches!(error, CaptureError::NoCamera));
    }
}
