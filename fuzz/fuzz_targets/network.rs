//! ONNX files that come without a description: what they say of themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    panelcam::inference::fuzzing::network(bytes);
});
