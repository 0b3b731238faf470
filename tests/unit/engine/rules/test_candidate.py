"""The candidate of a ruleset, its guardrails, and which users it decides for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.side import Side
from engine.errors import InvalidRulesetError
from engine.rules.check import warnings
from engine.rules.guardrails import DEFAULT_GUARDRAILS, Band, Guardrails
from engine.rules.ruleset import parse_ruleset
from engine.rules.sides import UserDraw
from tests.support.rule_samples import HEAD, RULE, candidate_of, document, features, payment, ruleset

BARE = '{version: "2", share: 10, thresholds: {review: 40, block: 90}, rules: []}'


def _problems(section: str, head: str = HEAD) -> list[str]:
    with pytest.raises(InvalidRulesetError) as caught:
        parse_ruleset(document(head=f"{head}{section}\n"), "r.yaml")
    return [problem.without_excerpt for problem in caught.value.problems]


def _draw(share: float, version: str = "2") -> UserDraw:
    candidate = candidate_of(share=share, version=version).candidate
    assert candidate is not None
    return candidate.draw


def _drawn(draw: UserDraw, users: int = 20_000) -> set[int]:
    return {number for number in range(users) if draw.side_of(f"u-{number}") is Side.CANDIDATE}


def test_a_candidate_is_a_whole_ruleset_with_the_champions_currency_and_rates() -> None:
    read = candidate_of({"points": 33}, share=12.5)

    assert read.candidate is not None
    other = read.candidate.ruleset
    assert (read.candidate.draw.share_percent, other.version, other.digest) == (12.5, "2", read.digest)
    assert (other.base_currency, other.exchange.currencies) == (read.base_currency, read.exchange.currencies)
    assert ([rule.points for rule in other.rules], other.thresholds.review) == ([33], 40)
    assert other.candidate is None


def test_a_ruleset_without_a_candidate_has_none() -> None:
    assert ruleset().candidate is None


@pytest.mark.parametrize(("own", "expected"), [("", True), (', lists: {l: {field: user_id, entries: []}}', False)])  # fmt: skip
def test_a_candidate_has_the_champions_lists_unless_it_has_its_own(own: str, expected: bool) -> None:
    lists = "lists: {l: {field: user_id, entries: [{value: u}]}}\n"
    rules = json.dumps([{**RULE, "when": "on_l"}])
    section = (
        f'candidate: {{version: "2", share: 0, thresholds: {{review: 40, block: 90}}, rules: {rules}{own}}}'
    )
    read = parse_ruleset(document(head=f"{HEAD}{lists}{section}\n"))

    assert read.candidate is not None
    matches = read.candidate.ruleset.matches(features(), payment(user_id="u"), 0)
    assert bool(matches.rules) is expected


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("candidate: 1", "r.yaml:5:12: candidate is a whole number; it must be a mapping with version, share, thresholds, rules"),
        (f"candidate: {BARE.replace('share: 10, ', '')}", "r.yaml:5:12: candidate has no 'share', which is required"),
        (f"candidate: {BARE.replace('10', '51')}", "r.yaml:5:34: share is 51; it must be 0 to 50"),
        (f"candidate: {BARE.replace('10', '-1')}", "r.yaml:5:34: share is -1; it must be 0 to 50"),
        (f"candidate: {BARE.replace('rules', 'base_currency: USD, rules')}",
         "r.yaml:5:75: a candidate has the champion's base_currency; leave it out"),
        (f"candidate: {BARE.replace('rules', 'candidate: {}, rules')}",
         "r.yaml:5:75: a candidate has the champion's candidate; leave it out"),
        ("candidate:\n  version: \"1\"\n  share: 1\n  thresholds: {review: 40, block: 90}\n  rules: []",
         "r.yaml:6:12: the candidate's version is the champion's, '1'; it needs one of its own"),
        (f"candidate: {BARE.replace('[]', '[{id: a, when: nothing, points: 1, reason: r}]')}",
         "r.yaml:5:97: rule 'a': when: unknown feature 'nothing'"),
        ("guardrails: {alert: [1, 2]}", "r.yaml:5:14: guardrails has no field 'alert'; did you mean 'alert_rate'?"),
        ("guardrails: {alert_rate: 2}",
         "r.yaml:5:26: alert_rate must be a list of the least and the most, as multiples of the champion's: [0.5, 2]"),
        ("guardrails: {block_rate: [1.5, 2]}", "r.yaml:5:27: the least block_rate is 1.5; it must be 0 to 1"),
        ("guardrails: {block_rate: [0.5, 0.9]}", "r.yaml:5:32: the most block_rate is 0.9; it must be 1 to 1000"),
        ("guardrails: {errors: 0}", "r.yaml:5:22: errors is 0; it must be 0.0001 to 100"),
        ("guardrails: {latency_us: 0.5}", "r.yaml:5:26: latency_us is a number; it must be a whole number"),
    ],
)  # fmt: skip
def test_a_bad_candidate_or_guardrail_is_refused_at_its_place(section: str, problem: str) -> None:
    (found, *_) = _problems(section)

    assert found.startswith(problem)


def test_guardrails_that_are_left_out_have_their_defaults() -> None:
    read = parse_ruleset(document(head=f"{HEAD}guardrails: {{alert_rate: [0.8, 1.25], latency_us: 50}}\n"))

    assert read.guardrails == Guardrails(alert_rate=Band(0.8, 1.25), latency_us=50.0)
    assert ruleset().guardrails == DEFAULT_GUARDRAILS


def test_a_candidates_own_guardrails_replace_the_champions_while_it_lasts() -> None:
    own = BARE.replace("rules", "guardrails: {alert_rate: [0.9, 3]}, rules")
    text = document(head=f"{HEAD}guardrails: {{alert_rate: [0.8, 1.25]}}\ncandidate: {own}\n")

    read = parse_ruleset(text)

    assert read.guardrails == Guardrails(alert_rate=Band(0.9, 3.0))
    assert read.without_candidate().guardrails == Guardrails(alert_rate=Band(0.8, 1.25))


@pytest.mark.parametrize(("written", "read"), [(0.5, 0.5), (100, 100.0), (None, None)])
def test_a_rule_may_have_a_largest_share(written: float | None, read: float | None) -> None:
    (rule,) = ruleset({} if written is None else {"max_share": written}).rules

    assert rule.max_share == read


@pytest.mark.parametrize("share", [0, 101, "1"])
def test_a_largest_share_that_means_nothing_is_refused(share: object) -> None:
    with pytest.raises(InvalidRulesetError, match="max_share is"):
        ruleset({"max_share": share})


@pytest.mark.parametrize("share", [0.0, 0.5, 10.0, 50.0])
def test_a_candidate_decides_for_its_share_of_the_users(share: float) -> None:
    assert len(_drawn(_draw(share))) / 200 == pytest.approx(share, abs=1.0 if share else 0)


@given(st.text(max_size=64), st.floats(0, 50), st.floats(0, 50))
def test_a_user_of_a_small_share_is_one_of_every_larger_share(user_id: str, one: float, other: float) -> None:
    small, large = sorted((one, other))

    if UserDraw("2", small).side_of(user_id) is Side.CANDIDATE:
        assert UserDraw("2", large).side_of(user_id) is Side.CANDIDATE


def test_another_version_draws_other_users() -> None:
    one, other = _drawn(_draw(10)), _drawn(_draw(10, "3"))

    assert len(one & other) / len(one) == pytest.approx(0.1, abs=0.02)


def test_a_candidate_that_changes_and_keeps_its_version_keeps_its_users() -> None:
    changed = candidate_of({"mode": "suspended"}, share=10).candidate

    assert changed is not None
    assert _drawn(changed.draw) == _drawn(_draw(10))


def test_a_version_of_64_characters_of_four_bytes_draws_users() -> None:
    assert _drawn(_draw(50, "\N{GRINNING FACE}" * 64), 100)


def test_who_knows_the_version_does_not_know_for_whom_a_candidate_with_a_key_decides() -> None:
    """A thief who draws by the version finds a tenth of these users on the candidate's side, as among any."""
    guessed = [f"u-{number}" for number in _drawn(UserDraw("2", 10.0))]
    draw = UserDraw("2", 10.0, "0123456789abcdef" * 2)

    met = sum(draw.side_of(user_id) is Side.CANDIDATE for user_id in guessed)

    assert 0.07 < met / len(guessed) < 0.13


