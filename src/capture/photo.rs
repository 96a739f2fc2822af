//! Photos: png, jpg, webp, gif and bmp, told apart by their content and turned upright.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{
    AnimationDecoder as _, DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits,
};

use super::CaptureError;
use crate::frame::{Picture, Size};

/// The most pixels a photo may have.
const MAX_PIXELS: u64 = 200_000_000;
/// The most memory a decoder may take beside the picture itself.
const MAX_DECODER_BYTES: u64 = 2 << 30;
/// The formats read as photos.
const FORMATS: [ImageFormat; 5] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
];

/// What a file is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// One picture.
    Photo,
    /// Many, or whatever else: ffmpeg is to say.
    Video,
}

/// Says whether the file at `path` is a photo or a video, by its content and not by its name. A
/// GIF that moves is a video.
///
/// # Errors
/// When the file cannot be read, is empty, or is named like a picture and is none.
pub fn kind_of(path: &Path) -> Result<FileKind, CaptureError> {
    match sniff(path)? {
        Some(ImageFormat::Gif) if moves(path) => Ok(FileKind::Video),
        Some(_) => Ok(FileKind::Photo),
        None if named_like_a_picture(path) => Err(CaptureError::NotAPicture { path: path.into() }),
        None => Ok(FileKind::Video),
    }
}

/// Reads a photo of up to 16384 pixels a side and 200 million in all, turned upright as its EXIF
/// says. Transparent parts become white.
///
/// # Errors
/// When the file cannot be read, is no picture, is damaged or is too large; the size is checked
/// before memory for the pixels is taken.
pub fn read_photo(path: &Path) -> Result<Picture, CaptureError> {
    let Some(format) = sniff(path)? else {
        return Err(CaptureError::NotAPicture { path: path.into() });
    };
    let damaged = |error: image::ImageError| CaptureError::Damaged {
        reason: error.to_string(),
        path: path.into(),
    };
    let mut reader = ImageReader::new(BufReader::new(open(path)?));
    reader.set_format(format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let size = Size::new(width, height);
    if width > Size::MAX_SIDE
        || height > Size::MAX_SIDE
        || u64::from(width) * u64::from(height) > MAX_PIXELS
    {
        return Err(CaptureError::TooLarge {
            size,
            path: path.into(),
        });
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = if format == ImageFormat::Jpeg {
        drop(decoder);
        read_jpeg(path)?
    } else {
        DynamicImage::from_decoder(decoder).map_err(damaged)?
    };
    picture.apply_orientation(orientation);
    let mut rgba = picture.into_rgba8();
    put_on_white(&mut rgba);
    let size = Size::new(rgba.width(), rgba.height());
    Picture::from_rgba(size, rgba.into_raw())
        .filter(|picture| picture.size().area() > 0)
        .ok_or_else(|| CaptureError::Damaged {
            reason: "its size makes no sense".to_owned(),
            path: path.into(),
        })
}

/// JPEGs straight to RGBA: half the memory of the general way, and quick for a camera's large
/// ones. What turbojpeg will not turn into RGBA, like CMYK, goes the general way.
fn read_jpeg(path: &Path) -> Result<DynamicImage, CaptureError> {
    let mut bytes = Vec::new();
    open(path)?
        .take(MAX_DECODER_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| CaptureError::Read {
            error,
            path: path.into(),
        })?;
    if let Ok(decoded) = turbojpeg::decompress(&bytes, turbojpeg::PixelFormat::RGBA)
        && let Some(buffer) =
            image::RgbaImage::from_raw(decoded.width as u32, decoded.height as u32, decoded.pixels)
    {
        return Ok(buffer.into());
    }
    image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).map_err(|error| {
        CaptureError::Damaged {
            reason: error.to_string(),
            path: path.into(),
        }
    })
}

fn put_on_white(rgba: &mut image::RgbaImage) {
    for pixel in rgba.pixels_mut() {
        let [r, g, b, a] = pixel.0;
        if a < 255 {
            let on_white = |value: u8| {
                let alpha = u32::from(a);
                ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8
            };
            pixel.0 = [on_white(r), on_white(g), on_white(b), 255];
        }
    }
}

/// The picture format of the file's first bytes; `None` when they are of no picture.
fn sniff(path: &Path) -> Result<Option<ImageFormat>, CaptureError> {
    let mut head = [0; 64];
    let mut file = open(path)?;
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) => {
                return Err(CaptureError::Read {
                    error,
                    path: path.into(),
                });
            }
        }
    }
    if filled == 0 {
        return Err(CaptureError::Empty { path: path.into() });
    }
    Ok(image::guess_format(&head[..filled])
        .ok()
        .filter(|format| FORMATS.contains(format)))
}

fn open(path: &Path) -> Result<File, CaptureError> {
    File::open(path).map_err(|error| CaptureError::Read {
        error,
        path: path.into(),
    })
}

/// Whether a GIF has a second picture.
fn moves(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    image::codecs::gif::GifDecoder::new(BufReader::new(file))
        .is_ok_and(|decoder| decoder.into_frames().take(2).flatten().count() == 2)
}

fn named_like_a_picture(path: &Path) -> bool {
    ImageFormat::from_path(path).is_ok_and(|format| FORMATS.contains(&format))
}

/// `picture` scaled down to the smallest size that still covers `need`.
pub(super) fn fitted(mut picture: Picture, need: Size) -> Picture {
    let size = super::video::covering(picture.size(), need);
    if size == picture.size() {
        return picture;
    }
    let mut small = Picture::new(size);
    let (from, into) = (picture.size(), size);
    let resized =
        Image::from_slice_u8(from.width, from.height, picture.rgba_mut(), PixelType::U8x4)
            .ok()
            .zip(
                Image::from_slice_u8(into.width, into.height, small.rgba_mut(), PixelType::U8x4)
                    .ok(),
            )
            .is_some_and(|(from, mut into)| {
                let options = ResizeOptions::new()
                    .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
                    .use_alpha(false);
                Resizer::new().resize(&from, &mut into, &options).is_ok()
            });
    // Only sizes that do not fit the buffers could fail; the large picture is right as well.
    if resized { small } else { picture }
}
