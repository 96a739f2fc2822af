//! `panelcam devices`: cameras with formats, sizes, rates.

use clap::Args;
use serde_json::json;

use super::{print, print_json, say};
use crate::capture;

#[derive(Args)]
pub(super) struct Arguments {
    /// Print one JSON value.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let devices = capture::devices()?;
    if arguments.json {
        let list: Vec<_> = devices
            .iter()
            .map(|device| {
                json!({
                    "id": format!("camera:{}", device.index),
                    "name": device.name,
                    "path": device.path,
                    "formats": device.formats.iter().map(|format| json!({
                        "format": format.fourcc.to_string(),
                        "size": format.size.to_string(),
                        "fps": format.fps,
                    })).collect::<Vec<_>>(),
                })
            })
            .collect();
        print_json(&list.into());
        return Ok(());
    }
    if devices.is_empty() {
        say("No camera was found. Plug one in, or use --source demo.");
    }
    for device in &devices {
        let path = device
            .path
            .as_ref()
            .map_or(String::new(), |path| format!("  {}", path.display()));
        print(&format!("camera:{}  {}{path}", device.index, device.name));
        for format in &device.formats {
            print(&format!("    {format}"));
        }
    }
    Ok(())
}
