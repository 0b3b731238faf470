"""Faults of Kafka and of its consumers; batches of a stream that are delivered twice."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined] # its stubs do not re-export it

from local.faults.aws_answers import slow

from .fault import HOLD_SECONDS, Forward, MidBatch
from .site import TOPIC, Site
from .stream import payments_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.proxy.aws import Call
    from local.proxy.http import Answer

WRITES = {
    "score": "BatchExecuteStatement",
    "persist": "PutItem",
    "alert": "TransactWriteItems",
    "case": "GetItem",
}
"""The first call by which a function writes a payment; the case stage reads the row, and writes nothing that is written already."""


@contextmanager
def redeliver_committed(site: Site, seed: int) -> Iterator[None]:
    """The consumer begins again before offsets that it has committed."""
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
    ends = {place.partition: consumer.get_watermark_offsets(place, 10)[1] for place in back}
    consumer.commit(offsets=back, asynchronous=False)
    consumer.close()
    mapping.start()
    yield
    site.be_quiet()
    redelivered = sum(ends[place.partition] - place.offset for place in back)
    assert mapping.counters().records > redelivered, "nothing was delivered again"


@contextmanager
def restart_broker(site: Site, seed: int) -> Iterator[None]:
    """It is killed with a backlog, and restarts with its data."""
    mid_batch = MidBatch(site, seed)
    yield
    with mid_batch:
        site.kill(site.broker.process)
    site.start_broker()


@contextmanager
def more_partitions(site: Site, _: int) -> Iterator[None]:
    """Keys move to other partitions, after all earlier records have been processed, as the runbook asks."""
    client = AdminClient({"bootstrap.servers": site.broker.endpoint})
    count = len(client.list_topics(TOPIC, 10).topics[TOPIC].partitions) + 1
    client.create_partitions([NewPartitions(TOPIC, count)])[TOPIC].result(30)
    site.wait_for(
        lambda: len(client.list_topics(TOPIC, 10).topics[TOPIC].partitions) == count, "the new partition"
    )
    # The stage commits a first offset of each partition that it begins to read; until then, records there make nobody busy.
    site.wait_for(lambda: all(place.offset >= 0 for place in site.committed()), "the partition to be read")
    # Now, and not when the producer next asks how many there are, up to five minutes later and in the middle of another fault.
    site.start_producer()
    yield


@contextmanager
def two_pollers(site: Site, seed: int) -> Iterator[None]:
    """A second poller reads the same partitions while the first one's invocations are slow: two invocations write each batch."""
    wait_seconds = Random(seed).random() * 0.2
    with two_write(site, "score", wait_seconds=wait_seconds), site.second("score"):
        yield
        site.be_quiet()


@contextmanager
def move_consumer(site: Site, seed: int) -> Iterator[None]:
    """The poller's process is killed in the middle of a batch; another one takes over."""
    mid_batch, mapping = MidBatch(site, seed), site.mapping("score")
    yield
    with mid_batch:
        site.kill(mapping.process)
    mapping.process.stop()
    left = site.backlog()
    mapping.start()
    site.be_quiet()
    assert mapping.counters().records >= left > 0


@contextmanager
def twice(function: str, site: Site, _: int) -> Iterator[None]:
    """A second poller reads the same shards from the same place."""
    with two_write(site, function), site.second(function, f"{function}.checkpoints.json"):
        yield
        site.be_quiet()


@contextmanager
def again(function: str, site: Site, _: int) -> Iterator[None]:
    """A poller that has processed everything begins again at an older checkpoint."""
    mapping = site.mapping(function)
    file = mapping.config.state_dir / f"{function}.checkpoints.json"
    before = file.read_bytes()
    with two_write(site, function):
        yield
        site.be_quiet()
        mapping.process.stop()
        file.write_bytes(before)
        mapping.start()
        site.be_quiet()


@contextmanager
def two_write(site: Site, function: str, *, wait_seconds: float | None = None) -> Iterator[None]:
    """Assert that two processes of a function write the same payment within this context.

    With ``wait_seconds`` the first of them waits for the second, and each later call is delayed by it.
    """
    connections: dict[bytes, set[int]] = {}
    have_met = threading.Event()

    def note(call: Call, forward: Forward) -> Answer:
        if call.operation == WRITES[function]:
            writers = [connections.setdefault(payment, set()) for payment in payments_in(call.body)]
            for ports in writers:
                ports.add(call.client_port)
            if any(len(ports) > 1 for ports in writers):
                have_met.set()
            if wait_seconds is not None:
                have_met.wait(HOLD_SECONDS)
        return slow(call, forward, wait_seconds or 0.0)

    site.aws[function].fault = note
    yield
    site.aws[function].fault = None
    assert have_met.is_set(), "nothing was delivered twice"
