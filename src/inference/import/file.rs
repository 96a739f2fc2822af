//! An ONNX file from outside, with its weights in other files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::description::is_below;
use super::super::error::InferenceError;
use super::super::files::{read_limited, sha256};
use super::super::model::FILE_LIMIT;
use super::onnx::{NotOnnx, Onnx};
use super::{ImportError, Refusal};

/// An ONNX file that was read.
pub(super) struct OnnxFile {
    pub(super) onnx: Onnx,
    bytes: Vec<u8>,
    /// Files of weights: the names that the network gives them, and where they are.
    external: Vec<(String, PathBuf)>,
}

impl OnnxFile {
    pub(super) fn read(path: &Path) -> Result<Self, ImportError> {
        let bytes = read(path)?;
        let onnx = Onnx::parse(&bytes).map_err(|NotOnnx| Refusal::not_onnx().of(path))?;
        let external = external(&onnx, path, bytes.len() as u64)?;
        Ok(Self {
            onnx,
            bytes,
            external,
        })
    }

    /// Of the ONNX file, without its weights.
    pub(super) fn sha256(&self) -> String {
        sha256(&self.bytes)
    }

    /// Writes it into `folder` as `file`, its weights beside it.
    pub(super) fn copy(self, folder: &Path, file: &str) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(file), &self.bytes)?;
        for (name, from) in &self.external {
            let to = folder.join(name);
            fs::create_dir_all(to.parent().unwrap_or(folder))?;
            fs::copy(from, &to)?;
        }
        Ok(())
    }
}

/// The file's bytes. Its length is looked at first.
fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    let unreadable = |why: String| ImportError::Unreadable {
        why,
        path: path.to_owned(),
    };
    let data = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if data.is_file() && data.len() == 0 {
        return Err(Refusal::new("it is empty".to_owned(), "Get the file again").of(path));
    }
    if data.len() > FILE_LIMIT {
        let why = format!(
            "it has {} MB, and the limit is {} MB: no network that draws live is so large",
            data.len() / (1024 * 1024),
            FILE_LIMIT / (1024 * 1024)
        );
        return Err(Refusal::new(why, "Take a smaller network").of(path));
    }
    read_limited(path, FILE_LIMIT).map_err(|error| match error {
        InferenceError::Unreadable { why, .. } => unreadable(why),
        other => unreadable(other.to_string()),
    })
}

/// Files of weights: the names that the network gives them, and where they are.
fn external(
    onnx: &Onnx,
    path: &Path,
    mut size: u64,
) -> Result<Vec<(String, PathBuf)>, ImportError> {
    let wrong = |why: String| ImportError::External {
        why,
        path: path.to_owned(),
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut files = Vec::new();
    for name in &onnx.external {
        if !is_below(name) {
            return Err(wrong(format!("\"{name}\" is outside its folder")));
        }
        let file = folder.join(name);
        let real = |path: &Path| -> io::Result<PathBuf> { path.canonicalize() };
        let (Ok(root), Ok(found)) = (real(folder), real(&file)) else {
            return Err(wrong(format!("\"{name}\" is missing")));
        };
        // A link may lead anywhere.
        if !found.starts_with(&root) {
            return Err(wrong(format!("\"{name}\" leads outside its folder")));
        }
        let data = fs::metadata(&found).map_err(|error| wrong(format!("\"{name}\": {error}")))?;
        size = size.saturating_add(data.len());
        if !data.is_file() || size > FILE_LIMIT {
            return Err(wrong(format!(
                "\"{name}\" is not a file, or all are more than {} MB",
                FILE_LIMIT / (1024 * 1024)
            )));
        }
        files.push((name.clone(), found));
    }
    Ok(files)
}
