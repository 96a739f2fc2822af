//! All integration tests, in one binary: one link, one start.

mod camera;
mod capture;
mod cli;
mod compositor;
mod convert;
mod pages;
mod shaders;
mod support;
mod tidy;
mod ui;
mod window;
