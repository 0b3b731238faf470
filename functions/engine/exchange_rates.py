"""Exchange rates to the base currency, stored for quick sums over thousands of amounts."""

from __future__ import annotations

from decimal import Decimal
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

    def convert(self, amount: Decimal, currency: str, base_currency: str) -> Decimal | None:
        """Convert an amount, and round it half to even to the base currency's minor unit.

        Parameters
        ----------
        amount : Decimal
            Major units of ``currency``.
        currency, base_currency : str
            ISO 4217 codes.

        Returns
        -------
        Decimal | None
            Major units of ``base_currency``; None where ``currency`` has no rate.
        """
        rate = self._rates.get(currency)
        if rate is None:
            return None
        exponent = MINOR_UNIT_EXPONENT[base_currency]
        return Decimal(round((amount * Decimal(repr(rate))).scaleb(exponent))).scaleb(-exponent)

    def __contains__(self, currency: str) -> bool:
        return currency in self._rates
