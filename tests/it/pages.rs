//! Pages: the shipped ones look as they should, and any SVG either loads or says why.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::RgbaImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use panelcam::frame::{Picture, Size};
use panelcam::panels::{ArtworkLayer, Crop, Fonts, Layer, Library, Page, PageError, PanelKind};
use panelcam::places::Places;
use panelcam::settings::Language;

/// A test chart as a styled picture: a checkerboard in colours that differ everywhere, and a
/// person of a head and shoulders in its alpha.
pub fn chart(size: Size) -> Picture {
    let mut picture = Picture::new(size);
    let (width, height) = (size.width as f32, size.height as f32);
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = (
            (at as u32 % size.width) as f32 / width,
            (at as u32 / size.width) as f32 / height,
        );
        let within = |cx: f32, cy: f32, rx: f32, ry: f32| {
            ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0
        };
        let head = within(0.5, 0.36, 0.11, 0.24);
        let person = head || within(0.5, 1.0, 0.26, 0.36);
        let dark = ((x * 16.0) as u32 + (y * 9.0) as u32).is_multiple_of(2);
        let shade = if dark { 0.75 } else { 1.0 };
        let colour = match (head, person) {
            (true, _) => [250.0, 205.0, 180.0],
            (_, true) => [70.0, 90.0, 190.0],
            _ => [120.0 + 110.0 * x, 200.0 - 60.0 * y, 170.0 + 60.0 * y],
        };
        for (byte, value) in pixel.iter_mut().zip(colour) {
            *byte = (value * shade) as u8;
        }
        pixel[3] = if person { 255 } else { 0 };
    }
    picture
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped() -> Library {
    let (library, warnings) = Library::load(&Places::under(Path::new("none")), Language::Ko);
    assert_eq!(warnings, Vec::<String>::new());
    library
}

fn parse(svg: &str) -> Result<Page, PageError> {
    Page::parse(svg.as_bytes(), "test", &Fonts::embedded())
}

fn svg(body: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="100">{body}</svg>"#
    )
}

/// The alpha of the only panel, over the whole page of 100 x 100.
fn shape(body: &str) -> [[u8; 100]; 100] {
    let page = parse(&svg(body)).unwrap();
    let artwork = page.rasterise(Size::new(100, 100)).unwrap();
    let mut alpha = [[0; 100]; 100];
    for layer in &artwork.layers {
        if let ArtworkLayer::Panel(panel) = layer {
            for (at, value) in panel.alpha.iter().enumerate() {
                let (x, y) = (
                    at % panel.rect.width as usize,
                    at / panel.rect.width as usize,
                );
                alpha[y + panel.rect.y as usize][x + panel.rect.x as usize] = *value;
            }
        }
    }
    alpha
}

/// Largest mean difference of a channel, of 255, that is no change.
const TOLERANCE: f64 = 0.6;
const LARGEST_FILE: u64 = 16 << 10;

pub fn snapshot(name: &str, picture: Picture) -> Result<(), String> {
    let folder = root().join("tests/snapshots");
    let file = |kind: &str| folder.join(format!("{name}{kind}.png"));
    let size = picture.size();
    // Fewer colours make smaller files; the tolerance covers the rest.
    let coarse = |byte: &u8| (u16::from(*byte / 16) * 17) as u8;
    let coarse = picture.rgba().iter().map(coarse).collect();
    let new = RgbaImage::from_raw(size.width, size.height, coarse).unwrap();
    let save = |image: &RgbaImage, path: PathBuf| {
        let file = fs::File::create(path).unwrap();
        let encoder =
            PngEncoder::new_with_quality(file, CompressionType::Best, FilterType::NoFilter);
        image.write_with_encoder(encoder).unwrap();
    };
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        save(&new, file(""));
    }
    let bytes = fs::metadata(file(""))
        .map_err(|error| format!("{name}: {error}; UPDATE_SNAPSHOTS=true makes it"))?;
    if bytes.len() > LARGEST_FILE {
        return Err(format!(
            "{name}: the snapshot has {} bytes, at most {LARGEST_FILE} are allowed",
            bytes.len()
        ));
    }
    let old = image::open(file(""))
        .map_err(|error| format!("{name}: {error}"))?
        .to_rgba8();
    if old.dimensions() != new.dimensions() {
        save(&new, file(".new"));
        return Err(format!(
            "{name}: size changed from {:?} to {:?}",
            old.dimensions(),
            new.dimensions()
        ));
    }
    let mut difference = new.clone();
    let mut sum = 0;
    for (byte, old) in difference.iter_mut().zip(old.iter()) {
        *byte = byte.abs_diff(*old);
        sum += u64::from(*byte);
    }
    let mean = sum as f64 / difference.len() as f64;
    if mean > TOLERANCE {
        difference.pixels_mut().for_each(|pixel| pixel.0[3] = 255);
        save(&new, file(".new"));
        save(&difference, file(".diff"));
        return Err(format!(
            "{name}: mean difference {mean:.2}, at most {TOLERANCE}; see {name}.diff.png"
        ));
    }
    let _ = fs::remove_file(file(".new"));
    let _ = fs::remove_file(file(".diff"));
    Ok(())
}

