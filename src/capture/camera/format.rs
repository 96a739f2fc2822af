//! Camera formats: what a camera offers, and which of it suits.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use super::FourCc;
use crate::capture::CaptureError;
use crate::frame::Size;

/// From this width on, uncompressed pictures starve USB 2 and JPEGs look as good.
const WIDE: u32 = 1280;

/// One thing a camera offers. Written `MJPEG 1280x720 30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// How pixels are packed.
    pub fourcc: FourCc,
    /// Size of the frames.
    pub size: Size,
    /// Frames a second as advertised; in dim light cameras give fewer.
    pub fps: u32,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.fourcc, self.size, self.fps)
    }
}

impl FromStr for Format {
    type Err = CaptureError;

    fn from_str(text: &str) -> Result<Self, CaptureError> {
        let mut words = text.split_whitespace();
        let mut parse = || {
            Some(Self {
                fourcc: words.next()?.parse().ok()?,
                size: words.next()?.parse().ok()?,
                fps: words.next()?.parse().ok().filter(|fps| *fps > 0)?,
            })
        };
        match (parse(), words.next()) {
            (Some(format), None) => Ok(format),
            _ => Err(CaptureError::FormatText {
                text: text.to_owned(),
            }),
        }
    }
}

/// `formats`, the most suitable first: fast enough before too slow, then covering `need` before
/// too small, then the size nearest to it, then MJPEG where pictures are large and uncompressed
/// where they are small, then the rate nearest to `fps` from above.
pub(super) fn ranked(formats: &[Format], need: Size, fps: u32) -> Vec<Format> {
    let key = |format: &Format| {
        let slow = fps.saturating_sub(format.fps);
        let small = format.size.width < need.width || format.size.height < need.height;
        let area = format.size.area();
        let distance = if small {
            // Of those that are too small, the largest.
            usize::MAX - area
        } else {
            area
        };
        let wide = format.size.width >= WIDE;
        let unwelcome = (format.fourcc == FourCc::Mjpeg) != wide;
        (slow, small, distance, unwelcome, format.fps)
    };
    let mut ranked = formats.to_vec();
    ranked.sort_by_key(key);
    ranked.dedup();
    ranked
}

/// What else to try when `slow` gave far fewer frames than it promised: at most two others that
/// take less of the bus, in the order of their rank.
pub(super) fn alternatives(ranked: &[Format], slow: Format) -> Vec<Format> {
    let load = |format: &Format| {
        let bytes_a_pixel = match format.fourcc {
            FourCc::Mjpeg => 1,
            FourCc::Nv12 => 6,
            FourCc::Yuyv => 8,
            FourCc::Rgb | FourCc::Bgr => 12,
        };
        format.size.area() * bytes_a_pixel
    };
    let mut lighter: Vec<Format> = ranked
        .iter()
        .filter(|format| {
            load(format) < load(&slow)
                && format.size.area() <= slow.size.area()
                && format.fps >= slow.fps
        })
        .copied()
        .collect();
    // Another packing at the same size keeps the picture as sharp: it is tried first.
    lighter.sort_by_key(|format| (format.size != slow.size, Reverse(format.size.area())));
    lighter.truncate(2);
    lighter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(list: &[&str]) -> Vec<Format> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn best(list: &[&str], need: &str, fps: u32) -> String {
        ranked(&formats(list), need.parse().unwrap(), fps)[0].to_string()
    }

    /// A common webcam.
    const WEBCAM: [&str; 9] = [
        "YUYV 640x480 30",
        "YUYV 1280x720 10",
        "YUYV 1920x1080 5",
        "MJPEG 640x480 30",
        "MJPEG 1280x720 30",
        "MJPEG 1280x720 60",
        "MJPEG 1920x1080 30",
        "MJPEG 3840x2160 15",
        "YUYV 320x240 30",
    ];

    #[test]
    fn the_nearest_size_that_covers_at_the_wanted_rate() {
        assert_eq!(best(&WEBCAM, "854x480", 30), "MJPEG 1280x720 30");
        assert_eq!(best(&WEBCAM, "1280x720", 60), "MJPEG 1280x720 60");
        assert_eq!(best(&WEBCAM, "1920x1080", 30), "MJPEG 1920x1080 30");
        assert_eq!(best(&WEBCAM, "640x480", 30), "YUYV 640x480 30");
    }

    #[test]
    fn rate_counts_more_than_size_and_something_is_always_chosen() {
        let slow_hd = ["YUYV 640x480 30", "YUYV 1280x720 10"];
        assert_eq!(best(&slow_hd, "1280x720", 30), "YUYV 640x480 30");
        assert_eq!(best(&slow_hd, "1280x720", 10), "YUYV 1280x720 10");
        assert_eq!(best(&WEBCAM, "3840x2160", 30), "MJPEG 1920x1080 30");
        assert_eq!(
            best(&["MJPEG 320x240 5"], "1280x720", 60),
            "MJPEG 320x240 5"
        );
        assert!(ranked(&[], Size::new(1, 1), 30).is_empty());
    }

    #[test]
    fn a_starved_format_has_lighter_alternatives() {
        let ranked = ranked(&formats(&WEBCAM), Size::new(1280, 720), 30);
        let slow = "YUYV 640x480 30".parse().unwrap();
        let lighter = alternatives(&ranked, slow);
        assert_eq!(lighter, formats(&["MJPEG 640x480 30", "YUYV 320x240 30"]));
        let single = formats(&["YUYV 320x240 30"]);
        assert!(alternatives(&single, single[0]).is_empty());
    }

    #[test]
    fn formats_are_read_and_written() {
        let format: Format = "mjpg 1280X720 30".parse().unwrap();
        assert_eq!(format.to_string(), "MJPEG 1280x720 30");
        for bad in [
            "",
            "MJPEG",
            "MJPEG 1280x720",
            "H264 1x1 30",
            "MJPEG 1x1 0",
            "MJPEG 1x1 30 x",
        ] {
            assert!(bad.parse::<Format>().is_err(), "{bad}");
        }
    }
}
