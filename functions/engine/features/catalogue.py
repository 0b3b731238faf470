"""All features: the families in the order in which a history row stores their values, and the one call that computes them.

Each family is a file: its features' definitions, and beside them their computation. The rules' CEL environment and
docs/features.md are made from these definitions.

Windows cover payments up to and including the one that is scored, by the payment's clock (:mod:`contract.clock`). A window of an
hour is the half-open interval (t - 1 h, t]. A *usual* payment is one that teaches what is normal: it was approved, or reviewed and
nobody called it fraud within three days. Amounts called ``_base`` are in major units of the ruleset's base currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from operator import itemgetter
from typing import TYPE_CHECKING, Final
from zlib import crc32

from engine.entities.book import NO_ENTITIES
from engine.entities.risk import NO_RISKS
from engine.entities.sightings import sighting_of
from engine.features import (
    amount,
    claims,
    decisions,
    entities,
    familiarity,
    habit,
    missing,
    model,
    payment,
    place,
    risk,
    velocity,
)
from engine.features.windows import DIGITS, Windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contract.scored import FeatureValue
    from engine.entities.book import EntityReading
    from engine.entities.risk import RiskReading
    from engine.entities.state import Sighting
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

CATALOGUE: Final[tuple[FeatureDefinition, ...]] = (
    *(definition for family in FAMILIES for definition in family.FEATURES),
    *entities.FEATURES,
    *risk.FEATURES,
    *model.FEATURES,
)
"""All features, in the order in which a history row stores their values."""

SHARED_FEATURES: Final = frozenset(entities.ABSENT.keys() | risk.ABSENT.keys() | model.ABSENT.keys())
"""Features that do not follow from the user's own payments: what other users did, what labels say, and what a model makes of both. Two
tries of one payment may find them changed."""

FEATURE_NAMES: Final[tuple[str, ...]] = tuple(definition.name for definition in CATALOGUE)
"""Their names, in that order."""

PLACES: Final = {name: place for place, name in enumerate(FEATURE_NAMES)}
"""Name to place in that order."""


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

ROUNDED: Final = tuple(
    PLACES[each.name]
    for family in FAMILIES
    for each in family.FEATURES
    if each.type == "double" and each.name != "amount"
)
"""Places of the floating-point numbers that are computed from a user's payments; the payment's own amount is as it was sent."""
_TO_ROUND: Final = itemgetter(*ROUNDED)
_SCALE: Final = 10.0**DIGITS


class Features(Mapping[str, "FeatureValue"]):
    """The features of one payment: values in the order of the catalogue, and their names for whoever asks by name.

    No mapping is built for each payment: that took a tenth of its CPU.

    Attributes
    ----------
    in_order : list[FeatureValue]
        The values.
    rounded : Sequence[int]
        Those at :data:`ROUNDED`, as whole numbers of ten-thousandths; empty of a stored payment, whose features are packed already.
    """

    __slots__ = ("in_order", "rounded")

    def __init__(self, in_order: list[FeatureValue], rounded: Sequence[int]) -> None:
        self.in_order = in_order
        self.rounded = rounded

    def with_value(self, place: int, value: FeatureValue) -> Features:
        """The same features but for the value at one place, which is not among :data:`ROUNDED`."""
        values = self.in_order.copy()
        values[place] = value
        return Features(values, self.rounded)

    def __getitem__(self, name: str) -> FeatureValue:
        return self.in_order[PLACES[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(FEATURE_NAMES)

    def __len__(self) -> int:
        return len(FEATURE_NAMES)

    def __repr__(self) -> str:
        return f"Features({dict(self)!r})"


def in_order(features: Mapping[str, FeatureValue]) -> Sequence[FeatureValue]:
    """The values of features in the order of the catalogue; KeyError where one is missing."""
    return features.in_order if isinstance(features, Features) else [features[name] for name in FEATURE_NAMES]


def features_and_sighting(
    facts: PaymentFacts,
    profile: Profile,
    rates: ExchangeRates,
    known: EntityReading | Mapping[str, FeatureValue] = NO_ENTITIES,
    risks: RiskReading = NO_RISKS,
) -> tuple[Features, Sighting]:
    """Compute every feature of the catalogue, and what the payment's entities count. Pure: values in, values out.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    profile : Profile
        Its user's, before the payment is folded; not changed.
    rates : ExchangeRates
        To the base currency. An amount in a currency without a rate adds 0 to a sum and is left out of means, shares and
        micro amounts; rules see ``is_rate_known``.
    known : EntityReading | Mapping[str, FeatureValue]
        What is known of the payment's entities before it. Or features by name, as they are stored: those of entities are taken from
        there, since other users have paid meanwhile.
    risks : RiskReading
        What labels say of them.

    Returns
    -------
    tuple[Features, Sighting]
        The features, as if there were no model; and what the payment's entities count.
    """
    windows = Windows(facts, profile, rates.per_minor_unit)
    values: list[FeatureValue] = []
    for compute in _COMPUTATIONS:
        values += compute(facts, profile, windows)
    # All at once, as :func:`engine.features.windows.rounded` does it: the row needs them as whole numbers, too.
    rounded = [floor(value * _SCALE + 0.5) for value in _TO_ROUND(values)]
    for at, whole in zip(ROUNDED, rounded, strict=True):
        values[at] = whole / _SCALE
    features = Features(values, rounded)
    sighting = sighting_of(facts.transaction.user_id, facts.clock_ms, features)
    if isinstance(known, tuple):
        values += entities.compute(known, sighting).values()
        values += risk.compute(known.entities, risks, sighting).values()
    else:
        # A row of an earlier version may lack some.
        for absent in (entities.ABSENT, risk.ABSENT):
            values += [known.get(name, value) for name, value in absent.items()]
    values += model.ABSENT.values()
    return features, sighting


def compute_features(facts: PaymentFacts, profile: Profile, rates: ExchangeRates) -> dict[str, FeatureValue]:
    """Compute the features of a payment whose entities are not known, by name; as :func:`features_and_sighting` does."""
    return dict(features_and_sighting(facts, profile, rates)[0])
