"""What a feature is: name, type, unit, a sentence, and the version of its computation."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FeatureType = Literal["double", "int", "bool", "string"]


class FeatureDefinition(msgspec.Struct, frozen=True):
    """One feature as rules, models and people see it."""

    name: str
    type: FeatureType
    unit: str
    """SI or currency unit; ``1`` for a ratio or count, ``-`` for text and truth values."""
    description: str
    version: Annotated[int, Meta(ge=1)] = 1
    """Raised when the same name is computed differently: rows and models of another version are not comparable."""


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
