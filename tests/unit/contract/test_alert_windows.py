"""The row of alert_windows comes back exactly, is in the index only while something waits, and hands its count over once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from contract.alert import Severity, SuppressedPayments
from contract.alert_windows import (
    DIGEST_INTERVAL,
    DUE_SHARDS,
    MAX_RECENT,
    MAX_WINDOWS,
    RecentAlert,
    UserWindows,
    Window,
    claim_digest,
    digest_sent,
    due_shard,
    from_windows_item,
    next_due,
    to_windows_item,
)
from contract.errors import InvalidRowError
from tests.support.payments import NOW

COUNT = SuppressedPayments(
    3, "count-1", {"USD": Decimal("12.50")}, 1, Severity.HIGH, 85, NOW, NOW + timedelta(minutes=2)
)
WINDOW = Window(NOW, Severity.HIGH, "alert-1", {"USD": Decimal("1.10")}, {"USD": Decimal("12.50")})
WAITING = UserWindows(
    user_id="user-1",
    version=7,
    windows=(WINDOW,),
    recent=(RecentAlert(1_772_366_400_000, Severity.HIGH, {"USD": Decimal("1.10")}),),
    suppressed=COUNT,
    digested_at=NOW - timedelta(hours=3),
    due_at=NOW,
)
WIDTH = timedelta(minutes=15)


def test_row_is_read_back_as_it_was_written() -> None:
    claimed = claim_digest(WAITING, NOW)
    assert claimed is not None

    for windows in (WAITING, claimed, UserWindows(user_id="user-2", version=1)):
        assert from_windows_item(to_windows_item(windows, NOW)) == windows


def test_row_is_in_the_index_only_while_a_digest_waits() -> None:
    waiting = to_windows_item(WAITING, NOW)
    idle = to_windows_item(msgspec.structs.replace(WAITING, due_at=None), NOW)

    assert waiting["due_at"] == {"S": "2026-03-01T12:00:00.000000Z"}
    assert waiting["due_shard"] == {"N": str(due_shard("user-1"))}
    assert not idle.keys() & {"due_at", "due_shard"}


def test_users_are_in_all_shards() -> None:
    assert {due_shard(f"user-{number}") for number in range(400)} == set(range(DUE_SHARDS))


@pytest.mark.parametrize(("field", "most"), [("windows", MAX_WINDOWS), ("recent", MAX_RECENT)])
def test_row_that_was_never_written_so_is_refused(field: str, most: int) -> None:
    item = to_windows_item(WAITING, NOW)
    item[field]["L"] = item[field]["L"] * (most + 1)

    with pytest.raises(InvalidRowError) as refusal:
        from_windows_item(item)

    assert (refusal.value.table, refusal.value.attribute) == ("alert_windows", field)


def test_claim_moves_the_count_into_the_digest_and_its_windows_have_reported_it() -> None:
    claimed = claim_digest(WAITING, NOW)

    assert claimed is not None
    assert claimed.digest is not None
    assert (claimed.digest.payments, claimed.digest.claimed_at) == (COUNT, NOW)
    assert (claimed.suppressed, claimed.version, claimed.digested_at) == (SuppressedPayments(), 8, NOW)
    assert (claimed.windows[0].reported, claimed.windows[0].suppressed) == ({"USD": Decimal("13.60")}, {})
    assert claimed.due_at == WAITING.due_at


@pytest.mark.parametrize(
    "windows",
    [
        msgspec.structs.replace(WAITING, due_at=NOW + timedelta(microseconds=1)),
        msgspec.structs.replace(WAITING, due_at=None),
        msgspec.structs.replace(WAITING, suppressed=SuppressedPayments()),
    ],
    ids=["not due", "nothing waits", "nothing suppressed"],
)
def test_nothing_is_claimed_where_nothing_is_due(windows: UserWindows) -> None:
    assert claim_digest(windows, NOW) is None


def test_digest_that_was_claimed_is_continued_whatever_the_clock_says() -> None:
    claimed = claim_digest(WAITING, NOW)
    assert claimed is not None

    assert claim_digest(claimed, NOW - timedelta(days=1)) is claimed


def test_digest_that_was_sent_leaves_the_row_and_the_index() -> None:
    claimed = claim_digest(WAITING, NOW)
    assert claimed is not None

    sent = digest_sent(claimed, "count-1")

    assert sent is not None
    assert (sent.digest, sent.due_at, sent.version) == (None, None, 9)


def test_what_was_suppressed_meanwhile_waits_for_an_hour() -> None:
    claimed = claim_digest(WAITING, NOW)
    assert claimed is not None
    more = msgspec.structs.replace(claimed, suppressed=SuppressedPayments(1, "count-2"))

    sent = digest_sent(more, "count-1")

    assert sent is not None
    assert sent.due_at == NOW + DIGEST_INTERVAL
    assert sent.suppressed.count == 1


@pytest.mark.parametrize("digest_id", ["count-2", None])
def test_only_the_digest_that_was_sent_is_taken_out(digest_id: str | None) -> None:
    claimed = claim_digest(WAITING, NOW)
    assert claimed is not None

    assert digest_sent(claimed, digest_id) is None
    assert digest_sent(WAITING, "count-1") is None


@pytest.mark.parametrize(
    ("digested_ago", "due_in"),
    [
        (None, timedelta(minutes=15)),
        (timedelta(minutes=10), timedelta(minutes=50)),
        (timedelta(minutes=45), timedelta(minutes=15)),
        (timedelta(minutes=46), timedelta(minutes=15)),
    ],
)
def test_digest_is_due_when_the_window_closes_and_an_hour_after_the_last(
    digested_ago: timedelta | None, due_in: timedelta
) -> None:
    windows = UserWindows(user_id="user-1", digested_at=None if digested_ago is None else NOW - digested_ago)

    assert next_due(windows, NOW, WIDTH) == NOW + due_in
