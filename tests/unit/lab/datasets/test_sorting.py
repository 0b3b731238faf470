from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.truth import SentPayment, Truth
from lab.datasets.sorting import in_clock_order

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 1, 1, tzinfo=UTC)


def clock(payment: SentPayment) -> datetime | None:
    minute = payment.record["minute"]
    return START + timedelta(minutes=minute) if isinstance(minute, int) else None


def sent(minutes: list[int | None]) -> list[SentPayment]:
    return [
        SentPayment(
            record={"number": number, "minute": minute, "text": "a\tb\nc", "at": {"latitude": 0.1}},
            raw=None if number % 3 else b"\x00\xff\n",
            truth=Truth("stolen_card", f"i{number}", 0.1 + number) if number % 2 else Truth(),
        )
        for number, minute in enumerate(minutes)
    ]


@given(
    minutes=st.lists(st.none() | st.integers(-5, 5), max_size=40),
    run_rows=st.integers(1, 7),
    max_runs=st.integers(2, 4),
)
def test_any_number_of_runs_gives_what_sorting_in_memory_gives(
    minutes: list[int | None], run_rows: int, max_runs: int
) -> None:
    payments = sent(minutes)

    found = list(in_clock_order(payments, clock, run_rows, max_runs))

    last = START + timedelta(days=1)
    assert found == sorted(payments, key=lambda payment: clock(payment) or last)


def test_payments_that_are_one_run_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> IO[bytes]:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    assert len(list(in_clock_order(sent([3, 2, 1]), clock, run_rows=3))) == 3
    assert list(in_clock_order([], clock)) == []


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    files: list[IO[bytes]] = []
    real = tempfile.TemporaryFile

    def recorded() -> Any:
        files.append(real())
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", recorded)
    return files


def test_memory_holds_one_run_and_a_payment_of_each_file(opened: list[IO[bytes]]) -> None:
    drawn = 0

    def source() -> Iterator[SentPayment]:
        nonlocal drawn
        for payment in sent([n * 7 % 100 for n in range(100)]):
            # Whatever was drawn before the run of today is in the files.
            assert drawn - 10 * len(opened) <= 20
            drawn += 1
            yield payment

    found = list(in_clock_order(source(), clock, run_rows=10))

    assert [payment.record["minute"] for payment in found] == list(range(100))
    assert len(opened) == 9  # the tenth run stays in memory


def test_no_more_files_are_open_than_allowed_and_none_afterwards(opened: list[IO[bytes]]) -> None:
    most = 0
    for _ in in_clock_order(sent([n * 7 % 100 for n in range(100)]), clock, run_rows=3, max_runs=4):
        most = max(most, sum(not file.closed for file in opened))

    assert len(opened) > 33  # each run, and the merged ones
    assert most <= 4
    assert all(file.closed for file in opened)


def test_files_are_closed_where_the_payments_are_not_all_read(opened: list[IO[bytes]]) -> None:
    payments = in_clock_order(sent(list(range(20))), clock, run_rows=3)
    next(payments)

    payments.close()  # type: ignore[attr-defined]  # a generator

    assert opened
    assert all(file.closed for file in opened)
