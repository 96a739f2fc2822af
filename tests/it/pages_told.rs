//! What a page's artist is told: everything that is left out, in words, in both languages.

use panelcam::frame::Size;
use panelcam::panels::{ArtworkLayer, EffectKind, Fonts, Page};
use panelcam::settings::Language;
use panelcam::ui::message;

use crate::support::Home;

fn parse(body: &str) -> Page {
    let svg = format!(
        r##"<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="100">{body}<rect id="live-1" width="50" height="50"/></svg>"##
    );
    Page::parse(svg.as_bytes(), "told", &Fonts::embedded()).unwrap()
}

/// An SVG, and words that its only remark has.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("<script>alert(1)</script>", &["Scripts"]),
    (
        r#"<rect onclick="alert(1)" width="9" height="9"/>"#,
        &["Scripts"],
    ),
    (
        r#"<foreignObject id="note" width="9" height="9"><p xmlns="http://www.w3.org/1999/xhtml">hi</p></foreignObject>"#,
        &["The object note", "foreignObject", "paths"],
    ),
    (
        r#"<rect id="spark" width="9" height="9"><animate attributeName="x" to="9"/><set attributeName="y" to="9"/></rect>"#,
        &["The object spark", "stands still"],
    ),
    (
        r#"<g id="wheel"><animateTransform attributeName="transform" type="rotate" to="9"/></g>"#,
        &["The object wheel", "stands still"],
    ),
    (
        "<style>@keyframes a{to{opacity:0}} .a{animation:a 1s}</style>",
        &["Animations", "style sheet"],
    ),
    (
        r#"<font id="f" horiz-adv-x="9"><font-face font-family="Own"/><glyph unicode="a" d="M0 0h9v9z"/></font>"#,
        &["SVG font"],
    ),
    (
        r#"<flowRoot id="story"><flowPara>hi</flowPara></flowRoot>"#,
        &["The object story", "Inkscape"],
    ),
    (
        r#"<video id="film" width="9" height="9"/>"#,
        &["The object film", "<video>", "live-1"],
    ),
    (
        r#"<switch id="hush"><g systemLanguage="ko"><rect width="9" height="9"/></g></switch>"#,
        &["The object hush", "<switch>", "systemLanguage"],
    ),
    (
        r##"<use id="tree" href="trees.svg#oak"/>"##,
        &["The object tree", "another file", "trees.svg#oak"],
    ),
    (
        r##"<use xlink:href="#gone"/>"##,
        &["A <use>", "gone", "not on the page"],
    ),
    (
        r#"<rect id="hut" fill="url(paint.svg#red)" width="9" height="9"/>"#,
        &["The object hut", "another file", "paint.svg#red"],
    ),
    (
        "<style>.a{fill:url('http://a.example/b.svg#c')}</style>",
        &["style sheet", "a.example"],
    ),
    (
        "<style>@import url(https://fonts.example/css);</style>",
        &["style sheet from elsewhere"],
    ),
    (
        r#"<rect id="live-2" filter="url(#f)" width="9" height="9"/><filter id="f"><feGaussianBlur stdDeviation="2"/></filter>"#,
        &["filter", "on live-2"],
    ),
    (
        r#"<style>.s{filter:url(#f)}</style><g id="person-2"><rect class="s" width="9" height="9"/></g><filter id="f"><feGaussianBlur stdDeviation="2"/></filter>"#,
        &["filter", "on person-2", "data-shadow"],
    ),
    (
        r#"<g id="frame" style="filter:url(#f)"><rect id="live-2" width="9" height="9"/></g><filter id="f"><feGaussianBlur stdDeviation="2"/></filter>"#,
        &["The object frame", "filter", "live-2 in it"],
    ),
    (
        r#"<g id="bubble-1"><ellipse cx="50" cy="50" rx="30" ry="20" filter="url(#f)"/><text x="40" y="50">hi</text></g><filter id="f"><feGaussianBlur stdDeviation="2"/></filter>"#,
        &["filter", "on bubble-1"],
    ),
    (
        r#"<g id="bubble-1"><ellipse cx="50" cy="50" rx="30" ry="20"/><image width="9" height="9" href="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="/><text x="40" y="50">hi</text></g>"#,
        &["picture in bubble-1"],
    ),
    (
        r#"<rect id="a" width="9" height="9"/><rect id="a" x="20" width="9" height="9"/><rect id="a" x="40" width="9" height="9"/>"#,
        &["More than one", "called a"],
    ),
    (
        r#"<rect id="sun" transform="rotate(NaN)" width="9" height="9"/>"#,
        &["The object sun", "without its transform", "rotate(NaN)"],
    ),
    (
        r#"<g id="flat" transform="scale(0 1)"><rect width="9" height="9"/></g>"#,
        &["The object flat", "left out", "scale(0 1)"],
    ),
    (
        r#"<text y="40">Hi 🦄 שלום สวัสดี</text>"#,
        &["🦄", "ש", "ส", "paths"],
    ),
    (
        r#"<text id="text-a" y="40" data-en="Ok" data-ko="네 🦑" data-lines-en="a|🦜">네</text>"#,
        &["🦑", "🦜"],
    ),
];

