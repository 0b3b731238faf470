"""A digest as people and machines read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from common.alert_link import alert_link
from common.alert_text import MAX_FIELD_CHARACTERS, named, quoted_text, sums
from common.sanitizing import ascii_line, gsm_line, printable
from common.topic import MAX_SMS_SEPTETS, MAX_SUBJECT_CHARACTERS, AlertMessage, MessageAttribute
from contract.alert import ALERT_SCHEMA_VERSION, AlertDigest, AlertKind, Severity, encode_message
from contract.canary import CANARY_ATTRIBUTE, is_canary

if TYPE_CHECKING:
    from datetime import datetime

    from contract.alert import SuppressedPayments


def make_digest(
    user_id: str, payments: SuppressedPayments, alerted_at: datetime, console_url: str = ""
) -> AlertDigest:
    """Make the digest of a claimed count.

    Parameters
    ----------
    user_id : str
        Whose payments they are.
    payments : SuppressedPayments
        At least one.
    alerted_at : datetime
        The clock, aware.
    console_url : str
        Where people open the console; empty without one.
    """
    noun, verb = ("payment", "was") if payments.count == 1 else ("payments", "were")
    return AlertDigest(
        schema_version=ALERT_SCHEMA_VERSION,
        kind=AlertKind.DIGEST,
        alert_id=str(payments.id),
        severity=payments.severity or Severity.MEDIUM,
        headline=(
            f"{payments.count} more suspicious {noun}, {sums(payments.totals)} in total, "
            f"{verb} not alerted on one by one; {payments.blocked} blocked, highest risk score {payments.risk_score}."
        ),
        user_id=printable(user_id, MAX_FIELD_CHARACTERS),
        payments=payments,
        alerted_at=alerted_at,
        link=alert_link(console_url, str(payments.id)),
    )


def render(digest: AlertDigest) -> AlertMessage:
    """Write a digest for each protocol, within SNS's limits. Queues, functions and webhooks receive ``default``."""
    texts = {"default": encode_message(digest).decode(), "email": email_text(digest), "sms": sms_text(digest)}
    attributes = {
        "alert_id": MessageAttribute("String", digest.alert_id),
        "kind": MessageAttribute("String", digest.kind.value),
        "severity": MessageAttribute("String", digest.severity.value),
        "risk_score": MessageAttribute("Number", str(digest.payments.risk_score)),
        "schema_version": MessageAttribute("String", digest.schema_version),
    }
    if is_canary(digest.user_id):
        attributes[CANARY_ATTRIBUTE] = MessageAttribute("String", "true")
    return AlertMessage(subject_line(digest), msgspec.json.encode(texts).decode(), attributes)


def subject_line(digest: AlertDigest) -> str:
    """Write the e-mail's subject, most important first, so that an inbox can be sorted by it."""
    return ascii_line(f"[{digest.severity.upper()}] Fraud digest: {_short(digest)}", MAX_SUBJECT_CHARACTERS)


def sms_text(digest: AlertDigest) -> str:
    """Write one SMS."""
    return gsm_line(f"{digest.severity.upper()} digest: {_short(digest)}", MAX_SMS_SEPTETS)


def email_text(digest: AlertDigest) -> str:
    """Write the e-mail: one fact a line."""
    payments = digest.payments
    facts = {
        "User": quoted_text(digest.user_id),
        "Payments": f"{payments.count}, of them {payments.blocked} blocked",
        "Total": sums(payments.totals),
        "Highest": f"risk score {payments.risk_score}",
        "First": _time(payments.first_at),
        "Last": _time(payments.last_at),
    }
    lines = [f"{digest.severity.upper()}: {digest.headline}", ""]
    lines += [f"Case: {digest.link}", ""] if digest.link is not None else []
    lines += ["Payments not alerted on"]
    lines += [f"  {name:<12}{fact}" for name, fact in facts.items() if fact]
    lines += ["", f"Digest {digest.alert_id}; the rows of its payments name it as suppression_id."]
    return "\n".join(lines) + "\n"


def _short(digest: AlertDigest) -> str:
    payments = digest.payments
    noun = "payment" if payments.count == 1 else "payments"
    return f"{payments.count} more {noun}, {sums(payments.totals)}, user {named(digest.user_id)}"


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")
