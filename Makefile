# make demo: install, then cross-entropy against Meta-Weight-Net on real digits with wrong labels.
# make test: install, check the style and the types, pass the tests; make suite: the tests alone.
# make docs: install, write the documentation site to site/index.html; a warning is an error.
# make wheel: install, build the files of a release in dist.
# Another Python, other versions: make test PYTHON=python3.13 VENV=.venv313,
# make suite CONSTRAINTS=constraints-lowest.txt VENV=.venv-lowest
PYTHON ?= python3
VENV := .venv
CONSTRAINTS := constraints.txt
BIN := $(VENV)/bin

.PHONY: demo test suite style docs wheel clean

demo: $(VENV)/installed
	$(BIN)/python -m launch.main

test: style suite

# TensorFlow keeps some megabytes of every training until its process ends: one run of all tests grows
# to 20 GB, more than a public host has. So there are two.
suite: $(VENV)/installed-test
	$(BIN)/python -m pytest -q -n auto --maxprocesses=4 tests/methods
	$(BIN)/python -m pytest -q -n auto --maxprocesses=4 --ignore=tests/methods

style: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check build
	$(BIN)/python -m build

$(VENV)/installed: setup.py $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[all]'
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[test]'
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build dist site *.egg-info
