//! The `panelcam` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before any thread is there: it sets an environment variable.
    panelcam::inference::disable_telemetry();
    panelcam::cli::main()
}
