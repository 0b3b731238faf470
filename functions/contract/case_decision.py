"""A decision: what somebody says in one step about payments of a case, the labels that follow from it, and how it is undone.

Payments that were approved are in no case. Those that belong to the same attack are decided on together with the case.

A decision is a row of ``case_decisions``. Its labels are functions of the row, so whoever sends them again sends the same ones.
"""

from __future__ import annotations

import re
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from contract.case import SecondLook
from contract.clock import Instant
from contract.items import Item, from_item, to_item
from contract.label import (
    LEAST_CONFIDENCE,
    Confidence,
    EventKey,
    FraudType,
    IdentifiedLabel,
    LabelSource,
    LabelVerdict,
)
from contract.required_fields import Id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DECISIONS_TABLE: Final = "case_decisions"

MAX_DECIDED: Final = 45
"""Payments of one decision. It is written in one transaction with a row for each of its labels, and undone with two for each; DynamoDB takes 100."""

MAX_NOTE_CHARACTERS: Final = 2_000

_FORM_ID: Final = re.compile(r"[0-9A-Za-z_-]{16,64}")
_PART: Final = "."


class Ruling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody says about payments."""

    verdict: LabelVerdict
    """``fraud`` or ``legitimate``."""
    fraud_type: FraudType | None = None
    """Of a fraud: its kind, where it is known."""
    confidence: Confidence = 1.0
    """How sure this person is, 0.5 to 1. A label of less would not count, and its payment would stay undecided in a closed case."""
    note: str = ""
    """For whoever reads the case later, at most :data:`MAX_NOTE_CHARACTERS`. It is in no label."""

    @property
    def is_release(self) -> bool:
        """Whether it says legitimate."""
        return self.verdict is LabelVerdict.LEGITIMATE

    def __post_init__(self) -> None:
        """Refuse what no label may say."""
        if self.verdict is LabelVerdict.WITHDRAWN:
            raise ValueError("verdict: fraud or legitimate")
        if self.fraud_type is not None and self.verdict is not LabelVerdict.FRAUD:
            raise ValueError("fraud_type: only of the verdict fraud")
        if not LEAST_CONFIDENCE <= self.confidence <= 1:
            raise ValueError(f"confidence: outside {LEAST_CONFIDENCE} to 1")
        if len(self.note) > MAX_NOTE_CHARACTERS:
            raise ValueError(f"note: more than {MAX_NOTE_CHARACTERS} characters")


class DecidedPayment(msgspec.Struct, frozen=True, order=True):
    """A payment of a decision."""

    event_key: EventKey
    """With the case's user the key of its rows."""
    transaction_id: Id


class ApprovedPayment(DecidedPayment, frozen=True, order=True, omit_defaults=True):
    """A payment of a decision that was approved, and so has a row in the history alone and is in no case."""

    amount_base: Decimal | None = None
    """Major units of the case's base currency; None where its worth is not known."""
    was_fraud: bool = False
    """Whether its labels called it fraud when it was decided on."""


class DecisionKey(NamedTuple):
    """Key of a row of ``case_decisions``."""

    case_id: str
    decision_id: str


class CaseDecision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``case_decisions``; the fields are its attributes."""

    case_id: str
    decision_id: str
    """With ``case_id`` the key: of :func:`part_id`."""
    user_id: Id
    """Of the payments."""
    analyst: str
    """Who decided."""
    decided_at: Instant
    ruling: Ruling
    payments: tuple[DecidedPayment, ...]
    """Of the case, in the order of their keys; with ``approved`` 1 to :data:`MAX_DECIDED`."""
    amount_base: Decimal = Decimal(0)
    """Their money, major units of the case's base currency; payments without a rate are left out."""
    approved: tuple[ApprovedPayment, ...] = ()
    """Payments of the user that were approved, in the order of their keys. They count in no sum of the case."""
    has_closed: bool = False
    """Whether the case was closed with it."""
    ended_look: SecondLook | None = None
    """The contested look of the case that ended with this decision; undoing it brings the look back."""
    undone_by: str | None = None
    undone_at: Instant | None = None
    expires_at: int
    """When DynamoDB may delete the row, seconds since the epoch: with the case."""

    @property
    def key(self) -> DecisionKey:
        """Key of its row."""
        return DecisionKey(self.case_id, self.decision_id)

    @property
    def form_id(self) -> str:
        """Id of the form; a large one makes several decisions."""
        return self.decision_id.partition(_PART)[0]

    @property
    def event_keys(self) -> frozenset[str]:
        """Keys of its payments of the case."""
        return frozenset(payment.event_key for payment in self.payments)

    @property
    def worth_base(self) -> Decimal:
        """Money of all payments that it labels, major units of the case's base currency."""
        return self.amount_base + sum((each.amount_base or Decimal(0) for each in self.approved), Decimal(0))

    @property
    def is_release(self) -> bool:
        """Whether it calls its payments legitimate."""
        return self.ruling.is_release

    @property
    def is_contested(self) -> bool:
        """Whether a second person has withdrawn it: only a contest is undone by somebody else than who decided."""
        return self.undone_by not in {None, self.analyst}

    @property
    def labelled_keys(self) -> frozenset[str]:
        """Keys of all payments that it labels."""
        return self.event_keys | {payment.event_key for payment in self.approved}

    def says_the_same(self, analyst: str, ruling: Ruling, labelled_keys: Iterable[str]) -> bool:
        """Whether a form that is sent again is the one from which the decision was made."""
        return (self.analyst, self.ruling, self.labelled_keys) == (analyst, ruling, frozenset(labelled_keys))


