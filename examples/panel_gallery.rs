//! Lays a picture into every page, to look at them all.
//!
//! `cargo run --example panel_gallery -- OUT-FOLDER [PICTURE.png [WIDTH]]`: the picture's alpha is
//! the matte; without one, a drawn stand-in is used.

#![expect(clippy::print_stdout, reason = "it tells what it does")]

use std::path::{Path, PathBuf};

use panelcam::compositor::{Compositor, Gpu, Scene};
use panelcam::frame::{Picture, Size};
use panelcam::panels::Library;
use panelcam::people::Focus;
use panelcam::places::Places;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "out/pages".to_owned()));
    let picture = match arguments.next() {
        Some(path) => open(Path::new(&path))?,
        None => stand_in(),
    };
    let width: Option<u32> = arguments.next().map(|width| width.parse()).transpose()?;
    std::fs::create_dir_all(&folder)?;
    let (library, warnings) = Library::load(&Places::of_user());
    let gpu = Gpu::headless()?;
    println!("Drawn by {}", gpu.name);
    for warning in warnings {
        println!("{warning}");
    }
    for page in library.pages() {
        let natural = page.size();
        let size = width.map_or(natural, |width| {
            Size::new(width, (natural.height * width / natural.width).max(1))
        });
        let mut compositor = Compositor::new(gpu.clone())?;
        compositor.set_page(page, size)?;
        compositor.upload_frame(&picture)?;
        compositor.upload_styled(&picture)?;
        let time = std::time::Duration::ZERO;
        let focus = Focus::default().follow(&picture, time);
        let texture = compositor.render(&Scene { time, mirror: false, compare: false, focus })?;
        let mut program = Picture::default();
        compositor.read(&texture, &mut program)?;
        let path = folder.join(format!("{}.png", page.id()));
        let rgba = program.into_rgba();
        image::save_buffer(&path, &rgba, size.width, size.height, image::ColorType::Rgba8)?;
        println!("{}", path.display());
        for warning in page.warnings() {
            println!("  {warning}");
        }
    }
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<Picture> {
    let image = image::open(path)?.to_rgba8();
    let size = Size::new(image.width(), image.height());
    Picture::from_rgba(size, image.into_raw()).ok_or_else(|| anyhow::anyhow!("an odd picture"))
}

/// Somebody in front of a wall.
fn stand_in() -> Picture {
    let size = Size::new(1280, 720);
    let mut picture = Picture::new(size);
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let x = (at as u32 % size.width) as f32 / size.width as f32;
        let y = (at as u32 / size.width) as f32 / size.height as f32;
        let within = |cx: f32, cy: f32, rx: f32, ry: f32| {
            ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0
        };
        let (colour, alpha) = if within(0.5, 0.36, 0.11, 0.24) {
            ([250, 214, 190], 255)
        } else if within(0.5, 1.0, 0.26, 0.36) {
            ([74, 96, 190], 255)
        } else {
            ([205, 220, 226], 0)
        };
        pixel[..3].copy_from_slice(&colour);
        pixel[3] = alpha;
    }
    picture
}
