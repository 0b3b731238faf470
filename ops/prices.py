"""Unit prices, as docs/cost/prices.yaml has them."""

from __future__ import annotations

from typing import Any, Final

HOURS: Final = 730
"""In a month."""

GB: Final = 1e9
"""Bytes of a gigabyte, as AWS bills them."""


class CostError(Exception):
    """A price is missing; names it."""


class Prices:
    """Unit prices by name. A missing price is an error, not zero."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def of(self, table: str, name: str) -> float:
        """Price of one unit, in US dollars."""
        try:
            return float(self._document[table][name]["usd"])
        except KeyError as error:
            raise CostError(f"docs/cost/prices.yaml has no price for {name} ({table}).") from error

    def unconfirmed(self) -> list[str]:
        """Names of prices that were not found in a published text."""
        tables = ("broker_hour", "cache_node_hour", "worker_hour", "units")
        return [
            name
            for table in tables
            for name, entry in self._document[table].items()
            if not entry["confirmed"]
        ]

    @property
    def read_on(self) -> str:
        """The day of the prices."""
        return str(self._document["read_on"])
