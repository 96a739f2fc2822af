//! Effects: every one looks as it should, by both hands, at two times; the same at every size.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use panelcam::compositor::{Compositor, Gpu, Hand, Scene};
use panelcam::frame::{Picture, Size};
use panelcam::panels::{EffectKind, Fonts, Page};
use panelcam::people::{Head, Point};

use super::compositor::{SCENE, gpu};
use super::pages::{chart, snapshot};

/// A page with a live picture and one effect on it.
fn page(effect: &str) -> Page {
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="250"><rect width="200" height="250" fill="#fff"/>
        <path id="live" d="M10 10H190V240H10z"/><path d="M10 10H190V240H10z" id="{effect}"/></svg>"##
    );
    Page::parse(svg.as_bytes(), "effect", &Fonts::embedded()).unwrap()
}

pub fn program(
    gpu: &Arc<Gpu>,
    hand: Hand,
    page: &Page,
    size: Size,
    styled: &Picture,
    scene: &Scene,
) -> Picture {
    let mut compositor = Compositor::by(Arc::clone(gpu), hand).unwrap();
    compositor.set_page(page, size).unwrap();
    compositor.upload_styled(styled).unwrap();
    compositor.upload_frame(styled).unwrap();
    let texture = compositor.render(scene).unwrap();
    let mut picture = Picture::default();
    compositor.read(&texture, &mut picture).unwrap();
    picture
}

pub fn mean_difference(a: &Picture, b: &Picture) -> f64 {
    assert_eq!(a.size(), b.size());
    let pairs = a.rgba().iter().zip(b.rgba());
    let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.rgba().len() as f64
}

fn at(millis: u64) -> Scene {
    Scene {
        time: Duration::from_millis(millis),
        focus: Head::at(Point { x: 0.5, y: 0.36 }),
        ..SCENE
    }
}

/// Whether an effect looks the same at all times.
pub fn rests(kind: EffectKind) -> bool {
    matches!(kind, EffectKind::Halftone | EffectKind::Screentone)
}

#[test]
fn every_effect_looks_as_it_should_by_both_hands() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(320, 180));
    let mut failures = Vec::new();
    for kind in EffectKind::ALL {
        let page = page(&format!("fx-{}", kind.id()));
        let mut before: Option<Vec<u8>> = None;
        for (name, millis) in [("a", 0), ("b", 250)] {
            let size = Size::new(128, 160);
            let [device, memory] = [Hand::Device, Hand::Memory]
                .map(|hand| program(&gpu, hand, &page, size, &styled, &at(millis)));
            let difference = mean_difference(&device, &memory);
            if difference > 0.5 {
                failures.push(format!(
                    "{kind:?} at {millis}: the hands are {difference} apart"
                ));
            }
            let same = before.is_some_and(|before| before == device.rgba());
            if millis > 0 && same != rests(kind) {
                failures.push(format!("{kind:?}: at {millis} the same is {same}"));
            }
            before = Some(device.rgba().to_vec());
            let name = format!("fx-{}-{name}", kind.id());
            failures.extend(snapshot(&name, device).err());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Twice as large is the same picture, only sharper: made smaller again it is the small one.
#[test]
fn a_larger_program_differs_only_in_sharpness() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(320, 180));
    for kind in EffectKind::ALL {
        let page = page(&format!("fx-{}", kind.id()));
        let small = program(
            &gpu,
            Hand::Device,
            &page,
            Size::new(400, 500),
            &styled,
            &at(0),
        );
        let large = program(
            &gpu,
            Hand::Device,
            &page,
            Size::new(800, 1000),
            &styled,
            &at(0),
        );
        let halved = half(&large);
        let (apart, at) = furthest_tile(&small, &halved);
        // The thin ends of sparkles are a pixel or two longer where there are more pixels.
        assert!(apart < 11.0, "{kind:?}: {apart:.1} at {at:?}");
    }
}

pub fn half(large: &Picture) -> Picture {
    let size = Size::new(large.width() / 2, large.height() / 2);
    let mut small = Picture::new(size);
    for (at, pixel) in small.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = (at as u32 % size.width * 2, at as u32 / size.width * 2);
        let four =
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| large.pixel(x + dx, y + dy).unwrap());
        for (channel, byte) in pixel.iter_mut().enumerate() {
            let sum: u32 = four.iter().map(|pixel| u32::from(pixel[channel])).sum();
            *byte = ((sum + 2) / 4) as u8;
        }
    }
    small
}

/// The mean difference of a channel in the tile where two pictures differ most, once both are
/// blurred: sharpness is no difference there, a missing stroke is.
pub fn furthest_tile(a: &Picture, b: &Picture) -> (f64, (usize, usize)) {
    let (tile, radius) = (8, 2);
    assert_eq!(a.size(), b.size());
    let (a, b) = (blurred(a, radius), blurred(b, radius));
    let (width, height) = (a.width() as usize, a.height() as usize);
    let mut sums = std::collections::BTreeMap::<(usize, usize), (u64, u64)>::new();
    for y in 0..height {
        for x in 0..width {
            let at = (y * width + x) * 4;
            let pair = a.rgba()[at..at + 4].iter().zip(&b.rgba()[at..at + 4]);
            let apart: u64 = pair.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            let (sum, count) = sums.entry((x / tile, y / tile)).or_default();
            *sum += apart;
            *count += 4;
        }
    }
    // What is left of tiles at the edges is too small to say anything.
    let whole = (tile * tile * 2) as u64;
    sums.into_iter()
        .filter(|(_, (_, count))| *count >= whole)
        .map(|((x, y), (sum, count))| (sum as f64 / count as f64, (x * tile, y * tile)))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
}

