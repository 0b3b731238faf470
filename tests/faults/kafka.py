"""Kafka's faults, and those of whoever reads it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined] # its stubs do not re-export it

from local.faults.aws_proxy import slow

from .fault import let_pass
from .mapping import Mapping
from .site import TOPIC, Site


@contextmanager
def redeliver_committed(site: Site, seed: int) -> Iterator[None]:
    """The consumer begins at offsets that it had committed."""
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
def restart_broker(site: Site, seed: int) -> Iterator[None]:
    """It is killed with a backlog, and comes back with its data."""
    yield
    let_pass(site, seed)
    site.restart_broker()


@contextmanager
def more_partitions(site: Site, _: int) -> Iterator[None]:
    """Keys move to other partitions; everything before that has been dealt with, as the runbook asks."""
    client = AdminClient({"bootstrap.servers": site.broker.endpoint})
    count = len(client.list_topics(TOPIC, 10).topics[TOPIC].partitions) + 1
    client.create_partitions([NewPartitions(TOPIC, count)])[TOPIC].result(30)
    site.wait_for(
        lambda: len(client.list_topics(TOPIC, 10).topics[TOPIC].partitions) == count, "the new partition"
    )
    yield


@contextmanager
def two_pollers(site: Site, seed: int) -> Iterator[None]:
    """A second poller reads the same partitions while the first one's invocations are slow: every batch has two writers."""
    site.aws["score"].fault = lambda call, forward: slow(call, forward, Random(seed).random() * 0.2)
    with site.second("score") as poller:
        yield
        site.be_quiet()
        _assert_worked(poller)
    site.aws["score"].fault = None


@contextmanager
def move_consumer(site: Site, seed: int) -> Iterator[None]:
    """The first poller's process is killed amid its work; another one takes over."""
    yield
    let_pass(site, seed)
    mapping = site.mapping("score")
    os.kill(mapping.process.record.pid, signal.SIGKILL)
    site.wait_for(lambda: not mapping.process.is_running, "the poller's end")
    mapping.process.stop()
    mapping.start()


@contextmanager
def twice(function: str, site: Site, _: int) -> Iterator[None]:
    """A second poller reads the same shards from the same place."""
    with site.second(function, f"{function}.checkpoints.json") as poller:
        yield
        site.be_quiet()
        _assert_worked(poller)


@contextmanager
def again(function: str, site: Site, _: int) -> Iterator[None]:
    """A poller that has dealt with everything begins again at an older checkpoint."""
    mapping = site.mapping(function)
    file = mapping.config.state_dir / f"{function}.checkpoints.json"
    before = file.read_bytes()
    yield
    site.be_quiet()
    mapping.process.stop()
    file.write_bytes(before)
    mapping.start()
    site.be_quiet()
    _assert_worked(mapping)


def _assert_worked(poller: Mapping) -> None:
    told = poller.status()
    assert told is not None
    assert told.counters.records > 0, told
