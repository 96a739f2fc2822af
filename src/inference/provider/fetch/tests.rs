//! Wheels from an index on this machine whose connections are cut.

// `env` tells pip which index to look at.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use parking_lot::Mutex;

use super::*;
use crate::worker::Worker;

/// A wheel that an index has.
struct Served {
    wheel: Wheel,
    name: String,
    bytes: Vec<u8>,
    /// How many bytes of it arrive, the first times it is asked for, before the connection is cut.
    cuts: Vec<usize>,
    /// How long its second half waits.
    stall: Duration,
}

/// A wheel with one library of so many bytes that do not shrink.
fn served(package: &'static str, bytes: usize, cuts: &[usize]) -> Served {
    let mut random = bytes as u32;
    let library = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    });
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let info = format!("{package}-1.0.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n");
    let wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    for (name, content) in [
        (
            format!("{package}/lib{package}.so"),
            library.take(bytes).collect(),
        ),
        (format!("{info}/METADATA"), metadata.into_bytes()),
        (format!("{info}/WHEEL"), wheel.as_bytes().to_vec()),
        (format!("{info}/RECORD"), Vec::new()),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&content).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file.rewind().unwrap();
    Served {
        wheel: Wheel {
            package,
            version: "1.0",
            machine: Machine::here().unwrap(),
            sha256: wheel::hash(&mut file).unwrap().leak(),
            unpacked: 1,
        },
        name: format!("{package}-1.0-py3-none-any.whl"),
        bytes,
        cuts: cuts.to_vec(),
        stall: Duration::ZERO,
    }
}

/// What an index was asked for: a file's name, and from which byte on.
type Asked = Arc<Mutex<Vec<(String, usize)>>>;

/// An index, running.
struct Index {
    address: String,
    asked: Asked,
    _worker: Worker,
}

fn serve(mut files: Vec<Served>) -> Index {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/simple", listener.local_addr().unwrap());
    let asked = Asked::default();
    let kept = Arc::clone(&asked);
    let worker = Worker::spawn("index", move |stop| {
        while !stop.asked() {
            match listener.accept() {
                Ok((connection, _)) => {
                    let _ = answer(connection, &mut files, &kept);
                }
                Err(_) => stop.sleep(Duration::from_millis(2)),
            }
        }
    });
    Index {
        address,
        asked,
        _worker: worker.unwrap(),
    }
}

