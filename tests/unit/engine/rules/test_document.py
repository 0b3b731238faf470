"""Typed reading of a document's nodes: each limit from both sides, and each problem at its line and column."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import yaml

from engine.errors import MAX_PROBLEMS_SHOWN, InvalidRulesetError, RulesetProblem
from engine.rules.document import (
    MAX_DOCUMENT_BYTES,
    Reader,
    decode_document,
    is_short_scalar,
    kind_of,
    suggestion,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MINIMUM, MAXIMUM = Decimal("0.5"), Decimal("2.5")


def read(value: str, how: Callable[[Reader, yaml.Node], object]) -> tuple[object, list[str]]:
    """Read the value of ``a``; returns what was read, and the problems as line, column and message."""
    reader = Reader(f"x: 1\na: {value}", "doc")
    root = reader.root()
    assert isinstance(root, yaml.MappingNode)
    result = how(reader, root.value[1][1])
    return result, [f"{each.line}:{each.column} {each.message}" for each in reader.problems]


def problem_of(text: str) -> RulesetProblem:
    reader = Reader(text, "doc")
    assert reader.root() is None
    (problem,) = reader.problems
    return problem


@pytest.mark.parametrize(
    ("value", "result", "problems"),
    [
        ("-2", -2, []),
        ("+3", 3, []),
        ("-3", None, ["2:4 number is -3; it must be -2 to 3"]),
        ("4", None, ["2:4 number is 4; it must be -2 to 3"]),
        ("1.0", None, ["2:4 number is a number; it must be a whole number"]),
        ("0b1", None, ["2:4 number is a whole number; it must be a whole number"]),
        ("'1'", None, ["2:4 number is text; it must be a whole number"]),
        ("[1]", None, ["2:4 number is a list; it must be a whole number"]),
    ],
)
def test_whole_number_is_between_its_bounds(value: str, result: int | None, problems: list[str]) -> None:
    assert read(value, lambda reader, node: reader.integer(node, "number", -2, 3)) == (result, problems)


@pytest.mark.parametrize(("digits", "is_read"), [(18, True), (19, False)])
def test_whole_number_has_at_most_18_digits(digits: int, is_read: bool) -> None:
    number, problems = read("9" * digits, lambda reader, node: reader.integer(node, "number", 0, 10**20))

    assert (number is not None) is is_read
    assert (problems == []) is is_read


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("0.5", "0.5"),
        ("2.5", "2.5"),
        ("1", "1"),
        ("+1.5", "1.5"),
        ("0.49", None),
        ("2.51", None),
        ("-1", None),
    ],
)
def test_decimal_number_is_between_its_bounds(value: str, result: str | None) -> None:
    number, problems = read(value, lambda reader, node: reader.decimal(node, "rate", MINIMUM, MAXIMUM))

    assert number == (None if result is None else Decimal(result))
    assert problems == ([] if result else [f"2:4 rate is {value}; it must be 0.5 to 2.5"])


@pytest.mark.parametrize("value", ["1_000", ".5", "1:30", "0x1", ".inf", "'1'", "{}"])
def test_other_forms_of_numbers_are_no_decimal_numbers(value: str) -> None:
    number, [problem] = read(value, lambda reader, node: reader.decimal(node, "rate", MINIMUM, MAXIMUM))

    assert number is None
    assert problem.endswith("; it must be a decimal number")


def test_long_number_is_cut_in_its_message() -> None:
    _, [problem] = read("1" * 41, lambda reader, node: reader.decimal(node, "rate", MINIMUM, MAXIMUM))

    assert problem == f"2:4 rate is {'1' * 40}; it must be 0.5 to 2.5"


def test_text_has_1_to_so_many_characters() -> None:
    assert read("abc", lambda reader, node: reader.text(node, "name", 3)) == ("abc", [])
    assert read("abcd", lambda reader, node: reader.text(node, "name", 3)) == (
        None,
        ["2:4 name has 4 characters; at most 3"],
    )
    assert read("' '", lambda reader, node: reader.text(node, "name")) == (None, ["2:4 name is empty"])


def test_text_has_at_most_1000_characters_unless_stated_otherwise() -> None:
    assert read("x" * 1_000, lambda reader, node: reader.text(node, "name")) == ("x" * 1_000, [])
    assert read("x" * 1_001, lambda reader, node: reader.text(node, "name"))[0] is None


def test_unprintable_character_is_found_at_its_place() -> None:
    _, problems = read('"ab\\u0007c"', lambda reader, node: reader.text(node, "name"))

    assert problems == ["2:7 name has an unprintable character (U+0007)"]


@pytest.mark.parametrize("character", ["\\n", "\\t"])
def test_line_ends_and_tabs_are_only_in_text_of_several_lines(character: str) -> None:
    value = f'"a{character}b"'

    assert read(value, lambda reader, node: reader.text(node, "name", multiline=True))[1] == []
    assert len(read(value, lambda reader, node: reader.text(node, "name"))[1]) == 1


def test_name_matches_its_pattern_as_a_whole() -> None:
    pattern = re.compile("[a-z]+")

    assert read("abc", lambda reader, node: reader.name(node, "id", pattern, "letters")) == ("abc", [])
    assert read("abc1", lambda reader, node: reader.name(node, "id", pattern, "letters")) == (
        None,
        ["2:4 id 'abc1' must be letters"],
    )


def test_wrong_name_and_choice_are_cut_at_60_characters_in_their_messages() -> None:
    long = "A" * 61

    _, [name] = read(long, lambda reader, node: reader.name(node, "id", re.compile("a"), "a"))
    _, [choice] = read(long, lambda reader, node: reader.choice(node, "mode", ["on", "off"]))

    assert name == f"2:4 id '{long[:60]}' must be a"
    assert choice == f"2:4 mode '{long[:60]}' is none of on, off"


def test_choice_is_one_of_the_words() -> None:
    assert read("'on'", lambda reader, node: reader.choice(node, "mode", ["on", "off"])) == ("on", [])


def test_list_has_at_most_so_many_items() -> None:
    items, problems = read("[1, 2]", lambda reader, node: reader.items(node, "rules", 2))
    assert isinstance(items, list)
    assert [item.value for item in items] == ["1", "2"]
    assert problems == []

    assert read("[1, 2, 3]", lambda reader, node: reader.items(node, "rules", 2)) == (
        [],
        ["2:4 rules has 3 items; at most 2"],
    )


def test_moment_is_text_or_a_date() -> None:
    assert read("2026-01-31", lambda reader, node: reader.moment(node, "until")) == ("2026-01-31", [])
    assert read("'soon'", lambda reader, node: reader.moment(node, "until")) == ("soon", [])
    assert read("[]", lambda reader, node: reader.moment(node, "until"))[0] is None
    assert read("7", lambda reader, node: reader.moment(node, "until"))[0] is None


@pytest.mark.parametrize(("length", "is_named"), [(40, True), (41, False)])
def test_unknown_field_is_named_only_if_it_looks_like_one(length: int, is_named: bool) -> None:
    field = "z" * length
    _, [problem] = read(
        f"{{id: 1, {field}: 2}}", lambda reader, node: reader.fields(node, "a rule", ["id"], ["note"])
    )

    assert problem == (
        f"2:12 a rule has no field '{field}'"
        if is_named
        else "2:12 a rule has no such field; it may have id, note"
    )


def test_fields_are_the_known_ones_and_the_required_must_exist() -> None:
    found, problems = read(
        "{id: 1, note: 2}", lambda reader, node: list(reader.fields(node, "a rule", ["id", "when"], ["note"]))
    )

    assert found == ["id", "note"]
    assert problems == ["2:4 a rule has no 'when', which is required"]


def test_what_is_no_mapping_has_no_fields() -> None:
    assert read("[]", lambda reader, node: reader.fields(node, "a rule", ["id", "when"], ["note"])) == (
        {},
        ["2:4 a rule is a list; it must be a mapping with id, when"],
    )


def test_document_has_at_most_256_kib_of_utf_8() -> None:
    assert MAX_DOCUMENT_BYTES == 262_144
    largest = "a: é # " + "x" * (MAX_DOCUMENT_BYTES - 8)
    reader = Reader(largest, "doc")

    assert reader.root() is not None
    assert reader.problems == ()
    assert problem_of(f"{largest}x").message == "document of 262145 bytes; at most 262144"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\nb: [", 2, 5),
        ("a: 1\nb: \x07", 2, 4),
        ("a: 1\nb: *c", 2, 4),
        ('a: 1\nb: "\\UFFFFFFFF"', 1, 1),
        ("", 1, 1),
        ("- " * 3_000, 1, 1),
        ("#" * (MAX_DOCUMENT_BYTES + 1), 1, 1),
    ],
)
def test_what_is_not_yaml_is_refused_at_its_place(text: str, line: int, column: int) -> None:
    problem = problem_of(text)

    assert (problem.line, problem.column, problem.source) == (line, column, "doc")


def test_byte_that_is_no_text_is_named_by_line_and_column() -> None:
    for data, line, column in (
        (b"\xff", 1, 1),
        (b"ab\xff", 1, 3),
        (b"a\n\xff", 2, 1),
        (b"a\nb\nc\xff", 3, 2),
    ):
        with pytest.raises(InvalidRulesetError) as caught:
            decode_document(data, "doc")
        (problem,) = caught.value.problems
        assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize(
    ("value", "is_short"),
    [("x" * 60, True), ("x" * 61, False), ("x", True), ("''", False), ('"a\\n"', False), ("[a]", False)],
)
def test_short_scalar_has_1_to_60_printable_characters(value: str, is_short: bool) -> None:
    assert read(value, lambda _, node: is_short_scalar(node)) == (is_short, [])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a", "text"),
        ("1", "a whole number"),
        ("1.5", "a number"),
        ("yes", "a truth value"),
        ("~", "nothing"),
        ("2026-01-01", "a date"),
        ("[]", "a list"),
        ("{}", "a mapping"),
        ("!x a", "tagged !x"),
        (f"!{'x' * 50} a", f"tagged !{'x' * 39}"),
    ],
)
def test_kind_of_a_node_is_named(value: str, kind: str) -> None:
    assert read(value, lambda _, node: kind_of(node)) == (kind, [])


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("yes", "; write it in quotes: 'yes'"),
        ("NULL", "; write it in quotes: 'NULL'"),
        ("12", "; write it in quotes"),
        ("[1]", ""),
        ("", ""),
    ],
)
def test_message_quotes_only_words_of_yaml(value: str, hint: str) -> None:
    _, [problem] = read(value, lambda reader, node: reader.text(node, "name"))

    assert problem.partition("it must be text")[2] == hint


def test_nearest_name_is_suggested_or_none() -> None:
    assert suggestion("amuont", ["country", "amount"]) == "; did you mean 'amount'?"
    assert suggestion("zzz", ["country", "amount"]) == ""


def test_problem_of_a_rule_names_it_and_others_do_not() -> None:
    reader = Reader("a: 1\nb: 2", "doc")
    root = reader.root()
    assert isinstance(root, yaml.MappingNode)
    reader.of_rule("burst").report(root.value[1][1], "second")
    reader.report(root.value[0][1], "first")

    assert [each.rule_id for each in reader.problems] == [None, "burst"]
    assert [str(each) for each in reader.problems] == [
        "doc:1:4: first\n    a: 1\n       ^",
        "doc:2:4: rule 'burst': second\n    b: 2\n       ^",
    ]
    assert reader.problem_count == 2


@pytest.mark.parametrize(
    ("count", "end"), [(50, "doc:50:1: bad"), (51, "and 1 more problems"), (60, "and 10 more problems")]
)
def test_text_of_an_error_lists_at_most_50_problems(count: int, end: str) -> None:
    problems = tuple(RulesetProblem("doc", number, 1, "bad") for number in range(1, count + 1))

    text = str(InvalidRulesetError(problems))

    assert MAX_PROBLEMS_SHOWN == 50
    assert text.splitlines()[-1] == end
    assert text.count("bad") == min(count, 50)
