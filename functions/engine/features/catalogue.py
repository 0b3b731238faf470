"""All features: the families in the order in which a history row stores their values, and the one call that computes them.

Each family is a file: its features' definitions, and beside them their computation. The rules' CEL environment and
docs/features.md are made from these definitions.

Windows cover payments up to and including the one that is scored, by the payment's clock (:mod:`contract.clock`). A window of an
hour is the half-open interval (t - 1 h, t]. A *usual* payment is one that teaches what is normal: it was approved, or reviewed and
nobody called it fraud within three days. Amounts called ``_base`` are in major units of the ruleset's base currency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from engine.features import amount, claims, decisions, familiarity, habit, missing, payment, place, velocity
from engine.features.windows import Windows

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.exchange_rates import ExchangeRates
    from engine.features.definition import Family, FeatureDefinition
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FAMILIES: Final[tuple[Family, ...]] = (
    payment,
    claims,
    amount,
    velocity,
    decisions,
    place,
    familiarity,
    missing,
    habit,
)

CATALOGUE: Final[tuple[FeatureDefinition, ...]] = tuple(
    definition for family in FAMILIES for definition in family.FEATURES
)
"""All features, in the order in which a history row stores their values."""

FEATURE_NAMES: Final[tuple[str, ...]] = tuple(definition.name for definition in CATALOGUE)
"""Their names, in that order."""


def feature_set_of(definitions: tuple[FeatureDefinition, ...]) -> str:
    """Name a catalogue by its content: names, types, versions and their order.

    Returns
    -------
    str
        Six hexadecimal digits. They are another text when a feature is added, removed, moved or computed differently.
    """
    text = "\n".join(f"{each.name} {each.type} {each.version}" for each in definitions)
    return f"{crc32(text.encode()) & 0xFFFFFF:06x}"


FEATURE_SET: Final = feature_set_of(CATALOGUE)
"""Stored with every row: by which catalogue its values are to be read."""

_COMPUTATIONS: Final = tuple(family.compute for family in FAMILIES)


def compute_features(facts: PaymentFacts, profile: Profile, rates: ExchangeRates) -> dict[str, FeatureValue]:
    """Compute every feature of the catalogue. Pure: values in, values out.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    profile : Profile
        Its user's, before the payment is folded; not changed.
    rates : ExchangeRates
        To the base currency. An amount in a currency without a rate adds 0 to a sum and is left out of means, shares and
        micro amounts; rules see ``is_rate_known``.

    Returns
    -------
    dict[str, FeatureValue]
        Name to value, in the order of the catalogue.
    """
    windows = Windows(facts, profile, rates.per_minor_unit)
    values: dict[str, FeatureValue] = {}
    for compute in _COMPUTATIONS:
        values.update(compute(facts, profile, windows))
    return values
