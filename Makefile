# Everything runs in a plain virtual environment; the first target that needs it makes it.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
STAMP := $(VENV)/.installed
CHECKS := $(VENV)/.checks-installed
CONTENDERS := $(VENV)/.contenders-installed
N ?= 200
SEED ?= $(shell date +%s)

.DEFAULT_GOAL := help
.PHONY: help demo test lint types check format crash crash-fleet bench bench-fleet screenshots clean

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install -q pip; } \
	  || { echo "No virtual environment can be made; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

$(CHECKS): $(STAMP)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[deploy-checks,broker-checks]'
	@touch $(CHECKS)

$(CONTENDERS): $(STAMP)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[bench]'
	@! command -v npm >/dev/null || npm install --silent --no-audit --no-fund --prefix $(VENV)/newman newman@6.2.2 \
	  || echo "newman can't be installed: it will be left out"
	@touch $(CONTENDERS)

demo: $(STAMP) ## Close a few hundred batches of the simulator and show the result
	@$(BIN)/batch-closer demo --state demo

# The tests start the program hundreds of times: it is compiled once, whatever the environment says of that.
test: $(CHECKS) ## Run the tests
	@$(BIN)/python -m compileall -q worker tests
	$(BIN)/python -m pytest

lint: $(STAMP) ## Check style, format and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP) ## Check types, strictly
	$(BIN)/mypy

check: lint types test ## What CI runs

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

crash: $(STAMP) ## Kill the real process at random moments, N times, and compare with the truth (N=200)
	$(BIN)/python -m pytest -n 0 -p no:randomly --timeout 0 -s tests/crash --crashes $(N)

crash-fleet: $(STAMP) ## Kill workers, broker and waiter of a fleet at random (8 workers, 5,000 batches, SEED=now)
	$(BIN)/python -m pytest -n 0 -p no:randomly --timeout 0 -s tests/fleet/test_crash.py --batches 5000 --workers 8 \
	  --seed $(SEED)

bench: $(CONTENDERS) ## Measure what a close costs beside what people would use instead (BENCH=--quick: a minute)
	$(BIN)/python -m tests.bench $(BENCH)

bench-fleet: $(STAMP) ## Measure how a fleet scales, and how well it keeps one rate
	$(BIN)/python -m tests.bench.fleet

screenshots: $(STAMP) ## Make the README's pictures again, from the demo (needs Chromium)
	$(BIN)/python -m tests.browser.screenshots

clean: ## Remove the environment, caches and the demo's runs
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache demo build *.egg-info
