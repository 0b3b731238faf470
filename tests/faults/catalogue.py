"""Every fault of the matrix: how it is brought about, what shows that it was there, and how it ends.

A fault is a context: it begins on entry, and on exit has been seen to take effect and is over. One that never bit fails the
run, since then nothing was proved.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined] # its stubs do not re-export it

from local.faults.aws_proxy import (
    Answer,
    Call,
    half_unprocessed,
    internal_error,
    slow,
    throttled,
    written_but_unheard,
)
from local.rulesets import Rulesets
from local.specs import ROOT

from .site import TOPIC, Mapping, Site, address, admin
from .stream import Sent

IS_LONG = bool(os.environ.get("LONG"))
OUTAGE_SECONDS = 10.0 if IS_LONG else 3.0

Forward = Callable[[Call], Answer]
Bad = Callable[[Call, Forward], Answer]
Scope = AbstractContextManager[None]


@dataclass(frozen=True)
class Fault:
    """One row of the report."""

    name: str
    begin: Callable[[Site, int], Scope]
    """Gets the site and a seed, which moves the moment at which it strikes."""
    may_repeat_alerts: bool = False
    """A crash between publishing and marking repeats a message, under the same alert id."""
    needs_quiet: bool = False
    """Begins when everything before it has been dealt with."""


@contextmanager
def _nothing(_: Site, __: int) -> Iterator[None]:
    yield


# The function is killed


@contextmanager
def _kill_at_call(
    function: str, operation: str, site: Site, seed: int, *, after: bool, at: int = 1
) -> Iterator[None]:
    """SIGKILL the process that makes the function's n-th call from now on, before it is passed on, or after."""
    struck, lock = threading.Event(), threading.Lock()
    left = [at + seed % 3]

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
def _kill_at_profile_write(site: Site, seed: int, *, after: bool) -> Iterator[None]:
    struck = threading.Event()
    left = [1 + seed % 3]

    def strike(request: bytes) -> None:
        if b"EVAL" in request and not struck.is_set():
            left[0] -= 1
            if left[0] == 0:
                struck.set()
                site.mapping("score").kill_workers()

    if after:
        site.cache_proxy.on_response = strike
    else:
        site.cache_proxy.on_request = strike
    yield
    site.wait_for(struck.is_set, "score to be killed at the profiles' write")
    site.cache_proxy.on_request = site.cache_proxy.on_response = None


# Kafka


@contextmanager
def _redeliver_committed(site: Site, seed: int) -> Iterator[None]:
    mapping = site.mapping("score")
    mapping.process.stop()
    trigger = site.specs["score"].trigger
    consumer = Consumer(
        {"bootstrap.servers": site.broker.endpoint, "group.id": getattr(trigger, "consumer_group", "")}
    )
    back = [
        TopicPartition(TOPIC, place.partition, max(place.offset - 20 - seed % 7, 0))
        for place in site.committed()
        if place.offset > 0
    ]
    assert back
    consumer.commit(offsets=back, asynchronous=False)
    consumer.close()
    mapping.start()
    yield


@contextmanager
def _restart_broker(site: Site, _: int) -> Iterator[None]:
    site.restart_broker()
    yield


@contextmanager
def _more_partitions(site: Site, _: int) -> Iterator[None]:
    client = AdminClient({"bootstrap.servers": site.broker.endpoint})
    count = len(client.list_topics(TOPIC, 10).topics[TOPIC].partitions) + 1
    client.create_partitions([NewPartitions(TOPIC, count)])[TOPIC].result(30)
    site.wait_for(
        lambda: len(client.list_topics(TOPIC, 10).topics[TOPIC].partitions) == count, "the new partition"
    )
    yield


@contextmanager
def _two_pollers(site: Site, seed: int) -> Iterator[None]:
    """A second poller reads the same partitions while the first one's invocations are slow: every batch has two writers."""
    site.aws["score"].fault = lambda call, forward: slow(call, forward, Random(seed).random() * 0.2)
    with site.second("score") as poller:
        yield
        site.be_quiet()
        _assert_worked(poller)
    site.aws["score"].fault = None


