"""The canonical form of texts and of ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.text import canonical_id, canonical_text, is_acceptable_id

any_text = st.text(max_size=40) | st.text(
    st.sampled_from(
        "a\u0301e \u00a0\u200b\u200c\ufe0f\u034f\u1160\u3164\uff21\u00a8\ufdfa\u2000\t\n\x00\ud800\u0344"
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("Café de\u00a0Flore", "Café de Flore"),
        ("Cafe\u0301 de Flore", "Café de Flore"),
        ("\u0642\u0627\u0626\u0645\u200c\u0634\u0647\u0631", "\u0642\u0627\u0626\u0645\u0634\u0647\u0631"),
        ("\uff30\uff2f\uff33", "POS"),
        ("  New\t York \n", "New York"),
        ("Mün\u00adchen", "München"),
        ("\u202eevil\u202c", "evil"),
        ("pizza \u2764\ufe0f", "pizza \u2764"),
        ("\u3164", ""),
        ("\ufeff", ""),
        ("支付", "支付"),
        ("①", "1"),
    ],
)
def test_look_alikes_are_one_text(sent: str, canonical: str) -> None:
    assert canonical_text(sent) == canonical


@given(any_text)
def test_canonical_text_is_stable_and_never_fails(text: str) -> None:
    canonical = canonical_text(text)

    assert canonical_text(canonical) == canonical
    assert canonical == canonical.strip()
    assert "  " not in canonical


@given(any_text)
def test_a_canonical_id_is_stable_and_never_fails(text: str) -> None:
    canonical = canonical_id(text)

    assert canonical is None or canonical_id(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    ["device-1", "Ⅸ", "IX", "Cafe\u0301", "Café", "user\uff0d1", "می\u200cفروش", "\u2764\ufe0f shop", "支付"],
)
def test_an_id_keeps_its_value(text: str) -> None:
    assert canonical_id(text) == text


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "a\x1bb", "a\u200bb", "a\u202eb", "a\ufeffb", "a\u00adb", "a\u3164b", "\ud800", "\ue000"],
)
def test_an_id_with_hidden_characters_is_none(text: str) -> None:
    assert canonical_id(text) is None
    assert canonical_id(text + "é") is None


@pytest.mark.parametrize(
    ("sent", "canonical"), [(" a ", "a"), ("a\u00a0b", "a b"), ("a \t b", "a b"), (" \u2003", "")]
)
def test_white_space_in_an_id_is_one_space(sent: str, canonical: str) -> None:
    assert canonical_id(sent) == canonical


@given(any_text)
def test_an_identity_is_printable_and_not_blank(text: str) -> None:
    assert is_acceptable_id(text) == (text.isprintable() and text.strip() != "")


@pytest.mark.parametrize("mark", ["\u200c", "\u200d", "\ufe0e", "\ufe0f"])
@pytest.mark.parametrize("form", ["thief{}", "th{}ief", "{}thief", "caf\u00e9{}", "device-7{}"])
def test_an_id_with_marks_of_spelling_where_no_spelling_needs_them_is_none(form: str, mark: str) -> None:
    assert canonical_id(form.format(mark)) is None


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937",
        "\u2615\ufe0f caf\u00e9",
    ],
)
def test_an_id_with_marks_that_its_spelling_needs_stays(text: str) -> None:
    assert canonical_id(text) == text
