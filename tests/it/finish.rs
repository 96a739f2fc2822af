//! Drawings that are finished where they are shown: their edges are made crisp, their middle tones are
//! printed in dots.

use std::sync::Arc;

use panelcam::compositor::{Compositor, Gpu, Hand, Scene, enlarged};
use panelcam::frame::{Finish, Halftone, Picture, Size, Styled};
use panelcam::panels::Page;

use crate::compositor::{SCENE, gpu, page};
use crate::sharp::{FRAME, cartoon, close_ups, drawn, picture, scenery};

const DOTS: Halftone = Halftone {
    strength: 255,
    cover: 220,
    ink: [15, 13, 46],
};
const CRISP: Finish = Finish {
    crisp: 255,
    halftone: Halftone {
        strength: 0,
        cover: 0,
        ink: [0; 3],
    },
};
const PRINTED: Finish = Finish {
    crisp: 0,
    halftone: DOTS,
};
const HANDS: [Hand; 2] = [Hand::Device, Hand::Memory];

/// The program of a page with `styled`, at a size.
fn program(
    gpu: &Arc<Gpu>,
    hand: Hand,
    page: &Page,
    size: Size,
    scene: &Scene,
    styled: &Styled,
) -> Picture {
    let mut compositor = Compositor::by(Arc::clone(gpu), hand).unwrap();
    compositor.set_page(page, size).unwrap();
    compositor.upload_drawing(styled).unwrap();
    let texture = compositor.render(scene).unwrap();
    let mut picture = Picture::default();
    compositor.read(&texture, &mut picture).unwrap();
    picture
}

fn finished(styled: &Styled, finish: Finish) -> Styled {
    let mut drawing = Picture::default();
    drawing.copy_from(&styled.picture);
    drawing.finish = finish;
    let mut styled = styled.clone();
    styled.picture = Arc::new(drawing.into());
    styled
}

/// How often brightness crosses its mean along the middle row: twice a dot.
fn crossings(picture: &Picture) -> usize {
    let row = |x: u32| f32::from(picture.pixel(x, picture.height() / 2).unwrap()[1]);
    let mean = (0..picture.width()).map(row).sum::<f32>() / picture.width() as f32;
    (1..picture.width())
        .filter(|x| (row(*x) > mean) != (row(x - 1) > mean))
        .count()
}

/// Panels of unequal size share one finished picture where that is cheaper: they show what each would
/// alone, but for what shrinking softens.
#[test]
fn panels_of_unequal_size_look_as_if_each_was_alone() {
    let Some(gpu) = gpu() else { return };
    // The last is as high as the first, the middle one smaller than both.
    let shapes = [
        r##"<rect id="live-1" x="4" y="4" width="140" height="96"/>"##,
        r##"<path id="live-2" d="M150 8h110l-12 80h-90z"/>"##,
        r##"<rect id="live-3" x="20" y="103" width="260" height="96"/>"##,
    ];
    let ground = r##"<rect width="300" height="200" fill="#7a7"/>"##;
    let together = page(&format!("{ground}{}", shapes.concat()));
    let both = Finish {
        halftone: DOTS,
        ..CRISP
    };
    for finish in [CRISP, both] {
        let styled = finished(&drawn(scenery(1, 5), 1.0, cartoon), finish);
        for mirror in [false, true] {
            let scene = Scene { mirror, ..SCENE };
            let shown =
                |page: &Page| program(&gpu, Hand::Memory, page, page.size(), &scene, &styled);
            let all = shown(&together);
            for shape in shapes {
                let alone = shown(&page(&format!("{ground}{shape}")));
                let pixels = alone.rgba().as_chunks::<4>().0.iter();
                let pairs = pixels.zip(all.rgba().as_chunks::<4>().0);
                // Where this panel is.
                let pairs = pairs.filter(|(alone, _)| **alone != [0x77, 0xaa, 0x77, 255]);
                let far: Vec<[u8; 4]> = pairs
                    .map(|(alone, all)| std::array::from_fn(|at| alone[at].abs_diff(all[at])))
                    .collect();
                let far = far.as_flattened();
                let mean = far.iter().map(|far| f32::from(*far)).sum::<f32>() / far.len() as f32;
                assert!(
                    far.len() > 4000 && mean < 4.0,
                    "{shape}, {mirror}, {finish:?}: {mean}"
                );
            }
        }
    }
}

