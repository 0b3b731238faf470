"""A proxy for the AWS API: knows the service and operation of a call, counts and delays calls, and lets a fault answer them.

It reads DynamoDB's and SQS's JSON protocol and SNS's query protocol. All other requests are of AppConfig or S3.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from local.proxy.http import Answer, Forwarder, HttpServer, Request
from local.proxy.timing import sleep_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_QUERY: Final = "application/x-www-form-urlencoded"
_SERVICES: Final = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the AWS API."""

    request: Request
    service: str
    """boto3's name: ``dynamodb``, ``sqs``, ``sns``, ``appconfigdata``, ``s3``."""
    operation: str
    """``PutItem``; the HTTP method for AppConfig and S3."""

    @classmethod
    def of(cls, request: Request) -> Call:
        """Read service and operation from a request."""
        if target := request.header("X-Amz-Target"):
            service, _, operation = target.partition(".")
            return cls(request, _SERVICES.get(service, service), operation)
        if request.header("Content-Type").startswith(_QUERY):
            # Credential=<key>/<date>/<region>/<service>/aws4_request
            service = request.header("Authorization").partition("/aws4_request")[0].rpartition("/")[2]
            return cls(request, service, parse_qs(request.body.decode()).get("Action", [""])[0])
        service = "appconfigdata" if request.path.startswith("/configuration") else "s3"
        return cls(request, service, request.method)

    @property
    def body(self) -> bytes:
        """The request's body."""
        return self.request.body

    @property
    def client_port(self) -> int:
        """The port it was sent from, which identifies the process of the function."""
        return self.request.client_port

    def with_body(self, body: bytes) -> Call:
        """Return the same call with another body."""
        return replace(self, request=replace(self.request, body=body))


class AwsProxy:
    """Serve on the loopback interface from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    answer : Callable[[Call], Answer]
        Answers a call; :func:`forward_to` passes it on.
    port : int
        Port to serve on; 0 for a free one.

    Attributes
    ----------
    fault : Callable | None
        Answers each call instead. Gets the call and ``answer``, and may raise
        :class:`~local.proxy.http.DisconnectError`.
    delays_seconds : Mapping[str, float]
        Service to the time between a call and its answer, at least.
    """

    def __init__(self, answer: Callable[[Call], Answer], port: int = 0) -> None:
        self.fault: Callable[[Call, Callable[[Call], Answer]], Answer] | None = None
        self.delays_seconds: Mapping[str, float] = {}
        self._answer = answer
        self._lock = threading.Lock()
        self._calls = Counter[str]()
        self._server = HttpServer(self._respond, port)
        self.start = self._server.start
        self.stop = self._server.stop

    @property
    def endpoint(self) -> str:
        """The value of ``AWS_ENDPOINT_URL``."""
        return self._server.endpoint

    def calls(self) -> dict[str, int]:
        """Return how often each operation was called since the last reset: ``dynamodb.PutItem`` to calls."""
        with self._lock:
            return dict(self._calls)

    def take_calls(self) -> dict[str, int]:
        """Return the same as :meth:`calls`, and reset it."""
        with self._lock:
            calls = dict(self._calls)
            self._calls.clear()
        return calls

    def _respond(self, request: Request) -> Answer:
        call = Call.of(request)
        with self._lock:
            self._calls[f"{call.service}.{call.operation}"] += 1
        fault = self.fault
        answer = self._answer(call) if fault is None else fault(call, self._answer)
        sleep_until(request.received_at + self.delays_seconds.get(call.service, 0.0))
        return answer


def forward_to(upstream: str) -> Callable[[Call], Answer]:
    """Make what passes calls on to an AWS API, given its URL."""
    forwarder = Forwarder(upstream)
    return lambda call: forwarder.forward(call.request)
