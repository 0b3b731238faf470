"""A function that is killed at a step of its work, or whose invocation times out there and continues."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.faults.aws_answers import internal_error

from .fault import Forward, redelivers
from .site import WINDOWS_CLOSED
from .stream import payments_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.proxy.aws import Call
    from local.proxy.http import Answer

    from .site import Site

OVERTAKE_SECONDS = 2.0
"""How long a call is held at most: less than any client's read time-out, after which the client would only retry."""
AS_MANY_AS_COME = 1000
"""More than there are: a call that waits for so many is held for :data:`OVERTAKE_SECONDS`."""


@contextmanager
def kill_at_call(function: str, operation: str, site: Site, seed: int, *, after: bool) -> Iterator[None]:
    """SIGKILL the process that makes one of the function's next calls, before or after the call is passed on."""
    struck, lock = threading.Event(), threading.Lock()
    left = [1 + seed % 3]

    def strike(call: Call, forward: Forward) -> Answer:
        if call.operation != operation or struck.is_set():
            return forward(call)
        with lock:
            left[0] -= 1
            is_chosen = left[0] == 0
        if not is_chosen:
            return forward(call)
        answer = forward(call) if after else None
        site.mapping(function).caller(call.client_port).kill()
        struck.set()
        return answer or internal_error(call)  # to nobody

    with redelivers(site, function):
        site.aws[function].fault = strike
        yield
        site.wait_for(struck.is_set, f"{function} to be killed at {operation}")
        site.aws[function].fault = None


@contextmanager
def kill_digest(operation: str, site: Site, _: int, *, after: bool) -> Iterator[None]:
    """SIGKILL the digest function when it makes a call, before or after the call is passed on; the next run does the rest."""
    struck = threading.Event()
    mapping = site.mapping("digest")
    failures = mapping.counters().failures

    def strike(call: Call, forward: Forward) -> Answer:
        if call.operation != operation or struck.is_set():
            return forward(call)
        struck.set()
        answer = forward(call) if after else None
        mapping.caller(call.client_port).kill()
        return answer or internal_error(call)  # to nobody

    site.aws["digest"].fault = strike
    site.close_windows()
    yield
    site.wait_for(struck.is_set, f"the digest function to be killed at {operation}")
    site.wait_for(lambda: mapping.counters().failures > failures, "its invocation to fail")
    site.aws["digest"].fault = None


@contextmanager
def two_digests(site: Site, _: int) -> Iterator[None]:
    """Two runs of the digest function side by side, as if nothing forbade them."""
    with site.second("digest") as second:
        second.control.set_clock(WINDOWS_CLOSED.total_seconds())
        site.close_windows()
        yield
        site.be_quiet()
        site.send_digests()
        site.wait_for(lambda: second.counters().records > 1, "the second digest function to run")


@contextmanager
def kill_amid_inserts(site: Site, _: int) -> Iterator[None]:
    """SIGKILL the score stage when one insert request of a batch is done and another one of the same batch is not.

    Payments pile up first, so that a batch has more than one request.
    """
    mapping = site.mapping("score")
    struck, lock = threading.Event(), threading.Lock()
    done_by: dict[int, threading.Event] = {}

    def strike(call: Call, forward: Forward) -> Answer:
        if call.operation != "BatchExecuteStatement" or struck.is_set():
            return forward(call)
        caller = mapping.caller(call.client_port)
        with lock:
            is_first = caller.pid not in done_by
            is_done = done_by.setdefault(caller.pid, threading.Event())
        if not is_first:
            if is_done.wait(OVERTAKE_SECONDS):
                caller.kill()
                struck.set()
            return internal_error(call)  # to nobody
        answer = forward(call)
        if answer.status == 200:
            is_done.set()
        struck.wait(OVERTAKE_SECONDS)  # without effect if the batch has only one request
        with lock:
            del done_by[caller.pid]
        return answer

    with redelivers(site, "score"):
        site.aws["score"].fault = strike
        with mapping.paused():
            yield
        site.wait_for(struck.is_set, "score to be killed between its inserts")
        site.aws["score"].fault = None


