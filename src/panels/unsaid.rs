//! What of its words a page cannot show: what is too long for its place, and letters that no font has.

use std::collections::BTreeMap;

use super::{Layer, Letterer, Lettering, Page, lettering};

/// The most texts of a page that are tried.
const MOST_TEXTS: usize = 200;

/// The most letters that are named.
const MOST_LETTERS: usize = 24;

impl Page {
    /// What cannot be shown of `texts`, which people gave words and bubbles by their names.
    pub fn unsaid(&self, texts: &BTreeMap<String, String>) -> Vec<String> {
        let letterer = Letterer::new(self, self.size());
        let mut told = Vec::new();
        for (layer, words) in letterings(self) {
            let Some(text) = texts.get(words.key()) else {
                continue;
            };
            let missing = lettering::missing(text);
            if !missing.is_empty() {
                told.push(format!(
                    "No font has the letters {}: {} is shown without them.",
                    named(missing),
                    words.id
                ));
            }
            let cut = letterer.cut(layer, text);
            told.extend(cut.map(|shown| too_long(words, shown)));
        }
        told
    }

    /// What is too long of all that its artist wrote, a remark for each object.
    pub(super) fn too_long(&self) -> Vec<String> {
        let letterer = Letterer::new(self, self.size());
        let mut tried = 0;
        let mut told = Vec::new();
        for (layer, words) in letterings(self) {
            let mut texts = words.all();
            texts.truncate(MOST_TEXTS - tried);
            tried += texts.len();
            let cut = texts.iter().find_map(|text| letterer.cut(layer, text));
            match cut {
                Some(shown) => told.push(too_long(words, shown)),
                None if letterer.sets_anew(layer) => told.push(format!(
                    "The text of {} reaches out of its bubble: it is set anew, to fit. Break \
                     it into lines, or make the bubble larger.",
                    words.id
                )),
                None => {}
            }
        }
        told
    }
}

/// Letters as a list for people.
pub(super) fn named(letters: impl IntoIterator<Item = char>) -> String {
    let letters = letters.into_iter().take(MOST_LETTERS);
    let letters: Vec<String> = letters.map(String::from).collect();
    letters.join(" ")
}

/// Words and bubbles, each with the number of its layer.
fn letterings(page: &Page) -> impl Iterator<Item = (usize, &Lettering)> {
    let layers = page.layers().iter().enumerate();
    layers.filter_map(|(number, layer)| match layer {
        Layer::Text(words) | Layer::Bubble(words) => Some((number, words)),
        _ => None,
    })
}

fn too_long(words: &Lettering, shown: usize) -> String {
    format!(
        "The text of {} is too long for its place: {shown} letters fit, and an ellipsis. Shorten \
         it, or give it more room.",
        words.id
    )
}
