//! Words and bubbles on a page: pictures of every kind, and what happens to faces and texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use panelcam::frame::{Picture, Size};
use panelcam::panels::bubble::BubbleKind;
use panelcam::panels::{
    ArtworkLayer, Fonts, Letterer, Moment, Page, PlaceKind, Seen, Sprites, Turns,
};
use panelcam::people::{Face, Head, Point};

pub const SIZE: Size = Size::new(320, 240);

pub fn page(svg: &str) -> Page {
    Page::parse(svg.as_bytes(), "page", &Fonts::embedded()).unwrap()
}

fn fixture() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/bubbles.svg");
    std::fs::read_to_string(path).unwrap()
}

fn face(x: f32, y: f32) -> Face {
    Face {
        centre: Point { x, y },
        height: 0.3,
        mouth: Point { x, y: y + 0.1 },
        speaking: false,
    }
}

pub fn seen(faces: Vec<Face>) -> Seen {
    Seen {
        size: Size::new(640, 480),
        focus: Head::at(Point { x: 0.5, y: 0.5 }),
        faces,
        turns: None,
    }
}

pub fn moment<'a>(texts: &'a BTreeMap<String, String>, live: &'a Seen, ms: u64) -> Moment<'a> {
    Moment {
        time: Duration::from_millis(ms),
        texts,
        turned: 0,
        live,
        shots: &[],
        mirror: false,
        countdown: None,
    }
}

/// Lays sprites on paper, as a page would show them.
pub fn laid(sprites: &Sprites) -> Picture {
    let mut picture = Picture::new(SIZE);
    for pixel in picture.rgba_mut().as_chunks_mut::<4>().0 {
        *pixel = [0xcf, 0xd8, 0xe6, 255];
    }
    let shown = sprites
        .instead
        .iter()
        .filter_map(|(_, sprite)| sprite.as_ref());
    for sprite in shown.chain(&sprites.above) {
        let place = sprite.place();
        let rows = sprite.bitmap.rgba.chunks_exact(place.width as usize * 4);
        for (y, row) in (place.y..).zip(rows) {
            for (x, above) in (place.x..).zip(row.as_chunks::<4>().0) {
                if x < 0 || y < 0 || x >= SIZE.width as i32 || y >= SIZE.height as i32 {
                    continue;
                }
                let at = (y as usize * SIZE.width as usize + x as usize) * 4;
                for (below, above_part) in picture.rgba_mut()[at..at + 4].iter_mut().zip(above) {
                    let rest = 255 - u32::from(above[3]);
                    *below = (u32::from(*above_part) + (u32::from(*below) * rest + 127) / 255)
                        .min(255) as u8;
                }
            }
        }
    }
    picture
}