/// The mean of the square around each pixel.
fn blurred(picture: &Picture, radius: usize) -> Picture {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut blurred = picture.clone();
    for y in 0..height {
        for x in 0..width {
            let (mut sum, mut count) = ([0u32; 4], 0);
            for near in y.saturating_sub(radius)..(y + radius + 1).min(height) {
                let from = (near * width + x.saturating_sub(radius)) * 4;
                let to = (near * width + (x + radius + 1).min(width)) * 4;
                for pixel in picture.rgba()[from..to].as_chunks::<4>().0 {
                    sum.iter_mut()
                        .zip(pixel)
                        .for_each(|(sum, byte)| *sum += u32::from(*byte));
                    count += 1;
                }
            }
            let at = (y * width + x) * 4;
            let bytes = blurred.rgba_mut()[at..at + 4].iter_mut();
            bytes
                .zip(sum)
                .for_each(|(byte, sum)| *byte = (sum / count) as u8);
        }
    }
    blurred
}

#[test]
fn the_same_moment_gives_the_same_picture() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(160, 90));
    let size = Size::new(200, 250);
    for kind in EffectKind::ALL {
        let page = page(&format!("fx-{}", kind.id()));
        let [one, two] =
            [(); 2].map(|()| program(&gpu, Hand::Memory, &page, size, &styled, &at(333)));
        assert_eq!(one.rgba(), two.rgba(), "{kind:?}");
    }
}

#[test]
fn effects_can_be_switched_off_and_are_changed_by_their_names() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(160, 90));
    let size = Size::new(200, 250);
    let page_with = page("fx-rain-left");
    let mut compositor = Compositor::by(gpu, Hand::Memory).unwrap();
    compositor.set_page(&page_with, size).unwrap();
    compositor.upload_styled(&styled).unwrap();
    let show = |compositor: &mut Compositor| {
        let texture = compositor.render(&at(0)).unwrap();
        let mut picture = Picture::default();
        compositor.read(&texture, &mut picture).unwrap();
        picture
    };
    let on = show(&mut compositor);
    for (off, changes) in [
        ("rain", true),
        ("rain-left", true),
        ("rain-right", false),
        ("petals", false),
    ] {
        compositor.set_effects_off(&[off.to_owned()]);
        let now = show(&mut compositor);
        assert_eq!(mean_difference(&on, &now) > 0.1, changes, "{off}");
    }
    compositor.set_effects_off(&[]);
    compositor
        .set_page(&page("fx-rain-left-black-dense"), size)
        .unwrap();
    assert!(mean_difference(&on, &show(&mut compositor)) > 1.0);
}

/// Laid over what the artist wrote, by both hands: weaker is less, 0 is nothing, stronger is more.
#[test]
fn effects_are_as_strong_as_people_want() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(160, 90));
    let size = Size::new(240, 300);
    for kind in EffectKind::ALL {
        for hand in [Hand::Device, Hand::Memory] {
            let mut compositor = Compositor::by(Arc::clone(&gpu), hand).unwrap();
            compositor
                .set_page(&page(&format!("fx-{}", kind.id())), size)
                .unwrap();
            compositor.upload_styled(&styled).unwrap();
            let mut show = |strength: f32| {
                let strengths = BTreeMap::from([(kind.id().to_owned(), strength)]);
                compositor.set_effect_strengths(&strengths);
                let texture = compositor.render(&at(0)).unwrap();
                let mut picture = Picture::default();
                compositor.read(&texture, &mut picture).unwrap();
                picture
            };
            let [none, weak, own, again] = [0.0, 0.35, 1.0, 2.0].map(&mut show);
            let ink = |picture: &Picture| mean_difference(&none, picture);
            let (weak, usual, strong) = (ink(&weak), ink(&own), ink(&again));
            assert!(
                weak < usual * 0.9 && usual <= strong,
                "{kind:?} {hand:?}: {weak} {usual} {strong}"
            );
            // And back as the artist drew it.
            assert!(
                mean_difference(&own, &show(1.0)) == 0.0,
                "{kind:?} {hand:?}"
            );
        }
    }
}

/// For who draws effects: `EFFECTS_TO=folder` writes each over a portrait, large.
#[test]
fn effects_are_shown_large_on_demand() {
    let (Some(gpu), Some(folder)) = (gpu(), std::env::var_os("EFFECTS_TO")) else {
        return;
    };
    let portrait = image::open(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/demo/astronaut.jpg"
    ))
    .unwrap()
    .to_rgba8();
    let size = Size::new(portrait.width(), portrait.height());
    let styled = Picture::from_rgba(size, portrait.into_raw()).unwrap();
    let wanted = std::env::var("EFFECTS").unwrap_or_default();
    for kind in EffectKind::ALL {
        if !wanted.is_empty() && !wanted.split(',').any(|name| name == kind.id()) {
            continue;
        }
        let page = page(&format!("fx-{}", kind.id()));
        for millis in [0, 170] {
            let scene = Scene {
                focus: Head::at(Point { x: 0.44, y: 0.22 }),
                ..at(millis)
            };
            let program = program(
                &gpu,
                Hand::Device,
                &page,
                Size::new(1080, 1350),
                &styled,
                &scene,
            );
            let path = std::path::Path::new(&folder).join(format!("{}-{millis}.png", kind.id()));
            image::save_buffer(
                path,
                program.rgba(),
                1080,
                1350,
                image::ExtendedColorType::Rgba8,
            )
            .unwrap();
        }
    }
}
