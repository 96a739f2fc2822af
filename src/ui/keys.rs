//! Keys of the window. What a key changes goes the same way as a click in the panel.

use egui::{Context, FocusDirection, Key, Modifiers};

use super::Choice;
use crate::action::Action;
use crate::settings::Settings;

const DIGITS: [Key; 9] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];

/// Remembers which keys are held.
#[derive(Debug, Default)]
pub struct Keys {
    comparing: bool,
}

impl Keys {
    /// Takes the keys of this pass: changes `settings` and returns what else was asked for. Call
    /// it before anything is drawn, so that Tab does not move the focus.
    pub fn take(
        &mut self,
        ctx: &Context,
        settings: &mut Settings,
        styles: &[Choice],
        pages: &[Choice],
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        self.take_compare(ctx, &mut actions);
        if ctx.text_edit_focused() {
            return actions;
        }
        let pressed = |key: Key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let tab = pressed(Key::Tab);
        if tab {
            ctx.memory_mut(|memory| memory.move_focus(FocusDirection::None));
        }
        if pressed(Key::F1) || tab {
            settings.window.panel_open = !settings.window.panel_open;
        }
        if ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Q)) {
            actions.push(Action::Quit);
        }
        if ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::S)) {
            actions.push(Action::FinishStrip);
        }
        for (key, action) in [
            (Key::S, Action::StartShots),
            (Key::T, Action::TakeShot),
            (Key::N, Action::NextLine),
        ] {
            if pressed(key) {
                actions.push(action);
            }
        }
        if pressed(Key::P) {
            actions.push(Action::TakePhoto);
        }
        if pressed(Key::F) || pressed(Key::F11) {
            actions.push(Action::ToggleFullScreen);
        }
        if pressed(Key::M) {
            settings.look.mirror = !settings.look.mirror;
        }
        for (key, style) in DIGITS.into_iter().zip(styles) {
            if pressed(key) {
                settings.look.style.clone_from(&style.id);
            }
        }
        // A focused button or slider and an open list keep these keys for themselves.
        let busy = ctx.memory(|memory| memory.focused().is_some()) || ctx.any_popup_open();
        if !busy {
            if pressed(Key::Space) {
                actions.push(Action::TakePhoto);
            }
            if pressed(Key::Escape) {
                actions.push(Action::LeaveFullScreen);
            }
            if pressed(Key::ArrowRight) {
                turn_page(settings, pages, 1);
            }
            if pressed(Key::ArrowLeft) {
                turn_page(settings, pages, pages.len().saturating_sub(1));
            }
        }
        actions
    }

    /// Compares while the key is held. A window that loses the keyboard forgets its held keys, so
    /// this asks what is down and does not wait for a release.
    fn take_compare(&mut self, ctx: &Context, actions: &mut Vec<Action>) {
        let down = ctx.input(|input| {
            input.modifiers.is_none() && (input.key_down(Key::C) || input.key_down(Key::B))
        }) && !ctx.text_edit_focused();
        if down != self.comparing {
            self.comparing = down;
            actions.push(Action::Compare(down));
        }
    }
}

/// Goes `by` pages on, around the end.
fn turn_page(settings: &mut Settings, pages: &[Choice], by: usize) {
    let Some(last) = pages.len().checked_sub(1) else {
        return;
    };
    let now = pages.iter().position(|page| page.id == settings.look.page);
    let next = match now {
        Some(now) => (now + by) % pages.len(),
        // A page from a file lies between the last and the first.
        None if by == 1 => 0,
        None => last,
    };
    if let Some(page) = pages.get(next) {
        settings.look.page.clone_from(&page.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(names: &[&str]) -> Vec<Choice> {
        names
            .iter()
            .map(|name| Choice {
                id: (*name).to_owned(),
                name: (*name).to_owned(),
                name_ko: None,
                thumbnail: None,
            })
            .collect()
    }

    #[test]
    fn pages_turn_around_the_end() {
        let pages = pages(&["a", "b", "c"]);
        let mut settings = Settings::default();
        let mut turned = |from: &str, by: usize| {
            settings.look.page = from.to_owned();
            turn_page(&mut settings, &pages, by);
            settings.look.page.clone()
        };
        assert_eq!(turned("a", 1), "b");
        assert_eq!(turned("c", 1), "a");
        assert_eq!(turned("a", 2), "c");
        assert_eq!(turned("/tmp/own.svg", 1), "a");
        assert_eq!(turned("/tmp/own.svg", 2), "c");
    }

    #[test]
    fn no_pages_is_no_change() {
        let mut settings = Settings::default();
        turn_page(&mut settings, &[], 1);
        assert_eq!(settings, Settings::default());
    }
}
