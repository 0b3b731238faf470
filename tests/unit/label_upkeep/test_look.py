"""After a look the cache holds what the tables say, and is called complete only if it has kept all of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cache.copier import Copier
from cache.label_copies import (
    COMPLETE_KEY,
    LOOK_KEY,
    RETENTION_S,
    RISK_PREFIX,
    VERDICTS_PREFIX,
    RedisLabelCopies,
)
from common.errors import CacheUnavailableError
from common.metrics import emit
from common.unreadable_rows import UnreadableRows
from contract.entity_ids import id_of_name
from contract.errors import InvalidRowError
from contract.label import LabelVerdict
from contract.label_rows import is_day
from contract.scored import Decision
from label_upkeep.look import Look
from label_upkeep.metrics import Metric
from label_upkeep.store import Page
from tests.support.label_world import Calls, LabelWorld, MemoryBackend, Spied
from tests.support.labels import make_message
from tests.support.payments import NOW, Log, Metrics, make_scored, make_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAY = timedelta(days=1)
ROWS_A_PAGE = 3


class UpkeepWorld:
    """Ten labelled payments, their copies, and the upkeep."""

    def __init__(self) -> None:
        self.memory = MemoryBackend()
        self.labels = LabelWorld(self.memory)
        self.cache = self.labels.cache
        self.copies = RedisLabelCopies(self.cache)
        self.metrics = Metrics()
        self.log = Log()
        self.pages = 0
        self.before_page: Callable[[int], None] = lambda _: None
        for number in range(10):
            payment = make_transaction(
                transaction_id=f"tx-{number}",
                user_id=f"user-{number}",
                card_id=f"tok_{number}",
                device_id=f"device-{number}",
                ip_address=None,
            )
            self.labels.pay(make_scored(payment, decision=Decision.APPROVE, reasons=()))
            self.labels.send(make_message(transaction_id=f"tx-{number}"))
        self.expected = self.labels.state()
        assert len(self.expected.risks) == 21

    def page(self, table: str, partition: str, after: Mapping[str, Any] | None, limit: int) -> Page:
        self.before_page(self.pages)
        self.pages += 1
        tables = self.memory.tables
        keys: list[Any] = sorted(tables.risk if partition == "entity_id" else tables.labels)
        first = 0 if after is None else after["row"]
        found = keys[first : first + ROWS_A_PAGE]
        last = first + ROWS_A_PAGE
        rows = [] if partition == "entity_id" else [tables.labels[key] for key in found]
        withdrawn = [each for row in rows if row.withdraws for each in row.entity_ids]
        after = {"row": last} if last < len(keys) else None
        return Page(list(dict.fromkeys(key[0] for key in found)), after, withdrawn)

    def run(self, after: timedelta = timedelta(), steps: int = 1_000, calls: Calls | None = None) -> None:
        tables: Any = self.memory.tables
        copies: Any = Spied(self.copies, calls or Calls())
        copier = Copier(tables, copies)
        unreadable = UnreadableRows(self.log, lambda: emit(self.metrics, Metric.ROWS_UNREADABLE))
        look = Look(self, copier, copies, "entity_risk", "labels", DAY, self.metrics, unreadable)
        left = iter([True] * steps)
        look.go_on(NOW + after, lambda: next(left, False))


@pytest.fixture
def world() -> UpkeepWorld:
    return UpkeepWorld()


def test_emptied_cache_is_filled_again_and_then_complete(world: UpkeepWorld) -> None:
    world.cache.flushall()

    world.run()

    assert world.labels.state() == world.expected
    assert world.copies.is_complete()
    assert world.metrics.total(Metric.COPIES_INCOMPLETE) == 1
    assert world.metrics.total(Metric.COPIES_REPAIRED) == 31


def test_look_goes_on_where_the_last_run_ended(world: UpkeepWorld) -> None:
    world.cache.flushall()

    runs = 0
    while not world.copies.is_complete():
        world.run(runs * timedelta(minutes=5), steps=2)
        runs += 1

    assert world.labels.state() == world.expected
    assert (runs, world.pages) == (9, 18)  # 40 rows of entities and days, and 10 labels, three a page


def test_cache_that_is_emptied_at_any_call_is_not_called_complete_before_it_is(world: UpkeepWorld) -> None:
    world.cache.flushall()
    counted = Calls()
    world.run(calls=counted)
    assert counted.count > 60

    for number in range(counted.count):
        world.cache.flushall()
        world.run(calls=Calls(number, before=lambda: world.cache.flushall()))

        assert not world.copies.is_complete() or world.labels.state() == world.expected, number
        world.run()
        assert world.copies.is_complete()
        assert world.labels.state() == world.expected


def test_complete_copies_are_looked_at_once_a_day_and_an_old_one_is_repaired(world: UpkeepWorld) -> None:
    world.run()
    entity_id = next(iter(world.expected.risks))
    world.cache.delete(RISK_PREFIX + entity_id)
    pages = world.pages

    world.run(DAY - timedelta(seconds=1))
    assert world.pages == pages
    world.metrics = Metrics()
    world.run(DAY)

    assert world.labels.state() == world.expected
    assert world.metrics.total(Metric.COPIES_REPAIRED) == 1
    assert world.metrics.total(Metric.COPIES_INCOMPLETE) == 0


def test_mark_that_was_removed_begins_a_look_at_once(world: UpkeepWorld) -> None:
    world.run()
    world.cache.delete(COMPLETE_KEY)

    world.run(timedelta(minutes=5))

    assert world.copies.is_complete()


def test_place_that_cannot_be_read_begins_anew(world: UpkeepWorld) -> None:
    world.cache.set(LOOK_KEY, b"somewhere")

    world.run()

    assert world.copies.is_complete()


@pytest.mark.parametrize("is_done", [True, False], ids=["done", "amid"])
def test_copies_of_another_version_s_formats_are_replaced_at_once(world: UpkeepWorld, is_done: bool) -> None:
    world.run()
    unreadable = (
        (RISK_PREFIX + next(iter(world.expected.risks)), b"\x00older"),
        (f"{VERDICTS_PREFIX}user-3".encode(), b"\x00older"),
    )
    for key, value in unreadable:
        world.cache.set(key, value)
    before = {"began_s": NOW.timestamp(), "table": 1, "after": {"row": 9}}
    world.cache.set(
        LOOK_KEY, json.dumps({"began_s": NOW.timestamp(), "is_done": True} if is_done else before)
    )

    world.run(timedelta(minutes=5))

    assert world.labels.state() == world.expected


def test_copies_that_are_right_are_kept_for_as_long_as_their_rows(world: UpkeepWorld) -> None:
    copies = [RISK_PREFIX + next(iter(world.expected.risks)), f"{VERDICTS_PREFIX}user-3".encode()]
    for key in copies:
        world.cache.expire(key, 60)

    world.run()

    assert [world.cache.ttl(key) for key in copies] == [RETENTION_S] * 2


def test_copy_of_an_entity_whose_only_label_was_withdrawn_does_not_come_back(world: UpkeepWorld) -> None:
    payment = make_transaction(
        transaction_id="wrong", user_id="user-w", card_id="tok_w", device_id="device-w"
    )
    world.labels.pay(make_scored(payment, decision=Decision.APPROVE, reasons=()))
    world.labels.send(make_message(transaction_id="wrong", label_id="first"))
    before = {key: world.cache.get(key) for key in world.cache.keys(RISK_PREFIX + b"*")}
    world.labels.send(
        make_message(
            transaction_id="wrong", verdict=LabelVerdict.WITHDRAWN, fraud_type=None, withdraws="first"
        )
    )
    expected = world.labels.state()
    for key, value in before.items():
        if value is not None and world.cache.get(key) is None:
            world.cache.set(key, value)  # a replica that had not heard of the withdrawal takes over
    assert world.labels.state() != expected

    world.run()

    assert world.labels.state() == expected


def test_label_that_comes_amid_a_look_is_in_its_copies(world: UpkeepWorld) -> None:
    for number in range(21):
        fresh = UpkeepWorld()
        fresh.cache.flushall()
        payment = make_transaction(transaction_id="new", user_id="user-0", card_id="tok_0")
        fresh.labels.pay(make_scored(payment, decision=Decision.APPROVE, reasons=()))

        def label(page: int, at: int = number, now: UpkeepWorld = fresh) -> None:
            if page == at:
                assert now.labels.send(make_message(transaction_id="new")) == []

        fresh.before_page = label
        fresh.run()

        state = fresh.labels.state()
        fresh.cache.flushall()
        fresh.before_page = lambda _: None
        fresh.run()
        assert fresh.labels.state() == state


@pytest.mark.parametrize(("call", "names"), [("marks", 21), ("of_user", 10)])
def test_rows_that_cannot_be_read_keep_no_other_copy_from_being_set(
    world: UpkeepWorld, call: str, names: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = world.memory.tables
    keys = sorted({key[0] for key in (whole.risk if call == "marks" else whole.labels)})
    keys = [key for key in keys if not is_day(key)]
    assert len(keys) == names
    bad, real = {keys[0], keys[names // 2], keys[-1]}, getattr(whole, call)

    def read(name: str) -> object:
        if name in bad:
            raise InvalidRowError("labels", "known_at", "cannot be read")
        return real(name)

    monkeypatch.setattr(whole, call, read)
    kept = RISK_PREFIX + id_of_name(keys[0]) if call == "marks" else f"{VERDICTS_PREFIX}{keys[0]}".encode()
    before = world.cache.get(kept)
    assert isinstance(before, bytes)
    world.cache.flushall()
    world.cache.set(kept, before)

    world.run()

    state = world.labels.state()
    assert (len(state.risks), len(state.verdicts)) == ((19, 10) if call == "marks" else (21, 8))
    assert world.cache.get(kept) == before, "it stays as it is"
    assert world.copies.is_complete()
    reported = [line["row"] for line in world.log.lines]
    assert set(reported) == (bad if call == "marks" else {"the labels of a user"})
    assert len(reported) == world.metrics.total(Metric.ROWS_UNREADABLE) >= 3


def test_a_row_of_no_entity_keeps_no_other_copy_from_being_set(world: UpkeepWorld) -> None:
    for name in ("", "card", "c:zz", "x:0001020304050607"):
        world.memory.tables.risk[name, "f#2026-03-01T12:00:00.000000Z#00"] = NOW
    world.cache.flushall()

    world.run()

    assert world.labels.state().risks == world.expected.risks
    assert world.copies.is_complete()
    assert world.metrics.total(Metric.ROWS_UNREADABLE) == 4


def test_cache_that_does_not_answer_is_an_error_and_nothing_is_complete(world: UpkeepWorld) -> None:
    world.cache.flushall()
    world.labels.server.connected = False

    with pytest.raises(CacheUnavailableError):
        world.run()

    world.labels.server.connected = True
    assert not world.copies.is_complete()
