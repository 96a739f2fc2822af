//! Layers of every kind: blend modes, sprites, shots, people over the frame; by both hands.

use std::sync::Arc;

use panelcam::compositor::{Compositor, Gpu, Hand, Scene};
use panelcam::frame::Picture;
use panelcam::panels::{Bitmap, Blend, Layer, Page, PixelRect, Sprite, Sprites};

use super::compositor::{BLUE, GREEN, RED, SCENE, SIZE, WHITE, gpu, halves, page, program, rgb};

/// Art mixed in every way, over opaque and half transparent pictures.
#[test]
fn art_is_mixed_with_what_is_below_in_every_way() {
    let Some(gpu) = gpu() else { return };
    for (blend, name) in Blend::ALL {
        let page = page(&format!(
            r##"<g opacity="0.6"><rect id="live-1" width="200" height="200"/></g>
               <rect id="live-2" y="100" width="150" height="100"/>
               <g style="mix-blend-mode: {name}"><rect y="10" width="300" height="80" fill="#4080c0"/>
               <rect y="60" width="300" height="80" fill="#c08040" fill-opacity=".5"/></g>"##
        ));
        let program = program(Arc::clone(&gpu), &page, SIZE, &SCENE);
        let over_green = program.pixel(280, 30).unwrap();
        assert!(over_green[3] == 255, "{name}: it covers where nothing is");
        let expected = blend.pixel([1.0, 0.0, 0.0, 1.0], [0.375, 0.25, 0.125, 0.5]);
        let expected = expected.map(|value| (value * 255.0).round() as u8);
        let got = program.pixel(20, 120).unwrap();
        let far = got.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
        assert!(far <= Some(3), "{name}: {got:?} is not {expected:?}");
    }
}

#[test]
fn a_live_picture_is_printed_on_paper() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<style>.print{mix-blend-mode:multiply}</style><rect width="300" height="200" fill="#ff0"/>
           <rect id="live-1" class="print" width="300" height="200"/>"##,
    );
    let printed = program(Arc::clone(&gpu), &page, SIZE, &SCENE);
    assert_eq!(rgb(&printed, 20, 100), RED);
    assert_eq!(rgb(&printed, 280, 100), GREEN);
    let compared = Scene {
        compare: true,
        ..SCENE
    };
    let program = program(gpu, &page, SIZE, &compared);
    assert_eq!(rgb(&program, 20, 100), [0, 0, 0]);
    assert_eq!(rgb(&program, 280, 100), [255, 255, 0]);
}

#[test]
fn sprites_move_change_and_stand_on_top() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect id="live-1" width="300" height="200"/>
           <g id="bubble-1"><rect x="10" y="10" width="40" height="40" fill="#fff"/></g>
           <rect y="150" width="300" height="50" fill="#00f"/>"##,
    );
    let number = page
        .layers()
        .iter()
        .position(|layer| matches!(layer, Layer::Bubble(_)))
        .unwrap();
    let blue = Arc::new(Bitmap {
        rect: PixelRect::new(10, 10, 40, 40),
        blend: Blend::Normal,
        rgba: [0, 0, 255, 255].repeat(1600),
    });
    let at = |x, y| Sprite {
        bitmap: Arc::clone(&blue),
        shift: (x, y),
    };
    for hand in [Hand::Device, Hand::Memory] {
        let mut compositor = Compositor::by(Arc::clone(&gpu), hand).unwrap();
        compositor.set_page(&page, SIZE).unwrap();
        compositor.upload_styled(&halves(SIZE, RED, RED)).unwrap();
        let mut show = |sprites: Sprites| {
            compositor.set_sprites(sprites);
            let texture = compositor.render(&SCENE).unwrap();
            let mut picture = Picture::default();
            compositor.read(&texture, &mut picture).unwrap();
            picture
        };
        let drawn = show(Sprites::default());
        assert_eq!(rgb(&drawn, 30, 30), WHITE, "as the artist drew it");
        let moved = show(Sprites {
            instead: vec![(number, Some(at(100, 120)))],
            above: vec![at(220, -20), at(-30, 0)],
        });
        assert_eq!(rgb(&moved, 30, 30), RED, "not there any more");
        assert_eq!(rgb(&moved, 130, 140), BLUE);
        assert_eq!(rgb(&moved, 5, 30), BLUE, "partly beside the page");
        assert_eq!(rgb(&moved, 250, 20), BLUE, "on top");
        assert_eq!(rgb(&moved, 130, 155), BLUE, "under the art");
        let gone = show(Sprites {
            instead: vec![(number, None)],
            above: Vec::new(),
        });
        assert_eq!((rgb(&gone, 30, 30), rgb(&gone, 250, 20)), (RED, RED));
    }
}

