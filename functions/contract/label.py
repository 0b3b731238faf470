"""What somebody says a payment was: the message that producers send, the label that is stored, and which of several labels counts.

A label is never changed and never deleted: who has changed their mind sends another one, or withdraws the first by its id. So what counts
is a function of the set of a payment's labels, in whatever order they arrive (docs/decisions/0025-labels.md).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from contract.clock import Instant
from contract.required_fields import Id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

LABELS_TABLE: Final = "labels"

LEAST_CONFIDENCE: Final = 0.5
"""A label that its own source holds for less likely than this is stored and does not count."""

LabelId = Annotated[str, Meta(pattern=r"^[!-\"$-~]{1,64}$")]
"""1 to 64 printable characters of ASCII without space and ``#``, such as the number of a dispute."""

EventKey = Annotated[str, Meta(max_length=256)]
"""Longer than the key of any row, and short enough for DynamoDB to look for it."""

Confidence = Annotated[float, Meta(ge=0, le=1)]
"""How sure the source is of its verdict, 0 to 1."""


class LabelVerdict(StrEnum):
    """What a label says."""

    FRAUD = "fraud"
    LEGITIMATE = "legitimate"
    WITHDRAWN = "withdrawn"
    """An earlier label, which it names, does not count any more."""


class LabelSource(StrEnum):
    """Who says it."""

    ANALYST = "analyst"
    """Somebody who has looked at the payment."""
    CUSTOMER = "customer"
    """The payer, who recognises the payment or does not."""
    CHARGEBACK = "chargeback"
    """A dispute that was opened for fraud, or that was decided."""
    EARLY_WARNING = "early_warning"
    """An issuer's report of fraud before any dispute: a card scheme's report (TC40, SAFE) or an alert service's."""


class FraudType(StrEnum):
    """What kind of fraud it was."""

    CARD_NOT_PRESENT = "card_not_present"
    """A stolen number, used at a distance."""
    ACCOUNT_TAKEOVER = "account_takeover"
    """Somebody else acted as the user."""
    AUTHORISED_PUSH_PAYMENT = "authorised_push_payment"
    """The user was deceived into paying."""
    LOST_OR_STOLEN = "lost_or_stolen"
    """The card itself, in other hands."""
    NOT_RECEIVED = "not_received"
    """A card that was taken on its way to the user."""
    COUNTERFEIT = "counterfeit"
    """A copy of the card."""
    APPLICATION = "application"
    """An account that was opened under a false or stolen identity."""
    FIRST_PARTY = "first_party"
    """The user made the payment and disputes it."""
    MULE = "mule"
    """The account passes on stolen money."""
    MERCHANT = "merchant"
    """The merchant defrauds its customers."""
    OTHER = "other"


class LabelMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message of the labels queue: one label of one payment, as JSON.

    The payment is named by ``transaction_id``. Where several payments have the id, ``user_id`` is needed too; where several payments of one
    user have it, ``timestamp`` or ``event_key``.
    """

    transaction_id: Id
    """The payment's, as its sender gave it."""
    verdict: LabelVerdict
    """``fraud``, ``legitimate``, or ``withdrawn`` with the id of the label that does not count any more in ``withdraws``."""
    source: LabelSource
    """Who says it."""
    fraud_type: FraudType | None = None
    """Of a fraud: its kind, where it is known."""
    confidence: Confidence = 1.0
    """How sure the source is of its verdict. Below 0.5 the label is stored and does not count."""
    known_at: Instant | None = None
    """When the source came to know it, RFC 3339 with a zone; without it, when the message was sent. It decides which of two labels is the newer."""
    user_id: Id | None = None
    """The payment's user. Required where the index of the history by transaction id is switched off."""
    timestamp: Instant | None = None
    """The payment's time as its sender gave it, RFC 3339 with a zone. Required where that index is switched off."""
    event_key: EventKey | None = None
    """Sort key of the payment's row in ``transaction_history``, as alerts give it."""
    label_id: LabelId | None = None
    """The source's own reference. A label that is sent again under the same id is the same label. Without one, the content is hashed."""
    withdraws: LabelId | None = None
    """Of ``withdrawn``: the id of the label, which must be one of the same payment."""


