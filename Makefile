# make demo: install, then cross-entropy against Meta-Weight-Net on real digits with wrong labels.
# make test: install, check the style, pass the tests.
# make docs: install, write the API reference to docs/api/index.html; a warning is an error.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test style docs clean

demo: $(VENV)/installed
	$(BIN)/python -m launch.main

test: $(VENV)/installed-test style
	$(BIN)/python -m pytest -q -n auto --maxprocesses=4

style: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Every module by name: pdoc finds none below a package with __all__. It finds the others twice.
MODULES = $(subst /,.,$(patsubst %/__init__,%,$(basename $(shell find tf_mwn -name '*.py' -not -path '*/launch/*'))))

docs: $(VENV)/installed-docs
	$(BIN)/python -W error::UserWarning -W error::RuntimeWarning \
		-W "ignore:The module specification:UserWarning" \
		-m pdoc --docformat google -o docs/api $(sort $(MODULES))

$(VENV)/installed: setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build dist docs/api *.egg-info
