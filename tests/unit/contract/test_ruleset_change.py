"""A change of a ruleset is a row that is read back exactly, and one change has one key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from contract.errors import InvalidRowError
from contract.items import from_item, to_item
from contract.ruleset_change import (
    GUARDRAILS,
    RULESET_CHANGES_TABLE,
    ChangeKind,
    RulesetChange,
    change_keys,
    make_change,
)
from ops.manifests import read_tables

AT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
DIGEST = "0123456789ab"


def _change(**values: Any) -> RulesetChange:
    fields: dict[str, Any] = {
        "changed_at": AT,
        "digest_after": DIGEST,
        "kind": ChangeKind.WITHDRAWN,
        "changed_by": GUARDRAILS,
        "reason": "The candidate would have blocked 30% of the payments.",
        "digest_before": "ba9876543210",
        "version_after": "2026-11-26",
        "withdrawn_version": "2026-12-01",
    }
    return make_change(**fields | values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"digest_before": None, "kind": ChangeKind.DEPLOYED},
        {"candidate_version": "2", "candidate_share": 2.5, "suspended_rule_ids": ("a", "candidate/b")},
    ],
)
def test_a_row_gives_back_the_change(values: dict[str, Any]) -> None:
    change = _change(**values)

    assert from_item(RULESET_CHANGES_TABLE, to_item(change), RulesetChange) == change


def test_the_key_is_that_of_the_table_and_the_same_in_every_zone() -> None:
    spec, item = read_tables()[RULESET_CHANGES_TABLE], to_item(_change())
    assert spec.sort_key is not None

    key = item[spec.partition_key.name]["S"], item[spec.sort_key.name]["S"]

    elsewhere = AT.astimezone(timezone(timedelta(hours=-11)))
    assert key == change_keys(elsewhere, DIGEST) == ("2026-12", f"2026-12-01T09:30:00.000000Z#{DIGEST}")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"digest_after": "0123"}, "digest_after"),
        ({"digest_before": "XYZ"}, "digest_before"),
        ({"reason": ""}, "reason"),
        ({"changed_by": ""}, "changed_by"),
        ({"version_after": "v" * 65}, "version_after"),
        ({"candidate_share": 51}, "candidate_share"),
        ({"kind": "vanished"}, "kind"),
    ],
)
def test_an_invalid_change_is_refused_and_names_the_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=field):
        _change(**values)


def test_a_row_that_lacks_something_names_it() -> None:
    item = to_item(_change())
    del item["reason"]

    with pytest.raises(InvalidRowError, match="reason"):
        from_item(RULESET_CHANGES_TABLE, item, RulesetChange)
