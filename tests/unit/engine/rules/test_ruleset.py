from __future__ import annotations

import contextlib
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidRulesetError, RulesetProblem
from engine.profile.fingerprints import CURRENCY_CODES
from engine.rules.rule_section import MAX_RULES
from engine.rules.ruleset import parse_ruleset
from tests.support.rule_samples import HEAD, RULE, document, features, payment, ruleset


def _problems(text: str) -> tuple[RulesetProblem, ...]:
    with pytest.raises(InvalidRulesetError) as caught:
        parse_ruleset(text, "my.yaml")
    return caught.value.problems


def _rules(count: int, **fields: object) -> str:
    return "rules: " + json.dumps([{**RULE, **fields, "id": f"r{index}"} for index in range(count)])


def test_everything_in_a_document_is_read() -> None:
    read = parse_ruleset(
        document(
            """\
lists: {denied_devices: {field: device_id, entries: [{value: d}]}}
rules:
  - {id: one, when: on_denied_devices, points: 7, reason: On a list.}
  - {id: two, when: is_weekend, points: -7, reason: Weekend., mode: shadow, description: Why.}"""
        )
    )

    assert (read.version, read.base_currency, read.exchange.currencies) == ("1", "USD", ("EUR", "USD"))
    assert (read.thresholds.review, read.thresholds.block) == (50, 80)
    assert [(rule.id, rule.points, rule.mode) for rule in read.rules] == [
        ("one", 7, "live"),
        ("two", -7, "shadow"),
    ]
    assert [each.name for each in read.lists] == ["denied_devices"]


def test_rates_are_base_units_per_minor_unit_and_unknown_ones_are_0() -> None:
    per_minor_unit = dict(zip(CURRENCY_CODES, ruleset().exchange.per_minor_unit, strict=True))

    assert [per_minor_unit[code] for code in ("EUR", "USD", "JPY")] == [0.0125, 0.01, 0.0]


def test_rules_see_whether_the_rate_is_known() -> None:
    read = ruleset({"when": "!is_rate_known"})

    assert not read.matches(features(), payment(currency="EUR"), 0).rules
    assert read.matches(features(), payment(currency="JPY"), 0).rules


def test_two_documents_of_one_version_differ_in_their_digest() -> None:
    assert ruleset({"points": 10}).digest != ruleset({"points": 11}).digest
    assert ruleset({"points": 10}).digest == ruleset({"points": 10}).digest


def test_a_ruleset_cannot_be_changed() -> None:
    read = ruleset()

    with pytest.raises(AttributeError):
        read.version = "2"  # type: ignore[misc]


def test_json_and_other_line_ends_give_the_same_ruleset() -> None:
    as_json = json.dumps(
        {"version": "1", "base_currency": "USD", "thresholds": {"review": 1, "block": 2}, "rules": [RULE]},
        indent=1,
    )

    for text in (as_json, as_json.replace("\n", "\r\n"), as_json.replace("\n", "\r")):
        assert parse_ruleset(text).rules[0].id == "r"


def test_the_message_names_file_line_column_rule_and_shows_the_place() -> None:
    (problem,) = _problems(
        document(
            "rules:\n  - id: impossible_travel\n    when: implied_speed_kmh > 900.0 && cuntry == 'US'\n    points: 5\n    reason: r"
        )
    )

    assert str(problem) == (
        "my.yaml:7:40: rule 'impossible_travel': when: unknown feature 'cuntry'; did you mean 'country'?\n"
        "        when: implied_speed_kmh > 900.0 && cuntry == 'US'\n"
        "                                           ^"
    )


def test_a_place_inside_a_block_is_that_of_the_block_s_own_line() -> None:
    (problem,) = _problems(
        document(
            "rules:\n  - id: r\n    when: |\n      is_weekend\n        && cuntry == 'US'\n    points: 5\n    reason: r"
        )
    )

    assert (problem.line, problem.column) == (9, 12)


