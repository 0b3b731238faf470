"""A function that is killed at a step of its work, or is given up on there and goes on."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from local.faults.aws_proxy import Answer, Call, internal_error

from .aws import Forward
from .site import Site

OVERTAKE_SECONDS = 2.0
"""How long a call is held at most: less than any client's read time-out, behind which it would only be sent again."""


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
        site.mapping(function).kill_caller(call.client_port)
        struck.set()
        return answer or internal_error(call)  # to nobody

    site.aws[function].fault = strike
    yield
    site.wait_for(struck.is_set, f"{function} to be killed at {operation}")
    site.aws[function].fault = None


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
    overtakers: Sequence[int] = (1, 4, 1000),
) -> Iterator[None]:
    """An invocation is given up on in the middle of a call, and goes on when its retry has come past the same place.

    The seed chooses the call: operation, and whether it was passed on before the invocation stood still; and how many others
    get past it. A thousand do not: it stands still for as long as its client waits.
    """
    operation, after = moments[seed % len(moments)]
    control = site.mapping(function).control
    is_held, is_alone, is_overtaken = threading.Event(), threading.Event(), threading.Event()
    lock = threading.Lock()
    left = [overtakers[seed % len(overtakers)]]

    def hold(call: Call, forward: Forward) -> Answer:
        if call.operation != operation or is_overtaken.is_set():
            return forward(call)
        with lock:
            is_it = not is_held.is_set()
            is_held.set()
        if not is_it:
            # What is on its way when nobody has given up yet is no retry.
            may_be_retry = is_alone.is_set()
            answer = forward(call)
            with lock:
                left[0] -= may_be_retry
                if left[0] == 0:
                    is_overtaken.set()
            return answer
        early = forward(call) if after else None
        control.give_up()
        site.wait_for(lambda: control.abandoned > 0, f"{function} to be given up on", OVERTAKE_SECONDS)
        is_alone.set()
        is_overtaken.wait(OVERTAKE_SECONDS)
        is_overtaken.set()
        return early or forward(call)

    site.aws[function].fault = hold
    yield
    site.wait_for(is_overtaken.is_set, f"{function} to be given up on at {operation}")
    site.aws[function].fault = None
    assert is_alone.is_set(), "nobody gave up on the invocation that was held"
    site.wait_for(lambda: control.abandoned == 0, f"{function}'s abandoned invocation to end")
