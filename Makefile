# Podium: set-up, demo, tests. Every target prepares what it needs.
SHELL := /bin/bash
# The first Python that is new enough and really runs (a version manager's stand-in may not).
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
PORT ?= 8000
ONCE ?=
FULL ?=
# Of `make test`: FAST=1 for the inner loop, COLD=1 to start every child afresh and in bubblewrap.
FAST ?=
COLD ?=
# Of `make environment`: which one; `podium environment list` tells them.
NAME ?=
# Nothing below these is for the inner loop: not even collected, they cost it no imports.
NOT_FAST := tests/browser tests/peers
# Of `make mutants`: how many of each module. Which modules; of `make bench`, which benchmarks (beginnings of names).
EACH ?= 12
ONLY ?=
# A package index that holds CPU builds of torch, for example https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
export TORCH_INDEX

# The tests that are about what `make coverage` looks at; pyproject.toml lists that.
COVERING := scoring/cache scoring/budget scoring/intake scoring/metrics scoring/packages scoring/readers scoring/benchmark \
	scoring/flow scoring/conversion \
	$(foreach name,exchange export_exchange limits reply,scoring/sandbox/test_$(name).py) competition/submissions

.PHONY: help setup compiled develop system environment system-required system-dev demo serve test test-local test-services attack compare coverage mutants lint deploy-lint format bench docs clean

help:  ## Say what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | column -t -s $$'\t'

setup: system $(READY) compiled  ## Virtual environment and what Podium needs to run; leaves .venv/bin/podium

develop: system-dev $(READY_DEV)  ## What tests, checks and docs need as well: they ask for it themselves

# A sandbox writes no byte code: what changed since the set-up would be compiled again in each of its runs.
compiled: $(READY)
	@$(BIN)/python -m compileall -q scoring competition

$(READY): env.txt .ci/constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Please install Python 3.11 or newer with its venv module (python3, python3-venv)."; exit 1; }
	@echo "Installing Podium into .venv (the first time some minutes, mostly downloads)"
	@$(PYTHON) .ci/packages.py
	@touch $@

$(READY_DEV): $(READY)
	@echo "Installing what tests, checks and docs need into .venv"
	@$(PYTHON) .ci/packages.py dev docs
	@touch $@

environment: $(READY)  ## Install what entries can import on tracks that name it: make environment NAME=cpu-2026.1
	@test -n "$(NAME)" || { $(BIN)/podium environment list; echo "Which one? make environment NAME=..."; exit 2; }
	@$(BIN)/podium environment install $(NAME)

system:
	@bash .ci/system-packages

system-required:
	@bash .ci/system-packages required

system-dev:
	@bash .ci/system-packages chromium

demo: system-required $(READY)  ## Real images, two trained baselines, site, worker, five uploads, two boards; then keeps serving
	@PORT=$(PORT) ONCE=$(ONCE) FULL=$(FULL) $(BIN)/python -m competition.demo.run

serve: system-required $(READY)  ## Site and worker on your own data in var/
	@PORT=$(PORT) $(BIN)/python -m competition.demo.serve

test: develop test-local $(if $(FAST),,test-services)  ## All tests; also on PostgreSQL, Redis and RabbitMQ where these run (FAST=1: no sandbox or browser)

# Of more than four tests at once, those that start a sandbox have too little memory and time. Byte code of tests is kept.
test-local:
	@PYTHONDONTWRITEBYTECODE= PODIUM_TEST_COLD=$(COLD) $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 \
	  --dist worksteal $(if $(FAST),-m "not (sandbox or browser or slow or peer)" $(NOT_FAST:%=--ignore %),--durations 20)

test-services:
	@bash .ci/test-services

coverage: $(READY_DEV)  ## Branch coverage of the core stages and of the lifecycle: fails below 100%
	@rm -f .coverage
	@$(BIN)/python -m pytest -q $(foreach test,$(COVERING),tests/$(test)) \
	  --cov=scoring --cov=competition --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

attack: develop  ## Try every attack of tests/attacks on this machine's podium; a part of `make test` as well
	@for started in ahead now; do echo "== Sandboxes started $$started"; ATTACK_STARTED=$$started \
	  $(BIN)/python -m pytest -q tests/attacks --numprocesses auto --maxprocesses 4 --dist worksteal || exit 1; done

# Other sources than the index: GASBENCH and QAIHUB take what pip takes, for example a folder with the project.
compare: develop  ## Compare with GASBench, AI Hub Models, torchvision and pycocotools, installed into var/peers; skipped without an index
	@$(BIN)/python -m pytest -m peer tests/peers

mutants: $(READY_DEV)  ## Break modules of tests/mutants one line at a time; list what no test notices (EACH=0: every way; ONLY="queue")
	@$(BIN)/python -m tests.mutants.run $(ONLY) --each $(EACH)

lint: $(READY_DEV)  ## ruff, ruff format, mypy, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python -m pytest -q tests/test_import_rules.py tests/test_tables.py

deploy-lint: $(READY_DEV)  ## Check Dockerfile, compose file, Helm chart and units with the tools made for them
	@$(BIN)/pip --disable-pip-version-check install --quiet --constraint .ci/constraints.txt --editable ".[deploy]"
	@$(BIN)/python -m pytest -q tests/deploy

format: $(READY_DEV)  ## Let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: develop  ## All benchmarks, then one table of them; fails if a bound is missed (ONLY="zip onnx": some)
	@$(BIN)/python -m tests.benchmarks.run $(ONLY)

docs: $(READY_DEV)  ## Build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:  ## Remove the virtual environment, demo data and caches
	rm -rf $(VENV) var site .mypy_cache .ruff_cache .pytest_cache
