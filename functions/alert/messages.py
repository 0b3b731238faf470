"""An alert as people and machines read it, and :func:`send_fraud_alert`, which puts it on the topic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from common.alert_link import alert_link
from common.alert_text import (
    MAX_FIELD_CHARACTERS,
    MAX_SENTENCE_CHARACTERS,
    money,
    named,
    quoted_text,
    shown,
    sums,
)
from common.sanitizing import ascii_line, gsm_line, gsm_septets, printable
from common.topic import (
    MAX_SMS_SEPTETS,
    MAX_SUBJECT_CHARACTERS,
    AlertMessage,
    MessageAttribute,
)
from contract.alert import (
    ALERT_SCHEMA_VERSION,
    AgainReason,
    Alert,
    AlertKind,
    AlertTransaction,
    SuppressedPayments,
    encode_message,
)
from contract.canary import CANARY_ATTRIBUTE, is_canary
from contract.errors import InvalidRowError
from contract.flagged import FLAGGED_TABLE
from contract.reason import Reason
from contract.scored import Decision
from contract.transaction import Location

if TYPE_CHECKING:
    from datetime import datetime

    from common.topic import Topic
    from contract.flagged import FlaggedTransaction

MAX_REASONS: Final = 40
"""Reasons in an alert, the first ones; the flagged row holds them all."""

_MAX_KEY_CHARACTERS = 2 * MAX_FIELD_CHARACTERS
_MAX_RULE_ID_CHARACTERS = 128
_MAX_EMAIL_REASONS = 10
_COUNTRY_CODE = re.compile(r"[A-Za-z]{2}")
_AGAIN = {
    AgainReason.SEVERITY: "This payment is more severe than what was alerted before.",
    AgainReason.AMOUNT: "Much more money is at stake than was alerted before.",
}
_VERB = {Decision.BLOCK: "blocked", Decision.REVIEW: "held for review", Decision.APPROVE: "approved"}


def send_fraud_alert(
    flagged: FlaggedTransaction, topic: Topic, alerted_at: datetime, console_url: str = ""
) -> Alert:
    """Turn a flagged transaction into a message on the topic.

    Parameters
    ----------
    flagged : FlaggedTransaction
        Claimed: with the alert's id and what the alert says of its window.
    topic : Topic
        Where the alert goes.
    alerted_at : datetime
        The clock, aware.
    console_url : str
        Where people open the console; empty without one.

    Returns
    -------
    Alert
        As it was published.

    Raises
    ------
    InvalidRowError
        When the row is not claimed.
    PublishError
        When SNS did not accept it.
    """
    alert = make_alert(flagged, alerted_at, console_url)
    topic.publish(render(alert))
    return alert


def make_alert(flagged: FlaggedTransaction, alerted_at: datetime, console_url: str = "") -> Alert:
    """Make the alert of a claimed payment, with what an alert may show: no address, no device, four characters of the card."""
    claim = flagged.alert_claim
    if claim is None or flagged.alert_id is None:
        raise InvalidRowError(FLAGGED_TABLE, "alert_claim", "missing on a row whose alert is to be sent")
    reasons = tuple(
        Reason(
            printable(reason.rule_id, _MAX_RULE_ID_CHARACTERS),
            reason.points,
            printable(reason.sentence, MAX_SENTENCE_CHARACTERS),
        )
        for reason in flagged.reasons[:MAX_REASONS]
    )
    headline = (
        f"Payment of {money(flagged.rounded_amount, flagged.currency)} {_VERB[flagged.decision]}, "
        f"risk score {flagged.risk_score}: {reasons[0].sentence if reasons else 'no rule named.'}"
    )
    return Alert(
        schema_version=ALERT_SCHEMA_VERSION,
        kind=AlertKind.FIRST if claim.again is None else AlertKind.AGAIN,
        again=claim.again,
        alert_id=flagged.alert_id,
        severity=claim.severity,
        decision=flagged.decision,
        risk_score=flagged.risk_score,
        headline=headline,
        reasons=reasons,
        transaction=AlertTransaction(
            transaction_id=_field(flagged.transaction_id),
            amount=flagged.amount,
            currency=flagged.currency,
            amount_base=flagged.amount_base,
            base_currency=flagged.base_currency,
            occurred_at=flagged.occurred_at,
            country=_optional(flagged.country, 64),
            location=_location(flagged.location),
            merchant_id=_optional(flagged.merchant_id),
            merchant_category=_optional(flagged.merchant_category),
            channel=_optional(flagged.channel),
            card_last4=_last4(flagged.card_id),
            payee_id=_optional(flagged.payee_id),
        ),
        user_id=_field(flagged.user_id),
        event_key=printable(flagged.event_key, _MAX_KEY_CHARACTERS),
        window_start=claim.window_start,
        suppressed_before=claim.suppressed_before,
        position=_field(flagged.position),
        ruleset_version=_field(flagged.ruleset_version),
        scored_degraded=flagged.degraded,
        appended_at=flagged.appended_at,
        scored_at=flagged.scored_at,
        alerted_at=alerted_at,
        link=alert_link(console_url, flagged.alert_id),
    )


def render(alert: Alert) -> AlertMessage:
    """Write an alert for each protocol.

    Parameters
    ----------
    alert : Alert
        Each of its texts on one line, as :func:`make_alert` makes them.

    Returns
    -------
    AlertMessage
        Within SNS's limits, whatever the alert holds. Queues, functions and webhooks receive ``default``.
    """
    texts = {"default": encode_message(alert).decode(), "email": email_text(alert), "sms": sms_text(alert)}
    return AlertMessage(subject_line(alert), msgspec.json.encode(texts).decode(), _attributes(alert))


def subject_line(alert: Alert) -> str:
    """Write the e-mail's subject, most important first, so that an inbox can be sorted by it."""
    payment = alert.transaction
    return ascii_line(
        f"[{alert.severity.upper()}] Fraud alert{_again(alert)}: {money(payment.amount, payment.currency)} {_VERB[alert.decision]}, "
        f"score {alert.risk_score}, user {named(alert.user_id)}",
        MAX_SUBJECT_CHARACTERS,
    )


