"""The command line of the make targets: ``python -m ops plan --env dev``."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contract.flagged import FLAGGED_TABLE
from contract.label import LABELS_TABLE
from contract.ruleset_change import ChangeKind
from contract.ruleset_draft import Draft
from lab.pages.html import write_page
from ops import account, commands, dead_letters, labels, reconciling, rollout, rules, stored_labels
from ops.environment import ROOT, Environment, read_environment
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.ruleset_desk import RulesetDesk


def redrive(environment: Environment, name: str) -> int:
    """Redrive a dead-letter queue; 1 if a message stays in it."""
    if not name:
        raise OpsError("Name the queue: QUEUE= and the name that the alarm shows.")
    urls = commands.ready(environment).outputs().get("dead_letter_queue_urls", {})
    sqs = account.client("sqs", environment)
    task = dead_letters.Redrive(sqs, account.client("s3", environment), account.client("lambda", environment))
    result = task.run(dead_letters.queue_url(sqs, name, urls))
    print(f"{name}: {result.put_back} put back, {len(result.kept)} stay.")
    for line in result.kept:
        print(line)
    return 1 if result.kept else 0


def reconcile(environment: Environment, options: argparse.Namespace) -> int:
    """Run the reconciler; 1 if something that it found could not be repaired."""
    names = commands.ready(environment).outputs().get("function_names", {})
    if "reconcile" not in names:
        raise OpsError(f"{environment.name} has no reconciler yet; apply it first.")
    functions = account.client("lambda", environment, read_timeout_seconds=910)
    found = reconciling.run(functions, f"{names['reconcile']}:live", reconciling.request(options))
    print(reconciling.report(found))
    return 0 if reconciling.is_clean(found) else 1


def label(environment: Environment, options: argparse.Namespace) -> int:
    """Send one label to an environment's queue, and print what was sent."""
    message = labels.read_message(options, datetime.now(UTC))
    url = labels.queue_url(commands.ready(environment).outputs(), environment.name)
    print(labels.send(account.client("sqs", environment), url, message))
    return 0


def relabel(environment: Environment, before: str) -> int:
    """Send stored labels to an environment's queue again, and print of how many payments; ``before`` names a copy of `labels` of before it was restored."""
    outputs = commands.ready(environment).outputs()
    url = labels.queue_url(outputs, environment.name)
    dynamodb, sqs = account.client("dynamodb", environment), account.client("sqs", environment)
    names = outputs["table_names"]
    tables = stored_labels.Tables(names[LABELS_TABLE], names[FLAGGED_TABLE], before)
    print(stored_labels.send_again(dynamodb, sqs, tables, url, time.sleep))
    return 0


def rules_deploy(environment: Environment, file: Path, share_percent: float | None, reason: str) -> int:
    """Propose a ruleset file, for all users or as the candidate for a share; `make` has run `rules-check` on it."""
    if not file.is_file():
        raise OpsError(f"There is no file {file}; name the ruleset: RULES=.")
    document = file.read_bytes()
    where = rules.place(commands.ready(environment).outputs(), environment.name)
    rollout.put_models(account.client("s3", environment), where.bucket, document)
    wanted = Draft(
        kind=rules.kind_of(share_percent),
        digest_before=None,
        document=document.decode("utf-8-sig"),
        share=share_percent,
    )
    return _rules_propose(environment, where, wanted, reason)


def rules_withdraw(environment: Environment, reason: str) -> int:
    """Propose that the candidate is taken out."""
    where = rules.place(commands.ready(environment).outputs(), environment.name)
    return _rules_propose(environment, where, Draft(kind=ChangeKind.WITHDRAWN, digest_before=None), reason)


def _rules_propose(environment: Environment, where: rules.Place, wanted: Draft, reason: str) -> int:
    change = rules.propose(
        _desk(environment, where),
        account.client("lambda", environment),
        where.validator,
        wanted,
        by=_caller(environment),
        reason=reason,
        now=datetime.now(UTC),
    )
    print(f"{change.change_id} is proposed in {environment.name} by {change.changed_by}.")
    print(
        "Another person approves it, in the console or with "
        f"`make rules-approve ENV={environment.name} CHANGE={change.change_id}`; then it is deployed."
    )
    return 0


def rules_decide(environment: Environment, decision: str, change_id: str, note: str | None) -> int:
    """Approve, reject or retract a change; follow an approved one until it is deployed."""
    if not change_id:
        raise OpsError("Name the change: CHANGE=, as `make rules-changes` prints it.")
    where = rules.place(commands.ready(environment).outputs(), environment.name)
    desk = _desk(environment, where)
    by = _caller(environment)
    if decision == "approve" and rules.must_see_entries(desk, change_id, by):
        print("It concerns these entries of lists:", *rules.reveal(desk, change_id, by), sep="\n  ")
        print("That you have seen this is recorded. Call it again to approve it.")
        return 1
    change = rules.decide(desk, decision, change_id, by, note, datetime.now(UTC))
    if decision == "approve":
        change = rules.follow(desk, change_id)
    print(f"{change_id} is {change.state.value} in {environment.name}.")
    return 0