@pytest.mark.parametrize(
    ("rule", "message", "column"),
    [
        ("{id: Bad, when: is_weekend, points: 1, reason: r}", "id 'Bad' must be snake_case (a-z, 0-9, _)", 10),
        ("{id: r, when: is_weekend, points: 0, reason: r}",
         "points is 0; to watch a rule without giving points, set mode: shadow", 39),
        ("{id: r, when: is_weekend, points: 1001, reason: r}", "points is 1001; it must be -1000 to 1000", 39),
        ("{id: r, when: is_weekend, points: 1.5, reason: r}", "points is a number; it must be a whole number", 39),
        ("{id: r, when: is_weekend, points: 0x10, reason: r}", "points is a whole number; it must be a whole number", 39),
        ("{id: r, when: is_weekend, points: '1', reason: r}", "points is text; it must be a whole number", 39),
        ("{id: r, when: true, points: 1, reason: r}",
         "when is a truth value; it must be text; write it in quotes: 'true'", 19),
        ("{id: r, when: [], points: 1, reason: r}", "when is a list; it must be text", 19),
        ("{id: r, when: is_weekend, points: 1, reason: ''}", "reason is empty", 50),
        ('{id: r, when: is_weekend, points: 1, reason: "a\\u0007"}', "reason has an unprintable character (U+0007)", 52),
        ("{id: r, when: is_weekend, points: 1, reason: r, mode: Live}",
         "mode 'Live' is none of live, shadow, suspended; did you mean 'live'?", 59),
        ("{id: r, when: is_weekend, points: 1, reasn: r, reason: r}",
         "a rule has no field 'reasn'; did you mean 'reason'?", 42),
        ("{id: r, when: is_weekend, points: 1}", "a rule has no 'reason', which is required", 5),
        ("{id: r, when: is_weekend, points: 1, reason: r, id: s}", "'id' appears twice in a rule; first in line 6", 53),
        ("{id: r, when: is_weekend, points: 1, reason: 'In {contry}'}",
         "reason: unknown feature 'contry'; did you mean 'country'?", 55),
        ("a rule", "a rule is text; it must be a mapping with id, when, points, reason", 5),
        ("{id: r, when: !!python/name:os.system x, points: 1, reason: r}",
         "when is tagged tag:yaml.org,2002:python/name:os.system; it must be text; write it in quotes", 19),
    ],
)  # fmt: skip
def test_a_bad_rule_is_refused_at_its_place(rule: str, message: str, column: int) -> None:
    (problem,) = _problems(document(f"rules:\n  - {rule}"))

    assert (problem.message.replace("python/name:os.system", "python/name:os.system"), problem.line) == (
        message,
        6,
    )
    assert problem.column == column


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD.replace('"1"', "1"), "version is a whole number; it must be text; write it in quotes"),
        (HEAD.replace("USD", "USX"), "base_currency 'USX' is not a currency of ISO 4217"),
        (HEAD.replace("EUR: 1.25", "EURO: 1.25"), "exchange_rates: 'EURO' is not a currency of ISO 4217; did you mean 'EUR'?"),
        (HEAD.replace("1.25", "0"), "exchange rate of EUR is 0; it must be 0.000000001 to 1000000"),
        (HEAD.replace("1.25", ".nan"), "exchange rate of EUR is a number; it must be a decimal number"),
        (HEAD.replace("1.25", ".inf"), "exchange rate of EUR is a number; it must be a decimal number"),
        (HEAD.replace("1.25", "'1'"), "exchange rate of EUR is text; it must be a decimal number"),
        (HEAD.replace("EUR: 1.25", "USD: 1.1"), "USD is the base currency; its rate is 1"),
        (HEAD.replace("review: 50", "review: 80"), "threshold 'review' is 80; it must be below 'block', 80"),
        (HEAD.replace("review: 50", "review: 0"), "threshold 'review' is 0; it must be 1 to 100"),
        (HEAD.replace("block: 80", "block: 101"), "threshold 'block' is 101; it must be 1 to 100"),
        (HEAD.replace("version:", "verzion:"), "the ruleset has no field 'verzion'; did you mean 'version'?"),
        (HEAD + "colour: red\n", "the ruleset has no field 'colour'"),
        (HEAD + "lists: []\n", "lists is a list; it must be a mapping"),
        (HEAD + "lists: {On-It: {field: user_id, entries: []}}\n", "list 'On-It' must be snake_case (a-z, 0-9, _)"),
        (HEAD + "version: '2'\n", "'version' appears twice in the ruleset; first in line 1"),
        (HEAD + "<<: {a: 1}\n", "a key of the ruleset is tagged tag:yaml.org,2002:merge; it must be text; write it in quotes: '<<'"),
    ],
)  # fmt: skip
def test_a_bad_head_is_refused(head: str, message: str) -> None:
    assert message in [problem.message for problem in _problems(document(head=head))]


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace("1.25", "0.000000001"),
        HEAD.replace("1.25", "1000000"),
        HEAD.replace("1.25", "1.0e+6"),
        HEAD.replace("EUR: 1.25", "USD: 1"),
        HEAD.replace("EUR: 1.25", "USD: 1.0"),
        HEAD.replace("review: 50", "review: 1").replace("block: 80", "block: 2"),
        HEAD.replace("review: 50", "review: 99").replace("block: 80", "block: 100"),
        HEAD.replace('"1"', '"' + "v" * 64 + '"'),
        HEAD + 'description: "' + "d" * 4_000 + '"\n',
        HEAD + "description: |\n  one\n  two\n",
    ],
)
def test_a_head_at_its_limits_is_accepted(head: str) -> None:
    assert parse_ruleset(document(head=head)).base_currency == "USD"


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD.replace("1.25", "0.0000000009"), "exchange rate of EUR is 0.0000000009; it must be 0.000000001 to 1000000"),
        (HEAD.replace("1.25", "1000000.1"), "exchange rate of EUR is 1000000.1; it must be 0.000000001 to 1000000"),
        (HEAD.replace('"1"', '"' + "v" * 65 + '"'), "version has 65 characters; at most 64"),
        (HEAD + 'description: "' + "d" * 4_001 + '"\n', "description has 4001 characters; at most 4000"),
        (HEAD.replace("USD", "U" * 61), f"base_currency '{'U' * 60}' is not a currency of ISO 4217"),
        (HEAD.replace("EUR", "E" * 61), f"exchange_rates: '{'E' * 60}' is not a currency of ISO 4217"),
        (HEAD.replace("EUR: 1.25", f"{'E' * 61}: x"), f"exchange rate of {'E' * 60} is text; it must be a decimal number"),
    ],
)  # fmt: skip
def test_a_head_just_beyond_its_limits_is_refused(head: str, message: str) -> None:
    assert message in [problem.message for problem in _problems(document(head=head))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("- a", "the ruleset is a list; it must be a mapping with version, base_currency, thresholds, rules"),
        ("a: [", "not YAML: expected the node content, but found '<stream end>' (while parsing a flow node)"),
        ("a: 1\n---\nb: 1", "not YAML: but found another document (expected a single document in the stream)"),
        ("a: *b", "not YAML: found undefined alias 'b'"),
        ("a: \x07", "not YAML: special characters are not allowed"),
        ('a: "\\UFFFFFFFF"', "not YAML: "),
        ("- " * 3_000, "nested too deeply"),
        ("#" * 262_145, "document of 262145 bytes; at most 262144"),
    ],
)  # fmt: skip
def test_what_is_not_a_document_is_refused(text: str, message: str) -> None:
    (problem,) = _problems(text)

    assert problem.message.startswith(message)


