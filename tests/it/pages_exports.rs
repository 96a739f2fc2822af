//! Files as drawing programs write them.

use panelcam::frame::{Picture, Size};
use panelcam::panels::{Blend, Fonts, Layer, Page};

fn parse(svg: &str) -> Page {
    Page::parse(svg.as_bytes(), "export", &Fonts::embedded()).unwrap_or_else(|e| panic!("{e}"))
}

/// The layers in short.
fn layers(page: &Page) -> Vec<String> {
    let mixed = |blend: Blend| match blend {
        Blend::Normal => String::new(),
        other => format!(" {}", other.name()),
    };
    page.layers()
        .iter()
        .map(|layer| match layer {
            Layer::Art(art) => format!("art{}", mixed(art.blend)),
            Layer::Panel(panel) => format!("{:?} {}{}", panel.kind, panel.name, mixed(panel.blend)),
            Layer::Text(text) => format!("text {}", text.texts[0].text),
            Layer::Bubble(bubble) => format!("bubble {}", bubble.texts[0].text),
            Layer::Sound(sound) => format!("sound {}", sound.name),
            Layer::Effect(effect) => format!("{:?}{}", effect.kind, mixed(effect.blend)),
        })
        .collect()
}

fn drawn(page: &Page) -> usize {
    page.rasterise(Size::new(210, 297)).unwrap().layers.len()
}

#[test]
fn a_page_from_inkscape() {
    let page = parse(INKSCAPE);
    assert_eq!(page.warnings(), ["live-old is hidden: it shows nothing."]);
    assert_eq!(page.name(), "A4 from Inkscape");
    let (width, height) = page.units();
    assert!(
        (width - 793.7).abs() < 0.1 && (height - 1122.5).abs() < 0.1,
        "A4 at 96 dpi"
    );
    assert_eq!(
        layers(&page),
        [
            "art",
            "Live 1",
            "art",
            "art multiply",
            "Rain",
            "Person 1",
            "bubble 안녕\n하세요"
        ]
    );
    assert_eq!(drawn(&page), 7);
    let panel = page.panels().next().unwrap().bounds;
    assert!((panel.x - 20.0 * 96.0 / 25.4).abs() < 0.1, "{panel:?}");
    let Some(Layer::Effect(rain)) = page.layers().iter().find(|l| matches!(l, Layer::Effect(_)))
    else {
        panic!();
    };
    assert_eq!(rain.data.number("density", 0.0..=9.0), Some(1.5));
}

/// Saved by Inkscape 1.2.2 as Inkscape SVG: labels for names, shapes made paths, text in a frame.
#[test]
fn a_page_that_inkscape_wrote() {
    let page = parse(include_str!("../pages/inkscape-1.2.svg"));
    assert_eq!(page.warnings(), Vec::<String>::new());
    assert_eq!(page.advice(), Vec::<String>::new());
    assert_eq!(
        layers(&page),
        [
            "art",
            "Live 1",
            "art",
            "bubble 안녕!",
            // The frame that the text flows in, which has no colour.
            "art",
            "text It was a quiet evening and\nnobody came to the door\nuntil midnight.",
            "Sparkle"
        ]
    );
    let (inches, _) = page.inches().unwrap();
    assert!((inches - 100.0 / 25.4).abs() < 0.01, "{inches}");
    // What is in a document's units is in millimetres here.
    let live = page.panels().next().unwrap().bounds;
    assert!((live.width - 80.0 * 96.0 / 25.4).abs() < 0.2, "{live:?}");
    assert_eq!(drawn(&page), 6);
}

#[test]
fn a_page_from_illustrator() {
    let page = parse(ILLUSTRATOR);
    assert_eq!(page.warnings(), Vec::<String>::new());
    assert_eq!(
        layers(&page),
        [
            "art",
            "Live hero",
            "art",
            "art screen",
            "Person hero",
            "text Episode 1",
            "Focus"
        ]
    );
    assert_eq!(drawn(&page), 7);
}

#[test]
fn a_page_from_figma() {
    let page = parse(FIGMA);
    assert_eq!(page.warnings(), Vec::<String>::new());
    assert_eq!(
        layers(&page),
        [
            "art",
            "Shot(1) shot-1",
            "Shot(2) shot-2",
            "art",
            "art overlay",
            "art"
        ]
    );
    assert_eq!(drawn(&page), 6);
}

