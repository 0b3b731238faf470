"""Whom a change lets through is found, however a condition asks for the list, and ends within 90 days where it comes as an entry."""

from __future__ import annotations

from datetime import date

import pytest

from engine.errors import RulesetEditError
from engine.rollout.edits import with_share
from engine.rollout.entries import ChangedEntry, Effect, changed_entries, check_expiry
from engine.rollout.start import with_candidate
from tests.support.default_rules import DEFAULT

TODAY = date(2026, 12, 1)


def _document(when: str, points: int, entries: str = "", version: str = "1") -> str:
    return (
        f'version: "{version}"\nbase_currency: USD\nthresholds: {{review: 50, block: 80}}\n'
        f"lists:\n  some: {{field: user_id, entries: [{entries}]}}\n"
        f'rules:\n  - {{id: r, when: "{when}", points: {points}, reason: r}}\n'
    )


ONE = ChangedEntry(Effect.ALLOWED, "some", "user_id", "u-1", "")


def _is_allowed(when: str, points: int) -> bool:
    found = changed_entries(_document(when, points), _document(when, points, "{value: u-1}"))
    assert found in {(ONE._replace(effect=Effect.LISTED),), (ONE,)}
    return found == (ONE,)


def _is_denied(when: str, points: int) -> bool:
    found = changed_entries(_document(when, points, "{value: u-1}"), _document(when, points))
    released = (ONE._replace(effect=Effect.RELEASED),)
    assert found in {(ONE._replace(effect=Effect.TAKEN_OFF),), released}
    return found == released


@pytest.mark.parametrize(
    ("when", "is_allowed", "is_denied"),
    [
        ("on_some", False, True),
        ("on_some && !is_weekend", False, True),
        ("!!on_some || is_weekend", False, True),
        ("on_some == true", False, True),
        ("is_weekend ? on_some : false", False, True),
        (".on_some", False, True),
        ("amount_base > 1.0 && !on_some", True, False),
        ("amount_base > 1.0 && !(on_some || is_weekend)", True, False),
        ("amount_base > 1.0 && !(is_weekend || on_some)", True, False),
        ("amount_base > 1.0 && !(channel == 'atm' || on_some)", True, False),
        ("amount_base > 1.0 && (on_some) == false", True, False),
        ("amount_base > 1.0 && !!!(true && on_some)", True, False),
        ("true != on_some", True, False),
        ("on_some ? is_weekend : true", True, True),
        ("(on_some) ? false : amount_base > 1.0", True, True),
        ("amount_base > 1.0 && on_some in [false]", True, True),
        ("amount_base > 1.0 && on_some < true", True, True),
        ("amount_base > 1.0 && on_some == (1 > 2)", True, True),
        ("(on_some ? 1 : 2) == 2", True, True),
        ("1u == 1u && on_some", True, True),
        ("channel == 'on_some'", False, False),
        ("is_weekend", False, False),
    ],
)
def test_what_a_list_does_is_read_from_the_condition_however_it_is_written(
    when: str, is_allowed: bool, is_denied: bool
) -> None:
    assert (_is_allowed(when, 10), _is_denied(when, 10)) == (is_allowed, is_denied)
    # With points that are taken off it is the other way round.
    assert (_is_allowed(when, -10), _is_denied(when, -10)) == (is_denied, is_allowed)


@pytest.mark.parametrize(
    ("entry", "later", "until"),
    [
        ("{value: u-1}", "", ""),
        ("{value: u-1}", "{value: u-1, until: 2026-12-02}", "2026-12-02"),
        ("{value: u-1, until: 2026-12-31}", "{value: u-1, until: 2026-12-30}", "2026-12-30"),
        (
            "{value: u-1, until: 2026-12-31}",
            "{value: u-1, until: 2026-12-31T23:00:00Z}",
            "2026-12-31T23:00:00Z",
        ),
    ],
)
def test_who_leaves_a_deny_list_or_ends_sooner_on_it_is_let_through(
    entry: str, later: str, until: str
) -> None:
    found = changed_entries(
        _document("on_some", 10, f"{{value: u-2}}, {entry}"),
        _document("on_some", 10, f"{{value: u-2}}, {later}"),
    )

    assert found == (ChangedEntry(Effect.RELEASED, "some", "user_id", "u-1", until),)


@pytest.mark.parametrize("later", ["{value: u-1}", "{value: u-1, until: 2027-01-31}"])
def test_who_stays_longer_on_a_deny_list_is_not_let_through(later: str) -> None:
    before = _document("on_some", 10, "{value: u-1, until: 2026-12-31}")

    (found,) = changed_entries(before, _document("on_some", 10, later))
    assert found.effect is Effect.LISTED


