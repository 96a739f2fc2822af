//! The generator with the real ONNX Runtime: tiny models that a test can compute by itself, the
//! shipped model.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use panelcam::frame::{Picture, Size};
use panelcam::inference::{self, Generator, InferenceError, Model, Runtime, StyleMap, Tuning};
use panelcam::places::Places;

const SMALL: Size = Size::new(64, 48);

/// ONNX Runtime; without it the tests are skipped, loudly, or fail when `REQUIRE_RUNTIME=1`.
pub fn runtime() -> Option<Arc<Runtime>> {
    let home = tempfile::tempdir().unwrap();
    match Runtime::load(&Places::under(home.path())) {
        Ok(runtime) => Some(runtime),
        Err(error) if std::env::var_os("REQUIRE_RUNTIME").is_none() => {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/models")
        .join(name)
}

pub fn model(name: &str) -> Arc<Model> {
    Arc::new(Model::read(&folder(name)).unwrap())
}

/// A picture with edges, gradients and every channel its own.
pub fn chart(size: Size) -> Picture {
    let mut picture = Picture::new(size);
    let width = size.width;
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = (at as u32 % width, at as u32 / width);
        let square = (x / 8 + y / 8) % 2 * 120;
        pixel.copy_from_slice(&[(x % 256) as u8, (y * 3 % 256) as u8, square as u8, 255]);
    }
    picture
}

fn draw(generator: &mut Generator, picture: &Picture, channel: usize, strength: f32) -> Picture {
    let map = StyleMap::uniform(generator.model(), generator.size(), channel, strength).unwrap();
    let mut styled = Picture::default();
    generator.stylize(picture, &map, &mut styled).unwrap();
    assert_eq!(styled.size(), generator.size());
    styled
}

fn furthest(a: &Picture, b: &Picture) -> u8 {
    assert_eq!(a.size(), b.size());
    let colours = |picture: &Picture| -> Vec<u8> {
        picture
            .rgba()
            .chunks_exact(4)
            .flat_map(|pixel| pixel[..3].to_vec())
            .collect()
    };
    colours(a)
        .iter()
        .zip(colours(b))
        .map(|(a, b)| a.abs_diff(b))
        .max()
        .unwrap_or_default()
}

#[test]
fn a_network_draws_what_it_computes_in_every_layout() {
    let Some(runtime) = runtime() else { return };
    for name in ["invert", "pixels"] {
        for size in [SMALL, Size::new(16, 16), Size::new(320, 192)] {
            let mut generator = Generator::open(&runtime, &model(name), size, 2).unwrap();
            let picture = chart(size);
            for _ in 0..2 {
                let styled = draw(&mut generator, &picture, 0, 1.0);
                for (drawn, input) in styled
                    .rgba()
                    .chunks_exact(4)
                    .zip(picture.rgba().chunks_exact(4))
                {
                    let inverse = [255 - input[0], 255 - input[1], 255 - input[2]];
                    assert_eq!(drawn[..3], inverse, "{name}");
                }
            }
        }
    }
}

#[test]
fn strength_of_a_model_without_a_style_input_is_mixed_outside() {
    let Some(runtime) = runtime() else { return };
    let mut generator = Generator::open(&runtime, &model("invert"), SMALL, 1).unwrap();
    let picture = chart(SMALL);
    assert_eq!(
        furthest(&draw(&mut generator, &picture, 0, 0.0), &picture),
        0
    );
    let half = draw(&mut generator, &picture, 0, 0.5);
    assert!(
        half.rgba()
            .chunks_exact(4)
            .all(|pixel| pixel[..3].iter().all(|value| (126..=129).contains(value)))
    );
    // The input is mixed in at the generator's size when the frame has another.
    let large = draw(&mut generator, &chart(Size::new(256, 192)), 0, 0.0);
    assert_eq!(large.size(), SMALL);
}

#[test]
fn the_style_map_chooses_by_cell_and_the_matte_is_alpha() {
    let Some(runtime) = runtime() else { return };
    let mut generator = Generator::open(&runtime, &model("colours"), SMALL, 2).unwrap();
    let picture = chart(SMALL);
    for (channel, expected) in [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
        .into_iter()
        .enumerate()
    {
        let styled = draw(&mut generator, &picture, channel, 1.0);
        for (drawn, input) in styled
            .rgba()
            .chunks_exact(4)
            .zip(picture.rgba().chunks_exact(4))
        {
            assert_eq!(drawn, [expected[0], expected[1], expected[2], input[0]]);
        }
    }
    assert!(furthest(&draw(&mut generator, &picture, 1, 0.0), &picture) <= 1);

    // Blue in the cell at column 2, row 1; nothing elsewhere.
    let cells = Size::new(4, 3);
    let mut weights = vec![0.0; 3 * 12];
    weights[2 * 12 + 4 + 2] = 1.0;
    let map = StyleMap::new(3, cells, weights).unwrap();
    let mut styled = Picture::default();
    generator.stylize(&picture, &map, &mut styled).unwrap();
    assert_eq!(styled.pixel(32, 16).unwrap()[..3], [0, 0, 255]);
    assert_eq!(styled.pixel(47, 31).unwrap()[..3], [0, 0, 255]);
    assert_eq!(
        styled.pixel(31, 16).unwrap()[..3],
        picture.pixel(31, 16).unwrap()[..3]
    );
    assert_eq!(
        styled.pixel(32, 32).unwrap()[..3],
        picture.pixel(32, 32).unwrap()[..3]
    );

    let other = StyleMap::new(3, Size::new(4, 4), vec![0.0; 48]).unwrap();
    let error = generator
        .stylize(&picture, &other, &mut styled)
        .unwrap_err();
    assert!(matches!(error, InferenceError::StyleMap { .. }), "{error}");
}

#[test]
fn frames_of_any_size_are_drawn_whole() {
    let Some(runtime) = runtime() else { return };
    let mut generator = Generator::open(&runtime, &model("invert"), SMALL, 2).unwrap();
    for size in [
        Size::new(1, 1),
        Size::new(1280, 720),
        Size::new(3, 1000),
        Size::new(63, 49),
    ] {
        // Left half white, right half black: the edge must come out in the middle.
        let mut picture = Picture::new(size);
        for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
            let white = (at as u32 % size.width) * 2 < size.width;
            pixel.copy_from_slice(&[if white { 255 } else { 0 }, 0, 0, 255]);
        }
        let styled = draw(&mut generator, &picture, 0, 1.0);
        assert_eq!(styled.pixel(0, 24).unwrap()[0], 0, "{size}");
        if size.width > 60 {
            assert_eq!(styled.pixel(63, 24).unwrap()[0], 255, "{size}");
            let middle: Vec<u8> = [30, 33].map(|x| styled.pixel(x, 24).unwrap()[0]).to_vec();
            assert!(middle[0] < 100 && middle[1] > 150, "{size}: {middle:?}");
        }
    }
}

#[test]
fn models_that_lie_are_refused_with_the_reason() {
    let Some(runtime) = runtime() else { return };
    let open = |name: &str, size| match Generator::open(&runtime, &model(name), size, 1) {
        Ok(_) => panic!("{name} was taken"),
        Err(error) => error,
    };
    assert!(matches!(
        open("nan", SMALL),
        InferenceError::NotANumber { .. }
    ));
    let error = open("half", SMALL);
    assert!(
        error
            .to_string()
            .contains("has the shape [1, 3, 24, 32], not [1, 3, 48, 64]"),
        "{error}"
    );
    let error = open("noise", SMALL);
    assert!(
        error.to_string().contains("needs an input \"noise\""),
        "{error}"
    );
    let error = open("fixed", SMALL);
    assert!(
        error.to_string().contains("takes the shape [1, 3, 64, 64]"),
        "{error}"
    );
    assert!(Generator::open(&runtime, &model("fixed"), Size::new(64, 64), 1).is_ok());
    for size in [Size::new(60, 48), Size::new(0, 16), Size::new(16, 1 << 20)] {
        assert!(
            matches!(open("invert", size), InferenceError::Size { .. }),
            "{size}"
        );
    }
}

#[test]
fn a_description_of_another_network_is_refused_with_the_reason() {
    let Some(runtime) = runtime() else { return };
    for (from, to, said) in [
        ("name = \"image\"", "name = \"photo\"", "no input \"photo\""),
        (
            "name = \"picture\"",
            "name = \"drawing\"",
            "no output \"drawing\"",
        ),
        ("name = \"matte\"", "name = \"mask\"", "no output \"mask\""),
        (
            "name = \"style\"",
            "name = \"styles\"",
            "no input \"styles\"",
        ),
        ("cell = 16", "cell = 8", "colours.onnx"),
        ("cell = 16", "cell = 16\nchannels = 5", "takes the shape"),
        (
            "[image]\n",
            "[image]\nlayout = \"nhwc\"\n",
            "takes the shape",
        ),
    ] {
        let home = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(folder("colours").join("model.toml")).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(home.path().join("model.toml"), text.replacen(from, to, 1)).unwrap();
        fs::copy(
            folder("colours").join("colours.onnx"),
            home.path().join("colours.onnx"),
        )
        .unwrap();
        let model = Arc::new(Model::read(home.path()).unwrap());
        let error = Generator::open(&runtime, &model, SMALL, 1).err().unwrap();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn values_that_are_not_numbers_are_an_error_and_the_next_picture_is_drawn() {
    let Some(runtime) = runtime() else { return };
    let mut generator = Generator::open(&runtime, &model("log"), SMALL, 1).unwrap();
    let map = StyleMap::uniform(generator.model(), SMALL, 0, 1.0).unwrap();
    let mut styled = Picture::default();
    let black = Picture::new(SMALL);
    let error = generator.stylize(&black, &map, &mut styled).unwrap_err();
    assert!(
        matches!(error, InferenceError::NotANumber { .. }),
        "{error}"
    );
    let white = Picture::from_rgba(SMALL, vec![255; SMALL.area() * 4]).unwrap();
    generator.stylize(&white, &map, &mut styled).unwrap();
    assert_eq!(styled.pixel(5, 5).unwrap()[..3], [0; 3]);
}

/// The demo's portrait.
fn portrait() -> Picture {
    panelcam::capture::read_photo(std::path::Path::new("assets/demo/astronaut.jpg")).unwrap()
}

#[test]
fn the_segmenter_finds_people_for_models_without_a_matte_and_for_the_builtin_one() {
    let Some(runtime) = runtime() else { return };
    let photo = portrait();
    let sizes = [Size::new(256, 256), Size::new(320, 192), Size::new(96, 192)];
    let builtin = Arc::new(Model::builtin().unwrap());
    let cases = sizes.map(|size| [(model("invert"), size), (Arc::clone(&builtin), size)]);
    for (model, size) in cases.into_iter().flatten() {
        let mut generator = Generator::open(&runtime, &model, size, 1).unwrap();
        let styled = draw(&mut generator, &photo, 0, 1.0);
        let alpha = |x: f32, y: f32| {
            let at = |share: f32, side: u32| (share * side as f32) as u32;
            styled.pixel(at(x, size.width), at(y, size.height)).unwrap()[3]
        };
        // Her face, her suit; the wall beside her.
        assert!(alpha(0.44, 0.22) > 200, "{size}: {}", alpha(0.44, 0.22));
        assert!(alpha(0.40, 0.70) > 200, "{size}: {}", alpha(0.40, 0.70));
        assert!(alpha(0.60, 0.06) < 60, "{size}: {}", alpha(0.60, 0.06));
    }
}

#[test]
fn a_network_that_asks_is_told_where_people_are() {
    let Some(runtime) = runtime() else { return };
    let photo = portrait();
    for size in [Size::new(256, 256), Size::new(320, 192), Size::new(96, 192)] {
        let mut generator = Generator::open(&runtime, &model("told"), size, 1).unwrap();
        let styled = draw(&mut generator, &photo, 0, 1.0);
        let told = |x: f32, y: f32| {
            let at = |share: f32, side: u32| (share * side as f32) as u32;
            styled.pixel(at(x, size.width), at(y, size.height)).unwrap()[0]
        };
        assert!(told(0.44, 0.22) > 200, "{size}: {}", told(0.44, 0.22));
        assert!(told(0.40, 0.70) > 200, "{size}: {}", told(0.40, 0.70));
        assert!(told(0.65, 0.02) < 60, "{size}: {}", told(0.65, 0.02));
        // The same matte is the drawing's.
        let pixels = styled.rgba().as_chunks::<4>().0;
        let differ = |pixel: &&[u8; 4]| pixel[0].abs_diff(pixel[3]) > 128;
        let apart = pixels.iter().filter(differ).count() as f32 / pixels.len() as f32;
        assert!(apart < 0.06, "{size}: {apart}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let Some(runtime) = runtime() else { return };
    let whole = fs::read(folder("colours").join("colours.onnx")).unwrap();
    let mut flipped = whole.clone();
    for byte in flipped.iter_mut().skip(40).step_by(7) {
        *byte ^= 0x55;
    }
    for content in [
        vec![],
        whole[..whole.len() / 2].to_vec(),
        flipped,
        b"not a network".repeat(20),
    ] {
        let home = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(folder("colours").join("model.toml")).unwrap();
        fs::write(home.path().join("colours.onnx"), &content).unwrap();
        fs::write(home.path().join("model.toml"), &text).unwrap();
        let error = Model::read(home.path()).unwrap_err();
        assert!(matches!(error, InferenceError::Hash { .. }), "{error}");

        // With a hash that matches, ONNX Runtime is the one that refuses.
        let (_, old) = text.split_once("sha256 = \"").unwrap();
        fs::write(
            home.path().join("model.toml"),
            text.replace(&old[..64], &sha256(&content)),
        )
        .unwrap();
        let model = Arc::new(Model::read(home.path()).unwrap());
        let error = Generator::open(&runtime, &model, SMALL, 1).err().unwrap();
        assert!(
            matches!(
                error,
                InferenceError::Broken { .. } | InferenceError::Contract { .. }
            ),
            "{error}"
        );
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn the_shipped_model_keeps_its_contract() {
    let Some(runtime) = runtime() else { return };
    let model = Arc::new(Model::builtin().unwrap());
    for size in [Size::new(64, 64), Size::new(448, 256), Size::new(352, 640)] {
        let mut generator = Generator::open(&runtime, &model, size, 2).unwrap();
        let picture = chart(size);
        let drawings: Vec<Picture> = (0..model.channels())
            .map(|channel| {
                assert!(furthest(&draw(&mut generator, &picture, channel, 0.0), &picture) <= 2);
                draw(&mut generator, &picture, channel, 1.0)
            })
            .collect();
        for (at, drawing) in drawings.iter().enumerate() {
            assert!(
                furthest(drawing, &picture) > 20,
                "style {at} changes nothing"
            );
            assert!(
                drawings[..at]
                    .iter()
                    .all(|other| furthest(other, drawing) > 20),
                "style {at} is another's"
            );
        }
    }
}

#[test]
fn tuning_is_measured_once_and_kept() {
    let Some(runtime) = runtime() else { return };
    let home = tempfile::tempdir().unwrap();
    let (places, model) = (Places::under(home.path()), model("invert"));
    let tuning = Tuning::of(&runtime, &model, &places).unwrap();
    assert!((1..=inference::cores()).contains(&tuning.threads));
    assert!(tuning.nanos_per_pixel > 0.0);
    let file = places.cache.join("tuning.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains(model.sha256()) && text.contains(runtime.version()),
        "{text}"
    );

    let marked = text.replacen(&format!("threads = {}", tuning.threads), "threads = 77", 1);
    fs::write(&file, marked).unwrap();
    assert_eq!(Tuning::of(&runtime, &model, &places).unwrap().threads, 77);
    fs::write(&file, "not toml at all [").unwrap();
    assert!(Tuning::of(&runtime, &model, &places).unwrap().threads <= inference::cores());
    assert_eq!(
        Tuning::with_threads(&runtime, &model, &places, 1)
            .unwrap()
            .threads,
        1
    );

    // A cache that cannot be written costs time, nothing else.
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Tuning::of(&runtime, &model, &Places::under(&file)).is_ok());
}

#[test]
fn the_bare_loop_counts_runs() {
    let Some(runtime) = runtime() else { return };
    let rate = inference::bare_loop(
        &runtime,
        &model("invert"),
        SMALL,
        1,
        Duration::from_millis(50),
    )
    .unwrap();
    assert!(rate > 100.0, "{rate}");
}
