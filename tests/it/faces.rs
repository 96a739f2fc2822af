//! Finding faces in frames, and drawing those that are small again, larger.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use panelcam::compositor::enlarged;
use panelcam::frame::{Face, Frame, Picture, Size, Stamp, Styled};
use panelcam::inference::{
    self, CloseStudio, Closer, CoarseMatte, Faces, Following, Generator, Model, StyleMap,
    close_sides,
};
use panelcam::people;
use panelcam::places::Places;
use panelcam::settings::{Control, Language, Provider, Quality, RetouchSettings};
use panelcam::ui::message;

use crate::inference::runtime;
use crate::inference_stage::Rig;

const FRAME: Size = Size::new(1280, 720);
const DRAWING: Size = Size::new(448, 256);

/// NASA's portrait of Eileen Collins, which is part of the program, and where in it what is.
const STILL: &[u8] = include_bytes!("../../assets/demo/astronaut.jpg");
const EYES: [f32; 2] = [226.0, 104.0];
const MOUTH: [f32; 2] = [224.0, 147.0];
const HEAD: f32 = 150.0;

/// The portrait, `scale` times as large, its face at the given places of a dim wall.
fn frame(size: Size, scale: f32, places: &[[f32; 2]]) -> Picture {
    let still = turbojpeg::decompress(STILL, turbojpeg::PixelFormat::RGBA).unwrap();
    let still = Picture::from_rgba(
        Size::new(still.width as u32, still.height as u32),
        still.pixels,
    )
    .unwrap();
    let side = (still.width() as f32 * scale).round() as u32;
    let mut portrait = Picture::new(Size::new(side, side));
    panelcam::inference::tensor::Scaler::default()
        .scale(&still, &mut portrait)
        .unwrap();
    let mut frame = Picture::new(size);
    for (at, pixel) in frame.rgba_mut().chunks_exact_mut(4).enumerate() {
        let shade = 90 + (at as u32 % size.width * 40 / size.width) as u8;
        pixel.copy_from_slice(&[shade, shade, shade + 6, 255]);
    }
    for [x, y] in places {
        // Without the flag and the model of a shuttle beside her.
        let (left, right) = ((90.0 * scale) as u32, (400.0 * scale) as u32);
        for row in 0..side {
            for column in left..right.min(side) {
                let to = [
                    x - EYES[0] * scale + column as f32,
                    y - EYES[1] * scale + row as f32,
                ];
                let inside = to[0] >= 0.0 && to[1] >= 0.0;
                if inside && (to[0] as u32) < size.width && (to[1] as u32) < size.height {
                    let at = (to[1] as u32 * size.width + to[0] as u32) as usize * 4;
                    let pixel = portrait.pixel(column, row).unwrap();
                    frame.rgba_mut()[at..at + 4].copy_from_slice(&pixel);
                }
            }
        }
    }
    frame
}

fn small(frame: &Picture) -> Picture {
    let mut small = Picture::new(DRAWING);
    panelcam::inference::tensor::Scaler::default()
        .scale(frame, &mut small)
        .unwrap();
    small
}

fn faces() -> Option<Faces> {
    Some(Faces::open(&*runtime()?).unwrap())
}

/// Whether `face` is that of the portrait with its eyes at a place.
#[track_caller]
fn is_there(face: &Face, [x, y]: [f32; 2], scale: f32) {
    let head = HEAD * scale;
    let mouth = [
        x + (MOUTH[0] - EYES[0]) * scale,
        y + (MOUTH[1] - EYES[1]) * scale,
    ];
    let far = |at: panelcam::frame::Point, [x, y]: [f32; 2]| {
        (at.x * FRAME.width as f32 - x).hypot(at.y * FRAME.height as f32 - y) / head
    };
    assert!(far(face.mouth, mouth) < 0.1, "{face:?}, scale {scale}");
    assert!(
        far(face.centre, [x, y + head * 0.07]) < 0.1,
        "{face:?}, scale {scale}"
    );
    let height = face.height * FRAME.height as f32 / head;
    assert!((0.8..1.25).contains(&height), "{height}, scale {scale}");
}