@pytest.mark.parametrize(("field", "is_masked"), [("device_id", True), ("merchant_id", False)])
@pytest.mark.parametrize(("when", "points"), [("on_some", 10), ("on_some", -10), ("is_weekend", 10)])
def test_whoever_comes_or_goes_is_named_whatever_the_list_does(
    when: str, points: int, field: str, is_masked: bool
) -> None:
    one, other = (
        _document(when, points, f"{{value: {value}}}").replace("field: user_id", f"field: {field}")
        for value in ("u-1", "u-2")
    )

    found = changed_entries(one, other)

    assert {(each.value, each.is_masked) for each in found} == {("u-1", is_masked), ("u-2", is_masked)}
    assert len(found) == 2


def test_a_network_is_shown_and_an_address_masked() -> None:
    found = changed_entries(
        _document("on_some", 10).replace("user_id", "ip_address"),
        _document("on_some", 10, "{value: 203.0.113.0/24}, {value: 203.0.113.9}").replace(
            "user_id", "ip_address"
        ),
    )

    assert [(each.value, each.is_masked) for each in found] == [
        ("203.0.113.0/24", False),
        ("203.0.113.9", True),
    ]


@pytest.mark.parametrize(
    ("effect", "until", "words"),
    [
        (Effect.ALLOWED, "2026-12-31", "let through until 2026-12-31"),
        (Effect.RELEASED, "", "denied no more"),
        (Effect.RELEASED, "2026-12-31", "denied until 2026-12-31"),
        (Effect.LISTED, "", "listed for ever"),
        (Effect.TAKEN_OFF, "", "taken off"),
    ],
)
def test_it_is_said_what_happens_to_an_entry(effect: Effect, until: str, words: str) -> None:
    assert ChangedEntry(effect, "some", "user_id", "u-1", until).words == words


def test_whom_a_list_denied_is_let_through_where_no_live_rule_asks_for_it_any_more() -> None:
    before = _document("on_some", 10, "{value: u-1}")
    released = (ONE._replace(effect=Effect.RELEASED),)

    assert changed_entries(before, before.replace("reason: r", "reason: r, mode: shadow")) == released
    assert changed_entries(before, before.replace("on_some", "is_weekend")) == released
    assert changed_entries(before, before.replace("points: 10", "points: 5")) == ()


def test_what_a_candidate_denies_no_more_is_found() -> None:
    champion = _document("on_some", 10, "{value: u-1}")
    candidate = with_candidate(champion, _document("on_some", 10, "{value: u-9}", "2"), 5)

    found = changed_entries(champion, candidate)

    assert found == (
        ONE._replace(effect=Effect.RELEASED),
        ONE._replace(effect=Effect.LISTED, value="u-9"),
    )
    assert changed_entries(candidate, with_share(candidate, 6.0)) == ()
    assert changed_entries(candidate, champion) == ()


def test_what_counts_longer_or_allows_from_now_on_is_new_and_what_stays_is_not() -> None:
    before = _document("on_some", -10, "{value: u-1, until: 2026-12-31}, {value: u-2}")

    assert changed_entries(before, before) == ()
    later = changed_entries(before, before.replace("2026-12-31", "2027-12-31"))
    assert later == (ChangedEntry(Effect.ALLOWED, "some", "user_id", "u-1", "2027-12-31"),)
    turned = changed_entries(before.replace("points: -10", "points: 10"), before)
    assert [each.value for each in turned if each.effect is Effect.ALLOWED] == ["u-1", "u-2"]


def test_an_entry_of_a_candidates_allow_list_is_found() -> None:
    champion = _document("on_some", -10)
    other = _document("on_some", -10, "{value: u-1}", "2")

    assert changed_entries(champion, with_candidate(champion, other, 5)) == (ONE,)


def test_the_default_rules_allow_by_four_lists() -> None:
    found = changed_entries(None, DEFAULT)

    allowed = [each for each in found if each.effect is Effect.ALLOWED]
    assert [(each.list_name, each.is_masked) for each in allowed] == [("allowed_users", True)]
    assert changed_entries(DEFAULT, DEFAULT) == ()


@pytest.mark.parametrize("until", ["", "2027-03-02", "2027-03-02T00:00:00Z"])
def test_an_entry_that_counts_for_longer_than_90_days_is_refused_without_its_value(until: str) -> None:
    with pytest.raises(RulesetEditError, match=r"an entry of 'some'.* 2027-03-01 or earlier") as refused:
        check_expiry((ONE._replace(until=until),), TODAY)

    assert "u-1" not in str(refused.value)


@pytest.mark.parametrize("until", ["2027-03-01", "2026-12-05T10:00:00Z"])
def test_an_entry_that_ends_soon_enough_is_good(until: str) -> None:
    check_expiry((ONE._replace(until=until),), TODAY)