class IdentifiedLabel(LabelMessage, frozen=True, kw_only=True, omit_defaults=True):
    """A message whose label can be stored: it has an id, and a time at which it became known."""

    known_at: Instant
    """When the source came to know it, UTC."""
    label_id: LabelId
    """The source's own reference, or a hash of the content."""


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``labels``; the fields are its attributes."""

    user_id: Id
    """The payment's user; the table's partition."""
    event_key: str
    """With ``user_id`` the key of the payment's row in ``transaction_history``."""
    label_id: LabelId
    """Of one label among those of its payment."""
    transaction_id: Id
    """The payment's, as its sender gave it."""
    occurred_at: Instant
    """The payment's time, where it is believed; else the time at which Kafka took it. UTC."""
    verdict: LabelVerdict
    """``fraud``, ``legitimate``, or ``withdrawn``."""
    source: LabelSource
    """Who says it."""
    fraud_type: FraudType | None = None
    """Of a fraud: its kind, where it is known."""
    confidence: Confidence = 1.0
    """How sure the source is."""
    known_at: Instant
    """When the source came to know it, UTC. What is learnt as of a time uses labels that were known then."""
    withdraws: LabelId | None = None
    """The id of the label that does not count any more."""
    recorded_at: Instant
    """When this row was made, UTC."""
    entity_ids: tuple[str, ...] = ()
    """The payment's card, device, address, merchant and payee, as :func:`contract.entity_ids.entity_name` writes them; the flagged row has the same."""
    seen: tuple[int, ...] = ()
    """Hashes of the payment's values, as a profile remembers them; 0 for none."""
    expires_at: int
    """When DynamoDB may delete the row, seconds since the epoch."""

    @property
    def is_fraud(self) -> bool:
        """Whether it says that the payment was fraud."""
        return self.verdict is LabelVerdict.FRAUD


_FORMAL: Final = frozenset({LabelSource.ANALYST, LabelSource.CHARGEBACK})


def effective(labels: Iterable[Label]) -> Label | None:
    """Give the one label of a payment that counts.

    1. A label that a withdrawal names does not count, whichever of the two came first. A customer or an early warning withdraws no
       label of an analyst or a chargeback. Withdrawals cannot be withdrawn: to restore a label, its source sends it again under
       another id.
    2. A label of less confidence than :data:`LEAST_CONFIDENCE` does not count, nor does such a withdrawal.
    3. Analysts and chargebacks, who decide on evidence, come before customers and early warnings, which are claims.
    4. The label that became known last counts. Of two at the same time: the surer one, then the one that says fraud, then by id.

    Parameters
    ----------
    labels : Iterable[Label]
        All of one payment, in any order, each any number of times.

    Returns
    -------
    Label | None
        Its verdict is ``fraud`` or ``legitimate``; None where nothing counts.
    """
    believed = [label for label in labels if label.confidence >= LEAST_CONFIDENCE]
    withdrawals = [label for label in believed if label.verdict is LabelVerdict.WITHDRAWN]
    claims_withdrawn = {label.withdraws for label in withdrawals}
    withdrawn = {label.withdraws for label in withdrawals if label.source in _FORMAL}
    counting = [
        label
        for label in believed
        if label.verdict is not LabelVerdict.WITHDRAWN
        and label.label_id not in (withdrawn if label.source in _FORMAL else claims_withdrawn)
    ]
    return max(counting, key=_precedence, default=None)


def turns(labels: Iterable[Label]) -> int:
    """How often what counts has changed, in the order in which a payment's labels became known.

    A verdict that returns after another one is distinguished by it from the first time, and one that is only confirmed is not. So a
    profile, which remembers the verdicts that it has applied, applies the former and not the latter.
    """
    count, before, known = 0, None, []
    for label in sorted(labels, key=lambda label: (label.known_at, label.label_id)):
        known.append(label)
        now = effective(known)
        verdict = None if now is None else now.verdict
        count += verdict is not before
        before = verdict
    return count


def _precedence(label: Label) -> tuple[bool, datetime, float, bool, str]:
    return (label.source in _FORMAL, label.known_at, label.confidence, label.is_fraud, label.label_id)
