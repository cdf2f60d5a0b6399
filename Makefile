# Everything a newcomer needs: `make demo` shows it, `make test` checks it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# they wait more than they compute
TESTS_AT_ONCE ?= 4
# what runs here starts hundreds of processes, each of which would compile every module that it imports
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo up setup test lint audit attack bench-training bench-serving lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## set up, start, train on a real corpus, show answers
	@$(BIN)/wordkin demo

up: $(VENV)/.demo ## set up and start the service only
	@$(BIN)/wordkin up

setup: $(VENV)/.dev ## set up for development

test: $(VENV)/.dev ## set up, then lint, type-check and run every test
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(VENV)/.dev ## name dependencies with known faults; a warning, where an index can be reached
	@timeout 30 $(BIN)/pip-audit --disable-pip --progress-spinner off --timeout 10 --requirement requirements.txt \
		|| echo "warning: dependencies have known faults, or no index could be reached" >&2

attack: $(VENV)/.dev ## send the API what its own document makes up, for some minutes
	$(BIN)/python -m tests.attacks

bench-training: $(VENV)/.dev ## training speed and quality beside other programs
	$(BIN)/python -m benchmarks.training

bench-serving: $(VENV)/.dev ## serving speed and memory beside other services
	$(BIN)/python -m benchmarks.serving

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Wordkin needs Python 3.11 or newer; say which with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements-demo.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing the service into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-demo.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing the service and its tests into $(VENV) ..."
	@# who is imported first compiles a module; of most packages only a part ever is
	@$(PIP) install --no-compile --require-hashes -r requirements-dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" pyproject.toml

lock: ## write the locks anew (needs uv)
	$(COMPILE) --all-extras --output-file requirements-dev.txt
	$(COMPILE) --extra demo --constraint requirements-dev.txt --output-file requirements-demo.txt
	$(COMPILE) --constraint requirements-dev.txt --output-file requirements.txt

clean: ## remove the environment and what can be made anew; never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
