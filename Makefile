# Two commands matter: `make demo` (see it work) and `make test` (prove it works). Both start on a
# machine that has Python 3.11 or newer and nothing else of ours.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SERVE  ?= 1
DEMO   ?= demo

.PHONY: help demo install test check docs lock bench clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

$(VENV)/.runtime: requirements/runtime.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Mingcha needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Give another one: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.test: requirements/test.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.lock
	touch $@

install: $(VENV)/.runtime  ## install into .venv

demo: $(VENV)/.runtime  ## install, make a demo utility of 5,000 customers, take it in, screen it
	$(BIN)/mingcha demo build $(DEMO) --customers 5000
ifneq ($(SERVE),0)
	@echo
	@echo "The web desk is not part of this version; open $(DEMO)/report.html in a browser instead."
endif

check: $(VENV)/.test  ## linters, types, floors, books; no tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/house_rules.py
	$(BIN)/mingcha rules lint
	$(BIN)/mingcha rules lock --check

test: check  ## install what the tests need (also Java and MariaDB where missing) and run them all
	bash tools/test_services.sh
	$(BIN)/python -m pytest -n 2 --dist loadgroup --durations=15

docs: $(VENV)/.runtime  ## write the generated reference pages again
	$(BIN)/python tools/generate_docs.py

lock: $(VENV)/.test  ## pin every package again (needs a package index)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --upgrade --no-header --extra db pyproject.toml -o requirements/runtime.lock
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --upgrade --no-header --extra db --extra spark --extra test pyproject.toml -o requirements/test.lock

bench: $(VENV)/.test  ## speed and size as ratios measured in one run (long)
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/rating.py --customers 1000000

clean:  ## remove what `demo` and the tools made
	rm -rf $(DEMO) build dist .mypy_cache .ruff_cache .pytest_cache
