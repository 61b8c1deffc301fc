# Two commands do everything, setting up included:   make report   and   make test
# Without make, the same two pip lines stand in README.md.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# Compiled bytecode makes every start faster; a machine-wide wish for none is not for this environment. It is made where a
# module is first used: making it for every package at once takes longer than the installation.
unexport PYTHONDONTWRITEBYTECODE
# Outside reference data, when it lies beside the project; tests that need it skip with a reason otherwise.
ifneq ($(wildcard ../shared/reference/.),)
export CSI_REFERENCE_DIR ?= $(abspath ../shared)
endif

# One worker per processor, each with one thread of linear algebra; a file's tests stay together and share fixtures.
WORKERS := -n logical --dist loadfile
test check: export OPENBLAS_NUM_THREADS = 1

.PHONY: help setup report docs test check check-slow bench lock clean

help:           ## this list
	@grep -E '^[a-z-]+: .*##' Makefile | sed -E 's/^([a-z-]+):.*## /make \1\t/'

setup: $(READY) ## make .venv from the lock (quick the second time)

$(READY): requirements.lock pyproject.toml $(wildcard csi/*/*.[ch])
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("csi needs Python 3.11 or newer; name one that you have, for example: make PYTHON=python3.12 test")'
	@echo "Setting up $(VENV) (once, a few minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --use-pep517 --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

report: setup   ## the demonstration quarter's report, into reports/
	@$(BIN)/csi report data/telecom/study.yaml --wave 2026Q3 --lang zh,en

docs: setup     ## the documentation site in both languages, into reports/site (fetches mkdocs-material the first time)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	@cd notebooks/docs && ../../$(BIN)/python -m handbook

test: setup     ## the tests; what was skipped and why is listed at the end
	@$(BIN)/python -m pytest -rfEs -m "not slow" $(WORKERS)

check: setup    ## format, lint, types, architecture, tests, doctests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -rfEs -m "not slow" $(WORKERS)

check-slow: setup ## coverage, recovery and null studies (long)
	@$(BIN)/python -m pytest -rfEs -s -m slow

bench: setup    ## speed, beside seminr and semopy, and R's lavaan where it is installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	@$(BIN)/python tests/bench/startup.py
	@$(BIN)/python tests/bench/report.py
	@$(BIN)/python tests/bench/cells.py
	@$(BIN)/python tests/bench/waves.py
	@$(BIN)/python tests/bench/bootstrap.py
	@$(BIN)/python tests/bench/memory.py
	@$(BIN)/python tests/bench/stream.py
	@$(BIN)/python tests/bench/absent.py
	@$(BIN)/python tests/bench/predict.py
	@$(BIN)/python tests/bench/sem.py
	@$(BIN)/python tests/bench/groups.py

lock:           ## resolve the lock again (needs uv)
	@uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade --quiet -o requirements.lock

clean:          ## remove the environment and every cache
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
