# Every command of this project; `make` alone lists them. Python 3.11+ and make are the only prerequisites. Only the targets
# of ops/infra.mk need Terraform.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
export PYTHONPATH := functions:.

# Options of the targets below, as in `make simulate TPS=50`
TPS ?= 20
SECONDS ?= 60
SEED ?= 7
TRANSACTIONS ?= 12000
SCENARIO ?= people
LABEL_DELAY_DAYS ?=
LABEL_DELAYS ?=
BLOCKED ?=
DATA ?=
MAP ?=
LIMIT ?=
RULES ?= rules/default.yaml
AGAINST ?=
MODEL ?=
UNTIL ?=
TRAIN_DAYS ?=
WEEKLY ?=
EXPORT ?=
ROWS ?=
CORES ?=
ENGINE ?=
OUT ?=

# Where recipes write their reports as pages.
REPORTS := build/reports

# For recipes that read a file: a mapping or a limit without a file would be left out silently.
NEED_DATA = $(if $(MAP)$(LIMIT),$(if $(DATA),,$(error MAP= and LIMIT= are for payments of your own; name their file with DATA=)))

TERRAFORM := $(shell command -v terraform)
BROWSER := $(firstword $(shell command -v chromium chromium-browser google-chrome))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

##@ For a newcomer: try it

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z-]*:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.dev $(VENV)-emulator/.ready $(VENV)-lambda/.ready $(VENV)/.jars ## Download and install everything, under this folder (950 MB, two minutes)

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
	@runtime=$$($(PY) -m ops.packaging.pythons) && $$runtime -m venv --clear --without-pip $(VENV)-lambda
	@$(UV) pip sync --quiet --python $(VENV)-lambda/bin/python --require-hashes requirements/lambda.txt
	@touch $@

$(VENV)/.jars: local/jars.py local/jars.lock $(VENV)/.dev
	@echo "set-up 5/5: Kafka, Spark's Kafka connector and DynamoDB Local (about 115 MB)"
	@$(PY) -m local.jars
	@touch $@

.PHONY: demo
demo: setup ## Run the whole system once: simulated payments (TRANSACTIONS= SEED=), or yours (DATA=file MAP=mapping.yaml LIMIT=)
	@$(NEED_DATA)
	@$(PY) -m local.demo $(if $(DATA),--data "$(DATA)" $(if $(MAP),--map "$(MAP)") $(if $(LIMIT),--limit $(LIMIT)),--transactions $(TRANSACTIONS) --seed $(SEED))

.PHONY: test
test: setup $(VENV)-train/.ready $(if $(TERRAFORM),packages $(VENV)-infra/.ready) ## Set up and run every test, on real servers
	@$(PY) -m pytest -n 2 --dist loadgroup $(if $(TERRAFORM),,--ignore tests/terraform) $(if $(BROWSER),,--ignore tests/browser)
	@$(if $(TERRAFORM),,echo "Terraform is not on the path: tests/terraform was not run." >&2)
	@$(if $(BROWSER),,echo "No browser (chromium, chromium-browser, google-chrome) is on the path: tests/browser was not run." >&2)

##@ For an analyst: rules, and data of your own

.PHONY: rules-check
rules-check: $(VENV)/.dev ## Check a ruleset; each error has its line (RULES=file)
	@$(PY) -m lab.rules_check $(RULES)

# Stored rows have their features in them: they are decided again on Spark, here or in AWS.
ROWS_OPTIONS = --rules "$(RULES)" $(if $(MODEL),--model "$(MODEL)") $(if $(OUT),--out "$(OUT)") $(if $(LABEL_DELAY_DAYS),--label-delay-days $(LABEL_DELAY_DAYS))
NO_PAYMENTS_OPTIONS = $(if $(DATA)$(MAP)$(LIMIT)$(AGAINST)$(LABEL_DELAYS)$(BLOCKED),$(error DATA=, MAP=, LIMIT=, AGAINST=, LABEL_DELAYS= and BLOCKED= are for payments; of stored rows, RULES= is compared with what decided then))
PAYMENTS_OPTIONS = --rules $(RULES) $(if $(MODEL),--model "$(MODEL)") $(if $(AGAINST),--against "$(AGAINST)") $(if $(OUT),--out "$(OUT)") $(if $(DATA),--data "$(DATA)",--transactions $(TRANSACTIONS) --seed $(SEED) --scenario $(SCENARIO)) $(if $(MAP),--map "$(MAP)") $(if $(LIMIT),--limit $(LIMIT)) $(if $(LABEL_DELAY_DAYS),--label-delay-days $(LABEL_DELAY_DAYS)) $(if $(LABEL_DELAYS),--label-delays "$(LABEL_DELAYS)") $(if $(BLOCKED),--blocked $(BLOCKED))

