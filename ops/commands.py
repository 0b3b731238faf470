"""doctor, plan, apply, supersede, drift, start, stop, destroy, output, state-backup and bootstrap, for one environment each."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ops import account, doctor, emptying, on_demand, plan_document, plan_gate
from ops.doctor.finding import Level, read_site
from ops.errors import OpsError
from ops.foreign_principals import check_principals
from ops.manifests import function_names
from ops.supersede import GitHub, supersede
from ops.tool import Terraform, check_installed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ops.environment import Environment

PLAN_DIFFERS: Final = 2
"""Terraform's exit code, and ours, where the plan is not empty."""

SECOND_CONFIRMATION: Final = "with-all-its-payments"
"""What destroying a protected environment needs beside its name."""


def ready(environment: Environment) -> Terraform:
    """Check what every command needs, and return Terraform, initialised with the environment's state."""
    check_installed(environment.root)
    account.check_account(environment)
    account.check_state_bucket(environment)
    terraform = Terraform(environment)
    terraform.initialise()
    return terraform


def check_packages(root: Path) -> None:
    """Raise unless each function's zip is built."""
    zips = root / "build/functions/arm64"
    missing = [name for name in function_names(root / "functions") if not (zips / f"{name}.zip").is_file()]
    if missing:
        raise OpsError(f"Not built yet: {', '.join(missing)}; run `make build ARCH=arm64`.")


def examine(environment: Environment) -> int:
    """Check, read-only, whether the account can take the environment; 1 if an apply would fail."""
    account.check_account(environment)
    findings = doctor.examine(read_site(environment), is_quick=False)
    print(f"ok      Account {environment.account_id}, {environment.region}.")
    print("\n".join(str(finding) for finding in findings))
    return 1 if doctor.failures(findings) else 0


def check_site(environment: Environment) -> None:
    """Run the quick checks of `examine`; print what is not all right, and raise if an apply would fail."""
    findings = doctor.examine(read_site(environment), is_quick=True)
    for finding in findings:
        if finding.level in (Level.WARN, Level.UNKNOWN):
            print(finding)
    if failures := doctor.failures(findings):
        raise OpsError("\n".join(finding.text for finding in failures))


def plan(environment: Environment) -> int:
    """Plan and save the plan for `apply`, with a report beside it."""
    check_packages(environment.root)
    terraform = ready(environment)
    check_site(environment)
    environment.plan_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        terraform.run("plan", f"-var-file={environment.variables_file}", f"-out={environment.plan_file}")
    except OpsError:
        environment.plan_file.unlink(missing_ok=True)  # Terraform saves an incomplete plan if planning fails
        raise
    document = terraform.show(environment.plan_file)
    try:
        check_principals(document, environment.account_id)
    except OpsError:
        environment.plan_file.unlink()
        raise
    environment.report_file.write_text(plan_document.report(environment.name, document))
    print(f"{environment.name}: {plan_document.counts(plan_document.planned_changes(document))}.")
    environment.empty_file.unlink(missing_ok=True)
    if plan_gate.is_empty(document):
        environment.empty_file.touch()
    if deleted := plan_gate.deleted_stateful(document):
        print(f"Deletes or replaces what holds data; apply it with {plan_gate.confirmation(deleted)}.")
    return 0


def apply(environment: Environment, confirmed: str = "") -> int:
    """Apply the saved plan, and nothing else; a plan is used once.

    Parameters
    ----------
    environment : Environment
        The environment to change.
    confirmed : str
        Addresses of the stateful resources that the plan may delete or replace.
    """
    if not environment.plan_file.is_file():
        raise OpsError(
            f"There is no saved plan for {environment.name}; run `make plan ENV={environment.name}` first."
        )
    terraform = ready(environment)
    document = terraform.show(environment.plan_file)
    plan_gate.check_age(document, environment.name, datetime.now(UTC))
    plan_gate.check_confirmed(document, confirmed)
    check_principals(document, environment.account_id)
    terraform.run("apply", str(environment.plan_file))
    environment.plan_file.unlink()
    return 0


def supersede_older(environment: Environment) -> int:
    """In CI, cancel older runs that wait for the environment's approval; 1 if this run is itself older."""
    cancelled = supersede(GitHub(os.environ), environment.name)
    for number in cancelled:
        print(
            f"Run {number} was waiting for the approval of {environment.name}; cancelled, this plan is newer."
        )
    return 0


def drift(environment: Environment) -> int:
    """List what was changed in AWS outside Terraform, and what was not applied yet; 2 if there is any."""
    check_packages(environment.root)
    terraform = ready(environment)
    kept = environment.plan_file.with_suffix(".drift")
    kept.parent.mkdir(parents=True, exist_ok=True)
    variables = f"-var-file={environment.variables_file}"
    terraform.read("plan", variables, f"-out={kept}", "-lock=false")
    document = terraform.show(kept)
    kept.unlink()
    check_principals(document, environment.account_id)
    lines = plan_document.drift_lines(document)
    environment.drift_file.unlink(missing_ok=True)
    if not lines:
        print(f"{environment.name}: no drift.")
        return 0
    print("\n".join(lines))
    environment.drift_file.write_text("".join(f"- {line}\n" for line in lines))
    return PLAN_DIFFERS


