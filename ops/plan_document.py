"""A plan for people: what it changes, what was changed in AWS outside Terraform, and both as Markdown.

Pure: its input is what ``terraform show -json`` prints.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ops import plan_gate

Document = dict[str, Any]

ACTIONS: Final = {
    ("create",): "create",
    ("update",): "change",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}
"""Our names of Terraform's actions. Reading and doing nothing are not changes."""

LONGEST_COMMENT: Final = 60_000
"""Characters of a report; GitHub refuses a comment over 65,536."""


class Change(msgspec.Struct, frozen=True):
    """What happens to one resource."""

    address: str
    action: str
    """create, change, destroy, replace or forget."""
    attributes: tuple[str, ...]
    """Top-level attributes that differ, sorted; empty if the resource is created or removed."""


def _changes(entries: list[Document]) -> list[Change]:
    changes = []
    for entry in entries:
        change = entry["change"]
        action = ACTIONS.get(tuple(change["actions"]))
        if action is None or entry.get("mode") == "data":
            continue
        before, after = change.get("before") or {}, change.get("after") or {}
        unknown = change.get("after_unknown") or {}
        differing = {key for key in before | after if before.get(key) != after.get(key)}
        differing |= {key for key, value in unknown.items() if value is True}
        is_created_or_removed = action in ("create", "destroy", "forget")
        changes.append(
            Change(entry["address"], action, () if is_created_or_removed else tuple(sorted(differing)))
        )
    return sorted(changes, key=lambda change: change.address)


def planned_changes(plan: Document) -> list[Change]:
    """What applying the plan does, by address. Changed outputs are not included."""
    return _changes(plan.get("resource_changes", []))


def drifted(plan: Document) -> list[Change]:
    """What was changed in AWS since the last apply and the plan changes back.

    Terraform also lists attributes that AWS fills in. What no apply would change is not drift.
    """
    planned = {change.address for change in planned_changes(plan)}
    return [change for change in _changes(plan.get("resource_drift", [])) if change.address in planned]


def pending(plan: Document) -> list[Change]:
    """What the plan changes although nobody changed it in AWS: the configuration is newer than the last apply."""
    touched = {change.address for change in drifted(plan)}
    return [change for change in planned_changes(plan) if change.address not in touched]


def sentence(change: Change) -> str:
    """Describe one change in a line."""
    what = f" ({', '.join(change.attributes)})" if change.attributes else ""
    return f"{change.action} {change.address}{what}"


def drift_lines(plan: Document) -> list[str]:
    """Describe what differs from the last apply, a line each: first what was changed in AWS, then what was not applied yet."""
    put_back = {change.address: change for change in planned_changes(plan)}
    behind = [
        f"drift: {change.address} was changed in AWS; an apply would {sentence(put_back[change.address])}"
        for change in drifted(plan)
    ]
    return behind + [f"not applied yet: {sentence(change)}" for change in pending(plan)]


def counts(changes: list[Change]) -> str:
    """Count the changes of each kind, the dangerous ones first."""
    order = ("destroy", "replace", "change", "create", "forget")
    found = [(sum(change.action == action for change in changes), action) for action in order]
    return ", ".join(f"{number} to {action}" for number, action in found if number) or "no changes"


def report(environment: str, plan: Document) -> str:
    """Write the plan as Markdown for a pull request.

    Parameters
    ----------
    environment : str
        The environment's name.
    plan : dict
        What ``terraform show -json`` prints.

    Returns
    -------
    str
        At most `LONGEST_COMMENT` characters. Addresses and attributes only, no values.
    """
    changes = planned_changes(plan)
    lines = [f"### Plan for {environment}: {counts(changes)}", ""]
    order = {"destroy": 0, "replace": 1, "change": 2, "create": 3, "forget": 4}
    for change in sorted(changes, key=lambda change: (order[change.action], change.address)):
        mark = ":warning: " if change.action in ("destroy", "replace") else ""
        attributes = f" — {', '.join(change.attributes)}" if change.attributes else ""
        lines.append(f"- {mark}**{change.action}** `{change.address}`{attributes}")
    if deleted := plan_gate.deleted_stateful(plan):
        lines += ["", f"This deletes data. An apply refuses it without `{plan_gate.confirmation(deleted)}`."]
    if behind := drifted(plan):
        lines += ["", "Changed in AWS since the last apply, and changed back by this plan:", ""]
        lines += [f"- `{change.address}`" for change in behind]
    text = "\n".join(lines) + "\n"
    if len(text) <= LONGEST_COMMENT:
        return text
    return text[:LONGEST_COMMENT].rsplit("\n", 1)[0] + "\n\n… and more: the job's log has the whole plan.\n"
