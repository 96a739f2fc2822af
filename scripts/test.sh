#!/usr/bin/env bash
# Installs what the tests need and runs all of them: the same here and in CI.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*" >&2; }

say "Installing what is missing."
scripts/setup.sh build screen test runtime

# Other systems than Debian have no such package: then the test of WebGPU says that it is skipped.
scripts/setup.sh webgpu && export REQUIRE_WEBGPU=1 || say "WebGPU is not tested here: there is no driver for it."

# Its package is large: it is fetched only by who asks for it.
if [ -d runtime/openvino ]; then
    export REQUIRE_OPENVINO=1
else
    say "OpenVINO is NOT tested here: it was not fetched (scripts/setup.sh openvino, 53 MB)."
fi

# A missing device would make tests skip. Here everything is installed, so that is a failure.
export REQUIRE_GPU=1 REQUIRE_RUNTIME=1 REQUIRE_DISPLAY=1
ORT_DYLIB_PATH=$(ls "$PWD"/runtime/libonnxruntime* | head -n 1)
export ORT_DYLIB_PATH

# Models of other people are no part of this repository; what is found out about them is compared with
# what their makers say where they lie beside it and a Python with the packages is at hand.
cases=../shared/cases
if [ -z "${PANELCAM_TEST_PYTHON:-}" ]; then
    for python in python3 python; do
        if "$python" -c 'import numpy, onnxruntime, PIL' 2>/dev/null; then
            PANELCAM_TEST_PYTHON=$(command -v "$python")
            break
        fi
    done
fi
if [ -n "${PANELCAM_TEST_PYTHON:-}" ] && [ -d "$cases/models" ]; then
    export PANELCAM_TEST_PYTHON
else
    say "Other people's models are NOT tested here: that needs $cases/models, and a Python with numpy, onnxruntime and pillow (in the path, or named by PANELCAM_TEST_PYTHON)."
fi

say "Checking the formatting."
cargo fmt --check

say "Checking with clippy."
cargo clippy --locked --all-targets -- -D warnings

say "Building and running the tests."
cargo test --locked

say "Building the documentation."
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet

if command -v cargo-deny >/dev/null; then
    say "Checking licences."
    cargo deny --offline --locked check licenses bans sources
else
    say "Licences are not checked here: cargo-deny is not installed. The public workflow checks them."
fi
say "All tests passed."
