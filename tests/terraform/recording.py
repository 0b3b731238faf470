"""What the built functions call, recorded by a proxy between each function and the local stack's AWS API.

The functions run as in the local stack, from their zips, on real servers. Each gets batches that cover every path with a call: a
new user, the same batch again, records that are no payment, a small and a large one, as many payments of one user as between two
checkpoints, a batch while there is no cache, a start without AppConfig, and a record that has crashed its stage too often.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
import redis

from local.components.aws_api import AwsApi, make_client
from local.components.cache import Cache
from local.lambda_api import PATH_BEGIN, PATH_END, LambdaApi
from local.provision import provision
from local.resources import Resources, dead_letter_name, resolve_environment
from local.runtime.package import unpack
from local.runtime.pool import FunctionPool
from ops.manifests import ROOT, InvokeTrigger, KafkaTrigger, read_functions, read_tables
from ops.packaging.functions import build_zip
from ops.reconciling import is_clean
from score.stage import CHECKPOINT_EVERY
from tests.support.payments import stream_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LARGE_BYTES: Final = 100_000
"""Size of a record that does not fit into a quarantine message."""

REST_ACTIONS: Final = {
    ("POST", "configurationsessions"): "appconfig:StartConfigurationSession",
    ("GET", "configuration"): "appconfig:GetLatestConfiguration",
}

OBJECT_ACTIONS: Final = {"PUT": "s3:PutObject", "GET": "s3:GetObject"}

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
    with AwsApi(servers, logs) as aws, Cache(servers, logs) as cache, ExitStack() as stack:
        functions = _Functions(aws.endpoint, cache.endpoint, folder, stack)
        dynamodb = make_client("dynamodb", aws.endpoint)
        _run_score(functions, dynamodb, cache)
        _run_reconcile(functions)
        _run_streams(functions, dynamodb)
        _run_crashed(functions, dynamodb)
        _run_digest(functions, dynamodb)
        _run_canary(functions, make_client("sqs", aws.endpoint))
    return functions.calls


class _Functions:
    """The functions of a run, each behind a recorder of its own.

    Parameters
    ----------
    aws, cache : str
        Endpoints.
    folder : Path
        For unpacked zips and logs.
    stack : ExitStack
        Ends the processes and the recorders.
    """

    def __init__(self, aws: str, cache: str, folder: Path, stack: ExitStack) -> None:
        self.calls: dict[str, set[Call]] = {}
        self.specs = {name: spec for name, spec in read_functions().items() if spec.is_triggered}
        self.resources = _provision(aws)
        self._aws, self._cache, self._folder, self._stack = aws, cache, folder, stack
        self._pools: dict[str, FunctionPool] = {}
        self._lambda = stack.enter_context(LambdaApi(self._pools))  # its end ends their processes
        for name in self.specs:
            self.calls[name] = set()
            self._pools[name] = self._pool(name)

    def invoke(self, name: str, event: object) -> Any:
        """Run a function once; it must handle all of the event."""
        return self._answer(self._pools[name], event)

    def invoke_changed(self, name: str, event: object, **environment: str) -> Any:
        """Run a function once in a new process, with other values in its environment."""
        changed = f"{name} with other {', '.join(environment)}"
        self._pools[changed] = self._pool(name, **environment)
        return self._answer(self._pools[changed], event)

    def _pool(self, name: str, **environment: str) -> FunctionPool:
        buckets = {bucket: interface for interface, bucket in self.resources.buckets.items()}
        aws, invocations = (
            self._stack.enter_context(_recorder(target, buckets, self.calls[name]))
            for target in (self._aws, self._lambda.endpoint)
        )
        spec = self.specs[name]
        references = self.resources.references(self._cache, "no Kafka here", name)
        return FunctionPool(
            name,
            spec,
            unpack(build_zip(name), self._folder / "functions"),
            {
                **resolve_environment(spec, references),
                **environment,
                "AWS_ENDPOINT_URL": aws,
                "AWS_ENDPOINT_URL_LAMBDA": invocations,
                "POWERTOOLS_TRACE_DISABLED": "true",
            },
            1,
            self._folder / "logs",
            lambda_python=ROOT / ".venv-lambda" / "bin" / "python",
        )

    @staticmethod
    def _answer(pool: FunctionPool, event: object) -> Any:
        result = pool.invoke(event)
        assert result.error is None, result.error
        answer = msgspec.json.decode(result.payload)
        assert (answer or {}).get("batchItemFailures", []) == [], answer
        return answer


def _provision(aws: str) -> Resources:
    """Make everything but Kafka's topics."""
    without_kafka = {
        name: msgspec.structs.replace(spec, trigger=InvokeTrigger())
        if isinstance(spec.trigger, KafkaTrigger)
        else spec
        for name, spec in read_functions().items()
    }
    ruleset = (ROOT / "rules" / "default.yaml").read_text()
    return provision(aws, "no Kafka here", without_kafka, read_tables(), ruleset)


