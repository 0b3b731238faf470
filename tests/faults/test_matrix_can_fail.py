"""Proof that the matrix can fail: stored data are changed, and functions run with one line broken on purpose."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cache.label_copies import RISK_PREFIX, VERDICTS_PREFIX
from contract.alert import Alert, AlertDigest, AlertState, SuppressedPayments, encode_message
from contract.case import CASE_LINKS_TABLE, to_link_item
from contract.entity_ids import id_of_name
from contract.flagged import FLAGGED_TABLE, IN_REVIEW, FlaggedTransaction, to_flagged_key
from contract.label import LABELS_TABLE
from contract.label_rows import ENTITY_RISK_TABLE
from contract.scored import HISTORY_TABLE, Decision

from .broken_lines import BROKEN_LINES, BrokenLine
from .catalogue import FAULTS
from .labels import label_copies
from .report import ProblemKind
from .run import Run
from .site import Site, admin

pytestmark = pytest.mark.xdist_group("matrix can fail")  # with a stack of its own, beside that of the matrix


@pytest.mark.parametrize("line", BROKEN_LINES, ids=lambda line: line.name)
def test_a_broken_function_is_caught(line: BrokenLine, site: Site, tmp_path: Path) -> None:
    run = Run(site, replace(line.fault, name=line.name), seed=0)
    site.set_package(line.function, broken(site.mapping(line.function).config.zip, line, tmp_path))

    report = run.complete()

    assert {problem.kind for problem in report.problems} & line.kinds, report.problems


@pytest.mark.parametrize("line", BROKEN_LINES, ids=lambda line: line.name)
def test_the_same_fault_finds_nothing_with_the_line_as_it_is(line: BrokenLine, site: Site) -> None:
    fault = replace(line.fault, name=f"{line.name}, line as it is")

    report = Run(site, fault, seed=0).complete()

    assert report.problems == []


def test_each_place_that_labels_change_is_compared(site: Site) -> None:
    run = Run(site, FAULTS[0], seed=103)
    run.go()
    assert run.labels is not None
    tables, dynamodb, users = site.resources.tables, site.client("dynamodb"), run.stream.users

    label, *_ = labels = site.stores.labels(users)
    key = {"user_id": {"S": label.user_id}, "label_key": {"S": f"{label.event_key}#{label.label_id}"}}
    dynamodb.delete_item(TableName=tables[LABELS_TABLE], Key=key)
    row = site.stores.flagged(users)[0]
    set_alert(site, row, "SET #s = :other", {":other": {"S": IN_REVIEW}}, {"#s": "status"})
    devices = {each for one in labels for each in one.entity_ids if each.startswith("d:")}
    risky = next(each for each in sorted(devices) if site.stores.risk_rows(each))
    risk = site.stores.risk_rows(risky)[0]
    dynamodb.delete_item(
        TableName=tables[ENTITY_RISK_TABLE],
        Key={name: risk[name] for name in ("entity_id", "payment_key")},
    )
    merchants = [each for one in labels for each in one.entity_ids if each.startswith("m:")]
    copied = next(each for each in merchants if label_copies(site, [id_of_name(each)]).risks)
    admin(site.cache).delete(RISK_PREFIX + id_of_name(copied))
    judged = next(user for user in users if label_copies(site, users=[user]).verdicts)
    admin(site.cache).delete(VERDICTS_PREFIX + judged)
    site.be_quiet()  # the case follows the row's status

    run.judge()

    assert Counter(problem.kind for problem in run.report.problems) == {ProblemKind.LABEL: 5}, (
        run.report.problems
    )


def test_each_kind_of_problem_is_found(site: Site) -> None:
    run = Run(site, replace(FAULTS[0], name="none without labels", has_labels=False), seed=102)
    run.go()
    site.stores.collect()
    users = run.stream.users
    table = site.resources.tables[HISTORY_TABLE]
    dynamodb = site.client("dynamodb")

    # What comes behind a row that is gone is not compared: the changed rows are another user's.
    [gone], [changed, twice] = approved_rows(site, users[0], 1), approved_rows(site, users[2], 2)
    dynamodb.delete_item(TableName=table, Key=gone)
    dynamodb.update_item(
        TableName=table,
        Key=changed,
        UpdateExpression="SET ruleset_version = :other",
        ExpressionAttributeValues={":other": {"S": "of nobody"}},
    )
    item = dynamodb.get_item(TableName=table, Key=twice)["Item"]
    dynamodb.put_item(TableName=table, Item={**item, "event_key": {"S": twice["event_key"]["S"] + "-again"}})
    [key] = admin(site.cache).keys(f"profile:*:{users[0]}")
    admin(site.cache).delete(key)
    flagged = site.stores.flagged(users)
    unmarked, of_another_user = [one for one in flagged if one.alert_state is AlertState.SUPPRESSED][:2]
    sent = [one for one in flagged if one.alert_state is AlertState.SENT]
    other = next(one for one in sent if one.user_id != of_another_user.user_id)
    set_alert(site, unmarked, "REMOVE alert_state")
    set_alert(site, of_another_user, "SET alert_id = :id", {":id": {"S": str(other.alert_id)}})
    dynamodb.update_item(
        TableName=site.resources.tables[FLAGGED_TABLE],
        Key=to_flagged_key(sent[0].key),
        UpdateExpression="SET risk_score = risk_score - :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    [alert] = site.stores.delivered[str(sent[0].alert_id)]
    publish(site, alert)
    [alert] = site.stores.delivered[str(sent[1].alert_id)]
    assert isinstance(alert, Alert)
    site.stores.delivered[alert.alert_id] = [msgspec.structs.replace(alert, reasons=())]
    superfluous = msgspec.structs.replace(alert, alert_id="of nobody", suppressed_before=SuppressedPayments())
    publish(site, superfluous)
    site.client("sqs").send_message(
        QueueUrl=site.resources.dead_letter_queue("alert"), MessageBody=msgspec.json.encode({}).decode()
    )
    site.be_quiet()
    case = next(case for case in site.stores.cases(users) if case.entities)
    link = to_link_item(case.entities[0], case)
    dynamodb.delete_item(
        TableName=site.resources.tables[CASE_LINKS_TABLE],
        Key={name: link[name] for name in ("entity_id", "link_key")},
    )

    run.judge()

    assert (
        Counter(problem.kind for problem in run.report.problems)
        == {
            ProblemKind.LOST: 1,
            ProblemKind.DOUBLED: 1,
            ProblemKind.CHANGED: 2,  # the second row of a payment is also one that was never sent
            ProblemKind.PROFILE: 1,
            ProblemKind.DEAD_LETTER: 1,
            ProblemKind.FLAGGED: 1,
            ProblemKind.ALERT_MISSING: 1,
            ProblemKind.ALERT_UNCALLED: 1,
            ProblemKind.ALERT_CHANGED: 2,
            ProblemKind.ALERT_ACCOUNT: 2,  # the row without a mark is in no count, and one less is in the count it was in
            ProblemKind.ALERT_REPEATED: 1,
            ProblemKind.CASE: 1,
            ProblemKind.MISSED: 1,  # the row without a mark
            ProblemKind.ENTITY: 4,  # of the rows that are gone and doubled: a card each, one device and one merchant
        }
    ), run.report.problems


def approved_rows(site: Site, user: str, count: int) -> list[dict[str, dict[str, str]]]:
    """Keys of a user's first approved rows."""
    rows = [one for one in site.stores.history([user]) if one.decision is Decision.APPROVE]
    return [
        {"user_id": {"S": one.transaction.user_id}, "event_key": {"S": one.event_key}} for one in rows[:count]
    ]


