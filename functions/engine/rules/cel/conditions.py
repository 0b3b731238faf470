"""The conditions of rules, in CEL: what they may contain, and how all of them are evaluated at once.

CEL parses and type-checks a condition. It is then evaluated in Python if Python gives the same result
(:mod:`engine.rules.cel.translation`), and by CEL otherwise.

A condition is a CEL expression over the features that is true or false. It is type-checked when it is read. It cannot loop:
the macros (``map``, ``filter``, ``all``, ``exists``, ``exists_one``) are switched off, so its length bounds its cost.
Regular expressions are linear in cel-cpp (RE2), but cel-cpp compiles the pattern again at each evaluation: one ``matches`` takes
longer than all the default rules together, and a bad pattern would fail only on a payment. So they are switched off too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from cel_expr_python import cel

from engine.features.catalogue import CATALOGUE, FEATURE_NAMES, PLACES
from engine.rules.cel.checked import read_checked
from engine.rules.cel.influence import BOTH, influences
from engine.rules.cel.translation import Holds, translated
from engine.rules.document import TextProblem, suggestion

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.rules.cel.influence import Influences

MAX_CONDITION_CHARACTERS: Final = 2_000
"""The longest condition of one rule."""

MAX_ALL_CONDITIONS_CHARACTERS: Final = 90_000
"""The greatest length of all conditions of a ruleset together; cel-cpp accepts expressions of 100,000 code points."""

IS_RATE_KNOWN: Final = "is_rate_known"
"""Variable that is true if the ruleset has an exchange rate for the payment's currency."""

LIST_PREFIX: Final = "on_"
"""The variable of a list ``denied_devices`` is ``on_denied_devices``."""

_COMMENT: Final = "//"
"""Begins a comment of CEL. One that ends later by a line end that is taken out hides a part of the condition from whoever reads the change."""

_NO_COMMENT: Final = (
    "has '//'; conditions have no comments: write it in the rule's description, or behind a # of YAML"
)
_CEL_TYPES: Final = {
    "double": cel.Type.DOUBLE,
    "int": cel.Type.INT,
    "bool": cel.Type.BOOL,
    "string": cel.Type.STRING,
}
_CONFIG: Final = "stdlib: {disable_macros: true, exclude_functions: [{name: matches}, {name: dyn}]}\n"
_FALSE: Final = "{{name: {name}, type: bool, value: false}}"
_LOOPS: Final = frozenset({"map", "filter", "all", "exists", "exists_one"})
_SWITCHED_OFF: Final = dict.fromkeys(_LOOPS, "a rule may not loop over a list; use 'in', '&&' and '||'") | {
    "has": "every feature always has a value",
    "matches": "no regular expressions in rules; use ==, 'in', startsWith, endsWith or contains",
    "dyn": "it would switch off the type check",
}
_ERROR: Final = re.compile(r"^(?:INVALID_ARGUMENT: )?ERROR: <input>:(\d+):(\d+): (.*)", re.MULTILINE)
_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']*)'")
_NO_OVERLOAD: Final = re.compile(r"found no matching overload for '(\S+)' applied to '\((.*)\)'")
_LOOP_VARIABLE: Final = re.compile(rf"\.\s*(?:{'|'.join(sorted(_LOOPS))})\s*\(\s*([A-Za-z_]\w*)\s*,")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ConditionResults(msgspec.Struct, frozen=True):
    """The results of a set of conditions for one payment."""

    holding: Sequence[int]
    """Positions of the conditions that hold, ascending."""
    failed: Sequence[int] = ()
    """Positions of the conditions that could not be evaluated; they count as not true."""


