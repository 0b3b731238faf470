from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.cel.conditions import ConditionResults, Vocabulary
from tests.support.rule_samples import features

if TYPE_CHECKING:
    from contract.scored import FeatureValue

VOCABULARY = Vocabulary(["denied_devices"])


def _values(**values: FeatureValue) -> dict[str, FeatureValue]:
    return {**features(**values), "on_denied_devices": False, "is_rate_known": True}


@pytest.mark.parametrize(
    ("condition", "message", "offset"),
    [
        ("amount_base > 1.0 && amuont > 1.0", "unknown feature 'amuont'; did you mean 'amount'?", 21),
        ("on_denied_device", "unknown list 'on_denied_device'; did you mean 'on_denied_devices'?", 0),
        ("zzz9", "unknown feature 'zzz9'", 0),
        ("nap(1)", "unknown function 'nap'", 3),
        ("tx_count_1h +", "Syntax error: mismatched input '<EOF>'", 13),
        ("tx_count_1h", "gives int, not true or false", None),
        ("is_weekend, is_weekend", "Syntax error: mismatched input ','", 10),
        ("true] + [true", "Syntax error: mismatched input ']'", 4),
        (
            "is_weekend ||\n  amount > 1",
            "found no matching overload for '_>_' applied to '(double, int)': both sides must be of one type; write 900.0 for 900, or double(x) for an int x",
            23,
        ),
        ("country > 1", "found no matching overload for '_>_' applied to '(string, int)'", 8),
        (
            "is_weekend // always\n|| amount > 1.0",
            "has '//'; conditions have no comments: write it in the rule's description, or behind a # of YAML",
            11,
        ),
        ("(" * 40 + "true" + ")" * 40, "nested too deeply", None),
        ("(" * 32 + "true" + ")" * 32, "nested too deeply", None),
    ],
)
def test_each_problem_of_a_condition_is_reported_with_its_place(
    condition: str, message: str, offset: int | None
) -> None:
    problems = VOCABULARY.check(condition)

    assert [(problem.message, problem.offset) for problem in problems] == [(message, offset)]


def test_depth_is_bounded() -> None:
    assert VOCABULARY.check("(" * 31 + "true" + ")" * 31) == ()


def test_refusal_of_a_whole_condition_quotes_cel() -> None:
    (problem,) = VOCABULARY.check("a" * 100_001)

    assert problem.message.startswith(
        "not accepted by CEL: INVALID_ARGUMENT: expression size exceeds codepoint limit."
    )
    assert problem.offset is None


def test_long_refusal_of_cel_is_cut_at_200_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise RuntimeError("x" * 300)

    monkeypatch.setattr(VOCABULARY, "_environment", SimpleNamespace(compile=refuse))

    (problem,) = VOCABULARY.check("true")

    assert problem.message == f"not accepted by CEL: {'x' * 200}"


@pytest.mark.parametrize(
    ("condition", "has_hint"),
    [("1.0 + 1 > 2.0", True), ("1 == 1.0", True), ("1.0 < 'a'", False), ("1 > 'a'", False)],
)
def test_hint_on_types_is_given_for_int_and_double_only(condition: str, has_hint: bool) -> None:
    (problem,) = VOCABULARY.check(condition)

    assert ("both sides must be of one type" in problem.message) is has_hint


def test_unknown_name_is_a_function_only_before_a_bracket() -> None:
    assert [each.message for each in VOCABULARY.check("zzz9 || nap(1)")] == [
        "unknown feature 'zzz9'",
        "unknown function 'nap'",
    ]


def test_place_of_a_problem_is_that_in_a_condition_of_several_lines() -> None:
    (problem,) = VOCABULARY.check("is_weekend\n\n  && zz")

    assert problem.offset == 17


def test_every_problem_of_a_condition_is_reported_at_once() -> None:
    problems = VOCABULARY.check("foo1 > 1.0\n && bar2 > 1.0")

    assert [problem.offset for problem in problems] == [0, 15]


@pytest.mark.parametrize("macro", ["map", "filter", "all", "exists", "exists_one"])
def test_loops_are_refused_by_name_and_their_variable_is_not_reported(macro: str) -> None:
    problems = VOCABULARY.check(f"[1, 2].{macro}(x, x > 1) && amuont > 1.0")

    assert {problem.message for problem in problems} == {
        "unknown feature 'amuont'; did you mean 'amount'?",
        f"'{macro}' is not available: a rule may not loop over a list; use 'in', '&&' and '||'",
    }


