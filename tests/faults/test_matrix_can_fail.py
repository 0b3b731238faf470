"""Proof that the matrix can fail: kept data that are spoiled, and functions that run with a line broken on purpose.

The faults here are those of the catalogue, or what is left of them: long enough to bring a broken line to light.
"""

import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from contract.alert import AlertState, encode_alert
from contract.flagged import FLAGGED_TABLE
from contract.scored import HISTORY_TABLE, Decision
from local.faults.aws_proxy import refused

from .aws import always, bad_calls
from .cache import fail_over
from .catalogue import FAULTS
from .fault import Fault
from .kafka import again
from .kills import AS_MANY_AS_COME, outlive_time_out
from .run import Row, Run
from .site import Site, admin


@dataclass(frozen=True)
class Mutant:
    """A function with one line broken."""

    name: str
    module: str
    whole: str
    broken: str
    fault: Fault
    """What the line is there for."""

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
    ),
    Mutant(
        "gaps in a profile's progress overlooked",
        "score/profile_store.py",
        "if span.first > folded_to + 1:",
        "if False:",
        Fault("failover", fail_over),
    ),
    Mutant(
        "a put instead of an insert",
        "persist/store.py",
        'ConditionExpression="attribute_not_exists(transaction_id)",',
        "",
        Fault("again", partial(again, "persist")),
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
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_function_is_caught(mutant: Mutant, site: Site, tmp_path: Path) -> None:
    run, row = Run(site, mutant.fault, seed=0), Row(mutant.name)
    site.set_package(mutant.function, broken(site.mapping(mutant.function).config.zip, mutant, tmp_path))

    try:
        run.go()
        run.judge(row)
    finally:
        site.mend()

    assert row.problems != []


def test_everything_that_can_be_wrong_is_seen(site: Site) -> None:
    run, row = Run(site, FAULTS[0], seed=102), Row("spoiled")
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
    dynamodb.update_item(
        TableName=table,
        Key=changed,
        UpdateExpression="SET risk_score = risk_score + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    item = dynamodb.get_item(TableName=table, Key=twice)["Item"]
    dynamodb.put_item(TableName=table, Item={**item, "event_key": {"S": twice["event_key"]["S"] + "-again"}})
    counted = next(one for one in site.flagged(users) if one.alert_state is AlertState.SUPPRESSED)
    dynamodb.update_item(
        TableName=site.resources.tables[FLAGGED_TABLE],
        Key={"transaction_id": {"S": counted.transaction_id}},
        UpdateExpression="REMOVE alert_state",
    )
    told = next(alerts[0] for alerts in site.delivered.values() if alerts[0].user_id in users)
    message = encode_alert(told).decode()
    site.client("sns").publish(TopicArn=site.resources.alert_topic_arn, Message=message)
    [key] = admin(site.cache).keys(f"profile:*:{users[0]}")
    admin(site.cache).delete(key)
    run.judge(row)

    found = (row.lost, row.doubled, row.changed, row.alerts_missing, row.alerts_repeated)
    assert found == (1, 1, 1, 1, 1), row.problems
    assert [one for one in row.problems if one.startswith("profile of")] == [
        f"profile of {users[0]}: no profile"
    ]


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
