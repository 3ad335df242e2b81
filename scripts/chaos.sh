#!/usr/bin/env bash
# The faults in their long form, done to a release build; writes docs/reliability.md.   CHAOS_SEED=… repeats a run with another seed
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/settings.sh

rows=target/chaos
seed=${CHAOS_SEED:-6}
page=docs/reliability.md

main() {
  local failed=0
  rm -rf "$rows"
  mkdir -p "$rows"
  say "building"
  cargo build --workspace --locked --release
  cargo test --workspace --locked --no-run
  say "faults, long form, seed $seed"
  # One at a time: what a trial measures is its own.
  CHAOS=long CHAOS_SEED=$seed CHAOS_REPORT=$PWD/$rows TEST_PROGRAMS=target/release \
    cargo test --workspace --locked --test e2e -- --test-threads=1 chaos || failed=1
  write_page >"$page.new"
  mv "$page.new" "$page"
  say "wrote $page"
  return "$failed"
}

write_page() {
  cat <<END
# Reliability

\`make chaos\` wrote this page on $(date -u +%F) (commit $(git rev-parse --short HEAD), seed $seed, $(nproc) cores, release build). \`make test\` makes the same
faults in a short form; \`CHAOS_SEED=… make chaos\` makes them at other moments. The trials are in \`consumer/tests/e2e/chaos\`.

While faults are done, four senders post webhooks to the consumers, ask the producers for batches and trigger an account's event all the time, each with ids that the test
knows, and each sends the same again until it is accepted. On every consumer three clients watch: one that comes back with its offset, one that joins as the tutorial's page does, and
one on \`/live\`. In Chromium a dashboard of every consumer is open, and on the producer's page *Produce Tasks* is pressed again whenever a batch is over; no page is ever reloaded. Three accounts are
subscribed to the event, one of them in order. Nobody helps: the programs heal by themselves, and so do the clients and the pages.

At the end of each trial it is asserted:

- **nothing accepted is lost**: every webhook answered 200 and every task of a batch answered 202 is in the log, each once, offsets 1, 2, 3 … without a hole;
- **what was triggered arrived**: every event answered 201 at each of the three endpoints, under one id, which is recorded as delivered; at the ordered one in order;
- **everything agrees**: \`/api/counts\` with the log on every node; every delivery is delivered, none waits, and each batch has its attempts numbered without a hole;
- **sockets saw it**: each offset once and in order, none missing; the tutorial's client a part of the log without a hole in each of its connections; the last frame tells the total;
- **the browser shows it**: on every dashboard the total, each priority's number and bar, and the newest rows are those of the log; the producer's page has shown each batch that it followed to
  its end, with a line for each task; nothing but refused connections went wrong on a page;
- **a refusal is clear**: 503 with the reason and \`Retry-After\`, nothing else;
- **memory is bounded**: no program ever used more than 256 MiB;
- **\`/readyz\` told the truth** while something was away, and says 200 afterwards;
- **a fault leaves one clear line**: few warnings and errors for each fault in the log of each program; what lies between is told when it is over.

| fault | mode | times | events accepted | lost | shown twice | refused with 503 | longest recovery | most warnings of one program | most memory | all that is asserted |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
$(sort "$rows"/*.row)

*Longest recovery*: from the end of a fault until every program is ready, takes a webhook, delivers a new batch, and its viewers have seen all of the log. It includes the start
of a program that was killed, the leases of a producer that was killed among others (10 s after its last claim), and the time until a client notices that its connection is dead.
END
}

main "$@"
