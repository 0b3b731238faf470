"""`make audit-verify` says in a sentence where a chain of audit events was changed, and that nothing was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import NoRegionError

from console.audit_trail import AuditTrail, Deed
from local import audit_verify
from tests.support.audit_memory import MemoryAudit
from tests.support.moto_aws import aws
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["aws"]

DAY = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def dynamodb(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A table with the events of two days, one person's."""
    client = aws("dynamodb")
    make_table(client, "audit_events")
    rows, ids, times = MemoryAudit(), count(), iter([DAY] * 10 + [DAY + timedelta(days=1)] * 20)
    trail = AuditTrail(rows, lambda: next(times), lambda: f"event-{next(ids)}")
    for _ in range(10):
        trail.write(Deed(actor="person-1", action="case_viewed", subject="case-1"))
    for item in rows.rows.values():
        client.put_item(TableName="audit_events", Item=item)
    monkeypatch.setattr(audit_verify, "_table", lambda _: (client, "audit_events"))
    return client


def a_view(dynamodb: Any) -> dict[str, Any]:
    rows = dynamodb.scan(TableName="audit_events")["Items"]
    return next(row for row in rows if row["action"]["S"] == "case_viewed" and row["sequence"]["N"] == "1")


def test_untouched_chains_are_said_to_be_so(dynamodb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit_verify.main([]) == 0

    assert "nothing was changed" in capsys.readouterr().out


def test_a_changed_event_is_named_by_its_place(dynamodb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    row = a_view(dynamodb)
    dynamodb.put_item(TableName="audit_events", Item=row | {"subject": {"S": "case-2"}})

    assert audit_verify.main([]) == 1

    output = capsys.readouterr().out
    assert f"{row['day_shard']['S']} 2: it or the one before it was changed" in output
    assert "person-1" not in output


def test_a_row_that_is_no_event_any_more_is_a_change(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    row = a_view(dynamodb)
    del row["previous"]
    dynamodb.put_item(TableName="audit_events", Item=row)

    assert audit_verify.main([]) == 1
    assert "audit_events.previous: missing" in capsys.readouterr().out


def test_heads_that_were_kept_show_that_the_newest_event_was_dropped(
    dynamodb: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = tmp_path / "heads.json"
    assert audit_verify.main(["--keep", str(heads)]) == 0
    rows = dynamodb.scan(TableName="audit_events")["Items"]
    newest = max(
        rows,
        key=lambda row: (row["day_shard"]["S"] != "days", row["day_shard"]["S"], int(row["sequence"]["N"])),
    )
    key = {name: newest[name] for name in ("day_shard", "sequence")}
    dynamodb.delete_item(TableName="audit_events", Key=key)

    assert audit_verify.main([]) == 0
    assert audit_verify.main(["--heads", str(heads)]) == 1
    assert "dropped from the end" in capsys.readouterr().out


def test_what_cannot_be_read_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise NoRegionError

    monkeypatch.setattr(audit_verify, "_table", fail)

    assert audit_verify.main([]) == 2
    assert "region" in capsys.readouterr().err