#[test]
fn a_face_is_found_from_near_to_far() {
    let Some(mut faces) = faces() else { return };
    for scale in [2.4, 1.5, 0.9, 0.64, 0.5] {
        for place in [[640.0, 330.0], [300.0, 260.0], [1000.0, 400.0]] {
            let frame = frame(FRAME, scale, &[place]);
            let found = faces.look_all_over(&frame, &small(&frame)).unwrap();
            assert_eq!(found.len(), 1, "scale {scale}, {place:?}: {found:?}");
            is_there(&found[0], place, scale);
        }
    }
}

#[test]
fn people_side_by_side_and_nobody() {
    let Some(mut faces) = faces() else { return };
    let places = [[200.0, 300.0], [640.0, 320.0], [1050.0, 280.0]];
    let crowd = frame(FRAME, 0.8, &places);
    let found = faces.look_all_over(&crowd, &small(&crowd)).unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    for (face, place) in found.iter().zip(places) {
        is_there(face, place, 0.8);
    }
    let mut noise = Picture::new(FRAME);
    let mut value = 1u32;
    for byte in noise.rgba_mut() {
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (value >> 24) as u8;
    }
    for nobody in [frame(FRAME, 1.0, &[]), noise, Picture::new(Size::new(1, 1))] {
        assert_eq!(faces.look_all_over(&nobody, &nobody).unwrap(), []);
    }
    assert_eq!(
        faces
            .look_all_over(&Picture::default(), &Picture::default())
            .unwrap(),
        []
    );
}

#[test]
fn a_face_is_followed_from_frame_to_frame() {
    let Some(mut faces) = faces() else { return };
    let place = |number: u32| [300.0 + number as f32 * 12.0, 320.0];
    for number in 0..40 {
        let frame = frame(FRAME, 0.7, &[place(number)]);
        let found = faces.look(&frame, &small(&frame)).unwrap();
        // It is looked for in parts of the frame, one after the other.
        assert!(number < 12 || found.len() == 1, "{number}: {found:?}");
        if let [face] = found[..] {
            // Where it is in this very frame, or in the one before.
            let far = face.centre.x * FRAME.width as f32 - place(number)[0];
            assert!(far.abs() < 30.0, "{number}: {far}");
        }
    }
    let empty = frame(FRAME, 0.7, &[]);
    let left: Vec<usize> = (0..20)
        .map(|_| faces.look(&empty, &small(&empty)).unwrap().len())
        .collect();
    assert_eq!((left[0], left[19]), (1, 0), "{left:?}");
}

/// Each of two who stand apart is found where they are, though no square shows both well.
#[test]
fn two_far_apart_are_followed_and_another_size_begins_anew() {
    let Some(mut faces) = faces() else { return };
    let places = |number: u32| {
        let sway = number as f32 * 4.0;
        [[160.0 + sway, 300.0], [1120.0 - sway, 340.0]]
    };
    for number in 0..60 {
        let frame = frame(FRAME, 0.6, &places(number));
        let found = faces.look(&frame, &small(&frame)).unwrap();
        assert!(number < 30 || found.len() == 2, "{number}: {found:?}");
        if let [left, right] = found[..] {
            for (face, [x, _]) in [left, right].iter().zip(places(number)) {
                let far = face.centre.x * FRAME.width as f32 - x;
                assert!(far.abs() < 30.0, "{number}: {far}");
            }
        }
    }
    let other = frame(Size::new(640, 480), 0.6, &[]);
    assert_eq!(faces.look(&other, &other).unwrap(), []);
}

/// Portraits of many people, where they are at hand.
#[test]
fn faces_of_every_kind_are_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/faces");
    let (Some(mut faces), Ok(portraits)) = (faces(), folder.read_dir()) else {
        eprintln!("SKIPPED: no portraits in {}", folder.display());
        return;
    };
    let (mut count, mut missed) = (0, Vec::new());
    let mut portraits: Vec<_> = portraits.map(|entry| entry.unwrap().path()).collect();
    portraits.sort();
    for path in portraits.into_iter().step_by(16) {
        if path.extension().is_none_or(|extension| extension != "jpg") {
            continue;
        }
        let photo = panelcam::capture::read_photo(&path).unwrap();
        let mut frame = frame(FRAME, 1.0, &[]);
        let mut portrait = Picture::new(Size::new(300, 300));
        panelcam::inference::tensor::Scaler::default()
            .scale(&photo, &mut portrait)
            .unwrap();
        portrait.paste_into(&mut frame, 490, 300);
        count += 1;
        let found = faces.look_all_over(&frame, &small(&frame)).unwrap();
        if found.len() != 1 {
            missed.push(path);
        }
    }
    assert!(missed.len() * 30 <= count, "{count}: {missed:?}");
}