#[test]
fn every_kind_of_bubble_in_both_scripts_looks_as_it_did() {
    let (texts, live) = (BTreeMap::new(), seen(vec![face(0.5, 0.62)]));
    let mut wrong = Vec::new();
    for kind in BubbleKind::ALL {
        let svg = fixture()
            .replace("KIND", kind.id())
            .replace("KOREAN", "오늘은 *꼭* 말할 거야")
            .replace("LATIN", "I will say it *today*!");
        let mut letterer = Letterer::new(&page(&svg), SIZE);
        let picture = laid(&letterer.sprites(&moment(&texts, &live, 0)));
        if let Err(error) = crate::pages::snapshot(&format!("bubble-{}", kind.id()), picture) {
            wrong.push(error);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn texts_of_the_settings_take_the_place_of_the_artists() {
    let page = page(&fixture().replace("KIND", "speech"));
    let mut letterer = Letterer::new(&page, SIZE);
    let live = seen(vec![face(0.5, 0.6)]);
    let own = laid(&letterer.sprites(&moment(&BTreeMap::new(), &live, 0)));
    let texts = BTreeMap::from([
        ("a".to_owned(), "다른 말".to_owned()),
        ("effect".to_owned(), "BAM".to_owned()),
        ("b".to_owned(), String::new()),
    ]);
    let sprites = letterer.sprites(&moment(&texts, &live, 0));
    assert_eq!(
        sprites
            .instead
            .iter()
            .filter(|(_, sprite)| sprite.is_none())
            .count(),
        1
    );
    assert!(laid(&sprites) != own);
    let places = letterer.places();
    let named = |name: &str| places.iter().find(|place| place.name == name).unwrap();
    assert_eq!(named("a").text, "다른 말");
    assert_eq!(
        (named("effect").kind, named("effect").own.as_str()),
        (PlaceKind::Text, "쾅!!")
    );
    assert!(named("a").rect.width > 20 && named("a").rect.x >= 0);
}

#[test]
fn bad_texts_are_drawn_or_named_and_never_a_panic() {
    let page = page(&fixture().replace("KIND", "thought"));
    let mut letterer = Letterer::new(&page, SIZE);
    let live = seen(vec![]);
    for text in [
        "a".repeat(10_000),
        "가나다라 마바사 ".repeat(1000),
        "🦄🦄🦄".to_owned(),
        "שלום עולם abc".to_owned(),
        "\u{202e}\u{0}\u{7}\n\n\u{fffe}".to_owned(),
        "*".repeat(300),
        "\n".repeat(500),
        "e\u{301}".repeat(200),
    ] {
        let texts = BTreeMap::from([
            ("a".to_owned(), text.clone()),
            ("effect".to_owned(), text.clone()),
        ]);
        laid(&letterer.sprites(&moment(&texts, &live, 0)));
        if text.contains('🦄') || text.contains('ש') {
            let places = letterer.places();
            let place = places.iter().find(|place| place.name == "a").unwrap();
            assert!(!place.missing.is_empty(), "{text}");
        }
    }
}

/// By themselves, at the key, and in the language of the program; the artist's letters stay theirs.
#[test]
fn lines_of_a_list_come_one_after_the_other() {
    let page = page(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect id="live" width="320" height="240"/>
        <g id="bubble-a" data-lines="하나|둘|셋" data-lines-en="one|two" data-secs="2"><ellipse cx="160" cy="150" rx="90" ry="50" fill="#fff"/><text x="160" y="150" font-size="20">하나</text></g></svg>"##,
    );
    let live = seen(Vec::new());
    let mut letterer = Letterer::new(&page, SIZE);
    assert!(letterer.moves());
    let day = jiff::civil::date(2027, 3, 9);
    let mut said = |language: &str, millis: u64, turned: usize| {
        let texts = page.texts(BTreeMap::new(), language, day);
        let moment = Moment {
            turned,
            ..moment(&texts, &live, millis)
        };
        let sprites = letterer.sprites(&moment);
        (letterer.places()[0].text.clone(), laid(&sprites))
    };
    let mut text = |millis, turned| said("ko", millis, turned).0;
    assert_eq!(
        [0, 1900, 2000, 4000, 6000].map(|ms| text(ms, 0)),
        ["하나", "하나", "둘", "셋", "하나"]
    );
    assert_eq!(
        [1, 2, 3].map(|turned| text(0, turned)),
        ["둘", "셋", "하나"]
    );
    assert_eq!(
        (text(2000, 1), text(4000, 2)),
        ("셋".to_owned(), "둘".to_owned())
    );
    assert_eq!(
        [0, 1, 2].map(|turned| said("en", 0, turned).0),
        ["one", "two", "one"]
    );
    let pictures = [0, 1, 3].map(|turned| said("ko", 0, turned).1);
    assert!(pictures[0] == pictures[2] && pictures[0] != pictures[1]);
}

/// The window says so, for words on the page as for bubbles.
#[test]
fn words_that_cannot_be_shown_whole_are_reported() {
    let page = page(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect id="live" width="320" height="240"/>
        <text id="text-title" x="20" y="60" font-size="24" font-family="BM JUA">제목</text>
        <g id="bubble-a"><ellipse cx="160" cy="150" rx="90" ry="50" fill="#fff"/><text x="160" y="150" font-size="20">안녕</text></g></svg>"##,
    );
    let mut letterer = Letterer::new(&page, SIZE);
    let mut of = |title: &str, bubble: &str| {
        let texts = BTreeMap::from([
            ("title".to_owned(), title.to_owned()),
            ("a".to_owned(), bubble.to_owned()),
        ]);
        letterer.sprites(&moment(&texts, &seen(Vec::new()), 0));
        let mut places = letterer.places();
        places.sort_by_key(|place| place.kind == PlaceKind::Bubble);
        let told = |at: usize| {
            let missing: String = places[at].missing.iter().collect();
            (missing, places[at].cut)
        };
        (told(0), told(1))
    };
    let nothing = || (String::new(), false);
    let long = "가나다라마바사 ".repeat(80);
    assert_eq!(
        of("제목", "안녕"),
        (nothing(), nothing()),
        "as they were drawn"
    );
    for (text, missing) in [
        ("Hi 🦄!", "🦄"),
        ("שלום", "שלום"),
        ("مرحبا", "مرحبا"),
        ("ไทย a", "ไทย"),
        ("좋아요", ""),
    ] {
        let told = (missing.to_owned(), false);
        assert_eq!(of(text, text), (told.clone(), told), "{text}");
    }
    let (words, bubble) = of(&long, &long);
    assert!(words.1 && bubble.1, "both are cut");
    assert_eq!(
        of("제목", "안녕"),
        (nothing(), nothing()),
        "as they were drawn, again"
    );
}

/// However much an artist wrote: no letter leaves the bubble, none of the bubble is gone, and it is told.
#[test]
fn an_artists_own_words_that_are_too_long_are_set_into_their_bubble() {
    let of = |text: &str| {
        page(&format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect id="live" width="320" height="240"/>
            <g id="bubble-a" data-tail="none"><ellipse cx="160" cy="120" rx="90" ry="50" fill="#fff"/><text x="160" y="126" text-anchor="middle" font-size="20" font-family="BM JUA" fill="#f00">{text}</text></g></svg>"##
        ))
    };
    let drawn = |page: &Page| {
        let mut letterer = Letterer::new(page, SIZE);
        let picture = laid(&letterer.sprites(&moment(&BTreeMap::new(), &seen(vec![]), 0)));
        (picture, letterer.places()[0].cut)
    };
    let within = of("Hello there!");
    assert_eq!((within.warnings().len(), drawn(&within).1), (0, false));
    for (count, told) in [
        (2, "reaches out"),
        (7, "reaches out"),
        (40, "letters fit"),
        (300, "letters fit"),
        (1000, "letters fit"),
    ] {
        let page = of(&"lorem ipsum ".repeat(count));
        let warnings = page.warnings().join("\n");
        assert!(warnings.contains("bubble-a"), "{count}: {warnings}");
        assert!(warnings.contains(told), "{count}: {warnings}");
        let (picture, cut) = drawn(&page);
        assert_eq!(cut, told == "letters fit", "{count}");
        let mut letters = 0;
        for (at, [red, green, ..]) in picture.rgba().as_chunks::<4>().0.iter().enumerate() {
            if *red > 200 && *green < 90 {
                let (x, y) = ((at % 320) as f32 - 160.0, (at / 320) as f32 - 120.0);
                assert!((x / 90.0).hypot(y / 50.0) < 1.0, "{count}: {x} {y}");
                letters += 1;
            }
        }
        assert!(letters > 100, "{count}: {letters}");
        assert_eq!(picture.pixel(160, 74), Some([255; 4]), "{count}: the body");
    }
}

/// Letters that no font has leave the others, and the bubble, where they are; there are no boxes.
#[test]
fn letters_that_no_font_has_are_left_out_and_the_bubble_stays() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect id="live" width="320" height="240"/>
        <text id="text-t" x="9" y="30" font-size="20">ART</text><text x="9" y="230" font-size="20" font-family="BM JUA">ART</text>
        <g id="bubble-a"><ellipse cx="160" cy="120" rx="90" ry="50" fill="#fff"/><text x="90" y="126" font-size="20" font-family="BM JUA">SAY</text></g>
        <g id="bubble-b"><text x="160" y="220" font-size="20">안녕</text></g></svg>"##;
    let plain = page(svg);
    let unknown = "😀👍🏽 مرحبا";
    let texts = BTreeMap::from(["a", "b"].map(|name| (name.to_owned(), unknown.to_owned())));
    let mut letterer = Letterer::new(&plain, SIZE);
    let sprites = letterer.sprites(&moment(&texts, &seen(vec![]), 0));
    assert!(sprites.instead.iter().all(|(_, sprite)| sprite.is_some()));
    for place in letterer.places().iter().filter(|place| place.name != "t") {
        assert!(
            place.missing.contains(&'😀') && place.rect.width < 300,
            "{place:?}"
        );
    }
    let told = plain.unsaid(&texts).join("\n");
    assert!(
        told.contains("😀") && told.contains("bubble-b is shown"),
        "{told}"
    );

    // As the artist wrote them, they are there as if they were not.
    let with = page(&svg.replace("ART", "안녕!😀👍🏽").replace("SAY", "안녕! 👨‍👩‍👧"));
    let without = page(&svg.replace("ART", "안녕!").replace("SAY", "안녕! "));
    assert!(
        with.warnings().join("").contains("😀"),
        "{:?}",
        with.warnings()
    );
    assert!(without.warnings().is_empty(), "{:?}", without.warnings());
    let drawn = |page: &Page| {
        let artwork = page.rasterise(SIZE).unwrap();
        let pixels = |layer: &ArtworkLayer| match layer {
            ArtworkLayer::Art(art) => Some(art.rgba.clone()),
            ArtworkLayer::Lettering { drawn, .. } => Some(drawn.bitmap.rgba.clone()),
            _ => None,
        };
        artwork.layers.iter().filter_map(pixels).collect::<Vec<_>>()
    };
    assert!(drawn(&with) == drawn(&without));
}

#[test]
fn shapes_beside_the_body_go_with_the_bubble() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect id="live" width="320" height="240"/>
        <g id="bubble-a"><ellipse cx="106" cy="66" rx="60" ry="34" fill="#a00"/><ellipse cx="100" cy="60" rx="62" ry="36" fill="#fff"/>
        <circle cx="100" cy="90" r="4" fill="#00f"/><text x="100" y="66" text-anchor="middle" font-family="BM JUA" font-size="20">Oh</text></g></svg>"##;
    let mut letterer = Letterer::new(&page(svg), SIZE);
    let texts = BTreeMap::from([("a".to_owned(), "Something else".to_owned())]);
    let picture = laid(&letterer.sprites(&moment(&texts, &seen(vec![]), 0)));
    let colour = |x, y| picture.pixel(x, y).map(|[r, g, b, _]| [r, g, b]);
    assert_eq!(colour(100, 90), Some([0, 0, 255]), "the shine");
    assert_eq!(colour(128, 96), Some([0xaa, 0, 0]), "the shadow");
}

