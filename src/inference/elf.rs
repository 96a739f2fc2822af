//! Whether a library is whole. The system maps what a library's headers speak of without a look at
//! the file's length; the first touch of what is not there then ends the whole program.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How an ELF file of 64 bits, the lowest byte first, begins.
const MAGIC: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
/// A part that is mapped when the library is loaded.
const LOADED: u32 = 1;
/// Bytes of a header that describes a part, and the most such headers that are looked at.
const HEADER: usize = 56;
const HEADERS: usize = 256;

/// Whether the library at `path` ends before its headers say. What is no ELF file is left to the
/// system, which says so.
pub(super) fn is_cut_off(path: &Path) -> bool {
    let looked = || -> std::io::Result<bool> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut start = [0; 64];
        file.read_exact(&mut start)?;
        if !start.starts_with(&MAGIC) {
            return Ok(false);
        }
        let (table, size, count) = (
            number(&start, 32, 8),
            number(&start, 54, 2),
            number(&start, 56, 2),
        );
        let count = (count as usize).min(HEADERS);
        if size as usize != HEADER {
            return Ok(false);
        }
        if table.saturating_add((count * HEADER) as u64) > length {
            return Ok(true);
        }
        file.seek(SeekFrom::Start(table))?;
        let mut headers = vec![0; count * HEADER];
        file.read_exact(&mut headers)?;
        let end = |header: &[u8]| number(header, 8, 8).saturating_add(number(header, 32, 8));
        let mut headers = headers.chunks_exact(HEADER);
        Ok(headers.any(|header| number(header, 0, 4) == u64::from(LOADED) && end(header) > length))
    };
    // What cannot be read cannot be loaded either.
    looked().unwrap_or(false)
}

/// The number of `count` bytes at `at`, the lowest first.
fn number(bytes: &[u8], at: usize, count: usize) -> u64 {
    let bytes = bytes.get(at..at + count).unwrap_or_default();
    let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
    bytes.iter().rev().fold(0, add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(
        target_os = "linux",
        target_pointer_width = "64",
        target_endian = "little"
    ))]
    fn a_program_that_ends_early_is_cut_off_and_other_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let whole = std::env::current_exe().unwrap();
        assert!(!is_cut_off(&whole));
        let mut start = vec![0; 4 << 20];
        let read = File::open(&whole).unwrap().read(&mut start).unwrap();
        for length in [64, 100, 4096, read] {
            let path = folder.path().join(length.to_string());
            std::fs::write(&path, &start[..length]).unwrap();
            assert!(is_cut_off(&path), "{length}");
        }
        for other in [&b""[..], b"\x7fELF", b"no library at all", &[b'x'; 4096]] {
            let path = folder.path().join("other");
            std::fs::write(&path, other).unwrap();
            assert!(!is_cut_off(&path));
        }
        assert!(!is_cut_off(&folder.path().join("nothing")));
    }
}