/// What the network draws of a whole frame at its full size is what a close-up comes nearer to.
#[test]
fn a_close_up_shows_what_a_larger_drawing_would() {
    let (Some(runtime), Some(mut faces)) = (runtime(), faces()) else {
        return;
    };
    let model = Arc::new(Model::builtin().unwrap());
    let (place, scale) = ([640.0, 330.0], 0.7);
    let frame = frame(FRAME, scale, &[place]);
    let small = small(&frame);
    let found = faces.look_all_over(&frame, &small).unwrap();
    let draw = |size: Size| {
        let mut generator = Generator::open(&runtime, &model, size, 2).unwrap();
        let map = StyleMap::uniform(&model, size, 0, 1.0).unwrap();
        let mut drawing = Picture::default();
        generator.stylize(&frame, &map, &mut drawing).unwrap();
        drawing
    };
    let aim = draw(FRAME);
    let stamp = Stamp {
        sequence: 0,
        captured: Instant::now(),
    };
    let mut copy = Picture::default();
    copy.copy_from(&frame);
    let mut styled = Styled::new(
        Arc::new(Frame {
            stamp,
            picture: copy.into(),
        }),
        Arc::new(draw(DRAWING).into()),
    );
    styled.shrunk = Some(Arc::new(small.into()));
    let without = enlarged(&styled).unwrap();

    let side = close_sides(&model, DRAWING, FRAME).next().unwrap();
    let closer = Closer::open(&runtime, &model, side, 2, Provider::Cpu).unwrap();
    let mut studio = CloseStudio::new(closer, (0, 1.0)).unwrap();
    let settings = RetouchSettings::default();
    let people = CoarseMatte::default();
    let mut draw_close = |faces: &[Face], following| {
        studio
            .draw(
                (&frame, &people),
                faces,
                DRAWING,
                following,
                Duration::ZERO,
                &settings,
            )
            .unwrap()
    };
    styled.close_ups = draw_close(&found, Following::Still);
    assert_eq!(styled.close_ups.as_ref().unwrap().parts.len(), 1);
    let with = enlarged(&styled).unwrap();
    let error = |picture: &Picture| {
        let head = HEAD * scale;
        let half = (head * 0.3) as u32;
        let (x, y) = (place[0] as u32, (place[1] + head * 0.1) as u32);
        let mut sum = 0;
        for y in y - half..y + half {
            for x in x - half..x + half {
                let (a, b) = (aim.pixel(x, y).unwrap(), picture.pixel(x, y).unwrap());
                sum += (0..3).map(|c| u64::from(a[c].abs_diff(b[c]))).sum::<u64>();
            }
        }
        sum as f64 / f64::from(half * half * 12)
    };
    let (before, after) = (error(&without), error(&with));
    assert!(after < before * 0.75, "{before} {after}");
    // Far from the face nothing changes.
    assert_eq!(with.pixel(40, 40), without.pixel(40, 40));
    // Nobody: none. They come softly in a clip.
    assert!(draw_close(&[], Following::Still).is_none());
    draw_close(&found, Following::Still);
    assert!(draw_close(&[], Following::Clip).is_some(), "fades away");
    for _ in 0..12 {
        draw_close(&[], Following::Clip);
    }
    assert!(draw_close(&[], Following::Clip).is_none());
    let first = draw_close(&found, Following::Clip).unwrap();
    let strongest = first.picture.rgba().iter().skip(3).step_by(4).max();
    assert!(strongest.is_some_and(|alpha| *alpha < 80));
}