def has_release(made: Iterable[CaseDecision]) -> bool:
    """Whether a decision holds that calls payments legitimate: a second person can withdraw that, and nothing else."""
    return any(each.is_release and each.undone_at is None for each in made)


def half_contested(made: Iterable[CaseDecision]) -> list[CaseDecision]:
    """Give the releases that hold though a second person has withdrawn another one that was made beside them: a contest did not end."""
    return [each for each in before_contest(made) if each.is_release and each.undone_at is None]


def before_contest(made: Iterable[CaseDecision]) -> list[CaseDecision]:
    """Give the decisions that were made before a contest. Who made one of them is not the second person who goes on with it."""
    made = list(made)
    contested_at = [each.undone_at for each in made if each.undone_at is not None and each.is_contested]
    return [each for each in made if any(each.decided_at < at for at in contested_at)]


def contested_keys(made: Iterable[CaseDecision]) -> frozenset[str]:
    """Give the payments of contested decisions on which no decision that holds has been made: they are to be decided anew."""
    contested, decided = set[str](), set[str]()
    for each in made:
        if each.undone_at is None:
            decided |= each.event_keys
        elif each.is_contested:
            contested |= each.event_keys
    return frozenset(contested - decided)


def part_id(form_id: str, number: int) -> str:
    """Id of the decision on a part of a form's payments.

    Parameters
    ----------
    form_id : str
        16 to 64 letters, digits, ``-`` and ``_``, made with the form, so that a form that is sent twice is one decision.
    number : int
        The part, from 0.

    Raises
    ------
    ValueError
        For a form's id of another form.

    Examples
    --------
    >>> part_id("0123456789abcdef", 0), part_id("0123456789abcdef", 2)
    ('0123456789abcdef', '0123456789abcdef.2')
    """
    if not _FORM_ID.fullmatch(form_id):
        raise ValueError("decision_id: not 16 to 64 letters, digits, - and _")
    return form_id if number == 0 else f"{form_id}{_PART}{number}"


def label_id_of(key: DecisionKey, event_key: str) -> str:
    """Id of the label that a decision gives a payment: 32 hexadecimal digits."""
    return _hash("label", *key, event_key)


def labels_of(decision: CaseDecision) -> tuple[IdentifiedLabel, ...]:
    """Give the labels of a decision as messages of the labels queue, one for each payment; those of approved payments come last.

    Each has the same id whenever it is made, so that however often it is sent, it is one label.
    """
    ruling = decision.ruling
    return tuple(
        IdentifiedLabel(
            transaction_id=payment.transaction_id,
            user_id=decision.user_id,
            event_key=payment.event_key,
            verdict=ruling.verdict,
            source=LabelSource.ANALYST,
            fraud_type=ruling.fraud_type,
            confidence=ruling.confidence,
            known_at=decision.decided_at,
            label_id=label_id_of(decision.key, payment.event_key),
        )
        for payment in (*decision.payments, *decision.approved)
    )


def withdrawals_of(decision: CaseDecision) -> tuple[IdentifiedLabel, ...]:
    """Give the labels that withdraw those of a decision that was undone. What counted for a payment before it counts again.

    Raises
    ------
    ValueError
        Of a decision that was not undone.
    """
    if decision.undone_at is None:
        raise ValueError("undone_at: missing")
    return tuple(
        IdentifiedLabel(
            transaction_id=label.transaction_id,
            user_id=label.user_id,
            event_key=label.event_key,
            verdict=LabelVerdict.WITHDRAWN,
            source=LabelSource.ANALYST,
            known_at=decision.undone_at,
            label_id=_hash("withdrawal", label.label_id),
            withdraws=label.label_id,
        )
        for label in labels_of(decision)
    )


def to_decision_item(decision: CaseDecision) -> Item:
    """Write the row in DynamoDB's wire form."""
    return to_item(decision)


def from_decision_item(item: Mapping[str, Any]) -> CaseDecision:
    """Read a row back; InvalidRowError names the attribute that is missing or cannot be read."""
    return from_item(DECISIONS_TABLE, item, CaseDecision)


def _hash(purpose: str, *parts: str) -> str:
    # The parts hold no zero character: ids and keys are checked for control characters.
    return blake2b("\0".join((purpose, *parts)).encode(), digest_size=16, person=b"case label").hexdigest()