def sms_text(alert: Alert) -> str:
    """Write one SMS: severity, score, money, user, reason and how many payments were only counted, as far as it fits."""
    payment = alert.transaction
    # The country has no quotation marks here, so free text of the sender's would read as ours.
    place = f" {payment.country}" if payment.country and _COUNTRY_CODE.fullmatch(payment.country) else ""
    head = gsm_line(
        f"{alert.severity.upper()}{_again(alert)} {alert.risk_score}: {money(payment.amount, payment.currency)} "
        f"{_VERB[alert.decision]}{place}, user {named(alert.user_id)}",
        MAX_SMS_SEPTETS,
    )
    more = f" (+{alert.suppressed_before.count} more)" if alert.suppressed_before.count else ""
    why = f". {shown(alert.reasons[0].sentence)}" if alert.reasons else ""
    room = MAX_SMS_SEPTETS - gsm_septets(more)
    return gsm_line(head + why, room) + more if gsm_septets(head) <= room else head


def email_text(alert: Alert) -> str:
    """Write the e-mail: one fact a line, so that no field of the sender's can imitate another."""
    payment = alert.transaction
    facts = {
        "Amount": money(payment.amount, payment.currency),
        "When": payment.occurred_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "Where": _place(payment),
        "Merchant": quoted_text(payment.merchant_id),
        "Category": quoted_text(payment.merchant_category),
        "Channel": quoted_text(payment.channel),
        "Card": f"ending in {shown(payment.card_last4)}" if payment.card_last4 else None,
        "Payee": quoted_text(payment.payee_id),
        "User": quoted_text(alert.user_id),
        "Transaction": quoted_text(payment.transaction_id),
    }
    lines = [f"{alert.severity.upper()}: {shown(alert.headline)}"]
    if alert.link is not None:
        lines += ["", f"Case: {alert.link}"]
    if alert.again is not None:
        lines += ["", f"Alerted again. {_AGAIN[alert.again]}"]
    lines += ["", "Payment"]
    lines += [f"  {name:<12}{fact}" for name, fact in facts.items() if fact]
    lines += ["", "Why"]
    lines += [
        f"  {reason.points:+4d}  {shown(reason.sentence)} ({shown(reason.rule_id)})"
        for reason in alert.reasons[:_MAX_EMAIL_REASONS]
    ]
    if len(alert.reasons) > _MAX_EMAIL_REASONS:
        lines.append(f"        and {len(alert.reasons) - _MAX_EMAIL_REASONS} more")
    if alert.suppressed_before.count:
        lines += ["", suppressed_sentence(alert.suppressed_before)]
    if alert.scored_degraded:
        lines += ["", "Scored from stored history: the profile cache could not be used."]
    lines += [
        "",
        f"Alert {alert.alert_id}, ruleset {shown(alert.ruleset_version)}, {shown(alert.position)}",
    ]
    return "\n".join(lines) + "\n"


