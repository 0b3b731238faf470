"""What a feature is: name, type, unit, a sentence, and the version of its computation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FeatureType = Literal["double", "int", "bool", "string"]
_ABSENT: Final[dict[FeatureType, FeatureValue]] = {"double": 0.0, "int": 0, "bool": False, "string": ""}


class FeatureDefinition(msgspec.Struct, frozen=True):
    """One feature as rules, models and people see it."""

    name: str
    type: FeatureType
    unit: str
    """SI or currency unit; ``1`` for a ratio or count, ``-`` for text and truth values."""
    description: str
    version: Annotated[int, Meta(ge=1)] = 1
    """Raised when the same name is computed differently: rows and models of another version are not comparable."""


class Family(Protocol):
    """What a file of features has."""

    @property
    def FEATURES(self) -> tuple[FeatureDefinition, ...]:  # noqa: N802 - a module's constant
        """The family's features, in the order in which a row stores them."""
        ...

    def compute(self, facts: PaymentFacts, profile: Profile, windows: Windows, /) -> tuple[FeatureValue, ...]:
        """Compute them, in that order; floating-point numbers are rounded later. Pure; ``profile`` is not changed."""
        ...


def double(name: str, unit: str, description: str, version: int = 1) -> FeatureDefinition:
    """Define a feature that is a floating-point number."""
    return FeatureDefinition(name, "double", unit, description, version)


def integer(name: str, unit: str, description: str, version: int = 1) -> FeatureDefinition:
    """Define a feature that is a whole number."""
    return FeatureDefinition(name, "int", unit, description, version)


def boolean(name: str, description: str, version: int = 1) -> FeatureDefinition:
    """Define a feature that is true or false."""
    return FeatureDefinition(name, "bool", "-", description, version)


def string(name: str, description: str, version: int = 1) -> FeatureDefinition:
    """Define a feature that is text."""
    return FeatureDefinition(name, "string", "-", description, version)


def absent_values(features: Iterable[FeatureDefinition]) -> dict[str, FeatureValue]:
    """Give the features' values where there is nothing to compute them from: 0, false or empty text."""
    return {each.name: _ABSENT[each.type] for each in features}
