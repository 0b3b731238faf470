"""What a label is about: its payment as far as the label's effects need it, from the history, an earlier label or its flagged row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from contract.channels import channel_of
from contract.entity_ids import entity_ids, entity_name, id_of_name
from contract.errors import InvalidLabelError
from contract.flagged import FlaggedKey
from engine.entities.risk import has_risk, with_risk
from engine.profile.facts import facts_of_row
from engine.profile.fingerprints import value_hash
from engine.profile.seen_values import SeenKind
from label.finder import NEAR_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from contract.flagged import FlaggedTransaction
    from contract.label import Label, LabelMessage
    from label.finder import Payment


class Subject(NamedTuple):
    """A payment that is labelled."""

    key: FlaggedKey
    """Of its row in the history, and of its flagged row if it has one."""
    occurred_at: datetime
    """Its time, UTC."""
    entity_ids: tuple[str, ...]
    """Its card, device, address, merchant and payee, by name."""
    seen: tuple[int, ...]
    """Hashes of its values, as a profile remembers them; 0 for none."""
    is_to_be_flagged: bool | None
    """Whether it must have a flagged row; None where the history has no row any more that would say so."""


def of_payment(payment: Payment) -> Subject:
    """Take a payment from its row in the history; InvalidRowError where that cannot be read."""
    facts = facts_of_row(payment.row, payment.key.event_key)
    return Subject(
        payment.key,
        payment.row.occurred_at,
        tuple([entity_name(entity_id) for entity_id in with_risk(entity_ids(facts.transaction))]),
        tuple([value or 0 for value in facts.seen]),
        payment.row.is_to_be_flagged,
    )


def of_flagged(flagged: FlaggedTransaction) -> Subject:
    """Take a payment that the history has no row of any more from its flagged row, which is kept for as long as people may decide on it."""
    seen = {
        SeenKind.COUNTRY: flagged.country,
        SeenKind.DEVICE: flagged.device_id,
        SeenKind.MERCHANT: flagged.merchant_id,
        SeenKind.PAYEE: flagged.payee_id,
        SeenKind.CHANNEL: None if flagged.channel is None else channel_of(flagged.channel),
        SeenKind.CURRENCY: flagged.currency,
    }
    return Subject(
        flagged.key,
        flagged.occurred_at,
        tuple(name for name in flagged.entity_ids if has_risk(id_of_name(name))),
        tuple(value_hash(kind, seen[kind]) or 0 for kind in SeenKind),
        True,
    )


def of_earlier_labels(message: LabelMessage, labels: Iterable[Label]) -> Subject | None:
    """Take a payment that the history has no row of any more from what was said of it before.

    Labels are stored for longer than payments, so a dispute that ends after half a year still corrects the label that it began with.

    Parameters
    ----------
    message : LabelMessage
        Names the payment.
    labels : Iterable[Label]
        Of the user whom the message names.

    Returns
    -------
    Subject | None
        None where no labelled payment matches.

    Raises
    ------
    InvalidLabelError
        Where several do.
    """
    found = {
        label.event_key: label
        for label in labels
        if label.transaction_id == message.transaction_id
        and message.event_key in (None, label.event_key)
        and (message.timestamp is None or abs(label.occurred_at - message.timestamp) <= NEAR_TIME)
    }
    if len(found) > 1:
        raise InvalidLabelError(
            "event_key", f"missing; {len(found)} earlier payments of one user have this transaction_id"
        )
    for label in found.values():
        key = FlaggedKey(label.user_id, label.event_key)
        return Subject(key, label.occurred_at, label.entity_ids, label.seen, None)
    return None
