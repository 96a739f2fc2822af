#!/usr/bin/env bash
# Makes the pictures of the documents with the program itself, from the built-in demo.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --quiet
panelcam=target/release/panelcam
folder=docs/pictures
mkdir -p "$folder"
"$panelcam" convert demo "$folder/demo.jpg" --size 640x360 --strength 0 --overwrite
"$panelcam" convert demo "$folder/drawn.jpg" --size 640x360 --quality full --overwrite
for page in webtoon two-panel; do
    "$panelcam" convert demo "$folder/$page.jpg" --page "$page" --overwrite
done
for style in $("$panelcam" styles | awk '{print $1}'); do
    "$panelcam" convert demo "$folder/style-$style.jpg" --size 480x270 --style "$style" --overwrite
done
"$panelcam" pages sheet "$folder/pages.jpg" --width 1200 --overwrite
printf 'The pictures are in %s.\n' "$folder"