/// Figma's filters may be as large as the page; what they are on is not.
#[test]
fn a_group_with_a_filter_is_as_large_as_what_is_in_it() {
    let page = parse(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300" fill="none">
        <rect id="live-1" width="400" height="300"/>
        <g id="bubble-1" filter="url(#f)"><ellipse cx="100" cy="80" rx="50" ry="30" fill="white"/></g>
        <g id="sound-bang" data-animate="pop" filter="url(#f)"><path d="M200 200h60v40h-60z" fill="red"/></g>
        <filter id="f" x="0" y="0" width="400" height="300" filterUnits="userSpaceOnUse"><feOffset dy="4"/><feGaussianBlur stdDeviation="2"/><feBlend in="SourceGraphic"/></filter></svg>"##,
    );
    let found = page.found();
    let sizes: Vec<_> = found[1..]
        .iter()
        .map(|found| (found.bounds.width, found.bounds.height))
        .collect();
    assert_eq!(sizes, [(100.0, 60.0), (60.0, 40.0)]);
}

/// Figma writes a frame's shadow as a filter on the group around what is in the frame.
#[test]
fn a_frames_shadow_is_no_part_of_the_live_picture_in_it() {
    let page = parse(FIGMA_FRAME);
    let warnings = page.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("Card") && warnings[0].contains("live-1"),
        "{warnings:?}"
    );
    let bounds = page.panels().next().unwrap().bounds;
    assert_eq!(
        (bounds.x, bounds.y, bounds.width, bounds.height),
        (40.0, 40.0, 120.0, 80.0)
    );
    let artwork = page.rasterise(Size::new(200, 200)).unwrap();
    let [
        panelcam::panels::ArtworkLayer::Art(card),
        panelcam::panels::ArtworkLayer::Panel(live),
        panelcam::panels::ArtworkLayer::Art(name),
    ] = artwork.layers.as_slice()
    else {
        panic!("{} layers", artwork.layers.len());
    };
    assert_eq!((live.rect.width, live.rect.height), (120, 80));
    assert!(live.alpha.iter().all(|alpha| *alpha == 255), "no soft edge");
    // The art in the frame keeps its shadow.
    assert!(
        card.rect.width > 160 && name.rect.height > 10,
        "{:?}",
        card.rect
    );
}

/// A text in a font that the page carries, and one in a font that it only links.
#[test]
fn fonts_in_the_page_are_used() {
    use base64::Engine as _;
    let font = include_bytes!("../../assets/fonts/BMDOHYEON_ttf.ttf");
    let data = base64::engine::general_purpose::STANDARD.encode(font);
    let page = |style: &str| {
        parse(&format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><defs><style>{style} .t{{font-family:'My Own'}}</style></defs>
            <text class="t" x="5" y="60" font-size="40">가나</text><rect id="live" y="90" width="9" height="9"/></svg>"##
        ))
    };
    let carried = page(&format!(
        "@font-face{{font-family:'My Own';src:url(data:font/ttf;base64,{data}) format('truetype')}}"
    ));
    assert_eq!(carried.warnings(), Vec::<String>::new());
    let linked = page("@font-face{font-family:'My Own';src:url(https://example.com/a.woff2)}");
    assert_eq!(linked.warnings().len(), 2, "{:?}", linked.warnings());
    assert!(
        linked.warnings()[0].contains("linked"),
        "{:?}",
        linked.warnings()
    );
    let damaged = page("@font-face{font-family:'My Own';src:url(data:font/ttf;base64,AAEAAAAA)}");
    assert!(
        damaged.warnings()[0].contains("My Own"),
        "{:?}",
        damaged.warnings()
    );
    let ink = |page: &Page| match &page.rasterise(Size::new(100, 100)).unwrap().layers[0] {
        panelcam::panels::ArtworkLayer::Art(art) => art.rgba.clone(),
        _ => panic!(),
    };
    assert_ne!(ink(&carried), ink(&linked), "another font");
}

#[test]
fn ways_of_mixing_that_are_not_there_and_fading_groups_are_told() {
    let page = parse(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><style>.faint{opacity:40%}</style>
        <g id="both" class="faint"><rect id="live" width="9" height="9"/><rect id="live-2" x="5" width="9" height="9"/></g>
        <rect id="glow" style="mix-blend-mode: luminosity" width="9" height="9"/><g opacity=".5"><rect id="live-3" width="9" height="9"/></g></svg>"#,
    );
    let warnings = page.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("glow") && warnings[0].contains("luminosity"));
    assert!(warnings[0].contains("soft-light"), "{warnings:?}");
    assert!(warnings[1].contains("both") && warnings[1].contains("half transparent"));
}

