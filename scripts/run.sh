#!/usr/bin/env bash
# Installs what is missing, builds panelcam and opens it. Arguments go to panelcam.
#
# On a machine with no display it does the same job headless on the built-in demo: a picture, a
# strip and a clip, in out/.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

if command -v apt-get >/dev/null; then
    scripts/setup.sh build screen
else
    say "Not a Debian or Ubuntu system: taking for granted that the README's list of packages is installed."
fi
scripts/setup.sh runtime
say "Building panelcam. The first time takes some minutes."
cargo build --release --locked --quiet
panelcam=target/release/panelcam

if [ $# -gt 0 ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname -s)" = Darwin ]; then
    say "Starting panelcam."
    exec "$panelcam" "$@"
fi

say "There is no display: drawing the built-in demo without a window."
mkdir -p out
"$panelcam" convert demo out/picture.png --page webtoon --overwrite
"$panelcam" convert demo out/strip.png --page two-panel --overwrite
"$panelcam" convert demo out/clip.mp4 --page webtoon --frames 150 --overwrite
say "The picture is out/picture.png, the strip out/strip.png, the clip out/clip.mp4."