.PHONY: backtest
backtest: $(if $(ROWS),setup,$(VENV)/.dev) ## Measure what a ruleset finds in labelled payments (RULES= MODEL= AGAINST= OUT=, TRANSACTIONS= SEED= SCENARIO=people or crowds; or DATA= MAP= LIMIT=; with labels that come late: LABEL_DELAY_DAYS=7, or 1,3,7,14,30 for a table, or LABEL_DELAYS=file, BLOCKED=judged, unlabelled, honest or sampled:0.1); or let it decide again about stored rows (ROWS=folder of exports, or ENV=; RULES= MODEL= OUT= LABEL_DELAY_DAYS=)
	@$(if $(ENV)$(ROWS),$(NO_PAYMENTS_OPTIONS),$(NEED_DATA))
	@$(PY) -m $(if $(ENV),ops.backtest --env "$(ENV)" $(ROWS_OPTIONS),$(if $(ROWS),local.backtest_rows --rows "$(ROWS)" $(ROWS_OPTIONS) $(if $(CORES),--cores $(CORES)),lab.backtest $(PAYMENTS_OPTIONS))) --page $(REPORTS)/backtest.html

# What every training takes, wherever its payments come from.
TRAIN_OPTIONS = --rules "$(RULES)" $(if $(UNTIL),--until "$(UNTIL)") $(if $(OUT),$(if $(ENV),$(error make train: a training in AWS names its model itself; leave OUT= out),--out "$(OUT)")) $(if $(TRAIN_DAYS),--train-days $(TRAIN_DAYS)) $(if $(LABEL_DELAY_DAYS),--label-delay-days $(LABEL_DELAY_DAYS)) $(if $(WEEKLY),--weekly)
TRAIN_FILE_OPTIONS = $(if $(MAP),--map "$(MAP)") $(if $(LABEL_DELAYS),--label-delays "$(LABEL_DELAYS)") $(if $(BLOCKED),--blocked $(BLOCKED))

.PHONY: train
train: $(VENV)/.dev $(if $(ENV),training-packages,$(VENV)-train/.ready) ## Train a model as of a time: on what the running stack has stored, on a file (DATA= MAP=), on DynamoDB's exports (EXPORT=folder), or in AWS (ENV=) (UNTIL=2018-07-31 TRAIN_DAYS=28 LABEL_DELAY_DAYS=7, RULES=, OUT=models/m.json; WEEKLY=1 evaluates four weeks, each with a model of its begin; of a file also LABEL_DELAYS=file, BLOCKED=)
	@$(if $(ENV),$(if $(DATA)$(EXPORT),$(error make train: ENV= trains in AWS on what an environment has stored; leave DATA= and EXPORT= out)))
	@$(if $(DATA),$(if $(UNTIL),,$(error make train: name with UNTIL= the day as of which it learns, such as UNTIL=2018-07-31)),$(if $(MAP)$(LABEL_DELAYS)$(BLOCKED),$(error make train: MAP=, LABEL_DELAYS= and BLOCKED= are for payments of a file; name it with DATA=)))
	@$(PY) -m $(if $(ENV),ops.train --env "$(ENV)",$(if $(DATA),training --data "$(DATA)" $(TRAIN_FILE_OPTIONS),$(if $(EXPORT),training --export "$(EXPORT)",local.train))) $(if $(ENV),,--page $(REPORTS)/training.html) $(TRAIN_OPTIONS)

.PHONY: training-packages
training-packages: $(VENV)/.dev
	@$(PY) -m ops.packaging training-job >/dev/null

$(VENV)-train/.ready: requirements/train.txt $(VENV)/.uv
	@echo "set-up: scikit-learn, in an environment of its own"
	@$(PYTHON) -m venv --without-pip $(VENV)-train
	@$(UV) pip sync --quiet --python $(VENV)-train/bin/python --require-hashes requirements/train.txt
	@touch $@