@contextmanager
def kill_at_cache_write(
    key: bytes, site: Site, seed: int, *, passes: float, after: bool = False
) -> Iterator[None]:
    """SIGKILL the score stage when it writes profiles or counts at entities: a share ``passes`` of the request's bytes reaches the cache.

    One script writes all profiles of a batch or none, and one counts at all entities or none, so a part of a request changes nothing.
    """
    struck = threading.Event()
    left = [1 + seed % 3]

    def strike(request: bytes) -> bytes:
        if b"EVAL" not in request or key not in request or struck.is_set():
            return request
        left[0] -= 1
        if left[0] > 0:
            return request
        struck.set()
        site.mapping("score").kill_workers()
        return request[: round(len(request) * passes)]

    with redelivers(site, "score"):
        if after:
            site.cache_proxy.on_response = strike
        else:
            site.cache_proxy.on_request = strike
        yield
        site.wait_for(struck.is_set, "score to be killed at its write to the cache")
        site.cache_proxy.on_request = site.cache_proxy.on_response = None


@contextmanager
def outlive_time_out(
    function: str,
    moments: Sequence[tuple[str, bool]],
    site: Site,
    seed: int,
    *,
    overtakers: Sequence[int] = (1, 4, AS_MANY_AS_COME),
) -> Iterator[None]:
    """An invocation times out in the middle of a call, and continues when its retry has passed the same call.

    The seed chooses the call: its operation, and whether it is passed on before it is held. It also chooses how many other calls
    overtake it, its own retry among them.
    """
    operation, after = moments[seed % len(moments)]
    held = HeldCall(site, function, operation, after=after, others=overtakers[seed % len(overtakers)])
    site.aws[function].fault = held.answer
    yield
    site.wait_for(held.is_over.is_set, f"a retry to overtake {function}, which is held at {operation}")
    site.aws[function].fault = None
    site.wait_for(
        lambda: site.mapping(function).control.abandoned == 0, f"{function}'s abandoned invocation to end"
    )


class HeldCall:
    """Holds one call of an invocation that times out, until another invocation has made the same call for the same payments.

    If that takes longer than a client waits, the call is released, and the next one is held instead.

    Attributes
    ----------
    is_over : threading.Event
        Set when a held call has been overtaken and released.
    """

    def __init__(self, site: Site, function: str, operation: str, *, after: bool, others: int) -> None:
        self.is_over = threading.Event()
        self._site = site
        self._function = function
        self._control = site.mapping(function).control
        self._operation = operation
        self._after = after
        self._overtakers = others
        self._lock = threading.Lock()
        self._held: set[bytes] = set()
        self._held_pid = 0
        self._is_alone = threading.Event()
        self._may_go_on = threading.Event()
        self._is_overtaken = False
        self._others = 0

    def answer(self, call: Call, forward: Forward) -> Answer:
        """Hold the call, or let it overtake the one that is held."""
        payments = payments_in(call.body)
        if call.operation != self._operation or self.is_over.is_set() or not payments:
            return forward(call)
        with self._lock:
            is_chosen = not self._held and self._control.abandoned == 0
            if is_chosen:
                self._held, self._is_overtaken, self._others = payments, False, 0
                self._held_pid = self._site.mapping(self._function).caller(call.client_port).pid
        return self._hold(call, forward) if is_chosen else self._overtake(call, payments, forward)

    def _hold(self, call: Call, forward: Forward) -> Answer:
        ends_at = time.monotonic() + OVERTAKE_SECONDS
        early = forward(call) if self._after else None
        self._control.abandon()
        timed_out = f"an invocation of {self._function} to time out"
        self._site.wait_for(lambda: self._control.abandoned > 0, timed_out)
        self._is_alone.set()
        self._may_go_on.wait(max(ends_at - time.monotonic(), 0.0))
        with self._lock:
            self._held = set()
            self._is_alone.clear()
            if self._is_overtaken:
                self.is_over.set()
        return early or forward(call)

    def _overtake(self, call: Call, payments: set[bytes], forward: Forward) -> Answer:
        # A call made before the invocation timed out is no retry, nor is one that the held invocation's own client makes again.
        may_be_retry = (
            self._is_alone.is_set()
            and self._site.mapping(self._function).caller(call.client_port).pid != self._held_pid
        )
        answer = forward(call)
        with self._lock:
            if may_be_retry and self._held:
                self._others += 1
                # Other invocations that timed out continue too: only the same payments identify the retry.
                self._is_overtaken |= not self._held.isdisjoint(payments)
                if self._is_overtaken and self._others >= self._overtakers:
                    self._may_go_on.set()
        return answer
