#!/usr/bin/env bash
# Every property that is told of made-up inputs, with FUZZ_CASES of them each, in a release build; ends at the first that does not hold.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/settings.sh

export PROPTEST_CASES=${FUZZ_CASES:-10000000}
say "$PROPTEST_CASES inputs for each property"
cargo test --workspace --release --locked --test it -- fuzz:: --nocapture
