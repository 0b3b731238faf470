"""`make audit-find` prints who asked for a value, though no event has the value."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from console.audit_trail import AuditTrail, Deed
from contract.audit_values import ASKED, value_hash
from contract.case import owner_of
from local import audit_find
from tests.support.audit_memory import MemoryAudit
from tests.support.moto_aws import aws
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
CASE = f"{owner_of('u-1')}-3"


@pytest.fixture
def find(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Four events of two people; runs the command, and gives its code and what it printed."""
    client, rows, ids = aws("dynamodb"), MemoryAudit(), count()
    make_table(client, "audit_events")
    trail = AuditTrail(rows, lambda: MORNING, lambda: f"event-{next(ids)}")
    asked = {ASKED: value_hash("user", "u-1")}
    trail.write(Deed(actor="person-1", action="searched", subject="user", details=asked))
    trail.write(Deed(actor="person-1", action="case_viewed", subject=CASE))
    trail.write(Deed(actor="person-2", action="case_viewed", subject=f"{owner_of('u-2')}-1"))
    card = {ASKED: value_hash("card_id", "tok_1")}
    trail.write(Deed(actor="person-2", action="searched", subject="card_id", details=card))
    for item in rows.rows.values():
        client.put_item(TableName="audit_events", Item=item)
    monkeypatch.setattr(audit_find, "_table", lambda _: (client, "audit_events"))

    def run(*arguments: str) -> tuple[int, str]:
        code = audit_find.main(arguments)
        return code, capsys.readouterr().out

    return run


def test_who_asked_for_a_user_is_found_by_searches_and_by_cases(
    find: Callable[..., tuple[int, str]],
) -> None:
    code, output = find("--by", "user", "--value", " u-1 ")

    assert code == 0
    assert [line.split()[2:6] for line in output.splitlines()] == [
        ["person-1", "searched", "allowed", "user"],
        ["person-1", "case_viewed", "allowed", CASE],
    ]


def test_who_asked_for_a_card_is_found(find: Callable[..., tuple[int, str]]) -> None:
    _, output = find("--by", "card_id", "--value", "tok_1")

    assert output.startswith("2026-03-01 08:00:00 person-2 searched allowed card_id asked=")
    assert "tok_1" not in output


def test_all_that_a_person_did_on_a_day_is_printed(find: Callable[..., tuple[int, str]]) -> None:
    _, output = find("--day", "2026-03-01", "--person", "person-2")

    assert [line.split()[3] for line in output.splitlines()] == ["case_viewed", "searched"]


@pytest.mark.parametrize(
    "arguments", [("--day", "2026-03-02"), ("--by", "user", "--value", "u-9"), ("--person", "person-3")]
)
def test_that_there_is_no_event_is_said_by_the_code(
    find: Callable[..., tuple[int, str]], arguments: tuple[str, ...]
) -> None:
    assert find(*arguments) == (1, "")


def test_a_value_without_its_kind_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit_find.main(["--value", "u-1"]) == 2

    assert "BY= and VALUE= are given together" in capsys.readouterr().err
