//! Pictures written to files, whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::{JpegEncoder, PixelDensity};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use tempfile::TempPath;

use super::{Existing, OutputError};
use crate::frame::Picture;

/// Quality of JPEG and WebP files, 0 to 100.
const LOSSY_QUALITY: u8 = 92;

/// A kind of picture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFormat {
    /// Lossless, with alpha.
    Png,
    /// Lossy, without alpha: laid on white.
    Jpeg,
    /// Lossy, with alpha.
    Webp,
}

impl PictureFormat {
    /// By the extension of `path`; `None` when it is no picture's.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "webp" => Some(Self::Webp),
            _ => None,
        }
    }
}

/// Writes `program` (premultiplied alpha) to `path` in the format its extension names. The file
/// appears whole or not at all.
///
/// # Errors
/// When the extension is not known, the file exists and may not be replaced, or writing fails.
pub fn save_picture(program: &Picture, path: &Path, existing: Existing) -> Result<(), OutputError> {
    save_print(program, path, None, existing)
}

/// Like [`save_picture`]; PNG and JPEG say that they are printed at `dpi` pixels an inch.
///
/// # Errors
/// The same.
pub fn save_print(
    program: &Picture,
    path: &Path,
    dpi: Option<u16>,
    existing: Existing,
) -> Result<(), OutputError> {
    super::publish(written(program, path, dpi, existing)?, path, existing)
}

/// Writes pictures that belong together, each to its path: all of them or none. Files that are
/// there stay until every new one is whole.
///
/// # Errors
/// As of [`save_picture`].
pub fn save_pictures(
    programs: &[Picture],
    paths: &[PathBuf],
    existing: Existing,
) -> Result<(), OutputError> {
    let files: Vec<TempPath> = programs
        .iter()
        .zip(paths)
        .map(|(program, path)| written(program, path, None, existing))
        .collect::<Result<_, _>>()?;
    for (at, (file, path)) in files.into_iter().zip(paths).enumerate() {
        let Err(error) = super::publish(file, path, existing) else {
            continue;
        };
        // What took another's place cannot be given back.
        for path in paths[..at].iter().filter(|_| existing == Existing::Refuse) {
            if let Err(error) = std::fs::remove_file(path) {
                tracing::debug!("A picture stays behind: {error}.");
            }
        }
        return Err(error);
    }
    Ok(())
}

/// The picture's file, whole, under a name of its own beside `path`.
fn written(
    program: &Picture,
    path: &Path,
    dpi: Option<u16>,
    existing: Existing,
) -> Result<TempPath, OutputError> {
    let format =
        PictureFormat::of(path).ok_or_else(|| OutputError::Extension { path: path.into() })?;
    existing.check(path)?;
    let bytes = encode(program, format, dpi).map_err(|why| OutputError::Encode {
        why,
        path: path.into(),
    })?;
    let write = |source| OutputError::Write {
        source,
        path: path.into(),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".panelcam-")
        .tempfile_in(super::folder_of(path))
        .map_err(write)?;
    file.write_all(&bytes).map_err(write)?;
    Ok(file.into_temp_path())
}

/// The file's bytes.
fn encode(program: &Picture, format: PictureFormat, dpi: Option<u16>) -> Result<Vec<u8>, String> {
    let (width, height) = (program.width(), program.height());
    let mut bytes = Vec::new();
    match format {
        PictureFormat::Png => {
            let encoder = PngEncoder::new_with_quality(
                &mut bytes,
                CompressionType::Fast,
                FilterType::Adaptive,
            );
            let pixels = straight(program);
            encoder
                .write_image(&pixels, width, height, ExtendedColorType::Rgba8)
                .map_err(|error| error.to_string())?;
            if let Some(dpi) = dpi {
                add_density(&mut bytes, dpi);
            }
        }
        PictureFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, LOSSY_QUALITY);
            if let Some(dpi) = dpi {
                encoder.set_pixel_density(PixelDensity::dpi(dpi));
            }
            encoder
                .write_image(&on_white(program), width, height, ExtendedColorType::Rgb8)
                .map_err(|error| error.to_string())?;
        }
        PictureFormat::Webp => {
            let pixels = straight(program);
            let encoded = webp::Encoder::from_rgba(&pixels, width, height)
                .encode_simple(false, f32::from(LOSSY_QUALITY))
                .map_err(|error| format!("{error:?}"))?;
            bytes.extend_from_slice(&encoded);
        }
    }
    Ok(bytes)
}

