"""Labels in a run: what is sent, in what order, and the faults of the label stage."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import msgspec

from cache.label_copies import RedisLabelCopies
from cache.primary import connect
from contract.errors import InvalidTransactionError
from contract.label import LabelMessage, LabelSource, LabelVerdict
from contract.label_message import encode_label_message
from contract.transaction import decode_transaction
from local.resources import LABELS_QUEUE

from .kills import kill_at_call, outlive_time_out
from .site import LABEL, UPKEEP, Site, admin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cache.label_copies import LabelCopies

    from .stream import Sent

LABELS_DUE = timedelta(hours=2)
"""How far the upkeep's clock is set ahead, so that every label that waits is due."""
LABELLED = 16
"""Payments of a run that get labels."""
BAD_LABEL = b'{"transaction_id": "4111111111111111", "verdict": "guilty", "source": "analyst"}'
"""What every run sends too, and what must be quarantined, without the card number."""


class Labels:
    """Labels of some payments of a stream: single ones, corrections, withdrawals, claims that do not count, and repeats of messages.

    Parameters
    ----------
    records : Sequence[Sent]
        Payments of the stream, among others; some may not have been scored yet.
    seed : int
        The same one gives the same labels of the same records.
    """

    def __init__(self, records: Sequence[Sent], seed: int) -> None:
        self._random = Random(f"labels-{seed}")
        self._now = datetime.now(UTC).replace(microsecond=0)
        payments = _payments(records, self._now)
        chosen = self._random.sample(payments, min(LABELLED, len(payments)))
        self.messages = [message for payment in chosen for message in self._of(*payment)]
        """Each once."""
        sent = [*self.messages, *self._random.sample(self.messages, len(self.messages) // 3)]
        self._random.shuffle(sent)
        self.bodies = [BAD_LABEL, *map(encode_label_message, sent)]
        """In the order in which they are sent."""

    def _of(self, user_id: str, transaction_id: str) -> list[LabelMessage]:
        """Labels of one payment: what is first said of it, and perhaps what is said later."""
        random = self._random
        make = partial(LabelMessage, transaction_id=transaction_id, user_id=user_id)
        first = make(
            verdict=random.choice((LabelVerdict.FRAUD, LabelVerdict.LEGITIMATE)),
            source=random.choice(list(LabelSource)),
            known_at=self._now - timedelta(hours=2),
            label_id="first",
        )
        second = make(
            verdict=random.choice((LabelVerdict.FRAUD, LabelVerdict.LEGITIMATE)),
            source=random.choice(list(LabelSource)),
            known_at=self._now - timedelta(hours=1),
            confidence=random.choice((0.2, 0.8, 1.0)),
            label_id="second",
        )
        withdrawal = make(
            verdict=LabelVerdict.WITHDRAWN,
            source=LabelSource.ANALYST,
            known_at=self._now - timedelta(minutes=30),
            withdraws=random.choice(("first", "second")),
            label_id="withdrawal",
        )
        # A label that nothing withdraws needs no id of its own.
        alone = msgspec.structs.replace(first, label_id=None)
        return random.choice(([alone], [first, second], [first, withdrawal], [first, second, withdrawal]))


def _payments(records: Sequence[Sent], now: datetime) -> list[tuple[str, str]]:
    """User and transaction id of each valid payment, each once. Not of old ones: sent twice, they have two rows."""
    found: dict[tuple[str, str], None] = {}
    for record in records:
        try:
            payment = decode_transaction(record.value)
        except InvalidTransactionError:
            continue
        if now - payment.timestamp < timedelta(hours=12):
            found[payment.user_id, payment.transaction_id] = None
    return list(found)


def send_labels(site: Site, _: int, bodies: Sequence[bytes]) -> None:
    """Send messages to the labels queue, past the proxies."""
    sqs = site.client("sqs")
    for body in bodies:
        sqs.send_message(QueueUrl=site.resources.queues[LABELS_QUEUE], MessageBody=body.decode())


def label_copies(site: Site, entity_ids: Sequence[bytes] = (), users: Sequence[str] = ()) -> LabelCopies:
    """The cache's copies of what labels say."""
    return RedisLabelCopies(connect(site.cache_now.endpoint)).read(entity_ids, users)


def finish_labels(site: Site) -> None:
    """Run the upkeep by a clock that is ahead, until no label waits and the cache's copies are complete."""
    site.be_quiet()
    with site.second(UPKEEP) as upkeep:
        upkeep.control.set_clock(LABELS_DUE.total_seconds())
        site.wait_for(
            lambda: not site.stores.waiting_labels() and label_copies(site).is_complete,
            "all labels to be finished",
        )
    site.be_quiet()


@contextmanager
def kill_label(operation: str, site: Site, seed: int, *, after: bool) -> Iterator[None]:
    """SIGKILL the label stage when it makes a call, before or after the call is passed on."""
    with kill_at_call(LABEL, operation, site, seed, after=after):
        yield
        site.be_quiet()


@contextmanager
def label_times_out(site: Site, seed: int) -> Iterator[None]:
    """An invocation of the label stage times out in the middle of a call, and continues when its retry has passed the same call.

    Messages are hidden for a second only: a held call waits no longer for the retry than its client waits for the call.
    """
    moments = [("UpdateItem", False), ("PutItem", True), ("UpdateItem", True), ("PutItem", False)]
    with (
        site.compressed_time(LABEL, visibility_seconds=1),
        outlive_time_out(LABEL, moments, site, seed, overtakers=(1,)),
    ):
        yield


@contextmanager
def two_label_stages(site: Site, _: int) -> Iterator[None]:
    """Two mappings read the labels queue."""
    with site.second(LABEL) as second:
        yield
        site.be_quiet()
        assert second.counters().records > 0, "the second mapping got no label"


@contextmanager
def cache_down_for_labels(site: Site, _: int) -> Iterator[None]:
    """The cache refuses every connection while labels come."""
    site.cache_proxy.refuse(True)
    yield
    site.be_quiet()
    assert site.stores.waiting_labels() > 0, "no label waited for the cache"
    site.cache_proxy.refuse(False)


@contextmanager
def cache_emptied_after_labels(site: Site, _: int) -> Iterator[None]:
    """The cache is emptied when all labels are copied."""
    yield
    site.be_quiet()
    assert admin(site.cache).keys("verdicts:*"), "nothing was copied"
    admin(site.cache).flushall()
