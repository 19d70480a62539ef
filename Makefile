# make demo: install, then cross-entropy against Meta-Weight-Net on real digits with wrong labels.
# make test: install, check the style, pass the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test style clean

demo: $(VENV)/installed
	$(BIN)/python -m launch.main

test: $(VENV)/installed-test style
	$(BIN)/python -m pytest -q -n auto --maxprocesses=4

style: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(VENV)/installed: setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
