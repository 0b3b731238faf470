"""The errors of the engine. Each says what is wrong, and carries the place as data."""

from __future__ import annotations

import msgspec

MAX_PROBLEMS_SHOWN = 50
"""How many problems an :class:`InvalidRulesetError` lists in its text; ``problems`` holds them all."""


class EngineError(Exception):
    """The engine cannot do what it was asked to."""


class RulesetProblem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a ruleset document, and its place."""

    source: str
    """What the document is called: a path, or the AppConfig profile."""
    line: int
    """1-based."""
    column: int
    """1-based, in characters."""
    message: str
    """What is wrong, and what is allowed."""
    rule_id: str | None = None
    """The rule that has the problem; None if it is not in a rule."""
    excerpt: str = ""
    """The line of the document and, on a second line, a caret under the place; empty if the line has no text."""

    @property
    def without_excerpt(self) -> str:
        """The problem in one line, without the document's text: that may be an address or a device of a list."""
        owner = f"rule '{self.rule_id}': " if self.rule_id else ""
        return f"{self.source}:{self.line}:{self.column}: {owner}{self.message}"

    def __str__(self) -> str:
        shown = "".join(f"\n    {line}" for line in self.excerpt.splitlines())
        return f"{self.without_excerpt}{shown}"


class InvalidRulesetError(EngineError):
    """A ruleset document was refused.

    Parameters
    ----------
    problems : tuple[RulesetProblem, ...]
        Everything that is wrong with it, in the order of the document; at least one.
    """

    def __init__(self, problems: tuple[RulesetProblem, ...]) -> None:
        shown = [str(problem) for problem in problems[:MAX_PROBLEMS_SHOWN]]
        if len(problems) > MAX_PROBLEMS_SHOWN:
            shown.append(f"and {len(problems) - MAX_PROBLEMS_SHOWN} more problems")
        super().__init__("\n".join(shown))
        self.problems = problems


class InvalidModelError(EngineError):
    """A model's document was refused.

    Parameters
    ----------
    source : str
        What the document is called.
    problems : tuple[str, ...]
        What is wrong with it, one sentence each, naming the place; at least one.
    """

    def __init__(self, source: str, problems: tuple[str, ...]) -> None:
        shown = [f"{source}: {problem}" for problem in problems[:MAX_PROBLEMS_SHOWN]]
        if len(problems) > MAX_PROBLEMS_SHOWN:
            shown.append(f"and {len(problems) - MAX_PROBLEMS_SHOWN} more problems")
        super().__init__("\n".join(shown))
        self.source = source
        self.problems = problems


class RulesetEditError(EngineError):
    """A ruleset's text cannot be changed as was asked."""


class InvalidCountsError(EngineError):
    """Stored counts of a rollout cannot be read."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"counts of a rollout: {problem}")
        self.problem = problem