@contextmanager
def _move_consumer(site: Site, _: int) -> Iterator[None]:
    """The first poller's process is killed amid its work; another one takes over."""
    mapping = site.mapping("score")
    os.kill(mapping.process.record.pid, signal.SIGKILL)
    site.wait_for(lambda: not mapping.process.is_running, "the poller's end")
    mapping.process.stop()
    mapping.start()
    yield


# The cache


@contextmanager
def _restart_cache(site: Site, _: int) -> Iterator[None]:
    yield
    site.restart_cache()


@contextmanager
def _pause_cache(site: Site, seed: int, seconds: float) -> Iterator[None]:
    pid = site.cache.process.record.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
        time.sleep(seconds)  # how long the fault lasts, not a wait for something
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def _cache_out_of_memory(site: Site, _: int) -> Iterator[None]:
    client = admin(site.cache)
    before = client.config_get("maxmemory*")
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1024)
    yield
    site.be_quiet()
    errors = client.info("errorstats")
    assert "errorstat_OOM" in errors, errors
    for name in ("maxmemory", "maxmemory-policy"):
        client.config_set(name, str(before[name]))


@contextmanager
def _cache_slow(site: Site, _: int) -> Iterator[None]:
    site.cache_proxy.delay_seconds = 0.2
    yield
    site.be_quiet()
    site.cache_proxy.delay_seconds = 0.0


@contextmanager
def _cache_down(site: Site, _: int) -> Iterator[None]:
    site.cache_proxy.refuse(True)
    yield
    site.be_quiet()
    site.cache_proxy.refuse(False)


@contextmanager
def _fail_over(site: Site, _: int) -> Iterator[None]:
    """A replica takes over that had not got the latest writes; the old primary's data are gone."""
    host, port = address(site.cache)
    replica = admin(site.replica)
    replica.replicaof(host, str(port))
    site.wait_for(lambda: replica.info("replication")["master_link_status"] == "up", "the replica")
    replica.replicaof("NO", "ONE")
    yield
    site.be_quiet()  # all of these writes are lost
    site.cache_proxy.move(address(site.replica))
    site.cache_now = site.replica


# AWS


@contextmanager
def _bad_calls(
    bad: Bad,
    site: Site,
    seed: int,
    *,
    function: str = "score",
    service: str = "dynamodb",
    share: float = 0.3,
    seconds: float = 0.0,
) -> Iterator[None]:
    """A share of a function's calls to a service is answered badly, as long as the fault lasts."""
    random, hits = Random(seed), [0]

    def answer(call: Call, forward: Forward) -> Answer:
        if call.service != service or random.random() >= share:
            return forward(call)
        hits[0] += 1
        return bad(call, forward)

    site.aws[function].fault = answer
    yield
    site.wait_for(lambda: hits[0] > 0, f"{function}'s calls to {service} to go wrong")
    time.sleep(seconds)  # how long the fault lasts
    site.aws[function].fault = None


@contextmanager
def _bad_everywhere(bad: Bad, site: Site, seed: int, seconds: float = 0.0) -> Iterator[None]:
    with (
        _bad_calls(bad, site, seed, function="score", seconds=seconds),
        _bad_calls(bad, site, seed + 1, function="persist"),
        _bad_calls(bad, site, seed + 2, function="alert"),
    ):
        yield


@contextmanager
def _twice(function: str, site: Site, _: int) -> Iterator[None]:
    """A second poller reads the same shards from the same place."""
    with site.second(function, f"{function}.checkpoints.json") as poller:
        yield
        site.be_quiet()
        _assert_worked(poller)


def _assert_worked(poller: Mapping) -> None:
    told = poller.status()
    assert told is not None
    assert told.counters.records > 0, told


@contextmanager
def _no_rules_at_start(site: Site, seed: int) -> Iterator[None]:
    """AppConfig is away when the function starts: nothing can be decided, and nothing may be lost."""
    with _bad_calls(_always(internal_error), site, seed, service="appconfigdata", share=1.0, seconds=1.0):
        site.mapping("score").kill_workers()
        yield


