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
# A face a few steps away, drawn at the size of a slow machine, without close-ups and with them.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ffmpeg -v error -i assets/demo/astronaut.jpg -filter_complex \
    "split[a][b];[a]scale=1280:-1,crop=1280:720,boxblur=24[wall];[b]scale=400:400[person];[wall][person]overlay=440:320" \
    "$work/far.png"
for close_ups in false true; do
    printf '[inference]\nclose_ups = %s\n' "$close_ups" > "$work/$close_ups.toml"
    "$panelcam" --config "$work/$close_ups.toml" convert "$work/far.png" "$work/$close_ups.png" --quality fast --style clean --page none
done
ffmpeg -v error -y -i "$work/false.png" -i "$work/true.png" -filter_complex \
    "[0]crop=320:260:460:320,scale=480:-1[a];[1]crop=320:260:460:320,scale=480:-1[b];[a][b]hstack" -q:v 3 "$folder/close-ups.jpg"
"$panelcam" pages sheet "$folder/pages.jpg" --width 1200 --overwrite
printf 'The pictures are in %s.\n' "$folder"
