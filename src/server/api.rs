//! What can be asked for, and whether it can be done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{Context, Words};
use super::body::{Named, Refusal, Reply, Said};
use super::inbox::Ask;
use crate::action::Action;
use crate::panels::Page;
use crate::settings::LookSettings;

/// A page that is asked for is on the program after this long.
const PAGE_PATIENCE: Duration = Duration::from_secs(6);

/// What an answer is made of.
type Answer = Result<Reply, Refusal>;

/// Everything that is answered.
pub fn router(context: Arc<Context>) -> Router {
    Router::new()
        .route("/api/status", get(status))
        .route("/api/styles", get(styles))
        .route("/api/pages", get(pages))
        .route("/api/settings", get(settings).patch(change_settings))
        .route("/api/words", get(words))
        .route(
            "/api/words/{name}",
            get(one_text).put(change_text).delete(restore_text),
        )
        .route("/api/actions/{action}", post(act))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&context), guard))
        .with_state(context)
}

async fn guard(State(context): State<Arc<Context>>, request: Request, next: Next) -> Response {
    match context.access.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn nothing_here() -> Refusal {
    let text = "There is nothing at this address. There are /api/status, /api/styles, /api/pages, /api/settings, /api/words and /api/actions/NAME.";
    Refusal::new(StatusCode::NOT_FOUND, text)
}

async fn wrong_method() -> Refusal {
    let text = "This address is not asked that way. The header `Allow` says how.";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, text)
}

fn done(value: Value) -> Answer {
    Ok(Reply(StatusCode::OK, value))
}

async fn status(State(context): State<Arc<Context>>) -> Answer {
    done(context.status())
}

async fn styles(State(context): State<Arc<Context>>) -> Answer {
    done(context.looks()?.styles.to_json())
}

async fn pages(State(context): State<Arc<Context>>) -> Answer {
    let language = context.settings.get().window.language;
    done(context.looks()?.pages.to_json(language))
}

async fn settings(State(context): State<Arc<Context>>) -> Answer {
    done(context.look())
}

/// Another look; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    style: Option<String>,
    page: Option<String>,
    strength: Option<f32>,
}

async fn change_settings(State(context): State<Arc<Context>>, Said(look): Said<Look>) -> Answer {
    let Look {
        style,
        page,
        strength,
    } = look;
    let looks = context.looks()?;
    if let Some(style) = &style {
        let mut known = looks.styles.styles().iter().map(|known| known.id.as_str());
        if !known.any(|known| known == style) {
            let known = looks.styles.styles().iter().map(|known| known.id.as_str());
            return Err(unknown("style", style, known));
        }
    }
    if let Some(page) = &page {
        // Pages in other files are opened by the person at the machine alone.
        let language = context.settings.get().window.language;
        let pages = looks.pages.pages(language);
        let known = || std::iter::once("none").chain(pages.iter().map(|known| known.id()));
        if !known().any(|known| known == page) {
            return Err(unknown("page", page, known()));
        }
    }
    if let Some(strength) = strength.filter(|strength| !(0.0..=1.0).contains(strength)) {
        let text = format!("The strength is a number from 0 to 1, not {strength}.");
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    let ask = Ask::Look {
        style,
        page,
        strength,
    };
    context.inbox.ask(ask).await?;
    done(context.look())
}

fn unknown<'a>(kind: &str, id: &str, known: impl Iterator<Item = &'a str>) -> Refusal {
    let known: Vec<&str> = known.collect();
    let text = format!(
        "There is no {kind} called {}. There are: {}.",
        short(id),
        known.join(", ")
    );
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text)
}

/// What somebody called a thing that is not there, not longer than a name.
fn short(name: &str) -> String {
    let mut letters = name.chars();
    let mut short: String = letters.by_ref().take(60).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}

async fn words(State(context): State<Arc<Context>>) -> Answer {
    let page = context.page()?;
    let words: Vec<Value> = context.words(&page).iter().map(Words::to_json).collect();
    done(json!({ "page": page.id(), "words": words }))
}

async fn one_text(State(context): State<Arc<Context>>, Named(name): Named) -> Answer {
    let page = context.page()?;
    done(find(&context, &page, &name)?.to_json())
}

/// What words or a bubble are to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewText {
    text: String,
}

async fn change_text(
    State(context): State<Arc<Context>>,
    Named(name): Named,
    Said(new): Said<NewText>,
) -> Answer {
    say(&context, name, Some(typed(&new.text)?)).await
}

async fn restore_text(State(context): State<Arc<Context>>, Named(name): Named) -> Answer {
    say(&context, name, None).await
}

