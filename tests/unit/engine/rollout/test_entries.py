"""What a change adds to allow lists is found, whatever its kind, and ends within 90 days where it comes as an entry."""

from __future__ import annotations

from datetime import date

import pytest

from engine.errors import RulesetEditError
from engine.rollout.entries import AllowedEntry, check_expiry, new_on_allow_lists
from engine.rollout.start import with_candidate
from tests.support.default_rules import DEFAULT

TODAY = date(2026, 12, 1)


def _document(when: str, points: int, entries: str = "", version: str = "1") -> str:
    return (
        f'version: "{version}"\nbase_currency: USD\nthresholds: {{review: 50, block: 80}}\n'
        f"lists:\n  some: {{field: user_id, entries: [{entries}]}}\n"
        f'rules:\n  - {{id: r, when: "{when}", points: {points}, reason: r}}\n'
    )


ONE = AllowedEntry("some", "user_id", "u-1", "")


@pytest.mark.parametrize(
    ("when", "points", "allows"),
    [
        ("on_some", -10, True),
        ("amount_base > 1.0 && on_some", -10, True),
        ("amount_base > 1.0 && !on_some", 10, True),
        ("amount_base > 1.0 && !(on_some || is_weekend)", 10, True),
        ("on_some == false", 10, True),
        ("on_some ? is_weekend : true", 10, True),
        ("on_some", 10, False),
        ("on_some && !is_weekend", 10, False),
        ("is_weekend", -10, False),
    ],
)
def test_a_list_allows_where_points_are_taken_off_for_it_or_given_for_not_being_on_it(
    when: str, points: int, allows: bool
) -> None:
    found = new_on_allow_lists(_document(when, points), _document(when, points, "{value: u-1}"))

    assert found == ((ONE,) if allows else ())


def test_what_counts_longer_or_allows_from_now_on_is_new_and_what_stays_is_not() -> None:
    before = _document("on_some", -10, "{value: u-1, until: 2026-12-31}, {value: u-2}")

    assert new_on_allow_lists(before, before) == ()
    later = new_on_allow_lists(before, before.replace("2026-12-31", "2027-12-31"))
    assert later == (AllowedEntry("some", "user_id", "u-1", "2027-12-31"),)
    turned = new_on_allow_lists(before.replace("points: -10", "points: 10"), before)
    assert [each.value for each in turned] == ["u-1", "u-2"]


def test_an_entry_of_a_candidates_allow_list_is_found() -> None:
    champion = _document("on_some", -10)
    other = _document("on_some", -10, "{value: u-1}", "2")

    assert new_on_allow_lists(champion, with_candidate(champion, other, 5)) == (ONE,)


def test_the_default_rules_allow_by_four_lists() -> None:
    found = new_on_allow_lists(None, DEFAULT)

    assert [(each.list_name, each.is_masked) for each in found] == [("allowed_users", True)]
    assert new_on_allow_lists(DEFAULT, DEFAULT) == ()


@pytest.mark.parametrize("until", ["", "2027-03-02", "2027-03-02T00:00:00Z"])
def test_an_entry_that_counts_for_longer_than_90_days_is_refused_without_its_value(until: str) -> None:
    with pytest.raises(RulesetEditError, match=r"an entry of 'some'.* 2027-03-01 or earlier") as refused:
        check_expiry((ONE._replace(until=until),), TODAY)

    assert "u-1" not in str(refused.value)


@pytest.mark.parametrize("until", ["2027-03-01", "2026-12-05T10:00:00Z"])
def test_an_entry_that_ends_soon_enough_is_good(until: str) -> None:
    check_expiry((ONE._replace(until=until),), TODAY)
