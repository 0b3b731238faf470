"""What the built functions call, recorded by a proxy between each function and the local stack's AWS API.

The functions run as in the local stack, from their zips, on real servers. Each gets batches that cover every path with a call: a
new user, the same batch again, records that are no payment, a small and a large one, as many payments of one user as between two
checkpoints, a batch while there is no cache, a start without AppConfig, a record that has crashed its stage too often, and labels: of payments
that were flagged, were not, and do not exist.
"""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import redis

from common.ruleset_bucket import LAST_GOOD
from contract.audit import AUDIT_TABLE
from contract.clock import time_text
from contract.label_rows import PENDING_ATTRIBUTE
from local.components.aws_api import AwsApi, make_client
from local.components.cache import Cache
from local.resources import dead_letter_name
from ops.manifests import ROOT
from ops.reconciling import is_clean
from score.stage import CHECKPOINT_EVERY
from tests.support.audit_heads import MemoryHeads, keep_heads, write_hour
from tests.support.audit_memory import MemoryAudit
from tests.support.payments import stream_event
from tests.terraform.recorded_functions import Functions
from tests.terraform.recorded_rulesets import run_deployer, run_drift, run_guardrails

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terraform.call_recorder import Call

LARGE_BYTES: Final = 100_000
"""Size of a record that does not fit into a quarantine message."""


def record_calls(folder: Path) -> dict[str, set[Call]]:
    """Run every function that the system itself invokes, and return what each called.

    Parameters
    ----------
    folder : Path
        For data of the servers, unpacked zips and logs.

    Returns
    -------
    dict[str, set[Call]]
        By function.
    """
    servers, logs = folder / "servers", folder / "logs"
    with AwsApi(servers, logs) as aws, Cache(servers, logs) as cache, ExitStack() as stack:
        functions = Functions(aws.endpoint, cache.functions_endpoint, folder, stack)
        dynamodb = make_client("dynamodb", aws.endpoint)
        _run_score(functions, cache)
        _run_labels(functions)
        _run_label_upkeep(functions, dynamodb)
        _run_score_without_cache(functions, dynamodb, cache)
        _run_reconcile(functions)
        _run_streams(functions, dynamodb)
        _run_case(functions, dynamodb)
        _run_crashed(functions, dynamodb)
        _run_digest(functions, dynamodb)
        _run_canary(functions, make_client("sqs", aws.endpoint))
        run_guardrails(functions, dynamodb)
        run_deployer(functions)
        run_drift(functions, dynamodb)
        _run_audit_keeper(functions, dynamodb)
    shutil.rmtree(folder / "functions")  # 0.7 GB, which would stay until the whole run of tests ends
    return functions.calls


def _run_score(functions: Functions, cache: Cache) -> None:
    """Pass suspicious payments, and records that are no payment, through the first stage."""
    batch = _kafka_event([_payment(1), b"no payment", b"x" * LARGE_BYTES])
    functions.invoke("score", batch)
    # With an empty cache, the redelivered batch finds its rows in the table and reads them back.
    redis.Redis.from_url(cache.endpoint).flushall()
    functions.invoke("score", batch)
    kept = [_payment(number) for number in range(2, 2 + CHECKPOINT_EVERY)]
    functions.invoke("score", _kafka_event(kept, first_offset=3))
    _run_score_without_appconfig(functions, batch)


def _run_score_without_appconfig(functions: Functions, batch: object) -> None:
    """Start with a last good ruleset whose model neither ships nor is kept: the zip's ruleset decides."""
    unknown = f"{(ROOT / 'rules' / 'default.yaml').read_text()}\nmodel: {{sha256: {'f' * 64}}}\n"
    s3 = make_client("s3", functions.aws)
    s3.put_object(Bucket=functions.resources.buckets["rules"], Key=LAST_GOOD, Body=unknown.encode())
    functions.invoke_changed("score", batch, RULES_APPLICATION="no-such-application")


