//! Where a page has words that do not move: bubbles that do keep off them.

use super::{Layer, Page, Rect};

/// Where the words are that do not move, each with the box it stands in.
pub(super) fn standing_words(page: &Page) -> Vec<Rect> {
    fn gather(group: &usvg::Group, words: &mut Vec<Rect>, boxes: &mut Vec<Rect>) {
        for node in group.children() {
            let bounds = node.abs_bounding_box();
            let bounds = Rect {
                x: bounds.x(),
                y: bounds.y(),
                width: bounds.width(),
                height: bounds.height(),
            };
            match node {
                usvg::Node::Group(inner) => gather(inner, words, boxes),
                usvg::Node::Text(_) if words.len() < 64 => words.push(bounds),
                usvg::Node::Path(path) if path.fill().is_some() => boxes.push(bounds),
                _ => {}
            }
        }
    }
    let (mut words, mut boxes) = (Vec::new(), Vec::new());
    for layer in page.layers() {
        match layer {
            Layer::Art(art) => gather(art.tree.root(), &mut words, &mut boxes),
            Layer::Text(text) => words.push(text.bounds),
            _ => {}
        }
    }
    for text in &mut words {
        let around = boxes.iter().filter(|rect| is_box_of(rect, text));
        let smallest = around.min_by(|a, b| a.area().total_cmp(&b.area()));
        *text = smallest.copied().unwrap_or(*text);
    }
    words
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
        let words = standing_words(&page);
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
