"""Hashes and numbers that replace text in a profile. They are the same in every process and version."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final
from zlib import crc32

from contract.currency import MINOR_UNIT_EXPONENT

if TYPE_CHECKING:
    from engine.profile.seen_values import SeenKind

_FIRST_CODES: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP "
    "GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK "
    "LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR "
    "PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF "
    "YER ZAR ZMW ZWG"
)
_LATER_CODES: Final = (
    "XAD ADP AFA AON AOR ATS AYM AZM BAD BEF BGL BYB BYR CHC CSD CUC CYP DEM ECS ECV EEK ESB ESP FIM FRF GEK GHC "
    "GHP GRD GWP HRD HRK IEP ITL LTL LUF LVL LVR MGF MRO MTL MZM NLG PLZ PTE ROL RUR SDD SDP SIT SKK SLL SRG STD "
    "TJR TMM TPE TRL UAK USS VEB VEF XEU XFO XFU XRE YUM YUN ZAL ZMK ZRN ZWD ZWL ZWN ZWR"
)

OLD_CURRENCIES: Final = ""
"""The entry of :data:`CURRENCY_CODES` that all currencies share that were withdrawn before 1995: 256 numbers are not enough."""

CURRENCY_CODES: Final[tuple[str, ...]] = (*_FIRST_CODES.split(), OLD_CURRENCIES, *_LATER_CODES.split())
"""Currency number to code. Profiles store the numbers in a byte, so none may ever change: a new currency comes at the end."""

_NUMBERS: Final = {code: number for number, code in enumerate(CURRENCY_CODES)}

CURRENCY_NUMBERS: Final[dict[str, int]] = {
    code: _NUMBERS.get(code, _NUMBERS[OLD_CURRENCIES]) for code in MINOR_UNIT_EXPONENT
}
"""Currency code to number. The old currencies share one: they have no exchange rate, so none of their amounts are compared."""


def text_hash(text: str | None) -> int:
    """32 bits in place of ``text``, never 0; 0 for None.

    A CRC is enough: an attacker who can choose a device's name so that it collides with a known one can choose the known name itself.
    """
    return 0 if text is None else crc32(text.encode()) or 1


def value_hash(kind: SeenKind, text: str | None) -> int | None:
    """32 bits in place of a value of a kind: 29 bits of its CRC, and the kind. None for None."""
    return None if text is None else crc32(text.encode()) & 0xFFFFFFF8 | kind


def key_hash(event_key: str) -> int:
    """64 bits in place of one payment's event key.

    The hash is cryptographic, because a payment with a known hash counts as a repeat: no attacker may be able to construct one.
    """
    return int.from_bytes(blake2b(event_key.encode(), digest_size=8).digest(), "little")
