//! Files of models, which come from outside: read within limits, compared with their hashes.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::InferenceError;
use crate::frame::{Picture, Size};

/// The largest thumbnail or picture of a style that is read, in bytes.
pub(super) const PICTURE_LIMIT: u64 = 1024 * 1024;
/// The most a side of a style's picture may measure.
const SIDE_LIMIT: u32 = 1024;

/// Whether `bytes` have the hash `expected`.
pub(super) fn compare(bytes: &[u8], expected: &str, path: &Path) -> Result<(), InferenceError> {
    let found = sha256(bytes);
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(InferenceError::Hash {
        expected: expected.to_owned(),
        found,
        path: path.to_owned(),
    })
}

/// A style's picture: a PNG from outside.
pub(super) fn read_style_picture(path: &Path) -> Result<Arc<Picture>, InferenceError> {
    let bytes = read_limited(path, PICTURE_LIMIT)?;
    let unreadable = |why: String| InferenceError::Unreadable {
        why,
        path: path.to_owned(),
    };
    let mut reader =
        image::ImageReader::with_format(std::io::Cursor::new(bytes), image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(SIDE_LIMIT);
    limits.max_image_height = Some(SIDE_LIMIT);
    reader.limits(limits);
    let image = reader
        .decode()
        .map_err(|error| unreadable(error.to_string()))?
        .into_rgba8();
    let size = Size::new(image.width(), image.height());
    Picture::from_rgba(size, image.into_raw())
        .map(Arc::new)
        .ok_or_else(|| unreadable("it has no pixels".to_owned()))
}

/// In lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The file's bytes. Never more than `limit`, whatever the file's length claims to be.
pub(super) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, InferenceError> {
    let unreadable = |why: String| InferenceError::Unreadable {
        why,
        path: path.to_owned(),
    };
    if !fs::metadata(path)
        .map_err(|error| unreadable(error.to_string()))?
        .is_file()
    {
        return Err(unreadable("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(unreadable(format!(
            "it is larger than {} MB",
            limit.div_ceil(1024 * 1024)
        )));
    }
    Ok(bytes)
}