#[test]
fn both_hands_finish_alike() {
    let Some(gpu) = gpu() else { return };
    let pages = [
        Page::plain(FRAME),
        page(
            r##"<rect width="300" height="200" fill="#7a7"/>
               <path id="live-slant" d="M10 10h240l-30 120h-170z"/>
               <rect id="person-1" x="120" y="60" width="170" height="130"/>"##,
        ),
        page(
            r##"<rect width="300" height="200" fill="#7a7"/><path id="live-1" d="M10 10h130l-20 85h-110z"/>
               <path id="live-2" d="M160 10h130l-20 85h-110z"/><path id="live-3" d="M85 105h130l-20 85h-110z"/>"##,
        ),
    ];
    let both = Finish {
        halftone: DOTS,
        ..CRISP
    };
    // A dot's edge turns a rounding of brightness into several steps.
    for (finish, allowed) in [(CRISP, 12), (PRINTED, 40), (both, 60)] {
        let mut styled = finished(&drawn(scenery(1, 5), 1.0, cartoon), finish);
        styled.close_ups = Some(close_ups());
        let soft = Styled::new(Arc::clone(&styled.frame), Arc::clone(&styled.picture));
        for styled in [soft, styled] {
            for page in &pages {
                for mirror in [false, true] {
                    let scene = Scene { mirror, ..SCENE };
                    let [device, memory] =
                        HANDS.map(|hand| program(&gpu, hand, page, page.size(), &scene, &styled));
                    let pairs = device.rgba().iter().zip(memory.rgba());
                    let far: Vec<u32> = pairs.map(|(a, b)| a.abs_diff(*b).into()).collect();
                    let mean = far.iter().sum::<u32>() as f32 / far.len() as f32;
                    let most = far.iter().max();
                    assert!(
                        mean < 0.5 && most <= Some(&allowed),
                        "{}, {mirror}, {finish:?}: {mean}, {most:?}",
                        page.id()
                    );
                }
            }
        }
    }
}

/// A line that is drawn two pixels wide stays a line, with edges of a pixel, and shade stays soft.
#[test]
fn an_enlarged_line_has_crisp_edges_and_shade_stays_soft() {
    let Some(gpu) = gpu() else { return };
    let line = |_: [u8; 4], x: u32, _: u32| match x {
        20 | 21 => [10, 10, 10, 255],
        0..40 => [230, 230, 230, 255],
        // Shade.
        _ => [(80 + x) as u8, 100, 100, 255],
    };
    let soft = drawn(picture(FRAME, |_, _| [128, 128, 128, 255]), 1.0, line);
    let size = Size::new(1280, 720);
    for hand in HANDS {
        let [before, after] = [Finish::default(), CRISP].map(|finish| {
            let styled = finished(&soft, finish);
            program(&gpu, hand, &Page::plain(size), size, &SCENE, &styled)
        });
        let between = |picture: &Picture| {
            let row = (240..420).map(|x| picture.pixel(x, 360).unwrap()[0]);
            row.filter(|value| (40..200).contains(value)).count()
        };
        assert!(between(&after) * 3 < between(&before) * 2, "{hand:?}");
        for x in 800..1280 {
            assert_eq!(before.pixel(x, 360), after.pixel(x, 360), "{hand:?}, {x}");
        }
    }
    let shot = |finish| enlarged(&finished(&soft, finish)).unwrap();
    assert!(
        shot(CRISP) != shot(Finish::default()),
        "shots are crisp as well"
    );
}

#[test]
fn dots_have_the_programs_size_and_not_the_drawings() {
    let Some(gpu) = gpu() else { return };
    let grey = |_: [u8; 4], _: u32, _: u32| [128, 128, 128, 255];
    let frame = picture(FRAME, |_, _| [128, 128, 128, 255]);
    let styled = drawn(frame, 1.0, grey);
    let of = |hand, width: u32, styled: &Styled| {
        let size = Size::new(width, width * 9 / 16);
        program(&gpu, hand, &Page::plain(size), size, &SCENE, styled)
    };
    for hand in HANDS {
        assert_eq!(crossings(&of(hand, 1280, &styled)), 0);
        let styled = finished(&styled, PRINTED);
        // 80x45 pixels of the drawing, 160 dots on each way across the program, whatever its size.
        for width in [1280, 1920] {
            let found = crossings(&of(hand, width, &styled)) as i32;
            assert!((found - 320).abs() < 8, "{hand:?}, {width}: {found}");
        }
    }
}

