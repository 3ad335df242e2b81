#!/usr/bin/env bash
# Runs the tests; scripts/bootstrap.sh has installed what they need.   scripts/test.sh all|e2e
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/settings.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT

main() {
  local failed=0
  say "building"
  # Always the whole workspace: a selection would have other features, and be compiled again. With the tests of each
  # package its program is built, too, which the end-to-end tests start.
  cargo test --workspace --locked --no-run
  if [ "${1:-all}" = all ]; then
    say "pages"
    (cd static && npm run --silent test) || failed=1
    say "units, services, documentation"
    counted cargo test --workspace --locked --no-fail-fast --lib --bins --test it || failed=1
    counted cargo test --workspace --locked --no-fail-fast --doc || failed=1
  fi
  say "end to end"
  counted cargo test --workspace --locked --test e2e -- --test-threads=2 || failed=1
  summary
  return "$failed"
}

counted() {
  "$@" 2>&1 | tee -a "$log"
}

# One line over all test programs, the last that is printed.
summary() {
  awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
    END { printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
}

main "$@"
