//! Pages that ask too much, or ask for nothing: a result or a refusal, in bounded time and memory, and
//! a word about what is not there.

use std::process::Command;
use std::time::{Duration, Instant};

use panelcam::frame::Size;
use panelcam::panels::{ArtworkLayer, Fonts, Layer, Page, PageError};

use crate::support::{Home, Run};

fn svg(body: &str) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="100">{body}</svg>"##
    )
}

fn parse(body: &str) -> Result<Page, PageError> {
    Page::parse(svg(body).as_bytes(), "hostile", &Fonts::embedded())
}

/// Checks a page, its preview included, with the real program in so many kilobytes of memory.
fn checked_within(kilobytes: u32, svg: &str) -> Run {
    let home = Home::new();
    std::fs::write(home.path("page.svg"), svg).unwrap();
    let program = home.command(&["pages", "check", "page.svg", "--preview", "page.png"]);
    let script = format!(r#"ulimit -v {kilobytes}; exec "$0" "$@""#);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(program.get_program());
    shell.args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    // A graphics driver reserves memory without end; the page itself is drawn without one.
    shell
        .env("VK_DRIVER_FILES", "/dev/null")
        .env("VK_ICD_FILENAMES", "/dev/null")
        .env("LIBGL_DRIVERS_PATH", "/nonexistent")
        .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null")
        .current_dir(home.folder.path());
    let begun = Instant::now();
    let run = Run::of(&mut shell);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(120), "{took:?}");
    if run.code == Some(0) {
        let preview = image::open(home.path("page.png")).unwrap();
        assert!(preview.width().max(preview.height()) <= 1200);
    }
    run
}

