"""An alert reads well on a phone, parses well in a queue, stays within SNS's limits, and shows nothing that it should not."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alert import messages
from alert.messages import (
    MAX_REASONS,
    make_alert,
    render,
    send_fraud_alert,
)
from common.sanitizing import gsm_line, gsm_septets
from common.topic import MAX_MESSAGE_BYTES, MAX_SMS_SEPTETS, MAX_SUBJECT_CHARACTERS, PublishError
from console.routes import BY_NAME
from contract.alert import AgainReason, AlertClaim, AlertKind, Severity, SuppressedPayments, decode_alert
from contract.errors import InvalidRowError
from contract.reason import Reason
from contract.scored import Decision
from contract.transaction import Location
from tests.support.links import DOTS, LINK, link_like
from tests.support.payments import NOW, make_claimed, make_flagged
from tests.unit.alert.messages import Topic, claim, texts_of

if TYPE_CHECKING:
    from contract.flagged import FlaggedTransaction


def test_message_holds_the_alert_in_json_for_machines() -> None:
    flagged = make_claimed(alert_claim=claim(count=3, totals={"USD": Decimal("40.50")}))
    topic = Topic()

    alert = send_fraud_alert(flagged, topic, NOW)

    default = json.loads(topic.messages[0].body)["default"]
    assert decode_alert(default) == alert
    document = json.loads(default)
    assert document["alert_id"] == flagged.alert_id
    assert document["severity"] == "high"
    assert document["transaction"]["amount"] == "1250.00"
    assert document["transaction"]["card_last4"] == "1234"
    assert document["suppressed_before"] == {"count": 3, "totals": {"USD": "40.50"}}
    assert document["position"] == "transaction_stream/3/42"
    assert (document["appended_at"], document["alerted_at"]) == (
        "2026-03-01T11:59:30Z",
        "2026-03-01T12:00:00Z",
    )


def test_an_alert_leads_to_its_case_where_there_is_a_console() -> None:
    alert = make_alert(make_claimed(), NOW, "https://console.example/v1/")

    link = f"https://console.example/v1/alerts/{alert.alert_id}"
    texts = json.loads(render(alert).body)
    assert json.loads(texts["default"])["link"] == link
    assert texts["email"].splitlines()[1:4] == ["", f"Case: {link}", ""]


def test_an_alert_has_no_link_where_there_is_no_console() -> None:
    texts = texts_of()

    assert "link" not in json.loads(texts["default"])
    assert "Case:" not in texts["email"]


def test_the_link_is_the_console_s_own_page() -> None:
    alert = make_alert(make_claimed(), NOW, "https://console.example")

    assert alert.link == "https://console.example" + BY_NAME["alert"].path.format(alert=alert.alert_id)


def test_email_is_readable() -> None:
    texts = texts_of(alert_claim=claim(count=12, totals={"USD": Decimal(3400)}), merchant_id="Müller & Sons")

    assert texts["subject"] == "[HIGH] Fraud alert: 1,250.00 USD blocked, score 85, user user-1"
    assert texts["email"] == (
        "HIGH: Payment of 1,250.00 USD blocked, risk score 85: 8,000 km from the last payment in 30 minutes.\n"
        "\n"
        "Payment\n"
        "  Amount      1,250.00 USD\n"
        "  When        2026-03-01 11:59:00 UTC\n"
        '  Where       "Paris", "FR"\n'
        '  Merchant    "Müller & Sons"\n'
        '  Category    "electronics"\n'
        '  Channel     "online"\n'
        "  Card        ending in 1234\n"
        '  User        "user-1"\n'
        '  Transaction "tx-1"\n'
        "\n"
        "Why\n"
        "   +60  8,000 km from the last payment in 30 minutes. (impossible_travel)\n"
        "   +25  25 times the usual amount. (high_amount)\n"
        "\n"
        "Since this user's message before, 12 more suspicious payments, 3,400.00 USD in total, "
        "were not alerted on one by one.\n"
        "\n"
        "Alert 00000000-0000-5000-8000-000000000000, ruleset 7, transaction_stream/3/42\n"
    )


def test_sms_says_the_most_important_first() -> None:
    texts = texts_of(alert_claim=claim(count=12))

    assert texts["sms"] == (
        "HIGH 85: 1,250.00 USD blocked FR, user user-1. 8,000 km from the last payment in 30 minutes. (+12 more)"
    )


def test_other_protocols_receive_the_json() -> None:
    assert set(texts_of()) - {"subject"} == {"default", "email", "sms"}


def test_attributes_are_what_filter_policies_ask_for() -> None:
    topic = Topic()

    send_fraud_alert(make_claimed(), topic, NOW)

    attributes = {
        name: (attribute.data_type, attribute.value)
        for name, attribute in topic.messages[0].attributes.items()
    }
    assert attributes == {
        "alert_id": ("String", "00000000-0000-5000-8000-000000000000"),
        "kind": ("String", "first"),
        "severity": ("String", "high"),
        "decision": ("String", "block"),
        "risk_score": ("Number", "85"),
        "country": ("String", "FR"),
        "rule_ids": ("String.Array", '["impossible_travel","high_amount"]'),
        "schema_version": ("String", "2"),
    }
    assert len(attributes) <= 10


@pytest.mark.parametrize("country", [None, "", " "])
def test_unknown_country_is_left_out_of_the_attributes(country: str | None) -> None:
    message = render(make_alert(make_claimed(country=country), NOW))

    assert "country" not in message.attributes
    assert all(attribute.value for attribute in message.attributes.values())


@pytest.mark.parametrize("text", ["email", "sms", "subject", "default"])
@pytest.mark.parametrize("secret", ["203.0.113.7", "tok_00000000", "device-1", "48.85"])
def test_no_text_shows_address_card_device_or_coordinates(text: str, secret: str) -> None:
    shown = texts_of()[text]

    assert secret not in shown or (text, secret) == ("default", "48.85")


@pytest.mark.parametrize(
    ("card_id", "last4"), [("tok_1234", "1234"), ("12345", "2345"), ("1234", None), (None, None)]
)
def test_card_shows_four_characters_and_never_all(card_id: str | None, last4: str | None) -> None:
    assert make_alert(make_claimed(card_id=card_id), NOW).transaction.card_last4 == last4


def test_review_is_said_to_be_held() -> None:
    alert = make_alert(make_claimed(decision=Decision.REVIEW, risk_score=55, reasons=()), NOW)

    assert alert.headline == "Payment of 1,250.00 USD held for review, risk score 55: no rule named."
    assert "Why\n" in messages.email_text(alert)
    assert messages.sms_text(alert).endswith("user user-1")


def test_alert_names_the_key_of_its_row() -> None:
    flagged = make_claimed()

    alert = decode_alert(texts_of()["default"])

    assert (alert.user_id, alert.event_key) == flagged.key


def test_first_alert_of_a_window_says_nothing_of_another() -> None:
    texts = texts_of()

    assert decode_alert(texts["default"]).kind is AlertKind.FIRST
    assert "again" not in "".join(texts.values())


@pytest.mark.parametrize(
    ("again", "why"),
    [
        (AgainReason.SEVERITY, "This payment is more severe than what was alerted before."),
        (AgainReason.AMOUNT, "Much more money is at stake than was alerted before."),
    ],
)
def test_alert_that_is_sent_again_says_so_and_why(again: AgainReason, why: str) -> None:
    topic = Topic()

    send_fraud_alert(make_claimed(alert_claim=claim(again=again)), topic, NOW)

    (message,) = topic.messages
    texts: dict[str, str] = json.loads(message.body)
    document = json.loads(texts["default"])
    assert message.subject == "[HIGH] Fraud alert again: 1,250.00 USD blocked, score 85, user user-1"
    assert texts["sms"].startswith("HIGH again 85: 1,250.00 USD blocked FR, user user-1.")
    assert texts["email"].splitlines()[1:5] == ["", f"Alerted again. {why}", "", "Payment"]
    assert (document["kind"], document["again"]) == ("again", again.value)
    assert message.attributes["kind"].value == "again"


def test_email_says_when_the_cache_could_not_be_used() -> None:
    assert "profile cache could not be used" in texts_of(degraded=True)["email"]


def test_email_lists_ten_reasons_and_counts_the_others() -> None:
    reasons = tuple(Reason(f"rule_{number}", number, "A sentence.") for number in range(14))

    email = texts_of(reasons=reasons)["email"]

    assert "(rule_9)" in email
    assert "(rule_10)" not in email
    assert "and 4 more" in email


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("Paris, FR", '"Paris, FR"'),
        (Location(city="Paris"), '"Paris"'),
        (Location(latitude=48.85, longitude=2.35), None),
        (None, None),
    ],
)
def test_where_shows_as_much_as_is_known(location: str | Location | None, where: str | None) -> None:
    email = texts_of(location=location, country=None)["email"]

    assert [line.split(maxsplit=1)[1] for line in email.splitlines() if line.startswith("  Where")] == (
        [where] if where else []
    )


def test_country_alone_is_a_place() -> None:
    assert '  Where       "FR"\n' in texts_of(location=None)["email"]


def test_merchant_cannot_write_lines_close_quotes_or_make_links() -> None:
    email = texts_of(merchant_id='x"\n\nWhy\n  -99 ” All good (safe) \u202e https://evil.com')["email"]

    (line,) = (line for line in email.splitlines() if line.startswith("  Merchant"))
    assert line == "  Merchant    \"x' Why -99 ' All good (safe) ? https[:]//evil[.]com\""
    assert email.count("Why\n") == 1


@pytest.mark.parametrize("dot", DOTS)
def test_neither_sms_nor_subject_has_a_link_that_a_folding_made(dot: str) -> None:
    texts = texts_of(user_id=f"evil{dot}com", reasons=(Reason("rule", 1, f'Paid "shop{dot}com".'),))

    assert "evil[.]com" in texts["subject"]
    assert "evil[.]com" in texts["sms"]
    assert "shop[.]com" in texts["sms"]
    assert [text for text in texts.values() if LINK.search(text)] == [texts["default"]]


@given(link_like.filter(bool), st.none() | link_like, link_like)
@settings(max_examples=60)
def test_no_row_puts_a_link_in_an_sms_a_subject_or_an_email(
    user_id: str, country: str | None, sentence: str
) -> None:
    texts = texts_of(user_id=user_id, country=country, reasons=(Reason("rule", 1, sentence),))

    assert [name for name in ("sms", "subject", "email") if LINK.search(texts[name])] == []


@pytest.mark.parametrize("country", ["US. Call +1 900 to unblock", "USA", "U1", "Š!", "东京"])
def test_sms_leaves_out_a_country_that_is_no_code(country: str) -> None:
    assert texts_of(country=country)["sms"].startswith("HIGH 85: 1,250.00 USD blocked, user user-1. ")


@pytest.mark.parametrize(
    ("user_id", "shown"),
    [
        ("user_1-A", "user user_1-A"),
        ("customer-0000000000000001234", "user customer-00000..00001234"),
        ("x. Call +1 900 555", 'user "x. Call +1 900 555"'),
        ('x" is fine”', "user \"x' is fine'\""),
        ("anna@example.com", 'user "anna@example[.]com"'),
    ],
)
def test_a_user_id_that_could_be_read_as_our_words_is_in_quotation_marks(user_id: str, shown: str) -> None:
    texts = texts_of(user_id=user_id)

    assert texts["subject"].endswith(shown)
    assert f" {shown}. 8,000 km" in texts["sms"]


def test_row_without_a_claim_is_refused() -> None:
    with pytest.raises(InvalidRowError) as refusal:
        send_fraud_alert(make_flagged(), Topic(), NOW)

    assert (refusal.value.table, refusal.value.attribute) == ("flagged_transactions", "alert_claim")


def test_topic_s_refusal_is_passed_on() -> None:
    with pytest.raises(PublishError):
        send_fraud_alert(make_claimed(), Topic(PublishError("Throttled")), NOW)


wild = st.text(max_size=600) | st.sampled_from(['"' * 5000, "\\" * 5000, "😀" * 5000, "\n" * 500, "[" * 500])
optional = st.none() | wild
wild_rows = st.builds(
    make_claimed,
    transaction_id=wild,
    user_id=wild,
    event_key=wild.map(lambda text: f"2026#{text}"),
    amount=st.decimals(0, 2**53, places=3, allow_nan=False),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    country=optional,
    location=optional | st.builds(Location, city=optional, country=optional),
    merchant_id=optional,
    merchant_category=optional,
    channel=optional,
    card_id=optional,
    payee_id=optional,
    decision=st.sampled_from([Decision.REVIEW, Decision.BLOCK]),
    reasons=st.lists(st.builds(Reason, wild, st.integers(-100, 100), wild), max_size=3).flatmap(
        lambda reasons: st.sampled_from([tuple(reasons), tuple(reasons) * 30])
    ),
    position=wild,
    ruleset_version=wild,
    alert_claim=st.builds(
        AlertClaim,
        st.sampled_from(Severity),
        st.just(NOW),
        st.just(SuppressedPayments())
        | st.just(SuppressedPayments(10**6, totals={"USD": Decimal(10**15), "JPY": Decimal(10**15)})),
    ),
)


@given(wild_rows)
@settings(max_examples=60)
def test_any_row_makes_a_message_that_sns_takes(flagged: FlaggedTransaction) -> None:
    message = render(make_alert(flagged, NOW))

    texts = json.loads(message.body)
    attributes = message.attributes.items()
    size = len(message.body.encode()) + sum(
        len(name) + len(one.data_type) + len(one.value.encode()) for name, one in attributes
    )
    assert size <= MAX_MESSAGE_BYTES
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert 0 < len(message.subject) <= MAX_SUBJECT_CHARACTERS
    assert gsm_line(texts["sms"], MAX_SMS_SEPTETS) == texts["sms"]
    assert gsm_septets(texts["sms"]) <= MAX_SMS_SEPTETS
    assert all(line.isprintable() for line in texts["email"].split("\n"))
    assert "://" not in texts["email"]
    assert all(one.value and one.value.isprintable() for _, one in attributes)
    assert len(decode_alert(texts["default"]).reasons) <= MAX_REASONS


@pytest.mark.parametrize("character", ['"', "\\", "😀", "\u0600"])
def test_largest_alert_stays_within_what_sns_takes(character: str) -> None:
    long = character * 10_000
    flagged = msgspec.structs.replace(
        make_claimed(),
        **dict.fromkeys(("transaction_id", "user_id", "country", "merchant_id", "channel", "payee_id"), long),
        event_key=f"2026#{long}",
        location=Location(city=long, country=long),
        reasons=tuple(Reason(long, 1, long) for _ in range(100)),
    )

    message = render(make_alert(flagged, NOW))

    assert len(message.body.encode()) + len(message.attributes["rule_ids"].value.encode()) < MAX_MESSAGE_BYTES
