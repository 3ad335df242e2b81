#!/usr/bin/env bash
# Every check that needs no running program; stops at the first that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/settings.sh

say "rustfmt"
cargo fmt --all -- --check

say "clippy"
cargo clippy --workspace --all-targets --locked -- -D warnings

say "rustdoc"
# Links to private items are for whoever reads the source.
RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --workspace --no-deps --document-private-items --locked --quiet

say "dependencies: licences, bans, sources"
cargo deny --log-level error check licenses bans sources

say "dependencies: advisories"
if cargo deny --log-level error fetch db >/dev/null 2>&1; then
  cargo deny --log-level error check advisories
else
  echo "skipped: the advisory database cannot be fetched from here"
fi

say "dependencies: unused"
cargo machete

say "pages: types and style"
npm_install static
(cd static && npm run --silent check)

say "shell scripts"
shellcheck -x scripts/*.sh .ci/run

say "lint: all clean"
