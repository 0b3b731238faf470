"""A stored decision made again, from its row and the ruleset that was active then. Pure: a row in, what follows from it out.

A row holds every feature that was used, so its decision follows from it and its ruleset's document, whatever other users did meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from contract.scored import OtherVerdict
from contract.side import Side
from engine.decide import assess
from engine.decided import Assessment
from engine.features.catalogue import CATALOGUE
from engine.features.definition import absent_values
from engine.features.model import FRAUD_PROBABILITY
from engine.features.stored import unpack
from engine.profile.facts import facts_of_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contract.scored import FeatureValue, ScoredTransaction
    from engine.rules.ruleset import Ruleset

OF_ASSESSMENT: Final = ("decision", "risk_score", "reasons", "shadow_rule_ids", "failed_rule_ids")
"""What a row keeps of an assessment."""

_ABSENT: Final = absent_values(CATALOGUE)


class UnknownRulesetError(Exception):
    """A ruleset that is not kept, or cannot be read by this version."""


class Difference(msgspec.Struct, frozen=True):
    """Something that a row says otherwise than what follows from it."""

    name: str
    """Of the row's field, or of the feature."""
    stored: object
    computed: object


class MadeAgain(msgspec.Struct, frozen=True):
    """A decision made again."""

    side: Side
    """Which side of the ruleset decides."""
    assessment: Assessment
    other: OtherVerdict | None
    """What the other side says; None where the ruleset has one side."""
    fraud_probability: float
    """Of the model of the side that decides; 0 without one."""
    differences: tuple[Difference, ...]


def stored_features(row: ScoredTransaction) -> dict[str, FeatureValue]:
    """All features of the catalogue, as a row holds them.

    Raises
    ------
    FeatureSetError
        Where they are of a catalogue that is not known here, or damaged.
    """
    return _ABSENT | unpack(row.features, row.feature_set)


def made_again(row: ScoredTransaction, ruleset: Ruleset, features: Mapping[str, FeatureValue]) -> MadeAgain:
    """Make a decision again.

    Parameters
    ----------
    row : ScoredTransaction
        As stored; it repeats no other payment.
    ruleset : Ruleset
        That was active.
    features : Mapping[str, FeatureValue]
        Of :func:`stored_features`.
    """
    clock_ms, candidate = facts_of_row(row).clock_ms, ruleset.candidate
    side = Side.CHAMPION if candidate is None else candidate.draw.side_of(row.transaction.user_id)
    deciding = ruleset.of_side(side)
    ours = assess(deciding, features, row.transaction, clock_ms)
    other = None
    if candidate is not None:
        theirs = assess(
            ruleset if deciding is not ruleset else candidate.ruleset, features, row.transaction, clock_ms
        )
        other = OtherVerdict(theirs.decision, theirs.risk_score)
    model = deciding.model
    probability = (
        float(_ABSENT[FRAUD_PROBABILITY]) if model is None else model.model.fraud_probability(features)
    )
    pairs = (
        ("side", row.side, side),
        *((name, getattr(row, name), getattr(ours, name)) for name in OF_ASSESSMENT),
        ("other", row.other, other),
        (FRAUD_PROBABILITY, features[FRAUD_PROBABILITY], probability),
    )
    return MadeAgain(side, ours, other, probability, differing(pairs))


def differing(pairs: Iterable[tuple[str, object, object]]) -> tuple[Difference, ...]:
    """Of names with what is stored and what is computed, those that differ."""
    return tuple(Difference(name, stored, computed) for name, stored, computed in pairs if stored != computed)
