"""Fixtures of the case stage's tests."""

from __future__ import annotations

import pytest

from tests.support.moto_aws import aws
from tests.unit.case.world import DictCaseTables

__all__ = ["aws"]


@pytest.fixture
def tables() -> DictCaseTables:
    """Empty tables."""
    return DictCaseTables()
