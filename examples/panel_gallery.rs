//! Every page there is, with the test pattern in its panels, as PNG files in a folder.
//! `cargo run --example panel_gallery -- out`

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to its terminal"
)]

use std::path::PathBuf;
use std::time::Duration;

use panelcam::capture::Pattern;
use panelcam::compositor::{Compositor, Gpu, Scene};
use panelcam::frame::{Picture, Size};
use panelcam::output::{Existing, save_picture};
use panelcam::panels::Library;
use panelcam::people::Head;
use panelcam::places::Places;
use panelcam::settings::Language;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "out".to_owned()));
    std::fs::create_dir_all(&folder)?;
    let mut frame = Picture::default();
    Pattern::new(Size::new(1280, 720)).draw(0, &mut frame);

    let language = Language::of_system();
    let (library, warnings) = Library::load(&Places::of_user(), language);
    for warning in warnings {
        eprintln!("{warning}");
    }
    let mut compositor = Compositor::new(Gpu::headless()?)?;
    for page in library.pages(language).iter() {
        compositor.set_page(page, page.size())?;
        compositor.upload_frame(&frame)?;
        compositor.upload_styled(&frame)?;
        let scene = Scene {
            time: Duration::ZERO,
            mirror: false,
            compare: false,
            focus: Head::USUAL,
        };
        let texture = compositor.render(&scene)?;
        let mut program = Picture::default();
        compositor.read(&texture, &mut program)?;
        let path = folder.join(format!("{}.png", page.id()));
        save_picture(&program, &path, Existing::Overwrite)?;
        println!("{}", path.display());
    }
    Ok(())
}
