"""The base currency of a ruleset, and its exchange rates."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from contract.currency import MINOR_UNIT_EXPONENT
from engine.profile.fingerprints import CURRENCY_CODES, CURRENCY_NUMBERS
from engine.rules.document import suggestion

if TYPE_CHECKING:
    import yaml

    from engine.rules.document import Reader

_MIN_RATE, _MAX_RATE = Decimal("1e-9"), Decimal("1e6")

_NO_RATE: Final = "profiles do not know such currencies apart, so none has a rate"


def read_currency(reader: Reader, node: yaml.Node) -> str | None:
    """Read ``base_currency``; None, and a problem, if it cannot be used."""
    value = reader.text(node, "base_currency")
    if value is not None and value not in MINOR_UNIT_EXPONENT:
        reader.report(node, f"base_currency '{value[:60]}' is not a currency of ISO 4217")
        return None
    if value is not None and not _has_number(value):
        reader.report(node, f"base_currency '{value}' was withdrawn before 1995; {_NO_RATE}")
        return None
    return value


def _has_number(currency: str) -> bool:
    """Whether profiles know a currency from every other."""
    return CURRENCY_CODES[CURRENCY_NUMBERS[currency]] == currency


def read_rates(reader: Reader, node: yaml.Node, base_currency: str | None) -> dict[str, float]:
    """Read ``exchange_rates``: currency to units of the base currency; what cannot be used is left out, with a problem."""
    rates: dict[str, float] = {}
    for currency, (key, value) in reader.entries(node, "exchange_rates").items():
        if currency not in MINOR_UNIT_EXPONENT:
            hint = suggestion(currency, MINOR_UNIT_EXPONENT)
            reader.report(key, f"exchange_rates: '{currency[:60]}' is not a currency of ISO 4217{hint}")
        elif not _has_number(currency):
            reader.report(key, f"exchange_rates: '{currency}' was withdrawn before 1995; {_NO_RATE}")
        rate = reader.decimal(value, f"exchange rate of {currency[:60]}", _MIN_RATE, _MAX_RATE)
        if currency == base_currency and rate not in (None, 1):
            reader.report(value, f"{currency} is the base currency; its rate is 1")
        if rate is not None:
            rates[currency] = float(rate)
    return rates
