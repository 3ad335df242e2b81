# What a person or CI does here; each target is a script that can be read.
.DEFAULT_GOAL := help
.PHONY: help run test lint e2e bench chaos fuzz bootstrap

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build both programs and start them on this machine, with nothing else to install
	@scripts/run.sh

test: ## Install what the tests need, then run every test
	@scripts/bootstrap.sh test
	@scripts/test.sh all

lint: ## Formatting, clippy, rustdoc, licences, unused dependencies, the pages' sources, shell scripts
	@scripts/bootstrap.sh lint
	@scripts/lint.sh

e2e: ## Only the end-to-end tests: both programs, killed and restarted, foreign clients, a real browser
	@scripts/bootstrap.sh test
	@scripts/test.sh e2e

chaos: ## Faults under load in their long form: kills, databases, Redis and disks that fail; writes docs/reliability.md
	@scripts/bootstrap.sh test
	@scripts/chaos.sh

fuzz: ## Ten million made-up bodies, and as many rules; `make test` makes a few hundred
	@scripts/fuzz.sh

bench: ## Measure the intake next to a bare handler, the accounts API, devices and actions, and write docs/benchmarks.md
	@scripts/bootstrap.sh bench
	@node bench/run.mjs
	@node bench/accounts.mjs
	@node bench/devices.mjs
	@node bench/actions.mjs

bootstrap: ## Install everything that test, lint and bench need
	@scripts/bootstrap.sh all
