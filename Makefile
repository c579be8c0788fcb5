# Everything a fresh machine with Python >= 3.11 needs: `make demo` and `make test`. The rest is for those who change laten.
.DEFAULT_GOAL := help
.PHONY: help demo fuzz test test-slow test-chaos test-lowest test-313 lint format bench docs article test-site test-studio clean

# The first Python here that is new enough; choose another with `make PYTHON=/path/to/python demo`.
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(p) -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $(p))))

BIN := .venv/bin
INSTALLED := .venv/.installed

help:
	@echo 'make demo    fit models on embedded data; print figures, write models and pictures to demo/'
	@echo 'make test    lint, types, tests and doctests'
	@echo 'make test-slow  tests that take long, and more cases of what make test shows'
	@echo 'make test-chaos  kill trainings at random moments, and go on'
	@echo 'make test-lowest  the tests with the oldest versions that pyproject.toml allows, in build/lowest'
	@echo 'make test-313  the tests on Python 3.13, in build/python3.13; another one: make PYTHON313=/path/to/python3.13 test-313'
	@echo 'make fuzz    a million mutated files to every reader; fewer: make fuzz FUZZ="--seconds 60"'
	@echo 'make lint    ruff, mypy, import-linter and a check of the prose alone'
	@echo 'make format  let ruff rewrite what it can'
	@echo 'make bench   rows per second of training, beside a bare loop and beside other libraries'
	@echo 'make docs    the documentation as a site, in build/docs, in English and Bahasa Indonesia; its code blocks run'
	@echo 'make article  the article as a post for a Jekyll blog, in build/article'
	@echo 'make test-site  the site, also in a headless Chromium where there is one'
	@echo 'make test-studio  the studio in a headless Chromium'
	@echo 'make clean   remove everything that make made'

$(INSTALLED): pyproject.toml
	@$(or $(PYTHON),false) -c '$(NEW_ENOUGH)' || { \
	  echo "laten needs Python 3.11 or newer, found: $$($(or $(PYTHON),python3) --version 2>&1 || true). Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@echo 'Installing laten and what it needs into .venv (once; a minute or two) ...'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/laten demo --folder demo

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/plain_words.py

test: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --durations 10 --ignore=tests/site

test-chaos: $(INSTALLED)
	$(BIN)/python -m pytest -m "slow or not slow" tests/chaos

test-slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow -n auto --maxprocesses 4 --dist worksteal

fuzz: $(INSTALLED)
	cd tests && ../$(BIN)/python -m fuzz $(FUZZ)

# uv alone resolves to lowest versions; old libraries beside newer ones of others warn, which is no error here
build/lowest/.installed: pyproject.toml
	$(PYTHON) -m venv --clear build/lowest
	build/lowest/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'
	build/lowest/bin/uv pip install --quiet --python build/lowest/bin/python --resolution lowest-direct --editable '.[test]'
	@touch $@

test-lowest: build/lowest/.installed
	build/lowest/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile -p no:cacheprovider -W ignore::DeprecationWarning $(TESTS)

PYTHON313 ?= python3.13

build/python3.13/.installed: pyproject.toml
	$(PYTHON313) -m venv --clear build/python3.13
	build/python3.13/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

test-313: build/python3.13/.installed
	build/python3.13/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile -p no:cacheprovider $(TESTS)

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.train_step
	$(BIN)/python -m benchmarks.training

docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python tools/site.py

article: docs
	@$(BIN)/python tools/post.py

test-site: docs
	$(BIN)/python -m pytest tests/site -n auto --maxprocesses 2 --dist loadfile

test-studio: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,docs]'
	$(BIN)/python -m pytest -m slow tests/studio

clean:
	rm -rf .venv build dist demo .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
