"""What is between a measured function and the world: an AWS API of fixed answers, and a proxy in front of the cache.

Only checkpoints are stored, and rows of the history can be loaded (:mod:`benchmarks.tables`), to measure how profiles are rebuilt.

Both delay every call by a chosen round trip and count what goes through. They run in a process of their own: the CPU of the
function's process is measured, and an emulator that works on the same cores would disturb it. Run by :mod:`benchmarks.harness`::

    python -m benchmarks.network --aws-port 4000 --cache-port 4001 --control-port 4002
        --cache-target 127.0.0.1:6379 --ruleset rules/default.yaml
"""

from __future__ import annotations

import argparse
import sys
import threading
import zlib
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.tables import CHECKPOINTS, Contents, Tables
from local.proxy.aws import AwsProxy, Call
from local.proxy.http import Answer, HttpServer, Request
from local.proxy.tcp import TcpProxy

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST: Final = "127.0.0.1"

CAPTURED: Final = 400
"""Bodies of the latest inserts of history rows that are kept, to measure the size of their rows."""

_STATEMENT_BYTES: Final = 200
"""In them a statement names its table. What writes to the table of checkpoints inserts no rows of the history."""

_SWITCH_SECONDS: Final = 0.0002


class Delays(msgspec.Struct, frozen=True):
    """The round trip of each service, ms."""

    redis: float = 0.0
    dynamodb: float = 0.0
    """Of DynamoDB and SQS."""
    sns: float = 0.0


class Counts(msgspec.Struct, frozen=True):
    """What went through since the last reset."""

    requests: dict[str, int]
    """AWS operation to requests."""
    redis_round_trips: int
    """Times that a client sent something after it had its answer, however much it sent at once."""


class FixedAnswers:
    """Answers the calls that the functions make, with success, and stores nothing but checkpoints.

    Parameters
    ----------
    ruleset : bytes
        The document that AppConfig returns.
    model : bytes
        The model that it names, which S3 returns; empty for none.
    """

    def __init__(self, ruleset: bytes, model: bytes = b"") -> None:
        self.tables = Tables()
        self._ruleset = ruleset
        self._model = model
        self._lock = threading.Lock()
        self._captured: deque[bytes] = deque(maxlen=CAPTURED)

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        if call.service == "appconfigdata":
            return self._configuration(call)
        if call.service == "sns":
            return Answer(200, [("Content-Type", "text/xml")], _PUBLISHED)
        if call.service == "s3":
            return Answer(200, [], self._model if call.operation == "GET" else b"")
        if call.operation == "BatchExecuteStatement":
            if CHECKPOINTS in call.body[:_STATEMENT_BYTES]:
                return _json(self.tables.execute(call.body))
            with self._lock:
                self._captured.append(call.body)
            rows = call.body.count(b'"Statement"')
            return _json(b'{"Responses":[' + b",".join([b'{"TableName":"t"}'] * rows) + b"]}")
        if call.operation == "BatchGetItem" and CHECKPOINTS in call.body[:_STATEMENT_BYTES]:
            return _json(self.tables.get(call.body))
        if call.operation == "Query":
            return _json(self.tables.query(call.body))
        return _json(_ANSWERS.get(call.operation, b"{}"))

    def take_captured(self) -> list[str]:
        """Return the bodies of the latest inserts, and forget them."""
        with self._lock:
            bodies = [body.decode() for body in self._captured]
            self._captured.clear()
        return bodies

    def _configuration(self, call: Call) -> Answer:
        if call.operation == "POST":
            return Answer(201, [_JSON_TYPE], b'{"InitialConfigurationToken":"first"}')
        headers = [
            ("Content-Type", "application/yaml"),
            ("Next-Poll-Configuration-Token", "next"),
            ("Next-Poll-Interval-In-Seconds", "15"),
        ]
        return Answer(200, headers, self._ruleset)


class Network:
    """The AWS API, the cache's proxy, and a third server by which the harness controls both.

    Parameters
    ----------
    aws_port, cache_port, control_port : int
        Of the loopback interface.
    cache : tuple[str, int]
        Host and port of the cache.
    answers : FixedAnswers
        What the AWS API answers.
    """

    def __init__(
        self, aws_port: int, cache_port: int, control_port: int, cache: tuple[str, int], answers: FixedAnswers
    ) -> None:
        self._answers = answers
        self._aws = AwsProxy(self._answers.answer, aws_port)
        self._cache = TcpProxy(cache, cache_port)
        self._control = HttpServer(self._obey, control_port)

    def serve(self) -> None:
        """Serve until the process is ended."""
        self._aws.start()
        self._cache.start()
        self._control.start()
        self._control.wait()

    def _obey(self, request: Request) -> Answer:
        match request.path:
            case "/delays":
                self._set_delays(msgspec.json.decode(request.body, type=Delays))
                answer: object = {}
            case "/captured":
                answer = self._answers.take_captured()
            case "/tables":
                self._answers.tables.load(msgspec.json.decode(request.body, type=Contents))
                answer = {}
            case "/cache":
                self._cache.refuse(not msgspec.json.decode(request.body, type=bool))
                answer = {}
            case _:
                answer = Counts(self._aws.take_calls(), self._cache.take_round_trips())
        return Answer(200, [_JSON_TYPE], msgspec.json.encode(answer))

    def _set_delays(self, delays: Delays) -> None:
        dynamodb_seconds = delays.dynamodb / 1000
        self._cache.delay_seconds = delays.redis / 1000
        self._aws.delays_seconds = {
            "dynamodb": dynamodb_seconds,
            "sqs": dynamodb_seconds,
            "sns": delays.sns / 1000,
        }


_JSON_TYPE: Final = ("Content-Type", "application/json")
_PUBLISHED: Final = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    b"<MessageId>00000000-0000-0000-0000-000000000000</MessageId></PublishResult></PublishResponse>"
)
_ANSWERS: Final = {
    "BatchGetItem": b'{"Responses":{},"UnprocessedKeys":{}}',
    # Payments of the past that are alone in their batch are counted as tries of a record that may crash the stage.
    "UpdateItem": b'{"Attributes":{"tries":{"SS":["1"]}}}',
    "SendMessage": b'{"MessageId":"00000000-0000-0000-0000-000000000000"}',
}


def _json(body: bytes) -> Answer:
    headers = [
        ("Content-Type", "application/x-amz-json-1.0"),
        ("x-amzn-RequestId", "A" * 52),
        ("x-amz-crc32", str(zlib.crc32(body))),
    ]
    return Answer(200, headers, body)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.network", description=__doc__)
    parser.add_argument("--aws-port", type=int, required=True)
    parser.add_argument("--cache-port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--cache-target", required=True, help="host:port")
    parser.add_argument("--ruleset", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="an empty file for none")
    options = parser.parse_args(arguments)
    host, _, port = options.cache_target.rpartition(":")
    # A thread that wants to run waits this long for the interpreter at most; 5 ms, the default, would show in the figures.
    sys.setswitchinterval(_SWITCH_SECONDS)
    Network(
        options.aws_port,
        options.cache_port,
        options.control_port,
        (host, int(port)),
        FixedAnswers(options.ruleset.read_bytes(), options.model.read_bytes()),
    ).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
