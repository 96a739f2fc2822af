//! Drawn sounds, `sound-NAME`: they move, look as drawn in stills, and nobody types over them.

use std::collections::BTreeMap;
use std::time::Duration;

use panelcam::compositor::{Hand, STILL, Scene};
use panelcam::frame::{Picture, Size};
use panelcam::panels::{ArtworkLayer, Layer, Letterer, Page};

use super::compositor::{SCENE, gpu};
use super::effects::mean_difference;
use super::lettering::{SIZE, laid, moment, page, seen};
use super::pages::snapshot;

const THREE: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect id="live" width="320" height="240"/>
    <g id="sound-bang" data-animate="shake" stroke-linejoin="round"><path d="M30 40h60l-44 60 60-10-80 110 20-80-50 12z" fill="#ffb02e" stroke="#17141f" stroke-width="8"/></g>
    <g id="sound-heart" data-animate="pulse"><path d="M160 190l-40-50q-16-40 20-44 14 0 20 16 6-16 20-16 36 4 20 44z" fill="#ff5468" stroke="#17141f" stroke-width="6"/></g>
    <path id="sound-flash-pop" d="M260 40l14 50 46 20-46 20-14 50-14-50-46-20 46-20z" fill="#fff" stroke="#17141f" stroke-width="6"/></svg>"##;

#[test]
fn the_three_kinds_of_motion_look_as_they_should_at_two_times() {
    let mut letterer = Letterer::new(&page(THREE), SIZE);
    let (texts, live) = (BTreeMap::new(), seen(vec![]));
    let mut wrong = Vec::new();
    for (name, ms) in [("", 0), ("-later", 180)] {
        let picture = laid(&letterer.sprites(&moment(&texts, &live, ms)));
        wrong.extend(snapshot(&format!("sounds{name}"), picture).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sounds_are_explained_and_nothing_one_can_type_over() {
    let page = page(THREE);
    let found = page.found();
    let becomes: Vec<&str> = found.iter().map(|found| found.becomes.as_str()).collect();
    assert_eq!(
        becomes[1..],
        [
            "a drawn sound that shakes",
            "a drawn sound that beats",
            "a drawn sound that pops out again and again"
        ]
    );
    let mut letterer = Letterer::new(&page, SIZE);
    // Not even by a text of that name.
    let texts = BTreeMap::from([("bang".to_owned(), "BAM".to_owned())]);
    let live = seen(vec![]);
    let own = laid(&letterer.sprites(&moment(&BTreeMap::new(), &live, 0)));
    assert!(laid(&letterer.sprites(&moment(&texts, &live, 0))) == own);
    assert_eq!(letterer.places(), []);
    assert!(letterer.moves());
}

#[test]
fn a_sound_that_does_not_move_is_art_and_one_that_cannot_says_so() {
    let layers = |svg: &str| -> (Vec<&str>, Page) {
        let page = page(svg);
        let name = |layer: &Layer| match layer {
            Layer::Art(_) => "art",
            Layer::Sound(_) => "sound",
            Layer::Text(_) => "text",
            _ => "other",
        };
        (page.layers().iter().map(name).collect(), page)
    };
    let (still, _) = layers(&THREE.replace("data-animate", "data-x").replace("-pop", ""));
    assert_eq!(still, ["other", "art"]);
    let (wobbling, page) = layers(&THREE.replace("pulse", "wobble"));
    assert_eq!(wobbling, ["other", "sound", "sound", "sound"]);
    let advice = page.advice().join("\n");
    assert!(
        advice.contains("data-animate=\"wobble\" on sound-heart is not understood")
            && advice.contains("shake, pulse, pop"),
        "{advice}"
    );
    // Words in a layer of that name stay words.
    let svg = THREE.replace(
        "</svg>",
        r#"<g id="sound-pop"><text id="text-a" x="9" y="99" font-family="Jua">A</text></g></svg>"#,
    );
    assert_eq!(layers(&svg).0.last(), Some(&"text"));
}

/// Big sounds of the pages that ship move, and are where the artist drew them in a still.
#[test]
fn sounds_of_shipped_pages_move() {
    let mut with_sounds = Vec::new();
    for page in super::pages_golden::pages() {
        let sounds = |layer: &&Layer| matches!(layer, Layer::Sound(_));
        let count = page.layers().iter().filter(sounds).count();
        if count == 0 {
            continue;
        }
        with_sounds.push(page.id().to_owned());
        let (width, height) = page.units();
        let size = Size::new((width / 4.0) as u32, (height / 4.0) as u32);
        let mut letterer = Letterer::new(&page, size);
        let (texts, live) = (BTreeMap::new(), seen(vec![]));
        let mut bitmaps = |ms: u64| -> BTreeMap<usize, Vec<u8>> {
            let sprites = letterer.sprites(&moment(&texts, &live, ms));
            let instead = sprites.instead.into_iter();
            instead
                .filter(|(layer, _)| matches!(page.layers()[*layer], Layer::Sound(_)))
                .map(|(layer, sprite)| (layer, sprite.unwrap().bitmap.rgba.clone()))
                .collect()
        };
        let (still, later) = (bitmaps(STILL.as_millis() as u64), bitmaps(180));
        assert_eq!(still.len(), count, "{}", page.id());
        assert!(
            still.iter().all(|(layer, sprite)| later[layer] != *sprite),
            "{}",
            page.id()
        );
        for layer in page.rasterise(size).unwrap().layers {
            if let ArtworkLayer::Lettering { layer, drawn } = layer
                && let Some(still) = still.get(&layer)
            {
                let ink = |rgba: &[u8]| rgba.iter().map(|byte| f64::from(*byte)).sum::<f64>();
                let (drawn, still) = (ink(&drawn.bitmap.rgba), ink(still));
                assert!(
                    (drawn / still - 1.0).abs() < 0.01,
                    "{}: {drawn} {still}",
                    page.id()
                );
            }
        }
    }
    assert!(with_sounds.len() >= 8, "{with_sounds:?}");
}

/// A sound's poses reach the program, by both hands, and only where it is.
#[test]
fn a_moving_sound_changes_the_program_where_it_is() {
    let Some(gpu) = gpu() else { return };
    let page = page(THREE);
    let drawing = super::pages::chart(Size::new(320, 240));
    for hand in [Hand::Device, Hand::Memory] {
        let mut compositor =
            panelcam::compositor::Compositor::by(std::sync::Arc::clone(&gpu), hand).unwrap();
        compositor.set_page(&page, SIZE).unwrap();
        compositor.upload_styled(&drawing).unwrap();
        let mut letterer = Letterer::new(&page, SIZE);
        let mut program = |ms: u64| {
            let (texts, live) = (BTreeMap::new(), seen(vec![]));
            compositor.set_sprites(letterer.sprites(&moment(&texts, &live, ms)));
            let scene = Scene {
                time: Duration::from_millis(ms),
                ..SCENE
            };
            let texture = compositor.render(&scene).unwrap();
            let mut picture = Picture::default();
            compositor.read(&texture, &mut picture).unwrap();
            picture
        };
        // As drawn, then the flash small: nothing of it is left at its tips.
        let (drawn, popping) = (program(STILL.as_millis() as u64), program(10));
        assert!(mean_difference(&drawn, &popping) > 0.5, "{hand:?}");
        assert_eq!(drawn.pixel(260, 66), Some([255; 4]), "{hand:?}");
        assert_ne!(popping.pixel(260, 66), Some([255; 4]), "{hand:?}");
        assert_eq!(drawn.pixel(3, 3), popping.pixel(3, 3), "{hand:?}");
    }
}
