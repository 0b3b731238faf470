"""Fixtures of the reconciler's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.moto_aws import aws
from tests.unit.reconcile.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]


@pytest.fixture
def world(aws: Callable[[str], Any]) -> World:
    """Empty tables, and stages that take every row."""
    return World(aws("dynamodb"))