#[test]
fn a_bubble_keeps_the_artists_letters_until_it_says_something_else() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect id="live" width="320" height="240"/>
        <g id="bubble-a"><ellipse cx="100" cy="60" rx="80" ry="46" fill="#fff"/><text text-anchor="middle" font-family="BM JUA" fill="#111">
        <tspan x="100" y="52" font-size="14">Small</tspan><tspan x="100" y="84" font-size="34" fill="#f00">Big</tspan></text></g></svg>"##;
    let mut letterer = Letterer::new(&page(svg), SIZE);
    let red = |picture: &Picture| {
        let pixels = picture.rgba().as_chunks::<4>().0.iter().enumerate();
        let red = pixels.filter(|(_, [r, g, b, _])| *r > 200 && *g < 90 && *b < 90);
        let columns: Vec<usize> = red.map(|(at, _)| at % SIZE.width as usize).collect();
        (columns.len(), columns.iter().min().copied())
    };
    let own = BTreeMap::new();
    let (count, home) = red(&laid(&letterer.sprites(&moment(&own, &seen(vec![]), 0))));
    assert!(count > 150, "{count}");
    // They go where the bubble goes.
    letterer.sprites(&moment(&own, &seen(vec![face(0.8, 0.7)]), 33));
    let late = laid(&letterer.sprites(&moment(&own, &seen(vec![face(0.8, 0.7)]), 5000)));
    let (moved, there) = red(&late);
    assert_eq!(moved, count);
    assert!(there > home.map(|home| home + 20), "{home:?} {there:?}");
    let other = BTreeMap::from([("a".to_owned(), "Small Big!".to_owned())]);
    let (count, _) = red(&laid(&letterer.sprites(&moment(
        &other,
        &seen(vec![]),
        9000,
    ))));
    assert_eq!(count, 0, "the first line's colour for all");
}