def _run_labels(functions: Functions) -> None:
    """Give labels to payments: each path of the stage once."""
    at = datetime.now(UTC).isoformat()
    quiet = {"transaction_id": "tx-quiet", "user_id": "user-2", "amount": "10.00", "currency": "USD"}
    quiet |= {"timestamp": at, "device_id": "device-2", "merchant_id": "shop-2"}
    functions.invoke("score", _kafka_event([msgspec.json.encode(quiet)], 3 + CHECKPOINT_EVERY))
    label = {"transaction_id": "tx-quiet", "verdict": "fraud", "source": "chargeback", "label_id": "case-1"}
    waited = {PENDING_ATTRIBUTE: {"stringValue": "1", "dataType": "String"}}
    functions.invoke("label", _queue_event(label, waited))
    functions.invoke("label", _queue_event(label))
    # Its flagged row is not there yet.
    functions.invoke("label", _queue_event(label | {"transaction_id": "tx-1"}))
    functions.invoke("label", _queue_event(label | {"transaction_id": "nobody's"}))
    functions.invoke("label", _queue_event({"verdict": "unknown"}))
    named = label | {"user_id": "user-2", "timestamp": at}
    functions.invoke_changed("label", _queue_event(named), TRANSACTION_ID_INDEX="")


def _run_label_upkeep(functions: Functions, dynamodb: Any) -> None:
    """A run that sends an unfinished label again, gives another one up, and compares the cache's copies with the tables."""
    rows = dynamodb.scan(TableName="pending_labels")["Items"]
    assert len(rows) == 2, "a label waits for its payment, another one for its flagged row"
    for row, first_at in zip(
        rows, ("2026-01-01T00:00:00.000000Z", time_text(datetime.now(UTC))), strict=True
    ):
        past = {"first_at": {"S": first_at}, "due_at": {"S": "2026-01-01T00:00:00.000000Z"}}
        dynamodb.put_item(TableName="pending_labels", Item=row | past)
    functions.invoke("label_upkeep", {})
    (left,) = dynamodb.scan(TableName="pending_labels")["Items"]
    assert left["due_at"]["S"] > "2026-01-01", "the label was not sent again"


def _run_score_without_cache(functions: Functions, dynamodb: Any, cache: Cache) -> None:
    """Score while the cache is unavailable."""
    cache.stop()
    functions.invoke(
        "score", _kafka_event([_payment(2 + CHECKPOINT_EVERY)], first_offset=4 + CHECKPOINT_EVERY)
    )
    items = dynamodb.scan(TableName="profile_checkpoints")["Items"]
    assert sorted("body" in item for item in items) == [False, True], "a mark, and the user's profile"


def _run_reconcile(functions: Functions) -> None:
    """Runs before the streams are delivered: one misses the flagged rows, one their alerts and cases, and one counts these cases anew."""
    for asked, repaired in (
        ({"hours": 1}, ("flagged_rows_repaired",)),
        ({"hours": 1}, ("alerts_repaired", "cases_repaired")),
        ({"hours": 1, "recount": True}, ("cases_recounted",)),
    ):
        found = functions.invoke_changed("reconcile", asked, GRACE_MINUTES="0")
        assert all(found[name] > 0 for name in repaired), found
        assert is_clean(found), found


def _run_streams(functions: Functions, dynamodb: Any) -> None:
    """Deliver both streams, and deliver them again."""
    for stage, table in (
        ("persist", "transaction_history"),
        ("alert", "flagged_transactions"),
        ("case", "flagged_transactions"),
    ):
        rows = dynamodb.scan(TableName=table)["Items"]
        assert rows, f"{table}: the stage before {stage} wrote nothing"
        # Payments of every decision: the mapping's filter is not under test.
        functions.invoke(stage, stream_event(rows))
        functions.invoke(stage, stream_event(rows))


def _run_case(functions: Functions, dynamodb: Any) -> None:
    """Each path of the stage: a label closes the user's case, a new payment opens another one, a withdrawn label comes too late."""
    one, *others = dynamodb.scan(TableName="flagged_transactions")["Items"]
    of_case = [row for row in (one, *others) if row.get("case_id") == one["case_id"]]
    for status in ("confirmed_fraud", "open", "confirmed_fraud"):
        for row in of_case:
            current = _with_status(dynamodb, row, status)
            functions.invoke("case", stream_event([current], "MODIFY"))
    new = {name: value for name, value in one.items() if not name.startswith("case_")}
    new |= {"event_key": {"S": one["event_key"]["S"] + "-2"}, "status": {"S": "open"}}
    dynamodb.put_item(TableName="flagged_transactions", Item=new)
    functions.invoke("case", stream_event([new]))
    functions.invoke("case", stream_event([_with_status(dynamodb, one, "open")], "MODIFY"))
    cases = [case for case in dynamodb.scan(TableName="cases")["Items"] if case["user_id"] == one["user_id"]]
    assert sorted(case["status"]["S"] for case in cases) == ["closed", "open"]


