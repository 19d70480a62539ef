# make demo: install, then cross-entropy against Meta-Weight-Net on real digits with wrong labels.
# make test: install, check the style and the types, pass the tests; make suite: the tests alone.
# make docs: install, write the API reference to docs/api/index.html; a warning is an error.
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

suite: $(VENV)/installed-test
	$(BIN)/python -m pytest -q -n auto --maxprocesses=4

style: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Every module by name: pdoc finds none below a package with __all__. It finds the others twice.
MODULES = $(subst /,.,$(patsubst %/__init__,%,$(basename $(shell find tf_mwn -name '*.py' -not -path '*/launch/*'))))

docs: $(VENV)/installed-docs
	$(BIN)/python -W error::UserWarning -W error::RuntimeWarning \
		-W "ignore:The module specification:UserWarning" \
		-m pdoc --docformat google -o docs/api $(sort $(MODULES))

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
	rm -rf $(VENV) build dist docs/api *.egg-info
