//! Styles made of ONNX files while the window is open: dropped on it, or put into the folder of
//! models. One at a time, on a thread of its own: the picture goes on.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::inference::import::{self, Import, ImportError, Imported, Stray};
use crate::mailbox::Mailbox;
use crate::places::Places;
use crate::status::{Board, Severity, Topic};
use crate::worker::Worker;

/// How often the folder of models is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Where the result of an import arrives.
type Results = Mailbox<Result<Imported, ImportError>>;

/// What is to be added: a file from anywhere, or one that was put into the folder of models.
enum Wanted {
    File(PathBuf),
    Stray(Stray),
}

/// What waits to be added, and what is being added.
pub struct Imports {
    places: Places,
    board: Arc<Board>,
    program: PathBuf,
    waiting: VecDeque<PathBuf>,
    running: Option<(Worker, Arc<Results>)>,
    looked: Option<Instant>,
    /// Files in the folder of models at the last look: one that is still being copied changes.
    seen: Vec<Stray>,
    /// Those that were tried in this run: a folder that cannot be written keeps no notes.
    tried: Vec<Stray>,
}

impl Imports {
    /// Nothing waits. `program` is panelcam's own file: models are tried in a process of it.
    pub fn new(places: Places, board: Arc<Board>, program: PathBuf) -> Self {
        Self {
            places,
            board,
            program,
            waiting: VecDeque::new(),
            running: None,
            looked: None,
            seen: Vec::new(),
            tried: Vec::new(),
        }
    }

    /// Asks for a file to be added.
    pub fn add(&mut self, file: PathBuf) {
        if !self.waiting.contains(&file) {
            self.waiting.push_back(file);
        }
    }

    /// Goes on; gives what was added since the last call. What was refused is a notice.
    pub fn poll(&mut self) -> Option<Imported> {
        if let Some((worker, results)) = &self.running {
            let ended = worker.finished();
            let result = results.try_take();
            if ended || result.is_some() {
                self.running = None;
            }
            match result? {
                Ok(added) => {
                    let text = format!(
                        "{} was added to the styles. What was found about it can be corrected. ({})",
                        added.name,
                        added.folder.join("model.toml").display()
                    );
                    self.board.notice(Topic::Output, Severity::Info, text);
                    if let Some(slow) = &added.slow {
                        let text = format!("{}: {slow}.", added.name);
                        self.board.notice(Topic::Style, Severity::Warning, text);
                    }
                    return Some(added);
                }
                Err(error) => self.board.notice(Topic::Style, Severity::Warning, error),
            }
            return None;
        }
        if let Some(file) = self.waiting.pop_front() {
            self.start(Wanted::File(file));
        } else if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            self.look();
        }
        None
    }

    /// Takes a file that was put into the folder of models, once it is whole.
    fn look(&mut self) {
        let before = std::mem::replace(&mut self.seen, import::strays(&self.places));
        let ready = |stray: &&Stray| before.contains(stray) && !self.tried.contains(stray);
        if let Some(stray) = self.seen.iter().find(ready).cloned() {
            self.tried.push(stray.clone());
            self.start(Wanted::Stray(stray));
        }
    }

    fn start(&mut self, wanted: Wanted) {
        let file = match &wanted {
            Wanted::File(file) => file,
            Wanted::Stray(stray) => &stray.path,
        };
        let results = Arc::new(Mailbox::new());
        let (places, outbox) = (self.places.clone(), Arc::clone(&results));
        let program = self.program.clone();
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let worker = Worker::spawn("import", move |stop| {
            let mut say = |line: &str| tracing::info!("{line}");
            let stopped = || stop.asked();
            let result = match wanted {
                Wanted::Stray(stray) => {
                    import::import_stray(&places, &stray, &program, &stopped, &mut say)
                }
                Wanted::File(file) => {
                    let wanted = Import {
                        file,
                        ..Import::default()
                    };
                    import::import(&places, &wanted, &program, &stopped, &mut say)
                }
            };
            outbox.send(result);
        });
        match worker {
            Ok(worker) => {
                let text = format!("{name} is being tried; this takes some seconds.");
                self.board.notice(Topic::Output, Severity::Info, text);
                self.running = Some((worker, results));
            }
            Err(error) => self.board.notice(Topic::Style, Severity::Warning, error),
        }
    }
}
