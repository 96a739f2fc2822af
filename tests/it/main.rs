//! All integration tests, in one binary: one link, one start.

mod capture;
#[cfg(target_os = "linux")]
mod capture_camera;