.PHONY: crowds
crowds: $(VENV)/.dev ## Measure a ruleset on attacks that cross users and on honest crowds (SEEDS=630-637, RULES=)
	@$(PY) -m lab.crowds --rules $(RULES) --seeds $(or $(SEEDS),$(SEED))

.PHONY: red-team
red-team: $(VENV)/.dev ## Let thieves who learn play against a ruleset, and count what honest people suffer (RULES=, ENGINE=commit)
	@$(PY) -m lab.red_team --page $(REPORTS)/red-team.html $(if $(ENGINE),--engine "$(ENGINE)" $(if $(filter-out default undefined file,$(origin RULES)),--rules "$(RULES)"),--rules "$(RULES)")

.PHONY: rules-local
rules-local: rules-check ## Check a ruleset and activate it on the running local system (RULES=file; SHARE=10 as the candidate of the active one; REASON=)
	@$(PY) -m local.deploy_ruleset $(RULES) $(if $(SHARE),--share "$(SHARE)") $(if $(REASON),--reason "$(REASON)")

.PHONY: card-token
card-token: $(VENV)/.dev ## Print the token of a known card number, for a list; asks for the number, or reads it from standard input
	@$(PY) -m local.card_token

.PHONY: sample-data
sample-data: $(VENV)/.dev ## Make a labelled data set with a generator that is not ours: build/sample-data/synccfd.csv
	@$(PY) -m lab.datasets.sample

LABEL_OPTIONS = --transaction-id "$(TRANSACTION)" --verdict "$(VERDICT)" --source "$(if $(findstring command,$(origin SOURCE)),$(SOURCE))" --user-id "$(USER_ID)" --timestamp "$(TIMESTAMP)" --event-key "$(EVENT_KEY)" --fraud-type "$(FRAUD_TYPE)" --confidence "$(CONFIDENCE)" --known-at "$(KNOWN_AT)" --label-id "$(LABEL_ID)" --withdraws "$(WITHDRAWS)"

.PHONY: label
label: $(VENV)/.dev ## Say what a payment was (TRANSACTION= VERDICT=fraud, legitimate or withdrawn SOURCE=analyst, customer, chargeback or early_warning; also USER_ID= TIMESTAMP= EVENT_KEY= FRAUD_TYPE= CONFIDENCE= KNOWN_AT= LABEL_ID= WITHDRAWS=; ENV= for an environment in AWS)
	@$(PY) -m $(if $(ENV),ops label --env "$(ENV)",local.label) $(LABEL_OPTIONS)

.PHONY: relabel
relabel: $(VENV)/.dev ## Send stored labels to their queue again, after a table was restored: sets status, risk and copies to what they say (ENV= for an environment in AWS, and then BEFORE= a copy of the labels of before)
	@$(PY) -m $(if $(ENV),ops relabel --env "$(ENV)" --before "$(BEFORE)",local.relabel)

##@ For an operator: the system on this machine

.PHONY: up
up: setup ## Start the system and leave it running (MAPPINGS=folder of <prefix>.yaml, see docs/guide-own-data.md)
	@$(PY) -m local.stack up

.PHONY: simulate
simulate: $(VENV)/.dev ## Send it simulated payments, and what people report of them late, never or wrongly (TPS= SECONDS= SEED=; a day until a report lasts LABEL_DAY_SECONDS=, and reports go on for REPORT_SECONDS= after the last payment)
	@$(PY) -m local.simulate --tps $(TPS) --seconds $(SECONDS) --seed $(SEED) $(if $(LABEL_DAY_SECONDS),--label-day-seconds $(LABEL_DAY_SECONDS)) $(if $(REPORT_SECONDS),--report-seconds $(REPORT_SECONDS))

.PHONY: watch
watch: $(VENV)/.dev ## Show rates, backlogs and the latest alerts until Ctrl-C
	@$(PY) -m local.watch

.PHONY: status
status: $(VENV)/.dev ## Show its health and counts; exits 1 if something is wrong
	@$(PY) -m local.status

.PHONY: env
env: $(VENV)/.dev ## Print exports for any Kafka, Redis or AWS client: eval "$(make -s env)"
	@$(PY) -m local.env