/// The same with words that are too long.
const TOO_LONG: &[(&str, &[&str])] = &[
    (
        r#"<g id="bubble-1"><ellipse cx="50" cy="50" rx="5" ry="3"/><text x="40" y="50">Nobody has ever said so much in so little room</text></g>"#,
        &["bubble-1", "letters fit"],
    ),
    (
        r#"<g id="bubble-1"><ellipse cx="50" cy="50" rx="45" ry="40"/><text x="40" y="50" font-size="9">Nobody says so much in one line</text></g>"#,
        &["bubble-1", "set anew"],
    ),
    (
        r#"<g id="bubble-1" data-lines-en="Yes|Nobody has ever said so much in so little room"><ellipse cx="50" cy="50" rx="5" ry="3"/><text x="47" y="50" font-size="6">네</text></g>"#,
        &["bubble-1", "letters fit"],
    ),
    (
        r#"<text id="text-a" x="30" y="50" font-size="6" data-ko="이렇게 좁은 자리에 이렇게 많은 말을 한 줄로 쓰고 또 쓰고 또 쓰고 또 써요">Hi</text>"#,
        &["text-a", "letters fit"],
    ),
];

/// The same with what `data-…` says.
const MISSPELT: &[(&str, &[&str])] = &[
    (
        r#"<rect id="live-2" data-outline="3" width="9" height="9"/>"#,
        &["data-outline", "live-2"],
    ),
    (
        r#"<rect id="raw-2" data-kind="x" width="9" height="9"/>"#,
        &["data-kind", "raw-2"],
    ),
    (
        r#"<g id="bubble-1" data-kind="shuot"><ellipse cx="50" cy="50" rx="30" ry="20"/><text x="40" y="50">hi</text></g>"#,
        &["data-kind=\"shuot\"", "bubble-1", "shout"],
    ),
    (
        r#"<g id="bubble-1" data-knid="shout"><ellipse cx="50" cy="50" rx="30" ry="20"/><text x="40" y="50">hi</text></g>"#,
        &["data-knid", "bubble-1", "kind"],
    ),
    (
        r#"<g id="bubble-1" data-panel="2"><ellipse cx="50" cy="50" rx="30" ry="20"/><text x="40" y="50">hi</text></g>"#,
        &["data-panel=\"2\"", "live-1"],
    ),
    (
        r#"<g id="bubble-1" data-follow="never"><ellipse cx="50" cy="50" rx="30" ry="20"/><text x="40" y="50">hi</text></g>"#,
        &["data-follow=\"never\"", "no"],
    ),
    (
        r#"<g id="bubble-1" data-font="Arial"><ellipse cx="50" cy="50" rx="30" ry="20"/><text x="40" y="50">hi</text></g>"#,
        &["data-font=\"Arial\"", "BM JUA"],
    ),
    (
        r#"<text id="text-a" y="40" data-animate="wobble">hi</text>"#,
        &["data-animate=\"wobble\"", "shake"],
    ),
    (
        r#"<text id="text-a" y="40" data-secs="soon" data-line="a|b">hi</text>"#,
        &["data-secs=\"soon\"", "number", "data-line on"],
    ),
    (
        r#"<text id="text-a" y="40" data-date="%!">hi</text>"#,
        &["data-date", "%Y"],
    ),
    (
        r#"<rect id="person-2" data-outline="thick" width="9" height="9"/>"#,
        &["data-outline=\"thick\"", "#ffffff"],
    ),
    (
        r#"<rect id="fx-rain" data-colour="blackish" data-density="much" width="9" height="9"/>"#,
        &["data-colour=\"blackish\"", "data-density=\"much\""],
    ),
    (
        r#"<rect id="fx-focus" data-centre="middle" width="9" height="9"/>"#,
        &["data-centre", "0.5 0.4"],
    ),
];

