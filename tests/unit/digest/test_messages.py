"""A digest reads well on a phone, parses well in a queue, and stays within SNS's limits."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.sanitizing import gsm_septets
from common.topic import MAX_MESSAGE_BYTES, MAX_SMS_SEPTETS, MAX_SUBJECT_CHARACTERS
from contract.alert import AlertDigest, AlertKind, Severity, SuppressedPayments, decode_message
from contract.canary import CANARY_ATTRIBUTE
from contract.currency import MINOR_UNIT_EXPONENT
from digest.messages import make_digest, render
from tests.support.links import LINK
from tests.support.payments import NOW

PAYMENTS = SuppressedPayments(
    count=6,
    id="00000000-0000-5000-8000-000000000001",
    totals={"USD": Decimal(47500), "JPY": Decimal(900)},
    blocked=5,
    severity=Severity.CRITICAL,
    risk_score=95,
    first_at=NOW,
    last_at=NOW + timedelta(minutes=9),
)


def texts_of(user_id: str = "user-1", **changes: Any) -> dict[str, str]:
    message = render(make_digest(user_id, msgspec.structs.replace(PAYMENTS, **changes), NOW))
    texts: dict[str, str] = json.loads(message.body)
    return texts | {"subject": message.subject}


def test_digest_is_readable() -> None:
    texts = texts_of()

    assert (
        texts["subject"] == "[CRITICAL] Fraud digest: 6 more payments, 900 JPY and 47,500.00 USD, user user-1"
    )
    assert texts["sms"] == "CRITICAL digest: 6 more payments, 900 JPY and 47,500.00 USD, user user-1"
    assert texts["email"] == (
        "CRITICAL: 6 more suspicious payments, 900 JPY and 47,500.00 USD in total, were not alerted on one by one; "
        "5 blocked, highest risk score 95.\n"
        "\n"
        "Payments not alerted on\n"
        '  User        "user-1"\n'
        "  Payments    6, of them 5 blocked\n"
        "  Total       900 JPY and 47,500.00 USD\n"
        "  Highest     risk score 95\n"
        "  First       2026-03-01 12:00:00 UTC\n"
        "  Last        2026-03-01 12:09:00 UTC\n"
        "\n"
        "Digest 00000000-0000-5000-8000-000000000001; the rows of its payments name it as suppression_id.\n"
    )


def test_a_digest_leads_to_its_case_where_there_is_a_console() -> None:
    digest = make_digest("user-1", PAYMENTS, NOW, "https://console.example/v1")

    link = "https://console.example/v1/alerts/00000000-0000-5000-8000-000000000001"
    texts = json.loads(render(digest).body)
    assert json.loads(texts["default"])["link"] == link
    assert texts["email"].splitlines()[1:4] == ["", f"Case: {link}", ""]


def test_digest_of_one_payment_says_payment() -> None:
    texts = texts_of(count=1, totals={"USD": Decimal(5)})

    assert "1 more suspicious payment, 5.00 USD in total, was not" in texts["email"]
    assert texts["sms"] == "CRITICAL digest: 1 more payment, 5.00 USD, user user-1"


def test_machines_receive_the_digest_and_its_kind() -> None:
    digest = make_digest("user-1", PAYMENTS, NOW)

    default = texts_of()["default"]

    assert decode_message(default) == digest
    document = json.loads(default)
    assert (document["kind"], document["schema_version"]) == ("digest", "2")
    assert document["payments"]["totals"] == {"JPY": "900", "USD": "47500"}


def test_attributes_are_what_filter_policies_ask_for() -> None:
    attributes = render(make_digest("user-1", PAYMENTS, NOW)).attributes

    assert {name: (one.data_type, one.value) for name, one in attributes.items()} == {
        "alert_id": ("String", "00000000-0000-5000-8000-000000000001"),
        "kind": ("String", "digest"),
        "severity": ("String", "critical"),
        "risk_score": ("Number", "95"),
        "schema_version": ("String", "2"),
    }


@pytest.mark.parametrize(("user_id", "attribute"), [("canary-flagged-3", "true"), ("canary-islands", None)])
def test_only_a_canary_s_digest_has_its_attribute(user_id: str, attribute: str | None) -> None:
    attributes = render(make_digest(user_id, PAYMENTS, NOW)).attributes

    found = attributes.get(CANARY_ATTRIBUTE)
    assert (None if found is None else found.value) == attribute


def test_copy_of_a_digest_is_the_same_bytes_in_whatever_order_its_sums_are_stored() -> None:
    reversed_totals = dict(reversed(PAYMENTS.totals.items()))

    assert texts_of(totals=reversed_totals) == texts_of()


@pytest.mark.parametrize(
    ("user_id", "shown"),
    [("x. Call +1 900 555", 'user "x. Call +1 900 555"'), ("evil.com", 'user "evil[.]com"')],
)
def test_user_id_cannot_be_read_as_our_words_or_as_a_link(user_id: str, shown: str) -> None:
    texts = texts_of(user_id)

    assert texts["subject"].endswith(shown)
    assert texts["sms"].endswith(shown)


@given(
    st.text(max_size=600),
    st.dictionaries(
        st.sampled_from(sorted(MINOR_UNIT_EXPONENT)),
        st.decimals(0, 10**15, places=2, allow_nan=False),
        min_size=1,
    ),
    st.integers(1, 10**9),
)
def test_any_digest_is_a_message_that_sns_takes(user_id: str, totals: dict[str, Decimal], count: int) -> None:
    payments = msgspec.structs.replace(PAYMENTS, totals=totals, count=count)
    message = render(make_digest(user_id, payments, NOW))

    texts = json.loads(message.body)
    digest = decode_message(texts["default"])
    assert isinstance(digest, AlertDigest)
    assert digest.kind is AlertKind.DIGEST
    assert len(message.body.encode()) < MAX_MESSAGE_BYTES
    assert len(message.subject) <= MAX_SUBJECT_CHARACTERS
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert gsm_septets(texts["sms"]) <= MAX_SMS_SEPTETS
    assert not LINK.search(texts["sms"])
    assert all(attribute.value for attribute in message.attributes.values())
    assert len(texts["email"].splitlines()) <= 11
