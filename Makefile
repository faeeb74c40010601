# The two commands of the README: `make demo` and `make test`. Each installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: help demo test lint format samples clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/installed ## encode and decode samples/clip.mp4, and write out/demo.html
	@mkdir -p out
	$(BIN)/mmcodec encode samples/clip.mp4 -o out/clip.mmc --force
	$(BIN)/mmcodec decode out/clip.mmc -o out/clip.decoded.mp4 --force
	$(BIN)/python tools/demo_page.py samples/clip.mp4 out/clip.mmc out/clip.decoded.mp4 -o out/demo.html

test: $(VENV)/developed ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/developed ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/developed ## put the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

samples: $(VENV)/developed ## render samples/ anew (takes minutes)
	@command -v flite >/dev/null || apt-get install -y flite \
		|| { echo "the voices of the samples need flite: install its package" >&2; exit 1; }
	$(BIN)/python tools/make_samples.py

clean: ## remove what the other targets made
	rm -rf $(VENV) out build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "mmcodec needs Python 3.11 or newer: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "cannot make a virtual environment: install python3-venv" >&2; exit 1; }

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/developed: $(VENV)/installed
	$(PIP) install -c constraints.txt -e '.[dev]'
	@$(BIN)/python -c "from librosa.sequence import dtw"  # compiles its kernels, once
	@command -v chromium >/dev/null || apt-get install -qq -y chromium >/dev/null 2>&1 \
		|| echo "no Chromium: the tests of the page will be skipped"
	@touch $@