def test_another_key_draws_other_users_and_so_does_another_version() -> None:
    one, other = "0" * 32, "1" * 32
    drawn = [_drawn(UserDraw(*each)) for each in (("2", 10.0, one), ("2", 10.0, other), ("3", 10.0, one))]

    assert all(len(drawn[0] & each) < len(each) / 5 for each in drawn[1:])


@pytest.mark.parametrize(
    ("share", "key", "expected"), [(0.0, None, False), (10.0, None, True), (10.0, "0" * 32, False)]
)
def test_senders_can_choose_the_side_of_a_candidate_that_decides_without_a_key(
    share: float, key: str | None, expected: bool
) -> None:
    assert UserDraw("2", share, key).can_be_chosen is expected


@pytest.mark.parametrize("key", ["0" * 31, "0" * 33, "0" * 31 + "G", "A" * 32])
def test_a_key_that_is_not_32_digits_is_refused(key: str) -> None:
    (problem,) = _problems("candidate: " + BARE.replace("share: 10", f'share: 10, draw_key: "{key}"'))

    assert "draw_key" in problem
    assert key not in problem


def test_a_candidate_that_decides_without_a_key_is_warned_of() -> None:
    found = warnings(parse_ruleset(document(head=f"{HEAD}candidate: {BARE}\n")), "r.yaml")

    assert [each[:42] for each in found] == ["r.yaml: the candidate has no draw_key, so "]