fn answer(mut connection: TcpStream, files: &mut [Served], asked: &Asked) -> std::io::Result<()> {
    connection.set_nonblocking(false)?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut start = 0;
    for line in lines {
        let line = line?.to_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let head = "connection: close\r\netag: \"one\"\r\naccept-ranges: bytes";
    let file = files.iter_mut().find(|file| path.contains(&file.name));
    if let Some(file) = file {
        asked.lock().push((file.name.clone(), start));
        let rest = &file.bytes[start.min(file.bytes.len())..];
        let status = if start > 0 { "206 Partial" } else { "200 OK" };
        write!(
            connection,
            "HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {}\r\ncontent-range: bytes {start}-{}/{}\r\n\r\n",
            rest.len(),
            file.bytes.len() - 1,
            file.bytes.len()
        )?;
        let arrives = if file.cuts.is_empty() {
            rest.len()
        } else {
            file.cuts.remove(0).min(rest.len())
        };
        let (first, second) = rest[..arrives].split_at(arrives / 2);
        connection.write_all(first)?;
        std::thread::sleep(file.stall);
        return connection.write_all(second);
    }
    let links = files
        .iter()
        .filter(|file| path.contains(file.wheel.package))
        .map(|file| {
            let (name, sha256) = (&file.name, file.wheel.sha256);
            format!("<a href=\"/files/{name}#sha256={sha256}\">{name}</a>")
        });
    let page = links.collect::<String>();
    write!(
        connection,
        "HTTP/1.1 200 OK\r\n{head}\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
        page.len()
    )
}

/// The same pip, looking at another index.
fn looking_at(pip: &Pip, index: &Index) -> Pip {
    let environment = [
        format!("PIP_INDEX_URL={}", index.address),
        "NO_PROXY=127.0.0.1".to_owned(),
        "PIP_NO_CACHE_DIR=1".to_owned(),
        "PIP_RETRIES=0".to_owned(),
    ];
    let first = environment.into_iter().map(Into::into);
    Pip {
        program: "env".into(),
        first: first
            .chain([pip.program.clone()])
            .chain(pip.first.iter().cloned())
            .collect(),
    }
}

#[test]
fn what_pip_says_last_counts_unless_there_was_no_connection() {
    let broken = "WARNING: Retrying (Retry(total=0)) after connection broken by 'ProxyError(...)': /simple/x/\n";
    let none = "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\nERROR: No matching distribution found for x==1\n";
    let other = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES.\n";
    for (said, complaint) in [
        (none.to_owned(), "No matching distribution found for x==1"),
        (
            [broken, none].concat(),
            "the package index cannot be reached",
        ),
        // It came back.
        (
            [broken, other].concat(),
            "THESE PACKAGES DO NOT MATCH THE HASHES",
        ),
        (
            [broken, &none.replace("none", "2, 3")].concat(),
            "No matching distribution found for x==1",
        ),
        (
            "ERROR: Exception:\nTraceback (most recent call last):\n  File \"x.py\", line 5\npip.ConnectionError: HTTPSConnectionPool(host='x'): Max retries exceeded with url: /x.whl\n\n".to_owned(),
            "the package index cannot be reached",
        ),
        (
            "ERROR: Exception:\nTraceback (most recent call last):\nOSError: No space left on device\n".to_owned(),
            "OSError: No space left on device",
        ),
        (String::new(), "pip failed"),
    ] {
        assert_eq!(complaint_in(&said), complaint, "{said}");
    }
}

#[test]
fn how_far_a_file_is_goes_by_the_size_that_pip_says() {
    let said = "Collecting a\n  Downloading a-1.0-py3-none-any.whl.metadata (1.7 kB)\nDownloading a-1.0-py3-none-any.whl (2.5 MB)\n";
    assert_eq!(size_in(said), Some(2_500_000));
    assert_eq!(size_in("Downloading a.whl (12 kB)"), Some(12_000));
    for other in [
        "",
        "Collecting a (2 MB)",
        "Downloading a.whl",
        "Downloading a (x MB)",
    ] {
        assert_eq!(size_in(other), None, "{other}");
    }
    assert_eq!(
        progress("a", 1_250_000, Some(2_500_000)),
        "a: 1 of 3 MB, 50 %."
    );
    assert_eq!(progress("a", 3_250_000, None), "a: 3 MB so far.");
    assert_eq!(progress("a", 0, Some(0)), "a: 0 MB so far.");
    // Two files, or a size that was rounded down.
    assert_eq!(progress("a", 9_000_000, Some(8_900_000)), "a: 9 MB so far.");
}

#[test]
fn what_is_there_and_whole_is_not_fetched_again() {
    let home = tempfile::tempdir().unwrap();
    let places = Places::under(home.path());
    for provider in [Provider::Cuda, Provider::Webgpu] {
        let supply = Supply::of(provider).unwrap();
        let folder = folder_of(&places, supply);
        let versions: Vec<String> = supply
            .wheels_here()
            .iter()
            .map(|wheel| format!("{} {}\n", wheel.package, wheel.version))
            .collect();
        let versions = versions.concat();
        assert!(!is_whole(&folder, &versions));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(super::super::VERSIONS), &versions).unwrap();
        fs::write(folder.join("libone.so"), "one").unwrap();
        // From before there were hashes.
        assert!(!is_whole(&folder, &versions));
        let hashes = hashes(&folder).unwrap();
        fs::write(folder.join(super::super::HASHES), hashes).unwrap();
        assert!(is_whole(&folder, &versions));
    }
    // Both are one package.
    #[cfg(target_arch = "x86_64")]
    for provider in [Provider::Cuda, Provider::Tensorrt] {
        let mut said = Vec::new();
        add(&places, provider, &mut |line| said.push(line.to_owned())).unwrap();
        assert_eq!(said, ["Its package is there already, and whole."]);
    }
    // Damaged or of another version, it is fetched.
    let folder = places.data.join("runtime/webgpu");
    let versions = fs::read_to_string(folder.join(super::super::VERSIONS)).unwrap();
    assert!(!is_whole(&folder, "other 1.0\n"));
    fs::write(folder.join("libone.so"), "two").unwrap();
    assert!(!is_whole(&folder, &versions));
}

