"""ISO 4217: currencies, active and withdrawn, and how many minor units each has.

Money is in codes that a country has or had. Codes of metals, of units of account without decimals and of tests (XAU, XDR, XXX) are
none: ISO gives them no minor unit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from contract.reference.withdrawn_currencies import WITHDRAWN

ASSUMED_CURRENCY: Final = "USD"
"""The currency of a payment whose sender names none."""

_TWO_DECIMALS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
    "MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
    "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW "
    "ZWG"
)
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS = "CLF UYW"

_LISTED: Final[dict[str, int]] = (
    dict.fromkeys(_TWO_DECIMALS.split(), 2)
    | dict.fromkeys(_NO_DECIMALS.split(), 0)
    | dict.fromkeys(_THREE_DECIMALS.split(), 3)
    | dict.fromkeys(_FOUR_DECIMALS.split(), 4)
)
"""List one, and what has left it since this table was begun."""

_WITHDRAWN: Final = [line.split("|") for line in WITHDRAWN.splitlines()]

MINOR_UNIT_EXPONENT: Final[dict[str, int]] = {code: int(digits) for _, code, digits in _WITHDRAWN} | _LISTED
"""Currency code to the power of ten that turns major units into minor ones: USD 2, JPY 0, KWD 3. ISO does not say it for withdrawn
currencies; CLDR does."""


def _end_of(month: str) -> datetime:
    year, number = int(month[:4]), int(month[5:])
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


WITHDRAWN_AT: Final[dict[str, datetime]] = {code: _end_of(month) for month, code, _ in _WITHDRAWN}
"""Currency code to the end of the last month in which a country had it (ISO 4217, list three)."""


def is_withdrawn(currency: str, at: datetime) -> bool:
    """Whether no country had a currency any more at a time.

    >>> is_withdrawn("HRK", datetime(2022, 6, 1, tzinfo=UTC)), is_withdrawn("HRK", datetime(2026, 6, 1, tzinfo=UTC))
    (False, True)
    """
    end = WITHDRAWN_AT.get(currency)
    return end is not None and at >= end
