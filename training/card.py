"""A model's card: what it is for, what it was made from, how good it is, and where it ends. Markdown, beside the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from training.drawing import draw
from training.figures import (
    CALIBRATION_HEADS,
    KIND_ALERTS,
    KIND_HEADS,
    PART_HEADS,
    calibration_cells,
    kind_cells,
    markdown,
    part_cells,
    side_lines,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.model.document import Term
    from engine.model.tables import Model
    from training.figures import Evaluation

_HEAD: Final = """\
# Model {name}

`{sha256}`

{about}

## What it is for

It says how likely a payment is fraud, as the feature `fraud_probability`, beside the rules of a ruleset. It ranks payments for people who look at
them. Its reasons say which values of a payment resemble those of earlier fraud; they are no proof, and no cause.

It must not be used to judge a person, to set prices or credit limits, to refuse an account, or as the only ground of a refusal that nobody looks
at. It knows nothing of kinds of fraud that its data do not have.

## What it was made from

| | |
|---|---|
| payments | {payments:,}, of which {frauds:,} were known to be fraud; {left_out:,} were blocked and never judged, and left out |
| their time | {first} to {last} |
| labels | as they were known at {labels_until}; what became known later is not in it |
| rules beside it | ruleset {ruleset} |
| amounts | in {currency} |
| features and terms | {features} and {terms}; {size:,} bytes |
| calibration | slope {slope:g}, offset {offset:g}, from payments that the trees had not seen |
| data | sha256 `{data_sha256}` |

It does not use the country or currency of a payment, earlier decisions, or how good a feed is. More reported fraud at a merchant, device, address,
card or payee never lowers its probability.

## In a ruleset

```yaml
model:
  sha256: {sha256}
  points: {points}
```
"""

_LIMITS: Final = """\
## Limits

- What it says holds for payments like those that it was made from. Another country, product or season can change that: train it again, weekly or
  when the calibration drifts.
- Fraud that nobody reported is honest in its data, and what was reported late was left out.
- The figures above are of data with labels for everything. With labels that are missing, precision looks lower than it is.
"""


def write_card(
    path: Path, model: Model, size: int, evaluated: Sequence[tuple[str, Evaluation | None]], about: str
) -> None:
    """Write the card, and its picture beside it.

    Parameters
    ----------
    path : Path
        The card's; the picture has the ending ``.svg``.
    model : Model
        The model.
    size : int
        Of its document, bytes.
    evaluated : Sequence[tuple[str, Evaluation | None]]
        Sources by name, and the figures of their payments after the training; None without any.
    about : str
        What to say of it first.
    """
    document, training = model.document, model.document.training
    head = _HEAD.format(
        name=path.stem,
        about=about,
        sha256=model.sha256,
        payments=training.payments,
        frauds=training.frauds,
        left_out=training.left_out,
        first=_minute(training.first),
        last=_minute(training.last),
        labels_until=_minute(training.labels_until),
        ruleset=training.ruleset,
        currency=document.base_currency,
        features=len(document.features),
        terms=len(document.terms),
        size=size,
        slope=document.calibration.slope,
        offset=document.calibration.offset,
        data_sha256=training.data_sha256,
        points=points_text(model),
    )
    lines = [head]
    for name, found in evaluated:
        lines += _evaluation(name, found)
    lines += ["## Its strongest terms", "", f"![Calibration and terms]({path.stem}.svg)", ""]
    lines += [f"{place}. {described(term)}" for place, term in enumerate(document.terms[:10], 1)]
    path.write_text("\n".join([*lines, "", _LIMITS]), encoding="utf-8")
    known = [found for _, found in evaluated if found is not None]
    draw(document, known[0].calibration if known else [], path.with_suffix(".svg"))


def points_text(model: Model) -> str:
    """Write the points that a model proposes, as a ruleset has them."""
    return f"[{', '.join(f'[{begin:g}, {points}]' for begin, points in model.document.proposed_points)}]"


def _evaluation(name: str, found: Evaluation | None) -> list[str]:
    if found is None:
        return [
            f"## Weeks after the training: {name}",
            "",
            "The data have no payments after the training.",
            "",
        ]
    number = f"{found.payments:,} payments, {found.frauds:,} of them fraud"
    return [
        f"## Weeks after the training: {name}",
        "",
        f"{number}. An alert is a user on a day; `both` are the points of rules and model, added up.",
        "",
        *side_lines(found),
        "",
        f"Share of the payments of each kind of fraud whose user is alerted, with {KIND_ALERTS} alerts a day:",
        "",
        *markdown(KIND_HEADS, map(kind_cells, found.kinds)),
        "",
        "What the model said, and what was:",
        "",
        *markdown(CALIBRATION_HEADS, map(calibration_cells, found.calibration)),
        "",
        "Parts of the payments:",
        "",
        *markdown(PART_HEADS, map(part_cells, found.parts)),
        "",
    ]


def described(term: Term) -> str:
    """Say what a term looks at, and between which log-odds it lies."""
    names = " and ".join(f"`{axis.feature}`" for axis in term.axes)
    table = np.array(term.log_odds)
    return f"{names}: from {table.min():+.2f} to {table.max():+.2f} log-odds"


def _minute(text: str) -> str:
    return f"{text[:16]}Z"