def _run_score(functions: _Functions, dynamodb: Any, cache: Cache) -> None:
    """Pass suspicious payments, and records that are no payment, through the first stage."""
    batch = _kafka_event([_payment(1), b"no payment", b"x" * LARGE_BYTES])
    functions.invoke("score", batch)
    # With an empty cache, the redelivered batch finds its rows in the table and reads them back.
    redis.Redis.from_url(cache.endpoint).flushall()
    functions.invoke("score", batch)
    kept = [_payment(number) for number in range(2, 2 + CHECKPOINT_EVERY)]
    functions.invoke("score", _kafka_event(kept, first_offset=3))
    functions.invoke_changed("score", batch, RULES_APPLICATION="no-such-application")
    cache.stop()
    functions.invoke(
        "score", _kafka_event([_payment(2 + CHECKPOINT_EVERY)], first_offset=3 + CHECKPOINT_EVERY)
    )
    items = dynamodb.scan(TableName="profile_checkpoints")["Items"]
    assert sorted("body" in item for item in items) == [False, True], "a mark, and the user's profile"


def _run_reconcile(functions: _Functions) -> None:
    """Two runs before the streams are delivered: the first misses the flagged rows, the second their alerts."""
    for repaired in ("flagged_rows_repaired", "alerts_repaired"):
        found = functions.invoke_changed("reconcile", {"hours": 1}, GRACE_MINUTES="0")
        assert found[repaired] > 0, found
        assert is_clean(found), found


def _run_streams(functions: _Functions, dynamodb: Any) -> None:
    """Deliver both streams, and deliver them again."""
    for stage, table in (("persist", "transaction_history"), ("alert", "flagged_transactions")):
        rows = dynamodb.scan(TableName=table)["Items"]
        assert rows, f"{table}: the stage before {stage} wrote nothing"
        # Payments of every decision: the mapping's filter is not under test.
        functions.invoke(stage, stream_event(rows))
        functions.invoke(stage, stream_event(rows))


def _run_crashed(functions: _Functions, dynamodb: Any) -> None:
    """Deliver to each stage a record that has crashed it as often as its function.yaml allows."""
    kafka = _kafka_event([_payment(1)], age=timedelta(hours=1))
    row = stream_event([{"user_id": {"S": "user-1"}}])  # old, as every record of it
    (record,) = row["Records"]
    name = f"{record['eventSourceARN']}#{record['dynamodb']['SequenceNumber']}"
    for stage, event, counted in (
        ("score", kafka, "transaction_stream/0/0"),
        ("persist", row, name),
        ("alert", row, name),
    ):
        tries = [str(number) for number in range(_max_crashes(functions, stage))]
        count = {"record_key": {"S": f"{stage}#{counted}"}, "tries": {"SS": tries}}
        dynamodb.put_item(TableName="record_crashes", Item=count)
        functions.invoke(stage, event)
        assert dead_letter_name(stage) in {target for _, _, target, _ in functions.calls[stage]}
    assert dynamodb.scan(TableName="record_crashes")["Items"] == []


def _max_crashes(functions: _Functions, stage: str) -> int:
    return int(str(functions.specs[stage].environment["MAX_CRASHES"]))


def _run_digest(functions: _Functions, dynamodb: Any) -> None:
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


def _run_canary(functions: _Functions, sqs: Any) -> None:
    """A run that finds a message in its queue, whatever it says."""
    sqs.send_message(QueueUrl=functions.resources.queues["canary"], MessageBody="no alert")
    functions.invoke("canary", {"time": "2026-01-01T00:00:00Z"})


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


@contextmanager
def _recorder(target: str, buckets: Mapping[str, str], calls: set[Call]) -> Iterator[str]:
    """Run a proxy in front of ``target`` that adds every call to ``calls``; yields its URL."""
    place = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            calls.update(calls_of(self.command, self.path, dict(self.headers.items()), body, buckets))
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


def calls_of(
    method: str, path: str, headers: dict[str, str], body: bytes, buckets: Mapping[str, str]
) -> set[Call]:
    """Translate a request into IAM's actions and resources.

    Parameters
    ----------
    method, path : str
        Of the HTTP request.
    headers : dict[str, str]
        Its headers.
    body : bytes
        Its content.
    buckets : Mapping[str, str]
        Interface name of each bucket.

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
    if method == "POST" and place.path.startswith(PATH_BEGIN):
        function = place.path.removeprefix(PATH_BEGIN).removesuffix(PATH_END)
        return {("lambda:InvokeFunction", "function", function, "")}
    if (method, top) in REST_ACTIONS:
        return {(REST_ACTIONS[method, top], "rules", "ruleset", "")}
    if method == "POST" and (form := parse_qs(body.decode())).get("Action"):
        topic = form["TopicArn"][0].rpartition(":")[2].replace("-", "_")
        return {(f"sns:{form['Action'][0]}", "topic", topic, "")}
    if method in OBJECT_ACTIONS and top in buckets and key:
        return {(OBJECT_ACTIONS[method], "bucket", buckets[top], key)}
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