async fn say(context: &Context, name: String, text: Option<String>) -> Answer {
    let page = context.page()?;
    find(context, &page, &name)?;
    let ask = Ask::Words {
        page: page.id().to_owned(),
        name: name.clone(),
        text,
    };
    context.inbox.ask(ask).await?;
    done(find(context, &page, &name)?.to_json())
}

fn find(context: &Context, page: &Page, name: &str) -> Result<Words, Refusal> {
    let words = context.words(page);
    let known: Vec<String> = words.iter().map(|words| words.name.clone()).collect();
    let found = words.into_iter().find(|words| words.name == name);
    found.ok_or_else(|| {
        let text = if known.is_empty() {
            format!(
                "The page {} has no words that can be changed. Choose another page.",
                page.id()
            )
        } else {
            format!(
                "The page {} has no words called {}. There are: {}.",
                page.id(),
                short(name),
                known.join(", ")
            )
        };
        Refusal::new(StatusCode::NOT_FOUND, text)
    })
}

/// A text as if somebody had typed it: as long as one may be, with nothing that no key types.
fn typed(text: &str) -> Result<String, Refusal> {
    let most = LookSettings::LONGEST_TEXT;
    let count = text.chars().count();
    if count > most {
        let text = format!("The text has {count} letters. At most {most} are kept.");
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let letters = lines.replace('\t', " ");
    Ok(letters
        .chars()
        .filter(|letter| *letter == '\n' || !letter.is_control())
        .collect())
}

/// Which shot is meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    number: Option<u8>,
}

async fn act(
    State(context): State<Arc<Context>>,
    Named(name): Named,
    Said(Which { number }): Said<Which>,
) -> Answer {
    let action = match name.as_str() {
        "take-photo" => Action::TakePhoto,
        "finish-strip" => Action::FinishStrip,
        "next-line" => Action::NextLine,
        "start-shots" | "take-shot" | "retake-shot" | "clear-shots" => {
            let page = context.page()?;
            let shots = page.shots();
            if shots.is_empty() {
                let text = format!("The page {} has no shots. Choose another page.", page.id());
                return Err(Refusal::new(StatusCode::CONFLICT, text));
            }
            shown(&context, &page, &shots).await?;
            match name.as_str() {
                "start-shots" => Action::StartShots,
                "take-shot" => Action::TakeShot,
                "clear-shots" => Action::ClearShots,
                _ => Action::RetakeShot(which(number, &shots)?),
            }
        }
        _ => {
            let text = format!(
                "There is no action called {}. There are: take-photo, start-shots, take-shot, retake-shot, clear-shots, finish-strip, next-line.",
                short(&name)
            );
            return Err(Refusal::new(StatusCode::NOT_FOUND, text));
        }
    };
    context.inbox.ask(Ask::Act(action)).await?;
    Ok(Reply(StatusCode::ACCEPTED, json!({ "action": name })))
}

/// Waits until the program shows a page that was just asked for: an order for its shots would be
/// lost before.
async fn shown(context: &Context, page: &Page, shots: &[u8]) -> Result<(), Refusal> {
    let patience = Instant::now() + PAGE_PATIENCE;
    loop {
        let view = context.facts.desk.view();
        if view.page == page.id() && view.numbers == shots {
            return Ok(());
        }
        if Instant::now() > patience {
            let text = format!(
                "The page {} is not on the program yet. Ask again in a moment.",
                page.id()
            );
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn which(number: Option<u8>, shots: &[u8]) -> Result<u8, Refusal> {
    number
        .filter(|number| shots.contains(number))
        .ok_or_else(|| {
            let known: Vec<String> = shots.iter().map(ToString::to_string).collect();
            let text = format!(
                "Say which shot in the body: {{\"number\": {}}}. There are: {}.",
                shots[0],
                known.join(", ")
            );
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_somebody_could_have_typed() {
        let of = |text: &str| typed(text).ok();
        assert_eq!(of("a\r\nb\rc\td").as_deref(), Some("a\nb\nc d"));
        assert_eq!(
            of("\u{0}a\u{1b}[31m\u{1e}b\u{7f}").as_deref(),
            Some("a[31mb")
        );
        assert_eq!(of("안녕 👋🏽 שלום").as_deref(), Some("안녕 👋🏽 שלום"));
        assert_eq!(of("").as_deref(), Some(""));
        let most = LookSettings::LONGEST_TEXT;
        assert!(of(&"가".repeat(most)).is_some());
        assert_eq!(of(&"가".repeat(most + 1)), None);
    }

    #[test]
    fn names_in_sentences_are_short() {
        assert_eq!(short("noir"), "noir");
        assert_eq!(short(&"n".repeat(9000)).chars().count(), 61);
    }
}