def set_alert(
    site: Site,
    row: FlaggedTransaction,
    change: str,
    values: dict[str, Any] | None = None,
    names: dict[str, str] | None = None,
) -> None:
    more: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
    if names:
        more["ExpressionAttributeNames"] = names
    site.client("dynamodb").update_item(
        TableName=site.resources.tables[FLAGGED_TABLE],
        Key=to_flagged_key(row.key),
        UpdateExpression=change,
        **more,
    )


def publish(site: Site, alert: Alert | AlertDigest) -> None:
    site.client("sns").publish(
        TopicArn=site.resources.alert_topic_arn,
        Message=encode_message(alert).decode(),
        # Without any attribute the filter of the inbox, no canary's messages, takes none.
        MessageAttributes={"kind": {"DataType": "String", "StringValue": alert.kind.value}},
    )


def broken(package: Path, line: BrokenLine, folder: Path) -> Path:
    """Copy a function's zip with the broken line, and without the compiled form of the module."""
    module = Path(line.module)
    compiled = f"{module.parent}/__pycache__/{module.stem}."
    copy = folder / package.name
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(copy, "w") as target:
        for entry in source.infolist():
            if entry.filename.startswith(compiled):
                continue
            data = source.read(entry)
            if entry.filename == line.module:
                text = data.decode()
                assert text.count(line.original) == 1, f"{line.module} has no line {line.original!r}"
                data = text.replace(line.original, line.broken).encode()
            target.writestr(entry, data)
    return copy
