"""The guardrails of a ruleset: how far a candidate may be from its champion before it is withdrawn."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec
import yaml

if TYPE_CHECKING:
    from engine.rules.document import Reader

_MIN_TIMES, _MAX_TIMES = Decimal(0), Decimal(1_000)
_MIN_PERCENT, _MAX_PERCENT = Decimal("0.0001"), Decimal(100)
_MAX_MICROSECONDS: Final = 1_000_000


class Band(msgspec.Struct, frozen=True):
    """A candidate's rate as a multiple of its champion's; ``0 <= least <= 1 <= most``."""

    least: float
    most: float


class Guardrails(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate is compared by; a ruleset that leaves some out has these."""

    alert_rate: Band = Band(0.5, 2.0)
    """Share of the users with a past (:mod:`engine.rollout.settled`) of whom a payment is reviewed or blocked."""
    block_rate: Band = Band(0.25, 2.0)
    """Share of the same of whom a payment is blocked."""
    errors: float = 0.1
    """By how many percent of the same those for a payment of whom a rule of the candidate fails may exceed the champion's."""
    latency_us: float = 200.0
    """By how many microseconds the time that 99% of the candidate's evaluations keep may exceed the champion's."""


DEFAULT_GUARDRAILS: Final = Guardrails()


def read_guardrails(reader: Reader, node: yaml.Node) -> Guardrails:
    """Read ``guardrails``; what cannot be used is as if it were left out, with a problem.

    Parameters
    ----------
    reader : Reader
        Of the ruleset's document.
    node : yaml.Node
        The mapping.
    """
    fields = reader.fields(node, "guardrails", (), tuple(Guardrails.__struct_fields__))
    values: dict[str, object] = {}
    for name, value in fields.items():
        read: float | Band | None
        match name:
            case "errors":
                number = reader.decimal(value, name, _MIN_PERCENT, _MAX_PERCENT)
                read = None if number is None else float(number)
            case "latency_us":
                whole = reader.integer(value, name, 1, _MAX_MICROSECONDS)
                read = None if whole is None else float(whole)
            case _:
                read = _read_band(reader, value, name)
        if read is not None:
            values[name] = read
    return msgspec.structs.replace(DEFAULT_GUARDRAILS, **values)


def _read_band(reader: Reader, node: yaml.Node, name: str) -> Band | None:
    pair = node.value if isinstance(node, yaml.SequenceNode) else []
    if len(pair) != 2:
        reader.report(
            node, f"{name} must be a list of the least and the most, as multiples of the champion's: [0.5, 2]"
        )
        return None
    least = reader.decimal(pair[0], f"the least {name}", _MIN_TIMES, Decimal(1))
    most = reader.decimal(pair[1], f"the most {name}", Decimal(1), _MAX_TIMES)
    return None if least is None or most is None else Band(float(least), float(most))
