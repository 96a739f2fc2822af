//! Shaders are valid, and Rust writes what they read.

use std::fs;
use std::mem::offset_of;
use std::path::Path;

use naga::valid::{Capabilities, ValidationFlags, Validator};
use panelcam::compositor::LayerData;

fn parse(name: &str) -> Result<naga::Module, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("shaders")
        .join(name);
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let module =
        naga::front::wgsl::parse_str(&text).map_err(|error| error.emit_to_string(&text))?;
    Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|error| error.emit_to_string(&text))?;
    Ok(module)
}

#[test]
fn every_shader_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let (mut found, mut failures) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".wgsl") {
            found += 1;
            if let Err(error) = parse(&name) {
                failures.push(format!("{name}: {error}"));
            }
        }
    }
    assert!(found > 0, "no shader was found");
    assert!(
        failures.is_empty(),
        "{} of {found} failed\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn the_layer_is_laid_out_as_the_shader_reads_it() {
    let module = parse("page.wgsl").unwrap();
    let (_, layer) = module
        .types
        .iter()
        .find(|(_, kind)| kind.name.as_deref() == Some("Layer"))
        .unwrap();
    let naga::TypeInner::Struct { members, span } = &layer.inner else {
        panic!("Layer is no struct");
    };
    let theirs: Vec<(&str, u32)> = members
        .iter()
        .map(|member| (member.name.as_deref().unwrap(), member.offset))
        .collect();
    let ours = [
        ("uv_origin", offset_of!(LayerData, uv_origin)),
        ("uv_step", offset_of!(LayerData, uv_step)),
        ("program", offset_of!(LayerData, program)),
        ("corner", offset_of!(LayerData, corner)),
        ("first", offset_of!(LayerData, first)),
        ("second", offset_of!(LayerData, second)),
        ("shadow", offset_of!(LayerData, shadow)),
        ("outline", offset_of!(LayerData, outline)),
        ("blur", offset_of!(LayerData, blur)),
        ("reach", offset_of!(LayerData, reach)),
        ("cut", offset_of!(LayerData, cut)),
        ("waits", offset_of!(LayerData, waits)),
        ("mode", offset_of!(LayerData, mode)),
    ];
    assert_eq!(theirs, ours.map(|(name, offset)| (name, offset as u32)));
    assert_eq!(*span as usize, size_of::<LayerData>());
}