class Vocabulary:
    """The variables that conditions may use: every feature, one truth value per list, and whether the rate is known.

    Parameters
    ----------
    list_names : Collection[str]
        The ruleset's lists.
    empty_list_names : Collection[str]
        Those without entries. Their variables are constant, false: CEL removes them when it compiles, so an empty list costs
        nothing.
    """

    def __init__(
        self, list_names: Collection[str] = (), empty_list_names: Collection[str] = frozenset()
    ) -> None:
        variables = {feature.name: _CEL_TYPES[feature.type] for feature in CATALOGUE}
        variables |= {f"{LIST_PREFIX}{name}": cel.Type.BOOL for name in list_names}
        variables[IS_RATE_KNOWN] = cel.Type.BOOL
        self.names = frozenset(variables)
        constants = [f"{LIST_PREFIX}{name}" for name in empty_list_names]
        self._variables = variables
        self._evaluated = {name: kind for name, kind in variables.items() if name not in constants}
        config = f"{_CONFIG}variables: [{', '.join(_FALSE.format(name=name) for name in constants)}]\n"
        self._environment = cel.NewEnv(config=cel.NewEnvConfigFromYaml(config), variables=self._evaluated)

    def check(self, condition: str) -> tuple[TextProblem, ...]:
        """Find everything that is wrong with a condition.

        Parameters
        ----------
        condition : str
            CEL, at most `MAX_CONDITION_CHARACTERS`.

        Returns
        -------
        tuple[TextProblem, ...]
            Empty if it can be used.
        """
        if (place := condition.find(_COMMENT)) >= 0:
            return (TextProblem(_NO_COMMENT, place),)
        try:
            kind = self._environment.compile(condition).return_type()
            # In the list of all conditions it is one level deeper, and the depth is bounded.
            self._environment.compile(_joined([condition]))
        except RuntimeError as error:
            return self._problems(condition, str(error))
        if kind != cel.Type.BOOL:
            return (TextProblem(f"gives {kind.name().lower()}, not true or false"),)
        return ()

    def lists_of(self, condition: str) -> dict[str, Influences]:
        """Name each list that a condition asks for, with what being on it may do to the condition.

        Parameters
        ----------
        condition : str
            One that has not passed :meth:`check`, such as an old document's, may depend on its lists in any way.
        """
        named = {name for name in _names([condition]) & self.names if name.startswith(LIST_PREFIX)}
        if not named:
            return {}
        # An empty list counts like any other: it may have entries soon.
        environment = cel.NewEnv(config=cel.NewEnvConfigFromYaml(_CONFIG), variables=self._variables)
        try:
            found = influences(read_checked(environment.compile(condition).serialize()))
        except RuntimeError:
            found = None
        by_name = dict.fromkeys(named, BOTH) if found is None else found
        return {name.removeprefix(LIST_PREFIX): by_name[name] for name in sorted(named & by_name.keys())}

    def compile(self, conditions: Sequence[str]) -> Program:
        """Compile conditions that have passed :meth:`check` into one program."""
        compiled = [self._environment.compile(condition) for condition in conditions]
        checked = [read_checked(expression.serialize()) for expression in compiled]
        holds, in_python = translated(list(enumerate(checked)))
        in_cel = [number for number in range(len(conditions)) if number not in in_python]
        return Program(
            holds,
            _CelProgram(
                self._environment.compile(_joined([conditions[number] for number in in_cel])),
                {number: compiled[number] for number in in_cel},
                _names(conditions[number] for number in in_cel) & self._evaluated.keys(),
            )
            if in_cel
            else None,
            _names(conditions) & self._evaluated.keys(),
        )

    def _problems(self, condition: str, error: str) -> tuple[TextProblem, ...]:
        found = [
            (match[3], _offset(condition, int(match[1]), int(match[2]))) for match in _ERROR.finditer(error)
        ]
        if not found:
            is_deep = "recursion limit" in error or "recursion depth" in error
            return (TextProblem("nested too deeply" if is_deep else f"not accepted by CEL: {error[:200]}"),)
        # A switched-off macro also leaves its loop variable undeclared: one cause, one message.
        loop_variables = set(_LOOP_VARIABLE.findall(condition)) - self.names
        return tuple(
            TextProblem(self._explained(message, condition, offset), offset)
            for message, offset in found
            if not any(message.startswith(f"undeclared reference to '{name}'") for name in loop_variables)
        )

    def _explained(self, message: str, condition: str, offset: int) -> str:
        undeclared = _UNDECLARED.match(message)
        if undeclared:
            name = undeclared[1]
            if name in _SWITCHED_OFF:
                return f"'{name}' is not available: {_SWITCHED_OFF[name]}"
            if condition[offset : offset + 1] == "(":
                return f"unknown function '{name}'"
            kind = "list" if name.startswith(LIST_PREFIX) else "feature"
            return f"unknown {kind} '{name}'{suggestion(name, self.names)}"
        overload = _NO_OVERLOAD.match(message)
        if overload and {"int", "double"} <= set(overload[2].split(", ")):
            return (
                f"{message}: both sides must be of one type; write 900.0 for 900, or double(x) for an int x"
            )
        return re.sub(r" expecting (\{.*\}|<EOF>)$", "", message)


