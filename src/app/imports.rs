//! Styles made of ONNX files while the window is open: dropped on it, or put into the folder of
//! models. One at a time, on a thread of its own: the picture goes on.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::inference::import::{self, Import, ImportError, Imported};
use crate::mailbox::Mailbox;
use crate::places::Places;
use crate::status::{Board, Severity, Topic};
use crate::worker::Worker;

/// How often the folder of models is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Where the result of an import arrives.
type Results = Mailbox<Result<Imported, ImportError>>;

/// What waits to be added, and what is being added.
pub struct Imports {
    places: Places,
    board: Arc<Board>,
    waiting: VecDeque<PathBuf>,
    running: Option<(Worker, Arc<Results>)>,
    looked: Option<Instant>,
}

impl Imports {
    /// Nothing waits.
    pub fn new(places: Places, board: Arc<Board>) -> Self {
        Self {
            places,
            board,
            waiting: VecDeque::new(),
            running: None,
            looked: None,
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
                    return Some(added);
                }
                Err(error) => self.board.notice(Topic::Style, Severity::Warning, error),
            }
            return None;
        }
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            for file in import::strays(&self.places) {
                self.add(file);
            }
        }
        if let Some(file) = self.waiting.pop_front() {
            self.start(file);
        }
        None
    }

    fn start(&mut self, file: PathBuf) {
        let results = Arc::new(Mailbox::new());
        let (places, outbox) = (self.places.clone(), Arc::clone(&results));
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let worker = Worker::spawn("import", move |_| {
            let mut say = |line: &str| tracing::info!("{line}");
            let result = match std::env::current_exe() {
                Err(error) => Err(ImportError::Crashed {
                    why: format!("this program's own file is not known: {error}"),
                    path: file,
                }),
                Ok(program) if import::strays(&places).contains(&file) => {
                    import::import_stray(&places, &file, &program, &mut say)
                }
                Ok(program) => {
                    let wanted = Import {
                        file,
                        ..Import::default()
                    };
                    import::import(&places, &wanted, &program, &mut say)
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
