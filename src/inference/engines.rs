//! Which provider draws, why, and why not a better one.

use std::sync::Arc;

use super::model::Model;
use super::provider::{Kept, Mind, Verdict, Verdicts, is_loaded};
use super::runtime::Runtime;
use crate::places::Places;
use crate::settings::Provider;
use crate::status::{Board, Severity, Topic};
use crate::worker::Worker;

/// What is known of providers in this run.
pub(super) struct Engines {
    runtime: Arc<Runtime>,
    places: Places,
    board: Arc<Board>,
    /// Providers that failed while drawing, and why: not tried again before the next start.
    failed: Vec<(Provider, String)>,
    /// The provider that was asked for and cannot be had; told once.
    refused: Option<Provider>,
    /// Checks providers for a model.
    checks: Option<Worker>,
    /// Models whose providers were checked in this run.
    checked: Vec<String>,
}

impl Engines {
    pub fn new(runtime: Arc<Runtime>, places: Places, board: Arc<Board>) -> Self {
        Self {
            runtime,
            places,
            board,
            failed: Vec::new(),
            refused: None,
            checks: None,
            checked: Vec::new(),
        }
    }

    /// What should run `model` when `asked` is set, and its time for a pixel in nanoseconds when it is
    /// not the CPU. Starts checking those that were not yet.
    pub fn pick(&mut self, model: &Arc<Model>, asked: Provider) -> (Provider, Option<f64>) {
        if asked == Provider::Cpu {
            return (Provider::Cpu, None);
        }
        let Some(verdicts) = self.verdicts(model) else {
            self.check(model);
            return (Provider::Cpu, None);
        };
        let chosen = match asked {
            Provider::Auto => verdicts.best(|provider| self.can_draw(provider)),
            other => verdicts
                .about(other)
                .filter(|verdict| verdict.is_good() && self.can_draw(other)),
        };
        chosen.map_or((Provider::Cpu, None), |verdict| {
            (verdict.provider, verdict.nanos_per_pixel())
        })
    }

    /// `provider` does not draw any more in this run.
    pub fn give_up(&mut self, provider: Provider, why: String) {
        self.failed.push((provider, why));
    }

    /// Whether providers are being checked.
    pub fn are_checked(&self) -> bool {
        self.checks.is_some()
    }

    /// Whether a check has ended since the last call.
    pub fn check_ended(&mut self) -> bool {
        let ended = self.checks.as_ref().is_some_and(Worker::finished);
        if ended {
            self.checks = None;
        }
        ended
    }

    /// Why `used` draws `model` when `asked` is set: never silently another than asked for. A line for each
    /// provider.
    pub fn reason(&mut self, model: &Model, used: Provider, asked: Provider) -> String {
        let verdicts = self.verdicts(model);
        let name = used.name();
        match (asked, &verdicts) {
            (Provider::Cpu, _) => "CPU, as set.".to_owned(),
            _ if self.are_checked() => format!("{name}. Other providers are being checked."),
            (Provider::Auto, Some(verdicts)) => self.reason_of_auto(verdicts, used),
            (Provider::Auto, None) => "CPU.".to_owned(),
            (other, _) if other == used => format!("{name}, as set."),
            (other, verdicts) => {
                let verdict = verdicts.as_ref().and_then(|all| all.about(other));
                match verdict {
                    Some(verdict) if verdict.is_good() && self.can_draw(other) => {
                        return format!(
                            "{} is being loaded; the CPU draws meanwhile.",
                            other.name()
                        );
                    }
                    _ => {}
                }
                let text = match verdict {
                    Some(verdict) => format!("{} The CPU draws.", self.text(verdict)),
                    None => format!(
                        "{} is not there; the CPU draws. Run: panelcam runtime add {}",
                        other.name(),
                        other.id()
                    ),
                };
                if self.refused.replace(other) != Some(other) {
                    self.board.notice(Topic::Runtime, Severity::Warning, &text);
                }
                text
            }
        }
    }

    fn reason_of_auto(&self, verdicts: &Verdicts, used: Provider) -> String {
        let others = verdicts
            .all()
            .iter()
            .filter(|verdict| verdict.provider != used);
        let others: Vec<String> = others.map(|verdict| self.text(verdict)).collect();
        let others = others.join("\n");
        match verdicts.about(used) {
            Some(verdict) => format!("{}\n{others}", self.text(verdict)),
            None if others.is_empty() => {
                "CPU: no other provider is there. `panelcam runtime list` says which can be added."
                    .to_owned()
            }
            None => format!("CPU.\n{others}"),
        }
    }

    /// What is known of a provider in this run, for people.
    fn text(&self, verdict: &Verdict) -> String {
        let provider = verdict.provider;
        let failed = self.failed.iter().find(|(failed, _)| *failed == provider);
        if let Some((_, why)) = failed {
            return format!("{}: not used until the next start. {why}", provider.name());
        }
        let text = verdict.text();
        if verdict.is_faster() && !is_loaded(&self.runtime, provider) {
            return format!(
                "{text} It brings its own ONNX Runtime, which is used from the next start on."
            );
        }
        text
    }

    /// Whether a provider that works can draw in this run.
    fn can_draw(&self, provider: Provider) -> bool {
        is_loaded(&self.runtime, provider)
            && self.failed.iter().all(|(failed, _)| *failed != provider)
    }

    fn verdicts(&self, model: &Model) -> Option<Verdicts> {
        Verdicts::kept(&self.runtime, model, &self.places)
    }

    /// Starts checking providers for `model`, once in a run; the CPU draws meanwhile.
    fn check(&mut self, model: &Arc<Model>) {
        if self.checks.is_some() || self.checked.iter().any(|sha256| sha256 == model.sha256()) {
            return;
        }
        self.checked.push(model.sha256().to_owned());
        let (runtime, model, places) = (
            Arc::clone(&self.runtime),
            Arc::clone(model),
            self.places.clone(),
        );
        self.checks = Worker::spawn("providers", move |stop| {
            let mind = Mind {
                cancelled: &|| stop.asked(),
                say: &|_| {},
            };
            Verdicts::of(&runtime, &model, &places, Kept::All, mind);
        })
        .inspect_err(|error| tracing::warn!("No thread to check providers: {error}"))
        .ok();
    }
}
