"""A plan for people."""

from __future__ import annotations

from typing import Any

from ops import plan_document
from ops.plan_document import Change


def entry(
    address: str, actions: list[str], before: Any = None, after: Any = None, **more: Any
) -> dict[str, Any]:
    return {
        "address": address,
        "mode": "managed",
        "type": address.split(".")[-2],
        "change": {"actions": actions, "before": before, "after": after},
        **more,
    }


def plan(changes: list[dict[str, Any]], drift: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"resource_changes": changes, "resource_drift": drift or []}


def test_reading_and_doing_nothing_are_not_changes() -> None:
    document = plan([entry("a.b", ["no-op"], {"x": 1}, {"x": 1}), entry("data.c.d", ["read"])])

    assert plan_document.planned_changes(document) == []
    assert plan_document.counts([]) == "no changes"


def test_a_change_names_the_attributes_that_differ_and_those_known_after_it() -> None:
    changed = entry("a.b", ["update"], {"x": 1, "y": 2, "z": 3}, {"x": 1, "y": 4})
    changed["change"]["after_unknown"] = {"arn": True, "tags": {}}

    assert plan_document.planned_changes(plan([changed])) == [Change("a.b", "change", ("arn", "y", "z"))]


def test_both_orders_of_replacing_are_one_action() -> None:
    document = plan(
        [
            entry("a.b", ["delete", "create"], {"x": 1}, {"x": 2}),
            entry("a.c", ["create", "delete"], {"x": 1}, {"x": 2}),
        ]
    )

    assert [change.action for change in plan_document.planned_changes(document)] == ["replace", "replace"]


def test_drift_is_what_an_apply_would_change_back() -> None:
    noise = entry("a.noise", ["update"], {"last_modified": 1}, {"last_modified": 2})
    drift = [entry("a.b", ["update"], {"x": 1}, {"x": 2}), noise]
    document = plan([entry("a.b", ["update"], {"x": 2}, {"x": 1})], drift)

    assert plan_document.drift_lines(document) == [
        "drift: a.b was changed in AWS; an apply would change a.b (x)"
    ]


def test_what_was_deleted_in_aws_is_drift_that_an_apply_creates_again() -> None:
    document = plan([entry("a.b", ["create"], None, {"x": 1})], [entry("a.b", ["delete"], {"x": 1}, None)])

    assert plan_document.drift_lines(document) == ["drift: a.b was changed in AWS; an apply would create a.b"]


def test_what_nobody_changed_is_not_called_drift() -> None:
    document = plan([entry("a.new", ["create"], None, {"x": 1})])

    assert plan_document.drift_lines(document) == ["not applied yet: create a.new"]


def test_a_report_shows_what_is_destroyed_first_and_no_value() -> None:
    document = plan(
        [
            entry("a.made", ["create"], None, {"password": "hunter2"}),
            entry("a.gone", ["delete"], {"password": "hunter2"}, None),
        ]
    )

    text = plan_document.report("dev", document)

    assert text.startswith("### Plan for dev: 1 to destroy, 1 to create\n")
    assert text.index("a.gone") < text.index("a.made")
    assert "hunter2" not in text


def test_a_report_says_what_an_apply_must_confirm() -> None:
    document = plan([entry('module.t.aws_dynamodb_table.this["labels"]', ["delete", "create"], {}, {})])

    assert (
        "This deletes data. An apply refuses it without `CONFIRM='module.t.aws_dynamodb_table.this[labels]'`.\n"
        in plan_document.report("dev", document)
    )


def test_a_report_fits_into_a_comment() -> None:
    document = plan([entry(f"module.m{i}.aws_thing.with_a_name", ["create"], None, {}) for i in range(5000)])

    text = plan_document.report("dev", document)

    assert len(text) < 65_536
    assert text.endswith("the job's log has the whole plan.\n")
