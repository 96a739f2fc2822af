//! The `panelcam` program; everything is in the library.

fn main() {}
