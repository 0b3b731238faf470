"""Conditions as Python: checked CEL expressions are translated, operator by operator, if Python's operators do the same.

CEL converts every value that it gets, which costs more than the comparisons. So a condition of comparisons, logic, ``in``,
``? :``, tests of a text's parts and arithmetic of doubles is compiled to Python's bytecode; CEL evaluates the others. No text of a
condition gets into the code: it is built from the operators and constants of the checked expression, and only from those that
are known here.

None of the translated operators can fail, so ``&&`` and ``||`` need not absorb errors as CEL's do. Integers are compared only.
Integer arithmetic stays with CEL, where it can overflow.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from contract.scored import FeatureValue
from engine.features.catalogue import PLACES
from engine.rules.cel.checked import Call, CheckedExpression, Constant, ListOf, Node, Variable

Holds = Callable[[Sequence[FeatureValue], Mapping[str, FeatureValue]], list[int]]
"""Takes all features in the order of the catalogue, and the other variables by name; returns the numbers of the conditions that
hold, ascending."""

_COMPARISONS: Final[dict[str, type[ast.cmpop]]] = {
    f"{name}_{kind}": operator
    for name, operator in {
        "less": ast.Lt,
        "less_equals": ast.LtE,
        "greater": ast.Gt,
        "greater_equals": ast.GtE,
    }.items()
    for kind in ("int64", "double", "string")
}
_EQUALITIES: Final[dict[str, type[ast.cmpop]]] = {"equals": ast.Eq, "not_equals": ast.NotEq}
_LOGIC: Final[dict[str, type[ast.boolop]]] = {"logical_and": ast.And, "logical_or": ast.Or}
_ARITHMETIC: Final[dict[str, type[ast.operator]]] = {
    "add_double": ast.Add,
    "subtract_double": ast.Sub,
    "multiply_double": ast.Mult,
}
_SCALARS: Final = frozenset({"bool", "int", "double", "string"})
_DIVIDE: Final = "divide"
_FLOAT: Final = "float"
_FEATURES: Final = "features"
_OTHERS: Final = "others"


class NotTranslatableError(Exception):
    """A condition that only CEL can evaluate."""


def translated(conditions: Sequence[tuple[int, CheckedExpression]]) -> tuple[Holds, frozenset[int]]:
    """Compile the conditions that Python can evaluate into one function.

    Parameters
    ----------
    conditions : Sequence[tuple[int, CheckedExpression]]
        Each with its number, ascending. Each is a bool.

    Returns
    -------
    Holds
        Never raises for values of the catalogue's types.
    frozenset[int]
        Numbers of the conditions in it; CEL evaluates the others.
    """
    tests: dict[int, ast.expr] = {}
    for number, expression in conditions:
        translation = _Translation(expression)
        try:
            test = translation.of(expression.root)
            compile(ast.fix_missing_locations(ast.Expression(test)), "<condition>", "eval")
        except (NotTranslatableError, RecursionError):
            continue
        tests[number] = test
    return _function(tests), frozenset(tests)


def _function(tests: Mapping[int, ast.expr]) -> Holds:
    module = ast.parse(f"def holds({_FEATURES}, {_OTHERS}):\n    found = []\n    return found")
    function = module.body[0]
    assert isinstance(function, ast.FunctionDef)  # noqa: S101 # for the type checker: it was written the line before
    checks: list[ast.stmt] = []
    for number, test in tests.items():
        check = ast.parse(f"if True: found.append({number})").body[0]
        assert isinstance(check, ast.If)  # noqa: S101
        check.test = test
        checks.append(check)
    function.body[1:1] = checks
    namespace: dict[str, object] = {"__builtins__": {}, _FLOAT: float, _DIVIDE: _divided}
    exec(compile(ast.fix_missing_locations(module), "<conditions>", "exec"), namespace)  # noqa: S102 # built above, node by node
    holds: Holds = namespace["holds"]  # type: ignore[assignment] # the function that was just defined
    return holds


class _Translation:
    """Translates one condition."""

    def __init__(self, expression: CheckedExpression) -> None:
        self._expression = expression

    def of(self, node: Node) -> ast.expr:
        match node:
            case Constant(value=value):
                return ast.Constant(value)
            case Variable(name=name):
                # Read where it is used: most conditions end before their last variable.
                return _source(name)
            case Call(overloads=(overload,), arguments=arguments):
                return self._call(overload, arguments)
        raise NotTranslatableError

    def _call(self, overload: str, arguments: Sequence[Node]) -> ast.expr:
        if overload == "in_list":
            return self._in_list(*arguments)
        if overload in _EQUALITIES and {self._expression.type_of(each) for each in arguments} - _SCALARS:
            raise NotTranslatableError
        values = [self.of(each) for each in arguments]
        if overload in _LOGIC:
            return ast.BoolOp(_LOGIC[overload](), values)
        if overload in _ARITHMETIC:
            return ast.BinOp(values[0], _ARITHMETIC[overload](), values[1])
        comparison = _COMPARISONS.get(overload) or _EQUALITIES.get(overload)
        if comparison:
            return ast.Compare(values[0], [comparison()], values[1:])
        match overload:
            case "logical_not":
                return ast.UnaryOp(ast.Not(), values[0])
            case "negate_double":
                return ast.UnaryOp(ast.USub(), values[0])
            case "divide_double":
                return ast.Call(ast.Name(_DIVIDE, ast.Load()), values, [])
            case "int64_to_double":
                return ast.Call(ast.Name(_FLOAT, ast.Load()), values, [])
            case "conditional":
                return ast.IfExp(*values)
            case "starts_with_string":
                return ast.Call(ast.Attribute(values[0], "startswith", ast.Load()), values[1:], [])
            case "ends_with_string":
                return ast.Call(ast.Attribute(values[0], "endswith", ast.Load()), values[1:], [])
            case "contains_string":
                return ast.Compare(values[1], [ast.In()], [values[0]])
        raise NotTranslatableError

    def _in_list(self, value: Node, choices: Node) -> ast.expr:
        kind = self._expression.type_of(value)
        if kind not in _SCALARS or not isinstance(choices, ListOf):
            raise NotTranslatableError
        constants = [self.of(each) for each in choices.elements if self._expression.type_of(each) == kind]
        if len(constants) != len(choices.elements) or not all(isinstance(c, ast.Constant) for c in constants):
            raise NotTranslatableError
        return ast.Compare(self.of(value), [ast.In()], [ast.Tuple(constants, ast.Load())])


def _source(name: str) -> ast.expr:
    """An entry of one of the function's two parameters."""
    values, key = (_FEATURES, PLACES[name]) if name in PLACES else (_OTHERS, name)
    return ast.Subscript(ast.Name(values, ast.Load()), ast.Constant(key), ast.Load())


def _divided(dividend: float, divisor: float) -> float:
    """Divide as IEEE 754 and CEL do; Python raises for a divisor of 0."""
    if divisor:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)
