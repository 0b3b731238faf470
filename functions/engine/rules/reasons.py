"""A rule's sentence for people: a template that is filled with the figures of one payment.

A template is checked when the ruleset is read, so strictly that filling it in cannot fail or become long: a placeholder is the
name of a feature and, for numbers, a format.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from contract.quotation import quoted
from engine.features.catalogue import CATALOGUE
from engine.rules.document import TextProblem, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.scored import FeatureValue

MAX_REASON_CHARACTERS: Final = 300
"""The longest template."""

BASE_CURRENCY: Final = "base_currency"
"""The only placeholder that is not a feature: the ruleset's base currency."""

_FORMATS: Final = {
    "double": (re.compile(r",?\.[0-9][f%]"), "{name:.2f}, {name:,.0f} or {name:.0%}"),
    "int": (re.compile(r"(,?d?)"), "{name} or {name:,}"),
    "string": (re.compile(r""), "{name}"),
}
DURATION: Final = "duration"
"""The format that writes a length of time in its largest unit."""
RATE: Final = "rate"
"""The format that writes how often something is usual, however rare it is."""
_OWN_FORMATS: Final = (f":{DURATION}}}", f":{RATE}}}")

_MINUTES_OF_UNIT: Final = {"min": 1.0, "h": 60.0, "d": 1440.0}
_MINUTES: Final = {
    feature.name: _MINUTES_OF_UNIT[feature.unit]
    for feature in CATALOGUE
    if feature.type == "double" and feature.unit in _MINUTES_OF_UNIT
}
"""Lengths of time: feature to the minutes of its unit."""
_MOST_MINUTES: Final = 1e12
"""A longer time, such as an infinite one, is written as this."""
_RATES: Final = frozenset(
    feature.name for feature in CATALOGUE if feature.type == "double" and feature.unit == "1"
)
_LEAST_RATE: Final = 0.01
"""A smaller one, but for 0, is written as less than this: rounded it would say that something which happens never does."""

_TYPES: Final = {feature.name: feature.type for feature in CATALOGUE} | {BASE_CURRENCY: "string"}
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,24}")


def reason_problems(template: str) -> tuple[TextProblem, ...]:
    """Find everything that is wrong with a template.

    Parameters
    ----------
    template : str
        Text with ``{feature}`` or ``{feature:format}`` in it; ``{{`` gives a brace.

    Returns
    -------
    tuple[TextProblem, ...]
        Empty if it can be used.

    Examples
    --------
    >>> reason_problems("Paid {amount_base:,.2f} {base_currency} in {contry}.")
    (TextProblem(message="unknown feature 'contry'; did you mean 'country'?", offset=44),)
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        return (TextProblem(str(error)),)
    found: list[TextProblem] = []
    position = 0
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        # The parser does not give positions. Names come in order, so each is searched after the one before.
        position = template.index(f"{{{name}", position) + 1
        message = _problem(name, spec or "", conversion)
        if message:
            found.append(TextProblem(message, position))
    return tuple(found)


def sentence(template: str, features: Mapping[str, FeatureValue], base_currency: str) -> str:
    """Fill in a checked template.

    Parameters
    ----------
    template : str
        A template without :func:`reason_problems`.
    features : Mapping[str, FeatureValue]
        Every feature.
    base_currency : str
        ISO 4217 code.

    Returns
    -------
    str
        A sentence for people. A sender's text is put in quotation marks unless it is one word: otherwise a country of
        ``US. Call +1 900 to unblock`` would look like our own text.
    """
    figures = _Figures(features, base_currency)
    if not any(each in template for each in _OWN_FORMATS):
        return template.format_map(figures)
    parts = []
    for literal, name, spec, _ in string.Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(_written(name, spec or "", figures[name]))
    return "".join(parts)


def duration_text(minutes: float) -> str:
    """Write a length of time in its largest unit, rounded down.

    >>> [duration_text(each) for each in (0.5, 1.0, 119.0, 12_960.0, -90.0)]
    ['under a minute', '1 minute', '1 hour', '9 days', '-1 hour']
    """
    if minutes != minutes:  # NaN
        return "an unknown time"
    length = int(min(abs(minutes), _MOST_MINUTES))
    sign = "-" if minutes <= -1 else ""
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if length >= size:
            count = length // size
            return f"{sign}{count:,} {unit}{'' if count == 1 else 's'}"
    return "under a minute"


def rate_text(rate: float) -> str:
    """Write how many are usual in some time.

    >>> [rate_text(each) for each in (0.0, 0.004, 0.25, 3.0, 41.7, 1_234.5)]
    ['0', 'less than 0.01', '0.25', '3.0', '41.7', '1,234']
    """
    if 0 < rate < _LEAST_RATE:
        return f"less than {_LEAST_RATE}"
    if rate == 0:
        return "0"
    return f"{rate:.2f}" if rate < 1 else f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}"


class _Figures(Mapping[str, "FeatureValue"]):
    """The values of a template's placeholders; made when it is asked for, since a template has two of 140."""

    def __init__(self, features: Mapping[str, FeatureValue], base_currency: str) -> None:
        self._features = features
        self._base_currency = base_currency

    def __getitem__(self, name: str) -> FeatureValue:
        if name == BASE_CURRENCY:
            return self._base_currency
        value = self._features[name]
        return _named(value) if isinstance(value, str) else value

    def __iter__(self) -> Iterator[str]:
        return iter(_TYPES)

    def __len__(self) -> int:
        return len(_TYPES)


def _written(name: str, spec: str, value: FeatureValue) -> str:
    if spec == DURATION:
        return duration_text(float(value) * _MINUTES[name])
    if spec == RATE:
        return rate_text(float(value))
    return format(value, spec)


def _named(text: str) -> str:
    return text if _WORD.fullmatch(text) else quoted(text)


def _problem(name: str, spec: str, conversion: str | None) -> str | None:
    kind = _TYPES.get(name)
    if kind is None:
        return f"unknown feature '{name[:60]}'{suggestion(name, _TYPES)}"
    if kind == "bool":
        return f"'{name}' is true or false and cannot be used in a sentence"
    own = DURATION if name in _MINUTES else RATE if name in _RATES else None
    if own is not None and spec == own and not conversion:
        return None
    pattern, examples = _FORMATS[kind]
    if own is not None:
        examples = examples.replace(" or ", f", {{name:{own}}} or ")
    if conversion or not pattern.fullmatch(spec):
        return f"'{name}' ({kind}) must be written as {examples.replace('name', name)}"
    return None
