"""Proof that the matrix can fail: kept data that are spoiled, and functions that run with a line broken on purpose.

The faults here are those of the catalogue, or what is left of them: long enough to bring a broken line to light.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.alert import Alert, AlertState, encode_alert
from contract.flagged import FLAGGED_TABLE, FlaggedTransaction
from contract.scored import HISTORY_TABLE, Decision
from local.faults.aws_answers import refused

from .aws import always, bad_calls
from .cache import fail_over
from .catalogue import FAULTS
from .fault import Degrades, Fault, nothing
from .kafka import again
from .kills import AS_MANY_AS_COME, outlive_time_out
from .run import Run
from .site import Site, admin
from .verdict import Kind


@dataclass(frozen=True)
class Mutant:
    """A function with one line broken."""

    name: str
    module: str
    whole: str
    broken: str
    fault: Fault
    """What the line is there for."""
    kinds: frozenset[Kind]
    """What must be found, one of these at least: what the line prevents, and no accident of it."""

    @property
    def function(self) -> str:
        return self.module.partition("/")[0]


REFUSED = always(partial(refused, code="KMSAccessDenied"))
"""No client tries again: the fault is over before one would."""

MUTANTS = (
    Mutant(
        "the failure list left out",
        "score/stage.py",
        "return failure_response(failed)",
        "return failure_response(set())",
        Fault(
            "no quarantine",
            partial(bad_calls, REFUSED, service="sqs", share=1.0),
            lasts_seconds=1.0,
        ),
        frozenset({Kind.LOST}),
    ),
    Mutant(
        "no compare-and-set",
        "score/profile_store.py",
        "if redis.call('GETRANGE', KEYS[i], 0, 7) ~= expected then",
        "if false then",
        Fault(
            "a writer stands still",
            partial(
                outlive_time_out, "score", [("BatchExecuteStatement", False)], overtakers=[AS_MANY_AS_COME]
            ),
            lasts_seconds=3.0,
            needs_quiet=True,
        ),
        frozenset({Kind.PROFILE, Kind.CHANGED}),
    ),
    Mutant(
        "gaps in a profile's progress overlooked",
        "score/profile_store.py",
        "if span.first > folded_to + 1:",
        "if False:",
        Fault("failover", fail_over, degrades=Degrades.MAY),
        frozenset({Kind.PROFILE, Kind.CHANGED}),
    ),
    Mutant(
        "a put instead of an insert",
        "persist/store.py",
        'ConditionExpression="attribute_not_exists(transaction_id)",',
        "",
        Fault("again", partial(again, "persist")),
        frozenset({Kind.ALERT_MISSING}),
    ),
    Mutant(
        "a failed publication passed over",
        "alert/stage.py",
        "self._count(Metric.PUBLISH_FAILURES)\n            raise",
        "self._count(Metric.PUBLISH_FAILURES)\n            return",
        Fault(
            "SNS refuses",
            partial(bad_calls, REFUSED, function="alert", service="sns", share=1.0),
            lasts_seconds=1.0,
        ),
        frozenset({Kind.ALERT_MISSING}),
    ),
    Mutant(
        "every payment decided as if the cache were away",
        "score/stage.py",
        "degraded=work.is_degraded,",
        "degraded=True,",
        Fault("nothing", nothing),
        frozenset({Kind.DEGRADED}),
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_function_is_caught(mutant: Mutant, site: Site, tmp_path: Path) -> None:
    run = Run(site, mutant.fault, seed=0)
    site.set_package(mutant.function, broken(site.mapping(mutant.function).config.zip, mutant, tmp_path))

    report = run.complete()

    assert {problem.kind for problem in report.problems} & mutant.kinds, report.problems


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_same_is_found_well_with_the_line_whole(mutant: Mutant, site: Site) -> None:
    fault = replace(mutant.fault, name=f"{mutant.fault.name}, line whole")

    report = Run(site, fault, seed=0).complete()

    assert report.problems == []


def test_everything_that_can_be_wrong_is_seen(site: Site) -> None:
    run = Run(site, FAULTS[0], seed=102)
    run.go()
    site.collect()
    users = run.stream.users
    table = site.resources.tables[HISTORY_TABLE]
    dynamodb = site.client("dynamodb")

    approved = [one for one in site.history(users) if one.decision is Decision.APPROVE]
    gone, changed, twice = (
        {"user_id": {"S": one.transaction.user_id}, "event_key": {"S": one.transaction.event_key}}
        for one in approved[:3]
    )
    dynamodb.delete_item(TableName=table, Key=gone)
    add_one_to_score(site, table, changed)
    item = dynamodb.get_item(TableName=table, Key=twice)["Item"]
    dynamodb.put_item(TableName=table, Item={**item, "event_key": {"S": twice["event_key"]["S"] + "-again"}})
    [key] = admin(site.cache).keys(f"profile:*:{users[0]}")
    admin(site.cache).delete(key)
    flagged = site.flagged(users)
    unseen, by_another = [one for one in flagged if one.alert_state is AlertState.SUPPRESSED][:2]
    told = [one for one in flagged if one.alert_state is AlertState.SENT]
    other = next(one for one in told if one.user_id != by_another.user_id)
    set_alert(site, unseen, "REMOVE alert_state")
    set_alert(site, by_another, "SET alert_id = :id", {":id": {"S": str(other.alert_id)}})
    add_one_to_score(
        site, site.resources.tables[FLAGGED_TABLE], {"transaction_id": {"S": told[0].transaction_id}}
    )
    [alert] = site.delivered[str(told[0].alert_id)]
    publish(site, alert)
    [alert] = site.delivered[str(told[1].alert_id)]
    site.delivered[alert.alert_id] = [msgspec.structs.replace(alert, reasons=())]
    publish(site, msgspec.structs.replace(alert, alert_id="of nobody"))
    site.client("sqs").send_message(
        QueueUrl=site.resources.dead_letter_queue("alert"), MessageBody=msgspec.json.encode({}).decode()
    )

    run.judge()

    assert Counter(problem.kind for problem in run.report.problems) == {
        Kind.LOST: 1,
        Kind.DOUBLED: 1,
        Kind.CHANGED: 1,
        Kind.PROFILE: 1,
        Kind.DEAD_LETTER: 1,
        Kind.FLAGGED: 1,
        Kind.ALERT_MISSING: 1,
        Kind.ALERT_UNCALLED: 1,
        Kind.ALERT_CHANGED: 2,
        Kind.ALERT_REPEATED: 1,
    }, run.report.problems


def add_one_to_score(site: Site, table: str, key: dict[str, dict[str, str]]) -> None:
    site.client("dynamodb").update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET risk_score = risk_score + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def set_alert(site: Site, row: FlaggedTransaction, change: str, values: dict[str, Any] | None = None) -> None:
    more = {"ExpressionAttributeValues": values} if values else {}
    site.client("dynamodb").update_item(
        TableName=site.resources.tables[FLAGGED_TABLE],
        Key={"transaction_id": {"S": row.transaction_id}},
        UpdateExpression=change,
        **more,
    )


def publish(site: Site, alert: Alert) -> None:
    site.client("sns").publish(TopicArn=site.resources.alert_topic_arn, Message=encode_alert(alert).decode())


def broken(package: Path, mutant: Mutant, folder: Path) -> Path:
    """Copy a function's zip with the mutant's line in it, and without the compiled form of what stood there before."""
    module = Path(mutant.module)
    compiled = f"{module.parent}/__pycache__/{module.stem}."
    copy = folder / package.name
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(copy, "w") as target:
        for entry in source.infolist():
            if entry.filename.startswith(compiled):
                continue
            data = source.read(entry)
            if entry.filename == mutant.module:
                text = data.decode()
                assert text.count(mutant.whole) == 1, f"{mutant.module} has no line {mutant.whole!r}"
                data = text.replace(mutant.whole, mutant.broken).encode()
            target.writestr(entry, data)
    return copy
