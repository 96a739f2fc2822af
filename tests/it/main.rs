//! All integration tests, in one binary.

mod compositor;
mod pages;
mod shaders;
