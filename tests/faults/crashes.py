"""A record that kills the process of its stage at every try: it is bisected to itself, dead-lettered, and processed after a repair."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, TopicPartition

from local.faults.aws_answers import internal_error
from local.redrive import LocalFunction
from ops.dead_letters import Redrive

from .site import TOPIC, Site
from .stream import Sent, Stream, Written, payments_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.proxy.aws import Call
    from local.proxy.http import Answer

    from .fault import Forward, Send

MAX_CRASHES = 4
"""Instead of 50, which would take minutes."""


@contextmanager
def poison_payment(site: Site, seed: int) -> Iterator[Send]:
    """A payment kills the score stage when it is stored; then the stage is repaired, and the topic read again from there."""
    name = f"poison-{time.time_ns()}"  # another user in each run: this one has no other payment
    (poison,) = Stream(name, seed, datetime.now(UTC), users=1).one_of_each_user()
    poisonous = payments_in(poison.value)
    places: list[Written] = []

    def send(records: list[Sent]) -> list[Written]:
        middle = len(records) // 2
        written = site.produce([*records[:middle], poison, *records[middle:]])
        places.append(written[middle])
        return written

    _hasten(site, "score")
    killer = _Killer(site, "score", "BatchExecuteStatement", poisonous)
    with killer:
        yield send
        site.wait_for(lambda: _letters(site, "score") > 0, "the payment to be dead-lettered")
        site.be_quiet()
    (place,) = places
    assert killer.kills > MAX_CRASHES
    assert site.stores.history([poison.key]) == []
    (body,) = site.stores.take_dead_letters("score")
    ((origin, found),) = body["KafkaBatchInfo"]["recordsInfo"].items()
    assert origin == f"{TOPIC}-{place.position.partition}"
    assert found["firstRecordOffset"] == found["lastRecordOffset"] == str(place.position.offset)
    _read_again(site, place)
    site.be_quiet()
    assert len(site.stores.history([poison.key])) == 1


@contextmanager
def poison_row(function: str, operation: str, site: Site, _: int) -> Iterator[None]:
    """A row kills the stage that reads it when it writes; then the stage is repaired, and the dead letter is redriven."""
    _hasten(site, function)
    killer = _Killer(site, function, operation)
    with killer:
        yield
        site.wait_for(lambda: _letters(site, function) > 0, "the row to be dead-lettered")
        site.be_quiet()
    assert killer.kills > MAX_CRASHES
    mapping = site.mapping(function)
    with LocalFunction(mapping.config) as repaired:
        redrive = Redrive(site.client("sqs"), site.client("s3"), repaired)
        outcome = redrive.replay(mapping.config.dead_letter_queue_url)
    assert (outcome.put_back, outcome.kept) == (1, ())


class _Killer:
    """Kills the process that makes a call about the payment; without one, about that of the first call."""

    def __init__(self, site: Site, function: str, operation: str, payments: set[bytes] | None = None) -> None:
        self.kills = 0
        self._site = site
        self._function = function
        self._operation = operation
        self._payments = payments

    def __enter__(self) -> None:
        self._site.aws[self._function].fault = self._strike

    def __exit__(self, *_: object) -> None:
        self._site.aws[self._function].fault = None

    def _strike(self, call: Call, forward: Forward) -> Answer:
        if call.operation != self._operation:
            return forward(call)
        named = payments_in(call.body)
        if self._payments is None and named:
            self._payments = named
        if self._payments is None or self._payments.isdisjoint(named):
            return forward(call)
        self._site.mapping(self._function).caller(call.client_port).kill()
        self.kills += 1
        return internal_error(call)  # to nobody


def _hasten(site: Site, function: str) -> None:
    site.set_retries(function, first_seconds=0.01, longest_seconds=0.05)
    site.set_environment(function, MAX_CRASHES=str(MAX_CRASHES), COUNT_CRASHES_AFTER_SECONDS="1")


def _letters(site: Site, function: str) -> int:
    answer = site.client("sqs").get_queue_attributes(
        QueueUrl=site.resources.dead_letter_queue(function), AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _read_again(site: Site, place: Written) -> None:
    mapping = site.mapping("score")
    mapping.process.stop()
    group = getattr(site.specs["score"].trigger, "consumer_group", "")
    consumer = Consumer({"bootstrap.servers": site.broker.endpoint, "group.id": group})
    offsets = [TopicPartition(TOPIC, place.position.partition, place.position.offset)]
    consumer.commit(offsets=offsets, asynchronous=False)
    consumer.close()
    mapping.start()
