"""Exchange rates to the base currency, stored for quick sums over thousands of amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.currency import MINOR_UNIT_EXPONENT
from engine.profile.fingerprints import CURRENCY_CODES

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExchangeRates:
    """The rates of one ruleset. Immutable.

    Parameters
    ----------
    rates : Mapping[str, float]
        ISO 4217 code to major units of the base currency per major unit. It includes the base currency, with 1.

    Attributes
    ----------
    per_minor_unit : tuple[float, ...]
        Major units of the base currency per minor unit, by the number of a currency (:mod:`engine.profile.fingerprints`); 0 without
        a rate.
    """

    __slots__ = ("_rates", "per_minor_unit")

    def __init__(self, rates: Mapping[str, float]) -> None:
        self._rates = dict(rates)
        self.per_minor_unit = tuple(
            self._rates.get(code, 0.0) / 10.0 ** MINOR_UNIT_EXPONENT.get(code, 0) for code in CURRENCY_CODES
        )

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies with a rate, sorted."""
        return tuple(sorted(self._rates))

    @property
    def by_currency(self) -> dict[str, float]:
        """ISO 4217 code to major units of the base currency per major unit."""
        return dict(self._rates)

    def __contains__(self, currency: str) -> bool:
        return currency in self._rates
