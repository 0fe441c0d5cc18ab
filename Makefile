# Each target is a thin call of cargo or `cargo xtask`; `make run` and `make test` do all the set-up they need.
# Tools: `sh tools/setup.sh WHAT` installs what is missing (build, test, check, prove) or says in one line what to install.

.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt db-up db-down bench soak prove mutants cover

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

setup: ## Install what building, testing and checking need
	@sh tools/setup.sh build test check

run: ## The shop with demo data, on an embedded database
	@sh tools/setup.sh build
	cargo run --package pulse -- serve --demo

test: ## Every test, on SQLite and on PostgreSQL, doc tests included
	@sh tools/setup.sh build test
	cargo xtask test

check: ## Format, lints, licences, documentation, tidiness
	@sh tools/setup.sh build check
	cargo run --quiet --locked --package labs_gatekeeper -- --plan .ci/gate.toml

fmt: ## Format the sources
	cargo fmt --all

db-up: ## A private PostgreSQL from the installed server; prints its DATABASE_URL
	@sh tools/setup.sh build test
	@cargo xtask db up

db-down: ## Stop it; its data stays
	@cargo xtask db down

bench: ## The table of figures, beside their peers
	@sh tools/setup.sh build test
	cargo xtask bench

soak: ## kill -9 again and again, and outages of 30 s: make soak ROUNDS=200 OUTAGE=30
	@sh tools/setup.sh build test
	PULSE_SOAK_ROUNDS=$(or $(ROUNDS),200) PULSE_SOAK_OUTAGE=$(or $(OUTAGE),30) \
		cargo xtask test -- --profile soak --package pulse --package pulse_ingest --package pipeline --package jobs soak

prove: ## That every lab's gate is strong: right is green, nothing is red, known mistakes are red by name (PROVE=--quick)
	@sh tools/setup.sh build test
	cargo xtask prove $(PROVE)

mutants: ## What the gates do not see: make mutants LAB=M3, SINCE=main, MINUTES=10, or nothing for all labs
	@sh tools/setup.sh build test prove
	cargo xtask prove --only mutants $(addprefix --since ,$(SINCE)) $(addprefix --minutes ,$(MINUTES)) $(LAB)

cover: ## Line coverage of the tests (needs cargo-llvm-cov)
	@sh tools/setup.sh build test cover
	cargo xtask cover
