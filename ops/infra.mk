# Every target that calls Terraform or AWS. The Makefile includes this file and defines PY, VENV, UV and PYTHON. Each target
# checks what it needs, and says in one sentence what is missing.

PY ?= .venv/bin/python
VENV ?= .venv
REPORTS ?= build/reports
INFRA := $(VENV)-infra
OPS = $(PY) -m ops

ENV ?=
NAME ?=
QUEUE ?=
CONFIRM ?=
export CONFIRM # recipes read it from the environment: an address has quotes and brackets, which a shell would take apart

# What a plan reads: the functions' zips and the Glue jobs' packages, built for AWS's processors. Takes a second if nothing changed.
.PHONY: packages
packages: $(VENV)/.dev
	@$(PY) -m ops.packaging functions --arch arm64 >/dev/null
	@$(PY) -m ops.packaging glue-job >/dev/null
	@$(PY) -m ops.packaging glue-backtest >/dev/null

##@ For an engineer: infrastructure

$(INFRA)/.ready: requirements/infra.txt $(VENV)/.uv
	@echo "set-up: checks of Terraform and of the workflows"
	@$(PYTHON) -m venv --without-pip $(INFRA)
	@$(UV) pip install --quiet --python $(INFRA)/bin/python --require-hashes -r requirements/infra.txt
	@touch $@

.PHONY: terraform-present
terraform-present:
	@command -v terraform >/dev/null || { echo "Terraform is not on the path; install $$(cat terraform/.terraform-version)." >&2; exit 1; }

.PHONY: infra-lint
infra-lint: terraform-present $(VENV)/.dev $(INFRA)/.ready $(VENV)-emulator/.ready ## Check format, validity, policies and workflows; changes nothing
	@terraform fmt -check -recursive -diff terraform
	@$(PY) -m pytest tests/terraform -m "not life_cycle"

# What terraform init installed: with it, and with TF_CLI_ARGS_init, no later init asks a registry.
FAST := $(CURDIR)/build/infra-fast

$(FAST)/.ready: terraform/.terraform.lock.hcl
	@mkdir -p $(FAST)
	@TF_DATA_DIR=$(FAST)/.terraform terraform -chdir=terraform init -backend=false -input=false -lockfile=readonly >/dev/null
	@touch $@

.PHONY: infra-test-fast
infra-test-fast: terraform-present $(VENV)/.dev $(INFRA)/.ready $(FAST)/.ready ## Run the checks but for the slow ones, from the second run on without network
	@terraform fmt -check -recursive -diff terraform
	@TF_CLI_ARGS_init=-plugin-dir=$(FAST)/.terraform/providers $(PY) -m pytest tests/terraform tests/unit/ops -m "not life_cycle and not slow"

.PHONY: infra-test
infra-test: terraform-present packages $(INFRA)/.ready $(VENV)-emulator/.ready ## Run every test of the infrastructure, with an environment's whole life on the emulator
	@terraform fmt -check -recursive -diff terraform
	@$(PY) -m pytest tests/terraform

.PHONY: infra-docs
infra-docs: $(VENV)/.dev ## Regenerate docs/environments.md and docs/cost.md
	@$(PY) -m ops.environments_page > docs/environments.md
	@$(PY) -m ops.cost_page > docs/cost.md

##@ For an operator: AWS (each takes ENV=dev, staging or prod)

.PHONY: bootstrap
bootstrap: $(VENV)/.dev ## Create the state bucket and the CI roles; once, by an administrator
	@$(OPS) bootstrap --env "$(ENV)"

.PHONY: doctor
doctor: $(VENV)/.dev ## Check, read-only, whether an account can take an environment; exits 1 if an apply would fail
	@$(OPS) doctor --env "$(ENV)"

.PHONY: plan
plan: packages ## Plan, and save the plan in build/plans/
	@$(OPS) plan --env "$(ENV)"

.PHONY: apply
apply: $(VENV)/.dev ## Apply the saved plan, and only that (CONFIRM= if it deletes what holds data)
	@$(OPS) apply --env "$(ENV)" --confirm "$$CONFIRM"

