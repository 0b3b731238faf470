"""Hashes and numbers that replace text in a profile. They are the same in every process and version."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final
from zlib import crc32

from contract.currency import MINOR_UNIT_EXPONENT
from engine.profile.seen_values import NAME_KINDS

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


_NAME_MARK: Final = 1 << 63
_NAME_BITS: Final = _NAME_MARK - 8


def text_hash(text: str | None) -> int:
    """32 bits in place of ``text``, never 0; 0 for None.

    A CRC is enough where a collision makes nothing familiar: for the last place, and to distinguish the cards, merchants and countries of one day.
    """
    return 0 if text is None else crc32(text.encode()) or 1


def value_hash(kind: SeenKind, text: str | None) -> int | None:
    """An integer in place of a value of a kind; its low three bits are the kind. None for None.

    Countries, channels and currencies are closed sets: 29 bits of a CRC. But anybody can make up a name with the CRC of a known one, and a
    new payee would be familiar. So devices, merchants and payees have 60 bits of BLAKE2b. Their top bit is set: none is a hash of format 1.
    """
    if text is None:
        return None
    return _name_hash(kind, text) if kind in NAME_KINDS else old_value_hash(kind, text)


def old_value_hash(kind: SeenKind, text: str | None) -> int | None:
    """29 bits of a value's CRC, and the kind: how format 1 hashed all values. None for None."""
    return None if text is None else crc32(text.encode()) & 0xFFFFFFF8 | kind


@lru_cache(maxsize=4096)
def _name_hash(kind: SeenKind, text: str) -> int:
    # Cached, because much is paid to few merchants: a hash takes a microsecond.
    return key_hash(text) & _NAME_BITS | _NAME_MARK | kind


def key_hash(event_key: str) -> int:
    """64 bits in place of one payment's event key.

    The hash is cryptographic, because a payment with a known hash counts as a repeat: no attacker may be able to construct one.
    """
    return int.from_bytes(blake2b(event_key.encode(), digest_size=8).digest(), "little")