@contextmanager
def _bad_ruleset(site: Site, _: int) -> Iterator[None]:
    rulesets = Rulesets(site.aws_api.endpoint, site.resources.rules)
    good = (ROOT / "rules" / "default.yaml").read_text()
    rulesets.deploy(
        good.replace("rules:\n", "rules:\n  - {id: broken, when: 'no_such_feature > 1', points: 1}\n", 1)
    )
    log = site.logs / "first" / "score.log"
    yield
    # It is asked for at most every 15 s, and only when there is work.
    site.wait_for(lambda: b"ruleset refused" in log.read_bytes() or _poke(site), "the ruleset to be refused")
    rulesets.deploy(good)


def _poke(site: Site) -> bool:
    site.produce([Sent("nobody", b"?")])
    time.sleep(0.5)
    return False


def _always(bad: Callable[[Call], Answer]) -> Bad:
    return lambda call, _: bad(call)


FAULTS = (
    Fault("none", _nothing),
    Fault("score killed after read", partial(_kill_at_call, "score", "BatchExecuteStatement", after=False)),
    Fault(
        "score killed after some inserts",
        partial(_kill_at_call, "score", "BatchExecuteStatement", after=True),
    ),
    Fault("score killed after all inserts", partial(_kill_at_profile_write, after=False)),
    Fault("score killed before the answer", partial(_kill_at_profile_write, after=True)),
    Fault("persist killed before a write", partial(_kill_at_call, "persist", "PutItem", after=False)),
    Fault("persist killed after a write", partial(_kill_at_call, "persist", "PutItem", after=True)),
    Fault("alert killed before a claim", partial(_kill_at_call, "alert", "TransactWriteItems", after=False)),
    Fault("alert killed after a claim", partial(_kill_at_call, "alert", "TransactWriteItems", after=True)),
    Fault(
        "alert killed after publishing",
        partial(_kill_at_call, "alert", "Publish", after=True),
        may_repeat_alerts=True,
    ),
    Fault(
        "alert killed before marking",
        partial(_kill_at_call, "alert", "UpdateItem", after=False),
        may_repeat_alerts=True,
    ),
    Fault("two pollers on the topic", _two_pollers),
    Fault("the consumer moves", _move_consumer),
    Fault("committed batches delivered again", _redeliver_committed),
    Fault("Kafka restarts", _restart_broker),
    Fault("Kafka gets a partition more", _more_partitions, needs_quiet=True),
    Fault("Valkey restarts empty", _restart_cache),
    Fault("Valkey paused", partial(_pause_cache, seconds=OUTAGE_SECONDS)),
    Fault("Valkey out of memory", _cache_out_of_memory),
    Fault("Valkey slow by 200 ms", _cache_slow),
    Fault("Valkey unreachable", _cache_down),
    Fault("Valkey fails over to an older replica", _fail_over),
    Fault(
        "DynamoDB throttles 30%",
        partial(_bad_everywhere, _always(throttled), seconds=60.0 if IS_LONG else 0.0),
    ),
    Fault("DynamoDB answers 500", partial(_bad_everywhere, _always(internal_error))),
    Fault(
        "DynamoDB times out after writing",
        partial(_bad_everywhere, written_but_unheard),
        may_repeat_alerts=True,
    ),
    Fault("DynamoDB leaves items unprocessed", partial(_bad_calls, half_unprocessed, share=0.7)),
    Fault("history's stream delivered twice", partial(_twice, "persist")),
    Fault("flagged payments' stream delivered twice", partial(_twice, "alert"), may_repeat_alerts=True),
    Fault(
        "SNS down",
        partial(
            _bad_calls,
            _always(internal_error),
            function="alert",
            service="sns",
            share=1.0,
            seconds=OUTAGE_SECONDS,
        ),
    ),
    Fault(
        "SNS slow",
        partial(_bad_calls, partial(slow, seconds=0.5), function="alert", service="sns", share=1.0),
    ),
    Fault(
        "SNS throttles", partial(_bad_calls, _always(throttled), function="alert", service="sns", share=0.5)
    ),
    Fault(
        "SQS down while quarantining",
        partial(_bad_calls, _always(internal_error), service="sqs", share=1.0, seconds=1.0),
    ),
    Fault("AppConfig down at a cold start", _no_rules_at_start),
    Fault("a bad ruleset is delivered", _bad_ruleset),
)
