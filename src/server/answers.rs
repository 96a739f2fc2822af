//! What is said of what goes on, as JSON.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::access::Access;
use super::body::Refusal;
use super::inbox::Inbox;
use super::{Facts, Looks};
use crate::clock::Clock;
use crate::panels::{Layer, Lettering, Page, PlaceKind};
use crate::settings::Settings;
use crate::shots::View;
use crate::status::{Engine, SourceState};
use crate::watch::Watch;

/// What requests are answered from.
pub struct Context {
    pub facts: Facts,
    /// The settings as their owner last published them.
    pub settings: Arc<Watch<Settings>>,
    pub inbox: Arc<Inbox>,
    pub access: Access,
}

impl Context {
    /// What there is to pick from.
    pub fn looks(&self) -> Result<Looks, Refusal> {
        let looks = (*self.facts.looks.get()).clone();
        looks.ok_or_else(|| {
            let text = "panelcam is starting. Ask again in a moment.";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text)
        })
    }

    /// The page in use.
    pub fn page(&self) -> Result<Page, Refusal> {
        let (looks, settings) = (self.looks()?, self.settings.get());
        let language = settings.window.language;
        let page = looks.pages.page(&settings.look.page, language);
        page.map_err(|error| Refusal::new(StatusCode::CONFLICT, error.to_string()))
    }

    /// What goes on.
    pub fn status(&self) -> Value {
        let (status, settings) = (self.facts.board.status(), self.settings.get());
        let notices: Vec<Value> = self
            .facts
            .board
            .told()
            .into_iter()
            .map(|(age, notice)| {
                json!({
                    "topic": notice.topic,
                    "severity": notice.severity,
                    "text": notice.text,
                    "secs_ago": age.as_secs(),
                })
            })
            .collect();
        json!({
            "name": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "style": settings.look.style,
            "page": settings.look.page,
            "strength": strength(&settings),
            "source": source(&status.source),
            "engine": engine(&status.engine),
            "graphics": status.graphics,
            "captured_per_second": status.captured_per_second,
            "styled_per_second": status.styled_per_second,
            "program_per_second": status.program_per_second,
            "latency_ms": status.latency,
            "dropped": status.dropped,
            "shots": shots(&self.facts.desk.view()),
            "notices": notices,
        })
    }

    /// What can be changed of the look.
    pub fn look(&self) -> Value {
        let settings = self.settings.get();
        json!({
            "style": settings.look.style,
            "page": settings.look.page,
            "strength": strength(&settings),
        })
    }

    /// What the page says, a text or bubble an item.
    pub fn words(&self, page: &Page) -> Vec<Words> {
        let settings = self.settings.get();
        let typed = settings.look.texts_of(page.id());
        let (language, day) = (settings.window.language.code(), Clock::system().today());
        let view = self.facts.desk.view();
        let shown = |name: &str| {
            let mut places = view.places.iter().filter(|_| view.page == page.id());
            places.find(|place| place.kind != PlaceKind::Shot && place.name == name)
        };
        let mut all: Vec<Words> = Vec::new();
        for (lettering, is_bubble) in lettered(page) {
            let name = lettering.key();
            if all.iter().any(|words| words.name == name) {
                continue;
            }
            let lines = lettering.lines(language, day);
            let typed = typed.get(name).cloned();
            let changed = typed.is_some();
            let shown = shown(name);
            // What the page shows may be older than the settings: a line of the list is the one
            // whose turn it is.
            let turn = shown.filter(|place| lines.contains(&place.text));
            let text = typed.or(turn.map(|place| place.text.clone()));
            let text = text.or(lines.first().cloned()).unwrap_or_default();
            let shown = shown.filter(|place| place.text == text);
            all.push(Words {
                name: name.to_owned(),
                is_bubble,
                missing: shown.map_or_else(String::new, |place| place.missing.iter().collect()),
                cut: shown.is_some_and(|place| place.cut),
                text,
                lines,
                changed,
            });
        }
        all
    }
}

/// A text or bubble of a page.
pub struct Words {
    pub name: String,
    is_bubble: bool,
    text: String,
    /// What the page says itself: one text, or the lines of a list.
    lines: Vec<String>,
    changed: bool,
    /// Letters of the text that no font has, once it is on the program.
    missing: String,
    /// Whether not all of it could be shown there.
    cut: bool,
}

impl Words {
    pub fn to_json(&self) -> Value {
        let mut item = json!({
            "name": self.name,
            "is_bubble": self.is_bubble,
            "text": self.text,
            "own": self.lines.first().map_or("", String::as_str),
            "changed": self.changed,
            "missing": self.missing,
            "cut": self.cut,
        });
        if self.lines.len() > 1 {
            item["lines"] = json!(self.lines);
        }
        item
    }
}

fn lettered(page: &Page) -> impl Iterator<Item = (&Lettering, bool)> {
    page.layers().iter().filter_map(|layer| match layer {
        Layer::Text(words) => Some((words, false)),
        Layer::Bubble(words) => Some((words, true)),
        _ => None,
    })
}

/// As somebody wrote it: 0.7, not 0.699999988079071.
fn strength(settings: &Settings) -> f64 {
    (f64::from(settings.look.strength) * 10_000.0).round() / 10_000.0
}

fn source(source: &SourceState) -> Value {
    match source {
        SourceState::Opening => json!({ "state": "opening" }),
        SourceState::Live { name, size, format } => json!({
            "state": "live", "name": name, "size": size.to_string(), "format": format,
        }),
        SourceState::Lost { name, retry_in } => json!({
            "state": "lost", "name": name, "retry_in_secs": retry_in.as_secs_f64(),
        }),
        SourceState::Failed => json!({ "state": "failed" }),
        SourceState::Ended => json!({ "state": "ended" }),
    }
}

fn engine(engine: &Engine) -> Value {
    json!({
        "provider": engine.provider.map(|provider| provider.id()),
        "threads": engine.threads,
        "precision": engine.precision.id(),
        "size": engine.size.to_string(),
        "reason": engine.reason,
    })
}

fn shots(view: &View) -> Value {
    let taken: Vec<u8> = view.taken.iter().map(|taken| taken.number).collect();
    json!({
        "numbers": view.numbers,
        "taken": taken,
        "next": view.next,
        "countdown": view.countdown,
        "running": view.running,
    })
}
