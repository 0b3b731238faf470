"""Which time of a payment is believed: every limit, and that a redelivery comes to the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.clock import (
    EPOCH,
    MAX_AHEAD_MS,
    MAX_BEHIND_MS,
    MILLISECOND,
    TimeBasis,
    event_key,
    time_text,
    times_of,
    times_on,
)
from tests.support.payments import NOW, make_scored, make_transaction

NOW_MS = (NOW - EPOCH) // MILLISECOND
TRUSTED, BELIEVED, APPENDED = TimeBasis.TRUSTED, TimeBasis.BELIEVED, TimeBasis.APPENDED
any_times = st.datetimes(timezones=st.just(UTC)) | st.integers(-(90_000_000), 90_000_000).map(
    lambda ms: NOW + ms * MILLISECOND
)


def test_tolerances_are_ten_minutes_ahead_and_24_hours_behind() -> None:
    """The row's key depends on them: with other values a redelivered payment would get a second row."""
    assert timedelta(minutes=10) == MAX_AHEAD_MS * MILLISECOND
    assert timedelta(hours=24) == MAX_BEHIND_MS * MILLISECOND


@pytest.mark.parametrize(
    ("event_after_append", "basis"),
    [
        (timedelta(0), BELIEVED),
        (timedelta(minutes=10), BELIEVED),
        (timedelta(minutes=10, microseconds=999), BELIEVED),  # whole milliseconds, rounded down
        (timedelta(minutes=10, milliseconds=1), APPENDED),
        (timedelta(hours=1), APPENDED),
        (timedelta(days=365), APPENDED),
        (-timedelta(hours=24), BELIEVED),
        (-timedelta(hours=24, microseconds=1), APPENDED),
        (-timedelta(hours=24, milliseconds=1), APPENDED),
        (-timedelta(days=61), APPENDED),
        (-timedelta(days=900), APPENDED),
    ],
)
def test_event_time_is_believed_from_24_hours_behind_to_10_minutes_ahead(
    event_after_append: timedelta, basis: TimeBasis
) -> None:
    times = times_of(NOW + event_after_append, NOW_MS, is_trusted=False)

    assert times.basis is basis
    assert times.clock_ms == NOW_MS


def test_believed_time_is_for_habits_and_the_key_and_the_clock_is_the_append_time() -> None:
    event_at = NOW - timedelta(hours=3, microseconds=400)

    times = times_of(event_at, NOW_MS, is_trusted=False)

    assert (times.basis, times.clock_ms, times.at) == (BELIEVED, NOW_MS, event_at)
    assert times.at_ms == NOW_MS - 3 * 3_600_000 - 1
    assert times.delay_ms == 3 * 3_600_000 + 1


@pytest.mark.parametrize(
    "event_at",
    [
        NOW + timedelta(minutes=11),
        NOW - timedelta(hours=25),
        datetime.min.replace(tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_time_that_is_not_believed_leaves_the_append_time_for_everything(event_at: datetime) -> None:
    times = times_of(event_at, NOW_MS, is_trusted=False)

    assert (times.basis, times.clock_ms, times.at_ms, times.at) == (APPENDED, NOW_MS, NOW_MS, NOW)
    assert times.delay_ms == (NOW - event_at) // MILLISECOND + bool((NOW - event_at) % MILLISECOND)


@pytest.mark.parametrize(
    "age", [timedelta(0), timedelta(days=61), timedelta(days=20_000), -timedelta(minutes=10)]
)
def test_event_time_of_a_trusted_feed_is_the_clock_however_old(age: timedelta) -> None:
    event_at = NOW - age

    times = times_of(event_at, NOW_MS, is_trusted=True)

    assert (times.basis, times.at, times.delay_ms) == (TRUSTED, event_at, 0)
    assert times.clock_ms == times.at_ms == (event_at - EPOCH) // MILLISECOND


@pytest.mark.parametrize(
    "event_at",
    [
        NOW + timedelta(minutes=10, milliseconds=1),
        NOW + timedelta(days=900),
        datetime.max.replace(tzinfo=UTC),
        EPOCH - timedelta(microseconds=1),
        datetime.min.replace(tzinfo=UTC),
    ],
)
def test_trusted_feed_is_not_believed_ahead_of_the_clock_or_before_1970(event_at: datetime) -> None:
    times = times_of(event_at, NOW_MS, is_trusted=True)

    assert (times.basis, times.clock_ms, times.at) == (APPENDED, NOW_MS, NOW)


def test_first_moment_of_1970_is_believed_of_a_trusted_feed_and_of_a_broker_of_that_day() -> None:
    assert times_of(EPOCH, NOW_MS, is_trusted=True).basis is TRUSTED
    assert times_of(EPOCH, 1_000, is_trusted=False).basis is BELIEVED
    assert times_of(EPOCH - MILLISECOND, 1_000, is_trusted=False).basis is APPENDED


@given(any_times, st.integers(0, 4_000_000_000_000), st.booleans())
def test_redelivery_and_a_reader_of_the_row_come_to_the_same_times(
    event_at: datetime, appended_at_ms: int, is_trusted: bool
) -> None:
    first = times_of(event_at, appended_at_ms, is_trusted=is_trusted)

    assert times_of(event_at, appended_at_ms, is_trusted=is_trusted) == first
    assert times_on(first.basis, event_at, appended_at_ms) == first


@given(any_times, st.booleans())
def test_clock_is_never_more_than_ten_minutes_ahead_of_the_broker(
    event_at: datetime, is_trusted: bool
) -> None:
    times = times_of(event_at, NOW_MS, is_trusted=is_trusted)

    assert 0 <= times.clock_ms <= NOW_MS + MAX_AHEAD_MS
    assert 0 <= times.at_ms <= NOW_MS + MAX_AHEAD_MS


@given(any_times, st.booleans())
def test_key_of_the_row_is_that_of_the_time_that_is_believed(event_at: datetime, is_trusted: bool) -> None:
    times = times_of(event_at, NOW_MS, is_trusted=is_trusted)

    row = make_scored(make_transaction(timestamp=event_at), basis=times.basis, appended_at=NOW)

    assert row.occurred_at == times.at
    assert row.event_key == event_key(times.at, row.transaction.content_mark, "tx-1")


def test_key_sorts_by_time() -> None:
    early = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5))).astimezone(UTC)
    late = datetime(2026, 3, 1, 8, 0, 0, 500_000, tzinfo=UTC)

    assert event_key(early, "mark", "tx-1") == "2026-03-01T07:00:00.000000Z.mark#tx-1"
    assert event_key(late, "mark", "tx-1") == "2026-03-01T08:00:00.500000Z.mark#tx-1"


@pytest.mark.parametrize("at", [datetime.min, datetime(1970, 1, 1), datetime.max])  # noqa: DTZ001, DTZ901
def test_text_of_a_time_always_has_27_characters(at: datetime) -> None:
    assert len(time_text(at.replace(tzinfo=UTC))) == 27


@given(st.datetimes(timezones=st.just(UTC)))
def test_text_of_a_time_is_that_of_isoformat_to_the_microsecond(at: datetime) -> None:
    text = time_text(at)

    assert text == at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert datetime.fromisoformat(text) == at
