//! File dialogs, on a thread of their own: the picture goes on while somebody looks for a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::Context;

use crate::mailbox::Mailbox;
use crate::ui::{SOURCE_EXTENSIONS, Texts};
use crate::worker::Worker;

/// Nobody closes a dialog this quickly: none has opened. The system says it in no other way.
const TOO_QUICK: Duration = Duration::from_millis(300);

/// What a file is picked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A photo or a video.
    Source,
    /// A page.
    Page,
    /// A model that becomes a style.
    Style,
}

/// How a dialog ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A file was picked.
    Picked(Purpose, PathBuf),
    /// It was closed without one.
    Dismissed,
    /// The system has no file dialog.
    NothingOpened,
}

/// At most one open dialog.
#[derive(Default)]
pub struct Dialogs {
    open: Option<(Worker, Arc<Mailbox<Answer>>)>,
}

impl Dialogs {
    /// Opens a dialog, unless one is open already.
    pub fn open(&mut self, ctx: &Context, purpose: Purpose, texts: &Texts) {
        if self.open.is_some() {
            return;
        }
        let (texts, ctx) = (texts.dialogs.clone(), ctx.clone());
        let answers = Arc::new(Mailbox::with_waker(move || ctx.request_repaint()));
        let outbox = Arc::clone(&answers);
        let worker = Worker::spawn("file dialog", move |_| {
            let dialog = match purpose {
                Purpose::Source => rfd::FileDialog::new()
                    .set_title(texts.pick_source)
                    .add_filter(texts.photos_and_videos, &SOURCE_EXTENSIONS)
                    .add_filter(texts.all_files, &["*"]),
                Purpose::Page => rfd::FileDialog::new()
                    .set_title(texts.pick_page)
                    .add_filter(texts.pages, &["svg"]),
                Purpose::Style => rfd::FileDialog::new()
                    .set_title(texts.pick_style)
                    .add_filter(texts.models, &["onnx"]),
            };
            let opened = Instant::now();
            let answer = match dialog.pick_file() {
                Some(path) => Answer::Picked(purpose, path),
                None if opened.elapsed() < TOO_QUICK => Answer::NothingOpened,
                None => Answer::Dismissed,
            };
            outbox.send(answer);
        });
        match worker {
            Ok(worker) => self.open = Some((worker, answers)),
            Err(error) => tracing::warn!("No thread for the file dialog: {error}"),
        }
    }

    /// How the dialog ended, once it has.
    pub fn answer(&mut self) -> Option<Answer> {
        let (worker, answers) = self.open.as_ref()?;
        let ended = worker.finished();
        let answer = answers.try_take();
        if answer.is_some() || ended {
            self.open = None;
        }
        answer
    }
}

impl Drop for Dialogs {
    fn drop(&mut self) {
        // Closing the window must not wait for a dialog that is still open.
        if let Some((worker, _)) = self.open.take()
            && !worker.finished()
        {
            worker.abandon();
        }
    }
}
