"""Countries by any of their usual codes and names: one code, ISO 3166 alpha-2, for one country."""

from __future__ import annotations

from typing import Final

from contract.country_names import name_key
from contract.reference.countries import COUNTRIES

_USUAL: Final = """\
BA|bosnia
BO|bolivia
CD|dr congo|drc|congo kinshasa|zaire
CG|congo|congo brazzaville|republic of congo
CI|ivory coast
CV|cape verde
CZ|czech republic
FM|micronesia
GB|uk|united kingdom|great britain|britain|england|scotland|wales|northern ireland|gbr
GR|el
HK|hong kong sar|hongkong
IR|iran
KP|north korea|dprk
KR|south korea|korea|republic of korea
KY|cayman
LA|laos
MD|moldova
MF|saint martin
MK|macedonia
MM|burma
MO|macau|macao sar
NL|holland|netherlands
PS|palestine
RU|russia
SX|sint maarten
SY|syria
SZ|swaziland
TL|east timor
TR|turkey
TW|taiwan
TZ|tanzania
US|us|usa|america|united states of america
VA|vatican|vatican city
VE|venezuela
VN|viet nam|vietnam
XK|xk|xkx|kosovo
AE|uae|emirates
"""
"""What people and payment networks also write: UK and EL (the European Union's), older names, and XK, which ISO leaves to its users."""


def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for line in COUNTRIES.splitlines():
        code, alpha_3, number, *names = line.split("|")
        codes |= dict.fromkeys((code.lower(), alpha_3.lower(), number, str(int(number)), *names), code)
    for line in _USUAL.splitlines():
        code, *names = line.split("|")
        codes |= dict.fromkeys(names, code)
    return codes


_CODE_OF: Final = _codes()
COUNTRY_CODES: Final[frozenset[str]] = frozenset(_CODE_OF.values())
"""All alpha-2 codes."""


def country_code(text: str) -> str | None:
    """Find a country by its code (alpha-2, alpha-3, number) or by an English name.

    Parameters
    ----------
    text : str
        Canonical text, in any case.

    Returns
    -------
    str | None
        ISO 3166 alpha-2; None for what is no country.

    Examples
    --------
    >>> country_code("ir"), country_code("IRN"), country_code("UK"), country_code("Korea, Republic of"), country_code("ZZ")
    ('IR', 'IR', 'GB', 'KR', None)
    """
    return text if text in COUNTRY_CODES else _CODE_OF.get(name_key(text))