def suppressed_sentence(suppressed: SuppressedPayments) -> str:
    """Say how many payments were not alerted on one by one, and their sums.

    Examples
    --------
    >>> from decimal import Decimal
    >>> suppressed_sentence(SuppressedPayments(3, totals={"EUR": Decimal("1200.5")}))
    "Since this user's message before, 3 more suspicious payments, 1,200.50 EUR in total, were not alerted on one by one."
    """
    payments, verb = ("payment", "was") if suppressed.count == 1 else ("payments", "were")
    return (
        f"Since this user's message before, {suppressed.count} more suspicious {payments}, {sums(suppressed.totals)} in total, "
        f"{verb} not alerted on one by one."
    )


def _again(alert: Alert) -> str:
    return "" if alert.again is None else " again"


def _attributes(alert: Alert) -> dict[str, MessageAttribute]:
    rule_ids = [reason.rule_id for reason in alert.reasons]
    attributes = {
        "alert_id": MessageAttribute("String", alert.alert_id),
        "kind": MessageAttribute("String", alert.kind.value),
        "severity": MessageAttribute("String", alert.severity.value),
        "decision": MessageAttribute("String", alert.decision.value),
        "risk_score": MessageAttribute("Number", str(alert.risk_score)),
        "rule_ids": MessageAttribute("String.Array", msgspec.json.encode(rule_ids).decode()),
        "schema_version": MessageAttribute("String", alert.schema_version),
    }
    if alert.transaction.country:  # SNS refuses an empty value
        attributes["country"] = MessageAttribute("String", alert.transaction.country)
    if is_canary(alert.user_id):
        attributes[CANARY_ATTRIBUTE] = MessageAttribute("String", "true")
    return attributes


def _place(payment: AlertTransaction) -> str | None:
    match payment.location:
        case str():
            return quoted_text(payment.location)
        case Location(city=str(city)) if payment.country:
            return f"{quoted_text(city)}, {quoted_text(payment.country)}"
        case Location(city=str(city)):
            return quoted_text(city)
    return quoted_text(payment.country)


def _location(location: str | Location | None) -> str | Location | None:
    if isinstance(location, Location):
        return msgspec.structs.replace(
            location, country=_optional(location.country, 64), city=_optional(location.city, 128)
        )
    return _optional(location)


def _last4(card_id: str | None) -> str | None:
    # Four of four characters would be the whole token.
    return _field(card_id[-4:]) if card_id and len(card_id) > 4 else None


def _field(text: str) -> str:
    return printable(text, MAX_FIELD_CHARACTERS)


def _optional(text: str | None, limit: int = MAX_FIELD_CHARACTERS) -> str | None:
    # None for white space, too: SNS refuses empty values.
    return (printable(text, limit) or None) if text else None