.PHONY: row
row: $(VENV)/.dev ## Print a user's newest history rows, features by name (USER= TRANSACTION= LIMIT=; TABLE= for one in AWS)
	@$(PY) -m local.row --user "$(if $(findstring command,$(origin USER)),$(USER))" --transaction "$(TRANSACTION)" --limit $(or $(LIMIT),1) --table "$(TABLE)"

.PHONY: people
people: $(VENV)/.dev ## Print the console's address, and who can sign in to it
	@$(PY) -m local.people

.PHONY: audit-find
audit-find: $(VENV)/.dev ## Print what was done in the console (DAY= PERSON=; BY=user VALUE=u-1 who asked for a user, or BY=card_id and the like; TABLE= for one in AWS)
	@$(PY) -m local.audit_find --day "$(DAY)" --person "$(PERSON)" --by "$(BY)" --value "$(VALUE)" --table "$(TABLE)"

.PHONY: audit-verify
audit-verify: $(VENV)/.dev ## Find any audit event of the console that was changed, dropped, inserted or moved (TABLE= BUCKET= for those in AWS; KEEP=file writes the heads too, HEADS=file checks those too)
	@$(PY) -m local.audit_verify --table "$(TABLE)" --bucket "$(BUCKET)" $(if $(HEADS),--heads "$(HEADS)") $(if $(KEEP),--keep "$(KEEP)")

.PHONY: replay
replay: $(VENV)/.dev ## Make stored decisions again from their rows, by the ruleset and model that were active then, and name those that differ (USER=, or FROM= TO=; TABLE= BUCKET= for those in AWS)
	@$(PY) -m local.replay --user "$(if $(findstring command,$(origin USER)),$(USER))" $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)") $(if $(LIMIT),--max-rows $(LIMIT)) --table "$(TABLE)" --bucket "$(BUCKET)"

.PHONY: redrive-local
redrive-local: $(VENV)/.dev ## Send a stage's dead letters through it again (QUEUE=alert, case, label, persist or score)
	@$(PY) -m local.redrive --queue "$(QUEUE)"

.PHONY: reconcile-local
reconcile-local: $(VENV)/.dev ## Find suspicious payments that a stage has missed, and send them to it (HOURS= to look back further; RECOUNT=1 counts all cases again)
	@$(PY) -m local.reconcile $(if $(HOURS),--hours $(HOURS)) $(if $(RECOUNT),--recount)

.PHONY: down
down: $(VENV)/.dev ## Stop the system
	@$(PY) -m local.stack down

##@ For an engineer: code

ARCH ?= host

.PHONY: test-unit
test-unit: $(VENV)/.dev ## Run the unit tests, which need no server and no network
	@HYPOTHESIS_PROFILE=brief $(PY) -m pytest tests/unit -n auto --dist loadfile

SAMPLE ?= 150

$(VENV)-runtime/.ready: requirements/dev.txt $(VENV)/.uv
	@echo "set-up: the packages for the functions' Python"
	@runtime=$$($(PY) -m ops.packaging.pythons --required) && $$runtime -m venv --clear --without-pip $(VENV)-runtime
	@$(UV) pip sync --quiet --python $(VENV)-runtime/bin/python --require-hashes requirements/dev.txt requirements/uv.txt
	@touch $@

.PHONY: test-runtime
test-runtime: setup ## Run the unit tests and those of the local runtime with the functions' Python, if this machine has it
	@if $(PY) -m ops.packaging.pythons --required >/dev/null; then \
	  $(MAKE) $(VENV)-runtime/.ready && \
	  HYPOTHESIS_PROFILE=brief $(VENV)-runtime/bin/python -m pytest tests/unit tests/integration/runtime -n 2 --dist loadfile; fi

.PHONY: mutants
mutants: $(VENV)/.dev $(VENV)-mutants/.ready ## Change the code at SAMPLE= places drawn by SEED=, one at a time; unit tests must notice 95%
	@$(PY) -m tests.mutants --seed $(SEED) --sample $(SAMPLE) --python $(VENV)-mutants/bin/python

$(VENV)-mutants/.ready: requirements/mutants.txt $(VENV)/.uv
	@echo "set-up: mutmut"
	@$(PYTHON) -m venv --without-pip $(VENV)-mutants
	@$(UV) pip sync --quiet --python $(VENV)-mutants/bin/python --require-hashes requirements/mutants.txt
	@touch $@

