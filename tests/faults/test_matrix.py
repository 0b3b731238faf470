"""Exactly once under faults: the whole local stack, broken in every way there is, against a plain recomputation.

`LONG=1` runs every fault with more seeds, which move the moment at which it strikes. Writes `build/faults-report.json`.
"""

from collections.abc import Iterator

import msgspec
import pytest

from contract.alert import AlertState, encode_alert
from contract.flagged import FLAGGED_TABLE
from contract.scored import HISTORY_TABLE, Decision
from local.specs import ROOT

from .catalogue import FAULTS
from .fault import IS_LONG, Fault
from .run import Row, Run
from .site import FUNCTIONS, Site, admin

SEEDS = range(5) if IS_LONG else range(1)
REPORT = ROOT / "build" / "faults-report.json"
PERSONAL = (
    b"198.51.100.23",
    b"4111111111111111",
    b"tok_",
    b"Berlin",
    b"Lagos",
    # To the metre, so that no latency in ms is taken for a place.
    b"52.5200066",
    b"13.404954",
    b"6.5243793",
    b"3.3792057",
)
"""What the stream's payments, and the records that are none, hold of people."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("faults"))
    try:
        site.start()
        # Functions start at their first work: no fault, and the first one no more than the others, is to wait for that.
        Run(site, FAULTS[0], seed=101).go()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def report() -> dict[str, Row]:
    return {}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_payment_counts_once_under(fault: Fault, seed: int, site: Site, report: dict[str, Row]) -> None:
    row = report.setdefault(fault.name, Row(fault.name))
    run = Run(site, fault, seed)

    try:
        recovery_s = run.go()
        run.judge(row)
    finally:
        site.mend()

    row.recovery_s = round(max(row.recovery_s, recovery_s), 2)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(msgspec.json.format(msgspec.json.encode(list(report.values()))))
    assert row.problems == []


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


def test_the_logs_of_the_whole_run_hold_nothing_personal(site: Site) -> None:
    """Runs last, on whatever the functions and the Glue job said under all the faults before."""
    logs = [log for log in site.logs.glob("*/*.log") if log.stem in FUNCTIONS]
    logs += (site.logs / "glue").glob("*.log")

    text = b"".join(log.read_bytes() for log in logs)

    assert b"record quarantined" in text
    assert [one for one in PERSONAL if one in text] == []
