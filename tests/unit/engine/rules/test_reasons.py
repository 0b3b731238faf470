from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from engine.features.catalogue import CATALOGUE
from engine.rules.reasons import reason_problems, sentence
from tests.support.rule_samples import any_features, features

if TYPE_CHECKING:
    from contract.scored import FeatureValue


@pytest.mark.parametrize(
    ("template", "message", "offset"),
    [
        ("In {contry}", "unknown feature 'contry'; did you mean 'country'?", 4),
        ("{}", "unknown feature ''", 1),
        ("{0}", "unknown feature '0'", 1),
        ("{country.__class__}", "unknown feature 'country.__class__'", 1),
        ("{country[0]}", "unknown feature 'country[0]'", 1),
        ("{is_weekend}", "'is_weekend' is true or false and cannot be used in a sentence", 1),
        ("{", "Single '{' encountered in format string", None),
        ("}", "Single '}' encountered in format string", None),
        ("{amount", "expected '}' before end of string", None),
    ],
)
def test_each_problem_of_a_template_is_reported(template: str, message: str, offset: int | None) -> None:
    (problem,) = reason_problems(template)

    assert problem.message.startswith(message)
    assert problem.offset == offset


@pytest.mark.parametrize(
    "placeholder",
    ["{amount}", "{amount:d}", "{amount!r:.2f}", "{amount:{country}}", "{amount:999999999.2f}", "{amount:.99f}",
     "{tx_count_1h:c}", "{tx_count_1h:.2f}", "{tx_count_1h:99d}", "{country:>99}", "{country!r}", "{country:d}"],
)  # fmt: skip
def test_a_placeholder_that_could_fail_or_grow_is_refused(placeholder: str) -> None:
    (problem,) = reason_problems(placeholder)

    assert "must be written as {" in problem.message


def test_a_length_of_time_is_written_in_its_largest_unit() -> None:
    template = (
        "{{In}} {minutes_since_last_place:duration}, {device_age_days:duration}, {amount:.1f}, {country}"
    )
    values = features(minutes_since_last_place=13_000.0, device_age_days=0.25, amount=5.0, country="FR")

    assert reason_problems(template) == ()
    assert sentence(template, values, "USD") == "{In} 9 days, 6 hours, 5.0, FR"


@pytest.mark.parametrize(
    ("rate", "written"),
    [
        (0.0, "0 payments are usual."),
        (0.0004, "less than 0.01 payments are usual."),
        (0.0099, "less than 0.01 payments are usual."),
        (0.01, "0.01 payments are usual."),
        (0.5, "0.50 payments are usual."),
        (12.34, "12.3 payments are usual."),
        (2_345.6, "2,346 payments are usual."),
    ],
)
def test_what_is_rare_is_not_said_to_be_never(rate: float, written: str) -> None:
    template = "{device_usual_payments_1h:rate} payments are usual."

    assert reason_problems(template) == ()
    assert sentence(template, features(device_usual_payments_1h=rate), "USD") == written


@pytest.mark.parametrize(
    "placeholder",
    [
        "{amount:duration}",
        "{tx_count_1h:duration}",
        "{device_age_days!r:duration}",
        "{amount:rate}",
        "{device_age_days:rate}",
        "{tx_count_1h:rate}",
        "{device_usual_payments_1h!r:rate}",
    ],
)
def test_only_a_length_of_time_or_a_number_without_a_unit_is_written_so(placeholder: str) -> None:
    (problem,) = reason_problems(placeholder)

    assert "must be written as {" in problem.message


@given(any_features)
def test_a_template_that_was_accepted_can_be_filled_in_with_any_values(
    values: dict[str, FeatureValue],
) -> None:
    forms = {
        "double": ["{%s:.0f}", "{%s:,.2f}", "{%s:.1%%}"],
        "int": ["{%s}", "{%s:,}", "{%s:,d}"],
        "string": ["{%s}"],
    }
    template = " ".join(form % feature.name for feature in CATALOGUE for form in forms.get(feature.type, ()))
    template += " {minutes_since_last_tx:duration} {device_age_days:duration} {{amount:duration}}"
    template += " {device_usual_payments_1h:rate}"

    assert reason_problems(template) == ()
    assert sentence(template, values, "USD")


def test_second_placeholder_of_one_name_is_found_after_the_first() -> None:
    (problem,) = reason_problems("{country} {amount:.2f} {country:d}")

    assert problem.offset == 24


def test_unknown_name_is_cut_at_60_characters() -> None:
    (problem,) = reason_problems(f"{{{'z' * 61}}}")

    assert problem.message == f"unknown feature '{'z' * 60}'"


@pytest.mark.parametrize(
    "placeholder",
    ["{amount:.0f}", "{amount:.9f}", "{amount:,.2f}", "{amount:.0%}", "{amount:,.1%}", "{tx_count_1h}", "{tx_count_1h:,}",
     "{tx_count_1h:d}", "{tx_count_1h:,d}", "{country}", "{base_currency}"],
)  # fmt: skip
def test_a_placeholder_in_a_known_format_is_accepted(placeholder: str) -> None:
    assert reason_problems(placeholder) == ()


def test_a_refused_placeholder_is_shown_as_it_may_be() -> None:
    problems = reason_problems("{amount} {tx_count_1h:f} {country:s}")

    assert [problem.message for problem in problems] == [
        "'amount' (double) must be written as {amount:.2f}, {amount:,.0f} or {amount:.0%}",
        "'tx_count_1h' (int) must be written as {tx_count_1h} or {tx_count_1h:,}",
        "'country' (string) must be written as {country}",
    ]


def test_a_sentence_holds_the_figures() -> None:
    text = sentence(
        "{amount_base:,.2f} {base_currency} in {country}: {tx_count_1h} {{so far}}",
        features(amount_base=12345.678, country="CH", tx_count_1h=3),
        "EUR",
    )

    assert text == "12,345.68 EUR in CH: 3 {so far}"


def test_braces_in_a_value_are_only_text() -> None:
    assert sentence("In {country}", features(country="{amount}"), "USD") == 'In "{amount}"'


@pytest.mark.parametrize("text", ["US", "in-store", "card_present", "5411", "a" * 24])
def test_one_word_of_a_sender_is_shown_as_it_is(text: str) -> None:
    assert sentence("{channel}.", features(channel=text), "USD") == f"{text}."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("US. Call +1 900 to unblock", '"US. Call +1 900 to unblock"'),
        ('x" is allowed. "Call', "\"x' is allowed. 'Call\""),
        ("x” is allowed. “Call", "\"x' is allowed. 'Call\""),
        ("food & drink", '"food & drink"'),
        ("US\n", '"US\n"'),
        ("España", '"España"'),
        ("evil.com", '"evil.com"'),
        ("a" * 25, f'"{"a" * 25}"'),
        ("", '""'),
    ],
)
@pytest.mark.parametrize("feature", ["country", "channel", "merchant_category"])
def test_other_text_of_a_sender_is_shown_in_quotation_marks(feature: str, text: str, shown: str) -> None:
    filled = sentence(f"First payment in {{{feature}}}, and a high one.", features(**{feature: text}), "USD")

    assert filled == f"First payment in {shown}, and a high one."


@given(any_features)
def test_only_single_words_of_a_sender_are_outside_quotation_marks(
    values: dict[str, FeatureValue],
) -> None:
    filled = sentence("<{country}|{channel}|{merchant_category}|{currency}>", values, "USD")

    assert re.fullmatch(r'<(("[^"]*"|[A-Za-z0-9_-]{1,24})[|>]){4}', filled, re.DOTALL)