.PHONY: lint
lint: $(VENV)/.dev ## Check style, types and YAML; changes nothing
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check --quiet
	@$(VENV)/bin/mypy
	@$(VENV)/bin/yamllint --strict .
	@$(if $(TERRAFORM),terraform fmt -check -recursive -diff terraform)

.PHONY: format
format: $(VENV)/.dev ## Format the code, and fix what ruff can fix
	@$(VENV)/bin/ruff check --fix --quiet
	@$(VENV)/bin/ruff format --quiet

.PHONY: coverage
coverage: setup $(VENV)-train/.ready ## Run all tests and measure the branch coverage of functions/
	@$(PY) -m pytest --cov --cov-report=term

.PHONY: test-faults
test-faults: setup ## Inject faults, and check that each payment is still decided exactly once (LONG=1: every moment and seed)
	@$(if $(LONG),LONG=$(LONG) HYPOTHESIS_PROFILE=long )$(PY) -m pytest tests/faults tests/unit/score/test_stage_model.py $(if $(LONG),--timeout=0 -n 2 --dist loadgroup)

.PHONY: build
build: $(VENV)/.dev ## Build the functions' zips (ARCH=host, x86_64 or arm64)
	@$(PY) -m ops.packaging functions --arch $(ARCH)

##@ For an engineer: figures

MINUTES ?= 30
FIGURES ?=

.PHONY: bench
bench: setup ## Measure the functions against their targets (FIGURES=1 draws docs/figures; ROLLOUT=1 with a model and a candidate)
	@$(PY) -m benchmarks $(if $(FIGURES),--figures) $(if $(ROLLOUT),--rollout --output build/bench-rollout.json)

.PHONY: bench-endtoend
bench-endtoend: setup ## Measure from the topic to SNS: 200 payments a second for 5 minutes, then the highest steady rate
	@$(PY) -m benchmarks.endtoend --seconds 300 --search $(if $(FIGURES),--figures)

.PHONY: bench-console
bench-console: setup ## Measure how long a page of the console takes, beside 100 payments a second
	@$(PY) -m benchmarks.console

.PHONY: bench-trial
bench-trial: setup ## Measure how many stored payments a second "Try it" compares by two rulesets
	@$(PY) -m benchmarks.trial

.PHONY: soak
soak: setup ## Measure memory and latency at a steady rate (MINUTES=)
	@$(PY) -m benchmarks.soak --minutes $(MINUTES) $(if $(FIGURES),--figures)

.PHONY: scale
scale: $(VENV)/.dev ## Compute what 1,000 to 100,000 payments a second need, and what reaches its limit first (ENV=)
	@$(PY) -m ops.scale $(if $(ENV),--env $(ENV))

##@ For an engineer: upkeep

.PHONY: docs
docs: $(VENV)/.dev ## Regenerate the pages, the picture and the schemas that are made from code
	@$(PY) -m lab.feature_page > docs/features.md
	@$(PY) -m lab.alert_picture > docs/alert.svg
	@cd functions && ../$(PY) -m contract.publish_schemas

.PHONY: tables
tables: $(VENV)/.dev ## Make the contract's tables of countries, places and currencies from the packages they come from
	@$(PY) -m ops.reference_tables

.PHONY: lock
lock: $(VENV)/.uv ## Compile the hashed lock files from the .in files
	@for f in dev emulator infra lambda mutants train; do $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements/$$f.in -o requirements/$$f.txt; done
	@$(UV) pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url --no-emit-package numpy -c requirements/dev.txt requirements/training-job.in -o requirements/training-job.txt
	@for f in functions/*/requirements.in glue_scripts/backtest_requirements.in; do $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -c requirements/dev.txt $$f -o $${f%.in}.txt; done
	@$(MAKE) $(VENV)/.dev
	@$(PY) -m local.jars lock

.PHONY: clean
clean: ## Remove everything that was built; keeps the set-up
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage spark-warehouse metastore_db derby.log
	@find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove the set-up too
	@rm -rf $(VENV) $(VENV)-emulator $(VENV)-lambda $(VENV)-infra $(VENV)-mutants $(VENV)-runtime $(VENV)-train

include ops/infra.mk
