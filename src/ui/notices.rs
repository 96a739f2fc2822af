//! What is told to the person at the machine: toasts that go by themselves, and a card over the
//! picture for what needs a hand.

use std::time::Duration;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Align2, Area, Context, FontId, Frame, Id, Label, Order, RichText, Ui, WidgetText, vec2,
};
use egui_notify::{Anchor, Toast, ToastLevel, Toasts};

use super::messages::message;
use super::widgets::{self, Look};
use super::{Texts, icon, theme};
use crate::action::Action;
use crate::settings::{Language, Settings};
use crate::source::Source;
use crate::status::{Notice, Severity, Topic};

/// How wide a toast's text may become, in points.
const TOAST_TEXT_WIDTH: f32 = 380.0;
/// Reading time: at least this long, and longer for long texts.
const TOAST_SECS: f32 = 4.0;
const SECS_A_LETTER: f32 = 0.05;

/// Toasts and the card that are shown now.
pub struct Notices {
    toasts: Toasts,
    critical: Option<Notice>,
}

impl Default for Notices {
    fn default() -> Self {
        Self::new()
    }
}

impl Notices {
    /// Nothing to tell.
    pub fn new() -> Self {
        let toasts = Toasts::new()
            .with_anchor(Anchor::TopLeft)
            .with_margin(vec2(20.0, 20.0))
            .with_padding(vec2(14.0, 12.0))
            .with_spacing(10.0)
            .with_shadow(theme::floating_shadow());
        Self {
            toasts,
            critical: None,
        }
    }

    /// Shows `notice`, in the person's language: a critical one as a card, the others as a toast.
    pub fn tell(&mut self, ctx: &Context, notice: Notice, language: Language) {
        let texts = Texts::of(language);
        let (glyph, colour) = match notice.severity {
            Severity::Critical => {
                self.critical = Some(notice);
                return;
            }
            Severity::Warning => (icon::WARNING, theme::WARN),
            Severity::Info => (icon::INFO, theme::ACCENT),
        };
        let secs = TOAST_SECS + SECS_A_LETTER * notice.text.chars().count() as f32;
        let heading = match (notice.severity, notice.topic) {
            (Severity::Info, Topic::Output) => &texts.notice.saved,
            (Severity::Info, _) => &texts.notice.news,
            (_, topic) => title_of(topic, texts),
        };
        let font = FontId::proportional(14.0);
        let mut job = LayoutJob::default();
        job.append(
            &format!("{heading}\n"),
            0.0,
            TextFormat::simple(font.clone(), colour),
        );
        let text = message(&notice.text, language);
        job.append(&text, 0.0, TextFormat::simple(font, theme::TEXT));
        job.wrap = TextWrapping {
            max_rows: 7,
            ..TextWrapping::wrap_at_width(TOAST_TEXT_WIDTH)
        };
        // Laid out here: the toast itself would put everything on one line.
        let text = WidgetText::from(ctx.fonts_mut(|fonts| fonts.layout_job(job)));
        let mut toast = Toast::custom(text, ToastLevel::Custom(glyph.to_owned(), colour));
        toast
            .closable(false)
            .show_progress_bar(false)
            .duration(Some(Duration::from_secs_f32(secs)));
        self.toasts.add(toast);
    }

    /// Takes the card about `topic` away: what it told of is over.
    pub fn resolve(&mut self, topic: Topic) {
        if self
            .critical
            .as_ref()
            .is_some_and(|notice| notice.topic == topic)
        {
            self.critical = None;
        }
    }

    /// Whether a card is over the picture.
    pub fn has_card(&self) -> bool {
        self.critical.is_some()
    }

    /// Draws the toasts, and the card in the middle of `ui`'s space.
    pub fn show(&mut self, ui: &mut Ui, settings: &mut Settings, texts: &Texts) -> Vec<Action> {
        let mut actions = Vec::new();
        self.toasts.show(ui.ctx());
        if let Some(notice) = &self.critical
            && critical_card_ui(ui, notice, settings, texts, &mut actions) == Card::Closed
        {
            self.critical = None;
        }
        actions
    }
}

#[derive(PartialEq, Eq)]
enum Card {
    Open,
    Closed,
}

fn critical_card_ui(
    ui: &mut Ui,
    notice: &Notice,
    settings: &mut Settings,
    texts: &Texts,
    actions: &mut Vec<Action>,
) -> Card {
    let space = ui.max_rect();
    let width = (space.width() - 48.0).clamp(220.0, 440.0);
    let mut card = Card::Open;
    let frame = Frame::new()
        .fill(theme::PANEL)
        .stroke(egui::Stroke::new(1.0, theme::LINE))
        .corner_radius(16)
        .shadow(theme::floating_shadow())
        .inner_margin(28);
    Area::new(Id::unique("critical card"))
        .order(Order::Middle)
        .pivot(Align2::CENTER_CENTER)
        .fixed_pos(space.center())
        .constrain_to(space)
        .show(ui.ctx(), |ui| {
            frame.show(ui, |ui| {
                ui.set_width(width - 56.0);
                ui.spacing_mut().item_spacing.y = 12.0;
                ui.vertical_centered(|ui| {
                    let mark = RichText::new(icon::FAILED)
                        .font(theme::icons(44.0))
                        .color(theme::BAD);
                    ui.label(mark);
                    let title = RichText::new(title_of(notice.topic, texts)).heading();
                    ui.add(Label::new(title).wrap());
                    let text = message(&notice.text, settings.window.language);
                    let text = RichText::new(text).color(theme::TEXT_WEAK);
                    // Selectable: people copy it into a search or a mail.
                    ui.add(Label::new(text).wrap().selectable(true));
                });
                ui.add_space(6.0);
                card = card_buttons_ui(ui, notice.topic, settings, texts, actions);
            });
        });
    card
}

fn card_buttons_ui(
    ui: &mut Ui,
    topic: Topic,
    settings: &mut Settings,
    texts: &Texts,
    actions: &mut Vec<Action>,
) -> Card {
    let mut card = Card::Open;
    let wide = vec2(ui.available_width(), 44.0);
    if topic == Topic::Source {
        let demo = &texts.notice.use_demo;
        if widgets::button_ui(ui, wide, Look::Main, "", demo, demo).clicked() {
            settings.capture.source = Source::Demo;
            settings.capture.format = None;
            card = Card::Closed;
        }
        let again = &texts.source.find_cameras;
        if widgets::button_ui(ui, wide, Look::Field, icon::REFRESH, again, again).clicked() {
            actions.push(Action::FindCameras);
            card = Card::Closed;
        }
    }
    let close = &texts.notice.close;
    if widgets::button_ui(ui, wide, Look::Field, "", close, close).clicked() {
        card = Card::Closed;
    }
    card
}

fn title_of(topic: Topic, texts: &Texts) -> &str {
    let texts = &texts.notice;
    match topic {
        Topic::Source => &texts.source,
        Topic::Runtime => &texts.runtime,
        Topic::Style => &texts.style,
        Topic::Page => &texts.page,
        Topic::Graphics => &texts.graphics,
        Topic::Output => &texts.output,
        Topic::Settings => &texts.settings,
        Topic::Server => &texts.server,
    }
}
