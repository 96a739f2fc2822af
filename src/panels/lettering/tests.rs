use proptest::prelude::*;

use super::*;

fn hand(size: f32) -> Hand {
    Hand {
        face: Typeface::Jua,
        size,
        least: 12.0,
        direction: Direction::Horizontal,
        align: Align::Middle,
    }
}

fn ellipse() -> Shape {
    Shape::round(0.0, 0.0, 400.0, 240.0, 2.4)
}

#[test]
fn text_is_as_large_as_fits_and_never_larger_than_the_artists() {
    let short = letter("안녕!", &hand(40.0), &ellipse());
    assert_eq!((short.size, short.lines, short.cut), (40.0, 1, None));
    let long = letter(
        "오늘 하루도 정말 수고했어요. 내일 또 만나요, 꼭!",
        &hand(80.0),
        &ellipse(),
    );
    assert!(
        long.size < 80.0 && long.size > 30.0 && long.lines >= 3,
        "{}",
        long.size
    );
    let larger = Shape::round(0.0, 0.0, 800.0, 480.0, 2.4);
    let larger = letter(
        "오늘 하루도 정말 수고했어요. 내일 또 만나요, 꼭!",
        &hand(80.0),
        &larger,
    );
    assert!(larger.size > long.size);
}

#[test]
fn a_novel_ends_in_an_ellipsis_at_a_readable_size() {
    let novel = letter(&"그는 말했다. ".repeat(1500), &hand(40.0), &ellipse());
    assert!(novel.size >= 12.0 && !novel.is_empty());
    assert!((100..800).contains(&novel.cut.unwrap()), "{:?}", novel.cut);
    let word = letter(&"a".repeat(10_000), &hand(40.0), &ellipse());
    assert!(word.cut.is_some() && !word.is_empty());
}

#[test]
fn nothing_to_say_is_nothing() {
    for text in ["", " \n\t ", "\u{202e}"] {
        assert!(letter(text, &hand(40.0), &ellipse()).is_empty(), "{text:?}");
    }
    let nowhere = Shape::polygon(&[]);
    assert!(letter("text", &hand(40.0), &nowhere).is_empty());
}

/// Somebody said something: what is left of it is an ellipsis, whatever way it is written.
#[test]
fn letters_that_no_font_has_leave_an_ellipsis_where_nothing_else_is_left() {
    let dots = letter("…", &hand(40.0), &ellipse());
    let unknown = letter("🦄🦄", &hand(40.0), &ellipse());
    assert_eq!((unknown.missing, unknown.cut), (vec!['🦄'], None));
    assert_eq!(unknown.bounds, dots.bounds);
    assert!(fits_whole("🦄", &hand(40.0), &ellipse()));
    assert!(!write("🦄", &hand(40.0), 400.0).is_empty());
    let rest = letter("야 🦄", &hand(40.0), &ellipse());
    assert_eq!(rest.bounds, letter("야", &hand(40.0), &ellipse()).bounds);
}

#[test]
fn emphasis_is_larger_and_apart() {
    let lettered = letter(
        "야 *야* 야",
        &hand(40.0),
        &Shape::rect(0.0, 0.0, 800.0, 60.0),
    );
    let (plain, strong) = (lettered.letters.unwrap(), lettered.strong.unwrap());
    assert!(strong.bounds().height() > plain.bounds().height());
}

#[test]
fn columns_go_from_right_to_left() {
    let tall = Shape::rect(0.0, 0.0, 160.0, 200.0);
    let hand = Hand {
        direction: Direction::Vertical,
        ..hand(40.0)
    };
    let lettered = letter("가나다라\n마바", &hand, &tall);
    assert_eq!(lettered.lines, 2);
    let bounds = lettered.letters.unwrap().bounds();
    assert!(bounds.height() > bounds.width(), "{bounds:?}");
    assert!(bounds.left() >= 0.0 && bounds.right() <= 160.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any text in any shape, in any font: no panic, and all ink inside the shape's box.
    #[test]
    fn ink_stays_in_the_shape(
        text in "\\PC{0,60}|[가-힣 ]{0,80}|[a-zA-Z *\\n]{0,120}|[א-ת a-z]{0,40}|.{0,40}",
        width in 20f32..600.0, height in 20f32..600.0, exponent in 2f32..6.0,
        size in 1f32..200.0, face in 0usize..5, vertical: bool,
    ) {
        let hand = Hand {
            face: Typeface::ALL[face],
            size,
            least: 4.0,
            direction: if vertical { Direction::Vertical } else { Direction::Horizontal },
            align: Align::Middle,
        };
        let shape = Shape::round(10.0, 20.0, width, height, exponent);
        let lettered = letter(&text, &hand, &shape);
        prop_assert!(lettered.is_empty() || lettered.size <= size.max(4.0));
        // Descenders and swashes may leave the line by a quarter of an em.
        let slack = lettered.size * 0.45;
        for path in [&lettered.letters, &lettered.strong].into_iter().flatten() {
            let ink = path.bounds();
            prop_assert!(ink.left() >= 10.0 - slack && ink.right() <= 10.0 + width + slack, "{ink:?}");
            prop_assert!(ink.top() >= 20.0 - slack && ink.bottom() <= 20.0 + height + slack, "{ink:?}");
        }
    }
}
