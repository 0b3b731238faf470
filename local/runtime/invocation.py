"""What goes into a function and what comes out: one request, one result. Failures are values here, as Lambda has them."""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

import msgspec

MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""Lambda's quota for a synchronous invocation: 6 MB for the request and for the response each."""


class FunctionError(msgspec.Struct, frozen=True):
    """Why an invocation failed, in Lambda's terms."""

    type: str
    """``Runtime.ExitError``, ``Sandbox.Timedout``, or the exception's class."""
    message: str


class InvocationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one invocation came to."""

    request_id: str
    payload: bytes
    """The handler's answer as JSON; Lambda's error document where ``error`` is set."""
    error: FunctionError | None
    duration_ms: float
    """From handing the event over to the answer."""
    init_duration_ms: float | None = None
    """Time the worker took to start and to import the function; None where it was warm."""


@dataclass
class Invocation:
    """One request on its way through a worker; it is settled once, by whoever comes first."""

    payload: bytes
    function_arn: str
    timeout_seconds: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline_ms: int = 0
    """When the function has to be done, ms since the epoch; set when the event is handed over."""
    settled: threading.Event = field(default_factory=threading.Event)
    _answer: tuple[bytes, FunctionError | None] = (b"", None)
    _started: float = 0.0
    _ended: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hand_over(self) -> None:
        """Note that the function has the event from now on: its time runs."""
        self._started = time.monotonic()
        # Rounded down, as the client rounds the time that it takes from this: what is left is never more than all of it.
        self.deadline_ms = int(time.time() * 1000) + round(self.timeout_seconds * 1000)

    def succeed(self, payload: bytes) -> None:
        """Settle with the handler's answer, or with Lambda's error where that is over 6 MB."""
        if len(payload) > MAX_PAYLOAD_BYTES:
            self.fail(
                FunctionError(
                    "Function.ResponseSizeTooLarge",
                    f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes).",
                )
            )
        else:
            self._settle(payload, None)

    def fail(self, error: FunctionError, payload: bytes | None = None) -> None:
        """Settle with an error; ``payload`` is the runtime's own document of it where there is one."""
        self._settle(error_document(error) if payload is None else payload, error)

    def result(self, init_duration_ms: float | None) -> InvocationResult:
        """Say what it came to; only once ``settled`` is set."""
        payload, error = self._answer
        return InvocationResult(
            request_id=self.request_id,
            payload=payload,
            error=error,
            duration_ms=max(0.0, (self._ended - self._started) * 1000) if self._started else 0.0,
            init_duration_ms=init_duration_ms,
        )

    def _settle(self, payload: bytes, error: FunctionError | None) -> None:
        with self._lock:
            if not self.settled.is_set():
                self._ended = time.monotonic()
                self._answer = (payload, error)
                self.settled.set()


def error_document(error: FunctionError) -> bytes:
    """Write an error as Lambda answers it to the caller."""
    return json.dumps({"errorType": error.type, "errorMessage": error.message}).encode()


def read_error(document: bytes, fallback_type: str) -> FunctionError:
    """Read the error document that a runtime posts; what is not one keeps its text as the message."""
    try:
        fields = msgspec.json.decode(document, type=dict[str, object])
    except msgspec.MsgspecError:
        return FunctionError(fallback_type, document[:1000].decode(errors="replace"))
    return FunctionError(str(fields.get("errorType") or fallback_type), str(fields.get("errorMessage") or ""))
