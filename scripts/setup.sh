#!/usr/bin/env bash
# Installs what panelcam needs on Debian or Ubuntu, and nothing that is there already.
#
#   scripts/setup.sh build      what cargo needs, and ffmpeg
#   scripts/setup.sh screen     software Vulkan and the window's libraries
#   scripts/setup.sh test       a virtual screen and what the tests look at it with
#   scripts/setup.sh runtime    ONNX Runtime's library, into runtime/
#   scripts/setup.sh webgpu     a Vulkan driver in software that WebGPU can run on, into runtime/
#   scripts/setup.sh openvino   OpenVINO's plug-in for ONNX Runtime, into runtime/
#
# Several may be named at once. Works as root or with sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# Asks the package manager only when something is missing: the second run costs nothing.
install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { say "These packages are missing and there is no sudo. Install them as root: ${missing[*]}"; exit 1; }
        as_root=(sudo)
    fi
    say "Installing system packages: ${missing[*]}."
    "${as_root[@]}" apt-get update -qq || say "The package lists could not be updated. Trying with the old ones."
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_apt() {
    command -v apt-get >/dev/null && return
    say "This script knows Debian and Ubuntu only. The README lists what other systems need."
    exit 1
}

setup_build() {
    need_apt
    command -v cargo >/dev/null || { say "cargo is missing. Install Rust first: README, section Install."; exit 1; }
    install_packages build-essential pkg-config cmake nasm libclang-dev linux-libc-dev ffmpeg
}

setup_screen() {
    need_apt
    install_packages libvulkan1 mesa-vulkan-drivers libegl1 libgl1-mesa-dri libwayland-client0 \
        libxkbcommon-x11-0 libx11-xcb1 libxcursor1 libxi6 libxrandr2
}

setup_test() {
    need_apt
    install_packages xvfb xdotool
}

setup_runtime() {
    local library=libonnxruntime.so.1.28.0 pattern='*/capi/libonnxruntime.so.1.28.0' platform
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) platform=(manylinux_2_27_x86_64 manylinux_2_28_x86_64) ;;
        Linux-aarch64) platform=(manylinux_2_27_aarch64 manylinux_2_28_aarch64) ;;
        Darwin-arm64) platform=(macosx_14_0_arm64) library=libonnxruntime.1.28.0.dylib pattern='*/capi/libonnxruntime.*.dylib' ;;
        *) say "There is no ONNX Runtime 1.28 wheel for $(uname -sm). Put its library into runtime/ yourself."; exit 1 ;;
    esac
    [ -f "runtime/$library" ] && return
    say "Fetching ONNX Runtime 1.28.0 (24 MB) and checking its hash."
    python3 -m pip --version >/dev/null 2>&1 || { need_apt; install_packages python3 python3-pip; }
    local folder
    folder=$(mktemp -d)
    # shellcheck disable=SC2064  # expanded now: the variable is gone when the trap runs
    trap "rm -rf '$folder'" EXIT
    # One wheel whatever the local Python is: only the library inside is used.
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --implementation cp --python-version 3.11 "${platform[@]/#/--platform=}" \
        --require-hashes -r scripts/onnxruntime.txt -d "$folder"
    mkdir -p runtime
    python3 - "$folder" "$pattern" "runtime/$library" <<'PYTHON'
import fnmatch, glob, os, sys, zipfile
folder, pattern, target = sys.argv[1:]
with zipfile.ZipFile(glob.glob(folder + "/*.whl")[0]) as wheel:
    name = next(n for n in wheel.namelist() if fnmatch.fnmatch(n, pattern))
    with open(target + ".part", "wb") as part:
        part.write(wheel.read(name))
os.replace(target + ".part", target)
PYTHON
    say "ONNX Runtime is at runtime/$library."
}

# ONNX Runtime's WebGPU wants a newer driver than Debian's Mesa; Debian's Chromium has one. Only that is
# kept, two files.
setup_webgpu() {
    need_apt
    [ -f runtime/swiftshader/vk_swiftshader_icd.json ] && return
    say "Fetching SwiftShader (30 MB)."
    local folder
    folder=$(mktemp -d)
    chmod 755 "$folder"
    (cd "$folder" && apt-get download -qq chromium-common)
    dpkg -x "$folder"/chromium-common_*.deb "$folder/all"
    mkdir -p runtime/swiftshader
    cp "$folder/all/usr/lib/chromium/libvk_swiftshader.so" runtime/swiftshader/
    # Last: it says that all is there.
    cp "$folder/all/usr/lib/chromium/vk_swiftshader_icd.json" runtime/swiftshader/
    rm -rf "$folder"
}

# What `panelcam runtime add openvino` would fetch.
setup_openvino() {
    [ -d runtime/openvino ] && return
    [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || { say "The tests of OpenVINO are for Linux on x86-64."; exit 1; }
    say "Fetching OpenVINO (53 MB) and checking its hash."
    python3 -m pip --version >/dev/null 2>&1 || { need_apt; install_packages python3 python3-pip; }
    mkdir -p runtime
    rm -rf runtime/openvino.part
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --implementation cp --python-version 3.11 --platform manylinux_2_28_x86_64 \
        --require-hashes -r scripts/openvino.txt -d runtime/openvino.part
    python3 - runtime/openvino.part <<'PYTHON'
import glob, os, sys, zipfile
folder, = sys.argv[1:]
wheel, = glob.glob(folder + "/*.whl")
with zipfile.ZipFile(wheel) as members:
    for name in members.namelist():
        if ".so" in os.path.basename(name):
            with open(os.path.join(folder, os.path.basename(name)), "wb") as library:
                library.write(members.read(name))
os.remove(wheel)
PYTHON
    # Last: it says that all is there.
    mv runtime/openvino.part runtime/openvino
}

[ $# -gt 0 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
for part in "$@"; do
    case "$part" in
        build | screen | test | runtime | webgpu | openvino) "setup_$part" ;;
        *) say "Unknown part: $part. There are build, screen, test, runtime, webgpu, openvino."; exit 2 ;;
    esac
done
