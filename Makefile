# Every command of this project. `make` alone lists them. Python 3.11+ and make are the only prerequisites; Terraform is
# needed for the infrastructure targets alone.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
export PYTHONPATH := functions:.

# The local stack
TPS ?= 20
SECONDS ?= 60
SEED ?= 7
TRANSACTIONS ?= 12000
DATA ?=
MAP ?=
LIMIT ?=
RULES ?= rules/default.yaml

TERRAFORM := $(shell command -v terraform)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

##@ First

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z-]*:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.dev $(VENV)-emulator/.ready $(VENV)-lambda/.ready $(VENV)/.jars ## Install all that one machine needs, under this folder

$(VENV)/.uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another one with PYTHON=." >&2; exit 1; }
	@echo "set-up 1/5: Python environment"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.uv
	@echo "set-up 2/5: packages, with Spark, Java, Valkey and a Kafka client (about 700 MB)"
	@$(UV) pip sync --quiet --python $(PY) --require-hashes requirements/dev.txt requirements/uv.txt
	@touch $@

$(VENV)-emulator/.ready: requirements/emulator.txt $(VENV)/.uv
	@echo "set-up 3/5: AWS emulator"
	@$(PYTHON) -m venv --without-pip $(VENV)-emulator
	@$(UV) pip sync --quiet --python $(VENV)-emulator/bin/python --require-hashes requirements/emulator.txt
	@touch $@

$(VENV)-lambda/.ready: requirements/lambda.txt $(VENV)/.uv
	@echo "set-up 4/5: Lambda runtime interface client"
	@$(PYTHON) -m venv --without-pip $(VENV)-lambda
	@$(UV) pip sync --quiet --python $(VENV)-lambda/bin/python --require-hashes requirements/lambda.txt
	@touch $@

$(VENV)/.jars: local/jars.py $(VENV)/.dev
	@echo "set-up 5/5: Kafka, Spark's Kafka connector and DynamoDB Local (about 250 MB)"
	@$(PY) -m local.jars
	@touch $@

##@ One machine

.PHONY: demo
demo: setup ## Run the whole system in two minutes (TRANSACTIONS= SEED=, or DATA=file MAP=mapping.yaml LIMIT=)
	@$(PY) -m local.demo $(if $(DATA),--data "$(DATA)" $(if $(MAP),--map "$(MAP)") $(if $(LIMIT),--limit $(LIMIT)),--transactions $(TRANSACTIONS) --seed $(SEED))

.PHONY: up
up: setup ## Leave the system running
	@$(PY) -m local.stack up

.PHONY: down
down: $(VENV)/.dev ## Stop it
	@$(PY) -m local.stack down

.PHONY: status
status: $(VENV)/.dev ## Show its health and counts
	@$(PY) -m local.status

.PHONY: watch
watch: $(VENV)/.dev ## Show it live until Ctrl-C
	@$(PY) -m local.watch

.PHONY: simulate
simulate: $(VENV)/.dev ## Feed it (TPS= SECONDS= SEED=)
	@$(PY) -m local.simulate --tps $(TPS) --seconds $(SECONDS) --seed $(SEED)

.PHONY: redrive-local
redrive-local: $(VENV)/.dev ## Put back what a stage of the running system gave up (QUEUE=alert, persist or score)
	@$(PY) -m local.redrive --queue "$(QUEUE)"

.PHONY: env
env: $(VENV)/.dev ## Print exports for any Kafka, Redis or AWS client: eval "$(make -s env)"
	@$(PY) -m local.env

.PHONY: sample-data
sample-data: $(VENV)/.dev ## Make build/sample-data/synccfd.csv, transactions that nobody here wrote
	@$(PY) -m lab.datasets.sample

##@ Rules

.PHONY: rules-check
rules-check: $(VENV)/.dev ## Check a ruleset (RULES=file)
	@$(PY) -m lab.rules_check $(RULES)

.PHONY: rules-local
rules-local: rules-check ## Put a ruleset into force on the local stack (RULES=file)
	@$(PY) -m local.rulesets $(RULES)

