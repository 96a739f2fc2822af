//! Whatever is given for a page, it either loads or says why, and never panics.

use panelcam::frame::{Picture, Size};
use panelcam::panels::{ArtworkLayer, Fonts, Page};
use proptest::prelude::*;

/// Loads, draws, and checks what every page promises.
fn survives(svg: &[u8]) {
    if let Ok(page) = Page::parse(svg, "any", &Fonts::embedded()) {
        assert!(page.panels().count() > 0);
        assert!(page.found().len() >= page.panels().count());
        page.advice();
        let plain = Picture::new(Size::new(20, 30));
        assert!(page.labelled(plain, &Fonts::embedded()).is_ok());
        let size = Size::new(33, 21);
        for layer in page.rasterise(size).unwrap().layers {
            let (rect, bytes) = match &layer {
                ArtworkLayer::Art(art) => (art.rect, art.rgba.len() / 4),
                ArtworkLayer::Panel(panel) => (panel.rect, panel.alpha.len()),
                ArtworkLayer::Lettering { drawn, .. } => {
                    (drawn.place(), drawn.bitmap.rgba.len() / 4)
                }
                ArtworkLayer::Effect(effect) => (effect.rect, effect.alpha.len()),
            };
            assert_eq!(bytes, rect.width as usize * rect.height as usize);
            assert!(rect.x >= 0 && rect.y >= 0);
            assert!(
                rect.x as u32 + rect.width <= size.width
                    && rect.y as u32 + rect.height <= size.height
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_load_or_say_why(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes);
    }

    /// Valid pieces in any order and nesting.
    #[test]
    fn any_svg_loads_or_says_why(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30), width in "[0-9e.%-]{0,5}") {
        let text = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" height="40">{}</svg>"#, pieces.concat());
        survives(text.as_bytes());
    }

    /// A good page with bytes changed, cut out and doubled.
    #[test]
    fn any_damaged_page_loads_or_says_why(edits in prop::collection::vec((0usize..4000, 0u8..4, any::<u8>()), 1..12)) {
        let mut bytes = DAMAGED.as_bytes().to_vec();
        for (at, what, value) in edits {
            let at = at % bytes.len();
            match what {
                0 => bytes[at] = value,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, value),
                _ => { let end = (at + value as usize).min(bytes.len()); let piece = bytes[at..end].to_vec(); bytes.splice(at..at, piece); }
            }
            if bytes.is_empty() { break; }
        }
        survives(&bytes);
    }
}

const PIECES: &[&str] = &[
    "<g>",
    "</g>",
    "<g opacity='.5'>",
    "<g transform='rotate(30)'>",
    "<g clip-path='url(#c)'>",
    "<defs>",
    "</defs>",
    "<switch>",
    "</switch>",
    "<rect id='live-1' width='20' height='20'/>",
    "<rect id='person-1' x='5' width='9' height='30' stroke='red'/>",
    "<text id='raw-x' y='30'>ab</text>",
    "<g id='live'>",
    "<circle r='9'/>",
    "<path d='M0 0L9 9 1e9 3z' stroke='#000'/>",
    "<clipPath id='c'><circle cx='9' cy='9' r='8'/></clipPath>",
    "<mask id='m'><rect width='9' height='9' mask='url(#m)'/></mask>",
    "<rect width='9' height='9' mask='url(#m)' filter='url(#f)'/>",
    "<filter id='f'><feGaussianBlur stdDeviation='1e4'/></filter>",
    "<use xlink:href='#live-1' x='3'/>",
    "<use href='#u' id='u'/>",
    "<style>rect{fill:url(#p)}</style>",
    "<pattern id='p' width='1' height='1'><rect fill='url(#p)' width='3' height='3'/></pattern>",
    "<image href='data:,' width='9' height='9'/>",
    "<svg viewBox='0 0 3 3'>",
    "</svg>",
    "<!-- x -->",
    "<?x?>",
    "<![CDATA[x]]>",
    "&amp;",
    "<title>t</title>",
    "<a>",
    "</a>",
    "<rect id='live-2' width='-1' height='NaN'/>",
    "<rect id='shot-1' width='9' height='9' style='mix-blend-mode:multiply'/>",
    "<g id='bubble-a' data-kind='shout'><text>a<tspan y='9'>b</tspan></text>",
    "<text id='text-b' y='20' data-a='1' data-b=''>ab</text>",
    "<rect id='fx-rain' width='30' height='30' data-density='NaN' data-colour='#12'/>",
    "<rect id='fx-focus-white' width='0' height='30'/>",
    "<g style='mix-blend-mode:screen'>",
    "<g class='m'>",
    "<style>.m{mix-blend-mode:overlay}.h{display:none}</style>",
    "<style>@font-face{font-family:x;src:url(data:font/ttf;base64,AAEAAA==)}",
    "<style>@font-face{font-family",
    "</style>",
    "<g class='h'>",
    "<rect id='person-1' width='20' height='20' data-outline='1e9 red' data-shadow='-1 x'/>",
    "<rect width='9' height='9' transform='scale(NaN)' style='mix-blend-mode:multiply'/>",
];

const DAMAGED: &str = r##"<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="120" height="90" viewBox="0 0 120 90">
<title>t</title><style>.a{fill:#123456;stroke:red;stroke-width:3}</style><defs><linearGradient id="g"><stop offset="0" stop-color="#fff"/><stop offset="1"/></linearGradient>
<clipPath id="c"><path d="M0 0H100V50Q30 90 0 40z"/></clipPath><filter id="f"><feGaussianBlur stdDeviation="2"/></filter><mask id="m"><rect width="50" height="50" fill="url(#g)"/></mask>
<pattern id="p" width="4" height="4" patternUnits="userSpaceOnUse"><circle r="2" class="a"/></pattern></defs><g transform="translate(3 4) rotate(5)" clip-path="url(#c)" opacity=".8">
<rect class="a" width="90" height="60" fill="url(#p)" filter="url(#f)"/><rect id="fx-rain" data-density="2" width="60" height="50"/><g id="bubble-1" data-kind="shout"><text id="text-a" y="20">a<tspan dy="9">b</tspan></text></g><rect id="shot-1" width="9" height="9"/><rect style="mix-blend-mode:multiply" width="20" height="20"/><path id="live-1" class="a" d="M10 10h40l10 30-50 9z"/></g><text x="9" y="80" font-family="BM JUA" font-size="12" transform="skewX(9)">Hi <tspan dy="2">there</tspan></text>
<g id="person-1" mask="url(#m)"><ellipse cx="40" cy="40" rx="30" ry="20"/></g><use xlink:href="#live-1" stroke-dasharray="1 2"/></svg>"##;
