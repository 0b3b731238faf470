"""One row of ruleset_changes that cannot be read keeps nobody from the others: lists leave it out and report it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from common.ruleset_changes import ChangeRows
from contract.errors import InvalidRowError
from contract.items import to_item
from contract.ruleset_change import OPEN, ChangeKind, ChangeState, RulesetChange, make_change
from tests.support.moto_aws import aws
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["aws"]

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


class _Log:
    def __init__(self) -> None:
        self.lines: list[tuple[object, Mapping[str, object]]] = []
        self.left_out = 0

    def error(self, msg: object, *, extra: Mapping[str, object]) -> None:
        self.lines.append((msg, extra))

    def count(self) -> None:
        self.left_out += 1


def _change(minute: int) -> RulesetChange:
    return make_change(
        changed_at=NOW + timedelta(minutes=minute),
        digest_after="0123456789ab",
        kind=ChangeKind.TO_ALL,
        state=ChangeState.APPROVED,
        open_in=OPEN,
        changed_by="ann",
        reason="a better one",
        version_after="1",
    )


@pytest.fixture
def log() -> _Log:
    return _Log()


@pytest.fixture
def rows(aws: Callable[[str], Any], log: _Log) -> ChangeRows:
    """Two good rows, and between them one of a kind that only a newer version knows."""
    client = aws("dynamodb")
    made = ChangeRows(client, make_table(client, "ruleset_changes"), log, log.count)
    made.put(_change(0))
    client.put_item(
        TableName="ruleset_changes", Item=to_item(_change(1)) | {"kind": {"S": "of_a_newer_version"}}
    )
    made.put(_change(2))
    return made


READS: dict[str, Callable[[ChangeRows], list[RulesetChange]]] = {
    "of a month": lambda rows: list(rows.of_month("2026-12")),
    "lately": lambda rows: rows.lately(NOW),
    "of months": lambda rows: list(rows.history(NOW, 2))[::-1],
    "before": lambda rows: list(rows.before("2026-12", "3"))[::-1],
    "open": lambda rows: list(rows.open_changes()),
}


@pytest.mark.parametrize("name", READS)
def test_a_list_leaves_out_a_row_that_cannot_be_read_and_reports_it(
    rows: ChangeRows, log: _Log, name: str
) -> None:
    found = READS[name](rows)

    assert [each.changed_at.minute for each in found] == [30, 32]
    assert log.left_out == 1
    ((message, fields),) = log.lines
    assert message == "A change of the ruleset cannot be read and is left out"
    assert (fields["table"], fields["attribute"]) == ("ruleset_changes", "kind")
    assert fields["row"] == ["2026-12", "2026-12-01T09:31:00.000000Z#0123456789ab"]


def test_a_row_that_is_asked_for_and_cannot_be_read_is_an_error_or_no_proof(rows: ChangeRows) -> None:
    bad = _change(1)

    assert rows.made(bad.change_id) is None
    with pytest.raises(InvalidRowError, match=r"ruleset_changes\.kind"):
        rows.change(bad.changed_in, bad.change_key)


def test_every_change_before_a_place_is_given_however_old(rows: ChangeRows) -> None:
    oldest = make_change(
        changed_at=datetime(2026, 1, 1, tzinfo=UTC),
        digest_after="0123456789ab",
        kind=ChangeKind.TO_ALL,
        changed_by="ann",
        reason="the first one",
        version_after="1",
    )
    rows.put(oldest)

    found = list(rows.before("2029-06", "2029-06-02"))
    before = list(rows.before(_change(2).changed_in, _change(2).change_key))

    assert [each.changed_at for each in found] == [NOW + timedelta(minutes=2), NOW, oldest.changed_at]
    assert before == found[1:]
