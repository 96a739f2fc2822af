//! The generator alone: a photo in, a drawing out.
//! `cargo run --example stylize_image -- me.jpg drawn.png noir`

use std::path::Path;

use anyhow::Context as _;
use panelcam::capture::read_photo;
use panelcam::frame::Picture;
use panelcam::inference::{Generator, Library, Runtime, StyleMap, size_within};
use panelcam::output::{Existing, save_picture};
use panelcam::places::Places;

fn main() -> anyhow::Result<()> {
    panelcam::inference::disable_telemetry();
    let mut arguments = std::env::args().skip(1);
    let (input, output) = arguments
        .next()
        .zip(arguments.next())
        .context("name a photo and a new file")?;
    let id = arguments.next().unwrap_or_else(|| "clean".to_owned());

    let places = Places::of_user();
    let runtime = Runtime::load(&places)?;
    let (library, _) = Library::load(&places);
    let style = library.find(&id).context("there is no such style")?;

    let photo = read_photo(Path::new(&input))?;
    let size = size_within(photo.size(), 1024, style.model.size_multiple());
    let mut generator = Generator::open(&runtime, &style.model, size, 2)?;
    let map = StyleMap::uniform(&style.model, size, style.channel, 1.0)?;
    let mut drawing = Picture::default();
    generator.stylize(&photo, &map, &mut drawing)?;

    // Alpha is the matte; a program's alpha is premultiplied and opaque here.
    drawing
        .rgba_mut()
        .chunks_exact_mut(4)
        .for_each(|pixel| pixel[3] = 255);
    save_picture(&drawing, Path::new(&output), Existing::Overwrite)?;
    Ok(())
}
