# make demo | demo-seg | test | test-all | lint | docs | full | clean | faults | soak | properties | dist-check
# PYTHON= chooses the interpreter of a new environment, VENV= the environment (an existing one is completed and kept).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
FULL_VENV ?= .venv-full
PY = $(VENV)/bin/python
READY = $(VENV)/.hrnet_plugin
FULL_READY = $(FULL_VENV)/.hrnet_plugin
SETUP = tools/setup_env.py setup.py $(wildcard requirements/*.txt)
PYTEST = -m pytest --durations=10 -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: demo demo-seg test test-all lint docs setup full clean help faults soak properties dist-check

help:
	@sed -n '1,2s/^# //p' Makefile

demo: $(READY)
	@$(PY) -m hrnet_plugin demo pose

demo-seg: $(READY)
	@$(PY) -m hrnet_plugin demo seg

test: lint
	@$(PY) $(PYTEST) -m "not slow and not full_mmcv"

test-all: test $(FULL_READY)
	@$(PY) $(PYTEST) -m "slow and not full_mmcv"
	@$(FULL_VENV)/bin/python $(PYTEST) --forbid-skips

lint: $(READY)
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet .

docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "site/index.html; with search: $(PY) -m http.server -d site"

faults: $(READY)
	@mkdir -p build && $(PY) tests/faults/run_faults.py --out build/faults.json

soak: $(READY)
	@mkdir -p build && $(PY) tests/faults/soak.py --out build/soak.json --plot build/soak.png

properties: $(READY)
	@$(PY) $(PYTEST) tests/properties --hypothesis-profile=thorough --hypothesis-show-statistics

dist-check: $(READY)
	@$(PY) tests/distribution/fresh_environment.py

setup: $(READY)

full: $(FULL_READY)

$(READY): $(SETUP)
	@$(PYTHON) tools/setup_env.py --python "$(PYTHON)" --venv "$(VENV)"

$(FULL_READY): $(SETUP)
	@$(PYTHON) tools/setup_env.py --python "$(PYTHON)" --venv "$(FULL_VENV)" --full

clean:
	rm -rf .venv .venv-full build demo site work_dirs .hypothesis *.egg-info .pytest_cache .ruff_cache
