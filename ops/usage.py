"""What one payment, label or person uses, as docs/cost/usage.yaml has it."""

from __future__ import annotations

from typing import Any


def values_of(usage: dict[str, Any], part: str) -> dict[str, float]:
    """Give the values of one part of the document, such as ``payment``, by name.

    >>> values_of({"payment": {"score_ms": {"value": 0.27, "from": "measured"}}}, "payment")
    {'score_ms': 0.27}
    """
    return {name: float(entry["value"]) for name, entry in usage[part].items()}
