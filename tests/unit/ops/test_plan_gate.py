"""What `apply` refuses in a saved plan."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ops import plan_gate
from ops.environment import ROOT
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = 'module.tables.aws_dynamodb_table.this["labels"]'
CLUSTER = "module.streaming.aws_msk_cluster.this[0]"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def plan(*changes: tuple[str, Sequence[str]], made: datetime = NOW) -> dict[str, Any]:
    return {
        "applyable": bool(changes),
        "timestamp": made.isoformat(timespec="seconds"),
        "resource_changes": [
            {
                "address": address,
                "mode": "managed",
                "type": address.removeprefix("module.tables.")
                .removeprefix("module.streaming.")
                .split(".")[0],
                "change": {"actions": list(actions), "before": {}, "after": {}},
            }
            for address, actions in changes
        ],
    }


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_a_stateful_resource_is_not_deleted_without_its_name(actions: list[str]) -> None:
    document = plan((TABLE, actions))

    with pytest.raises(OpsError) as refused:
        plan_gate.check_confirmed(document, "")

    assert str(refused.value) == (
        f"The plan deletes or replaces {TABLE} with everything in it; if this is intended, repeat with "
        "CONFIRM='module.tables.aws_dynamodb_table.this[labels]'."
    )


@pytest.mark.parametrize("typed", [TABLE, TABLE.replace('"', ""), f"{CLUSTER},{TABLE}", f"{CLUSTER} {TABLE}"])
def test_a_confirmation_names_each_of_them(typed: str) -> None:
    changes = [(address, ["delete"]) for address in (TABLE, CLUSTER) if address.split("[")[0] in typed]

    plan_gate.check_confirmed(plan(*changes), typed)


def test_one_that_is_not_named_is_enough_to_refuse() -> None:
    with pytest.raises(OpsError, match=re.escape(f"deletes or replaces {CLUSTER} with everything")):
        plan_gate.check_confirmed(plan((TABLE, ["delete"]), (CLUSTER, ["delete"])), TABLE)


def test_a_confirmation_that_is_left_over_is_refused() -> None:
    with pytest.raises(
        OpsError, match=r"this\[labels\], which this plan does not delete or replace; take it out"
    ):
        plan_gate.check_confirmed(plan((TABLE, ["update"])), TABLE)


def test_what_can_be_made_again_needs_no_confirmation() -> None:
    document = plan(
        ("aws_lambda_alias.this", ["delete", "create"]), (TABLE, ["create"]), (CLUSTER, ["update"])
    )

    assert plan_gate.deleted_stateful(document) == []
    plan_gate.check_confirmed(document, "")


def test_every_type_that_holds_data_is_guarded() -> None:
    text = "".join(file.read_text() for file in (ROOT / "terraform/modules").rglob("*.tf"))
    used = set(re.findall(r'^resource "(\w+)"', text, re.MULTILINE))
    holds_data = {
        name
        for name in used
        if re.search(
            r"_(cluster|table|replication_group|serverless_cache|kms_key|s3_bucket|user_pool)$", name
        )
    }

    assert {"aws_msk_cluster", "aws_dynamodb_table", "aws_elasticache_replication_group"} <= holds_data
    assert holds_data - plan_gate.STATEFUL_TYPES - {"aws_route_table"} == set()


def test_a_plan_of_today_is_applied() -> None:
    plan_gate.check_age(plan(made=NOW - timedelta(hours=24)), "prod", NOW)


def test_a_plan_older_than_a_day_is_refused_in_one_sentence() -> None:
    with pytest.raises(OpsError) as refused:
        plan_gate.check_age(plan(made=NOW - timedelta(hours=24, seconds=1)), "prod", NOW)

    assert str(refused.value) == (
        "The plan of prod was made at 2026-11-25 11:59 UTC, more than a day ago; make a new one with `make plan ENV=prod`, or in CI by "
        "running the workflow again."
    )


def test_a_plan_that_changes_nothing_is_empty() -> None:
    assert plan_gate.is_empty(plan())
    assert not plan_gate.is_empty(plan((TABLE, ["update"])))
