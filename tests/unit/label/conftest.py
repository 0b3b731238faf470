"""Fixtures of the label stage's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.label_world import DynamoBackend, LabelWorld, MemoryBackend
from tests.support.moto_aws import aws

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]


@pytest.fixture
def world() -> LabelWorld:
    """A stage whose tables are dictionaries."""
    return LabelWorld(MemoryBackend())


@pytest.fixture
def dynamo(aws: Callable[[str], Any]) -> DynamoBackend:
    """The tables, as moto keeps them."""
    return DynamoBackend(aws("dynamodb"))


@pytest.fixture
def dynamo_world(dynamo: DynamoBackend) -> LabelWorld:
    """A stage with these tables."""
    return LabelWorld(dynamo)