/// A group with one live shape and art is as wrong as one with two; told where it can be seen.
#[test]
fn a_group_that_shows_its_art_through_its_picture_is_told() {
    let told = |group: &str| {
        let page = parse(&format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">
            <rect width="100" height="100" fill="#eee"/>{group}</svg>"##
        ));
        page.warnings().join("\n")
    };
    let live = r#"<rect id="live" x="20" y="20" width="60" height="60"/>"#;
    let backdrop = r##"<rect x="10" y="10" width="70" height="70" fill="#c33"/>"##;
    let beside = r##"<rect x="2" y="2" width="10" height="90" fill="#c33"/>"##;
    let border = r##"<rect x="20" y="20" width="60" height="60" fill="none" stroke="#000"/>"##;

    let faded = told(&format!(r#"<g id="all" opacity=".5">{backdrop}{live}</g>"#));
    assert!(
        faded.contains("all is half transparent") && faded.contains("drawn in it"),
        "{faded}"
    );
    let above = told(&format!(r#"<g id="all" opacity=".5">{live}{backdrop}</g>"#));
    assert!(above.contains("drawn in it"), "{above}");
    let mixed = told(&format!(
        r#"<g id="ink" style="mix-blend-mode:multiply">{backdrop}{live}</g>"#
    ));
    assert!(
        mixed.contains("ink is mixed as a whole (multiply)"),
        "{mixed}"
    );

    // Nobody could tell these from what a drawing program shows.
    for inner in [
        live.to_owned(),
        format!("{beside}{live}"),
        format!("{live}{border}"),
    ] {
        assert_eq!(
            told(&format!(r#"<g opacity=".5">{inner}</g>"#)),
            "",
            "{inner}"
        );
    }
    let apart = r#"<rect id="live-2" x="84" y="20" width="12" height="60"/>"#;
    assert_eq!(told(&format!(r#"<g opacity=".5">{live}{apart}</g>"#)), "");
    assert_eq!(told(&format!("<g>{backdrop}{live}</g>")), "");
}

/// An artist's words about a page that is nearly right.
#[test]
fn a_page_is_explained() {
    let page = parse(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><rect id="live1" width="9" height="9"/>
        <rect id="fx-snow" width="9" height="9"/><rect id="shot-1" width="40" height="40"/><rect id="shot-3" x="50" width="40" height="40"/>
        <rect id="person-you" width="9" height="9" data-outlin="3"/><rect id="fx-rain-white" data-densty="2" width="50" height="50"/></svg>"##,
    );
    let warnings = page.warnings().join("\n");
    assert!(
        warnings.contains("live-1") && warnings.contains("fx-snow"),
        "{warnings}"
    );
    let advice = page.advice().join("\n");
    for word in ["shot-2", "outlin", "densty"] {
        assert!(advice.contains(word), "{word} in {advice}");
    }
    let found = page.found();
    assert_eq!(found.len(), 4);
    assert!(found[3].becomes.contains("rain") && found[3].becomes.contains("#ffffff"));
    let labelled = page
        .labelled(Picture::new(Size::new(300, 300)), &Fonts::embedded())
        .unwrap();
    assert!(
        labelled.pixel(50, 140).is_some_and(|pixel| pixel[3] > 0),
        "a frame"
    );
}

const INKSCAPE: &str = r##"<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->
<svg width="210mm" height="297mm" viewBox="0 0 210 297" version="1.1" id="svg5" inkscape:version="1.2.2 (b0a8486541, 2022-12-01)" sodipodi:docname="page.svg"
   xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" xmlns:xlink="http://www.w3.org/1999/xlink"
   xmlns="http://www.w3.org/2000/svg" xmlns:svg="http://www.w3.org/2000/svg">
  <title id="title1">A4 from Inkscape</title>
  <sodipodi:namedview id="namedview7" pagecolor="#ffffff" bordercolor="#000000" inkscape:document-units="mm" showgrid="false"/>
  <defs id="defs2">
    <linearGradient inkscape:collect="always" id="linearGradient1"><stop style="stop-color:#aaccff;stop-opacity:1" offset="0" id="stop1"/><stop style="stop-color:#ffffff" offset="1" id="stop2"/></linearGradient>
    <linearGradient inkscape:collect="always" xlink:href="#linearGradient1" id="linearGradient2" x1="0" y1="0" x2="0" y2="297" gradientUnits="userSpaceOnUse"/>
    <clipPath clipPathUnits="userSpaceOnUse" id="clipPath9"><rect style="fill:none;stroke:#000000" id="rect9" width="170" height="200" x="20" y="20"/></clipPath>
  </defs>
  <g inkscape:label="Background" inkscape:groupmode="layer" id="layer1"><rect style="fill:url(#linearGradient2);stroke:none" id="rect31" width="210" height="297" x="0" y="0"/></g>
  <g inkscape:groupmode="layer" id="layer2" inkscape:label="live-1" style="display:inline"><path style="fill:#999999;stroke:#000000;stroke-width:1.5" d="M 20,20 H 190 V 220 H 20 Z" id="path1010"/></g>
  <g inkscape:groupmode="layer" id="layer3" inkscape:label="old" style="display:none"><rect id="live-old" width="10" height="10"/></g>
  <g inkscape:groupmode="layer" id="layer4" inkscape:label="Shadows" style="mix-blend-mode:multiply"><rect style="fill:#8888cc" id="rect12" width="170" height="30" x="20" y="190" clip-path="url(#clipPath9)"/>
    <image width="20" height="20" preserveAspectRatio="none" xlink:href="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==" id="image1" x="30" y="195"/></g>
  <rect id="fx-rain" data-density="1.5" x="20" y="20" width="170" height="200" style="opacity:1"/>
  <g inkscape:groupmode="layer" id="layer5" inkscape:label="person-1"><path style="fill:#00ff00" d="m 25,5 h 160 v 210 h -160 z" id="path99"/></g>
  <g inkscape:label="bubble-1" id="g77" transform="translate(2,1)"><ellipse style="fill:#ffffff;stroke:#000000" id="path78" cx="150" cy="250" rx="45" ry="25"/>
    <text xml:space="preserve" style="font-size:12px;font-family:'BM JUA';text-anchor:middle" x="150" y="246" id="text80"><tspan sodipodi:role="line" id="tspan80" x="150" y="246">안녕</tspan><tspan sodipodi:role="line" x="150" y="260" id="tspan81">하세요</tspan></text></g>
</svg>"##;

const ILLUSTRATOR: &str = r##"<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 27.5.0, SVG Export Plug-In . SVG Version: 6.00 Build 0)  -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
	<!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">
	<!ENTITY ns_ai "http://ns.adobe.com/AdobeIllustrator/10.0/">
]>
<svg version="1.1" xmlns:x="&ns_extend;" xmlns:i="&ns_ai;" id="Page" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" x="0px" y="0px"
	 viewBox="0 0 1080 1350" style="enable-background:new 0 0 1080 1350;" xml:space="preserve">
<style type="text/css">
	.st0{fill:#FFFDF9;}
	.st1{fill:#D1D3D4;stroke:#231F20;stroke-width:9;stroke-miterlimit:10;}
	.st2{opacity:0.6;mix-blend-mode:screen;fill:url(#SVGID_1_);}
	.st3{clip-path:url(#SVGID_00000012345678901234567890000001_);}
	.st4{font-family:'BMJUA';}
	.st5{font-size:54px;}
	.st6{fill:none;}
</style>
<switch>
	<foreignObject requiredExtensions="&ns_ai;" x="0" y="0" width="1" height="1"><i:aipgfRef  xlink:href="#adobe_illustrator_pgf"></i:aipgfRef></foreignObject>
	<g i:extraneous="self">
		<g id="Art"><rect class="st0" width="1080" height="1350"/></g>
		<g id="Panels"><polygon id="live_x2D_hero" class="st1" points="60,306 1020,258 1020,1262 60,1262"/></g>
		<linearGradient id="SVGID_1_" gradientUnits="userSpaceOnUse" x1="60" y1="760" x2="1020" y2="760"><stop  offset="0" style="stop-color:#FFFFFF"/><stop  offset="1" style="stop-color:#231F20"/></linearGradient>
		<rect x="60" y="258" class="st2" width="960" height="400"/>
		<g><defs><rect id="SVGID_00000099_" x="60" y="100" width="960" height="1162"/></defs>
			<clipPath id="SVGID_00000012345678901234567890000001_"><use xlink:href="#SVGID_00000099_"  style="overflow:visible;"/></clipPath>
			<g class="st3"><rect id="person_x2D_hero_00000034567_" x="0" y="100" width="1080" height="1162"/></g></g>
		<text id="text_x2D_episode" transform="matrix(1 0 0 1 120 1310)"><tspan x="0" y="0" class="st4 st5">Episode </tspan><tspan class="st4 st5">1</tspan></text>
		<path id="fx_x2D_focus_1_" class="st6" d="M60,306l960-48v1004H60V306z"/>
	</g>
</switch>
<i:aipgf  id="adobe_illustrator_pgf" i:pgfEncoding="zstd/base64" i:pgfVersion="24"></i:aipgf>
</svg>"##;

const FIGMA: &str = r##"<svg width="400" height="600" viewBox="0 0 400 600" fill="none" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<title>From Figma</title>
<g id="Four cut" clip-path="url(#clip0_12_34)">
<rect width="400" height="600" fill="#FFE3EC"/>
<g id="shots">
<rect id="shot-1" x="24" y="24" width="352" height="240" rx="16" fill="#D9D9D9"/>
<rect id="shot-2" x="24" y="288" width="352" height="240" rx="16" fill="#D9D9D9"/>
</g>
<g id="sticker" filter="url(#filter0_d_12_34)"><circle cx="330" cy="270" r="40" fill="url(#pattern0_12_34)"/></g>
<g id="light" style="mix-blend-mode:overlay"><rect x="24" y="24" width="352" height="504" fill="white" fill-opacity="0.4"/></g>
<path id="Ep. 1" d="M40 560H120V580H40V560Z" fill="#222222"/>
</g>
<defs>
<filter id="filter0_d_12_34" x="286" y="230" width="88" height="88" filterUnits="userSpaceOnUse" color-interpolation-filters="sRGB"><feFlood flood-opacity="0" result="BackgroundImageFix"/><feColorMatrix in="SourceAlpha" type="matrix" values="0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 127 0" result="hardAlpha"/><feOffset dy="4"/><feGaussianBlur stdDeviation="2"/><feColorMatrix type="matrix" values="0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0.25 0"/><feBlend mode="normal" in2="BackgroundImageFix" result="effect1_dropShadow_12_34"/><feBlend mode="normal" in="SourceGraphic" in2="effect1_dropShadow_12_34" result="shape"/></filter>
<pattern id="pattern0_12_34" patternContentUnits="objectBoundingBox" width="1" height="1"><use xlink:href="#image0_12_34" transform="scale(1)"/></pattern>
<image id="image0_12_34" width="1" height="1" preserveAspectRatio="none" xlink:href="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="/>
<clipPath id="clip0_12_34"><rect width="400" height="600" fill="white"/></clipPath>
</defs>
</svg>"##;

const FIGMA_FRAME: &str = r##"<svg width="200" height="200" viewBox="0 0 200 200" fill="none" xmlns="http://www.w3.org/2000/svg">
<g id="Card" filter="url(#filter0_d_1_2)">
<rect x="20" y="20" width="160" height="150" rx="8" fill="white"/>
<g id="live-1" clip-path="url(#clip0_1_2)"><rect width="120" height="80" transform="translate(40 40)" fill="#D9D9D9"/></g>
<path id="Name" d="M40 140H120V152H40V140Z" fill="#222222"/>
</g>
<defs>
<filter id="filter0_d_1_2" x="6" y="10" width="188" height="178" filterUnits="userSpaceOnUse" color-interpolation-filters="sRGB">
<feFlood flood-opacity="0" result="BackgroundImageFix"/>
<feColorMatrix in="SourceAlpha" type="matrix" values="0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 127 0" result="hardAlpha"/>
<feOffset dy="4"/>
<feGaussianBlur stdDeviation="7"/>
<feComposite in2="hardAlpha" operator="out"/>
<feColorMatrix type="matrix" values="0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0.25 0"/>
<feBlend mode="normal" in2="BackgroundImageFix" result="effect1_dropShadow_1_2"/>
<feBlend mode="normal" in="SourceGraphic" in2="effect1_dropShadow_1_2" result="shape"/>
</filter>
<clipPath id="clip0_1_2"><rect width="120" height="80" fill="white" transform="translate(40 40)"/></clipPath>
</defs>
</svg>"##;
