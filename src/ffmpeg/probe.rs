//! What a video holds, as ffprobe tells it.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::{FfmpegError, Input, Killer, Process, command};
use crate::frame::Size;
use crate::worker::Worker;

/// How long a file may take to be probed.
const PROBE_FILE: Duration = Duration::from_secs(20);
/// How long a server may take to answer and be probed.
const PROBE_URL: Duration = Duration::from_secs(15);
/// The longest answer of ffprobe that is read.
const MAX_ANSWER: u64 = 4 << 20;

/// What a video holds.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoInfo {
    /// Size as shown: turned as the file says, pixels made square.
    pub size: Size,
    /// Average frames a second.
    pub rate: Rational,
    /// How many frames, when the file says so.
    pub frames: Option<u64>,
    /// How long, when it is known; a live stream has none.
    pub duration: Option<Duration>,
    /// Codec of the sound, like `aac`; `None`: there is none.
    pub audio_codec: Option<String>,
    /// Codec of the picture, like `h264`.
    pub codec: String,
    /// The colour matrix its YUV is in, as ffmpeg's scaler names it; `None`: not said.
    pub(crate) matrix: Option<String>,
}

/// Asks ffprobe what `input` holds.
///
/// # Errors
/// When ffprobe is missing, takes too long, cannot read the input, or finds no video in it.
pub fn probe(input: &Input) -> Result<VideoInfo, FfmpegError> {
    probe_killable(input, |_| {})
}

/// [`probe`] that another thread can cut short by the [`Killer`] given to `started`.
///
/// # Errors
/// As [`probe`], and [`FfmpegError::Failed`] when it was cut short.
pub fn probe_killable(
    input: &Input,
    started: impl FnOnce(Killer),
) -> Result<VideoInfo, FfmpegError> {
    let limit = match input {
        Input::File(_) => PROBE_FILE,
        Input::Url(_) => PROBE_URL,
    };
    let mut command = command("ffprobe")?;
    command
        .args(["-print_format", "json", "-show_entries"])
        .arg(
            "format=duration:stream=codec_type,codec_name,width,height,avg_frame_rate,\
             r_frame_rate,nb_frames,duration,sample_aspect_ratio,color_space:\
             stream_disposition=attached_pic:stream_side_data=rotation:stream_tags=rotate",
        )
        .args(input.arguments());
    let answer = answer_within(command, limit, input, started)?;
    let found: Found = serde_json::from_slice(&answer).map_err(|error| FfmpegError::Unusable {
        why: format!("ffprobe's answer cannot be read, {error}"),
        input: input.to_string(),
    })?;
    found.into_info(input)
}

/// A number of frames in a number of seconds, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rational {
    /// Frames.
    pub numerator: u32,
    /// Seconds; never 0.
    pub denominator: u32,
}

impl Rational {
    /// As a number.
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    fn parse(text: &str, separator: char) -> Option<Self> {
        let (numerator, denominator) = text.split_once(separator)?;
        let rational = Self {
            numerator: numerator.parse().ok()?,
            denominator: denominator.parse().ok()?,
        };
        (rational.numerator > 0 && rational.denominator > 0).then_some(rational)
    }
}

