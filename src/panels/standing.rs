//! Where a page has words that do not move, and the boxes words stand in: bubbles keep off them, and
//! other words stay in them.

use super::{Layer, Page, Rect};

/// What of a page's art words stand in or keep off.
#[derive(Default)]
pub(super) struct Standing {
    /// Words that do not move.
    words: Vec<Rect>,
    /// Filled shapes.
    shapes: Vec<Rect>,
}

impl Standing {
    pub fn of(page: &Page) -> Self {
        let mut standing = Self::default();
        for layer in page.layers() {
            match layer {
                Layer::Art(art) => standing.gather(art.tree.root()),
                Layer::Sound(sound) => standing.gather(sound.tree.root()),
                Layer::Text(text) => standing.words.push(text.bounds),
                _ => {}
            }
        }
        standing
    }

    fn gather(&mut self, group: &usvg::Group) {
        for node in group.children() {
            let bounds = Rect::from(node.abs_bounding_box());
            match node {
                usvg::Node::Group(inner) => self.gather(inner),
                usvg::Node::Text(_) if self.words.len() < 64 => self.words.push(bounds),
                usvg::Node::Path(path) if path.fill().is_some() => self.shapes.push(bounds),
                _ => {}
            }
        }
    }

    /// The shape that these words were drawn to stand in.
    pub fn box_of(&self, words: &Rect) -> Option<Rect> {
        let around = self.shapes.iter().filter(|shape| is_box_of(shape, words));
        around.min_by(|a, b| a.area().total_cmp(&b.area())).copied()
    }

    /// Where words are that do not move, each with the box it stands in.
    pub fn words(&self) -> Vec<Rect> {
        let with_box = |words: &Rect| self.box_of(words).unwrap_or(*words);
        self.words.iter().map(with_box).collect()
    }
}

/// Whether a shape is drawn for these words to stand in: all around them and not much larger.
fn is_box_of(shape: &Rect, words: &Rect) -> bool {
    let slack = 0.1 * words.height;
    shape.x <= words.x + slack
        && shape.y <= words.y + slack
        && shape.x + shape.width >= words.x + words.width - slack
        && shape.y + shape.height >= words.y + words.height - slack
        && shape.area() <= 8.0 * words.area()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::Fonts;

    #[test]
    fn a_caption_takes_its_whole_box_and_bare_words_their_own() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300">
            <rect width="400" height="300" fill="#fff"/>
            <rect x="200" y="20" width="120" height="40" fill="#ffd"/>
            <text x="215" y="46" font-family="Jua" font-size="20">BOXED</text>
            <text x="20" y="280" font-family="Jua" font-size="20">BARE</text>
            <rect id="live" x="10" y="80" width="300" height="150"/>
        </svg>"##;
        let page = Page::parse(svg.as_bytes(), "boxed", &Fonts::embedded()).unwrap();
        let words = Standing::of(&page).words();
        assert_eq!(words.len(), 2, "{words:?}");
        let box_of_the_first = Rect {
            x: 200.0,
            y: 20.0,
            width: 120.0,
            height: 40.0,
        };
        assert_eq!(words[0], box_of_the_first);
        assert!(words[1].width < 100.0 && words[1].y > 250.0, "{words:?}");
    }
}