def destroy(environment: Environment, second_confirmation: str, ask: Callable[[str], str] = input) -> int:
    """Remove every resource of an environment, after its name was typed.

    Parameters
    ----------
    environment : Environment
        The environment to remove.
    second_confirmation : str
        `SECOND_CONFIRMATION`, for a protected environment.
    ask : callable
        Shows a question and returns the answer.
    """
    name = environment.name
    if environment.is_protected and second_confirmation != SECOND_CONFIRMATION:
        raise OpsError(
            f"{name} holds payments; destroying it needs a second confirmation: CONFIRM={SECOND_CONFIRMATION}."
        )
    answer = ask(
        f"This removes every resource of {name} in account {environment.account_id}. Type {name} to continue: "
    )
    if answer.strip() != name:
        raise OpsError(f"{name} was not destroyed: the answer was not its name.")
    terraform = ready(environment)
    held = emptying.resources(terraform.state())
    for sentence in emptying.Emptying(held, lambda service: account.client(service, environment)).run():
        print(sentence)
    terraform.run("destroy", f"-var-file={environment.variables_file}", "-auto-approve")
    return 0


def start(environment: Environment) -> int:
    """Start the job and the pollers of an environment that does not run all the time."""
    return _switch(environment, on_demand.start)


def stop(environment: Environment) -> int:
    """Stop the job and the pollers of an environment that does not run all the time."""
    return _switch(environment, on_demand.stop)


def _switch(
    environment: Environment,
    switch: Callable[[list[emptying.Resource], Callable[[str], Any]], list[str]],
) -> int:
    held = emptying.resources(ready(environment).state())
    on_demand.check_on_demand(held, environment.name)
    for sentence in switch(held, lambda service: account.client(service, environment)):
        print(sentence)
    return 0


def output(environment: Environment, name: str | None) -> int:
    """Print all outputs as JSON, or the one that is named: a string as it is, anything else as JSON."""
    outputs = ready(environment).outputs()
    if name is None:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(outputs), indent=2) + b"\n")
        return 0
    if name not in outputs:
        raise OpsError(
            f"{environment.name} has no output {name}; it has {', '.join(sorted(outputs)) or 'none yet'}."
        )
    value = outputs[name]
    print(value if isinstance(value, str) else msgspec.json.encode(value).decode())
    return 0


class StateHead(msgspec.Struct):
    """What identifies one version of a state."""

    lineage: str
    serial: int


def state_backup(environment: Environment) -> int:
    """Keep a copy of the state on this machine, readable by its owner alone."""
    text = ready(environment).read("state", "pull")
    try:
        head = msgspec.json.decode(text, type=StateHead)
    except msgspec.DecodeError as error:
        raise OpsError(f"{environment.name} has no state yet.") from error
    target = environment.root / f"build/state-backups/{environment.name}-{head.serial}.tfstate"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_bytes(text)
    print(
        f"State {head.serial} of {environment.name} ({head.lineage}) is in {target.relative_to(environment.root)}."
    )
    return 0


def bootstrap(environment: Environment, ask: Callable[[str], str] = input) -> int:
    """Create or change the state's bucket, the CI roles and the boundary; for an administrator, after a question.

    The first time there is no bucket yet for the state of this root module itself. Its state is a local file until the bucket
    exists, and is then moved into it.
    """
    check_installed(environment.root)
    account.check_account(environment)
    variables = environment.folder / "bootstrap.tfvars"
    if not variables.is_file():
        raise OpsError(f"{variables.relative_to(environment.root)} is missing.")
    terraform = Terraform(environment, "terraform/bootstrap")
    module = environment.root / "terraform/bootstrap"
    override, local_state = module / "backend_override.tf", module / "terraform.tfstate"
    in_bucket = (
        f"-backend-config={environment.backend_file}",
        "-backend-config=key=bootstrap/terraform.tfstate",
    )
    first_time = local_state.exists() or not account.state_bucket_exists(environment)
    if first_time:
        override.write_text('terraform {\n  backend "local" {}\n}\n')
        terraform.read("init", "-reconfigure")
    else:
        terraform.read("init", "-reconfigure", *in_bucket)
    saved = environment.plan_file.with_name(f"{environment.name}-bootstrap.tfplan")
    saved.parent.mkdir(parents=True, exist_ok=True)
    try:
        terraform.run("plan", f"-var-file={variables}", f"-out={saved}")
        if ask(f"Apply this in account {environment.account_id}? Type yes to continue: ").strip() != "yes":
            raise OpsError("Nothing was changed: the answer was not yes.")
        terraform.run("apply", str(saved))
    finally:
        override.unlink(missing_ok=True)
        saved.unlink(missing_ok=True)
    if first_time:
        terraform.read("init", "-migrate-state", "-force-copy", *in_bucket)
        backup = environment.root / f"build/state-backups/{environment.name}-bootstrap.tfstate"
        backup.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(local_state, backup)
        local_state.with_suffix(".tfstate.backup").unlink(missing_ok=True)
    return 0
