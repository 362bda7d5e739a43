.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export DVC_NO_ANALYTICS := 1

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

env: $(READY)  ## make the virtual environment
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

repro: $(READY)  ## run what has changed of the pipeline
	dvc repro

test: $(READY)  ## run the tests
	pytest

slow: $(READY)  ## run the tests that take long
	pytest -m slow

lint: $(READY)  ## check style, types, layers and generated files
	ruff check
	ruff format --check
	pyright
	lint-imports
	seg deps --check

deps: $(READY)  ## write the code and version deps of dvc.yaml
	seg deps

lock: $(READY)  ## write requirements.lock from what is installed
	pip freeze --exclude-editable | sed 's/+cpu$$//; s/+cu[0-9]*$$//' > requirements.lock

.PHONY: help env repro test slow lint deps lock
