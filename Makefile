# make demo   a light environment (no torch), the default model exported for this machine, a sample analyzed
# make test   the full environment, lint, types, architecture, tests
PYTHON ?= python3
CONSTRAINTS ?= -c constraints.txt
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# One test process a core; engines run one thread each in tests.
export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY := passive

.PHONY: demo test test-slow lint types architecture docs clean

demo: $(VENV)/.demo
	$(BIN)/python docs/demo.py

# A worker that dies is not replaced: with --dist loadfile, pytest-xdist 3.8 then waits for ever for files that nobody runs.
test: lint types architecture
	$(BIN)/python -m pytest -n 2 --dist loadfile --max-worker-restart=0 --durations=40

test-slow: $(VENV)/.full
	$(BIN)/python -m pytest -m slow -n 0

lint: $(VENV)/.full
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.full
	$(BIN)/mypy

docs: $(VENV)/.full # the site, strictly, in build/site
	$(BIN)/mkdocs build --strict

architecture: $(VENV)/.full
	$(BIN)/lint-imports

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# pip leaves alone what is there in the pinned version, so a second run, or test after demo, installs only what is missing.
$(VENV)/.demo: pyproject.toml constraints.txt setup.py $(wildcard weights/*) | $(BIN)/python
	$(PIP) install $(CONSTRAINTS) setuptools
	$(PIP) install $(CONSTRAINTS) --no-build-isolation -e '.[export]'
	@$(BIN)/python -c 'import cv2' || { echo "OpenCV lacks system libraries: apt-get install libgl1 libglib2.0-0"; exit 1; }
	touch $@

$(VENV)/.full: pyproject.toml constraints.txt setup.py $(wildcard weights/*) | $(BIN)/python
	$(PIP) install $(CONSTRAINTS) setuptools
	$(PIP) install $(CONSTRAINTS) --no-build-isolation -e '.[all,dev]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build dist demo
