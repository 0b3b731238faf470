"""Filter patterns, compared with "Filter rule syntax" and "Using filters with a DynamoDB event source" of the Lambda guide."""

from __future__ import annotations

from typing import Any

import pytest

from local.event_sources.filter import FilterError, compile_filter
from ops.manifests import StreamTrigger, read_functions


def _accepts(rule: list[Any], value: Any) -> bool:
    return compile_filter({"field": rule})({"field": value})


@pytest.mark.parametrize(
    ("rule", "accepted", "refused"),
    [
        pytest.param([None], [None], ["", 0, False, "null"], id="Null: UserID is null"),
        pytest.param([""], [""], [None, " "], id="Empty: LastName is empty"),
        pytest.param(["Alice"], ["Alice"], ["alice", "Alicea", None], id='Equals: Name is "Alice"'),
        pytest.param(
            [{"equals-ignore-case": "Alice"}], ["alice", "ALICE"], ["Alic", 1], id="Equals (ignore case)"
        ),
        pytest.param(
            ["New York", "London"], ["London", "New York"], ["Paris"], id="Or: one of several values"
        ),
        pytest.param(
            [{"anything-but": ["Raining"]}],
            ["Sunny", 1],
            ["Raining"],
            id="Not: Weather is anything but Raining",
        ),
        pytest.param(
            [{"anything-but": "Raining"}], ["Sunny"], ["Raining"], id="Not: one value without a list"
        ),
        pytest.param([{"anything-but": {"prefix": "Ra"}}], ["Sunny"], ["Raining", "Ra"], id="Not: a prefix"),
        pytest.param([{"numeric": ["=", 100]}], [100, 100.0, 1e2], [101, "100", True], id="Numeric (equals)"),
        pytest.param(
            [{"numeric": [">", 10, "<=", 20]}], [11, 20, 10.5], [10, 21, "15"], id="Numeric (range)"
        ),
        pytest.param([{"numeric": ["<", 0]}], [-1], [0, None], id="Numeric: one bound"),
        pytest.param(
            [{"prefix": "us-"}], ["us-east-1"], ["eu-us-", None, 5], id="Begins with: Region is in the US"
        ),
        pytest.param(
            [{"suffix": ".png"}], ["a.png"], ["a.png.exe", None], id="Ends with: FileName ends with .png"
        ),
        pytest.param([1], [1, 1.0], [True, "1"], id="a number is not a boolean"),
        pytest.param([True], [True], [1, "true"], id="a boolean is not a number"),
    ],
)
def test_an_operator_accepts_what_the_guide_says(
    rule: list[Any], accepted: list[Any], refused: list[Any]
) -> None:
    assert [value for value in accepted if not _accepts(rule, value)] == []
    assert [value for value in refused if _accepts(rule, value)] == []


def test_all_fields_of_a_pattern_must_match() -> None:
    """And: ``Location is "New York" and Day is "Monday"``."""
    accepts = compile_filter({"Location": ["New York"], "Day": ["Monday"]})

    assert accepts({"Location": "New York", "Day": "Monday"})
    assert not accepts({"Location": "New York", "Day": "Tuesday"})


def test_or_matches_across_fields() -> None:
    """Or (multiple fields): ``Location is "New York", or Day is "Monday"``."""
    accepts = compile_filter({"kind": ["a"], "$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]})

    assert accepts({"kind": "a", "Location": "Paris", "Day": "Monday"})
    assert not accepts({"kind": "a", "Location": "Paris", "Day": "Friday"})
    assert not accepts({"kind": "b", "Location": "New York"})


def test_exists_only_matches_a_leaf() -> None:
    """Exists: "The exists operator only works on leaf nodes in your event source JSON"."""
    accepts = compile_filter({"person": {"address": [{"exists": True}]}})

    assert accepts({"person": {"address": "here"}})
    assert accepts({"person": {"address": None}})
    assert not accepts({"person": {"address": {"street": "x"}}})
    assert not accepts({"person": {}})


def test_does_not_exist_accepts_a_missing_field_at_any_depth() -> None:
    accepts = compile_filter({"a": {"b": [{"exists": False}]}})

    assert accepts({})
    assert accepts({"a": {}})
    assert not accepts({"a": {"b": 1}})


def test_a_missing_field_is_neither_null_nor_anything_but() -> None:
    assert not compile_filter({"field": [None]})({})
    assert not compile_filter({"field": [{"anything-but": ["x"]}]})({})


def test_a_list_in_the_record_matches_if_one_of_its_elements_does() -> None:
    assert _accepts(["b"], ["a", "b"])
    assert not _accepts(["c"], ["a", "b"])


def test_no_pattern_accepts_everything() -> None:
    assert compile_filter(None)({"anything": 1})


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ({}, r"^\$: an empty pattern"),
        ({"a": {}}, r"^\$\.a: an empty object"),
        ({"a": "x"}, r"^\$\.a: a leaf must be a list"),
        ({"a": []}, r"^\$\.a: an empty list"),
        ({"a": [["x"]]}, r"^\$\.a: a list in a list"),
        ({"a": {"b": [{"wildcard": "x*"}]}}, r"^\$\.a\.b: 'wildcard' is not one of"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, r"^\$\.a: one operator per object"),
        ({"a": [{"prefix": 1}]}, r"^\$\.a\.prefix: must be a string"),
        ({"a": [{"numeric": [">"]}]}, r"^\$\.a\.numeric: must be one or two comparisons"),
        ({"a": [{"numeric": ["!=", 1]}]}, r"^\$\.a\.numeric: '!=' is not one of"),
        ({"a": [{"numeric": [">", "1"]}]}, r"^\$\.a\.numeric: '1' is not a number"),
        ({"a": [{"exists": "yes"}]}, r"^\$\.a\.exists: must be true or false"),
        ({"a": [{"anything-but": []}]}, r"^\$\.a\.anything-but: must be strings or numbers"),
        ({"a": [{"anything-but": {"suffix": "x"}}]}, r"^\$\.a\.anything-but: 'prefix' is the only operator"),
        ({"$or": [{"a": ["x"]}]}, r"^\$\.\$or: must be a list of at least two objects"),
    ],
)
def test_a_pattern_that_lambda_refuses_is_refused_with_its_place(
    pattern: dict[str, Any], problem: str
) -> None:
    with pytest.raises(FilterError, match=problem):
        compile_filter(pattern)


def test_persist_sees_insertions_that_were_not_approved_and_nothing_else() -> None:
    trigger = read_functions()["persist"].trigger
    assert isinstance(trigger, StreamTrigger)
    accepts = compile_filter(trigger.filter)

    def record(event_name: str, decision: str) -> dict[str, Any]:
        return {"eventName": event_name, "dynamodb": {"NewImage": {"decision": {"S": decision}}}}

    assert accepts(record("INSERT", "block"))
    assert accepts(record("INSERT", "review"))
    assert not accepts(record("INSERT", "approve"))
    assert not accepts(record("MODIFY", "block"))
    assert not accepts({"eventName": "REMOVE", "dynamodb": {"Keys": {}}})
