#!/usr/bin/env bash
# Runs the clients of other languages against the program. Needs node and python3; the SDK comes from the registry.
set -euo pipefail
cd "$(dirname "$0")/../../.."

cargo build --quiet --package dintero-sandbox
work=$(mktemp -d)
trap 'kill "${program:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
"$target/debug/dintero-sandbox" --port 0 > "$work/told" &
program=$!
until grep -q '^  calls' "$work/told"; do sleep 0.1; done
root=$(sed -n 's|^  calls *\(.*\)/v1$|\1|p' "$work/told")

node sandbox/tests/clients/shop.mjs "$root"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'dintero==0.0.9'
"$work/venv/bin/python" sandbox/tests/clients/sdk.py "$root"