#[test]
fn shipped_pages_have_titles_panels_and_no_warnings() {
    let library = shipped();
    let pages = library.pages(Language::Ko);
    let ids: Vec<&str> = pages.iter().map(|page| page.id()).collect();
    for id in ["webtoon", "two-panel", "plain"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    for page in library.pages(Language::Ko).iter() {
        assert!(page.builtin() && page.name() != page.id(), "{}", page.id());
        assert!(page.warnings().is_empty(), "{:?}", page.warnings());
        assert!(page.panels().count() > 0);
    }
    assert!(
        library
            .page("webtoon", Language::Ko)
            .unwrap()
            .panels()
            .any(|panel| panel.kind == PanelKind::Person)
    );
    assert_eq!(
        library
            .page("two-panel", Language::Ko)
            .unwrap()
            .panels()
            .filter(|panel| panel.crop == Crop::Close)
            .count(),
        2
    );
    assert_eq!(
        library.page("plain", Language::Ko).unwrap().size(),
        Size::new(1280, 720)
    );
}

#[test]
fn document_order_is_kept_and_art_between_is_one_layer() {
    let page = parse(&svg(
        r##"<title>My  page</title><rect width="9" height="9"/><circle r="9"/><g><path d="M0 0h9v9z"/>
           <rect id="live-1" width="50" height="50"/><text y="20">hi</text></g><rect width="3" height="3"/>
           <g id="Raw 1"><rect width="30" height="30"/><rect x="50" width="30" height="30"/></g>
           <rect id="shot-10" width="9" height="9"/>"##,
    ))
    .unwrap();
    let layers: Vec<String> = page
        .layers()
        .iter()
        .map(|layer| match layer {
            Layer::Art(_) => "art".to_owned(),
            Layer::Panel(panel) => format!("{:?} {}", panel.kind, panel.id),
            Layer::Text(text) => format!("text {} {:?}", text.name, text.texts),
            Layer::Bubble(bubble) => format!("bubble {} {:?}", bubble.name, bubble.texts),
            Layer::Sound(sound) => format!("sound {}", sound.name),
            Layer::Effect(effect) => format!("{:?} {}", effect.kind, effect.name),
        })
        .collect();
    assert_eq!(layers, ["art", "Live live-1", "art", "Raw Raw 1", "art"]);
    assert_eq!((page.name(), page.id()), ("My page", "test"));
    let bounds = page.panels().nth(1).unwrap().bounds;
    assert_eq!((bounds.x, bounds.width, bounds.height), (0.0, 80.0, 30.0));
}

#[test]
fn any_shape_is_a_panel_wherever_it_is() {
    let plain = shape(r##"<rect id="live-1" x="10" y="10" width="40" height="40" fill="none"/>"##);
    assert_eq!(
        (plain[9][9], plain[10][10], plain[49][49], plain[50][50]),
        (0, 255, 255, 0)
    );
    let moved = shape(
        r##"<g transform="translate(20 0) scale(2)"><g opacity=".5"><path id="live" d="M0 0H20V20H0z" style="fill:url(#none);fill-opacity:0"/></g></g>"##,
    );
    assert_eq!((moved[5][10], moved[39][59], moved[45][30]), (0, 128, 0));
    let clipped = shape(
        r##"<clipPath id="c"><circle cx="50" cy="50" r="30"/></clipPath><g clip-path="url(#c)"><rect id="live" width="100" height="100"/></g>"##,
    );
    assert_eq!((clipped[5][5], clipped[50][50]), (0, 255));
    let text =
        shape(r##"<text id="live" x="0" y="90" font-family="BM JUA" font-size="100">가</text>"##);
    assert!(text.iter().flatten().filter(|value| **value == 255).count() > 500);
    let styled = shape(
        r##"<style>.a{fill:none;stroke:red;stroke-width:20}</style><circle id="live" class="a" cx="50" cy="50" r="20"/>"##,
    );
    assert_eq!(
        (styled[50][50], styled[50][75]),
        (255, 0),
        "the stroke is art"
    );
    let diagonal = shape(r##"<path id="live" d="M0 0H100L0 100z"/>"##);
    assert!(
        diagonal[50][49] > 60 && diagonal[50][49] < 200,
        "{}",
        diagonal[50][49]
    );
    let used = shape(
        r##"<defs><rect id="r" width="30" height="30"/></defs><use id="live" xlink:href="#r" x="10"/>"##,
    );
    assert_eq!((used[5][5], used[5][20]), (0, 255));
    let labelled = shape(
        r##"<path xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" inkscape:label="live-1" id="path12" d="M0 0H50V50H0z"/>"##,
    );
    assert_eq!(labelled[20][20], 255);
    let illustrator = shape(
        r##"<switch><foreignObject requiredExtensions="x" width="1" height="1"/><g><rect id="live_x2D_1_1_" width="50" height="50"/></g></switch>"##,
    );
    assert_eq!(illustrator[20][20], 255);
}

#[test]
fn the_stroke_of_a_panel_is_drawn_over_its_picture() {
    let page = parse(&svg(
        r##"<rect id="live" x="20" y="20" width="60" height="60" fill="#0f0" stroke="#f00" stroke-width="10"/>"##,
    ))
    .unwrap();
    let artwork = page.rasterise(Size::new(100, 100)).unwrap();
    let [ArtworkLayer::Panel(_), ArtworkLayer::Art(stroke)] = artwork.layers.as_slice() else {
        panic!("{} layers", artwork.layers.len());
    };
    assert_eq!((stroke.rect.x, stroke.rect.width), (15, 70));
    let pixel = |x: usize, y: usize| &stroke.rgba[(y * 70 + x) * 4..][..4];
    assert_eq!(
        (pixel(2, 2), pixel(35, 35)),
        (&[255, 0, 0, 255][..], &[0; 4][..])
    );
}

#[test]
fn what_cannot_be_used_is_said_in_words() {
    let message = |svg: &[u8]| match Page::parse(svg, "that.svg", &Fonts::embedded()) {
        Ok(_) => panic!("accepted"),
        Err(error) => {
            let text = error.to_string();
            assert!(text.ends_with("(that.svg)"), "{text}");
            assert!(text.len() < 600, "{text}");
            text
        }
    };
    let bare = |attributes: &str| {
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" {attributes}><rect id="live" width="9" height="9"/></svg>"##
        )
    };
    assert!(message(b"").contains("empty"));
    assert!(message(b"\x89PNG\r\n\x1a\n").contains("a PNG picture"));
    assert!(message(b"\xff\xd8\xff\xe0").contains("a JPG picture"));
    assert!(message(b"%PDF-1.6").contains("a PDF"));
    assert!(message(b"\xff\xfe<\0s\0v\0g\0").contains("UTF-16"));
    assert!(message(b"<svg><title>\xe9</title></svg>").contains("not UTF-8"));
    assert!(message(b"hello").contains("without a drawing"));
    let entities = |body: &str| {
        let nested: String = ["b", "c", "d", "e", "f"]
            .iter()
            .zip(["a", "b", "c", "d", "e"])
            .map(|(outer, inner)| {
                format!("<!ENTITY {outer} '{}'>", format!("&{inner};").repeat(10))
            })
            .collect();
        format!(
            "<!DOCTYPE svg [<!ENTITY a 'aa'>{nested}]><svg xmlns='http://www.w3.org/2000/svg'>{body}</svg>"
        )
    };
    assert!(message(entities("<text>&f;</text>").as_bytes()).contains("nests entities"));
    assert!(message(entities("<text>&zap;</text>").as_bytes()).contains("&zap;"));
    assert!(message(b"\x1f\x8b\x08\x00").contains("compressed"));
    assert!(message(b"<html><body/></html>").contains("<html>"));
    for cut in [
        "<svg xmlns='http://www.w3.org/2000/svg'",
        "<svg><path d='M0 0 L",
        "<svg><g>",
    ] {
        let said = message(cut.as_bytes());
        assert!(
            said.contains("not an SVG") && said.contains("cut off"),
            "{said}"
        );
    }
    assert!(
        message(svg(r#"<rect id="rect1" width="9" height="9"/>"#).as_bytes()).contains("live-1")
    );
    assert!(
        message(svg(r#"<rect id="live" width="9" height="9" display="none"/>"#).as_bytes())
            .contains("live is hidden")
    );
    assert!(
        message(svg(r#"<rect id="live" x="500" width="9" height="9"/>"#).as_bytes())
            .contains("live is hidden, empty or off the page")
    );
    // What is nearly right is named, whatever else is wrong.
    let nearly = r#"<rect style="mix-blend-mode:burn" width="9" height="9"/><rect id="live1" width="9" height="9"/>"#;
    assert!(message(svg(nearly).as_bytes()).contains("hyphen: live-1"));
    let layer =
        r#"<g id="live"><rect width="9" height="9"/><rect id="fx-rain" width="9" height="9"/></g>"#;
    assert!(message(svg(layer).as_bytes()).contains("fx-rain in it is alive by itself"));
    assert!(message(bare(r#"width="1e9" height="1e9""#).as_bytes()).contains("units"));
    assert!(message(bare(r#"width="0" height="5""#).as_bytes()).contains("units"));
    assert!(message(bare(r#"width="90000" height="5""#).as_bytes()).contains("units"));
    let deep = svg(&format!(
        "{}<rect id='live' width='9' height='9'/>{}",
        "<g>".repeat(10_000),
        "</g>".repeat(10_000)
    ));
    assert!(message(deep.as_bytes()).contains("deep"));
    let many = svg(&"<rect width='1' height='1'/>".repeat(250_000));
    assert!(message(many.as_bytes()).contains("too many"));
    assert!(message(&vec![b' '; 9 << 20]).contains("MB"));
    let panels: String = (0..100)
        .map(|at| format!("<rect id='live-{at}' width='9' height='9'/>"))
        .collect();
    assert!(message(svg(&panels).as_bytes()).contains("live shapes"));
}

#[test]
fn bombs_are_refused_quickly() {
    let begun = Instant::now();
    let entities: String = (1..20)
        .map(|at| {
            format!(
                r#"<!ENTITY e{at} "{}">"#,
                format!("&e{};", at - 1).repeat(10)
            )
        })
        .collect();
    let bomb = format!(
        r#"<!DOCTYPE svg [<!ENTITY e0 "ha">{entities}]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&e19;</text><rect id="live" width="9" height="9"/></svg>"#
    );
    assert!(matches!(parse(&bomb), Err(PageError::NotSvg { .. })));
    for template in [
        |at: usize| {
            format!(
                r##"<g id="u{}">{}</g>"##,
                at + 1,
                format!(r##"<use xlink:href="#u{at}"/>"##).repeat(10)
            )
        },
        |at: usize| {
            format!(
                r##"<mask id="u{}">{}</mask>"##,
                at + 1,
                format!(r##"<rect width="9" height="9" mask="url(#u{at})"/>"##).repeat(10)
            )
        },
        |at: usize| {
            format!(
                r##"<pattern id="u{}" width="1" height="1">{}</pattern>"##,
                at + 1,
                format!(r##"<rect width="9" height="9" style="fill: url('#u{at}')"/>"##).repeat(10)
            )
        },
    ] {
        let levels: String = (0..12).map(template).collect();
        let bomb = svg(&format!(
            r##"<defs><g id="u0"><rect width="1" height="1"/></g>{levels}</defs><use xlink:href="#u12"/><rect width="9" height="9" fill="url(#u12)" mask="url(#u12)"/><rect id="live" width="9" height="9"/>"##
        ));
        assert!(matches!(
            parse(&bomb),
            Err(PageError::TooManyObjects { .. })
        ));
    }
    let chain: String = (0..5000)
        .map(|at| format!(r##"<clipPath id="c{at}" clip-path="url(#c{})"><rect width="9" height="9"/></clipPath>"##, at + 1))
        .collect();
    let long = svg(&format!(
        r##"{chain}<rect id="live" width="9" height="9" clip-path="url(#c0)"/>"##
    ));
    assert!(matches!(parse(&long), Err(PageError::TooDeep { .. })));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn what_is_just_within_the_limits_fits_on_a_threads_stack() {
    let (open, close) = ("<g opacity='.99'>".repeat(150), "</g>".repeat(150));
    let page = parse(&svg(&format!(
        "{open}<rect id='live' width='9' height='9'/>{close}"
    )))
    .unwrap();
    assert!(page.rasterise(Size::new(20, 20)).is_ok());
    let rules: String = (0..250)
        .map(|at| format!("#c{at}{{clip-path:url(#c{})}}", at + 1))
        .collect();
    let clips: String = (0..251)
        .map(|at| format!("<clipPath id='c{at}'><rect width='9' height='9'/></clipPath>"))
        .collect();
    let sheet = svg(&format!(
        "<style>{rules}</style>{clips}<rect id='live' width='9' height='9' clip-path='url(#c0)'/>"
    ));
    if let Ok(page) = parse(&sheet) {
        assert!(page.rasterise(Size::new(20, 20)).is_ok());
    }
}

#[test]
fn pictures_from_elsewhere_are_left_out_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("pages");
    fs::create_dir(&inner).unwrap();
    let dot = RgbaImage::from_pixel(4, 4, image::Rgba([255, 0, 0, 255]));
    dot.save(inner.join("near.png")).unwrap();
    dot.save(folder.path().join("far.png")).unwrap();
    let far = folder.path().join("far.png").display().to_string();
    for (href, shown) in [
        ("near.png", true),
        ("../far.png", false),
        (far.as_str(), false),
        ("http://127.0.0.1:9/x.png", false),
        ("file:///etc/passwd", false),
        ("/dev/zero", false),
        ("data:image/png;base64,AAAA", false),
        ("data:image/svg+xml;base64,PHN2Zy8+", false),
    ] {
        let text = svg(&format!(
            r#"<image href="{href}" width="50" height="50"/><rect id="live" x="60" width="9" height="9"/>"#
        ));
        let file = inner.join("p.svg");
        fs::write(&file, text).unwrap();
        let page = shipped().read(&file, Language::Ko).unwrap();
        assert_eq!(
            page.warnings().is_empty(),
            shown,
            "{href}: {:?}",
            page.warnings()
        );
        let layers = page.rasterise(Size::new(100, 100)).unwrap().layers.len();
        assert_eq!(layers, if shown { 2 } else { 1 }, "{href}");
    }
}

#[test]
fn a_missing_font_is_replaced_and_said() {
    let page = parse(&svg(
        r#"<text y="50" font-family="Comic Neue">hello</text><text y="80" font-family="sans-serif">안녕</text><rect id="live" y="90" width="9" height="9"/>"#,
    ))
    .unwrap();
    assert_eq!(page.warnings().len(), 1, "{:?}", page.warnings());
    assert!(page.warnings()[0].contains("Comic Neue"));
    let artwork = page.rasterise(Size::new(100, 100)).unwrap();
    assert!(matches!(&artwork.layers[0], ArtworkLayer::Art(text) if text.rect.width > 20));
}

/// What the window does while an artist saves.
#[test]
fn the_users_folder_is_followed_as_files_come_change_break_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::under(folder.path());
    let pages = places.data.join("pages");
    fs::create_dir_all(&pages).unwrap();
    let (library, warnings) = Library::load(&places, Language::Ko);
    assert!(warnings.is_empty() && !library.refresh(), "{warnings:?}");
    let shipped = library.pages(Language::Ko).len();
    let mut saved = 0;
    let mut save = |file: &str, svg: String| {
        saved += 1;
        fs::write(pages.join(file), svg).unwrap();
        fs::File::options()
            .write(true)
            .open(pages.join(file))
            .unwrap()
            .set_modified(std::time::SystemTime::now() + Duration::from_secs(saved))
            .unwrap();
    };
    let titled = |title: &str| {
        let live = r#"<rect id="live" width="9" height="9"/>"#;
        svg(&format!("<title>{title}</title>{live}"))
    };
    let names = || -> Vec<String> {
        let pages = library.pages(Language::Ko);
        pages.iter().map(|page| page.name().to_owned()).collect()
    };
    save("mine.svg", titled("One"));
    assert!(library.refresh() && !library.refresh());
    assert_eq!(names()[shipped..], ["One"]);
    save("mine.svg", titled("Two"));
    assert!(library.refresh());
    assert_eq!(names()[shipped..], ["Two"]);
    assert_eq!(library.page("mine", Language::Ko).unwrap().name(), "Two");
    save("mine.svg", "<svg".to_owned());
    assert!(library.refresh());
    assert_eq!(names()[shipped..], ["Two"], "its last good state");
    let said = library
        .page("mine", Language::Ko)
        .err()
        .unwrap()
        .to_string();
    assert!(said.contains("mine.svg"), "{said}");
    // One with a shipped page's id takes its place until it goes.
    let first = names()[0].clone();
    save("webtoon.svg", titled("My webtoon"));
    assert!(library.refresh());
    assert_eq!(names()[0], "My webtoon");
    fs::remove_file(pages.join("webtoon.svg")).unwrap();
    fs::remove_file(pages.join("mine.svg")).unwrap();
    assert!(library.refresh());
    assert_eq!((names()[0].clone(), names().len()), (first, shipped));
}

#[test]
fn the_library_opens_paths_and_reads_them_again_when_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::under(folder.path());
    let pages = places.data.join("pages");
    fs::create_dir_all(&pages).unwrap();
    fs::write(
        pages.join("mine.svg"),
        svg(r#"<title>Mine</title><rect id="live" width="9" height="9"/>"#),
    )
    .unwrap();
    fs::write(pages.join("broken.svg"), "<svg").unwrap();
    fs::write(pages.join("notes.txt"), "no page").unwrap();
    let (library, warnings) = Library::load(&places, Language::Ko);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("broken.svg"), "{warnings:?}");
    assert_eq!(library.page("mine", Language::Ko).unwrap().name(), "Mine");
    assert!(!library.page("mine", Language::Ko).unwrap().builtin());
    assert!(library.page("none", Language::Ko).is_ok());
    let unknown = library
        .page("nowhere", Language::Ko)
        .unwrap_err()
        .to_string();
    assert!(unknown.contains("webtoon"), "{unknown}");
    assert!(
        library
            .page("no/where.svg", Language::Ko)
            .unwrap_err()
            .to_string()
            .ends_with("(no/where.svg)")
    );
    assert!(
        library
            .page(&folder.path().display().to_string(), Language::Ko)
            .is_err()
    );

    let file = folder.path().join("p.svg");
    let path = file.display().to_string();
    fs::write(&file, svg(r#"<rect id="live" width="9" height="9"/>"#)).unwrap();
    let first = library.page(&path, Language::Ko).unwrap();
    assert!(library.page(&path, Language::Ko).unwrap().same(&first));
    fs::write(
        &file,
        svg(r#"<title>Two</title><rect id="live" width="9" height="9"/>"#),
    )
    .unwrap();
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(std::time::SystemTime::now() + Duration::from_secs(5))
        .unwrap();
    assert_eq!(library.page(&path, Language::Ko).unwrap().name(), "Two");
}
