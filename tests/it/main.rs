//! All integration tests, in one binary: one link, one start.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a test may stop where it stands; helpers outside #[test] functions too"
)]

mod capture;
#[cfg(target_os = "linux")]
mod capture_camera;
mod cli;
mod compositor;
mod convert;
mod disk_full;
mod effects;
mod faces;
mod finish;
mod import;
mod import_folder;
mod import_live;
mod import_pair;
mod import_slow;
mod import_strength;
mod import_unusual;
mod inference;
mod inference_alone;
mod inference_stage;
mod layers;
mod lettering;
mod model_contract;
mod pages;
mod pages_any;
mod pages_exports;
mod pages_golden;
mod pages_hostile;
mod pages_language;
mod pages_told;
mod pipeline;
mod reasons;
mod reload;
mod runtime;
#[cfg(target_os = "linux")]
mod runtime_broken;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod runtime_openvino;
mod scroll;
mod server;
mod server_live;
mod shaders;
mod sharp;
mod sounds;
mod strip;
mod support;
mod tidy;
mod ui;
mod ui_page;
mod ui_server;
mod window;
#[cfg(target_os = "linux")]
mod window_drop;