#[test]
fn a_bubble_follows_its_face_and_there_may_be_none_or_twelve() {
    let svg = fixture()
        .replace("KIND", "speech")
        .replace("data-follow=\"no\"", "");
    let numbered = svg.replace("id=\"bubble-a\"", "id=\"bubble-a\" data-face=\"12\"");
    let texts = BTreeMap::from([("b".to_owned(), String::new())]);
    let place = |letterer: &Letterer| {
        let places = letterer.places();
        places.iter().find(|place| place.name == "a").unwrap().rect
    };
    let mut letterer = Letterer::new(&page(&svg), SIZE);
    letterer.sprites(&moment(&texts, &seen(vec![]), 0));
    let home = place(&letterer);
    letterer.sprites(&moment(&texts, &seen(vec![face(0.8, 0.7)]), 33));
    let soon = place(&letterer);
    letterer.sprites(&moment(&texts, &seen(vec![face(0.8, 0.7)]), 5000));
    let late = place(&letterer);
    assert!(
        soon.x <= late.x && late.x > home.x + 20,
        "{home:?} {soon:?} {late:?}"
    );
    // Inside the program, off the face.
    assert!(late.x + late.width as i32 <= SIZE.width as i32 + 2);

    let crowd: Vec<Face> = (0..12)
        .map(|at| face(0.04 + at as f32 * 0.08, 0.6))
        .collect();
    let mut letterer = Letterer::new(&page(&numbered), SIZE);
    letterer.sprites(&moment(&texts, &seen(crowd), 0));
    let right = place(&letterer);
    assert!(right.x > home.x + 20, "{home:?} {right:?}");
}

