# Every command of the project. `make` alone lists them.
# Linux with Python 3.11, 3.12 or 3.13 is what this is made for; nothing is fetched but Python packages.

# The oldest that is there: what runs on it runs on the others.
PYTHON ?= $(or $(firstword $(foreach version,3.11 3.12 3.13,$(shell command -v python$(version)))),python3)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Programs and tests find the packages of this folder and of plugins/, and print as they go.
export PYTHONPATH := $(CURDIR):$(CURDIR)/plugins
export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without compiled files each Airflow process compiles 2,000 modules anew, and pip writes none where this is set.
unexport PYTHONDONTWRITEBYTECODE

# `exec` leaves no shell between make and the program: it gets the Ctrl-C once and has the time it needs to stop.
IN_VENV := exec env PATH="$(CURDIR)/.venv/bin:$$PATH"
# What the tests send to Redshift is read again by a second grammar.
RECORDINGS := .local/recordings
SIDE_BY_SIDE := --numprocesses=auto --maxprocesses=5
# The tests that a change of the engine breaks first, without Airflow, dbt, kills and the random ones.
FAST := tests/compiler tests/dbt tests/control $(addprefix tests/steps/test_,detect.py update.py sync.py prepare.py cycle.py)
# Grows with the tree, so that each part is checked from its first file on.
TYPED := $(wildcard benchmarks config dags/*.py demo deploy docs local_stack packages/*/src plugins)

.PHONY: help run demo test test-fast nightly acceptance lint types format statements dictionary rules house benchmark constraints clean

help: ## List the commands
	@echo "Surgical CDC: make COMMAND [OPTION=value]"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Options:"
	@echo "  PORT=8080        run: port of the Airflow UI"
	@echo "  COMPANIES=2000   run, demo: size of the demo warehouse when it is first loaded"
	@echo "  CONN=...         acceptance: Airflow connection of type redshift; the stand-in if it is not given"
	@echo "  ARGS='...'       run, demo, test, nightly, statements, benchmark: further arguments, such as ARGS='tests/steps -k window'"
	@echo "  PYTHON=...       a Python from 3.11 to 3.13 that is not called so"

run: .venv/run.stamp ## Start the stand-in for Redshift and Airflow with its UI; Ctrl-C stops both
	@$(IN_VENV) python -m local_stack run $(if $(PORT),--port $(PORT)) $(if $(COMPANIES),--companies $(COMPANIES)) $(ARGS)

demo: .venv/run.stamp ## One window of changes through Airflow, without a UI; fails unless the facts equal a full rebuild
	@$(IN_VENV) python -m local_stack demo $(if $(COMPANIES),--companies $(COMPANIES)) $(ARGS)