/// Live: a still picture is looked at until all faces in it are known, and its close-ups are there
/// whole; another size of frame and the switch are followed.
#[test]
fn close_ups_are_drawn_beside_what_runs_live() {
    let Some(runtime) = runtime() else { return };
    let mut rig = Rig::start(&runtime, &[], "clean");
    let deadline = Instant::now() + Duration::from_secs(60);
    let wait = |rig: &Rig, what: &str, fits: &dyn Fn(&Styled) -> bool| loop {
        let styled = rig.take();
        if fits(&styled) {
            return styled;
        }
        assert!(Instant::now() < deadline, "{what}: {:?}", styled.close_ups);
    };
    let strongest = |styled: &Styled| {
        let close_ups = styled.close_ups.as_ref();
        close_ups.and_then(|close_ups| {
            close_ups
                .picture
                .rgba()
                .iter()
                .skip(3)
                .step_by(4)
                .max()
                .copied()
        })
    };
    let (place, scale) = ([640.0, 330.0], 0.8);
    rig.send(frame(FRAME, scale, &[place]));
    let styled = wait(&rig, "a still", &|styled| strongest(styled) == Some(255));
    is_there(&styled.faces[0], place, scale);
    let part = styled.close_ups.unwrap().parts[0].of;
    let [x, y] = [0, 1].map(|axis| part.corner[axis] + part.size[axis] / 2.0);
    assert!(
        (x - 0.5).abs() < 0.03 && (y - 0.46).abs() < 0.06,
        "{part:?}"
    );

    // A camera on its side.
    let upright = Size::new(720, 1280);
    rig.send(frame(upright, scale, &[[360.0, 500.0]]));
    wait(&rig, "upright", &|styled| {
        styled.frame.picture.size() == upright && strongest(styled) == Some(255)
    });
    rig.change(|control| control.settings.inference.close_ups = false);
    wait(&rig, "switched off", &|styled| styled.close_ups.is_none());
    assert_eq!(rig.board.take_notices(), vec![]);
}

/// A face that was found counts where the matte agrees, and stands for the whole person.
#[test]
fn a_near_face_is_drawn_no_larger_than_the_network_draws_one() {
    let Some(runtime) = runtime() else { return };
    let style = |styles: &inference::Library| styles.find("clean").unwrap();
    let (styles, _) = inference::Library::load(&Places::under(Path::new("/nowhere")));
    let largest = style(&styles).model.largest_face().unwrap() as f32;
    let full = |_: &Places, control: &mut Control| {
        control.settings.inference.quality = Quality::Full;
        control.settings.inference.close_ups = false;
    };
    let mut rig = Rig::start_with(&runtime, &[], "clean", full);
    let board = Arc::clone(&rig.board);
    let mut drawn_at = |scale: f32, until: &dyn Fn(Size) -> bool| {
        let (picture, deadline) = (frame(FRAME, scale, &[[640.0, 330.0]]), Instant::now());
        loop {
            rig.send(picture.clone());
            let styled = rig.take();
            let size = styled.picture.size();
            if until(size) {
                return styled;
            }
            let waited = deadline.elapsed();
            assert!(
                waited < Duration::from_secs(40),
                "{size}, {:?}",
                styled.faces
            );
        }
    };
    let is_full = |size: Size| size == FRAME;
    drawn_at(1.5, &is_full);
    // 540 pixels of the frame's 720.
    let near = drawn_at(3.6, &|size| size != FRAME);
    let face = near.faces[0].height * near.picture.height() as f32;
    assert!(face < largest * 1.1, "{face} at {}", near.picture.size());
    assert!(near.picture.size().area() * 3 > FRAME.area());
    let reason = board.status().engine.reason;
    let korean = message(&reason, Language::Ko);
    assert!(
        reason.contains("Somebody is near") && korean.contains("가까이"),
        "{reason}"
    );
    // She steps back.
    drawn_at(1.5, &is_full);
}

#[test]
fn faces_found_and_guessed_are_one_list() {
    let mut drawing = Picture::new(Size::new(320, 180));
    for (at, pixel) in drawing.rgba_mut().chunks_exact_mut(4).enumerate() {
        let x = at % 320;
        let is_below = at / 320 >= 36;
        pixel[3] = if is_below && ((40..110).contains(&x) || (200..270).contains(&x)) {
            255
        } else {
            0
        };
    }
    let guessed = people::faces(&drawing, &[]);
    assert_eq!(guessed.len(), 2);
    let at = |x: f32| Face {
        centre: panelcam::frame::Point { x, y: 0.4 },
        ..guessed[0]
    };
    let face = Face {
        height: 0.3,
        ..at(0.25)
    };
    let faces = people::faces(&drawing, &[face, at(0.5)]);
    assert_eq!(faces.len(), 2, "nobody is at the middle");
    assert_eq!((faces[0].centre, faces[0].mouth), (face.centre, face.mouth));
    // It is as high as its hair: the matte ends at a fifth of the picture.
    let hair = faces[0].centre.y - faces[0].height * Face::MIDDLE;
    assert!((hair - 0.2).abs() < 0.03, "{faces:?}");
    assert_eq!(faces[1], guessed[1]);
}
