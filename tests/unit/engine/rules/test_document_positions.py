from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.document_positions import Lines, Place, index_in_scalar


def _scalar(text: str) -> yaml.ScalarNode:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)
    scalar = node.value[0][1]
    assert isinstance(scalar, yaml.ScalarNode)
    return scalar


@pytest.mark.parametrize(
    "text",
    [
        "when: one && TARGET > 1",
        "when: 'it''s && TARGET'",
        'when: "a\\t\\x41\\"\\u00e9\\n && TARGET"',
        "when: |\n  one\n    && two\n\n  && TARGET\n",
        "when: |2-  # a comment\n    one\n  && TARGET",
        "when: >-\n  one\n  && TARGET\n  && more\n",
        "when: one\n  && two\n    && TARGET",
        "when: 'one\n\n  && ''TARGET'''",
        'when: "one \\\n   && TARGET"',
        "# é\nwhen: ééé TARGET",
    ],
    ids=[
        "plain",
        "single",
        "double",
        "literal",
        "indented",
        "folded",
        "plain-lines",
        "single-lines",
        "escaped-end",
        "é",
    ],
)
def test_every_yaml_style_leads_back_to_the_character_it_came_from(text: str) -> None:
    node = _scalar(text)

    index = index_in_scalar(text, node, node.value.index("TARGET"))

    assert text[index : index + 6] == "TARGET"


@given(st.lists(st.sampled_from(["a", "bc", "'", '"', "é", "&&", "\\"]), min_size=1, max_size=12), st.data())
def test_any_word_of_a_written_document_leads_back_to_itself(words: list[str], data: st.DataObject) -> None:
    style = data.draw(st.sampled_from(["'", '"', "|", ">"]))
    text = yaml.safe_dump(
        {"when": " ".join([*words, "TARGET", *words])}, default_style=style, width=20, allow_unicode=True
    )
    node = _scalar(text)

    index = index_in_scalar(text, node, node.value.index("TARGET"))

    assert text[index : index + 6] == "TARGET"


def test_the_end_of_a_condition_is_behind_its_last_visible_character() -> None:
    text = "when: |\n  one &&  \n\nnext: 1"
    node = _scalar(text)

    index = index_in_scalar(text, node, len(node.value))

    assert Lines(text).place(index) == Place(2, 9)


def test_an_empty_value_is_where_it_stands() -> None:
    text = "when: ''"

    assert index_in_scalar(text, _scalar(text), 0) == 6


def test_a_long_line_is_shown_around_its_caret() -> None:
    text = "x" * 400 + "!" + "y" * 400

    line, caret = Lines(text).excerpt(Place(1, 401)).split("\n")

    assert len(line) == 120
    assert line[caret.index("^")] == "!"


@pytest.mark.parametrize(
    ("column", "first"), [(1, 0), (60, 0), (61, 1), (401, 341), (740, 680), (741, 680), (801, 680)]
)
def test_part_of_a_long_line_has_120_characters_with_the_place_in_its_middle_if_it_can(
    column: int, first: int
) -> None:
    text = "".join(chr(0x4E00 + number) for number in range(800))

    line, caret = Lines(text).excerpt(Place(1, column)).split("\n")

    assert line == text[first : first + 120]
    assert caret == " " * (column - 1 - first) + "^"


@pytest.mark.parametrize(("length", "is_whole"), [(120, True), (121, False)])
def test_line_of_120_characters_is_shown_whole(length: int, is_whole: bool) -> None:
    line, _ = Lines("x" * length).excerpt(Place(1, length)).split("\n")

    assert len(line) == 120
    assert (line == "x" * length) is is_whole


@pytest.mark.parametrize(
    ("index", "place"), [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (3, (3, 1)), (4, (3, 2)), (5, (3, 3))]
)
def test_index_is_turned_into_line_and_column(index: int, place: tuple[int, int]) -> None:
    assert Lines("a\n\nbc").place(index) == Place(*place)


@pytest.mark.parametrize(
    ("text", "offset", "index"),
    [
        ("a: bc", 0, 3),
        ("a: bc", 1, 4),
        ("a: bc", 2, 5),
        ("a: b c", 1, 4),
        ("a: 'bc'", 0, 4),
        ("a: 'bc'", 2, 6),
        ("a: 'b''c'", 1, 5),
        ("a: 'b''c'", 2, 7),
        ('a: "\\x41b"', 0, 4),
        ('a: "\\x41b"', 1, 8),
        ('a: "\\u0041b"', 1, 10),
        ('a: "\\U00000041b"', 1, 14),
        ('a: "\\tb"', 1, 6),
        ('a: "\\"b"', 0, 4),
        ('a: "\\"b"', 1, 6),
        ('a: "\\x20b"', 1, 8),
        ('a: " b"', 0, 3),
        ("a: |\n b\n c", 0, 6),
        ("a: |\n b\n c", 1, 7),
        ("a: |\n b\n c", 2, 9),
        ("a: >\n b\n c", 2, 9),
        ("a: |  # b\n b", 0, 11),
    ],
)
def test_each_character_of_a_value_leads_to_its_own_in_the_document(
    text: str, offset: int, index: int
) -> None:
    text = text.replace("\\\\", "\\")

    assert index_in_scalar(text, _scalar(text), offset) == index


def test_tabs_and_control_characters_keep_their_column_in_an_excerpt() -> None:
    line, caret = Lines("a:\t\x1b!").excerpt(Place(1, 5)).split("\n")

    assert (line, caret) == ("a:  !", "    ^")


@pytest.mark.parametrize("place", [Place(9, 1), Place(2, 1)], ids=["beyond the end", "an empty line"])
def test_there_is_no_excerpt_where_there_is_no_line(place: Place) -> None:
    assert Lines("a\n\nb").excerpt(place) == ""