/// A pip that resumes; `None`, loudly, where there is none and none can be fetched.
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn resuming_pip(cache: &Path) -> Option<Pip> {
    let pip = Pip::find(cache, &mut |_| {}).ok();
    let pip = pip.filter(Pip::resumes);
    // It is set where packages can be fetched.
    assert!(
        pip.is_some() || std::env::var("REQUIRE_WEBGPU").as_deref() != Ok("1"),
        "there is no pip that resumes"
    );
    if pip.is_none() {
        eprintln!("SKIPPED: there is no pip that resumes");
    }
    pip
}

#[test]
fn a_cut_wheel_goes_on_where_it_was_cut() {
    let cache = tempfile::tempdir().unwrap();
    let Some(pip) = resuming_pip(cache.path()) else {
        return;
    };
    let whole = served("cutoff", 300_000, &[200_000]);
    let (wheel, bytes) = (whole.wheel, whole.bytes.clone());
    let index = serve(vec![whole]);
    let pip = looking_at(&pip, &index);
    let file = download(&pip, &wheel, cache.path(), &mut |_| {}).unwrap();
    assert_eq!(fs::read(file).unwrap(), bytes);
    let from: Vec<usize> = index.asked.lock().iter().map(|(_, from)| *from).collect();
    assert_eq!(from, [0, 200_000]);
}

#[test]
fn how_much_of_a_file_is_there_is_said_while_it_is_fetched() {
    let cache = tempfile::tempdir().unwrap();
    let Some(pip) = resuming_pip(cache.path()) else {
        return;
    };
    let mut whole = served("slowly", 4_000_000, &[]);
    whole.stall = TELL + Duration::from_secs(2);
    let wheel = whole.wheel;
    let index = serve(vec![whole]);
    let pip = looking_at(&pip, &index);
    let mut said = Vec::new();
    download(&pip, &wheel, cache.path(), &mut |line| {
        said.push(line.to_owned());
    })
    .unwrap();
    let is_share = |line: &String| line.contains(" of 4 MB, ") || line.contains(" of 5 MB, ");
    assert!(said.iter().any(is_share), "{said:?}");
}

#[test]
fn a_second_call_fetches_only_what_the_first_did_not() {
    let cache = tempfile::tempdir().unwrap();
    let Some(pip) = resuming_pip(cache.path()) else {
        return;
    };
    // The second is cut more often than pip tries again.
    let files = vec![
        served("first", 50_000, &[]),
        served("second", 60_000, &[0; 7]),
    ];
    let wheels: Vec<Wheel> = files.iter().map(|file| file.wheel).collect();
    let wheels: Vec<&Wheel> = wheels.iter().collect();
    let index = serve(files);
    let pip = looking_at(&pip, &index);
    let find = |_: &Path, _: &mut dyn FnMut(&str)| Ok(pip.clone());
    let mut said = Vec::new();
    let error = fetch(
        &wheels,
        cache.path(),
        &mut |line| said.push(line.to_owned()),
        find,
    )
    .unwrap_err();
    assert!(
        error.to_string().starts_with("second could not be fetched"),
        "{error}"
    );
    // On a slow machine it is told between how far it is.
    said.retain(|line| line.starts_with("Fetching"));
    assert_eq!(
        said,
        [
            "Fetching first 1.0 (1 of 2).",
            "Fetching second 1.0 (2 of 2)."
        ]
    );

    index.asked.lock().clear();
    let mut said = Vec::new();
    let find = |_: &Path, _: &mut dyn FnMut(&str)| Ok(pip.clone());
    let fetched = (0..3).find_map(|_| {
        fetch(
            &wheels,
            cache.path(),
            &mut |line| said.push(line.to_owned()),
            find,
        )
        .ok()
    });
    assert_eq!(fetched.map(|files| files.len()), Some(2));
    assert!(
        index
            .asked
            .lock()
            .iter()
            .all(|(name, _)| name.starts_with("second"))
    );
    assert!(said.iter().all(|line| !line.contains("first")), "{said:?}");
}
