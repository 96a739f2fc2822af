//! Descriptions of models, `model.toml`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    panelcam::inference::fuzzing::description(text);
});
