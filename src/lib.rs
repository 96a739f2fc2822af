//! panelcam puts people into a webtoon, live.
//!
//! A camera frame goes through a GPU ONNX generator that redraws it as a webtoon, and `wgpu`
//! composites the drawing into the panels of a comic page. ARCHITECTURE.md is the map; the
//! modules below are in the order of the data flow, the small shared pieces last.

pub mod capture;
pub mod cli;
pub mod compositor;
pub mod inference;
pub mod output;
pub mod panels;
pub mod people;
pub mod server;
pub mod shots;
pub mod strip;
pub mod ui;

pub mod app;
pub mod pipeline;

pub mod action;
pub mod clock;
pub mod ffmpeg;
pub mod frame;
pub mod mailbox;
pub mod places;
pub mod settings;
pub mod source;
pub mod status;
pub mod watch;
pub mod worker;
