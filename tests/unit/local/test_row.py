"""`make row` prints the newest rows that match, and says in a sentence why it prints none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import NoRegionError

from contract.scored import to_history_item
from local import row
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator


class History:
    """A client whose table holds two rows of a user, the newer one first."""

    def get_paginator(self, operation: str) -> History:
        assert operation == "query"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request["ScanIndexForward"] is False
        user = request["ExpressionAttributeValues"][":user"]["S"]
        rows = [
            make_scored(make_transaction(user_id="user-1", transaction_id=name)) for name in ("t-2", "t-1")
        ]
        yield {"Items": [to_history_item(each, 0) for each in rows if user == "user-1"]}


@pytest.fixture(autouse=True)
def history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row, "_history", lambda _options: (History(), "transaction_history"))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], ["t-2"]),
        (["--limit", "2"], ["t-2", "t-1"]),
        (["--limit", "9"], ["t-2", "t-1"]),
        (["--transaction", "t-1"], ["t-1"]),
    ],
)
def test_the_newest_matching_rows_are_printed(
    arguments: list[str], shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = row.main(["--user", "user-1", *arguments])

    heads = [line for line in capsys.readouterr().out.splitlines() if "risk score" in line]
    assert status == 0
    assert [head.partition("#")[2].split()[0] for head in heads] == shown


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "USER= is missing"),
        (["--user", "user-2"], "user user-2 has no row in transaction_history"),
        (
            ["--user", "user-1", "--transaction", "t-9"],
            "user user-1 has no row with transaction t-9 in transaction_history",
        ),
    ],
)
def test_no_row_is_a_sentence(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.main(arguments) == 1

    assert reason in capsys.readouterr().err


def test_a_missing_region_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_options: object) -> None:
        raise NoRegionError

    monkeypatch.setattr(row, "_history", refuse)

    assert row.main(["--user", "user-1", "--table", "t"]) == 1
    assert capsys.readouterr().err == "You must specify a region.\n"
