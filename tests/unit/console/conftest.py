"""Fixtures of the console's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.console_world import ConsoleWorld
from tests.support.moto_aws import aws

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]


@pytest.fixture
def world(aws: Callable[[str], Any]) -> ConsoleWorld:
    """The console with its tables, as moto keeps them."""
    return ConsoleWorld(aws("dynamodb"))