test: lint types .venv-dbt/test.stamp .venv-airflow-3.2/test.stamp ## Lint, types and all tests
	@rm -rf $(RECORDINGS)
	@$(IN_VENV) python -m pytest $(SIDE_BY_SIDE) $(or $(ARGS),--ignore=tests/compose)
	$(if $(ARGS),,@$(IN_VENV) python -m tests.grammar --brief $(RECORDINGS)/*.jsonl)

test-fast: .venv/test.stamp ## What one runs after each change: style, compiler, steps and control tables, a minute and a half
	@.venv/bin/ruff check
	@$(IN_VENV) python -m pytest $(SIDE_BY_SIDE) $(or $(ARGS),$(FAST))

nightly: .venv/test.stamp ## Compose's services, and the random tests at length, some hours: 2,000 models, 3,000 windows a project, every fault
	@$(IN_VENV) EQUIVALENCE_MODELS=2000 EQUIVALENCE_WINDOWS=3000 SOUNDNESS_ROUNDS=25 FAULTS=all \
		python -m pytest $(SIDE_BY_SIDE) tests/compose tests/random $(ARGS)

acceptance: .venv/test.stamp ## A cycle and random windows on a warehouse of yours, in schemas of their own (docs/reference/acceptance.md)
	@$(IN_VENV) ACCEPTANCE_CONN=$(CONN) python -m pytest tests/acceptance $(ARGS)

lint: .venv/test.stamp ## Check style, formatting and the direction of imports
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/lint-imports --no-logo

types: .venv/test.stamp ## Check types
	@.venv/bin/mypy $(TYPED)

format: .venv/test.stamp ## Format the code and mend what the linter can mend
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

statements: .venv/test.stamp ## List what was sent to Redshift by the last tests, or ARGS=FILE of demo's --record FILE, with two verdicts
	@$(IN_VENV) python -m tests.grammar $(or $(ARGS),$(RECORDINGS)/*.jsonl)

dictionary: .venv/run.stamp .venv-dbt/test.stamp ## Compile the vendor project with dbt, and write its folder cdc
	@.venv-dbt/bin/dbt --quiet compile --full-refresh --no-introspect --no-populate-cache \
		--project-dir include/sql --profiles-dir include/sql
	@$(IN_VENV) python -m surgical_cdc compile

rules: .venv/run.stamp ## Write packages/local_redshift/docs/redshift_rules.md from the rules of the stand-in
	@$(IN_VENV) python -m local_redshift.rules

house: .venv/test.stamp ## Write the map of the engine's packages into CONTRIBUTING.md
	@$(IN_VENV) python -m docs.house

benchmark: .venv/run.stamp ## Measure a cycle beside the full refresh (ARGS='--help' shows the sizes)
	@$(IN_VENV) python -m benchmarks $(ARGS)

constraints: | .venv/bin/uv ## Resolve the constraints files after a pin has changed (ARGS=--upgrade raises the rest too)
	@$(RESOLVE) --output-file constraints.txt requirements.txt requirements-demo.txt requirements-dev.txt docker/requirements.txt
	@$(RESOLVE) --output-file constraints-airflow-3.2.txt --override requirements-airflow-3.2.txt \
		requirements.txt requirements-demo.txt requirements-dev.txt
	@$(RESOLVE) --output-file constraints-dbt.txt requirements-dbt.txt
	@git diff --stat -- constraints.txt constraints-airflow-3.2.txt constraints-dbt.txt

# For all platforms, and from the oldest 3.11 on: a package that needs a later one than a user's would not install there.
RESOLVE := .venv/bin/uv pip compile --quiet --no-annotate --custom-compile-command 'make constraints' \
	--universal --python-version 3.11 $(ARGS)

# Not the stamp: it can not be made while a pin and its constraint disagree, which is when this is called.
.venv/bin/uv:
	@$(MAKE) --no-print-directory .venv/test.stamp

clean: ## Remove the environments, the demo warehouse, Airflow's home and all caches
	rm -rf .venv .venv-airflow-3.2 .venv-dbt .local dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf {include/sql,tests/projects/*/sql}/{dbt_packages,logs,target}
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- virtual environments: a stamp is newer than its pins once they are installed --------------------------------

define PYTHON_MISSING
Python 3.11, 3.12 or 3.13 with its venv module is needed, and `$(PYTHON)` is missing, of another version or without venv.
On Debian 12: apt-get install python3.11-venv. Elsewhere name the program: make PYTHON=/path/to/python3.13 ...
endef
export PYTHON_MISSING

# $(call install,DIRECTORY,CONSTRAINTS,REQUIREMENTS,OWN DISTRIBUTIONS)
define install
	@$(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
		|| { echo "$$PYTHON_MISSING" >&2; exit 1; }; \
	echo "Installing $(3) into $(1); the first time takes about a minute."; \
	test -x $(1)/bin/pip || $(PYTHON) -m venv $(1); \
	$(1)/bin/python -m pip install --no-input --constraint $(2) $(addprefix --requirement ,$(3)) \
		| sed -u '/^Requirement already satisfied/d'; \
	$(if $(4),$(1)/bin/python -m pip install --quiet --no-input --no-deps $(addprefix --editable ,$(4));) \
	touch $@; \
	echo "$(1) is ready after $$SECONDS s."
endef

.venv/run.stamp: requirements.txt requirements-demo.txt constraints.txt pyproject.toml packages/local_redshift/pyproject.toml
	$(call install,.venv,constraints.txt,requirements.txt requirements-demo.txt,. packages/local_redshift)

.venv/test.stamp: requirements-dev.txt .venv/run.stamp
	$(call install,.venv,constraints.txt,requirements.txt requirements-demo.txt requirements-dev.txt)

.venv-dbt/test.stamp: requirements-dbt.txt constraints-dbt.txt
	$(call install,.venv-dbt,constraints-dbt.txt,requirements-dbt.txt)

# pip can put no version in the place of another that a requirements file names; uv can.
.venv-airflow-3.2/test.stamp: requirements-airflow-3.2.txt constraints-airflow-3.2.txt .venv/test.stamp
	@echo "Installing Airflow 3.2 into $(@D), for its tests."
	@test -x $(@D)/bin/python || .venv/bin/python -m venv --without-pip $(@D)
	@.venv/bin/uv pip install --quiet --python $(@D)/bin/python --override requirements-airflow-3.2.txt \
		--constraint constraints-airflow-3.2.txt $(addprefix --requirements requirements,.txt -demo.txt -dev.txt)
	@.venv/bin/uv pip install --quiet --python $(@D)/bin/python --no-deps --editable . --editable packages/local_redshift
	@touch $@
