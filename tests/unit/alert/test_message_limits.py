"""Each limit of an alert on both sides, and what is left out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from alert import messages
from alert.messages import make_alert
from common.alert_text import money
from common.sanitizing import gsm_septets
from common.topic import MAX_MESSAGE_BYTES, MAX_SMS_SEPTETS, MAX_SUBJECT_CHARACTERS
from contract.alert import SuppressedPayments
from contract.reason import Reason
from contract.scored import Decision
from contract.transaction import Location
from tests.support.payments import NOW, make_claimed
from tests.unit.alert.messages import claim, texts_of


def test_limits_are_those_of_sns_and_of_one_sms() -> None:
    assert (MAX_MESSAGE_BYTES, MAX_SUBJECT_CHARACTERS, MAX_SMS_SEPTETS) == (262_144, 99, 140)


@pytest.mark.parametrize(("reasons", "shown"), [(40, 40), (41, 40)])
def test_alert_holds_the_first_forty_reasons(reasons: int, shown: int) -> None:
    flagged = make_claimed(reasons=tuple(Reason(f"rule_{n}", 1, "A sentence.") for n in range(reasons)))

    alert = make_alert(flagged, NOW)

    assert [reason.rule_id for reason in alert.reasons] == [f"rule_{n}" for n in range(shown)]


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("user_id", 256),
        ("transaction_id", 256),
        ("merchant_id", 256),
        ("merchant_category", 256),
        ("channel", 256),
        ("payee_id", 256),
        ("position", 256),
        ("ruleset_version", 256),
        ("location", 256),
        ("country", 64),
    ],
)
def test_text_of_each_field_is_cut_at_its_limit(field: str, limit: int) -> None:
    def shown(length: int) -> str:
        alert = make_alert(make_claimed(**{field: "x" * length}), NOW)
        text: str = getattr(alert if hasattr(alert, field) else alert.transaction, field)
        return text

    assert shown(limit) == "x" * limit
    assert shown(limit + 1) == "x" * (limit - 1) + "…"


@pytest.mark.parametrize(("part", "limit"), [("country", 64), ("city", 128)])
def test_parts_of_a_location_are_cut_at_their_limits(part: str, limit: int) -> None:
    def shown(length: int) -> str:
        location: dict[str, Any] = {part: "x" * length}
        alert = make_alert(make_claimed(location=Location(**location)), NOW)
        text: str = getattr(alert.transaction.location, part)
        return text

    assert shown(limit) == "x" * limit
    assert shown(limit + 1) == "x" * (limit - 1) + "…"


def test_sender_s_transaction_id_is_cut_at_its_limit() -> None:
    alert = make_alert(make_claimed(transaction_id="x" * 257), NOW)

    assert alert.transaction.transaction_id == "x" * 255 + "…"


def test_key_of_the_row_is_cut_where_no_id_reaches() -> None:
    key = "2026-03-01T12:00:00.000000Z.hJ2c9Xl0aQs#" + "x" * 256

    assert make_alert(make_claimed(event_key=key), NOW).event_key == key
    assert len(make_alert(make_claimed(event_key=key * 3), NOW).event_key) == 512


def test_rule_ids_and_sentences_are_cut_at_their_limits() -> None:
    fitting, long = Reason("r" * 128, 5, "s" * 500), Reason("r" * 129, 5, "s" * 501)

    first, second = make_alert(make_claimed(reasons=(fitting, long)), NOW).reasons

    assert first == fitting
    assert second == Reason("r" * 127 + "…", 5, "s" * 499 + "…")


def test_coordinates_are_kept_for_machines() -> None:
    alert = make_alert(make_claimed(location=Location(latitude=48.85, longitude=2.35, city="Paris")), NOW)

    assert alert.transaction.location == Location(latitude=48.85, longitude=2.35, city="Paris")


@pytest.mark.parametrize(
    ("reasons", "more"), [(10, None), (11, "        and 1 more"), (12, "        and 2 more")]
)
def test_email_counts_only_reasons_that_it_does_not_list(reasons: int, more: str | None) -> None:
    email = texts_of(reasons=tuple(Reason(f"rule_{n}", n, "A sentence.") for n in range(reasons)))["email"]

    assert [line for line in email.splitlines() if "more" in line] == ([] if more is None else [more])
    assert sum("(rule_" in line for line in email.splitlines()) == 10


def test_email_of_a_payment_scored_with_the_cache_says_nothing_of_it() -> None:
    assert "cache" not in texts_of()["email"]


def test_suppressed_sentence_names_each_currency_s_sum() -> None:
    one = messages.suppressed_sentence(SuppressedPayments(1, totals={"EUR": Decimal(5)}))
    several = messages.suppressed_sentence(
        SuppressedPayments(2, totals={"USD": Decimal(5), "JPY": Decimal(700)})
    )

    assert one == (
        "Since this user's message before, 1 more suspicious payment, 5.00 EUR in total, was not alerted on one by one."
    )
    assert several == (
        "Since this user's message before, 2 more suspicious payments, 700 JPY and 5.00 USD in total, "
        "were not alerted on one by one."
    )


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [("1234.5", "USD", "1,234.50 USD"), ("1234", "JPY", "1,234 JPY"), ("1.2345", "KWD", "1.234 KWD")],
)
def test_money_has_its_currency_s_decimals(amount: str, currency: str, shown: str) -> None:
    assert money(Decimal(amount), currency) == shown


@pytest.mark.parametrize(
    ("user_id", "shown"),
    [
        ("x" * 24, "user " + "x" * 24),
        ("x" * 25, "user " + "x" * 14 + ".." + "x" * 8),
        ("." * 24, 'user "' + "." * 24 + '"'),
    ],
)
def test_a_user_id_of_24_characters_is_shown_whole(user_id: str, shown: str) -> None:
    assert texts_of(user_id=user_id)["subject"].endswith(shown)


def _sms(septets_of_why: int, count: int = 0) -> str:
    """An SMS whose reason takes so many septets."""
    return texts_of(reasons=(Reason("r", 1, "y" * septets_of_why),), alert_claim=claim(count=count))["sms"]


def test_sms_holds_as_much_of_the_reason_as_fits() -> None:
    head = "HIGH 85: 1,250.00 USD blocked FR, user user-1. "
    room = MAX_SMS_SEPTETS - len(head)

    assert _sms(room) == head + "y" * room
    assert gsm_septets(_sms(room + 1)) == MAX_SMS_SEPTETS
    assert _sms(room + 1) == head + "y" * (room - 1) + "."  # the first dot of an ellipsis
    with_count = room - len(" (+7 more)")
    assert _sms(with_count, count=7) == head + "y" * with_count + " (+7 more)"
    assert _sms(with_count + 1, count=7) == head + "y" * (with_count - 1) + ". (+7 more)"


@pytest.mark.parametrize("count", [0, 1])
def test_sms_counts_only_what_was_suppressed(count: int) -> None:
    assert _sms(5, count).endswith("yyyyy" + (" (+1 more)" if count else ""))


@pytest.mark.parametrize(("user_length", "has_count"), [(24, True), (24, False)])
def test_sms_that_is_full_with_its_first_facts_leaves_out_the_count(
    user_length: int, has_count: bool
) -> None:
    # Only a very large count fills the room; the head then stays whole.
    count = 10 ** (100 if not has_count else 5)

    sms = texts_of(user_id="u" * user_length, alert_claim=claim(count=count))["sms"]

    assert ("more)" in sms) is has_count
    assert sms.startswith("HIGH 85: 1,250.00 USD blocked FR, user " + "u" * user_length)


@pytest.mark.parametrize(("digits_over", "has_count"), [(0, True), (1, False)])
def test_sms_leaves_out_a_count_that_the_first_facts_leave_no_room_for(
    digits_over: int, has_count: bool
) -> None:
    head = len("HIGH 85: 1,250.00 USD blocked FR, user user-1")
    digits = MAX_SMS_SEPTETS - head - len(" (+ more)") + digits_over

    sms = texts_of(alert_claim=claim(count=10 ** (digits - 1)))["sms"]

    assert sms.endswith(" more)") is has_count
    assert gsm_septets(sms) == (MAX_SMS_SEPTETS if has_count else head)


def test_subject_of_99_characters_is_whole_and_a_longer_one_is_cut() -> None:
    def subject(amount: str) -> str:
        return texts_of(amount=Decimal(amount), user_id="#" * 24, decision=Decision.REVIEW)["subject"]

    whole = '[HIGH] Fraud alert: 1,000,000,000.00 USD held for review, score 85, user "' + "#" * 24 + '"'
    assert len(whole) == MAX_SUBJECT_CHARACTERS
    assert subject("1000000000") == whole
    assert subject("10000000000") == whole.replace("1,000", "10,000", 1)[:98] + "."  # of an ellipsis


@pytest.mark.parametrize(("country", "shown"), [("FR", " FR,"), ("fr", " fr,"), ("F", ","), ("FRA", ",")])
def test_sms_shows_a_country_of_two_letters(country: str, shown: str) -> None:
    assert texts_of(country=country)["sms"].startswith(f"HIGH 85: 1,250.00 USD blocked{shown} user")


def test_machines_receive_what_the_row_says() -> None:
    flagged = make_claimed(degraded=True)

    alert = make_alert(flagged, NOW)

    assert (alert.scored_degraded, alert.appended_at, alert.scored_at, alert.alerted_at) == (
        True,
        flagged.appended_at,
        flagged.scored_at,
        NOW,
    )
    assert (alert.window_start, alert.decision, alert.risk_score) == (
        NOW - timedelta(minutes=1),
        Decision.BLOCK,
        85,
    )
    payment = alert.transaction
    assert (payment.merchant_id, payment.merchant_category, payment.channel, payment.payee_id) == (
        "merchant-1",
        "electronics",
        "online",
        None,
    )


@pytest.mark.parametrize(
    "field", ["merchant_id", "merchant_category", "channel", "payee_id", "card_id", "location"]
)
def test_field_that_is_unknown_is_not_shown(field: str) -> None:
    labels = {
        "merchant_id": "Merchant",
        "merchant_category": "Category",
        "channel": "Channel",
        "payee_id": "Payee",
        "card_id": "Card",
        "location": "Where",
    }
    email = texts_of(**{field: None, "country": None})["email"]

    assert f"  {labels[field]}" not in email


def test_email_shows_the_payee() -> None:
    assert '  Payee       "p-1"\n' in texts_of(payee_id="p-1")["email"]


def test_email_of_a_place_without_a_city_shows_the_country() -> None:
    assert '  Where       "FR"\n' in texts_of(location=Location(latitude=1.0, longitude=1.0))["email"]


def test_text_that_grows_while_it_is_defanged_is_cut_in_an_email_at_1000_characters() -> None:
    email = texts_of(reasons=(Reason("r", 1, "1." * 250),))["email"]

    assert len(email.splitlines()[0]) == len("HIGH: ") + 1_000