#[test]
fn shots_are_live_and_dimmed_until_they_are_taken() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect id="shot-1" width="100" height="200"/><rect id="shot-2" x="100" width="100" height="200"/>
           <rect id="shot-3" x="200" width="100" height="200"/>"##,
    );
    for hand in [Hand::Device, Hand::Memory] {
        let mut compositor = Compositor::by(Arc::clone(&gpu), hand).unwrap();
        compositor.set_page(&page, SIZE).unwrap();
        compositor
            .upload_styled(&halves(SIZE, WHITE, WHITE))
            .unwrap();
        let show = |compositor: &mut Compositor| {
            let texture = compositor.render(&SCENE).unwrap();
            let mut picture = Picture::default();
            compositor.read(&texture, &mut picture).unwrap();
            [50, 150, 250].map(|x| rgb(&picture, x, 100))
        };
        let dim = |[r, g, b]: [u8; 3]| (120..180).contains(&r) && r == g && g == b;
        let [one, two, three] = show(&mut compositor);
        assert!(one == WHITE && dim(two) && dim(three), "the first is next");
        let red = halves(SIZE, RED, RED);
        compositor.set_shot(1, Some((&red, SCENE.focus))).unwrap();
        let [one, two, three] = show(&mut compositor);
        assert!(one == RED && two == WHITE && dim(three));
        compositor.set_next_shot(Some(3));
        let [one, two, three] = show(&mut compositor);
        assert!(one == RED && dim(two) && three == WHITE);
        compositor.set_shot(1, None).unwrap();
        assert!(dim(show(&mut compositor)[0]));
        compositor.set_shot(0, None).unwrap();
        compositor.set_shot(10, Some((&red, SCENE.focus))).unwrap();
    }
}

/// A red person on green, round, with a soft edge; `y` is the middle.
fn somebody(y: f32) -> Picture {
    let mut picture = Picture::new(SIZE);
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let far = ((at % 300) as f32 - 150.0).hypot((at / 300) as f32 - y);
        let alpha = ((40.0 - far) / 6.0 + 0.5).clamp(0.0, 1.0);
        *pixel.first_chunk_mut().unwrap() =
            [alpha, 1.0 - alpha, 0.0, alpha].map(|value| (value * 255.0) as u8);
    }
    picture
}

fn with_somebody(gpu: &Arc<Gpu>, page: &Page, y: f32) -> Picture {
    let [device, memory] = [Hand::Device, Hand::Memory].map(|hand| {
        let mut compositor = Compositor::by(Arc::clone(gpu), hand).unwrap();
        compositor.set_page(page, SIZE).unwrap();
        compositor.upload_styled(&somebody(y)).unwrap();
        let texture = compositor.render(&SCENE).unwrap();
        let mut picture = Picture::default();
        compositor.read(&texture, &mut picture).unwrap();
        picture
    });
    let pairs = device.rgba().iter().zip(memory.rgba());
    let furthest = pairs.map(|(a, b)| a.abs_diff(*b)).max();
    assert!(furthest <= Some(6), "{furthest:?}");
    device
}

#[test]
fn people_have_no_halo_an_outline_and_a_shadow() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect width="300" height="200" fill="#00f"/><rect id="person-1" width="300" height="200"
           data-outline="10 #fff" data-shadow="40 0 4 black"/>"##,
    );
    let program = with_somebody(&gpu, &page, 100.0);
    assert_eq!(rgb(&program, 150, 100), RED);
    assert_eq!(rgb(&program, 104, 100), WHITE, "the outline");
    assert_eq!(rgb(&program, 90, 100), BLUE, "beyond it");
    assert_eq!(rgb(&program, 215, 100), [0, 0, 0], "the shadow");
    assert!(
        program.rgba().chunks_exact(4).all(|pixel| {
            let green = i32::from(pixel[1]) - i32::from(pixel[0].min(pixel[2]));
            green < 40
        }),
        "the background shines through"
    );
}

#[test]
fn a_head_that_the_camera_cuts_off_stays_in_its_panel() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect width="300" height="200" fill="#00f"/><rect id="live-1" y="60" width="300" height="140"/>
           <rect id="person-1" width="300" height="200"/>"##,
    );
    let whole = with_somebody(&gpu, &page, 70.0);
    assert_eq!(rgb(&whole, 150, 45), RED, "over the border");
    let cut = with_somebody(&gpu, &page, 10.0);
    assert_eq!(rgb(&cut, 150, 20), BLUE, "a straight cut over the border");
}
