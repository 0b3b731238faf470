"""Reads amounts as files write them: signs of currencies, separators, minor units. They stay decimal text: no float is used on the way."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from contract.currency import MINOR_UNIT_EXPONENT
from contract.errors import InvalidTransactionError
from contract.mapping.values import MAX_COUNT_DIGITS, integer_text, whole_text

_CURRENCY_OF_SYMBOL: Final[dict[str, str | None]] = {
    # None where several currencies have it.
    **dict.fromkeys(("$", "¥", "kr", "kr.")),
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₫": "VND",
    "฿": "THB", "₦": "NGN", "₱": "PHP", "₡": "CRC", "₲": "PYG", "₵": "GHS", "₸": "KZT", "₼": "AZN", "₾": "GEL",
    "R$": "BRL", "US$": "USD", "A$": "AUD", "C$": "CAD", "HK$": "HKD", "NZ$": "NZD", "S$": "SGD", "MX$": "MXN",
    "zł": "PLN", "Kč": "CZK", "Ft": "HUF",
}  # fmt: skip

_CROWNS: Final = frozenset({"SEK", "NOK", "DKK", "ISK"})
_DOLLARS: Final = frozenset({
    "USD", "ARS", "AUD", "BBD", "BMD", "BND", "BOB", "BRL", "BSD", "BZD", "CAD", "CLP", "COP", "CUC", "CUP", "CVE", "DOP", "ECS", "FJD",
    "GYD", "HKD", "JMD", "KYD", "LRD", "MOP", "MXN", "NAD", "NIO", "NZD", "PHP", "SBD", "SGD", "SRD", "SVC", "TOP", "TTD", "TWD", "USN",
    "UYU", "WST", "XCD", "XCG", "ZWD", "ZWL", "ZWN", "ZWR",
})  # fmt: skip
_CURRENCIES_OF_SYMBOL: Final[dict[str, frozenset[str]]] = {
    "$": _DOLLARS,
    "¥": frozenset({"JPY", "CNY"}),
    "kr": _CROWNS,
    "kr.": _CROWNS,
}
"""Those of a symbol that several currencies have: dollars and pesos, yen and yuan, crowns."""

SEPARATORS: Final = {".": r"\.", ",": ",", " ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]", "_": "_"}
"""What may separate thousands, as a mapping writes it, to its pattern. The first two may be before decimals."""

_SIMPLE: Final = re.compile(r"-?(?:0|[0-9]{4,}|[0-9]+(?=\.[0-9]{0,2}$)|[0-9]+$)(?:\.[0-9]+)?")
"""Most amounts: without a symbol and thousands, and without doubt what the dot is."""

_DOUBTFUL_DIGITS: Final = 3
"""So many digits behind the only separator can be decimals or thousands."""


class Amount(NamedTuple):
    """An amount as a file wrote it."""

    text: str
    """Decimal text, every digit kept."""
    currency: str | None
    """The currency of its symbol; None without a symbol, or with one of several currencies."""
    one_of: frozenset[str] = frozenset()
    """The currencies of its symbol, where several have it."""
    doubt: str = ""
    """The only separator of an amount such as ``12.500`` or ``12,500``, where nothing says whether decimals follow it."""


class NumberForm(NamedTuple):
    """How a mapping says that numbers are written."""

    decimal: str | None = None
    """The decimal separator; None where nothing is said: it is a dot then, and what can be read in two ways is doubtful."""
    thousands: str | None = None
    """The separator of thousands; by default a comma, or a dot where decimals have a comma."""


UNSAID: Final = NumberForm()


def amount(value: object, form: NumberForm = UNSAID) -> Amount:
    """Read an amount: a number, or text such as ``1,234.50``, ``$12.00``, ``12.00 €``, ``EUR 12.00``, ``-5`` or ``(5)``.

    Parameters
    ----------
    value : object
        Text, int or Decimal, of any sign and size.
    form : NumberForm
        How text is written.

    Raises
    ------
    InvalidTransactionError
        Where it is none of these. A separator where none of its kind can be is an error, not a guess.

    Examples
    --------
    >>> amount("1,234.50").text, amount("€ 7").currency, amount(Decimal("0.10")).text, sorted(amount("¥7").one_of)
    ('1234.50', 'EUR', '0.10', ['CNY', 'JPY'])
    >>> amount("4.711,98 €", NumberForm(decimal=",")).text, amount("12.500").doubt
    ('4711.98', '.')
    """
    if isinstance(value, str):
        written = value.strip()
        if form.decimal is None and form.thousands is None and _SIMPLE.fullmatch(written):
            return Amount(written, None)
        return _from_text(written, form)
    if isinstance(value, Decimal):
        return Amount(str(value), None)
    if isinstance(value, int) and not isinstance(value, bool):
        return Amount(integer_text(value, "amount"), None)
    raise InvalidTransactionError("amount", "not a decimal number")


def minor_amount(value: object, form: NumberForm = UNSAID) -> Amount:
    """Read an amount of minor units (cents): what :func:`amount` reads, but only whole numbers without a symbol.

    A symbol or a fraction says that the amount is already in major units: a hundredth of it would be wrong.

    Parameters
    ----------
    value : object
        Text, int or Decimal, of any sign and size.
    form : NumberForm
        How text is written.

    Returns
    -------
    Amount
        In minor units, without a fraction and without a currency.

    Raises
    ------
    InvalidTransactionError
        Where it is no amount, or not a whole number of minor units.

    Examples
    --------
    >>> minor_amount("123,450").text, minor_amount(Decimal("123450.0")).text
    ('123450', '123450')
    """
    read = amount(value, form)
    number = Decimal(read.text)
    has_symbol = read.currency is not None or bool(read.one_of)
    if has_symbol or not number.is_finite() or number != number.to_integral_value():
        raise InvalidTransactionError("amount", "not a whole number of minor units")
    # Of whole numbers, only a dot before three zeros is in doubt: 12.000 cents are twelve, or twelve thousand.
    return Amount(whole_text(number) or str(number.to_integral_value()), None, doubt=read.doubt.strip(","))


def minor_units(amount: str, currency: str) -> str:
    """Write a whole number of minor units (cents) in major units, exactly.

    >>> minor_units("123450", "EUR"), minor_units("7", "JPY"), minor_units("1500", "KWD")
    ('1234.50', '7', '1.500')
    """
    sign, digits, exponent = Decimal(amount).as_tuple()
    # Not scaleb(): it rounds to the 28 digits of the decimal context.
    major = Decimal((sign, digits, int(exponent) - MINOR_UNIT_EXPONENT.get(currency, 2)))
    # 1e9999 as digits would be a text of 10,000; the contract refuses it either way.
    return format(major, "f") if major.adjusted() < MAX_COUNT_DIGITS * 2 else str(major)


def doubt_of(read: Amount, currency: str, *, is_minor: bool = False) -> InvalidTransactionError | None:
    """Say what is wrong with an amount that can be read in two ways in its currency; None where it has one reading.

    Three digits behind a dot are decimals where the currency has as many, and may be thousands where it has fewer; behind a
    comma they are thousands, and may be decimals where the currency has three.

    >>> print(doubt_of(amount("12.500"), "CLP"))
    amount: three digits behind its only dot can be decimals or thousands; the mapping has to say decimal: "." or ","
    >>> doubt_of(amount("12.500"), "KWD"), doubt_of(amount("12,500"), "USD")
    (None, None)
    """
    if not read.doubt:
        return None
    has_three = not is_minor and MINOR_UNIT_EXPONENT.get(currency, 2) >= _DOUBTFUL_DIGITS
    if has_three is (read.doubt == "."):
        return None
    name = "dot" if read.doubt == "." else "comma"
    problem = (
        f"three digits behind its only {name} can be decimals or thousands; "
        'the mapping has to say decimal: "." or ","'
    )
    return InvalidTransactionError("amount", problem)


def payment_of_refund(record: dict[str, object]) -> dict[str, object] | None:
    """Give the record of a refund as if it were a payment, to be checked; None where the amount is not below zero.

    >>> payment_of_refund({"amount": "-9.00"}), payment_of_refund({"amount": "9.00"}), payment_of_refund({"amount": "-0.00"})
    ({'amount': '9.00'}, None, None)
    """
    text = record.get("amount")
    if not isinstance(text, str) or text[:1] != "-" or not _SIMPLE_OR_EXPONENT.fullmatch(text):
        return None
    return {**record, "amount": text[1:]} if Decimal(text) < 0 else None


_SIMPLE_OR_EXPONENT: Final = re.compile(r"-(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")


def _from_text(written: str, form: NumberForm) -> Amount:
    match = _pattern(form).fullmatch(written)
    signs = [] if match is None else [part for part in match.group("open", "sign", "sign2", "sign3") if part]
    if match is None or len(signs) > 1 or (match["symbol"] and match["symbol2"]):
        raise InvalidTransactionError("amount", _problem(form))
    if (match["open"] == "(") is not (match["close"] == ")"):
        raise InvalidTransactionError("amount", _problem(form))
    whole, fraction, exponent = match["whole"], match["fraction"], match["exponent"] or ""
    decimals = "" if fraction is None else f".{fraction[1:]}"
    sign = "-" if signs and signs[0] != "+" else ""
    digits = re.sub("[^0-9]", "", whole)
    symbol = match["symbol"] or match["symbol2"] or ""
    doubt = "" if form.decimal or exponent else _doubt(whole, digits, fraction)
    return Amount(
        f"{sign}{digits}{decimals}{exponent}",
        _CURRENCY_OF_SYMBOL.get(symbol, symbol or None),
        _CURRENCIES_OF_SYMBOL.get(symbol, frozenset()),
        doubt,
    )


def _doubt(whole: str, digits: str, fraction: str | None) -> str:
    if fraction is not None:
        is_group = len(fraction) == 1 + _DOUBTFUL_DIGITS and len(whole) <= _DOUBTFUL_DIGITS
        return "." if is_group and whole == digits and whole[:1] not in ("", "0") else ""
    return "," if len(whole) - len(digits) == 1 and "," in whole else ""


def _problem(form: NumberForm) -> str:
    if form.decimal is None:
        return "not a decimal number"
    return f"not a number with {form.decimal!r} before its decimals"


@lru_cache(maxsize=64)
def _pattern(form: NumberForm) -> re.Pattern[str]:
    point = form.decimal or "."
    thousands = SEPARATORS[form.thousands or ("." if point == "," else ",")]
    symbols = "|".join(map(re.escape, sorted(_CURRENCY_OF_SYMBOL, key=len, reverse=True)))
    # Of the three-letter words only currencies: "EUR 5" is five euros, and "ABC 5" is no amount.
    codes = "|".join(MINOR_UNIT_EXPONENT)
    symbol = rf"(?:{symbols}|{codes})"
    space = "[ \u00a0\u202f]*"
    return re.compile(
        rf"(?P<open>\()?(?P<sign>[-+\u2212])?{space}(?P<symbol>{symbol})?{space}(?P<sign2>[-+\u2212])?"
        rf"(?P<whole>[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+|[0-9]+|(?={SEPARATORS[point]}[0-9]))"
        rf"(?P<fraction>{SEPARATORS[point]}[0-9]*)?(?P<exponent>[eE][-+]?[0-9]{{1,4}})?"
        rf"(?P<sign3>[-\u2212])?{space}(?P<symbol2>{symbol})?(?P<close>\))?"
    )
