"""A function that is killed at a step of its work, or is given up on there and goes on."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.faults.aws_answers import internal_error

from .fault import Forward, comes_again
from .stream import payments_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.proxy.aws import Call
    from local.proxy.http import Answer

    from .site import Site

OVERTAKE_SECONDS = 2.0
"""How long a call is held at most: less than any client's read time-out, behind which it would only be sent again."""
AS_MANY_AS_COME = 1000
"""More than there are: who waits for them stands still for as long as its client waits."""


@contextmanager
def kill_at_call(function: str, operation: str, site: Site, seed: int, *, after: bool) -> Iterator[None]:
    """SIGKILL the process that makes one of the function's next calls, before it is passed on, or after."""
    struck, lock = threading.Event(), threading.Lock()
    left = [1 + seed % 3]

    def strike(call: Call, forward: Forward) -> Answer:
        if call.operation != operation or struck.is_set():
            return forward(call)
        with lock:
            left[0] -= 1
            is_it = left[0] == 0
        if not is_it:
            return forward(call)
        answer = forward(call) if after else None
        site.mapping(function).caller(call.client_port).kill()
        struck.set()
        return answer or internal_error(call)  # to nobody

    with comes_again(site, function):
        site.aws[function].fault = strike
        yield
        site.wait_for(struck.is_set, f"{function} to be killed at {operation}")
        site.aws[function].fault = None


@contextmanager
def kill_amid_inserts(site: Site, _: int) -> Iterator[None]:
    """SIGKILL the score stage when one insert request of a batch is done and another one of the same batch is not.

    Payments pile up before, so that they are batches of more than one request.
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
        struck.wait(OVERTAKE_SECONDS)  # in vain where the batch is none of several requests
        with lock:
            del done_by[caller.pid]
        return answer

    with comes_again(site, "score"):
        site.aws["score"].fault = strike
        with mapping.paused():
            yield
        site.wait_for(struck.is_set, "score to be killed amid its inserts")
        site.aws["score"].fault = None


@contextmanager
def kill_at_profile_write(site: Site, seed: int, *, passes: float, after: bool = False) -> Iterator[None]:
    """SIGKILL the score stage when it writes profiles: ``passes`` of the request's bytes get through.

    A script writes all profiles of a batch at once or none, so what the cache gets of a part is nothing.
    """
    struck = threading.Event()
    left = [1 + seed % 3]

    def strike(request: bytes) -> bytes:
        if b"EVAL" not in request or struck.is_set():
            return request
        left[0] -= 1
        if left[0] > 0:
            return request
        struck.set()
        site.mapping("score").kill_workers()
        return request[: round(len(request) * passes)]

    with comes_again(site, "score"):
        if after:
            site.cache_proxy.on_response = strike
        else:
            site.cache_proxy.on_request = strike
        yield
        site.wait_for(struck.is_set, "score to be killed at the profiles' write")
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
    """An invocation is given up on in the middle of a call, and goes on when its retry has come past the same place.

    The seed chooses the call: operation, and whether it was passed on before the invocation stood still; and how many others
    get past it, its own retry among them.
    """
    operation, after = moments[seed % len(moments)]
    still = StandStill(site, function, operation, after=after, others=overtakers[seed % len(overtakers)])
    site.aws[function].fault = still.answer
    yield
    site.wait_for(still.is_over.is_set, f"a retry to come past {function}, which stands still at {operation}")
    site.aws[function].fault = None
    site.wait_for(
        lambda: site.mapping(function).control.abandoned == 0, f"{function}'s abandoned invocation to end"
    )


class StandStill:
    """Holds one call of an invocation that is given up on, until another invocation has come past it with the same payments.

    Where that takes longer than a client waits, the call is let go, and the next one is held in its turn.

    Attributes
    ----------
    is_over : threading.Event
        Set when one that was held has been overtaken and let go.
    """

    def __init__(self, site: Site, function: str, operation: str, *, after: bool, others: int) -> None:
        self.is_over = threading.Event()
        self._site = site
        self._function = function
        self._control = site.mapping(function).control
        self._operation = operation
        self._after = after
        self._wanted = others
        self._lock = threading.Lock()
        self._held: set[bytes] = set()
        self._is_alone = threading.Event()
        self._may_go_on = threading.Event()
        self._is_past = False
        self._others = 0

    def answer(self, call: Call, forward: Forward) -> Answer:
        """Hold the call, or let it pass the one that is held."""
        payments = payments_in(call.body)
        if call.operation != self._operation or self.is_over.is_set() or not payments:
            return forward(call)
        with self._lock:
            is_it = not self._held and self._control.abandoned == 0
            if is_it:
                self._held, self._is_past, self._others = payments, False, 0
        return self._stand_still(call, forward) if is_it else self._come_past(call, payments, forward)

    def _stand_still(self, call: Call, forward: Forward) -> Answer:
        early = forward(call) if self._after else None
        self._control.abandon()
        given_up = f"{self._function} to be given up on"
        self._site.wait_for(lambda: self._control.abandoned > 0, given_up, OVERTAKE_SECONDS)
        self._is_alone.set()
        self._may_go_on.wait(OVERTAKE_SECONDS)
        with self._lock:
            self._held = set()
            self._is_alone.clear()
            if self._is_past:
                self.is_over.set()
        return early or forward(call)

    def _come_past(self, call: Call, payments: set[bytes], forward: Forward) -> Answer:
        # What is on its way when nobody has given up yet is no retry.
        may_be_retry = self._is_alone.is_set()
        answer = forward(call)
        with self._lock:
            if may_be_retry and self._held:
                self._others += 1
                # Others that were given up on go on too: only the same payments show that it is the retry.
                self._is_past |= not self._held.isdisjoint(payments)
                if self._is_past and self._others >= self._wanted:
                    self._may_go_on.set()
        return answer
