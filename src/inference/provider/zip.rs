//! Reads zip files, as far as wheels need it: the list of entries at the end, and entries that are
//! stored or deflated. <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use flate2::read::DeflateDecoder;

/// The end of the list of entries is looked for in so many bytes: a comment may follow it.
const TAIL: u64 = 66_000;
/// The longest list of entries that is read, in bytes.
const LIST_LIMIT: u64 = 16 * 1024 * 1024;
/// What the end of the list, an entry in it, and an entry itself begin with.
const END: [u8; 4] = *b"PK\x05\x06";
const LISTED: [u8; 4] = *b"PK\x01\x02";
const ENTRY: [u8; 4] = *b"PK\x03\x04";

/// A file in a zip file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zip {
    /// Its path, as the zip file has it.
    pub(super) name: String,
    method: u16,
    packed: u64,
    at: u64,
}

impl Zip {
    /// What is in `file`.
    pub(super) fn entries(file: &mut File) -> io::Result<Vec<Self>> {
        let length = file.seek(SeekFrom::End(0))?;
        let from = length.saturating_sub(TAIL);
        let tail = read_at(file, from, length - from)?;
        let end = tail
            .windows(4)
            .rposition(|bytes| bytes == END)
            .and_then(|at| tail.get(at..at + 22))
            .ok_or_else(|| wrong("it is not a zip file"))?;
        let count = usize::from(number16(end, 10));
        let (size, start) = (u64::from(number32(end, 12)), u64::from(number32(end, 16)));
        if size > LIST_LIMIT || start.checked_add(size).is_none_or(|end| end > length) {
            return Err(wrong("its list of files is damaged"));
        }
        let list = read_at(file, start, size)?;
        let mut rest = &list[..];
        let mut entries = Vec::new();
        while entries.len() < count {
            let damaged = || wrong("its list of files is damaged");
            let head = rest
                .get(..46)
                .filter(|head| head.starts_with(&LISTED))
                .ok_or_else(damaged)?;
            let names = usize::from(number16(head, 28));
            let more = usize::from(number16(head, 30)) + usize::from(number16(head, 32));
            let name = rest.get(46..46 + names).ok_or_else(damaged)?;
            entries.push(Self {
                name: String::from_utf8_lossy(name).into_owned(),
                method: number16(head, 10),
                packed: u64::from(number32(head, 20)),
                at: u64::from(number32(head, 42)),
            });
            rest = rest.get(46 + names + more..).ok_or_else(damaged)?;
        }
        Ok(entries)
    }

    /// Its bytes, unpacked as they are read. They may be more than anybody says.
    pub(super) fn read<'a>(&self, file: &'a mut File) -> io::Result<Box<dyn Read + 'a>> {
        let head = read_at(file, self.at, 30)?;
        if !head.starts_with(&ENTRY) {
            return Err(wrong("a file in it is damaged"));
        }
        let before = u64::from(number16(&head, 26)) + u64::from(number16(&head, 28));
        file.seek(SeekFrom::Start(self.at.saturating_add(30 + before)))?;
        let packed = file.take(self.packed);
        match self.method {
            0 => Ok(Box::new(packed)),
            8 => Ok(Box::new(DeflateDecoder::new(packed))),
            _ => Err(wrong("a file in it is packed in a way that is not known")),
        }
    }
}

fn read_at(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn number16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn number32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use proptest::prelude::*;

    use super::*;

    /// A zip file with these entries, deflated.
    pub(in super::super) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut bytes, mut list) = (Vec::new(), Vec::new());
        for (name, content) in entries {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content).unwrap();
            let packed = encoder.finish().unwrap();
            let at = bytes.len() as u32;
            let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            common.extend((packed.len() as u32).to_le_bytes());
            common.extend((content.len() as u32).to_le_bytes());
            common.extend((name.len() as u16).to_le_bytes());
            common.extend([0, 0]);
            bytes.extend(ENTRY);
            bytes.extend(&common);
            bytes.extend(name.bytes());
            bytes.extend(packed);
            list.extend(LISTED);
            list.extend([20, 0]);
            list.extend(&common);
            list.extend([0; 10]);
            list.extend(at.to_le_bytes());
            list.extend(name.bytes());
        }
        let start = bytes.len() as u32;
        bytes.extend(&list);
        bytes.extend(END);
        bytes.extend([0; 4]);
        bytes.extend((entries.len() as u16).to_le_bytes());
        bytes.extend((entries.len() as u16).to_le_bytes());
        bytes.extend((list.len() as u32).to_le_bytes());
        bytes.extend(start.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    fn all(bytes: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let entries = Zip::entries(&mut file)?;
        entries
            .iter()
            .map(|entry| {
                let mut content = Vec::new();
                entry
                    .read(&mut file)?
                    .take(10_000)
                    .read_to_end(&mut content)?;
                Ok((entry.name.clone(), content))
            })
            .collect()
    }

    #[test]
    fn what_was_packed_comes_out() {
        let bytes = zip(&[("a/b.txt", b"hello hello hello"), ("c", b"")]);
        let found = all(&bytes).unwrap();
        assert_eq!(
            found[0],
            ("a/b.txt".to_owned(), b"hello hello hello".to_vec())
        );
        assert_eq!(found[1].0, "c");
        assert!(all(b"").is_err() && all(b"no zip at all").is_err());
    }

    proptest! {
        #[test]
        fn any_change_is_read_or_refused(
            changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
            cut in any::<usize>(),
        ) {
            let mut bytes = zip(&[("a/b.so", b"hello hello hello"), ("c", b"x")]);
            for (at, byte) in changes {
                let length = bytes.len();
                bytes[at % length] = byte;
            }
            bytes.truncate(cut % (bytes.len() * 2));
            let _ = all(&bytes);
        }
    }
}