def rules_changes(environment: Environment) -> int:
    """Print which changes of the ruleset wait for somebody, and the last ones that were made."""
    where = rules.place(commands.ready(environment).outputs(), environment.name)
    desk = _desk(environment, where)
    print(rules.listing(desk.open_changes(), desk.history(datetime.now(UTC))))
    return 0


def _desk(environment: Environment, where: rules.Place) -> RulesetDesk:
    return rules.make_desk(account.client("dynamodb", environment), account.client("s3", environment), where)


def _caller(environment: Environment) -> str:
    return rules.identity(account.client("sts", environment).get_caller_identity()["Arn"])


def report(environment: Environment, function: str, page: Path | None = None) -> int:
    """Print the report of a function: of the guardrails, what the candidate would change; of the drift stage, how the model is doing.

    Parameters
    ----------
    environment : Environment
        Where.
    function : str
        Which.
    page : Path | None
        Gets the same as a page, if the function's report has one.
    """
    names = commands.ready(environment).outputs().get("function_names", {})
    if function not in names:
        raise OpsError(f"{environment.name} has no function {function} yet; apply it first.")
    functions = account.client("lambda", environment, read_timeout_seconds=250)
    answer = rollout.report_of(functions, f"{names[function]}:live")
    print(answer.text)
    if page is not None and answer.page is not None:
        write_page(answer.page, page, datetime.now(UTC))
        print(f"report: {page}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops", description=commands.__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    subparsers = parser.add_subparsers(dest="command", required=True)
    names = (
        "doctor",
        "plan",
        "apply",
        "supersede",
        "drift",
        "start",
        "stop",
        "destroy",
        "output",
        "redrive",
        "reconcile",
        "label",
        "relabel",
        "rules-deploy",
        "rules-withdraw",
        "rules-approve",
        "rules-reject",
        "rules-retract",
        "rules-changes",
        "rules-report",
        "model-report",
        "state-backup",
        "bootstrap",
    )
    parsers = {name: subparsers.add_parser(name) for name in names}
    for subparser in parsers.values():
        subparser.add_argument("--env", required=True, help="environment; a folder of terraform/environments")
    parsers["destroy"].add_argument(
        "--confirm", default="", help="the second confirmation that a protected environment needs"
    )
    parsers["apply"].add_argument(
        "--confirm",
        default="",
        help="addresses of the stateful resources that the plan may delete or replace",
    )
    parsers["output"].add_argument("--name", default=None, help="one output; all by default")
    parsers["redrive"].add_argument("--queue", required=True, help="name of the dead-letter queue")
    reconciling.add_options(parsers["reconcile"])
    labels.add_options(parsers["label"])
    parsers["relabel"].add_argument(
        "--before",
        default="",
        help="a table: a copy of `labels` of before it was restored to an earlier time",
    )
    parsers["rules-deploy"].add_argument("--rules", type=Path, required=True, help="the YAML document")
    rollout.add_options(parsers["rules-deploy"])
    parsers["rules-withdraw"].add_argument("--reason", required=True, help="why, for ruleset_changes")
    for name in ("rules-approve", "rules-reject", "rules-retract"):
        parsers[name].add_argument("--change", required=True, help="the change, as it was printed")
        parsers[name].add_argument("--note", default=None, help="what you say to it")
    parsers["rules-report"].add_argument(
        "--page", type=Path, help="write the same as a page to this file, HTML"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 if something is missing, with one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        environment = read_environment(options.env, options.root.resolve())
        match options.command:
            case "destroy":
                return commands.destroy(environment, options.confirm)
            case "output":
                return commands.output(environment, options.name or None)
            case "redrive":
                return redrive(environment, options.queue)
            case "reconcile":
                return reconcile(environment, options)
            case "label":
                return label(environment, options)
            case "relabel":
                return relabel(environment, options.before)
            case "rules-deploy":
                return rules_deploy(environment, options.rules, options.share, options.reason)
            case "rules-withdraw":
                return rules_withdraw(environment, options.reason)
            case "rules-approve" | "rules-reject" | "rules-retract":
                decision = options.command.removeprefix("rules-")
                return rules_decide(environment, decision, options.change, options.note)
            case "rules-changes":
                return rules_changes(environment)
            case "rules-report":
                return report(environment, "guardrails", options.page)
            case "model-report":
                return report(environment, "drift")
            case "state-backup":
                return commands.state_backup(environment)
            case "bootstrap":
                return commands.bootstrap(environment)
            case "start":
                return commands.start(environment)
            case "stop":
                return commands.stop(environment)
            case "doctor":
                return commands.examine(environment)
            case "plan":
                return commands.plan(environment)
            case "apply":
                return commands.apply(environment, options.confirm)
            case "supersede":
                return commands.supersede_older(environment)
            case _:
                return commands.drift(environment)
    except OpsError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
