"""The reader of the console's pages, with a function that answers at once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from benchmarks.console import ConsoleError, Reader, read_pages, route_of, wait_for_cases
from local.runtime.invocation import InvocationResult

PAGES = {
    "/queue": '<a href="/cases/ab-1">1</a><a href="/queue?view=all">all</a><a href="/static/x.css">x</a>',
    "/watch": "",
    "/search": "",
    "/cases/ab-1": '<a href="/cases/ab-1/links">links</a><a href="/queue">queue</a>',
    "/cases/ab-1/links": '<a href="/cases/ab-1/links/0">card</a>',
    "/cases/ab-1/links/0": "",
}


class Pool:
    """Answers what ``PAGES`` has; the first request is a cold start."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def invoke(self, event: dict[str, Any]) -> InvocationResult:
        path = event["path"]
        self.paths.append(path)
        answer = {"statusCode": 200 if path in PAGES else 404, "body": PAGES.get(path, "")}
        return InvocationResult(
            request_id="r",
            payload=msgspec.json.encode(answer),
            error=None,
            duration_ms=float(len(self.paths)),
            init_duration_ms=None if self.paths[1:] else 900.0,
        )


def reader(pool: Pool) -> Reader:
    return Reader(pool, "http://127.0.0.1:80", "token")  # type: ignore[arg-type]


def test_every_kind_of_page_is_read_once_a_round_and_no_cold_start_counts() -> None:
    pool, rounds = Pool(), iter([True, True, False])
    reading = reader(pool)

    read_pages(reading, lambda: next(rounds))

    assert pool.paths == [
        "/queue",
        "/watch",
        "/search",
        "/cases/ab-1",
        "/cases/ab-1/links",
        "/cases/ab-1/links/0",
    ]
    assert dict(reading.took_ms) == {
        "watch": [2.0],
        "search": [3.0],
        "case": [4.0],
        "links": [5.0],
        "entity": [6.0],
    }


def test_a_page_that_is_refused_ends_the_measurement() -> None:
    with pytest.raises(ConsoleError, match="sessions: status 404"):
        reader(Pool()).open("/sessions")


def test_without_a_case_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAGES, "/queue", "")

    with pytest.raises(ConsoleError, match="no case was opened"):
        wait_for_cases(reader(Pool()), lambda: False)


def test_a_path_is_named_by_its_route() -> None:
    assert [route_of(path) for path in ("/cases/ab-1", "/cases/ab-1/payments/ff", "/odd")] == [
        "case",
        "payment",
        "/odd",
    ]
