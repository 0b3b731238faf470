"""Faults of the cache. A fault that ends within its context ends when the backlog is empty: every record has met it."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING

from cache.primary import READ_TIMEOUT_S

from .aws import CHECKPOINTS, checkpoints_throttled
from .fault import Forward, MidBatch, redelivers
from .site import Site, address, admin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.components.cache import Cache
    from local.proxy.aws import Call
    from local.proxy.http import Answer

LATE_SECONDS = 2 * READ_TIMEOUT_S
MOST = 0.8
"""Of calls that are throttled. Six tries of two calls each: a batch of three requests fails once in five times."""


@contextmanager
def restart_cache(site: Site, seed: int) -> Iterator[None]:
    """It restarts empty in the middle of a batch."""
    mid_batch = MidBatch(site, seed)
    yield
    with mid_batch:
        assert admin(site.cache).dbsize() > 0
        site.kill(site.cache.process)
    site.start_cache()


@contextmanager
def pause_cache(site: Site, _: int) -> Iterator[None]:
    """It accepts connections and answers nothing."""
    pid = site.cache.process.record.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def late_write(key: bytes, site: Site, seed: int) -> Iterator[None]:
    """A batch's profiles are written, or its entities count, long after the stage has stopped waiting, and after later batches."""
    left, lock = [1 + seed % 3], threading.Lock()
    has_arrived = threading.Event()

    def hold(request: bytes) -> bytes:
        if b"EVAL" in request and key in request:
            with lock:
                left[0] -= 1
                is_chosen = left[0] == 0
            if is_chosen:
                time.sleep(LATE_SECONDS)  # the delay itself
                has_arrived.set()
        return request

    site.cache_proxy.on_request = hold
    yield
    site.wait_for(has_arrived.is_set, "the late write")
    site.cache_proxy.on_request = None


@contextmanager
def cache_out_of_memory(site: Site, _: int) -> Iterator[None]:
    """It refuses every write."""
    client = admin(site.cache)
    before = client.config_get("maxmemory*")
    client.config_resetstat()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1024)
    yield
    site.be_quiet()
    refused = client.info("errorstats").get("errorstat_OOM", {"count": 0})["count"]
    assert refused > 0, "no write was refused"
    for name in ("maxmemory", "maxmemory-policy"):
        client.config_set(name, str(before[name]))


@contextmanager
def cache_slow(site: Site, _: int) -> Iterator[None]:
    """Each request is delayed by 200 ms."""
    delayed: list[int] = []

    def note(request: bytes) -> bytes:
        delayed.append(len(request))
        return request

    site.cache_proxy.on_request = note
    site.cache_proxy.delay_seconds = 0.2
    yield
    site.be_quiet()
    site.cache_proxy.delay_seconds = 0.0
    site.cache_proxy.on_request = None
    assert delayed, "no request was delayed"


@contextmanager
def empty_cache(site: Site, seed: int) -> Iterator[None]:
    """It is emptied again and again while payments come, so that profiles are rebuilt all the time."""
    client, random = admin(site.cache), Random(seed)
    emptied: list[int] = []
    is_over = threading.Event()

    def empty() -> None:
        while not is_over.wait(random.uniform(0.05, 0.3)):
            emptied.append(int(client.dbsize()))
            client.flushall()

    before = _queries(site)
    thread = threading.Thread(target=empty)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    assert sum(map(bool, emptied)) > 1, f"it was emptied of {emptied} keys"
    site.wait_for(lambda: _queries(site) > before, "a profile to be rebuilt")


def _queries(site: Site) -> int:
    return site.aws["score"].calls().get("dynamodb.Query", 0)


@contextmanager
def cache_down(site: Site, _: int) -> Iterator[None]:
    """It refuses every connection; the table of checkpoints is in its place."""
    site.cache_proxy.refuse(True)
    with _checkpoints_written(site):
        yield
        site.be_quiet()
    site.cache_proxy.refuse(False)


@contextmanager
def cache_and_some_checkpoints_down(site: Site, seed: int) -> Iterator[None]:
    """It refuses every connection, and the table in its place throttles most calls: some batches are stored, but not folded."""
    site.cache_proxy.refuse(True)
    with checkpoints_throttled(site, seed, share=MOST):
        yield
    # Only now: a batch that needs several calls may be unlucky for as long as most are throttled.
    site.be_quiet()
    site.cache_proxy.refuse(False)


@contextmanager
def cache_and_checkpoints_down(site: Site, seed: int) -> Iterator[None]:
    """It refuses every connection, and the table in its place throttles every call: payments wait until the table answers."""
    site.cache_proxy.refuse(True)
    with checkpoints_throttled(site, seed), redelivers(site, "score"):
        yield
    site.be_quiet()
    site.cache_proxy.refuse(False)


@contextmanager
def _checkpoints_written(site: Site) -> Iterator[None]:
    """Within this context the score stage must write to the table of checkpoints."""
    has_written = threading.Event()

    def note(call: Call, forward: Forward) -> Answer:
        if call.operation == "BatchExecuteStatement" and CHECKPOINTS in call.body:
            has_written.set()
        return forward(call)

    site.aws["score"].fault = note
    yield
    site.aws["score"].fault = None
    assert has_written.is_set(), "no checkpoint was written"


@contextmanager
def fail_over(site: Site, seed: int) -> Iterator[None]:
    """A replica without the latest writes takes over; the old primary's data are lost."""
    host, port = address(site.cache)
    replica = admin(site.replica)
    replica.replicaof(host, str(port))
    site.wait_for(lambda: replica.info("replication")["master_link_status"] == "up", "the replica")
    if seed:
        mid_batch = MidBatch(site, seed)
        yield
        with mid_batch:
            replica.replicaof("NO", "ONE")
            before = writes_to(site.cache)
    else:
        replica.replicaof("NO", "ONE")
        before = writes_to(site.cache)
        yield
    site.be_quiet()  # what is written from here on is lost
    assert writes_to(site.cache) > before, "nothing was lost"
    site.cache_proxy.move(address(site.replica))
    site.cache_now = site.replica


def writes_to(cache: Cache) -> int:
    """How many keys have been written since its last snapshot; it makes one only when a replica joins."""
    return int(admin(cache).info("persistence")["rdb_changes_since_last_save"])
