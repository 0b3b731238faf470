"""View models of the editor: what was written, what the checker says to it at its lines, and what would differ. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from console.difference_views import Comparison
from contract.ruleset_change import ChangeKind
from engine.features.definition import FeatureDefinition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from contract.authoring import RulesetOutline
    from contract.ruleset_draft import DraftProblem

REACHES: Final = {
    ChangeKind.SHADOW: "Nobody: it is only evaluated beside the active ruleset",
    ChangeKind.CANDIDATE: "A share of the users, as the candidate",
    ChangeKind.TO_ALL: "All users",
}
"""For whom a change decides, in the words of the form."""

DEFAULT_SHARE: Final = "5"

NEW_RULE: Final = """\
id: a_name_for_it
when: >-
  amount_base > 1000.0
points: 20
reason: "Paid {amount_base:,.2f} {base_currency}."
mode: shadow
"""
"""What the form of a new rule begins with."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has written in the form."""

    rule: str | None
    """The rule that it replaces; empty for a new one, None for the whole document."""
    text: str
    version: str
    kind: ChangeKind
    share: str
    reason: str = ""
    base: str = ""
    """Digest of the ruleset that was active when the form was opened."""


class ProblemRow(msgspec.Struct, frozen=True):
    """What the checker refuses."""

    place: str
    """Line and column of the text in the form; or where else it is."""
    message: str
    excerpt: str
    """The line itself, and a caret under the place; empty outside of what the form has."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What the checker says."""

    problems: tuple[ProblemRow, ...] = ()
    warnings: tuple[str, ...] = ()
    difference: Comparison | None = None
    """From the active ruleset; None where there is a problem."""
    note: str = ""
    """What somebody should know before proposing it."""


class EditorView(msgspec.Struct, frozen=True, kw_only=True):
    """The page."""

    title: str
    written: Written
    rows: int
    """Lines that the field shows."""
    reaches: tuple[tuple[str, str, bool], ...]
    checked: Checked | None
    features: tuple[FeatureDefinition, ...]
    lists: tuple[tuple[str, str], ...]
    has_candidate: bool
    """Whether there is a candidate, whose place the change may take."""
    candidate: str


def editor_view(
    written: Written,
    outline: RulesetOutline,
    features: Sequence[FeatureDefinition],
    checked: Checked | None = None,
) -> EditorView:
    """Show the form."""
    if written.rule is None:
        title = "Change the ruleset"
    else:
        title = f"Change rule {written.rule}" if written.rule else "Add a rule"
    return EditorView(
        title=title,
        written=written,
        rows=min(max(written.text.count("\n") + 3, 12), 40),
        reaches=tuple((kind.value, words, kind is written.kind) for kind, words in REACHES.items()),
        checked=checked,
        features=tuple(features),
        lists=tuple((f"on_{each.name}", each.field) for each in outline.champion.lists),
        has_candidate=outline.candidate is not None,
        candidate="" if outline.candidate is None else outline.candidate.version,
    )


def problem_rows(
    problems: Sequence[DraftProblem], text: str, first_line: int, last_line: int | None
) -> tuple[ProblemRow, ...]:
    """Give the checker's messages at the lines of the form.

    Parameters
    ----------
    problems : Sequence[DraftProblem]
        At lines of the whole document.
    text : str
        That document.
    first_line, last_line : int, int | None
        The part of it that the form has; None for its end.
    """
    lines = text.split("\n")
    rows = []
    for problem in problems:
        excerpt = ""
        if problem.line is None:
            rows.append(ProblemRow("", problem.message, ""))
            continue
        inside = problem.line >= first_line and (last_line is None or problem.line <= last_line)
        if inside and 0 < problem.line <= len(lines):
            # Of the author's own lines alone: another one may be an entry of a list, which pages mask.
            column = problem.column or 1
            excerpt = f"{lines[problem.line - 1]}\n{' ' * (column - 1)}^"
        number = problem.line - first_line + 1
        place = f"Line {number}" if inside else f"Elsewhere in the document, line {problem.line}"
        if not inside and problem.rule_id:
            place = f"Rule {problem.rule_id}"
        rows.append(ProblemRow(place, problem.message, excerpt))
    return tuple(rows)


def written_of(form: Mapping[str, str], version: str) -> Written:
    """Read the form; what is missing is as in a new one. Browsers send text with CRLF, and documents have LF."""
    kinds = {kind.value: kind for kind in REACHES}
    return Written(
        rule=None if form.get("scope") == "document" else form.get("subject", ""),
        text=form.get("text", "").replace("\r\n", "\n"),
        version=form.get("version", "").strip()[:64] or version,
        kind=kinds.get(form.get("reach", ""), ChangeKind.SHADOW),
        share=form.get("share", "").strip()[:8] or DEFAULT_SHARE,
        reason=form.get("reason", "").strip(),
        base=form.get("base", ""),
    )


def share_of(text: str) -> float | None:
    """Read a share of the users, percent; None where it is none, above 0 and at most 50.

    Examples
    --------
    >>> share_of("2,5"), share_of("0"), share_of("50"), share_of("x"), share_of("nan")
    (2.5, None, 50.0, None, None)
    """
    try:
        share = float(text.strip().removesuffix("%").replace(",", "."))
    except ValueError:
        return None
    return share if 0 < share <= 50 else None


def next_version(taken: Collection[str], today: str) -> str:
    """Propose the version of a changed ruleset: the day, and a number where the document has one of the day already.

    Examples
    --------
    >>> next_version({"7"}, "2026-12-01"), next_version({"2026-12-01"}, "2026-12-01"), next_version({"1", "2026-12-01.9"}, "2026-12-01")
    ('2026-12-01', '2026-12-01.2', '2026-12-01.10')
    """
    numbers = [1 for version in taken if version == today]
    for version in taken:
        day, _, number = version.partition(".")
        if day == today and number.isdecimal():
            numbers.append(int(number))
    return f"{today}.{max(numbers) + 1}" if numbers else today
