//! Lists cameras and their formats. `cargo run --example list_cameras`

#![expect(clippy::print_stdout, reason = "an example talks to its terminal")]

use panelcam::capture;

fn main() -> anyhow::Result<()> {
    for device in capture::devices()? {
        println!("camera:{} {}", device.index, device.name);
        for format in &device.formats {
            println!("    {format}");
        }
    }
    Ok(())
}