.PHONY: backtest
backtest: $(VENV)/.dev ## Judge a ruleset against labelled transactions (RULES=file TRANSACTIONS= SEED=, or DATA= MAP=)
	@$(PY) -m lab.backtest --rules $(RULES) $(if $(DATA),--data "$(DATA)" $(if $(MAP),--map "$(MAP)"),--transactions $(TRANSACTIONS) --seed $(SEED))

##@ Code

ARCH ?= host

.PHONY: build
build: $(VENV)/.dev ## Build the functions' zips (ARCH=host, x86_64 or arm64)
	@$(PY) -m ops.packaging functions --arch $(ARCH)

.PHONY: test
test: setup $(if $(TERRAFORM),packages $(VENV)-infra/.ready) ## Set up and run all tests, a whole life of an environment on an emulator among them
	@$(PY) -m pytest -n 2 --dist loadgroup $(if $(TERRAFORM),,--ignore tests/terraform)
	@$(if $(TERRAFORM),,echo "Terraform is not on the path: tests/terraform was not run." >&2)

.PHONY: test-unit
test-unit: $(VENV)/.dev ## Run the unit tests, in seconds
	@HYPOTHESIS_PROFILE=brief $(PY) -m pytest tests/unit -n auto --dist loadfile

.PHONY: coverage
coverage: setup ## Run all tests and measure the branches of functions/ that they take
	@$(PY) -m pytest --cov --cov-report=term

.PHONY: test-faults
test-faults: setup ## Break everything on purpose, and hold the system to exactly once (LONG=1 for every moment and seed)
	@$(if $(LONG),LONG=$(LONG) HYPOTHESIS_PROFILE=long )$(PY) -m pytest tests/faults tests/unit/score/test_stage_model.py $(if $(LONG),--timeout=0 -n 2 --dist loadgroup)

.PHONY: lint
lint: $(VENV)/.dev ## Check style, types and YAML; changes nothing
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check --quiet
	@$(VENV)/bin/mypy
	@$(VENV)/bin/yamllint --strict .
	@$(if $(TERRAFORM),terraform fmt -check -recursive -diff terraform)

.PHONY: format
format: $(VENV)/.dev ## Format, and mend what can be mended
	@$(VENV)/bin/ruff check --fix --quiet
	@$(VENV)/bin/ruff format --quiet

##@ Figures

MINUTES ?= 30
FIGURES ?=

.PHONY: bench
bench: setup ## Measure the functions against their targets (FIGURES=1 draws docs/figures)
	@$(PY) -m benchmarks $(if $(FIGURES),--figures)

.PHONY: bench-endtoend
bench-endtoend: setup ## Measure from the topic to SNS, 200 a second for 5 minutes, and the highest steady rate
	@$(PY) -m benchmarks.endtoend --seconds 300 --search $(if $(FIGURES),--figures)

.PHONY: soak
soak: setup ## Watch memory and latency at a steady rate (MINUTES=)
	@$(PY) -m benchmarks.soak --minutes $(MINUTES) $(if $(FIGURES),--figures)

.PHONY: scale
scale: $(VENV)/.dev ## Say what 1,000 to 100,000 payments a second need, and what breaks first (ENV=)
	@$(PY) -m ops.scale $(if $(ENV),--env $(ENV))

##@ Upkeep

.PHONY: docs
docs: $(VENV)/.dev ## Make the pages and schemas that are made from code
	@$(PY) -m lab.feature_page > docs/features.md
	@cd functions && ../$(PY) -m contract.publish_schemas

.PHONY: lock
lock: $(VENV)/.uv ## Compile the hashed lock files from the .in files
	@for f in dev emulator infra lambda; do $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements/$$f.in -o requirements/$$f.txt; done
	@for f in functions/*/requirements.in; do $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -c requirements/dev.txt $$f -o $${f%.in}.txt; done

.PHONY: clean
clean: ## Remove everything that was built, but not the set-up
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage spark-warehouse metastore_db derby.log
	@find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove the set-up as well
	@rm -rf $(VENV) $(VENV)-emulator $(VENV)-lambda $(VENV)-infra

include ops/infra.mk