#[test]
fn what_is_left_out_is_named() {
    let mut failures = Vec::new();
    for (body, words) in LEFT_OUT.iter().chain(TOO_LONG) {
        let warnings = parse(body).warnings().join("\n");
        let is_one = warnings.lines().count() == 1;
        if !is_one || words.iter().any(|word| !warnings.contains(word)) {
            failures.push(format!("{body}\n  {words:?}\n  {warnings}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_misspelt_is_named() {
    let mut failures = Vec::new();
    for (body, words) in MISSPELT {
        let page = parse(body);
        let advice = page.advice().join("\n");
        let is_quiet = page.warnings().is_empty();
        if !is_quiet || words.iter().any(|word| !advice.contains(word)) {
            failures.push(format!(
                "{body}\n  {words:?}\n  {advice}\n  {:?}",
                page.warnings()
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// An artist who speaks Korean is told the same, to the last word that is not a name.
#[test]
fn everything_is_told_in_korean_too() {
    let mut failures = Vec::new();
    for (body, words) in LEFT_OUT.iter().chain(TOO_LONG).chain(MISSPELT) {
        let page = parse(body);
        for text in page.warnings().iter().chain(&page.advice()) {
            let korean = message(text, Language::Ko);
            let is_korean = korean.chars().any(|letter| ('가'..='힣').contains(&letter));
            let is_english = [" is ", "The ", "Write ", "There ", " such as "]
                .iter()
                .any(|word| korean.contains(word));
            // Names and values are as the artist wrote them.
            let names = words.iter().filter(|word| word.contains(['=', '#', '(']));
            let keeps = names
                .copied()
                .all(|name| korean.contains(name) || !text.contains(name));
            if !is_korean || is_english || !keeps {
                failures.push(format!("{text}\n  {korean}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Drawing programs name layers as people please; what is named in them is alive by itself.
#[test]
fn a_layer_with_a_live_name_keeps_what_is_alive_in_it() {
    for layer in ["live", "person", "shot-3", "fx-rain"] {
        let page = parse(&format!(
            r#"<g id="{layer}"><rect id="live-2" width="9" height="9"/><g id="inner"><rect id="person-2" y="20" width="9" height="9"/></g><g id="bubble-1"><ellipse cx="60" cy="70" rx="30" ry="20"/><text x="40" y="70">hi</text></g></g>"#
        ));
        let ids: Vec<String> = page.found().into_iter().map(|found| found.id).collect();
        assert_eq!(ids, ["live-2", "person-2", "bubble-1", "live-1"], "{layer}");
        assert!(page.warnings().is_empty(), "{:?}", page.warnings());
    }
    // Its own shapes would have been the picture: that is told.
    let page = parse(
        r#"<g id="live-2"><rect width="9" height="9"/><rect id="fx-rain" width="9" height="9"/></g>"#,
    );
    let told = page.warnings().join("\n");
    assert!(
        told.contains("live-2 is a layer") && told.contains("fx-rain"),
        "{told}"
    );
    // A bubble holds words that have names, and a shape may be a group.
    let page = parse(
        r#"<g id="bubble-1"><ellipse cx="60" cy="70" rx="30" ry="20"/><text id="text-a" x="50" y="70" font-size="9">hi</text></g><g id="live-2"><rect width="9" height="9"/></g>"#,
    );
    assert_eq!(page.found().len(), 3);
    assert!(page.warnings().is_empty(), "{:?}", page.warnings());
}

/// A page that is named without its folder finds its pictures all the same.
#[test]
fn a_picture_beside_a_page_of_a_bare_name_is_shown() {
    let home = Home::new();
    let svg = |picture: &str| {
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><image href="{picture}" width="9" height="9"/><rect id="live" width="9" height="9"/></svg>"#
        )
    };
    std::fs::write(home.path("near.svg"), svg("near.png")).unwrap();
    std::fs::write(home.path("gone.svg"), svg("gone.png")).unwrap();
    image::RgbaImage::new(4, 4)
        .save(home.path("near.png"))
        .unwrap();
    let told = home.line("pages check near.svg").ok().out;
    assert!(told.contains("Nothing was left out"), "{told}");
    let told = home.line("pages check gone.svg").ok().out;
    assert!(told.contains("no such file"), "{told}");
}

/// A file that is not there, one that is no picture and one of the net are three mistakes.
#[test]
fn why_a_linked_picture_is_not_shown_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.png"), "no picture").unwrap();
    for (href, why, korean) in [
        ("none.png", "no such file", "없어요"),
        ("letter.png", "no PNG", "PNG"),
        ("http://127.0.0.1:9/none.png", "only pictures", "같은 폴더"),
        ("../none.png", "only pictures", "같은 폴더"),
    ] {
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><image href="{href}" width="9" height="9"/><rect id="live" width="9" height="9"/></svg>"#
        );
        let page = Page::parse_in(
            svg.as_bytes(),
            "told",
            &Fonts::embedded(),
            Some(folder.path()),
            None,
        );
        let page = page.unwrap();
        let [told] = page.warnings() else {
            panic!("{:?}", page.warnings());
        };
        assert!(told.contains(why) && told.contains(href), "{told}");
        let told = message(told, Language::Ko);
        assert!(told.contains(korean) && told.contains(href), "{told}");
    }
}

/// What becomes of each object, refusals and what fonts lack: none of it stays English.
#[test]
fn what_is_understood_and_why_not_is_told_in_korean() {
    let korean = |text: &str| message(text, Language::Ko).into_owned();
    let is_korean = |text: &str| {
        // Names, attributes and units apart.
        let is_english = [
            " is ", " the", "the ", "The ", "that ", "they ", "Write ", " of ",
        ];
        text.chars().any(|letter| ('가'..='힣').contains(&letter))
            && !is_english.iter().any(|word| text.contains(word))
    };
    let mut body = r##"<rect id="live-2-close" width="9" height="9" style="mix-blend-mode:multiply"/><rect id="raw-1" width="9" height="9"/><rect id="person-1" width="9" height="9"/>
        <rect id="shot-1" width="9" height="9"/><g id="bubble-1"><ellipse cx="60" cy="70" rx="30" ry="20"/><text x="50" y="70" font-size="9">hi; ho</text></g><g id="bubble-2"><ellipse cx="60" cy="70" rx="30" ry="20"/></g>"##.to_owned();
    for motion in ["shake", "pulse", "pop"] {
        body += &format!(
            r#"<rect id="sound-{motion}" data-animate="{motion}" width="9" height="9"/><text id="text-{motion}" data-animate="{motion}" x="9" y="9">hi</text>"#
        );
    }
    for kind in EffectKind::ALL {
        body += &format!(r#"<rect id="fx-{}" width="9" height="9"/>"#, kind.id());
    }
    let found = parse(&body).found();
    assert_eq!(found.len(), 6 + 6 + 9 + 1);
    for found in &found {
        let remarks = found.remarks().map(korean).collect::<Vec<_>>().join("; ");
        let what = remarks.split(';').next().unwrap_or_default();
        assert!(is_korean(what) && is_korean(&remarks), "{remarks}");
    }
    for body in [
        "<style>@font-face{font-family:Zap Two;src:url(http://x.y/z.ttf)}</style>",
        "<style>@font-face{font-family:Zap}</style>",
        "<style>@font-face{font-family:Zap;src:url(data:font/woff2;base64,d09GMgAA)}</style>",
        "<style>@font-face{font-family:Zap;src:url(data:font/ttf;base64,AAAA)}</style>",
        "<rect id='fx-snow'/>",
        "<rect id='shot-12'/>",
        "<rect id='live1'/>",
        "<g id='live'><rect width='9' height='9'/><rect id='live-3' width='9' height='9'/></g>",
        "<rect style='mix-blend-mode:burn' id='x' width='9' height='9'/>",
        "<g opacity='.5'><rect id='live-3' width='60' height='60'/><rect id='raw-3' width='60' height='60'/></g>",
    ] {
        let page = parse(body);
        assert!(!page.warnings().is_empty(), "{body}");
        for text in page.warnings() {
            assert!(is_korean(&korean(text)), "{text}\n{}", korean(text));
        }
    }
    let svg = |size: &str, body: &str| {
        format!("<svg xmlns='http://www.w3.org/2000/svg' {size}>{body}</svg>").into_bytes()
    };
    let live = "<rect id='live' width='9' height='9'/>";
    for file in [
        Vec::new(),
        b"%PDF".to_vec(),
        b"\x1f\x8b".to_vec(),
        b"\x89PNG\r\n\x1a\n".to_vec(),
        b"\xff\xfe<".to_vec(),
        b"\xe9".to_vec(),
        b"hello".to_vec(),
        b"<svg><g>".to_vec(),
        b"<svg><g></svg>".to_vec(),
        b"<html/>".to_vec(),
        b"<svg>&a;</svg>".to_vec(),
        vec![b' '; 9 << 20],
        svg("", ""),
        svg("", "<rect id='live1' width='9' height='9'/>"),
        svg("", "<rect id='live' width='9' height='9' display='none'/>"),
        svg("width='9' height='9000'", live),
        svg("width='9' height='9'", &live.repeat(60)),
        svg("", &("<g>".repeat(200) + &"</g>".repeat(200))),
    ] {
        let error = match Page::parse(&file, "that.svg", &Fonts::embedded()) {
            Ok(_) => panic!("accepted"),
            Err(error) => error.to_string(),
        };
        // The parser's own words, in brackets, are for those who write SVG by hand.
        let told = korean(&error);
        let told = told.split(" (").next().unwrap_or_default();
        assert!(is_korean(told), "{error}\n{told}");
    }
}

/// A letter that no font has takes none of its neighbours with it.
#[test]
fn letters_after_a_missing_one_are_drawn() {
    let ink = |text: &str| {
        let page = parse(&format!(
            r#"<text y="80" font-size="30" font-family="Bangers">{text}</text>"#
        ));
        let artwork = page.rasterise(Size::new(100, 100)).unwrap();
        match &artwork.layers[0] {
            ArtworkLayer::Art(art) => art.rgba.clone(),
            _ => panic!(),
        }
    };
    assert_ne!(ink("🦄가"), ink("🦄나"), "both are boxes");
}

/// Who writes no mistake is told nothing.
#[test]
fn a_page_without_mistakes_is_left_in_peace() {
    for body in [
        // Illustrator's own data, and a style sheet that refers to the page.
        r##"<switch><foreignObject requiredExtensions="http://ns.adobe.com/AdobeIllustrator/10.0/" width="1" height="1"/><g><rect width="9" height="9"/></g></switch>"##,
        r##"<style>.a{fill:url(#g)}</style><linearGradient id="g"/><rect class="a" width="9" height="9" clip-path="url('#c')"/><clipPath id="c"><rect width="5" height="5"/></clipPath>"##,
        // Art may have filters, and words as they are drawn.
        r##"<filter id="f"><feGaussianBlur stdDeviation="2"/></filter><g filter="url(#f)"><rect width="9" height="9"/></g><text id="text-a" y="40" filter="url(#f)">hi</text>"##,
        // What words of a name say, and what Figma keeps.
        r#"<rect id="person-red-small" width="9" height="9"/><rect id="live-dense-soft" data-figma-bg-blur-radius="4" width="9" height="9"/>"#,
        r##"<g id="bubble-small" data-kind="Shout" data-face="2" data-panel="1" data-follow="no" data-tail="none" data-direction="vertical" data-lines="a|b" data-lines-en="a|b" data-secs="2.5" data-font="Bangers" data-en="hi" data-ko="안녕"><ellipse cx="50" cy="50" rx="30" ry="20"/><text x="40" y="50">hi</text></g>"##,
        r##"<rect id="person-1" data-outline="8 #ffffff" data-shadow="12 14 8 #0008" width="9" height="9"/><rect id="person-2" data-outline="2px rgba(0, 0, 0, 0.5)" data-shadow="3" width="9" height="9"/>"##,
        r##"<rect id="fx-rain" data-color="red" data-angle="12deg" data-density="2" width="9" height="9"/><rect id="fx-focus" data-centre="0.5, 0.4" width="9" height="9"/>"##,
        "<text y=\"40\">Hello\u{200d} \u{fe0f}안녕 ♥…</text>",
        r##"<switch><g systemLanguage="ko"><rect width="9" height="9"/></g><g><rect width="9" height="9"/></g></switch>"##,
        r##"<use href="#r"/><defs><g id="r"><rect width="9" height="9"/></g></defs>"##,
    ] {
        let page = parse(body);
        assert!(page.warnings().is_empty(), "{body}: {:?}", page.warnings());
        assert!(page.advice().is_empty(), "{body}: {:?}", page.advice());
    }
}
