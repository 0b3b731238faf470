"""What the built functions call, recorded by a proxy between each function and the local stack's AWS API.

The functions run as in the local stack, from their zips, on real servers. Each gets batches that cover every path with a call: a
new user, the same batch again, records that are no payment, a small and a large one, as many payments of one user as between two
checkpoints, and a batch while there is no cache.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
import redis

from local.components.aws_api import AwsApi, make_client
from local.components.cache import Cache
from local.provision import provision
from local.resources import BUCKETS, resolve_environment
from local.runtime.package import unpack
from local.runtime.pool import FunctionPool
from ops.manifests import ROOT, InvokeTrigger, KafkaTrigger, read_functions, read_tables
from ops.packaging.functions import build_zip
from score.stage import CHECKPOINT_EVERY
from tests.support.payments import stream_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGE_BYTES: Final = 100_000
"""Size of a record that does not fit into a quarantine message."""

REST_ACTIONS: Final = {
    ("POST", "configurationsessions"): "appconfig:StartConfigurationSession",
    ("GET", "configuration"): "appconfig:GetLatestConfiguration",
}

BUCKET_NAMES: Final = {name: interface for interface, name in BUCKETS.items()}

Call = tuple[str, str, str, str]
"""IAM action, and its target: kind, interface name, and the key in a bucket or the index of a table (else empty)."""


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
    ruleset = (ROOT / "rules" / "default.yaml").read_text()
    with AwsApi(servers, logs) as aws, Cache(servers, logs) as cache, ExitStack() as stack:
        specs = read_functions()
        # Everything is made but Kafka's topics.
        without_kafka = {
            name: msgspec.structs.replace(spec, trigger=InvokeTrigger())
            if isinstance(spec.trigger, KafkaTrigger)
            else spec
            for name, spec in specs.items()
        }
        resources = provision(aws.endpoint, "no Kafka here", without_kafka, read_tables(), ruleset)
        calls: dict[str, set[Call]] = {}
        invoke: dict[str, Callable[[object], Any]] = {}
        for name, spec in specs.items():
            if not spec.is_triggered:
                continue
            calls[name] = set()
            endpoint = stack.enter_context(_recorder(aws.endpoint, calls[name]))
            pool = FunctionPool(
                name,
                spec,
                unpack(build_zip(name), folder / "functions"),
                {
                    **resolve_environment(spec, resources.references(cache.endpoint, "no Kafka here", name)),
                    "AWS_ENDPOINT_URL": endpoint,
                    "POWERTOOLS_TRACE_DISABLED": "true",
                },
                1,
                logs,
                lambda_python=ROOT / ".venv-lambda" / "bin" / "python",
            )
            stack.callback(pool.stop)
            invoke[name] = _checked(pool)
        _run(invoke, make_client("dynamodb", aws.endpoint), cache)
        _run_canary(invoke["canary"], make_client("sqs", aws.endpoint), resources.queues["canary"])
    return calls


def _run(invoke: dict[str, Callable[[object], Any]], dynamodb: Any, cache: Cache) -> None:
    """Pass suspicious payments through all stages, and records that are no payment through the first."""
    batch = _kafka_event([_payment(1), b"no payment", b"x" * LARGE_BYTES])
    invoke["score"](batch)
    # With an empty cache, the redelivered batch finds its rows in the table and reads them back.
    redis.Redis.from_url(cache.endpoint).flushall()
    invoke["score"](batch)
    kept = [_payment(number) for number in range(2, 2 + CHECKPOINT_EVERY)]
    invoke["score"](_kafka_event(kept, first_offset=3))
    cache.stop()
    invoke["score"](_kafka_event([_payment(2 + CHECKPOINT_EVERY)], first_offset=3 + CHECKPOINT_EVERY))
    items = dynamodb.scan(TableName="profile_checkpoints")["Items"]
    assert sorted("body" in item for item in items) == [False, True], "a mark, and the user's profile"
    for stage, table in (("persist", "transaction_history"), ("alert", "flagged_transactions")):
        rows = dynamodb.scan(TableName=table)["Items"]
        assert rows, f"{table}: the stage before {stage} wrote nothing"
        # Payments of every decision: the mapping's filter is not under test.
        invoke[stage](stream_event(rows))
        invoke[stage](stream_event(rows))
    (windows,) = dynamodb.scan(TableName="alert_windows")["Items"]
    dynamodb.update_item(
        TableName="alert_windows",
        Key={"user_id": windows["user_id"]},
        UpdateExpression="SET due_at = :past",
        ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00.000000Z"}},
    )
    invoke["digest"]({})
    (windows,) = dynamodb.scan(TableName="alert_windows")["Items"]
    assert "due_at" not in windows, "the digest was not sent"


def _run_canary(invoke: Callable[[object], Any], sqs: Any, queue_url: str) -> None:
    """A run that finds a message in its queue, whatever it says."""
    sqs.send_message(QueueUrl=queue_url, MessageBody="no alert")
    invoke({"time": "2026-01-01T00:00:00Z"})


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


def _kafka_event(values: list[bytes], first_offset: int = 0) -> dict[str, Any]:
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    records = [
        {
            "topic": "transaction_stream",
            "partition": 0,
            "offset": offset,
            "timestamp": now_ms,
            "timestampType": "CREATE_TIME",
            "key": b64encode(b"user-1").decode(),
            "value": b64encode(value).decode(),
            "headers": [],
        }
        for offset, value in enumerate(values, first_offset)
    ]
    return {"eventSource": "aws:kafka", "records": {"transaction_stream-0": records}}


def _checked(pool: FunctionPool) -> Callable[[object], Any]:
    def invoke(event: object) -> Any:
        result = pool.invoke(event)
        assert result.error is None, result.error
        answer = msgspec.json.decode(result.payload)
        assert answer in ({"batchItemFailures": []}, None), answer
        return answer

    return invoke


@contextmanager
def _recorder(target: str, calls: set[Call]) -> Iterator[str]:
    """Run a proxy in front of ``target`` that adds every call to ``calls``; yields its URL."""
    place = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            calls.update(calls_of(self.command, self.path, dict(self.headers.items()), body))
            connection = http.client.HTTPConnection(place.hostname or "", place.port)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _pass_on  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def calls_of(method: str, path: str, headers: dict[str, str], body: bytes) -> set[Call]:
    """Translate a request into IAM's actions and resources.

    Parameters
    ----------
    method, path : str
        Of the HTTP request.
    headers : dict[str, str]
        Its headers.
    body : bytes
        Its content.

    Returns
    -------
    set[Call]
        Several for a request with several items or tables.

    Raises
    ------
    AssertionError
        For an unknown request, so that none is missed.
    """
    target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
    service, _, operation = target.partition(".")
    place = urlsplit(path)
    top, _, key = place.path.strip("/").partition("/")
    if service == "DynamoDB_20120810":
        return _dynamodb_calls(operation, json.loads(body))
    if service == "AmazonSQS":
        queue = json.loads(body)["QueueUrl"].rpartition("/")[2]
        return {(f"sqs:{operation.removesuffix('Batch')}", "queue", queue, "")}
    if (method, top) in REST_ACTIONS:
        return {(REST_ACTIONS[method, top], "rules", "ruleset", "")}
    if method == "POST" and (form := parse_qs(body.decode())).get("Action"):
        topic = form["TopicArn"][0].rpartition(":")[2].replace("-", "_")
        return {(f"sns:{form['Action'][0]}", "topic", topic, "")}
    if method == "PUT" and top in BUCKET_NAMES:
        return {("s3:PutObject", "bucket", BUCKET_NAMES[top], key)}
    raise AssertionError(f"unknown request: {method} {path} {target}")


def _dynamodb_calls(operation: str, request: dict[str, Any]) -> set[Call]:
    if operation == "BatchExecuteStatement":
        found = set()
        for statement in request["Statements"]:
            verb, table = re.findall(r'^(INSERT|UPDATE)[^"]+"([^"]+)"', statement["Statement"])[0]
            found.add((f"dynamodb:PartiQL{verb.title()}", "table", table, ""))
        return found
    if operation == "TransactWriteItems":
        members = [(kind, member) for item in request["TransactItems"] for kind, member in item.items()]
        return {(f"dynamodb:{kind}Item", "table", member["TableName"], "") for kind, member in members}
    tables = request["RequestItems"] if operation.startswith("Batch") else [request["TableName"]]
    path = f"index/{request['IndexName']}" if "IndexName" in request else ""
    return {(f"dynamodb:{operation}", "table", table, path) for table in tables}
