# Every command of this project. `make` alone lists them. Python 3.11+ and make are the only prerequisites.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

##@ Set-up

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z-]*:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.dev $(VENV)-emulator/.ready $(VENV)-lambda/.ready ## Install all that one machine needs, under this folder

$(VENV)/.uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Set PYTHON=." >&2; exit 1; }
	@echo "set-up: Python environment"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.uv
	@echo "set-up: packages (Spark, Kafka client, Valkey, Java; about 800 MB)"
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)-emulator/.ready: requirements/emulator.txt $(VENV)/.uv
	@echo "set-up: AWS emulator"
	@$(PYTHON) -m venv --without-pip $(VENV)-emulator
	@$(UV) pip install --quiet --python $(VENV)-emulator/bin/python --require-hashes -r requirements/emulator.txt
	@touch $@

$(VENV)-lambda/.ready: requirements/lambda.txt $(VENV)/.uv
	@echo "set-up: Lambda runtime interface client"
	@$(PYTHON) -m venv --without-pip $(VENV)-lambda
	@$(UV) pip install --quiet --python $(VENV)-lambda/bin/python --require-hashes -r requirements/lambda.txt
	@touch $@

.PHONY: lock
lock: $(VENV)/.uv ## Compile the hashed lock files from the .in files
	@for f in dev emulator lambda; do $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements/$$f.in -o requirements/$$f.txt; done
	@for f in functions/*/requirements.in; do $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -c requirements/dev.txt $$f -o $${f%.in}.txt; done