def test_every_problem_is_reported_at_once_in_the_order_of_the_document() -> None:
    problems = _problems(
        """\
version: 1
base_currency: USD
thresholds: {review: 90, block: 80}
lists: {deny: {field: x, entries: []}}
rules:
  - {id: a, when: foo, points: 0, reason: r}
  - {id: a, when: is_weekend, points: 1, reason: "{foo}"}
"""
    )

    assert [problem.line for problem in problems] == [1, 3, 4, 6, 6, 7, 7]
    assert {problem.rule_id for problem in problems[3:]} == {"a"}


def test_a_rule_that_uses_a_bad_list_is_not_reported_for_it() -> None:
    (problem,) = _problems(
        document(
            "lists: {deny: {field: x, entries: []}}\nrules:\n  - {id: a, when: on_deny, points: 1, reason: r}"
        )
    )

    assert problem.message.startswith("field of list 'deny'")


def test_an_id_may_appear_only_once_even_if_the_rules_are_bad() -> None:
    rules = (
        "rules:\n  - {id: a, when: foo, points: 1, reason: r}\n  - {id: a, when: foo, points: 1, reason: r}"
    )

    assert "an earlier rule has the same id" in [problem.message for problem in _problems(document(rules))]


def test_a_ruleset_is_bounded() -> None:
    assert len(parse_ruleset(document(_rules(MAX_RULES))).rules) == MAX_RULES
    assert [problem.message for problem in _problems(document(_rules(MAX_RULES + 1)))] == [
        "rules has 251 items; at most 250"
    ]
    long = "amount > 1.0 || channel == '" + "a" * 1_600 + "'"
    assert [problem.message for problem in _problems(document(_rules(60, when=long)))] == [
        f"the conditions of all rules have {60 * (len(long) + 2)} characters; at most 90000"
    ]
    assert [problem.message for problem in _problems(document(_rules(1, when=long + " " * 2_000)))] == [
        f"when has {len(long) + 2_000} characters; at most 2000"
    ]


