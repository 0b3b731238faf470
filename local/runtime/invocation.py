"""One invocation of a function: the request and the result. Failures are values, as in Lambda."""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

import msgspec

MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""Lambda's quota for a synchronous invocation: 6 MB each for the request and the response."""


class FunctionError(msgspec.Struct, frozen=True):
    """Why an invocation failed, in Lambda's terms."""

    type: str
    """``Runtime.ExitError``, ``Sandbox.Timedout``, or the exception's class."""
    message: str


class InvocationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one invocation."""

    request_id: str
    payload: bytes
    """The handler's answer as JSON; Lambda's error document if ``error`` is set."""
    error: FunctionError | None
    duration_ms: float
    """From handing over the event to the answer."""
    init_duration_ms: float | None = None
    """Time that the worker took to start and to import the function; None if it was warm."""


@dataclass
class Invocation:
    """One request to a worker; only the first answer or error settles it."""

    payload: bytes
    function_arn: str
    timeout_seconds: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline_ms: int = 0
    """When the function must be done, ms since the epoch; set when the event is handed over."""
    settled: threading.Event = field(default_factory=threading.Event)
    _answer: tuple[bytes, FunctionError | None] = (b"", None)
    _started: float = 0.0
    _ended: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hand_over(self) -> None:
        """Start the function's time: it has the event from now on."""
        self._started = time.monotonic()
        # Rounded down, as the client rounds the clock that it compares this with: the remaining time is never more than the timeout.
        self.deadline_ms = int(time.time() * 1000) + round(self.timeout_seconds * 1000)

    def succeed(self, payload: bytes) -> None:
        """Settle with the handler's answer, or with Lambda's error if that is over 6 MB."""
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
        """Settle with an error; ``payload`` is the runtime's own error document, if there is one."""
        self._settle(error_document(error) if payload is None else payload, error)

    def result(self, init_duration_ms: float | None) -> InvocationResult:
        """Return the result; only valid once ``settled`` is set."""
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
    """Write an error as Lambda returns it to the caller."""
    return json.dumps({"errorType": error.type, "errorMessage": error.message}).encode()


def read_error(document: bytes, fallback_type: str) -> FunctionError:
    """Read the error document that a runtime posts; anything else becomes the message as it is."""
    try:
        fields = msgspec.json.decode(document, type=dict[str, object])
    except msgspec.MsgspecError:
        return FunctionError(fallback_type, document[:1000].decode(errors="replace"))
    return FunctionError(str(fields.get("errorType") or fallback_type), str(fields.get("errorMessage") or ""))
