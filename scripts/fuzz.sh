#!/usr/bin/env bash
# Every property that is told of made-up inputs, with FUZZ_CASES of them each, in a release build: bodies, headers, addresses, forms, calls,
# queries, rules, and what devices and receivers say (docs/security.md lists them). Ends at the first that does not hold, and says which input it was.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/settings.sh

export PROPTEST_CASES=${FUZZ_CASES:-2500000}
say "$PROPTEST_CASES inputs for each property"
cargo test --workspace --release --locked --lib --test it -- fuzz:: --nocapture
