"""Conditions in Python mean what they mean in CEL: both evaluate the same ones on the same values."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from engine.features.catalogue import CATALOGUE
from engine.rules.cel.checked import Call, Constant, ListOf, Node, Variable, read_checked
from engine.rules.cel.conditions import Vocabulary
from engine.rules.cel.translation import translated
from engine.rules.ruleset import parse_ruleset
from tests.support.rule_samples import features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.scored import FeatureValue

_KINDS = {
    "double": cel.Type.DOUBLE,
    "int": cel.Type.INT,
    "bool": cel.Type.BOOL,
    "string": cel.Type.STRING,
}
_NAMES = {kind: [each.name for each in CATALOGUE if each.type == kind] for kind in _KINDS}
_TEXTS = ("", "EUR", "E", "U", "é", "\U0001f600")
_CEL = cel.NewEnv(variables={each.name: _KINDS[each.type] for each in CATALOGUE})

doubles = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, 1e308, 5e-324])
integers = st.integers(-3, 3) | st.sampled_from([-(2**63), 2**63 - 1])


def _text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return format(value, "f") if abs(value) < 1e15 else f"{value:e}"
        case str():
            return "'" + value + "'"
    return str(value)


def _variable(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from(_NAMES[kind][:4])


@st.composite
def double(draw: st.DrawFn, depth: int = 1) -> str:
    """An expression of type double."""
    simple = [_variable("double"), doubles.map(lambda value: _text(abs(value)))]
    if depth == 0:
        simplest: str = draw(st.one_of(simple))
        return simplest
    inner = double(depth - 1)
    binary = st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join).map("({})".format)
    negative = inner.map("(-{})".format)
    whole = _variable("int").map("double({})".format)
    choice = st.tuples(boolean(depth - 1), inner, inner).map(lambda parts: "({} ? {} : {})".format(*parts))
    drawn: str = draw(st.one_of(*simple, binary, negative, whole, choice))
    return drawn


def _comparison(
    one: st.SearchStrategy[str], operators: tuple[str, ...] = ("<", "<=", ">", ">=", "==", "!=")
) -> st.SearchStrategy[str]:
    return st.tuples(one, st.sampled_from(operators), one).map(" ".join).map("({})".format)


@st.composite
def boolean(draw: st.DrawFn, depth: int = 2) -> str:
    """An expression of type bool."""
    whole = _variable("int") | integers.filter(lambda value: value > -(2**63)).map(_text)
    text = _variable("string") | st.sampled_from(_TEXTS).map(_text)
    listed = st.tuples(_variable("string"), st.lists(st.sampled_from(_TEXTS).map(_text), max_size=3))
    simple = [
        _variable("bool"),
        st.sampled_from(["true", "false"]),
        _comparison(whole),
        _comparison(text),
        _comparison(double(1)),
        st.tuples(_variable("int"), st.lists(whole.filter(str.isdigit), max_size=3)).map(
            lambda parts: f"{parts[0]} in [{', '.join(parts[1])}]"
        ),
        listed.map(lambda parts: f"{parts[0]} in [{', '.join(parts[1])}]"),
        st.tuples(text, st.sampled_from(["startsWith", "endsWith", "contains"]), text).map(
            lambda parts: "{}.{}({})".format(*parts)
        ),
        # what is left to CEL: it can fail
        st.tuples(_variable("int"), st.sampled_from("+-*/%"), _variable("int")).map(
            lambda parts: "({} {} {} > 0)".format(*parts)
        ),
        _variable("string").map("(size({}) == 3)".format),
    ]
    if depth == 0:
        simplest: str = draw(st.one_of(simple))
        return simplest
    inner = boolean(depth - 1)
    logic = st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(" ".join).map("({})".format)
    choice = st.tuples(inner, inner, inner).map(lambda parts: "({} ? {} : {})".format(*parts))
    drawn: str = draw(
        st.one_of(*simple, logic, inner.map("!({})".format), choice, _comparison(inner, ("==", "!=")))
    )
    return drawn


values = st.fixed_dictionaries(
    {
        each.name: {
            "double": doubles,
            "int": integers,
            "bool": st.booleans(),
            "string": st.sampled_from(_TEXTS),
        }[each.type]
        for each in CATALOGUE
    }
)


def _is_taken(condition: str) -> bool:
    """Whether it is not nested more deeply than CEL parses."""
    return not Vocabulary().check(condition)


def _in_cel(condition: str, payment: Mapping[str, FeatureValue]) -> object:
    """True, false, or an error: what CEL itself makes of a condition."""
    try:
        result = _CEL.compile(condition).eval(data=payment).plain_value()
    except RuntimeError:
        return "failed"
    return result if isinstance(result, bool) else "failed"


@given(st.lists(boolean().filter(_is_taken), min_size=1, max_size=4), values)
def test_conditions_mean_what_cel_says(conditions: list[str], payment: Mapping[str, FeatureValue]) -> None:
    outcome = Vocabulary().compile(conditions).evaluate(payment)

    expected = [_in_cel(condition, payment) for condition in conditions]
    assert list(outcome.holding) == [place for place, value in enumerate(expected) if value is True]
    assert list(outcome.failed) == [place for place, value in enumerate(expected) if value == "failed"]


@given(values)
def test_the_default_rules_mean_what_cel_says(payment: Mapping[str, FeatureValue]) -> None:
    outcome = DEFAULT_PROGRAM.evaluate(payment)

    expected = [_in_cel(condition, payment) for condition in DEFAULT_CONDITIONS]
    assert list(outcome.failed) == []
    assert list(outcome.holding) == [place for place, value in enumerate(expected) if value is True]


def _default_conditions() -> list[str]:
    ruleset = parse_ruleset((Path(__file__).parents[4] / "rules/default.yaml").read_text())
    return [rule.when for rule in ruleset.rules if "on_" not in rule.when and "is_rate" not in rule.when]


DEFAULT_CONDITIONS = _default_conditions()
DEFAULT_PROGRAM = Vocabulary().compile(DEFAULT_CONDITIONS)


def _numbers_in_python(*conditions: str) -> frozenset[int]:
    checked = [read_checked(_CEL.compile(condition).serialize()) for condition in conditions]
    return translated(list(enumerate(checked)))[1]


def test_every_default_rule_is_evaluated_in_python() -> None:
    assert len(_numbers_in_python(*DEFAULT_CONDITIONS)) == len(DEFAULT_CONDITIONS) > 50


@pytest.mark.parametrize(
    "condition",
    [
        "is_weekend",
        "true",
        "tx_count_1h < 2",
        "tx_count_1h <= 2",
        "tx_count_1h > -2",
        "tx_count_1h >= 2",
        "tx_count_1h == 2",
        "tx_count_1h != 2",
        "amount < 2.0",
        "amount <= 2.0",
        "amount > 2.0",
        "amount >= 2.0",
        "amount == 2.0",
        "amount != 2.0",
        "currency < 'a'",
        "currency <= 'a'",
        "currency > 'a'",
        "currency >= 'a'",
        "currency == 'a'",
        "currency != 'a'",
        "is_weekend == true",
        "is_weekend != is_new_device",
        "!is_weekend",
        "is_weekend && is_new_device",
        "is_weekend || is_new_device",
        "is_weekend ? is_new_device : true",
        "amount + 1.0 > 2.0",
        "amount - 1.0 > 2.0",
        "amount * 2.0 > 2.0",
        "amount / 2.0 > 2.0",
        "-amount > 2.0",
        "double(tx_count_1h) > 2.0",
        "currency.startsWith('E')",
        "currency.endsWith('R')",
        "currency.contains('U')",
        "currency in ['EUR', 'USD']",
        "tx_count_1h in [1, 2]",
        "amount in [1.0, 2.0]",
        "is_weekend in [true]",
    ],
)
def test_each_operator_that_python_has_is_evaluated_in_python(condition: str) -> None:
    assert _numbers_in_python(condition) == {0}


@pytest.mark.parametrize(
    "condition",
    [
        "tx_count_1h + 1 > 2",
        "-tx_count_1h > 2",
        "10 / tx_count_1h > 2",
        "size(currency) == 3",
        "currency + 'x' == 'EURx'",
        "int(amount) == 3",
        "tx_count_1h in [tx_count_1m]",
        "1u < 2u",
        "b'a' == b'a'",
        "[1] == [1]",
        "[1, 2][tx_count_1h] == 1",
        "{'a': 1}['a'] == tx_count_1h",
        "null == null",
        "timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-02T00:00:00Z')",
    ],
)
def test_what_python_may_mean_differently_is_left_to_cel(condition: str) -> None:
    assert _numbers_in_python(condition) == frozenset()


def test_a_division_by_zero_is_what_ieee_754_says() -> None:
    conditions = [f"{one} / {other} {test}" for one in ("1.0", "-1.0", "0.0") for other in ("amount", "-amount")
                  for test in ("> 1.0", "< -1.0", "== 0.0")]  # fmt: skip
    payment = features(amount=0.0)

    outcome = Vocabulary().compile(conditions).evaluate(payment)

    assert outcome.holding == [
        place for place, each in enumerate(conditions) if _in_cel(each, payment) is True
    ]
    assert len(outcome.holding) == 4


def test_a_chain_as_long_as_a_condition_may_be_is_evaluated() -> None:
    long_sum, long_and = "amount" + " + amount" * 25 + " > 25.5", " && ".join(["is_weekend"] * 140)
    program = Vocabulary().compile([long_sum, long_and])

    assert _numbers_in_python(long_sum, long_and) == {0, 1}

    assert program.evaluate(features(amount=1.0, is_weekend=True)).holding == [0, 1]
    assert program.evaluate(features(amount=0.5, is_weekend=False)).holding == []


def _constant(text: str) -> object:
    call = read_checked(_CEL.compile(f"{text} == {text}").serialize()).root
    assert isinstance(call, Call)
    constant = call.arguments[0]
    return (constant.value, type(constant.value)) if isinstance(constant, Constant) else constant


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("0", 0),
        ("300", 300),
        ("-1", -1),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("0.5", 0.5),
        ("-1e300", -1e300),
        ("''", ""),
        ("'é'", "é"),
        (f"'{'x' * 200}'", "x" * 200),
    ],
)
def test_constant_of_a_checked_expression_has_its_value_and_type(text: str, value: object) -> None:
    assert _constant(text) == (value, type(value))


def test_types_are_those_of_cel() -> None:
    condition = "tx_count_1h == 1 && amount == 0.5 && currency == '' && is_weekend && 1u == 2u && b'' == b'' && [1] == [2]"
    checked = read_checked(_CEL.compile(condition).serialize())
    assert isinstance(checked.root, Call)

    def leaves(node: Node) -> list[Node]:
        if not isinstance(node, Call):
            return [node]
        return [each for argument in node.arguments for each in leaves(argument)]

    assert [checked.type_of(leaf) for leaf in leaves(checked.root)] == [
        *["int", "int", "double", "double", "string", "string", "bool"],
        *["uint", "uint", "bytes", "bytes", "other", "other"],
    ]


def test_a_checked_expression_is_read_as_it_was_written() -> None:
    checked = read_checked(_CEL.compile("hour_of_day in [-1, 2] && !(amount >= 0.5)").serialize())

    assert isinstance(checked.root, Call)
    assert checked.root.overloads == ("logical_and",)
    within, negated = checked.root.arguments
    assert isinstance(within, Call)
    variable, choices = within.arguments
    assert isinstance(variable, Variable)
    assert (variable.name, checked.type_of(variable)) == ("hour_of_day", "int")
    assert isinstance(choices, ListOf)
    assert [each.value for each in choices.elements if isinstance(each, Constant)] == [-1, 2]
    assert isinstance(negated, Call)
    assert negated.overloads == ("logical_not",)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_expression_are_refused_or_read(data: bytes) -> None:
    try:
        read_checked(data)
    except (ValueError, struct.error):
        return


def test_a_serialized_expression_that_is_cut_is_refused() -> None:
    whole = _CEL.compile("amount >= 0.5").serialize()

    with pytest.raises(ValueError, match="cut"):
        read_checked(whole[:-3])
