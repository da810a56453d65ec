# Everything a person or CI does here. `make` alone lists it.

LAB := $(shell scripts/lab.sh --where)
CARGO ?= cargo
export PATH := $(PATH):$(LAB)/tools/bin:$(LAB)/fuzz/bin
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help build demo test check docs bench fuzz lab

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

build: ## the release binary, target/release/pgvigil
	$(CARGO) build --release --locked

demo: lab ## see it work: a throw-away PostgreSQL, an alert, an email
	$(CARGO) run --locked --quiet -- demo

test: lab ## all tests, against real servers
	$(CARGO) test --locked --all-targets
	$(CARGO) test --locked --doc

check: lab ## what the code must satisfy beside its tests
	@$(CARGO) fetch --locked --quiet
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) deny --offline check bans licenses sources
	@for unwanted in aws-lc-sys openssl-sys; do \
		if $(CARGO) tree --locked --all-features --target all --quiet -i $$unwanted 2>/dev/null | grep .; then \
			echo "error: $$unwanted is in the dependency tree"; exit 1; \
		fi; \
	done

docs: lab ## write the generated references anew
	UPDATE_DOCS=1 $(CARGO) test --locked --test it docs::

bench: lab ## print the figures of the benchmark
	$(CARGO) bench --locked --bench bench
	$(CARGO) bench --locked --bench promql
	$(CARGO) bench --locked --bench incident
	$(CARGO) bench --locked --bench rules
	$(CARGO) bench --locked --bench backup

fuzz: ## feed each fuzz target for FUZZ_SECONDS
	@scripts/lab.sh --fuzz
	@for target in expression rules snapshot parameters; do \
		mkdir -p fuzz/corpus/$$target && \
		$(CARGO) fuzz run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=2048 -rss_limit_mb=1024 -timeout=20 || exit 1; \
	done

lab: ## install what the tests and the demo need
	@scripts/lab.sh
