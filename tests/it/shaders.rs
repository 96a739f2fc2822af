//! Shaders are valid, and Rust writes what they read.

use std::fs;
use std::mem::offset_of;
use std::path::Path;

use naga::valid::{Capabilities, ValidationFlags, Validator};
use panelcam::compositor::{EffectData, LayerData};
use panelcam::panels::EffectKind;

/// An effect is read with what all effects share before it.
fn parse(name: &str) -> Result<naga::Module, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let read =
        |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
    let text = match name.strip_prefix("fx/") {
        Some("common.wgsl") => read(name)? + "fn draw(p: vec2<f32>) -> vec2<f32> { return p; }",
        Some(_) => read("fx/common.wgsl")? + &read(name)?,
        None => read(name)?,
    };
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
    for inner in ["", "fx/"] {
        for entry in fs::read_dir(folder.join(inner)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".wgsl") {
                found += 1;
                let name = format!("{inner}{name}");
                if let Err(error) = parse(&name) {
                    failures.push(format!("{name}: {error}"));
                }
            }
        }
    }
    assert!(found > EffectKind::ALL.len(), "only {found} were found");
    assert!(
        failures.is_empty(),
        "{} of {found} failed\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn an_effect_is_told_what_the_shader_reads() {
    let module = parse("fx/common.wgsl").unwrap();
    let ours = [
        ("size", offset_of!(EffectData, size)),
        ("face", offset_of!(EffectData, face)),
        ("corner", offset_of!(EffectData, corner)),
        ("pixel", offset_of!(EffectData, pixel)),
        ("drawing", offset_of!(EffectData, drawing)),
        ("drawings", offset_of!(EffectData, drawings)),
        ("seed", offset_of!(EffectData, seed)),
        ("density", offset_of!(EffectData, density)),
        ("angle", offset_of!(EffectData, angle)),
        ("strength", offset_of!(EffectData, strength)),
        ("scale", offset_of!(EffectData, scale)),
        ("spare", offset_of!(EffectData, spare)),
    ];
    agree(&module, "Effect", &ours, size_of::<EffectData>());
}

#[test]
fn the_layer_is_laid_out_as_the_shader_reads_it() {
    let module = parse("page.wgsl").unwrap();
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
        ("sharp", offset_of!(LayerData, sharp)),
        ("plain", offset_of!(LayerData, plain)),
        ("close_ups", offset_of!(LayerData, close_ups)),
        ("screen", offset_of!(LayerData, screen)),
        ("close_maps", offset_of!(LayerData, close_maps)),
        ("close_areas", offset_of!(LayerData, close_areas)),
        ("dots", offset_of!(LayerData, dots)),
        ("cover", offset_of!(LayerData, cover)),
        ("dot_edge", offset_of!(LayerData, dot_edge)),
        ("crisp", offset_of!(LayerData, crisp)),
    ];
    agree(&module, "Layer", &ours, size_of::<LayerData>());
}

#[track_caller]
fn agree(module: &naga::Module, name: &str, ours: &[(&str, usize)], size: usize) {
    let (_, kind) = module
        .types
        .iter()
        .find(|(_, kind)| kind.name.as_deref() == Some(name))
        .unwrap();
    let naga::TypeInner::Struct { members, span } = &kind.inner else {
        panic!("{name} is no struct");
    };
    let theirs: Vec<(&str, usize)> = members
        .iter()
        .map(|member| (member.name.as_deref().unwrap(), member.offset as usize))
        .collect();
    assert_eq!(theirs, ours);
    assert_eq!(*span as usize, size);
}
