# `make` lists what there is. Everything is set up in .venv, from the lock files; a second time costs nothing.

PYTHON ?= python3
SLOW_US ?= 2000
# One more than there are cores: the tests that run whole stories mostly wait.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

UV := $(or $(shell command -v uv),$(wildcard .venv/bin/uv))
INSTALL := $(if $(UV),$(UV) pip install --quiet --python .venv/bin/python,\
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input)
LOCK := $(if $(UV),$(UV),uv) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --exclude-newer "1 week" --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --group build

CAN_RUN := .venv/.can-run
CAN_TEST := .venv/.can-test
TEST_RIGS := .venv/.test-rigs

# A company that inspects TLS has its own root in the system store.
export UV_SYSTEM_CERTS := true

.DELETE_ON_ERROR:
.PHONY: help run setup test lint test-nightly test-rigs bench bench-slow-disk lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-24s%s\n", $$1, $$2 }'

run: $(CAN_RUN) ## set up and start; without SLACK_BOT_TOKEN it opens the playground
	@if [ -n "$$SLACK_BOT_TOKEN" ]; then exec .venv/bin/socmon serve; else exec .venv/bin/socmon playground; fi

setup: $(CAN_TEST) $(TEST_RIGS) ## set up all that `run` and `test` need

test: lint $(TEST_RIGS) ## set up, check the code and run every test
	.venv/bin/pytest -n $(WORKERS) --durations=20

lint: $(CAN_TEST) ## style, types and the direction of imports
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

test-nightly: $(CAN_TEST) $(TEST_RIGS) ## every test, the long ones too, with many more examples
	.venv/bin/pytest -n $(WORKERS) --durations=20 -m "" --hypothesis-profile=nightly

test-rigs: $(CAN_TEST) ## try again to get the programs that some tests use: Chromium, Alertmanager, Prometheus, Prism
	scripts/test-rigs
	@touch $(TEST_RIGS)

bench: $(CAN_RUN) ## measure this machine: intake, the way to Slack, and coverage of a large fleet
	.venv/bin/socmon bench intake
	.venv/bin/socmon bench slack
	.venv/bin/socmon bench coverage

bench-slow-disk: $(CAN_RUN) ## measure intake on a disk whose every sync takes SLOW_US more microseconds
	@if [ "$$(uname)" = Linux ] && command -v $(CC) >/dev/null; then \
	    $(MAKE) --no-print-directory build/slow_fsync.so && \
	    LD_PRELOAD=$(CURDIR)/build/slow_fsync.so SLOW_US=$(SLOW_US) .venv/bin/socmon bench intake; \
	else \
	    echo "skipped: a slow disk is made by a small preloaded library, which needs Linux and a C compiler"; \
	fi

lock: ## pin the newest releases that have been out for a week
	$(LOCK) --upgrade --output-file requirements.lock
	$(LOCK) --upgrade --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean: ## remove what was set up and built; data is kept
	rm -rf .venv build *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find bot handlers jobs migrations tests -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "socmon needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(if $(UV),$(UV) venv --quiet --python $(PYTHON) .venv,$(PYTHON) -m venv .venv) || { \
	    rm -rf .venv; echo "No virtual environment could be made. Install venv, on Debian: apt install python3-venv"; exit 1; }

# Nothing is built from source that was not pinned: build isolation would fetch the newest build backend.
$(CAN_RUN): requirements.lock pyproject.toml | .venv/bin/python
	@echo "Setting up .venv"
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(CAN_TEST): requirements-dev.lock $(CAN_RUN)
	@echo "Setting up the tools for tests"
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(TEST_RIGS): scripts/test-rigs | $(CAN_TEST)
	@scripts/test-rigs
	@touch $@

build/slow_fsync.so: bench/slow_fsync.c
	@mkdir -p build
	$(CC) -O2 -shared -fPIC -o $@ $< -ldl