/// Who is near has a face that leaves it no room: it stays where it can be read as theirs.
#[test]
fn a_bubble_over_the_border_of_its_panel_does_not_flee_into_another() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">
        <rect id="live-1" x="10" y="10" width="140" height="220"/><rect id="live-2" x="170" y="10" width="140" height="220"/>
        <g id="bubble-a"><ellipse cx="140" cy="40" rx="34" ry="24" fill="#fff"/><text x="140" y="44" text-anchor="middle" font-family="BM JUA" font-size="14">hi</text></g></svg>"##;
    let mut letterer = Letterer::new(&page(svg), SIZE);
    for height in [0.3, 0.6, 1.1] {
        let near = Face {
            height,
            ..face(0.5, 0.5)
        };
        letterer.sprites(&moment(&BTreeMap::new(), &seen(vec![near]), 0));
        let place = letterer.places()[0].rect;
        // With its tail, a little more.
        assert!(place.x + (place.width as i32) < 185, "{height}: {place:?}");
    }
}

#[test]
fn what_does_not_change_is_not_drawn_again_and_effects_move_on_twos() {
    let page = page(&fixture().replace("KIND", "shout"));
    let mut letterer = Letterer::new(&page, SIZE);
    let (texts, live) = (BTreeMap::new(), seen(vec![face(0.5, 0.6)]));
    let mut poses = BTreeSet::new();
    let mut bubbles = BTreeSet::new();
    for frame in 0..60 {
        let sprites = letterer.sprites(&moment(&texts, &live, frame * 33));
        let address = |number: usize| {
            let (_, sprite) = &sprites.instead[number];
            std::sync::Arc::as_ptr(&sprite.as_ref().unwrap().bitmap) as usize
        };
        bubbles.insert(address(0));
        poses.insert(address(2));
    }
    assert_eq!(bubbles.len(), 1);
    assert!((3..=8).contains(&poses.len()), "{}", poses.len());
}

#[test]
fn the_line_seen_at_a_shot_stays_with_it() {
    let page = page(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect id="shot-1" width="320" height="120"/>
        <rect id="shot-2" y="120" width="320" height="120"/>
        <g id="bubble-a" data-lines="one|two|three" data-secs="2"><ellipse cx="160" cy="60" rx="90" ry="50" fill="#fff"/><text x="160" y="60" font-size="20">one</text></g>
        <text id="text-b" data-lines="one|two|three" data-secs="2" x="60" y="200" font-size="20">one</text></svg>"##,
    );
    let mut letterer = Letterer::new(&page, SIZE);
    let (texts, live) = (BTreeMap::new(), seen(Vec::new()));
    let frozen = |asked| {
        let time = Duration::from_secs(3);
        Some(Seen {
            turns: Some(Turns { time, asked }),
            ..seen(Vec::new())
        })
    };
    let mut said = |shots: &[Option<Seen>], ms, turned| {
        letterer.sprites(&Moment {
            shots,
            turned,
            ..moment(&texts, &live, ms)
        });
        let places = letterer.places();
        let text = |name: &str| {
            places
                .iter()
                .find(|place| place.name == name)
                .unwrap()
                .text
                .clone()
        };
        (text("a"), text("b"))
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(said(&[None, None], 3000, 0), pair("two", "two"));
    for (ms, turned, live) in [(3000, 0, "two"), (5000, 0, "three"), (5000, 1, "one")] {
        assert_eq!(said(&[frozen(0), None], ms, turned), pair("two", live));
        assert_eq!(said(&[None, frozen(1)], ms, turned), pair(live, "three"));
    }
}
