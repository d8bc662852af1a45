# The two commands of the README are `make run` and `make test`; each does its own set-up. PYTHON=… chooses another
# interpreter for the virtual environment, ARGS=… is handed to pytest; WORKERS=… tests run side by side, 0 one by one.
SHELL := /bin/bash
.DEFAULT_GOAL := run
.PHONY: run setup setup-dev test lint bench functions messages requirements clean

BIN := .venv/bin
# `make test WORKERS=3` on two cores: two lanes wait for servers and terminals, one worker computes (tests/plugins/lanes.py).
WORKERS ?= 0
SIDE_BY_SIDE = $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS))
COMPILE := CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links $(UPGRADE)

run: setup
	@$(BIN)/operator-tui desk --profile demo

setup:
	@deploy/setup

setup-dev:
	@deploy/setup dev

# With CI=true the servers are installed first and a test that can not run is a failure.
test: setup-dev
	@if [ "$${CI:-}" = true ]; then deploy/test-peers; fi
	@if [ -f .venv/test-peers.env ]; then . .venv/test-peers.env; fi; $(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

# All checks run, so that one look shows all that is to be mended.
lint: setup-dev
	@export PATH="$$PWD/$(BIN):$$PATH"; failed=0; \
	check() { echo "== $$*"; "$$@" || failed=1; }; \
	check ruff check .; \
	check ruff format --check .; \
	check mypy; \
	check lint-imports --no-logo; \
	check shellcheck $$(grep -rlE '^#!.*bash' .ci deploy); \
	check python -m tests.plugins.functions; \
	exit $$failed

# Every bench/*.py that can be started on its own.
bench: setup-dev
	@set -e; for file in $$(grep -l '__name__ == "__main__"' bench/*.py); do \
		name=$$(basename "$$file" .py); echo "== bench.$$name"; $(BIN)/python -m "bench.$$name"; done

# docs/functions.md from the tests that pass.
functions: setup-dev
	$(BIN)/python -m pytest --write-functions $(SIDE_BY_SIDE) $(ARGS)

# The texts for a translator: assets/languages/LANG/LC_MESSAGES/operator_tui.po is made from it (docs/administrator.md).
messages: setup-dev
	@mkdir -p assets/languages
	$(BIN)/pybabel -q extract --no-location --sort-output --omit-header -k tr -k mark -k ntr:1,2 \
		-o assets/languages/operator_tui.pot operator_tui screens widgets

# After a change of requirements/*.in; `make requirements UPGRADE=--upgrade` takes newer releases too.
requirements: setup-dev
	$(COMPILE) -o requirements/base.txt requirements/base.in
	$(COMPILE) -o requirements/sound.txt requirements/sound.in
	$(COMPILE) -o requirements/redis.txt requirements/redis.in
	$(COMPILE) -o requirements/build.txt requirements/build.in
	$(COMPILE) -o requirements/dev.txt requirements/dev.in

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