/// Puts PNG's `pHYs` chunk, which the encoder does not write, after the header: pixels a metre.
fn add_density(png: &mut Vec<u8>, dpi: u16) {
    /// The signature and the header with its length, name and checksum.
    const HEADER: usize = 8 + 4 + 4 + 13 + 4;
    let per_metre = (f64::from(dpi) / 0.0254).round() as u32;
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(per_metre.to_be_bytes());
    chunk.extend(per_metre.to_be_bytes());
    chunk.push(1);
    let mut all = 9u32.to_be_bytes().to_vec();
    all.extend(&chunk);
    all.extend(crc(&chunk).to_be_bytes());
    if png.len() >= HEADER {
        png.splice(HEADER..HEADER, all);
    }
}

/// PNG's checksum (CRC-32 as in ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

/// Pixels with straight alpha, as files hold them.
fn straight(program: &Picture) -> Vec<u8> {
    let mut pixels = program.rgba().to_vec();
    for pixel in pixels.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3]);
        if alpha != 0 && alpha != 255 {
            for channel in &mut pixel[..3] {
                *channel = ((u32::from(*channel) * 255 + alpha / 2) / alpha).min(255) as u8;
            }
        }
    }
    pixels
}

/// Opaque RGB, laid on white paper.
fn on_white(program: &Picture) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(program.size().area() * 3);
    for pixel in program.rgba().chunks_exact(4) {
        let paper = 255 - pixel[3];
        pixels.extend(
            pixel[..3]
                .iter()
                .map(|channel| channel.saturating_add(paper)),
        );
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    fn half_red() -> Picture {
        let size = Size::new(4, 2);
        Picture::from_rgba(size, [128, 0, 0, 128].repeat(size.area())).unwrap()
    }

    #[test]
    fn every_format_is_written_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        for (name, expected) in [
            ("a.png", [255, 0, 0, 128]),
            ("a.jpg", [255, 127, 127, 255]),
            ("a.webp", [255, 0, 0, 128]),
        ] {
            let path = folder.path().join(name);
            save_picture(&half_red(), &path, Existing::Refuse).unwrap();
            let read = image::open(&path).unwrap().to_rgba8();
            assert_eq!(read.dimensions(), (4, 2));
            for (got, want) in read.get_pixel(1, 1).0.iter().zip(expected) {
                assert!(
                    got.abs_diff(want) <= 6,
                    "{name}: {:?}",
                    read.get_pixel(1, 1)
                );
            }
        }
        assert_eq!(
            folder.path().read_dir().unwrap().count(),
            3,
            "a temporary file was left behind"
        );
    }

    #[test]
    fn a_print_says_its_density() {
        let folder = tempfile::tempdir().unwrap();
        let png = folder.path().join("a.png");
        save_print(&half_red(), &png, Some(300), Existing::Refuse).unwrap();
        let bytes = std::fs::read(&png).unwrap();
        assert_eq!(&bytes[37..41], b"pHYs");
        assert_eq!(bytes[41..45], 11811u32.to_be_bytes());
        assert!(image::open(&png).is_ok());
        // The checksum that every PNG ends with.
        assert_eq!(crc(b"IEND"), 0xae42_6082);
        let jpeg = folder.path().join("a.jpg");
        save_print(&half_red(), &jpeg, Some(300), Existing::Refuse).unwrap();
        // JFIF: inches, 300 each way.
        assert_eq!(std::fs::read(&jpeg).unwrap()[13..18], [1, 1, 44, 1, 44]);
    }

    #[test]
    fn an_existing_file_is_kept_unless_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, "precious").unwrap();
        let refused = save_picture(&half_red(), &path, Existing::Refuse);
        assert!(
            matches!(refused, Err(OutputError::Exists { .. })),
            "{refused:?}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        save_picture(&half_red(), &path, Existing::Overwrite).unwrap();
        assert!(image::open(&path).is_ok());
    }

    #[test]
    fn unknown_extensions_and_missing_folders_are_said() {
        let refused = save_picture(&half_red(), Path::new("a.tiff"), Existing::Refuse);
        assert!(matches!(refused, Err(OutputError::Extension { .. })));
        let refused = save_picture(
            &half_red(),
            Path::new("/no/such/folder/a.png"),
            Existing::Refuse,
        );
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .ends_with("(/no/such/folder/a.png)")
        );
    }
}