def test_points_are_at_most_1000_both_ways() -> None:
    assert [rule.points for rule in ruleset({"points": 1_000}, {"id": "s", "points": -1_000}).rules] == [
        1_000,
        -1_000,
    ]

    for points in (1_001, -1_001):
        (problem,) = _problems(document(_rules(1, points=points)))
        assert problem.message == f"points is {points}; it must be -1000 to 1000"


def test_reason_has_at_most_300_characters() -> None:
    assert ruleset({"reason": "r" * 300}).rules[0].reason == "r" * 300
    (problem,) = _problems(document(_rules(1, reason="r" * 301)))
    assert problem.message == "reason has 301 characters; at most 300"


def test_condition_has_at_most_2000_characters_and_all_together_90000() -> None:
    condition = "is_weekend || channel == '" + "a" * (2_000 - 27) + "'"
    assert parse_ruleset(document(_rules(1, when=condition))).rules[0].when == condition

    # Each counts with the two characters that join it to the next.
    at_limit = "is_weekend || channel == '" + "a" * (1_800 - 2 - 27) + "'"
    assert len(parse_ruleset(document(_rules(50, when=at_limit))).rules) == 50
    beyond = [{**RULE, "id": f"r{number}", "when": at_limit + " " * (number == 0)} for number in range(50)]
    (problem,) = _problems(document(f"rules: {json.dumps(beyond)}"))
    assert problem.message == "the conditions of all rules have 90001 characters; at most 90000"


def test_description_of_a_rule_may_have_several_lines() -> None:
    assert ruleset({"description": "one\ntwo"}).rules[0].description == "one\ntwo"


def test_digest_is_the_first_12_digits_of_the_sha_256_of_the_text() -> None:
    text = document()

    assert parse_ruleset(text).digest == hashlib.sha256(text.encode()).hexdigest()[:12]


def test_each_rule_that_holds_or_fails_is_given_in_the_order_of_the_document() -> None:
    read = ruleset(
        {"id": "a", "when": "is_weekend"},
        {"id": "b", "when": "1 / tx_count_1h > 0"},
        {"id": "c", "when": "amount_base > 1.0"},
        {"id": "d", "when": "is_weekend"},
        {"id": "e", "when": "1 % tx_count_1h > 0"},
    )

    matches = read.matches(features(is_weekend=True, tx_count_1h=0), payment(), 0)

    assert [rule.id for rule in matches.rules] == ["a", "d"]
    assert matches.failed_rule_ids == ("b", "e")


def test_the_largest_ruleset_that_is_accepted_can_be_evaluated() -> None:
    deep = "(" * 24 + "amount > 1.0" + ")" * 24 + " || channel == '" + "a" * 270 + "'"
    read = parse_ruleset(document(_rules(MAX_RULES, when=deep, points=1)))

    assert len(read.matches(features(amount=2.0), payment(), 0).rules) == MAX_RULES


def test_aliases_are_bounded_like_the_nodes_that_they_repeat() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30))

    assert len(_problems(f"l0: &l0 [x]\n{levels}")) > 30


def test_an_error_with_very_many_problems_has_a_short_text_with_their_number() -> None:
    with pytest.raises(InvalidRulesetError) as caught:
        parse_ruleset(document(_rules(100, when="foo")))

    assert str(caught.value).endswith("and 50 more problems")
    assert len(caught.value.problems) == 100


_PARTS = ["version", "rules", "when", "id", ":", " ", "\n", "  ", "- ", "{", "}", "[", "]", "'", '"', "|", ">", "&a ", "*a",
          "!!int", "#", ",", "1", "amount > 1.0", "\t", "\\", "%YAML", "---", "\u0085", "\ufeff", "\ud800", "é"]  # fmt: skip


@given(st.text() | st.lists(st.sampled_from(_PARTS)).map("".join))
def test_any_text_is_accepted_or_refused_and_raises_nothing_else(text: str) -> None:
    for whole in (
        text,
        document(f"rules: {text}"),
        document(f"rules:\n  - id: a\n    when: {text}\n    points: 1\n    reason: a"),
    ):
        with contextlib.suppress(InvalidRulesetError):
            assert parse_ruleset(whole).rules is not None