class Program:
    """Conditions compiled together. Evaluation has no side effect and never raises.

    Parameters
    ----------
    holds : Holds
        The conditions that are evaluated in Python.
    in_cel : _CelProgram | None
        The others; None if there are none, which is usual.
    variables : frozenset[str]
        The variables that the conditions use.
    """

    def __init__(self, holds: Holds, in_cel: _CelProgram | None, variables: frozenset[str]) -> None:
        self._holds = holds
        self._in_cel = in_cel
        self.variables = variables

    def evaluate(self, values: Mapping[str, FeatureValue]) -> ConditionResults:
        """Evaluate every condition.

        Parameters
        ----------
        values : Mapping[str, FeatureValue]
            A value for each of ``variables``, of the catalogue's type; others are not used.

        Returns
        -------
        ConditionResults
        """
        # What no condition uses may be missing.
        return self.evaluate_in_order([values.get(name, 0) for name in FEATURE_NAMES], values)

    def evaluate_in_order(
        self, features: Sequence[FeatureValue], others: Mapping[str, FeatureValue]
    ) -> ConditionResults:
        """Evaluate every condition, given all features in the order of the catalogue, and the other variables by name."""
        holding = self._holds(features, others)
        if self._in_cel is None:
            return ConditionResults(holding)
        in_cel = self._in_cel.evaluate(features, others)
        return ConditionResults(sorted([*holding, *in_cel.holding]), in_cel.failed)


class _CelProgram:
    """Conditions that CEL evaluates.

    Parameters
    ----------
    joined : cel.Expression
        All of them as one list: one call of CEL instead of one per rule.
    single : Mapping[int, cel.Expression]
        Each on its own, by position, for the case that one of them fails, and the list with it.
    variables : frozenset[str]
        What they use: only these values are passed to CEL, because it converts every value that it gets.
    """

    def __init__(
        self, joined: cel.Expression, single: Mapping[int, cel.Expression], variables: frozenset[str]
    ) -> None:
        self._joined = joined
        self._single = single
        self._variables = variables

    def evaluate(
        self, features: Sequence[FeatureValue], others: Mapping[str, FeatureValue]
    ) -> ConditionResults:
        used = {name: features[PLACES[name]] if name in PLACES else others[name] for name in self._variables}
        together = _evaluated(self._joined, used)
        if isinstance(together, list):
            return ConditionResults(
                [number for number, is_true in zip(self._single, together, strict=True) if is_true]
            )
        apart = {number: _evaluated(expression, used) for number, expression in self._single.items()}
        return ConditionResults(
            [number for number, value in apart.items() if value is True],
            [number for number, value in apart.items() if not isinstance(value, bool)],
        )


def _names(conditions: Iterable[str]) -> frozenset[str]:
    return frozenset(word for condition in conditions for word in _IDENTIFIER.findall(condition))


def _joined(conditions: Sequence[str]) -> str:
    return "[" + ",".join(conditions) + "]"


def _evaluated(expression: cel.Expression, values: Mapping[str, FeatureValue]) -> object:
    """Give a bool or a list of them; something else if CEL could not evaluate the expression."""
    try:
        return expression.eval(data=values).plain_value()
    except (
        RuntimeError
    ) as error:  # the binding cannot convert a value, for example text with a lone surrogate
        return error


def _offset(condition: str, line: int, column: int) -> int:
    """Convert CEL's 1-based line and column to an index into the condition."""
    lines = condition.split("\n")
    before = sum(len(text) + 1 for text in lines[: line - 1])
    return min(before + max(column - 1, 0), len(condition))