impl std::fmt::Display for Rational {
    /// As ffmpeg writes and reads it: `30000/1001`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// Runs `command` and gives what it wrote to standard output.
fn answer_within(
    mut command: Command,
    limit: Duration,
    input: &Input,
    started: impl FnOnce(Killer),
) -> Result<Vec<u8>, FfmpegError> {
    command.stdout(Stdio::piped());
    let mut process = Process::spawn(command, input)?;
    let killer = process.killer();
    started(killer.clone());
    let deadline = Instant::now() + limit;
    let watch = Worker::spawn("ffprobe watch", move |stop| {
        while !stop.asked() && Instant::now() < deadline {
            stop.sleep(deadline.saturating_duration_since(Instant::now()));
        }
        if !stop.asked() {
            killer.kill();
        }
    });
    let mut answer = Vec::new();
    let read = process
        .stdout
        .take()
        .map(|stdout| stdout.take(MAX_ANSWER).read_to_end(&mut answer));
    let late = Instant::now() >= deadline;
    drop(watch);
    if late {
        return Err(FfmpegError::TimedOut {
            limit,
            input: input.to_string(),
        });
    }
    process.finish()?;
    match read {
        Some(Ok(_)) => Ok(answer),
        _ => Err(FfmpegError::Failed {
            said: "its answer could not be read".to_owned(),
            input: input.to_string(),
        }),
    }
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    streams: Vec<FoundStream>,
    #[serde(default)]
    format: FoundFormat,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundFormat {
    duration: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundStream {
    codec_type: String,
    codec_name: String,
    width: u32,
    height: u32,
    avg_frame_rate: String,
    r_frame_rate: String,
    nb_frames: Option<String>,
    duration: Option<String>,
    sample_aspect_ratio: Option<String>,
    color_space: Option<String>,
    disposition: FoundDisposition,
    side_data_list: Vec<FoundSideData>,
    tags: FoundTags,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundDisposition {
    attached_pic: u8,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundSideData {
    rotation: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundTags {
    rotate: Option<String>,
}

impl Found {
    fn into_info(self, input: &Input) -> Result<VideoInfo, FfmpegError> {
        let sound = self
            .streams
            .iter()
            .find(|stream| stream.codec_type == "audio");
        // A cover picture in a sound file is no video.
        let video = self
            .streams
            .iter()
            .find(|stream| stream.codec_type == "video" && stream.disposition.attached_pic == 0);
        let Some(video) = video else {
            return Err(FfmpegError::NoVideo {
                holds: if sound.is_some() {
                    "sound"
                } else {
                    "other data"
                },
                input: input.to_string(),
            });
        };
        let unusable = |why: String| FfmpegError::Unusable {
            why,
            input: input.to_string(),
        };
        let size = video
            .shown_size()
            .ok_or_else(|| unusable(format!("its picture is {}x{}", video.width, video.height)))?;
        let rate = [&video.avg_frame_rate, &video.r_frame_rate]
            .into_iter()
            .filter_map(|text| Rational::parse(text, '/'))
            .find(|rate| (0.01..=1000.0).contains(&rate.as_f64()))
            .unwrap_or(Rational {
                numerator: 25,
                denominator: 1,
            });
        let duration = [&video.duration, &self.format.duration]
            .into_iter()
            .flatten()
            .filter_map(|text| text.parse::<f64>().ok())
            .find(|seconds| seconds.is_finite() && (0.0..1e9).contains(seconds))
            .map(Duration::from_secs_f64);
        let matrix = match video.color_space.as_deref() {
            Some("bt709") => Some("bt709".to_owned()),
            Some("smpte170m" | "bt470bg") => Some("bt601".to_owned()),
            Some("bt2020nc" | "bt2020c") => Some("bt2020".to_owned()),
            _ => None,
        };
        Ok(VideoInfo {
            size,
            rate,
            frames: video
                .nb_frames
                .as_deref()
                .and_then(|text| text.parse().ok())
                .filter(|frames| *frames > 0),
            duration,
            audio_codec: sound.map(|stream| stream.codec_name.clone()),
            codec: video.codec_name.clone(),
            matrix,
        })
    }
}

impl FoundStream {
    /// The picture's size once pixels are square and the picture is turned upright.
    fn shown_size(&self) -> Option<Size> {
        let sides = 1..=Size::MAX_SIDE;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return None;
        }
        let pixel = self
            .sample_aspect_ratio
            .as_deref()
            .and_then(|text| Rational::parse(text, ':'))
            .map_or(1.0, Rational::as_f64);
        let wide = (f64::from(self.width) * pixel).round();
        let size = if (1.0..=f64::from(Size::MAX_SIDE)).contains(&wide) {
            Size::new(wide as u32, self.height)
        } else {
            Size::new(self.width, self.height)
        };
        let turned = self
            .side_data_list
            .iter()
            .find_map(|data| data.rotation)
            .or_else(|| self.tags.rotate.as_deref()?.parse().ok())
            .unwrap_or(0.0);
        let quarter_turns = (turned / 90.0).round() as i64;
        Some(if quarter_turns % 2 == 0 {
            size
        } else {
            Size::new(size.height, size.width)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info_of(json: &str) -> Result<VideoInfo, FfmpegError> {
        let found: Found = serde_json::from_str(json).unwrap();
        found.into_info(&Input::File("clip.mp4".into()))
    }

    #[test]
    fn a_phone_video_is_turned_upright() {
        let info = info_of(
            r#"{"streams":[{"codec_type":"video","codec_name":"hevc","width":1920,"height":1080,
                "avg_frame_rate":"30000/1001","nb_frames":"90","duration":"3.003",
                "side_data_list":[{"rotation":-90}]},{"codec_type":"audio","codec_name":"aac"}]}"#,
        )
        .unwrap();
        assert_eq!(info.size, Size::new(1080, 1920));
        assert_eq!((info.rate.numerator, info.rate.denominator), (30000, 1001));
        assert_eq!(info.frames, Some(90));
        assert_eq!(info.audio_codec.as_deref(), Some("aac"));
        assert_eq!(info.codec, "hevc");
    }

    #[test]
    fn pixels_are_made_square() {
        let info = info_of(
            r#"{"streams":[{"codec_type":"video","width":720,"height":576,
                "avg_frame_rate":"25/1","sample_aspect_ratio":"64:45"}]}"#,
        )
        .unwrap();
        assert_eq!(info.size, Size::new(1024, 576));
    }

    #[test]
    fn sound_and_cover_pictures_are_no_video() {
        let sound = r#"{"streams":[{"codec_type":"audio"},
            {"codec_type":"video","width":10,"height":10,"disposition":{"attached_pic":1}}]}"#;
        assert!(matches!(
            info_of(sound),
            Err(FfmpegError::NoVideo { holds: "sound", .. })
        ));
        assert!(matches!(
            info_of(r#"{"streams":[{"codec_type":"video","width":0,"height":10}]}"#),
            Err(FfmpegError::Unusable { .. })
        ));
        assert!(matches!(info_of("{}"), Err(FfmpegError::NoVideo { .. })));
    }
}
