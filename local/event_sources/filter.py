"""Event filter patterns as Lambda documents them: they decide which records a mapping delivers.

A pattern is an object whose leaves are lists of accepted values: ``{"eventName": ["INSERT"]}``. The operators are those of
"Filter rule syntax" in the Lambda developer guide. EventBridge has more; a pattern with one of these is refused, as Lambda
refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Match = Callable[[Any], bool]
"""Returns whether a value is accepted; the value is ``ABSENT`` if the field does not exist."""


class _Absent:
    pass


ABSENT: Final = _Absent()
NUMERIC: Final[dict[str, Callable[[float, float], bool]]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


class FilterError(Exception):
    """A pattern that Lambda would refuse; names the field with its path, and what is wrong."""


def compile_filter(pattern: Mapping[str, Any] | None) -> Match:
    """Compile a pattern to a predicate.

    Parameters
    ----------
    pattern : Mapping | None
        The pattern; None accepts everything.

    Returns
    -------
    Callable[[Any], bool]
        Takes a record as JSON values, returns whether it is accepted.

    Raises
    ------
    FilterError
        If the pattern is wrong; names the field.

    Examples
    --------
    >>> accepts = compile_filter({"eventName": ["INSERT"], "amount": [{"numeric": [">", 10, "<=", 20]}]})
    >>> accepts({"eventName": "INSERT", "amount": 20}), accepts({"eventName": "INSERT", "amount": 10})
    (True, False)
    """
    if pattern is None:
        return lambda _: True
    if not pattern:
        raise FilterError("$: an empty pattern")
    return _compile_object(pattern, "$")


def _compile_object(pattern: Mapping[str, Any], path: str) -> Match:
    fields: list[tuple[str, Match]] = []
    alternatives: list[Match] = []
    for name, value in pattern.items():
        place = f"{path}.{name}"
        if name == "$or":
            alternatives = _compile_or(value, place)
        elif isinstance(value, Mapping):
            if not value:
                raise FilterError(f"{place}: an empty object; a leaf is a list")
            fields.append((name, _compile_object(value, place)))
        elif isinstance(value, list):
            fields.append((name, _compile_leaf(value, place)))
        else:
            raise FilterError(f"{place}: a leaf must be a list")

    def matches(value: Any) -> bool:
        inside: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        return all(match(inside.get(name, ABSENT)) for name, match in fields) and (
            not alternatives or any(match(value) for match in alternatives)
        )

    return matches


def _compile_or(value: Any, path: str) -> list[Match]:
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(each, Mapping) for each in value):
        raise FilterError(f"{path}: must be a list of at least two objects")
    return [_compile_object(each, f"{path}[{index}]") for index, each in enumerate(value)]


def _compile_leaf(accepted: list[Any], path: str) -> Match:
    if not accepted:
        raise FilterError(f"{path}: an empty list accepts nothing")
    matches = [_compile_rule(rule, path) for rule in accepted]

    def matches_any(value: Any) -> bool:
        # "If the value is an array, the pattern matches where one of its elements does."
        values = value if isinstance(value, list) and value else [value]
        return any(match(each) for each in values for match in matches)

    return matches_any


def _compile_rule(rule: Any, path: str) -> Match:
    if not isinstance(rule, Mapping):
        return _exactly(rule, path)
    if len(rule) != 1:
        raise FilterError(f"{path}: one operator per object, not {len(rule)}")
    ((operator, operand),) = rule.items()
    build = _OPERATORS.get(operator)
    if build is None:
        raise FilterError(f"{path}: {operator!r} is not one of {', '.join(sorted(_OPERATORS))}")
    return build(operand, f"{path}.{operator}")


def _exactly(expected: Any, path: str) -> Match:
    if isinstance(expected, list):
        raise FilterError(f"{path}: a list in a list")
    # True is 1 in Python and is not in JSON; 1 and 1.0 are the same number in both.
    return lambda value: _json_type(value) == _json_type(expected) and bool(value == expected)


def _prefix(operand: Any, path: str) -> Match:
    text = _text(operand, path)
    return lambda value: isinstance(value, str) and value.startswith(text)


def _suffix(operand: Any, path: str) -> Match:
    text = _text(operand, path)
    return lambda value: isinstance(value, str) and value.endswith(text)


def _equals_ignore_case(operand: Any, path: str) -> Match:
    text = _text(operand, path).lower()
    return lambda value: isinstance(value, str) and value.lower() == text


def _anything_but(operand: Any, path: str) -> Match:
    if isinstance(operand, Mapping):
        if set(operand) != {"prefix"}:
            raise FilterError(f"{path}: 'prefix' is the only operator that is allowed here")
        unwanted = [_prefix(operand["prefix"], f"{path}.prefix")]
    else:
        values = operand if isinstance(operand, list) else [operand]
        if not values or not all(_json_type(value) in {"string", "number"} for value in values):
            raise FilterError(f"{path}: must be strings or numbers")
        unwanted = [_exactly(value, path) for value in values]
    # It needs another value; a field that does not exist has none.
    return lambda value: (
        value is not ABSENT
        and not isinstance(value, Mapping | list)
        and not any(match(value) for match in unwanted)
    )


def _numeric(operand: Any, path: str) -> Match:
    if not isinstance(operand, list) or len(operand) not in {2, 4}:
        raise FilterError(f'{path}: must be one or two comparisons: [">", 0, "<=", 5]')
    comparisons = list(zip(operand[::2], operand[1::2], strict=True))
    for name, bound in comparisons:
        if name not in NUMERIC:
            raise FilterError(f"{path}: {name!r} is not one of {' '.join(NUMERIC)}")
        if _json_type(bound) != "number":
            raise FilterError(f"{path}: {bound!r} is not a number")
    return lambda value: (
        _json_type(value) == "number" and all(NUMERIC[name](value, bound) for name, bound in comparisons)
    )


def _exists(operand: Any, path: str) -> Match:
    if not isinstance(operand, bool):
        raise FilterError(f"{path}: must be true or false")

    def matches(value: Any) -> bool:
        # "The exists operator only works on leaf nodes in your event source JSON."
        is_leaf = value is not ABSENT and not isinstance(value, Mapping)
        return is_leaf == operand

    return matches


def _text(operand: Any, path: str) -> str:
    if not isinstance(operand, str) or not operand:
        raise FilterError(f"{path}: must be a string that is not empty")
    return operand


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else type(value).__name__


_OPERATORS: Final[dict[str, Callable[[Any, str], Match]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
}
