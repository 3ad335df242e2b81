#!/usr/bin/env bash
# Builds both programs and runs them on embedded defaults, their data in ./data. Ctrl-C stops both cleanly.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/settings.sh

need_toolchain
say "building (the first time takes a few minutes)"
cargo build --release --locked -p producer -p consumer
mkdir -p data

# Job control gives each program a process group of its own: Ctrl-C reaches this script alone, which passes it on once.
set -m
LISTEN=127.0.0.1:5001 target/release/consumer & consumer=$!
LISTEN=127.0.0.1:5000 target/release/producer & producer=$!

stop() {
  trap - INT TERM
  kill -TERM "$producer" "$consumer" 2>/dev/null || true
  wait "$producer" 2>/dev/null || true
  wait "$consumer" 2>/dev/null || true
}
trap 'echo; echo "stopping"; stop; exit 0' INT TERM

ready() {
  for _ in $(seq 100); do
    kill -0 "$1" 2>/dev/null || { stop; die "$2 did not start: its last words are above."; }
    LISTEN=127.0.0.1:$3 "target/release/$2" health 2>/dev/null && return
    sleep 0.1 & wait $!
  done
  stop
  die "$2 does not answer on port $3."
}
ready "$consumer" consumer 5001
ready "$producer" producer 5000

cat <<TEXT

  Hookcast is running.
    Produce tasks   http://localhost:5000
    Watch them      http://localhost:5001
  Ctrl-C stops both.

TEXT

wait -n "$consumer" "$producer" || true
stop
die "one of the two programs has ended: its last words are above."
