"""Candidates that must be withdrawn, each made from the default rules by one mistake, and one that must stay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.support.rollouts import turned_model

if TYPE_CHECKING:
    from collections.abc import Callable

TURNED: Final = turned_model()
TURNED_SHA256: Final[str] = json.loads(TURNED)["sha256"]
DEFAULT_SHA256: Final = "f18656b13e3888614359f7a97c740aca6308422b4554e281ca1d086eceef4e50"

_HOLDS: Final = {"id": "planted", "points": 60, "reason": "r"}


def flags_a_third(candidate: dict[str, Any]) -> None:
    """A rule that holds for a third of all payments."""
    candidate["rules"].append(_HOLDS | {"when": "amount_base > 60.0"})


def points_ten_times_too_high(candidate: dict[str, Any]) -> None:
    """Somebody typed a zero too many."""
    for rule in candidate["rules"]:
        rule["points"] = max(-1_000, min(1_000, rule["points"] * 10))


def model_with_its_sign_turned(candidate: dict[str, Any]) -> None:
    """A model that calls honest payments fraud and fraud honest."""
    candidate["model"] = {"sha256": TURNED_SHA256, "points": [[0.1, 20], [0.5, 60]]}


def condition_that_throws(candidate: dict[str, Any]) -> None:
    """A condition that divides by zero for many payments."""
    candidate["rules"].append(_HOLDS | {"when": "100 / (tx_count_24h - 1) > 7", "points": 5})


def with_the_default_model(candidate: dict[str, Any]) -> None:
    """A good candidate: the same rules, and points of the model."""
    points = [[0.1419, 8], [0.31, 52], [0.6, 105]]
    candidate["model"] = {"sha256": DEFAULT_SHA256, "points": points}


BAD: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "a rule that flags a third": flags_a_third,
    "a model with its sign turned": model_with_its_sign_turned,
    "a condition that throws": condition_that_throws,
    "points ten times too high": points_ten_times_too_high,
}
