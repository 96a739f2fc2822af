#!/usr/bin/env bash
# Feeds what comes from outside (pages, words, models) with anything, to find what breaks on it.
#
#   scripts/fuzz.sh [SECONDS] [TARGET…]    60 seconds each; targets: page lettering network description
#
# Findings lie in fuzz/artifacts; fuzz/README.md says what to do with them. No part of scripts/test.sh:
# there, property tests do the same work for a moment, with a stable compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

all=(page lettering network description)
seconds=${1:-60}
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
    say "\"$seconds\" is no number of seconds. Say: scripts/fuzz.sh 60 page"
    exit 2
fi
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")
for target in "${targets[@]}"; do
    if [ ! -f "fuzz/fuzz_targets/$target.rs" ]; then
        say "There is no target \"$target\". There are: ${all[*]}."
        exit 2
    fi
done

if ! command -v cargo-fuzz >/dev/null; then
    say "cargo-fuzz is not installed, so nothing was fuzzed. Install it with: cargo install cargo-fuzz"
    say "Without it, the property tests try the same for a moment: cargo test any"
    exit 1
fi
if cargo +nightly --version >/dev/null 2>&1; then
    cargo=(cargo +nightly)
    checks=()
else
    say "There is no nightly compiler: panics, endless loops and too much memory are found, wrong addresses are not."
    cargo=(cargo)
    checks=(-s none)
fi

# What a target begins with, besides what earlier runs kept.
seeds_of() {
    case $1 in
    page) echo tests/pages assets/pages ;;
    network) echo models/toon models/people ;;
    description) echo models/toon models/people ;;
    esac
}

found=()
for target in "${targets[@]}"; do
    say "== $target, $seconds seconds"
    mkdir -p "fuzz/corpus/$target"
    if ! "${cargo[@]}" fuzz build "${checks[@]}" "$target"; then
        say "The target $target does not build; the compiler says why above. Nothing was fuzzed with it."
        exit 1
    fi
    read -ra seeds <<<"$(seeds_of "$target")"
    "${cargo[@]}" fuzz run "${checks[@]}" "$target" "fuzz/corpus/$target" "${seeds[@]}" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 || found+=("$target")
done
if [ ${#found[@]} -gt 0 ]; then
    say "Something was found by: ${found[*]}. See fuzz/artifacts; a finding becomes a test in tests/it."
    exit 1
fi
say "Nothing was found."
