"""What `apply` refuses in a saved plan: a stateful resource that would be deleted without being confirmed, and a plan of another day.

Pure: its input is what ``terraform show -json`` prints. That a list of actions with "delete" in it deletes the object, whatever else is
in the list, and that `applyable` and `timestamp` are in the document, is in Terraform's own `internal/command/jsonplan/plan.go`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ops.errors import OpsError

Document = dict[str, Any]

STATEFUL_TYPES: Final = frozenset(
    {
        "aws_cognito_user_pool",
        "aws_dynamodb_table",
        "aws_elasticache_replication_group",
        "aws_elasticache_serverless_cache",
        "aws_kms_key",
        "aws_msk_cluster",
        "aws_msk_serverless_cluster",
        "aws_s3_bucket",
    }
)
"""Types whose deletion loses what no apply can make again: records, rows, profiles, keys, objects and users."""

OLDEST_PLAN: Final = timedelta(days=1)
"""The maximum age of a plan that is applied. What was approved yesterday says little of today's resources."""


def is_empty(plan: Document) -> bool:
    """Whether applying the plan would change neither a resource nor an output."""
    return not plan["applyable"]


def deleted_stateful(plan: Document) -> list[str]:
    """Addresses of the stateful resources that the plan deletes or replaces, sorted."""
    return sorted(
        entry["address"]
        for entry in plan.get("resource_changes", [])
        if entry.get("mode") == "managed"
        and entry["type"] in STATEFUL_TYPES
        and "delete" in entry["change"]["actions"]
    )


def confirmation(addresses: list[str]) -> str:
    """Write the value of CONFIRM that allows deleting these resources, ready for a shell."""
    return f"CONFIRM='{' '.join(_plain(address) for address in addresses)}'"


def check_confirmed(plan: Document, confirmed: str) -> None:
    """Raise unless `confirmed` names exactly the stateful resources that the plan deletes or replaces.

    Parameters
    ----------
    plan : dict
        What ``terraform show -json`` prints.
    confirmed : str
        Addresses, separated by spaces or commas. Quotes in them may be left out, because a shell removes them.

    Raises
    ------
    OpsError
        Naming the first resource that is not confirmed, or the first that is confirmed and not deleted: a confirmation that is
        left over from another plan must not allow the next deletion.
    """
    deleted = deleted_stateful(plan)
    named = {_plain(address) for address in re.split(r"[\s,]+", confirmed) if address}
    unconfirmed = [address for address in deleted if _plain(address) not in named]
    if unconfirmed:
        raise OpsError(
            f"The plan deletes or replaces {', '.join(unconfirmed)} with everything in it; if this is intended, repeat with "
            f"{confirmation(deleted)}."
        )
    left_over = sorted(named - {_plain(address) for address in deleted})
    if left_over:
        raise OpsError(
            f"CONFIRM names {', '.join(left_over)}, which this plan does not delete or replace; take it out of CONFIRM."
        )


def check_age(plan: Document, environment: str, now: datetime) -> None:
    """Raise if the plan is older than `OLDEST_PLAN`."""
    made = datetime.fromisoformat(plan["timestamp"])
    if now - made > OLDEST_PLAN:
        raise OpsError(
            f"The plan of {environment} was made at {made.astimezone(UTC):%Y-%m-%d %H:%M} UTC, more than a day ago; make a new one with "
            f"`make plan ENV={environment}`, or in CI by running the workflow again."
        )


def _plain(address: str) -> str:
    """An address as a shell passes it on: without quotes."""
    return address.replace('"', "").replace("\\", "")