def _with_status(dynamodb: Any, row: Any, status: str) -> Any:
    """Set a flagged row's status, and return the row."""
    answer = dynamodb.update_item(
        TableName="flagged_transactions",
        Key={name: row[name] for name in ("user_id", "event_key")},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": status}},
        ReturnValues="ALL_NEW",
    )
    return answer["Attributes"]


def _run_crashed(functions: Functions, dynamodb: Any) -> None:
    """Deliver to each stage a record that has crashed it as often as its function.yaml allows."""
    kafka = _kafka_event([_payment(1)], age=timedelta(hours=1))
    row = stream_event([{"user_id": {"S": "user-1"}}])  # old, as every record of it
    (record,) = row["Records"]
    name = f"{record['eventSourceARN']}#{record['dynamodb']['SequenceNumber']}"
    for stage, event, counted in (
        ("score", kafka, "transaction_stream/0/0"),
        ("persist", row, name),
        ("alert", row, name),
        ("case", row, name),
    ):
        tries = [str(number) for number in range(_max_crashes(functions, stage))]
        count = {"record_key": {"S": f"{stage}#{counted}"}, "tries": {"SS": tries}}
        dynamodb.put_item(TableName="record_crashes", Item=count)
        functions.invoke(stage, event)
        assert dead_letter_name(stage) in {target for _, _, target, _ in functions.calls[stage]}
    assert dynamodb.scan(TableName="record_crashes")["Items"] == []


def _max_crashes(functions: Functions, stage: str) -> int:
    return int(str(functions.specs[stage].environment["MAX_CRASHES"]))


def _run_digest(functions: Functions, dynamodb: Any) -> None:
    """A run at the end of the user's window."""
    (windows,) = dynamodb.scan(TableName="alert_windows")["Items"]
    dynamodb.update_item(
        TableName="alert_windows",
        Key={"user_id": windows["user_id"]},
        UpdateExpression="SET due_at = :past",
        ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00.000000Z"}},
    )
    functions.invoke("digest", {})
    (windows,) = dynamodb.scan(TableName="alert_windows")["Items"]
    assert "due_at" not in windows, "the digest was not sent"


def _run_canary(functions: Functions, sqs: Any) -> None:
    """A run that finds a message in its queue, whatever it says."""
    sqs.send_message(QueueUrl=functions.resources.queues["canary"], MessageBody="no alert")
    functions.invoke("canary", {"time": "2026-01-01T00:00:00Z"})


def _run_audit_keeper(functions: Functions, dynamodb: Any) -> None:
    """A run after an object of an earlier hour, whose heads are looked for in their chains; then another one in the same hour."""
    rows, kept, now = MemoryAudit(), MemoryHeads(), datetime.now(UTC)
    write_hour(rows, now - timedelta(hours=2))
    keep_heads(rows, kept, now - timedelta(hours=2))
    for item in rows.rows.values():
        dynamodb.put_item(TableName=AUDIT_TABLE, Item=item)
    bucket = functions.resources.buckets["audit_heads"]
    for key, body in kept.objects.items():
        make_client("s3", functions.aws).put_object(Bucket=bucket, Key=key, Body=body)
    said = functions.invoke("audit_keeper", {})
    assert said.endswith("heads kept, 0 of the last ones gone"), said
    assert "exists" in functions.invoke("audit_keeper", {})


def _payment(number: int) -> bytes:
    """The user's suspicious payment of this number, as a producer sends it."""
    payment = {
        "transaction_id": f"tx-{number}",
        "user_id": "user-1",
        "amount": "999999.00",
        "currency": "USD",
        "timestamp": datetime.now(UTC).isoformat(),
        "location": {"latitude": 48.85, "longitude": 2.35, "country": "FR"},
    }
    return msgspec.json.encode(payment)


def _kafka_event(values: list[bytes], first_offset: int = 0, age: timedelta = timedelta(0)) -> dict[str, Any]:
    appended_at = datetime.now(UTC) - age
    records = [
        {
            "topic": "transaction_stream",
            "partition": 0,
            "offset": offset,
            "timestamp": round(appended_at.timestamp() * 1000),
            "timestampType": "CREATE_TIME",
            "key": b64encode(b"user-1").decode(),
            "value": b64encode(value).decode(),
            "headers": [],
        }
        for offset, value in enumerate(values, first_offset)
    ]
    return {"eventSource": "aws:kafka", "records": {"transaction_stream-0": records}}


def _queue_event(body: dict[str, Any], attributes: dict[str, Any] | None = None) -> dict[str, Any]:
    record = {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": json.dumps(body),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(round(datetime.now(UTC).timestamp() * 1000)),
        },
        "messageAttributes": attributes or {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:labels",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}
