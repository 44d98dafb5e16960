# Everything a newcomer, a developer and CI do. A fresh machine needs python3.11 (or later), make and git.
# Each target works by itself from a clean clone: it builds .venv first when it has to.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip --quiet --quiet --disable-pip-version-check --no-input
PACKAGE_SOURCES := pyproject.toml README.md LICENSE src analysis flows protocols reports schemas
SOURCE_OF_MODULE := s,^site/forethought/(analysis|flows|protocols|reports|schemas)/,\1/,; s,^site/forethought/,src/forethought/,
LOCK_COMMAND := uv pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	--extra dev --output-file requirements.lock pyproject.toml

export PIP_ROOT_USER_ACTION := ignore
# The models' matrices are small: two threads for each of them only get in each other's way.
export OMP_NUM_THREADS ?= 1

.PHONY: help environment demo format reference lint types layers test check calibrate bench wheel lock clean

help: ## show this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)$$/  make \1|\2/p' Makefile | while IFS='|' read -r target does; do \
		printf '%-18s %s\n' "$$target" "$$does"; done

# --- the environment: the locked packages, then this project itself ---

environment: $(VENV)/.installed ## build .venv from requirements.lock

$(VENV)/.locked: requirements.lock
	@if $(PYTHON) -m pip --version >/dev/null 2>&1; then exit 0; fi; \
	for candidate in python3.11 python3; do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
		echo "make: neither python3.11 nor a python3 of 3.11 or later was found. Install Python 3.11." >&2; exit 1; fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "make: $$found cannot make virtual environments. Install its venv package (Debian: $$found-venv)." >&2; exit 1; fi; \
	echo "environment: making $(VENV) with $$($$found --version)"; \
	$$found -m venv --clear $(VENV)
	@echo "environment: installing the packages of requirements.lock (a minute or two)"
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@echo "environment: installing forethought itself"
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# --- to use it ---

demo: $(VENV)/.installed ## run the shipped studies from protocol to report, and say where the reports are
	@bash docs/demo.sh

# --- to change it ---

format: $(VENV)/.installed ## put the code in the house style
	@$(BIN)/ruff format --quiet
	@$(BIN)/ruff check --fix

reference: $(VENV)/.installed ## renew docs/reference/protocol.md from the types of the protocol
	@echo "reference: docs/reference/protocol.md"
	@mkdir -p docs/reference
	@$(BIN)/forethought schema --markdown > docs/reference/protocol.md.new
	@mv docs/reference/protocol.md.new docs/reference/protocol.md

lint: $(VENV)/.installed ## check format and lint, changing nothing
	@echo "lint: ruff"
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check

# Types and layers are checked on what is shipped: the built wheel, installed in build/site and read from outside the
# checkout, because neither tool can follow the editable install's map of folders. The wheel is built from a copy, so
# that nothing left over from an earlier build can get into it.
wheel: $(VENV)/.installed
	@echo "wheel: building it and installing it in build/site"
	@rm -rf build
	@mkdir -p build/source
	@cp -R $(PACKAGE_SOURCES) build/source
	@$(PIP) wheel --no-index --no-deps --no-build-isolation --wheel-dir build build/source
	@$(PIP) install --no-index --no-deps --no-compile --target build/site build/forethought-*.whl
	@rm -rf build/source

types: wheel ## mypy --strict on the built wheel
	@echo "types: mypy --strict"
	@set -o pipefail; cd build && MYPYPATH=site ../$(BIN)/mypy --strict --config-file ../pyproject.toml --cache-dir ../.mypy_cache \
		-p forethought | sed -E '$(SOURCE_OF_MODULE)'

layers: wheel ## import-linter on the built wheel
	@echo "layers: import-linter"
	@cd build && PYTHONPATH=site ../$(BIN)/lint-imports --no-logo --config ../pyproject.toml --cache-dir ../.import_linter_cache

test: $(VENV)/.installed ## the tests, without the slow calibration (ARGS=tests/unit for some of them)
	@echo "test: pytest"
	@$(BIN)/pytest --numprocesses=auto --dist=loadgroup $(ARGS)

check: lint types layers test ## all that CI runs: lint, types, layers, test

calibrate: $(VENV)/.installed ## the slow tests: coverage and error rates by simulation
	@echo "calibrate: pytest -m slow"
	@$(BIN)/pytest -m slow $(ARGS)

bench: $(VENV)/.installed ## run every script in benchmarks/
	@for script in benchmarks/*.py; do \
		if [ -e "$$script" ]; then echo "bench: $$script"; $(PYTHON) "$$script" || exit 1; else echo "bench: benchmarks/ has no script"; fi; \
	done

lock: ## renew requirements.lock from pyproject.toml (UPGRADE=1 takes newer versions of everything)
	@command -v uv >/dev/null || { echo "make: uv was not found. Install it (pip install uv)." >&2; exit 1; }
	@echo "lock: $(if $(UPGRADE),taking the newest versions,keeping the versions already locked where they still fit)"
	@$(LOCK_COMMAND) --quiet $(if $(UPGRADE),--upgrade) --custom-compile-command 'make lock, which is: $(LOCK_COMMAND)'

clean: ## remove all that make has built, the environment too
	@rm -rf $(VENV) build demo dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
