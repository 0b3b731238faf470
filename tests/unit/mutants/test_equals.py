"""Changes accepted as equal are recognised by what they change, and an entry whose code no longer exists is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ops.manifests import ROOT
from tests.mutants.__main__ import EQUALS
from tests.mutants.equals import Equal, outdated, read_equals, split
from tests.mutants.trial import Mutation

if TYPE_CHECKING:
    from pathlib import Path


def mutation(**changes: Any) -> Mutation:
    fields: dict[str, Any] = {
        "file": "functions/engine/geo.py",
        "scope": "distance_km",
        "is_in_function": True,
        "line": 47,
        "last_line": 47,
        "operator": "number",
        "before": "return rows[0] if 2 else 1",
        "after": "return rows[1] if 2 else 1",
        "source": "",
    }
    return Mutation(**fields | changes)


def equal(**changes: Any) -> Equal:
    fields: dict[str, Any] = {
        "file": "functions/engine/geo.py",
        "before": "return rows[0] if 2 else 1",
        "after": "return rows[1] if 2 else 1",
        "why": "the rows are the same",
    }
    return Equal(**fields | changes)


def test_change_is_recognised_on_any_line() -> None:
    assert equal().covers(mutation())
    assert equal().covers(mutation(line=900, last_line=901))


@pytest.mark.parametrize(
    "other",
    [
        {"file": "functions/engine/decide.py"},
        {"before": "return rows[0]"},
        {"after": "return rows[2] if 2 else 1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_change_is_not_recognised(other: dict[str, str]) -> None:
    assert not equal().covers(mutation(**other))


def test_entry_may_be_for_many_files() -> None:
    assert equal(file="functions/*/*.py").covers(mutation())
    assert not equal(file="glue_scripts/*.py").covers(mutation())


def test_scope_restricts_an_entry() -> None:
    assert equal(scope="distance_km").covers(mutation())
    assert not equal(scope="implied_speed_kmh").covers(mutation())


def test_star_stands_for_any_text_and_brackets_for_themselves() -> None:
    assert equal(before="*rows[0]*", after="*").covers(mutation())
    assert not equal(before="*rows[01]*", after="*").covers(mutation())


def test_accepted_changes_are_separated_from_those_to_catch() -> None:
    accepted, other = mutation(), mutation(after="return None")

    assert split([other, accepted], [equal()]) == ([other], [accepted])


def test_entry_is_outdated_when_its_code_or_file_no_longer_exists(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(rows):\n    return (\n        rows[0]\n    )\n")
    there = equal(file="a.py", before="return ( rows[0] )")
    changed = equal(file="a.py", before="return rows[0]")
    gone = equal(file="b.py")

    assert outdated([there, changed, gone], tmp_path) == [changed, gone]


def test_unknown_field_of_an_entry_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "equals.yaml"
    file.write_text("- {file: a.py, before: a, why: b, line: 3}\n")

    with pytest.raises(msgspec.ValidationError, match="unknown field `line`"):
        read_equals(file)


def test_every_accepted_change_names_code_that_exists() -> None:
    equals = read_equals(EQUALS)

    assert outdated(equals, ROOT) == []
    assert all(each.why for each in equals)