#[test]
fn a_hundred_thousand_paths_are_drawn_in_bounded_memory() {
    let paths: String = (0..100_000)
        .map(|at| {
            let (x, y) = (at % 317, at / 317);
            format!(
                r##"<path d="M{x} {y}l2 1 -1 2z" fill="#{:06x}"/>"##,
                at * 167
            )
        })
        .collect();
    let page = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="320"><rect id="live-1" width="100" height="100"/>{paths}</svg>"##
    );
    let run = checked_within(1_500_000, &page).ok();
    assert!(run.out.contains("live-1"), "{}", run.out);
    // With something alive between them they would be looked at too often.
    let alive: String = (0..100)
        .map(|at| format!(r##"<rect id="fx-rain-{at}" width="9" height="9"/>"##))
        .collect();
    let page = page.replace("</svg>", &format!("{alive}</svg>"));
    checked_within(1_500_000, &page).fails(&["too many objects"]);
}

/// Each layer takes its own objects; looking at all for each took a second a live shape.
#[test]
fn live_shapes_between_a_hundred_thousand_paths_cost_little() {
    let page = |shapes: usize| {
        let paths = (0..100_000).map(|at| {
            let (x, y) = (at % 99, at / 1000);
            let alive = (at % (100_000 / shapes) == 0)
                .then(|| format!(r#"<rect id="live-{at}" x="{x}" width="9" height="9"/>"#));
            format!(
                "{}<path d=\"M{x} {y}l2 1-1 2z\"/>",
                alive.unwrap_or_default()
            )
        });
        paths.collect::<String>()
    };
    let took = |shapes| {
        let body = page(shapes);
        let begun = Instant::now();
        let page = parse(&body).unwrap();
        assert_eq!(page.layers().len(), shapes * 2);
        begun.elapsed()
    };
    let (few, many) = (took(2), took(40));
    assert!(many < few * 3, "{few:?} with 2 shapes, {many:?} with 40");
}

#[test]
fn a_page_of_twenty_thousand_pixels_is_drawn_in_bounded_memory() {
    // What is drawn apart first (blurred, faded, masked) would take 1.6 GB each at full size.
    let page = r##"<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="20000">
        <filter id="f"><feGaussianBlur stdDeviation="300"/></filter><mask id="m"><rect width="20000" height="20000" fill="#888"/></mask>
        <rect width="20000" height="20000" fill="#fde"/><circle cx="10000" cy="10000" r="8000" filter="url(#f)" opacity=".5"/>
        <g mask="url(#m)"><rect width="20000" height="20000" fill="#c33"/></g>
        <rect id="live-1" x="2000" y="2000" width="16000" height="16000"/>
        <g id="bubble-1"><ellipse cx="9000" cy="4000" rx="4000" ry="2000" fill="#fff"/><text x="9000" y="4000" font-size="900">hi</text></g>
        <rect id="fx-rain" width="20000" height="20000"/></svg>"##;
    let run = checked_within(1_500_000, page).ok();
    assert!(run.out.contains("20000 x 20000 units"), "{}", run.out);
    let page = Page::parse(page.as_bytes(), "large", &Fonts::embedded()).unwrap();
    assert_eq!(
        page.size(),
        Size::new(4096, 4096),
        "the program's own limit"
    );
    assert!(matches!(
        page.rasterise(Size::new(200_000, 200_000)),
        Err(PageError::TooLargeToDraw { .. })
    ));
}

/// A hundred thousand lines from top to bottom took minutes, in silence.
#[test]
fn what_would_take_minutes_to_draw_is_refused_at_once() {
    let page = |strokes: usize, height: u32, line: &dyn Fn(usize) -> String| {
        let lines: String = (0..strokes).map(line).collect();
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="{height}"><rect id="live-1" width="100" height="100"/>{lines}</svg>"##
        );
        let page = Page::parse(svg.as_bytes(), "long", &Fonts::embedded());
        page.map(|page| page.layers().len())
    };
    let apart = |at: usize| format!(r##"<path stroke="#123" d="M{} 0V20000"/>"##, at % 1000);
    let refused = page(100_000, 20_000, &apart);
    assert!(matches!(refused, Err(PageError::TooMuchToDraw { .. })));
    // In one object, dashed, or filled.
    for style in [
        "fill='none' stroke='#123'",
        "fill='none' stroke='#123' stroke-dasharray='1'",
        "",
    ] {
        let joined = |at: usize| match at {
            0 => format!("<path {style} d='M0 0V20000"),
            99_999 => "'/>".to_owned(),
            at => format!("M{0} 0V20000h1", at % 1000),
        };
        let refused = page(100_000, 20_000, &joined);
        assert!(
            matches!(refused, Err(PageError::TooMuchToDraw { .. })),
            "{style}"
        );
    }
    let faded = |_: usize| {
        "<g opacity='.5'><circle cx='9' cy='9' r='9'/><rect width='1000' height='2000'/></g>"
            .to_owned()
    };
    assert!(matches!(
        page(2000, 2000, &faded),
        Err(PageError::TooMuchToDraw { .. })
    ));
    // As many as a page should have, and many small ones.
    assert!(page(3000, 2000, &apart).is_ok() && page(100, 2000, &faded).is_ok());
    let small = |at: usize| {
        format!(
            r##"<path stroke="#123" d="M{} {}l4 5"/>"##,
            at % 990,
            at / 99
        )
    };
    assert!(page(100_000, 2000, &small).is_ok());
}

#[test]
fn shapes_that_cannot_be_seen_are_told() {
    for shape in [
        r#"<rect id="live-2" x="500" width="50" height="50"/>"#,
        r#"<rect id="live-2" x="-50" width="50" height="50"/>"#,
        r#"<rect id="live-2" width="0" height="50"/>"#,
        r#"<rect id="live-2" width="-4" height="50"/>"#,
        r#"<rect id="live-2" width="NaN" height="50"/>"#,
        r#"<path id="live-2" d=""/>"#,
        r#"<path id="live-2" d="MNaN NaNLinf inf"/>"#,
        r#"<circle id="live-2" r="0"/>"#,
        r#"<g id="live-2"/>"#,
        r##"<use id="live-2" xlink:href="#live-2"/>"##,
        r#"<rect id="live-2" transform="scale(0)" width="50" height="50"/>"#,
        r#"<rect id="live-2" transform="scale(1e39)" width="50" height="50"/>"#,
        r#"<rect id="live-2" transform="translate(1e30)" width="50" height="50"/>"#,
        r#"<g transform="scale(0)"><rect id="live-2" width="50" height="50"/></g>"#,
        r#"<g id="bubble-2" transform="scale(0)"><ellipse rx="9" ry="9"/><text>hi</text></g>"#,
        r#"<text id="text-2" y="50"></text>"#,
        r#"<rect id="fx-rain" x="500" width="9" height="9"/>"#,
        r#"<rect id="person-2" y="100" width="50" height="50"/>"#,
        r#"<rect id="shot-1" x="100" width="50" height="50"/>"#,
    ] {
        let page = parse(&format!(
            r#"<rect id="live-1" width="50" height="50"/>{shape}"#
        ))
        .unwrap_or_else(|error| panic!("{shape}: {error}"));
        let alive = page
            .layers()
            .iter()
            .filter(|layer| !matches!(layer, Layer::Art(_)));
        assert_eq!(alive.count(), 1, "{shape}");
        let told = page.warnings().join("\n");
        assert!(
            told.contains("is hidden, empty or off the page: it shows nothing."),
            "{shape}: {told}"
        );
        assert!(page.rasterise(Size::new(100, 100)).is_ok(), "{shape}");
    }
    // What cannot be read as a transform is left out, and the shape stays.
    let page = parse(r#"<rect id="live-1" transform="translate(NaN, 3)" width="50" height="50"/>"#);
    let page = page.unwrap();
    let told = page.warnings().join("\n");
    assert!(
        told.contains("live-1") && told.contains("translate(NaN, 3)"),
        "{told}"
    );
    assert_eq!(page.panels().next().unwrap().bounds.x, 0.0);
}

/// Nothing in a page runs: with scripts in it, it is the page without them.
#[test]
fn scripts_never_run_and_are_told() {
    let art = r#"<rect id="live-1" width="50" height="50"/><rect id="box" x="60" width="30" height="30" fill="red"/>"#;
    let plain = parse(art).unwrap();
    let hidden = "document.getElementById('box').remove()";
    for script in [
        format!("<script>{hidden}</script>"),
        format!("<script type='text/ecmascript'><![CDATA[{hidden}]]></script>"),
        "<script href='file:///etc/passwd'/>".to_owned(),
        format!(r#"<rect width="0" height="0" onload="{hidden}"/>"#),
        format!(r#"<defs><g><script>{hidden}</script></g></defs>"#),
    ] {
        let page = parse(&format!("{art}{script}")).unwrap();
        let told = page.warnings();
        assert!(
            told.len() == 1 && told[0].contains("Scripts"),
            "{script}: {told:?}"
        );
        let pixels = |page: &Page| -> Vec<Vec<u8>> {
            let artwork = page.rasterise(Size::new(100, 100)).unwrap();
            let layers = artwork.layers.iter();
            layers
                .map(|layer| match layer {
                    ArtworkLayer::Art(art) => art.rgba.clone(),
                    ArtworkLayer::Panel(panel) => panel.alpha.clone(),
                    _ => panic!(),
                })
                .collect()
        };
        assert_eq!(pixels(&page), pixels(&plain), "{script}");
    }
}