.PHONY: supersede
supersede: $(VENV)/.dev ## In CI, cancel older runs that wait for this environment's approval
	@$(OPS) supersede --env "$(ENV)"

.PHONY: drift
drift: packages ## List what was changed outside Terraform; exits 2 if anything was
	@$(OPS) drift --env "$(ENV)"

.PHONY: start
start: $(VENV)/.dev ## Start the Glue job and the pollers of an environment that does not run all the time, such as dev
	@$(OPS) start --env "$(ENV)"

.PHONY: stop
stop: $(VENV)/.dev ## Stop them; what arrives meanwhile waits in the topic
	@$(OPS) stop --env "$(ENV)"

.PHONY: destroy
destroy: packages ## Destroy an environment, after a question (prod: CONFIRM= too)
	@$(OPS) destroy --env "$(ENV)" --confirm "$$CONFIRM"

.PHONY: output
output: $(VENV)/.dev ## Print the environment's outputs (NAME= for one)
	@$(OPS) output --env "$(ENV)" --name "$(NAME)"

.PHONY: redrive
redrive: $(VENV)/.dev ## Send the messages of a dead-letter queue through their stage again (QUEUE=)
	@$(OPS) redrive --env "$(ENV)" --queue "$(QUEUE)"

.PHONY: reconcile
reconcile: $(VENV)/.dev ## Find suspicious payments that a stage has missed, and send them to it (HOURS= to look back further than 48; RECOUNT=1 counts all cases again, after a restore)
	@$(OPS) reconcile --env "$(ENV)" $(if $(HOURS),--hours $(HOURS)) $(if $(RECOUNT),--recount)

.PHONY: rules-deploy
rules-deploy: rules-check ## Check a ruleset and propose it; when another person has approved it, it is deployed gradually (RULES=file; SHARE=10 as the candidate of the active one, for 10% of the users; REASON=)
	@$(OPS) rules-deploy --env "$(ENV)" --rules "$(RULES)" $(if $(SHARE),--share "$(SHARE)") $(if $(REASON),--reason "$(REASON)")

.PHONY: rules-withdraw
rules-withdraw: $(VENV)/.dev ## Propose that the candidate is taken out; when another person has approved it, that is deployed at once (REASON=)
	@$(OPS) rules-withdraw --env "$(ENV)" --reason "$(REASON)"

.PHONY: rules-changes
rules-changes: $(VENV)/.dev ## List the changes of the ruleset that wait for somebody, and the last ones that were made
	@$(OPS) rules-changes --env "$(ENV)"

.PHONY: rules-approve
rules-approve: $(VENV)/.dev ## Approve a change that another person has proposed, and follow it until it is deployed (CHANGE=, NOTE=)
	@$(OPS) rules-approve --env "$(ENV)" --change "$(CHANGE)" $(if $(NOTE),--note "$(NOTE)")

.PHONY: rules-reject
rules-reject: $(VENV)/.dev ## Reject a change that another person has proposed (CHANGE=, NOTE=)
	@$(OPS) rules-reject --env "$(ENV)" --change "$(CHANGE)" $(if $(NOTE),--note "$(NOTE)")

.PHONY: rules-retract
rules-retract: $(VENV)/.dev ## Retract a change of your own that is not being deployed yet (CHANGE=, NOTE=)
	@$(OPS) rules-retract --env "$(ENV)" --change "$(CHANGE)" $(if $(NOTE),--note "$(NOTE)")

.PHONY: rules-report
rules-report: $(VENV)/.dev ## Say what the candidate changes, by rule and with examples, and whether that may be chance (ENV=; without it, on the running local system)
	@$(if $(ENV),$(OPS) rules-report --env "$(ENV)",$(PY) -m local.function_report guardrails) --page $(REPORTS)/rules-report.html

.PHONY: model-report
model-report: $(VENV)/.dev ## Say how the model is doing: drift of its inputs and score, calibration, precision, how late labels are (ENV=; without it, on the running local system)
	@$(if $(ENV),$(OPS) model-report --env "$(ENV)",$(PY) -m local.function_report drift)

.PHONY: state-backup
state-backup: $(VENV)/.dev ## Save a copy of the state in build/state-backups/
	@$(OPS) state-backup --env "$(ENV)"
