"""What the score stage's unit tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.rules.ruleset import parse_ruleset
from tests.support.moto_aws import aws
from tests.support.rule_samples import TWO_RULES

if TYPE_CHECKING:
    from engine.rules.ruleset import Ruleset

__all__ = ["aws"]


@pytest.fixture(scope="session")
def ruleset() -> Ruleset:
    """Two rules: one on the amount, one on velocity."""
    return parse_ruleset(TWO_RULES)