/// A shot is enlarged when it is taken, and printed when it is shown.
#[test]
fn shots_are_printed_where_they_are_shown() {
    let Some(gpu) = gpu() else { return };
    let styled = finished(&drawn(scenery(2, 0), 1.0, cartoon), PRINTED);
    let shot = enlarged(&styled).unwrap();
    assert_eq!((shot.size(), shot.finish.halftone), (FRAME, DOTS));
    let page = page(r##"<rect id="shot-1" x="0" y="0" width="300" height="200"/>"##);
    let mut plain = Picture::default();
    plain.copy_from(&shot);
    plain.finish = Finish::default();
    for hand in HANDS {
        let mut compositor = Compositor::by(Arc::clone(&gpu), hand).unwrap();
        compositor.set_page(&page, page.size()).unwrap();
        let [with, without] = [&shot, &plain].map(|shot| {
            compositor.set_shot(1, Some((shot, SCENE.focus))).unwrap();
            let texture = compositor.render(&SCENE).unwrap();
            let mut picture = Picture::default();
            compositor.read(&texture, &mut picture).unwrap();
            picture
        });
        let pairs = with.rgba().iter().zip(without.rgba());
        let changed = pairs.filter(|(a, b)| a.abs_diff(**b) > 30).count();
        assert!(changed > with.rgba().len() / 20, "{hand:?}: {changed}");
    }
}

/// Dots on dots would be neither.
#[test]
fn where_the_page_prints_its_own_dots_the_style_does_not() {
    let Some(gpu) = gpu() else { return };
    let grey = |_: [u8; 4], _: u32, _: u32| [100, 100, 100, 255];
    let plain = drawn(picture(FRAME, |_, _| [100, 100, 100, 255]), 1.0, grey);
    let styled = finished(&plain, PRINTED);
    let page = page(
        r##"<rect id="live-1" x="0" y="0" width="300" height="200"/>
           <rect id="fx-screentone" x="0" y="0" width="300" height="200"/>"##,
    );
    for hand in HANDS {
        let [with, without] =
            [&styled, &plain].map(|styled| program(&gpu, hand, &page, page.size(), &SCENE, styled));
        assert!(with == without && crossings(&with) > 20, "{hand:?}");
    }
}

/// Drawn once, and laid as often as it is shown: sharpened, crisp, under close-ups, its dots where the
/// page has them.
#[test]
fn panels_that_show_the_same_look_as_if_each_was_alone() {
    let Some(gpu) = gpu() else { return };
    let mut styled = finished(
        &drawn(scenery(1, 5), 1.0, cartoon),
        Finish {
            halftone: DOTS,
            ..CRISP
        },
    );
    styled.close_ups = Some(close_ups());
    let panels = [
        r##"<path id="live-1" d="M5 10h90l-10 120h-80z"/>"##,
        r##"<path id="live-2" d="M103 15h90l-10 120h-80z"/>"##,
        r##"<path id="live-3" d="M201 61h90l-10 120h-80z"/>"##,
    ];
    for mirror in [false, true] {
        let scene = Scene { mirror, ..SCENE };
        let shown = |svg: &str| {
            let page = page(svg);
            program(&gpu, Hand::Memory, &page, page.size(), &scene, &styled)
        };
        let together = shown(&panels.concat());
        for panel in panels {
            let alone = shown(panel);
            let pairs = together
                .rgba()
                .chunks_exact(4)
                .zip(alone.rgba().chunks_exact(4));
            let drawn: Vec<_> = pairs.filter(|(_, alone)| alone[3] > 0).collect();
            assert!(drawn.len() > 9000, "{panel}: {}", drawn.len());
            let differ = drawn.iter().filter(|(a, b)| a != b).count();
            // Rounding of where a pixel lies, which a dot's edge shows.
            assert!(
                differ * 50 < drawn.len(),
                "{panel}, {mirror}: {differ} of {}",
                drawn.len()
            );
        }
    }
}
