"""Fixtures of the alert stage's tests."""

from __future__ import annotations

import pytest

from tests.support.moto_aws import aws
from tests.unit.alert.tables import ONE, THREE, TWO, DictTables, Inbox

__all__ = ["aws"]


@pytest.fixture
def tables() -> DictTables:
    """Both tables, with three flagged payments."""
    tables = DictTables()
    for flagged in (ONE, TWO, THREE):
        tables.insert(flagged)
    return tables


@pytest.fixture
def inbox() -> Inbox:
    """The topic's subscriber."""
    return Inbox()
