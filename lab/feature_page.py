"""Generates the page of features for analysts: ``python -m lab.feature_page > docs/features.md``."""

from __future__ import annotations

import sys
from typing import Final

from engine.features.catalogue import CATALOGUE, FEATURE_SET
from engine.rules.cel.conditions import IS_RATE_KNOWN, LIST_PREFIX
from engine.rules.lists import LIST_FIELDS
from engine.rules.reasons import BASE_CURRENCY

_HEAD: Final = """\
# What a rule may use

Made from `functions/engine/features/catalogue.py` by `python -m lab.feature_page`; a test fails while it is out of date.
How to write a rule: `rules/README.md`.

Each payment has {count} features (feature set {feature_set}). Each feature always has a value: what is unknown is 0, false or
empty text, as its line says.

A window covers payments up to and including the one being scored, by event time: `1h` is the hour that ends with it. "Before" excludes
the payment itself. Names that end in `_base` are in major units of the ruleset's base currency. Unit `1` is a plain number.

Compare a `double` with a number that has a decimal point (`amount_base > 900.0`), an `int` with one that has none
(`tx_count_1h >= 5`), and a `string` with text (`country == "CH"`). A `bool` needs no comparison (`is_new_device`).

| feature | type | unit | |
|---|---|---|---|
"""

_FOOT: Final = """\

Conditions may also use:

| name | type | |
|---|---|---|
| `{prefix}<list>` | bool | The payment is on that list of the ruleset, and the entry had not expired at its event time. A list holds values of one of these fields: {fields}. |
| `{is_rate_known}` | bool | The ruleset has an exchange rate for the payment's currency. Without one, do not rely on any `_base` amount. |

Sentences (`reason`) may use every feature that is not a `bool`, and `{{{base_currency}}}`.
"""


def feature_page() -> str:
    """Write the page.

    Returns
    -------
    str
        Markdown, one line per feature in the order of the catalogue.
    """
    lines = [
        f"| `{feature.name}` | {feature.type} | {feature.unit} | {feature.description} |\n"
        for feature in CATALOGUE
    ]
    foot = _FOOT.format(
        prefix=LIST_PREFIX,
        fields=", ".join(f"`{field}`" for field in LIST_FIELDS),
        is_rate_known=IS_RATE_KNOWN,
        base_currency=BASE_CURRENCY,
    )
    return _HEAD.format(count=len(CATALOGUE), feature_set=FEATURE_SET) + "".join(lines) + foot


if __name__ == "__main__":
    sys.stdout.write(feature_page())
