"""How a condition depends on its variables that are true or false: whether it may begin to hold, or stop, when one of them becomes true.

It is read from the checked expression, not from the text: ``!(is_weekend || on_some)``, ``on_some ? false : true`` and ``on_some in [false]``
depend on the list alike. What is not known here may do both.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from engine.rules.cel.checked import Call, Constant, ListOf, Other, Variable

if TYPE_CHECKING:
    from engine.rules.cel.checked import CheckedExpression, Node


class Influence(Enum):
    """What a variable may do to a condition when it becomes true and all else stays."""

    MAKES_HOLD = 1
    KEEPS_FROM_HOLDING = -1


Influences = frozenset[Influence]

BOTH: Final[Influences] = frozenset(Influence)
_HOLD: Final[Influences] = frozenset({Influence.MAKES_HOLD})
_OPPOSITE: Final = {
    frozenset[Influence](): frozenset[Influence](),
    _HOLD: BOTH - _HOLD,
    BOTH - _HOLD: _HOLD,
    BOTH: BOTH,
}


def influences(expression: CheckedExpression) -> dict[str, Influences] | None:
    """Give what each variable may do.

    CEL's logic is monotone, errors included: with false < error < true, ``&&`` is the lesser and ``||`` the greater of both, and ``!`` reverses the order. So a variable
    under an even number of ``!``, wherever it is used, never keeps the condition from holding.

    Parameters
    ----------
    expression : CheckedExpression
        The condition.

    Returns
    -------
    dict[str, Influences] | None
        Variable to what it may do; None where a part of the condition cannot be read, so that any variable of its text may do both.
    """
    found: dict[str, Influences] = {}
    return found if _collect(expression.root, _HOLD, found) else None


def _collect(node: Node, here: Influences, found: dict[str, Influences]) -> bool:
    match node:
        case Other():
            return False
        case Constant():
            return True
        case Variable(name=name):
            found[name] = found.get(name, frozenset()) | here
            return True
        case ListOf(elements=elements):
            parts = [(each, BOTH) for each in elements]
        case Call(overloads=overloads, arguments=arguments):
            parts = list(zip(arguments, _of_arguments(overloads, arguments, here), strict=True))
    return all(_collect(part, of_part, found) for part, of_part in parts)


def _of_arguments(
    overloads: tuple[str, ...], arguments: tuple[Node, ...], here: Influences
) -> list[Influences]:
    match overloads, arguments:
        case ("logical_and",) | ("logical_or",), _:
            return [here] * len(arguments)
        case ("logical_not",), _:
            return [_OPPOSITE[here]]
        case ("conditional",), _:
            return [BOTH, here, here]
        case (
            (("equals",) | ("not_equals",)),
            (Constant(value=bool(value)), _) | (_, Constant(value=bool(value))),
        ):
            same = here if value == (overloads[0] == "equals") else _OPPOSITE[here]
            return [same, same]
    return [BOTH] * len(arguments)