@pytest.mark.parametrize(
    ("condition", "function"),
    [
        ("country.matches('a+')", "matches"),
        ("matches(country, 'a')", "matches"),
        ("dyn(1) == 1", "dyn"),
        ("has(amount.x)", "has"),
    ],
)
def test_regular_expressions_and_untyped_values_are_refused(condition: str, function: str) -> None:
    problems = VOCABULARY.check(condition)

    assert any(problem.message.startswith(f"'{function}' is not available: ") for problem in problems)


def test_conditions_are_evaluated_together_in_their_order() -> None:
    program = VOCABULARY.compile(["is_weekend", "tx_count_1h > 2", "on_denied_devices"])

    outcome = program.evaluate(_values(is_weekend=False, tx_count_1h=3))

    assert outcome.holding == [1]
    assert list(outcome.failed) == []


def test_a_condition_that_fails_does_not_affect_others() -> None:
    program = VOCABULARY.compile(["is_weekend", "10 / tx_count_1h > 2", "hour_of_day == 7"])

    outcome = program.evaluate(_values(is_weekend=True, tx_count_1h=0, hour_of_day=7))

    assert outcome.holding == [0, 2]
    assert list(outcome.failed) == [1]


def test_a_failure_that_cannot_change_the_result_is_not_reported() -> None:
    program = VOCABULARY.compile(["tx_count_1h > 0 && 10 / tx_count_1h > 2"])

    assert list(program.evaluate(_values(tx_count_1h=0)).failed) == []


def test_an_empty_list_is_false_and_needs_no_value() -> None:
    program = Vocabulary(["full", "empty"], ["empty"]).compile(
        ["on_empty || is_weekend", "!on_empty && on_full"]
    )

    assert program.variables == {"is_weekend", "on_full"}
    assert program.evaluate({"is_weekend": True, "on_full": True}).holding == [0, 1]


def test_conditions_of_cel_and_of_python_are_in_the_order_of_the_rules() -> None:
    program = VOCABULARY.compile(
        ["size(country) == 2", "is_weekend", "tx_count_1h % 2 == 1", "hour_of_day == 7", "size(channel) == 9"]
    )

    outcome = program.evaluate(_values(country="FR", is_weekend=True, tx_count_1h=3, hour_of_day=7))

    assert outcome.holding == [0, 1, 2, 3]
    assert list(outcome.failed) == []


def test_condition_that_is_false_beside_one_that_fails_is_neither_true_nor_failed() -> None:
    program = VOCABULARY.compile(["1 % tx_count_1h == 0", "size(country) == 2", "size(country) == 9"])

    outcome = program.evaluate(_values(country="FR", tx_count_1h=0))

    assert (list(outcome.holding), list(outcome.failed)) == ([1], [0])


def test_variables_of_a_program_are_those_of_both_evaluators() -> None:
    program = VOCABULARY.compile(["size(country) == 2", "is_weekend && on_denied_devices", "is_rate_known"])

    assert program.variables == {"country", "is_weekend", "on_denied_devices", "is_rate_known"}


def test_no_conditions_give_no_results() -> None:
    outcome = VOCABULARY.compile([]).evaluate({})

    assert outcome == ConditionResults([])


@given(st.sampled_from(["\ud800", "a\x00b", "x" * 10_000]))
def test_text_that_cel_cannot_convert_makes_no_condition_true_and_fails_no_other(text: str) -> None:
    program = VOCABULARY.compile(["country == 'US'", "size(country) == 2", "is_weekend"])

    outcome = program.evaluate({"country": text, "is_weekend": True})

    assert outcome.holding == [2]
    assert set(outcome.failed) <= {1}


@given(st.text(max_size=60).filter(lambda text: text.isprintable()))
def test_any_text_is_either_a_condition_or_has_a_problem(text: str) -> None:
    problems = VOCABULARY.check(text)

    if not problems:
        assert VOCABULARY.compile([text]).evaluate(_values()).failed in ((), [], [0])


def test_no_feature_has_a_name_that_a_list_could_have() -> None:
    assert not [name for name in Vocabulary().names if name.startswith("on_")]
